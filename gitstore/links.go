package gitstore

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"wikibot/markdown"
	"wikibot/wiki"
)

// links is a repository's index of what links where, kept in memory. It follows
// main with a cursor (the tree that it has seen): one worker at a time reads what
// has changed since, without a lock, and then puts it into the index under one. The
// first reading of a wiki takes about 40 µs a page and goes on in the background
// when those who asked have gone.
type links struct {
	mu  sync.RWMutex
	now *linkIndex // guarded by mu, as is what it holds; nil: not built

	work sync.Mutex
	turn *linkTurn // the worker's present turn; guarded by work; nil: none

	read, total atomic.Int64 // pages of the present turn
}

// linkTurn is one run of the worker. err is set before done is closed.
type linkTurn struct {
	done chan struct{}
	err  error
}

// followLinks waits until the index stands at a state that is at least as new as st
// or as the newest when it was called. If ctx ends before that, the reading goes on.
// The cost is that of reading the pages that changed.
func (r *repo) followLinks(ctx context.Context, st *state) error {
	for range 2 { // a turn that was under way may have begun before st was made
		if r.linksAt(st) {
			return nil
		}
		t := r.linkTurn()
		select {
		case <-t.done:
			if t.err != nil {
				return t.err
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-r.store.ctx.Done():
			return wiki.Unavailable("the server is shutting down")
		}
	}
	return nil
}

func (r *repo) linksAt(st *state) bool {
	l := &r.links
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.now != nil && same(l.now.seen, st.main().root) && l.now.style == st.config.settings.LinkStyle
}

// linkTurn joins the worker's turn or begins one.
func (r *repo) linkTurn() *linkTurn {
	l := &r.links
	l.work.Lock()
	defer l.work.Unlock()
	if l.turn != nil {
		return l.turn
	}
	t := &linkTurn{done: make(chan struct{}), err: wiki.Unavailable("the server is shutting down")}
	if r.store.ctx.Err() != nil {
		close(t.done)
		return t
	}
	l.turn = t
	r.store.background(func(ctx context.Context) {
		t.err = fmt.Errorf("reading the links of %s failed", r.name)
		defer func() { // after a panic too
			l.work.Lock()
			l.turn = nil
			l.work.Unlock()
			close(t.done)
		}()
		t.err = r.moveLinks(ctx, r.state.Load())
	})
	return t
}

// moveLinks takes the index to a state; only the worker calls it.
func (r *repo) moveLinks(ctx context.Context, st *state) error {
	l := &r.links
	root, style := st.main().root, st.config.settings.LinkStyle
	l.mu.RLock()
	now := l.now
	l.mu.RUnlock()
	if now != nil && now.style == style { // only the worker changes what it reads here
		changes, err := diff(now.seen, root)
		if err == nil {
			texts, err := r.readLinks(ctx, changes, style)
			if err != nil {
				return err
			}
			l.mu.Lock()
			defer l.mu.Unlock()
			now.names.apply(changes)
			now.move(root, changes, texts)
			return nil
		}
		if !errors.Is(err, errManyChanges) {
			return fmt.Errorf("following the links of %s: %w", r.name, err)
		}
	}
	fresh, err := newLinkIndex(style, root)
	if err != nil {
		return err
	}
	changes, err := diff(fresh.seen, root)
	if err != nil {
		return fmt.Errorf("reading the links of %s: %w", r.name, err)
	}
	texts, err := r.readLinks(ctx, changes, style)
	if err != nil {
		return err
	}
	fresh.move(root, changes, texts)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.now = fresh
	return nil
}

// readLinks reads the links of the pages that changes leave, by their order.
func (r *repo) readLinks(ctx context.Context, changes []change, style markdown.Style) ([][]markdown.Link, error) {
	l := &r.links
	l.read.Store(0)
	l.total.Store(int64(len(changes)))
	out := make([][]markdown.Link, len(changes))
	for i, c := range changes {
		l.read.Store(int64(i))
		if ctx.Err() != nil {
			return nil, wiki.Unavailable("the server is shutting down")
		}
		if _, ok := wiki.PageOfFile(c.path); !ok || c.new == nil {
			continue
		}
		text, err := r.blob(c.new.oid)
		if err != nil {
			return nil, err
		}
		out[i] = withinWiki(markdown.Links(text, style))
		if i%16 == 0 {
			runtime.Gosched() // whoever waits for a page goes first
		}
	}
	return out, nil
}

// withinWiki leaves out the links that no change of the wiki can make lead to a
// page or a file of it.
func withinWiki(all []markdown.Link) []markdown.Link {
	kept := slices.DeleteFunc(all, func(l markdown.Link) bool { return markdown.Resolve(nil, "", l).External })
	if len(kept) == 0 {
		return nil
	}
	return slices.Clone(kept)
}

// dropLinks forgets the index; it is built again when somebody asks.
func (r *repo) dropLinks() {
	r.links.mu.Lock()
	defer r.links.mu.Unlock()
	r.links.now = nil
}

// LinksProgress tells how far the index of links is: of total files that changed,
// read have been read. ready is true once every question about links is answered
// from memory; until then a question waits, or its context ends and the reading
// goes on. It costs nothing and starts nothing.
func (v *View) LinksProgress() (read, total int, ready bool) {
	if v.repo.linksAt(v.state) {
		return 0, 0, true
	}
	l := &v.repo.links
	return int(l.read.Load()), int(l.total.Load()), false
}

// AwaitLinks waits until questions about links are answered from memory. Where ctx
// ends before that, its error is ctx's and the reading goes on.
func (v *View) AwaitLinks(ctx context.Context) error { return v.repo.followLinks(ctx, v.state) }

// errLinksUnread ends a change that needs the index of links before it is there:
// Update has it read outside of the writer, so that nobody else waits, and runs the
// change again.
var errLinksUnread = errors.New("the links of the wiki have not been read yet")

// farBehind is how many changed files a rename reads by itself, in the writer.
const farBehind = 500

// linkSources are the pages of this change's tree that may link to something
// with one of these folded last components.
func (tx *Tx) linkSources(names map[string]bool) ([]wiki.PagePath, error) {
	l := &tx.repo.links
	set := map[wiki.PagePath]bool{}
	l.mu.RLock()
	now, seen := l.now, (*folder)(nil)
	if now != nil && now.style == tx.batch.config.settings.LinkStyle {
		seen = now.seen
		for n := range names {
			for p := range now.naming[n] {
				set[p] = true
			}
		}
	}
	l.mu.RUnlock()
	if seen == nil {
		return nil, errLinksUnread
	}
	changes, err := diff(seen, tx.root)
	if err != nil {
		return nil, err
	}
	if len(changes) > farBehind && !tx.linksRead {
		return nil, errLinksUnread
	}
	for _, c := range changes {
		if p, ok := wiki.PageOfFile(c.path); ok && c.new != nil {
			set[p] = true
		}
	}
	out := make([]wiki.PagePath, 0, len(set))
	for p := range set {
		out = append(out, p)
	}
	slices.Sort(out)
	return out, nil
}
