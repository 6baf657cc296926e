package server

import (
	"os/exec"
	"syscall"
)

// endWithServer has the kernel end the child, and give it the time to remove its
// temporary files, when the thread that starts it dies (prctl(2),
// PR_SET_PDEATHSIG).
func endWithServer(cmd *exec.Cmd) {
	cmd.SysProcAttr.Pdeathsig = syscall.SIGTERM
}
