package search

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"wikibot/gitstore"
	"wikibot/search/internal/index"
	"wikibot/wiki"
)

// site is one wiki's index with the goroutine that moves it. A round takes it from
// its cursor to the wiki's head; rounds of one wiki never overlap, and whoever needs
// a state asks for a round that begins after their question.
type site struct {
	e    *Engine
	slug wiki.Slug
	used atomic.Int64 // nanoseconds of the engine's clock

	done, total atomic.Int64 // pages of the round under way
	read        atomic.Int64 // pages that were read since the start

	saving sync.Mutex // held while the file is written

	mu      sync.Mutex
	index   *index.Index  // nil: not open; guarded by mu, as all below
	cursor  wiki.Revision // the commit that index shows
	asked   uint64        // rounds asked for
	ended   uint64        // of them, those that are over
	running bool
	changed chan struct{} // closed and replaced when a round ends
	err     error         // of the last round
	behind  time.Time     // since when the cursor is known to be behind; zero: it is not
	dirty   time.Time     // since when the file is behind; zero: it is not
	saved   wiki.Revision // the commit of the file
	gone    bool          // the wiki was deleted or rewritten
	moves   uint64        // how often index has changed
	partial bool          // a page could not be read, so index is not saved
	failed  int           // rounds that failed one after the other
	retry   time.Time     // when the next one may begin after that
	anew    bool          // the next round begins from nothing
	making  bool          // the round under way did
	fitting bool
	lasts   lasts

	vectors   vectorLog // of the configured model
	embedding bool      // chunks get their vectors now
	embedMore bool      // and something changed since that began
	embedErr  error     // why the last batch had no vectors
}

// maxWait bounds how long a question waits for its index: for one that has to follow,
// and for one that has to be built.
const (
	waitToMove  = time.Second
	waitToBuild = 5 * time.Second
)

// NotReady is the error of a question that came while the index was being built and
// did not end in time. It is an ErrUnavailable.
type NotReady struct{ Done, Total int }

func (b *NotReady) Error() string {
	if b.Total == 0 {
		return "the wiki's index is being built; try again in a few seconds"
	}
	return fmt.Sprintf("the wiki's index is being built: %d of %d pages; try again in a few seconds", b.Done, b.Total)
}

// Unwrap gives the kind.
func (b *NotReady) Unwrap() error { return wiki.ErrUnavailable }

// ready is the index at v's commit or a later one. Where it cannot get there in time
// it is behind, and the lag tells by how much; where there is none yet the error is a
// *NotReady.
func (s *site) ready(ctx context.Context, v *gitstore.View) (*index.Index, Lag, error) {
	s.used.Store(s.e.Now().UnixNano())
	s.mu.Lock()
	x, at := s.index, s.cursor
	s.mu.Unlock()
	if x != nil && at == v.Head() {
		return x, Lag{}, nil
	}
	round := s.kick()
	wait := waitToMove
	if x == nil {
		wait = waitToBuild
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		s.mu.Lock()
		x, at, err, over, changed, forgotten := s.index, s.cursor, s.err, s.ended >= round, s.changed, s.gone
		s.mu.Unlock()
		if forgotten { // the wiki's history was rewritten meanwhile
			if now := s.e.site(s.slug); now != s {
				return now.ready(ctx, v)
			}
		}
		if over {
			if x != nil {
				return x, s.lag(ctx, v, at), nil
			}
			if err != nil {
				return nil, Lag{}, err
			}
			round = s.kick() // another wiki needed the memory as soon as this one was there
			continue
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, Lag{}, ctx.Err()
		case <-s.e.ctx.Done():
			return nil, Lag{}, wiki.Unavailable("the server is shutting down")
		case <-timer.C:
			if x != nil {
				return x, s.lag(ctx, v, at), nil
			}
			return nil, Lag{}, &NotReady{int(s.done.Load()), int(s.total.Load())}
		}
	}
}

