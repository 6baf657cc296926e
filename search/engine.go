package search

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"wikibot/gitstore"
	"wikibot/search/embed"
	"wikibot/search/internal/words"
	"wikibot/wiki"
)

// Config says what the engine follows and how much it may take.
type Config struct {
	Store *gitstore.Store

	// Dir holds the saved indexes, a folder for each wiki. It may be deleted at any
	// time. Default: "search" in the Store's cache.
	Dir string

	// Memory is how many bytes the indexes of all wikis may take together; those
	// that were not used for the longest time are put away. One that is larger than
	// this by itself stays while it is used. Default: 512 MB.
	Memory int64

	// Language is that of pages which name none in their frontmatter, "en" or
	// another of words.Languages; "none" takes words as they are. Default: "en".
	Language string

	// Workers is how many indexes are built at once. Default: half of the
	// processors, at least one.
	Workers int

	// Embedder is the model behind the arm of vectors; nil: there is none. Texts of
	// all wikis are sent to it.
	Embedder embed.Embedder

	// Log receives what went wrong in the background. Default: slog.Default().
	Log *slog.Logger

	// Now is the clock. Default: time.Now.
	Now func() time.Time
}

// Engine keeps the indexes of a site's wikis. It is safe for concurrent use.
type Engine struct {
	Config
	ctx    context.Context // ends when the engine closes
	stop   context.CancelFunc
	work   sync.WaitGroup
	builds chan struct{} // one place for each index that is being built
	fits   chan struct{} // one place for fitting related terms
	scans  chan struct{} // one place for each search that reads pages one after the other
	asked  asked

	mu     sync.Mutex
	sites  map[wiki.Slug]*site // guarded by mu
	closed bool                // guarded by mu
}

// Open starts to follow the Store. Nothing is indexed before somebody asks.
func Open(c Config) (*Engine, error) {
	if c.Dir == "" {
		c.Dir = filepath.Join(c.Store.CacheDir(), "search")
	}
	if c.Memory <= 0 {
		c.Memory = 512 << 20
	}
	if c.Language == "" {
		c.Language = "en"
	}
	if _, err := words.New(c.Language); err != nil {
		return nil, err
	}
	if c.Workers <= 0 {
		c.Workers = max(1, runtime.NumCPU()/2)
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of saved indexes: %w", err)
	}
	e := &Engine{
		Config: c, sites: map[wiki.Slug]*site{}, fits: make(chan struct{}, 1),
		builds: make(chan struct{}, c.Workers), scans: make(chan struct{}, max(1, runtime.NumCPU()/2)),
	}
	e.ctx, e.stop = context.WithCancel(context.Background())
	events, cancel := c.Store.Subscribe(256)
	e.work.Go(func() {
		defer cancel()
		e.follow(events)
	})
	return e, nil
}

// Close ends what runs in the background and saves what has changed since it was
// saved last. A crash instead costs the time to index that again.
func (e *Engine) Close() error {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.stop()
	e.work.Wait()
	for _, s := range e.all() {
		s.save()
		s.mu.Lock()
		s.vectors.close()
		s.mu.Unlock()
	}
	return nil
}

// background runs f unless the engine is closed; it reports whether it does.
func (e *Engine) background(f func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return false
	}
	e.work.Go(f)
	return true
}

// all are the sites, in no order.
func (e *Engine) all() []*site {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]*site, 0, len(e.sites))
	for _, s := range e.sites {
		out = append(out, s)
	}
	return out
}

// site is the place of a wiki's index, made where there is none.
func (e *Engine) site(slug wiki.Slug) *site {
	e.mu.Lock()
	defer e.mu.Unlock()
	s, ok := e.sites[slug]
	if !ok {
		s = &site{e: e, slug: slug, changed: make(chan struct{})}
		e.sites[slug] = s
	}
	return s
}

// Forget drops all that the engine knows of a wiki, in memory and on disk: its
// history was rewritten, and what was taken out must not be found any more.
func (e *Engine) Forget(slug wiki.Slug) {
	e.mu.Lock()
	s := e.sites[slug]
	delete(e.sites, slug)
	e.mu.Unlock()
	if s != nil {
		s.end()
	}
	if err := os.RemoveAll(e.dir(slug)); err != nil {
		e.Log.Error("the saved index of a wiki whose history was rewritten is still on the disk; remove it", "wiki", slug, "folder", e.dir(slug), "error", err)
	}
}

// dir is the folder of a wiki's saved index.
func (e *Engine) dir(slug wiki.Slug) string { return filepath.Join(e.Dir, string(slug)) }

// How often the engine looks whether an event was lost, a wiki is gone or something
// should be saved, and how long a changed index waits for that.
const (
	tick      = 10 * time.Second
	saveAfter = 5 * time.Minute
)

// follow moves the indexes that are open when their wikis change.
func (e *Engine) follow(events <-chan wiki.Event) {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-e.ctx.Done():
			return
		case ev, ok := <-events:
			if !ok {
				return
			}
			e.mu.Lock()
			s := e.sites[ev.Wiki]
			e.mu.Unlock()
			if s != nil && ev.Ref == gitstore.Main && s.open() {
				s.kick()
			}
		case <-t.C:
			for _, s := range e.all() {
				e.look(s)
			}
			e.trim(nil) // what was busy the last time
		}
	}
}

// look is what a tick does for one wiki.
func (e *Engine) look(s *site) {
	if !s.open() {
		return
	}
	v, err := e.Store.Follow(e.ctx, s.slug)
	switch {
	case gone(err):
		e.Forget(s.slug)
	case err == nil && v.Head() != s.at():
		s.kick()
	case err == nil && s.unsaved() > saveAfter:
		e.background(s.save)
	}
}

// trim puts indexes away until the rest fits into the memory; keep stays.
func (e *Engine) trim(keep *site) {
	all := e.all()
	total := int64(0)
	sizes := make(map[*site]int64, len(all))
	for _, s := range all {
		sizes[s] = s.bytes()
		total += sizes[s]
	}
	for total > e.Memory {
		var oldest *site
		for s, n := range sizes {
			if s != keep && n > 0 && (oldest == nil || s.used.Load() < oldest.used.Load()) {
				oldest = s
			}
		}
		if oldest == nil {
			return
		}
		total -= sizes[oldest]
		delete(sizes, oldest)
		oldest.putAway()
	}
}
