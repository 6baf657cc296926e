//go:build unix && !linux

package gitstore

import "os/exec"

// runGit runs the child to its end. Where the kernel offers no signal at the
// parent's death, the next start waits for the child instead.
func runGit(cmd *exec.Cmd) error { return cmd.Run() }
