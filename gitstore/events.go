package gitstore

import (
	"sync"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/wiki"
)

// events hands out news of moved refs. An event is a hint, not a queue: a slow
// subscriber loses events and works off the difference from its own cursor.
type events struct {
	mu     sync.Mutex
	next   int // guarded by mu, as all below
	subs   map[int]chan wiki.Event
	closed bool
}

// Subscribe returns a channel of events. Events that do not fit into its buffer
// are dropped; cancel ends the subscription and closes the channel. Whoever
// passes events on to people checks their standing for each one.
func (s *Store) Subscribe(buffer int) (<-chan wiki.Event, func()) {
	e := &s.events
	e.mu.Lock()
	defer e.mu.Unlock()
	ch := make(chan wiki.Event, max(buffer, 1))
	if e.closed {
		close(ch)
		return ch, func() {}
	}
	if e.subs == nil {
		e.subs = map[int]chan wiki.Event{}
	}
	id := e.next
	e.next++
	e.subs[id] = ch
	return ch, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if c, ok := e.subs[id]; ok {
			delete(e.subs, id)
			close(c)
		}
	}
}

func (e *events) send(ev wiki.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, ch := range e.subs {
		select {
		case ch <- ev:
		default:
		}
	}
}

func (e *events) wanted() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.subs) > 0
}

func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	for id, ch := range e.subs {
		delete(e.subs, id)
		close(ch)
	}
}

// maxEventFiles is the most changed files that an event lists.
const maxEventFiles = 1000

// announce tells subscribers which refs differ between two states.
func (r *repo) announce(old, new *state, c wiki.Caller) {
	for _, ref := range watched {
		a, b := old.heads[ref], new.heads[ref]
		if a.commit != b.commit {
			r.announceRef(ref, a, b, c)
		}
	}
}

func (r *repo) announceRef(ref string, a, b tip, c wiki.Caller) {
	if !r.store.events.wanted() {
		return
	}
	ev := wiki.Event{Wiki: r.name, Ref: ref, Old: revision(a.commit), New: revision(b.commit), Actor: c.User, Via: c.Via}
	if ref == refMain {
		if changes, err := diff(a.root, b.root); err == nil && len(changes) <= maxEventFiles {
			ev.Files = fileChanges(changes)
		}
	}
	r.store.events.send(ev)
}

func fileChanges(changes []change) []wiki.FileChange {
	out := make([]wiki.FileChange, 0, len(changes))
	for _, c := range changes {
		f := wiki.FileChange{Kind: wiki.Modified, File: c.path}
		f.Page, _ = wiki.PageOfFile(c.path)
		if c.old == nil {
			f.Kind = wiki.Added
		} else {
			f.Old = c.old.oid.String()
		}
		if c.new == nil {
			f.Kind = wiki.Deleted
		} else {
			f.New = c.new.oid.String()
		}
		out = append(out, f)
	}
	return out
}

// Changed lists what lies between two commits of a wiki's main, for a follower
// that works off the difference from its cursor; since may be empty for
// everything there is.
func (v *View) Changed(since wiki.Revision) ([]wiki.FileChange, error) {
	from := emptyFolder()
	if since != "" {
		oid := plumbing.NewHash(string(since))
		root, err := v.repo.rootOf(oid)
		if err != nil {
			return nil, wiki.NotFound("there is no revision %s in this wiki", since.Short())
		}
		from = root
	}
	changes, err := diff(from, v.root)
	if err != nil {
		return nil, err
	}
	return fileChanges(changes), nil
}
