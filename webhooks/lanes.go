package webhooks

import (
	"context"
	"sync"
)

// perHost is how many requests may be under way to one host, and as many to the
// receivers there that have yet to show that they answer.
const perHost = 2

// lanes give out the places for requests. There are places for webhooks whose last
// request was taken, and half as many for those that failed or are new: a receiver that
// lets every request run into its time limit holds up no others but those.
type lanes struct {
	proven, others chan struct{}

	mu    sync.Mutex
	hosts map[string]*place // by host and lane, those in use; guarded by mu
}

// place is what one host has.
type place struct {
	slots chan struct{}
	users int // guarded by lanes.mu
}

func newLanes(parallel int) *lanes {
	return &lanes{proven: make(chan struct{}, parallel), others: make(chan struct{}, max(1, parallel/2)), hosts: map[string]*place{}}
}

// enter waits for a place for a request to a host; leave gives it back. Whoever waits
// for a host holds nothing that others need.
func (l *lanes) enter(ctx context.Context, host string, proven bool) (leave func(), err error) {
	lane := l.proven
	if !proven {
		lane, host = l.others, host+" other"
	}
	p := l.use(host)
	if err := take(ctx, p.slots); err != nil {
		l.drop(host, p)
		return nil, err
	}
	if err := take(ctx, lane); err != nil {
		<-p.slots
		l.drop(host, p)
		return nil, err
	}
	return func() {
		<-lane
		<-p.slots
		l.drop(host, p)
	}, nil
}

func take(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *lanes) use(host string) *place {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := l.hosts[host]
	if p == nil {
		p = &place{slots: make(chan struct{}, perHost)}
		l.hosts[host] = p
	}
	p.users++
	return p
}

func (l *lanes) drop(host string, p *place) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p.users--; p.users == 0 {
		delete(l.hosts, host)
	}
}
