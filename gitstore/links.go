package gitstore

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"wikibot/markdown"
	"wikibot/wiki"
)

// links is the index of what links where. It holds each page's links as they
// are written and, for each folded last component that a link names, the pages
// that name it; what a link leads to is decided when it is asked, since that
// changes whenever a page comes or goes. It follows main with a cursor (the tree
// it has seen) and costs about 150 bytes a link.
type links struct {
	mu     sync.RWMutex
	seen   *folder                           // guarded by mu, as all below; nil: not built
	style  markdown.Style                    // the order in which the links were read
	pages  map[wiki.PagePath][]markdown.Link // what each page links to
	naming map[string]map[wiki.PagePath]bool // folded last component → pages with such a link
}

// followLinks brings the index to a state; the cost is that of reading the
// pages that changed. The first building reads all of them and goes on in the
// background when ctx ends before it does.
func (r *repo) followLinks(ctx context.Context, st *state) error {
	l := &r.links
	style := st.config.settings.LinkStyle
	l.mu.RLock()
	built, current := l.seen != nil, same(l.seen, st.main().root) && l.style == style
	l.mu.RUnlock()
	switch {
	case current:
		return nil
	case built:
		return r.advanceLinks(st)
	}
	done := make(chan error, 1)
	r.store.background(func(context.Context) {
		err := fmt.Errorf("reading the links of %s failed", r.name)
		defer func() { done <- err }() // after a panic too
		err = r.advanceLinks(st)
	})
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-r.store.ctx.Done():
		return wiki.Unavailable("the server is shutting down")
	}
}

func (r *repo) advanceLinks(st *state) error {
	l := &r.links
	root, style := st.main().root, st.config.settings.LinkStyle
	l.mu.Lock()
	defer l.mu.Unlock()
	if same(l.seen, root) && l.style == style {
		return nil
	}
	if l.seen == nil || l.style != style {
		l.seen, l.style = emptyFolder(), style
		l.pages, l.naming = map[wiki.PagePath][]markdown.Link{}, map[string]map[wiki.PagePath]bool{}
	}
	changes, err := diff(l.seen, root)
	if err != nil {
		return fmt.Errorf("following links of %s: %w", r.name, err)
	}
	for _, c := range changes {
		p, ok := wiki.PageOfFile(c.path)
		if !ok {
			continue
		}
		l.forget(p)
		if c.new == nil {
			continue
		}
		text, err := r.blob(c.new.oid)
		if err != nil {
			l.seen = nil // half done: begin again
			return err
		}
		l.learn(p, markdown.Links(text, style))
	}
	l.seen = root
	return nil
}

func (l *links) forget(p wiki.PagePath) {
	for _, x := range l.pages[p] {
		for _, k := range markdown.TargetKeys(p, x) {
			if delete(l.naming[k], p); len(l.naming[k]) == 0 {
				delete(l.naming, k)
			}
		}
	}
	delete(l.pages, p)
}

func (l *links) learn(p wiki.PagePath, found []markdown.Link) {
	if len(found) == 0 {
		return
	}
	l.pages[p] = slices.Clip(found)
	for _, x := range found {
		for _, k := range markdown.TargetKeys(p, x) {
			if l.naming[k] == nil {
				l.naming[k] = map[wiki.PagePath]bool{}
			}
			l.naming[k][p] = true
		}
	}
}

// linkSources are the pages of this change's tree that may link to something
// with one of these folded last components.
func (tx *Tx) linkSources(names map[string]bool) ([]wiki.PagePath, error) {
	r := tx.repo
	st := r.state.Load()
	if err := r.followLinks(r.store.ctx, st); err != nil {
		return nil, err
	}
	set := map[wiki.PagePath]bool{}
	r.links.mu.RLock()
	seen := r.links.seen
	for n := range names {
		for p := range r.links.naming[n] {
			set[p] = true
		}
	}
	r.links.mu.RUnlock()
	changes, err := diff(seen, tx.root)
	if err != nil {
		return nil, err
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

// Links are the links of a page, to others in the order of its text and from
// others by their names; of several links between two pages the first counts.
// The first call for a wiki reads all its pages (about 50 µs each); if ctx ends
// before that is done, its error is ctx's and the reading goes on. Later calls
// cost what has changed since, and the number of pages that name p.
func (v *View) Links(ctx context.Context, p wiki.PagePath) (to, from []PageLink, err error) {
	if err := v.repo.followLinks(ctx, v.state); err != nil {
		return nil, nil, err
	}
	at, ok := v.Page(string(p))
	if !ok {
		at = p
	}
	l := &v.repo.links
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, x := range firstOf(l.pages[at], func(x markdown.Link) (string, bool) {
		t := markdown.Resolve(v, at, x)
		return string(t.Page), t.Page != "" && t.Page != at
	}) {
		t := markdown.Resolve(v, at, x)
		to = append(to, PageLink{Page: t.Page, Exists: t.Exists, Line: x.Line, Section: x.Section, Text: x.Text})
	}
	for _, source := range slices.Sorted(pageKeys(l.naming[lastOf(at.Fold())])) {
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if source == at {
			continue
		}
		for _, x := range l.pages[source] {
			if t := markdown.Resolve(v, source, x); t.Page == at {
				from = append(from, PageLink{Page: source, Exists: true, Line: x.Line, Section: x.Section, Text: x.Text})
				break
			}
		}
	}
	return to, from, nil
}

func firstOf(all []markdown.Link, key func(markdown.Link) (string, bool)) (out []markdown.Link) {
	seen := map[string]bool{}
	for _, l := range all {
		if k, ok := key(l); ok && !seen[k] {
			seen[k] = true
			out = append(out, l)
		}
	}
	return out
}

func pageKeys(m map[wiki.PagePath]bool) func(func(wiki.PagePath) bool) {
	return func(yield func(wiki.PagePath) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
