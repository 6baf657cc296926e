//go:build unix

package gitstore

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup puts the child into a process group of its own and kills the whole
// group when its context ends.
func ownGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}

// holdLock lets the child inherit the descriptor that carries the shared lock.
// It goes far from the descriptors that hooks talk over.
func holdLock(cmd *exec.Cmd, f *os.File) {
	cmd.ExtraFiles = append(cmd.ExtraFiles, f)
}

// lowest is the priority of work that may wait for everything else.
const lowest = 19

// lower gives a child that was just started, and what it starts, the lowest
// priority. Where the system refuses that, the work is only less polite.
func lower(cmd *exec.Cmd) { _ = syscall.Setpriority(syscall.PRIO_PGRP, cmd.Process.Pid, lowest) }
