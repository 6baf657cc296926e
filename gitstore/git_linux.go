//go:build linux

package gitstore

import (
	"os/exec"
	"runtime"
	"syscall"
)

// runGit runs the child to its end. If the server dies meanwhile the kernel
// ends the child too; that signal is tied to the thread that started it, so the
// thread is kept for as long as the child lives.
func runGit(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	return cmd.Run()
}

// runGitNicely is runGit at the lowest priority.
func runGitNicely(cmd *exec.Cmd) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		return err
	}
	lower(cmd)
	return cmd.Wait()
}
