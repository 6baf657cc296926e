package search

import (
	"fmt"
	"runtime"
)

// giveWay runs f on a thread of its own that the kernel prefers less than those that
// answer requests, where the system knows such a thing, and returns f's error; a panic
// is one too. The thread ends with f, because its priority cannot be raised again.
func giveWay(f func() error) error {
	done := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				done <- fmt.Errorf("panic: %v", p)
			}
		}()
		runtime.LockOSThread() // never unlocked, so that the runtime ends the thread
		lowerPriority()
		done <- f()
	}()
	return <-done
}
