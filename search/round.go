package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"wikibot/gitstore"
	"wikibot/search/internal/index"
	"wikibot/wiki"
)

// part is how many chunks are put into an index at once, while its readers wait: about
// 5 ms.
const part = 400

// many is from how many changed pages on a round takes one of the few places for long
// work, so that it does not hold up the short ones of other wikis.
const many = 200

// maxIndexed bounds how much of one page is indexed, in bytes.
const maxIndexed = 4 << 20

// round takes the index to the wiki's head: from the saved file or from nothing, if it
// is not open, and then by the difference of trees. asked is how many rounds had been
// asked for when it began. The cost grows with what differs.
func (s *site) round(ctx context.Context, asked uint64) error {
	v, err := s.e.Store.Follow(ctx, s.slug)
	if err != nil {
		return err
	}
	s.mu.Lock()
	x, cursor, anew := s.index, s.cursor, s.anew
	fresh := x == nil || anew
	if s.anew, s.making = false, anew; fresh {
		s.partial = false
	}
	s.mu.Unlock()
	switch {
	case anew:
		x, cursor = nil, ""
		s.done.Store(0)
		s.total.Store(0)
	case fresh:
		x, cursor = s.load(v)
	}
	changes, err := v.Changed(cursor)
	if errors.Is(err, wiki.ErrNotFound) { // another history: begin anew
		x, cursor, fresh = nil, "", true
		changes, err = v.Changed("")
	}
	if err != nil {
		return fmt.Errorf("comparing %s with what is indexed: %w", s.slug, err)
	}
	if x == nil {
		x = index.New(s.e.Language)
	}
	changes = slices.DeleteFunc(changes, func(c wiki.FileChange) bool { return c.Page == "" })
	if err := s.takeAll(ctx, v, x, changes); err != nil {
		if fresh {
			return err
		}
		s.mu.Lock() // it is between two commits: make it anew rather than guess
		s.index, s.cursor = nil, ""
		s.mu.Unlock()
		return err
	}
	s.mu.Lock()
	if s.gone {
		s.mu.Unlock()
		return wiki.NotFound("the wiki is gone")
	}
	s.index, s.cursor, s.moves = x, v.Head(), s.moves+1
	if s.asked == asked { // nobody asked again meanwhile
		s.behind = time.Time{}
	} else {
		s.behind = s.e.Now()
	}
	if (anew || s.saved != v.Head()) && s.dirty.IsZero() {
		s.dirty = s.e.Now()
	}
	s.mu.Unlock()
	if fresh && len(changes) > 0 {
		s.e.background(s.save)
	}
	s.fit(x)
	s.embed(x)
	if fresh {
		s.e.trim(s)
	}
	if err := x.Compact(); err != nil { // it works on as it is
		s.e.Log.Error("words that are gone still take memory", "wiki", s.slug, "error", err)
	}
	return nil
}

// takeAll puts the changes of a view into an index; many of them on a thread that gives
// way to those that answer requests.
func (s *site) takeAll(ctx context.Context, v *gitstore.View, x *index.Index, changes []wiki.FileChange) error {
	if len(changes) == 0 {
		return nil // and leave what the last round that did something has told
	}
	s.done.Store(0)
	s.total.Store(int64(len(changes)))
	if len(changes) <= many {
		return s.take(ctx, v, x, changes)
	}
	select {
	case s.e.builds <- struct{}{}:
		defer func() { <-s.e.builds }()
	case <-ctx.Done():
		return ctx.Err()
	}
	return giveWay(func() error { return s.take(ctx, v, x, changes) })
}

func (s *site) take(ctx context.Context, v *gitstore.View, x *index.Index, changes []wiki.FileChange) error {
	var gone []wiki.PagePath
	for _, c := range changes { // first, or a page that changed the case of its name would go
		if c.New == "" {
			gone = append(gone, c.Page)
		}
	}
	var put []*index.Prepared
	chunks := 0
	for _, c := range changes {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.done.Add(1)
		if c.New == "" {
			continue
		}
		ready, err := s.prepare(v, x, c.Page)
		if err != nil { // the others can be found all the same
			s.e.Log.Error("a page cannot be indexed; a search does not find it", "wiki", s.slug, "page", c.Page, "error", err)
			gone = append(gone, c.Page)
			s.skip()
			continue
		}
		put = append(put, ready)
		if chunks += ready.Len(); chunks >= part {
			x.Apply(gone, put)
			gone, put, chunks = nil, nil, 0
		}
	}
	if len(gone)+len(put) > 0 {
		x.Apply(gone, put)
	}
	return nil
}

// prepare reads and analyses one page. A panic, which a page could provoke in a library,
// is an error of that page.
func (s *site) prepare(v *gitstore.View, x *index.Index, path wiki.PagePath) (p *index.Prepared, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	page, err := v.ReadPage(path)
	if err != nil {
		return nil, err
	}
	s.read.Add(1)
	return x.Prepare(index.Source{Path: page.Path, Blob: page.Blob, Content: indexed(page.Content)}), nil
}

// skip notes that a page was left out, so that the index is not saved and the next start
// tries again.
func (s *site) skip() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.partial = true
}

// fit has the related terms fitted in the background, where it is time for that.
func (s *site) fit(x *index.Index) {
	if !x.NeedsRelated() {
		return
	}
	s.mu.Lock()
	busy := s.fitting || s.gone
	s.fitting = true
	s.mu.Unlock()
	if busy {
		return
	}
	started := s.e.background(func() {
		defer func() {
			s.mu.Lock()
			now := s.index
			s.fitting = false
			s.mu.Unlock()
			if now != nil && now != x { // it was made anew meanwhile
				s.fit(now)
			}
		}()
		select {
		case s.e.fits <- struct{}{}:
			defer func() { <-s.e.fits }()
		case <-s.e.ctx.Done():
			return
		}
		if err := giveWay(func() error { return s.fitNow(x) }); err != nil && s.e.ctx.Err() == nil {
			s.e.Log.Error("related terms cannot be fitted", "wiki", s.slug, "error", err)
		}
	})
	if !started {
		s.mu.Lock()
		s.fitting = false
		s.mu.Unlock()
	}
}

func (s *site) fitNow(x *index.Index) error {
	sample := x.Sample()
	m, err := index.Fit(s.e.ctx, sample)
	if err != nil {
		return err
	}
	x.Adopt(sample, m)
	s.mu.Lock()
	s.saved, s.moves = "", s.moves+1
	if s.dirty.IsZero() {
		s.dirty = s.e.Now()
	}
	s.mu.Unlock()
	s.e.trim(s)
	return nil
}
