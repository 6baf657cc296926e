package notes

import (
	"path"
	"strings"
	"sync"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// hub hands the Store's events on to followers: one subscription for all of them,
// and an event wakes those alone whom it concerns. It is there while somebody
// follows. A lost wake-up delays a follower until it next looks by itself.
type hub struct {
	mu        sync.Mutex
	followers map[wiki.Slug]map[*follower]bool // guarded by mu, as all below
	count     int
	cancel    func() // ends the subscription; nil: there is none
	turn      int    // which subscription it is
	ended     bool   // the Store has closed
}

// follower is one Follow that is going on.
type follower struct {
	slug wiki.Slug
	wake chan struct{} // holds at most one wake-up
	over chan struct{} // closed when the Store closes
}

// eventBuffer is how many events may wait for the hub.
const eventBuffer = 1024

// join adds a follower; its leave function must be called.
func (h *hub) join(s *gitstore.Store, slug wiki.Slug) (f *follower, leave func()) {
	f = &follower{slug: slug, wake: make(chan struct{}, 1), over: make(chan struct{})}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		close(f.over)
		return f, func() {}
	}
	if h.cancel == nil {
		events, cancel := s.Subscribe(eventBuffer)
		h.cancel = cancel
		h.turn++
		go h.run(events, h.turn)
	}
	if h.followers == nil {
		h.followers = map[wiki.Slug]map[*follower]bool{}
	}
	if h.followers[slug] == nil {
		h.followers[slug] = map[*follower]bool{}
	}
	h.followers[slug][f] = true
	h.count++
	return f, func() { h.leave(f) }
}

func (h *hub) leave(f *follower) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.followers[f.slug][f] {
		return
	}
	delete(h.followers[f.slug], f)
	if len(h.followers[f.slug]) == 0 {
		delete(h.followers, f.slug)
	}
	if h.count--; h.count == 0 && h.cancel != nil {
		h.cancel()
		h.cancel = nil
	}
}

// run passes events on until its subscription ends.
func (h *hub) run(events <-chan wiki.Event, turn int) {
	for ev := range events {
		for _, slug := range concerned(ev) {
			h.wake(slug)
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.turn != turn || h.cancel == nil {
		return // the last follower has left; others may have come since
	}
	h.ended = true
	for _, all := range h.followers {
		for f := range all {
			close(f.over)
		}
	}
	h.followers, h.count = nil, 0
}

func (h *hub) wake(slug wiki.Slug) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for f := range h.followers[slug] {
		select {
		case f.wake <- struct{}{}:
		default: // it has one already
		}
	}
}

// concerned are the wikis whose followers have to look after an event: the wiki
// itself, since pages, grants and tokens are its own refs; and of a change of the
// site's records, which may end a wiki or a payment, the wikis that it names.
func concerned(ev wiki.Event) []wiki.Slug {
	if ev.Wiki != gitstore.Site {
		return []wiki.Slug{ev.Wiki}
	}
	var out []wiki.Slug
	for _, f := range ev.Files {
		if name, ok := strings.CutSuffix(f.File, ".toml"); ok && strings.HasPrefix(name, "wikis/") {
			out = append(out, wiki.Slug(path.Base(name)))
		}
	}
	return out
}
