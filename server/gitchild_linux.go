package server

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// endWithServer has the kernel end the child, and give it the time to remove its
// temporary files, when the thread that starts it dies (prctl(2),
// PR_SET_PDEATHSIG).
func endWithServer(cmd *exec.Cmd) {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGTERM
}

// processorTime is what a process and its descendants have used, as far as
// /proc tells (proc(5)): user and system time, in ticks of 10 ms. It looks at
// git's two levels of children only.
func processorTime(pid int) time.Duration { return processorTimeOf(pid, 2) }

func processorTimeOf(pid, levels int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0 // it has just ended
	}
	// The name in parentheses may hold anything; the fields behind it are
	// counted from the third. utime, stime and those of the children that have
	// ended are the 14th to the 17th.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	var ticks int64
	for i := 14 - 3; i <= 17-3 && i < len(fields); i++ {
		n, _ := strconv.ParseInt(string(fields[i]), 10, 64) // the kernel's own digits
		ticks += n
	}
	used := time.Duration(ticks) * 10 * time.Millisecond
	if levels == 0 {
		return used
	}
	below, _ := childrenOf(pid)
	for _, child := range below {
		used += processorTimeOf(child, levels-1)
	}
	return used
}

// childrenOf lists the children of a process; not ok on a kernel that does not
// tell (CONFIG_PROC_CHILDREN).
func childrenOf(pid int) (children []int, ok bool) {
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, child := range bytes.Fields(list) {
		if n, err := strconv.Atoi(string(child)); err == nil {
			children = append(children, n)
		}
	}
	return children, err == nil
}

// endChildren ends what is below a process, the lowest first; false where the
// system does not tell what that is.
func endChildren(pid int) bool {
	children, ok := childrenOf(pid)
	for _, child := range children {
		endChildren(child)
		_ = syscall.Kill(child, syscall.SIGTERM) // gone already is as well
	}
	return ok
}
