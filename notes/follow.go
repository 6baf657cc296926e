package notes

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// Event is one commit of a wiki, as Follow hands it out.
type Event struct {
	Wiki   wiki.Slug
	Commit wiki.Commit // with its Changes; of a Reset the newest commit, its Revision alone

	// Reset: the history is another one, or what the follower had seen is not in
	// it. What was read before means nothing; go on from Commit.
	Reset bool
}

// FollowRequest says what to follow and as whom.
type FollowRequest struct {
	Slug   wiki.Slug
	After  wiki.Revision // the last commit that was seen, in full; empty: from now on
	Prefix string        // only commits that change a page or file whose path begins so

	// Check gives the caller as their credential says now; an error ends the
	// following. Required.
	Check func(ctx context.Context) (wiki.Caller, error)

	// Every is how often the credential and the policy are looked at while
	// nothing happens; 0: 15 s.
	Every time.Duration
}

// followPart is how many commits a follower takes at a time.
const followPart = 64

// Follow calls fn for each commit of a wiki's main after a revision, oldest first
// and once, until ctx, fn's error or a refusal ends it; it returns what ended it.
// Before each call it asks Check who is calling and the Store whether they may still
// read: when a grant, a credential or the wiki is gone nothing more is handed out,
// and the error is the refusal.
//
// To go on later, take the Revision of the last event as After. Commits that a push
// brought stand before their merge; one who goes on at such a commit may get some of
// its neighbours again. An After that is not in the history gives a Reset.
//
// A follower costs one goroutine (its caller's), about 100 bytes and at most 64
// commits; while fn works it falls behind and catches up. An event wakes the
// followers of its own wiki only.
func (s *Service) Follow(ctx context.Context, r FollowRequest, fn func(Event) error) error {
	if r.Check == nil {
		return errors.New("a follower without a check of who it is")
	}
	if r.Every <= 0 {
		r.Every = 15 * time.Second
	}
	f, leave := s.hub.join(s.Store, r.Slug) // before the first look: nothing falls between
	defer leave()
	w := walker{s: s, FollowRequest: r, fn: fn}
	if err := w.begin(ctx); err != nil {
		return err
	}
	t := time.NewTicker(r.Every)
	defer t.Stop()
	for {
		if err := w.catchUp(ctx); err != nil {
			return err
		}
		select {
		case <-f.wake:
		case <-t.C:
		case <-f.over:
			return wiki.Unavailable("the server is shutting down")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// walker is a follower's way along the commits.
type walker struct {
	s *Service
	FollowRequest
	fn   func(Event) error
	head wiki.Revision // up to which everything was handed out
	at   gitstore.FollowCursor
}

// look asks who is calling and whether they may read.
func (w *walker) look(ctx context.Context) (*gitstore.View, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	c, err := w.Check(ctx)
	if err != nil {
		return nil, err
	}
	return w.s.Store.View(ctx, c, w.Slug)
}

func (w *walker) begin(ctx context.Context) error {
	v, err := w.look(ctx)
	if err != nil {
		return err
	}
	if _, err := wiki.ParseRevision(string(w.After)); err != nil {
		return err
	}
	w.head = w.After
	if w.After == "" {
		w.head = v.Head()
	}
	w.at = gitstore.FollowFrom(w.head)
	return nil
}

// catchUp hands out what there is, and looks in any case.
func (w *walker) catchUp(ctx context.Context) error {
	v, err := w.look(ctx)
	if err != nil || v.Head() == w.head {
		return err
	}
	for {
		list, next, err := v.Following(ctx, w.at, followPart)
		if errors.Is(err, wiki.ErrNotFound) {
			return w.reset(ctx)
		}
		if err != nil {
			return err
		}
		for _, c := range list {
			if err := w.hand(ctx, c); err != nil {
				return err
			}
		}
		if w.at = next; len(list) < followPart {
			if n := len(list); n > 0 {
				w.head = list[n-1].Revision
			}
			return nil
		}
	}
}

// hand gives a commit to the follower if it is still theirs to see.
func (w *walker) hand(ctx context.Context, c wiki.Commit) error {
	if !touches(c, w.Prefix) {
		return nil
	}
	v, err := w.look(ctx)
	if err != nil {
		return err
	}
	if _, err := v.At(ctx, c.Revision); err != nil {
		return nil // taken out of the history meanwhile; the next look resets
	}
	return w.fn(Event{Wiki: w.Slug, Commit: c})
}

func (w *walker) reset(ctx context.Context) error {
	v, err := w.look(ctx)
	if err != nil {
		return err
	}
	w.head, w.at = v.Head(), gitstore.FollowFrom(v.Head())
	return w.fn(Event{Wiki: w.Slug, Commit: wiki.Commit{Revision: w.head}, Reset: true})
}

// touches reports whether a commit changed something under a prefix.
func touches(c wiki.Commit, prefix string) bool {
	return prefix == "" || slices.ContainsFunc(c.Changes, func(f wiki.FileChange) bool {
		return strings.HasPrefix(pathOf(f.File), prefix) || f.From != "" && strings.HasPrefix(pathOf(f.From), prefix)
	})
}

// pathOf is a file of the tree as people name it.
func pathOf(file string) string {
	if p, ok := wiki.PageOfFile(file); ok {
		return string(p)
	}
	if f, ok := wiki.PathOfFile(file); ok {
		return string(f)
	}
	return file
}
