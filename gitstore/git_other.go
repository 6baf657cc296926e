//go:build unix && !linux

package gitstore

import "os/exec"

// runGit runs the child to its end. Where the kernel offers no signal at the
// parent's death, the next start waits for the child instead.
func runGit(cmd *exec.Cmd) error { return cmd.Run() }

// runGitNicely is runGit at the lowest priority.
func runGitNicely(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	lower(cmd)
	return cmd.Wait()
}
