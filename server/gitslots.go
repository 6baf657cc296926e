package server

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

// slotWait is how long a request waits for a git process at most.
const slotWait = 20 * time.Second

// errBusy says that all git processes are in use and enough requests wait.
var errBusy = errors.New("too many git processes")

// gitSlots bounds the git processes that run at once, and the requests that wait
// for one.
type gitSlots struct {
	running chan struct{}
	waiting *atomic.Int64
	queue   int64
}

func newGitSlots(running, waiting int) gitSlots {
	return gitSlots{make(chan struct{}, running), new(atomic.Int64), int64(waiting)}
}

// take takes a slot, which give gives back: at once where one is free, else in
// turn. It fails with errBusy or with ctx's error.
func (s gitSlots) take(ctx context.Context) error {
	select {
	case s.running <- struct{}{}:
		return nil
	default:
	}
	defer s.waiting.Add(-1)
	if s.waiting.Add(1) > s.queue {
		return errBusy
	}
	timer := time.NewTimer(slotWait)
	defer timer.Stop()
	select {
	case s.running <- struct{}{}:
		return nil
	case <-timer.C:
		return errBusy
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s gitSlots) give() { <-s.running }