// lag is how far a cursor is behind a view.
func (s *site) lag(ctx context.Context, v *gitstore.View, at wiki.Revision) Lag {
	if at == v.Head() {
		return Lag{}
	}
	s.mu.Lock()
	since := s.behind
	s.mu.Unlock()
	if since.IsZero() { // it is ahead: the view is the older one
		return Lag{}
	}
	return Lag{Commits: v.Ahead(ctx, at), Since: s.e.Now().Sub(since)}
}

// kick asks for a round and says which one it is.
func (s *site) kick() (round uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.behind.IsZero() {
		s.behind = s.e.Now()
	}
	if !s.running {
		s.running = s.e.background(s.rounds)
		if !s.running {
			s.ended, s.err = s.asked, wiki.Unavailable("the server is shutting down")
		}
	}
	return s.asked
}

// rounds works until nobody asks for more.
func (s *site) rounds() {
	for {
		s.mu.Lock()
		round := s.asked
		if s.ended >= round || s.e.ctx.Err() != nil {
			s.running, s.ended = false, round
			close(s.changed)
			s.changed = make(chan struct{})
			s.mu.Unlock()
			return
		}
		if s.failed > 0 && s.e.Now().Before(s.retry) { // whoever asks is told what the last one met
			s.ended = round
			close(s.changed)
			s.changed = make(chan struct{})
			s.mu.Unlock()
			continue
		}
		s.mu.Unlock()
		err := s.safely(round)
		s.mu.Lock()
		s.ended, s.err, s.making = round, err, false
		s.rest(err)
		close(s.changed)
		s.changed = make(chan struct{})
		s.mu.Unlock()
		if err != nil && !errors.Is(err, context.Canceled) && !gone(err) {
			s.e.Log.Error("a wiki's search index cannot be moved", "wiki", s.slug, "error", err)
		}
	}
}

// rest keeps rounds that fail from following one another: a second after the first, a
// minute after many. The caller holds the lock.
func (s *site) rest(err error) {
	if err == nil {
		s.failed = 0
		return
	}
	s.failed++
	s.retry = s.e.Now().Add(time.Second << min(s.failed-1, 6))
}

// safely turns a panic, which a page could provoke in a library, into an error: one
// wiki's search must not end the server. The index may be between two commits then, so
// it is made anew.
func (s *site) safely(asked uint64) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.mu.Lock()
			s.index, s.cursor = nil, ""
			s.mu.Unlock()
			s.e.Log.Error("indexing panicked", "wiki", s.slug, "panic", fmt.Sprint(p))
			err = fmt.Errorf("indexing %s panicked: %v", s.slug, p)
		}
	}()
	return s.round(s.e.ctx, asked)
}

func (s *site) open() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.index != nil || s.running
}

func (s *site) at() wiki.Revision {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cursor
}

// unsaved is for how long the file has been behind.
func (s *site) unsaved() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dirty.IsZero() {
		return 0
	}
	return s.e.Now().Sub(s.dirty)
}

func (s *site) bytes() int64 {
	s.mu.Lock()
	x := s.index
	s.mu.Unlock()
	if x == nil {
		return 0
	}
	return x.Bytes()
}

// putAway saves the index and lets it go. Questions that have it go on with it.
func (s *site) putAway() {
	s.save()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running || !s.dirty.IsZero() && !s.partial {
		return // somebody needs it now
	}
	s.index, s.cursor, s.lasts = nil, "", lasts{}
	s.vectors.close()
}

// end makes the site useless: what still runs for it saves nothing any more.
func (s *site) end() {
	s.mu.Lock()
	s.gone, s.index, s.cursor = true, nil, ""
	s.vectors.close()
	s.mu.Unlock()
	s.saving.Lock() // a save that is under way ends before its folder is removed
	defer s.saving.Unlock()
}

// gone reports that the wiki does not exist any more.
func gone(err error) bool { return errors.Is(err, wiki.ErrNotFound) }
