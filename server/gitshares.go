package server

import (
	"context"
	"sync"

	"wikibot/wiki"
)

// gitShares divides the git processes. Whoever reads or sends slowly holds a process
// for as long as the transfer takes, so nobody gets all of them: a person at most
// half, over HTTP and SSH together and whatever the token or key; a visitor's address
// a quarter; all visitors three quarters. Who has taken their share waits for their
// own.
type gitShares struct {
	processes, queue int

	mu   sync.Mutex
	each map[string]*gitShare // guarded by mu; those that are in use
}

// gitShare is what one of them has.
type gitShare struct {
	slots gitSlots
	users int // requests that run or wait; guarded by the mutex of all
}

func newGitShares(processes, queue int) *gitShares {
	return &gitShares{processes: processes, queue: queue, each: map[string]*gitShare{}}
}

// take takes a process of the caller's share; address is a visitor's. give gives it
// back. It fails as gitSlots.take does.
func (s *gitShares) take(ctx context.Context, c wiki.Caller, address string) (give func(), err error) {
	if !c.Anonymous() {
		who := "user " + string(c.User)
		if c.User == "" {
			who = "token " + c.Credential
		}
		return s.one(ctx, who, s.processes/2)
	}
	mine, err := s.one(ctx, "address "+address, s.processes/4)
	if err != nil {
		return nil, err
	}
	all, err := s.one(ctx, "visitors", s.processes*3/4)
	if err != nil {
		mine()
		return nil, err
	}
	return func() { all(); mine() }, nil
}

func (s *gitShares) one(ctx context.Context, who string, most int) (give func(), err error) {
	share := s.enter(who, max(1, most))
	if err := share.slots.take(ctx); err != nil {
		s.leave(who, share)
		return nil, err
	}
	return func() { share.slots.give(); s.leave(who, share) }, nil
}

func (s *gitShares) enter(who string, most int) *gitShare {
	s.mu.Lock()
	defer s.mu.Unlock()
	share := s.each[who]
	if share == nil {
		share = &gitShare{slots: newGitSlots(most, s.queue)}
		s.each[who] = share
	}
	share.users++
	return share
}

func (s *gitShares) leave(who string, share *gitShare) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if share.users--; share.users == 0 {
		delete(s.each, who)
	}
}

// process takes a git process for a caller, of their share first; give gives it back.
func (g *gitHandler) process(ctx context.Context, c wiki.Caller, address string) (give func(), err error) {
	share, err := g.shares.take(ctx, c, address)
	if err != nil {
		return nil, err
	}
	if err := g.slots.take(ctx); err != nil {
		share()
		return nil, err
	}
	return func() { g.slots.give(); share() }, nil
}
