package search

import "syscall"

// lowerPriority lowers this thread's. On Linux a priority is a thread's and not a
// process's (setpriority(2), "C library/kernel differences"). Where it is refused,
// f merely runs as fast as everybody else.
func lowerPriority() { _ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), 10) }
