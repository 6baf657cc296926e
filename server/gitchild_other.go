//go:build !linux

package server

import (
	"os/exec"
	"time"
)

// endWithServer has nothing to ask for here: a child whose server died ends when
// it next reads or writes.
func endWithServer(*exec.Cmd) {}

// processorTime is not known here.
func processorTime(int) time.Duration { return 0 }

// endChildren does not know them here.
func endChildren(int) bool { return false }
