package search

import (
	"context"
	"errors"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// Status tells what the index of a wiki is doing. It starts nothing.
func (e *Engine) Status(ctx context.Context, v *gitstore.View) Status {
	e.mu.Lock()
	s := e.sites[v.Slug()]
	e.mu.Unlock()
	out := Status{State: Idle}
	if e.Embedder != nil {
		out.Model = e.Embedder.ID()
	}
	if s == nil {
		return out
	}
	s.mu.Lock()
	x, err, embedErr, running, anew, making := s.index, s.err, s.embedErr, s.running, s.anew, s.making
	out.Commit = s.cursor
	s.mu.Unlock()
	if x != nil {
		out.State, out.Bytes, out.Related = Complete, x.Bytes(), x.HasRelated()
		out.Pages, out.Chunks = x.Counts()
		out.Embedded = x.Embedded()
		out.Serving, _ = x.Serving()
		out.Lag = s.lag(ctx, v, out.Commit)
	}
	switch {
	case running && anew: // and has not begun to count
		out.State = Building
	case running && (x == nil || making || s.total.Load() > many && s.done.Load() < s.total.Load()):
		out.State, out.Done, out.Total = Building, int(s.done.Load()), int(s.total.Load())
	case err != nil:
		out.State, out.Error = Failed, "the index cannot be made; the server's log says why"
	case embedErr != nil:
		out.Error = "the embedding model does not answer; words and related terms do meanwhile"
	}
	return out
}

// Reindex makes a wiki's index anew from its pages, in the background; vectors of texts
// that did not change are kept. Only owners may ask for it, since it costs as much as
// reading the whole wiki. wiki.ErrConflict where it is being built already.
func (e *Engine) Reindex(ctx context.Context, v *gitstore.View) error {
	if !v.Standing().Manage && !v.Caller().Host {
		return wiki.Forbidden("only owners of the wiki may have its index made anew")
	}
	s := e.site(v.Slug())
	s.mu.Lock()
	if s.running && (s.index == nil || s.anew || s.making) {
		s.mu.Unlock()
		return &wiki.Error{Kind: wiki.ErrConflict, Text: "the index is being made already"}
	}
	s.anew = true
	s.mu.Unlock()
	s.kick()
	return nil
}

// ReindexNow is Reindex that waits, and tells progress, which may be nil, how far it
// is.
func (e *Engine) ReindexNow(ctx context.Context, v *gitstore.View, progress func(done, total int)) (Status, error) {
	if err := e.Reindex(ctx, v); err != nil && !errors.Is(err, wiki.ErrConflict) {
		return Status{}, err
	}
	if progress == nil {
		progress = func(int, int) {}
	}
	s := e.site(v.Slug())
	round := s.kick()
	for {
		s.mu.Lock()
		err, over, changed := s.err, s.ended >= round, s.changed
		s.mu.Unlock()
		if over {
			progress(int(s.done.Load()), int(s.total.Load()))
			return e.Status(ctx, v), err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return Status{}, ctx.Err()
		case <-time.After(100 * time.Millisecond):
			progress(int(s.done.Load()), int(s.total.Load()))
		}
	}
}
