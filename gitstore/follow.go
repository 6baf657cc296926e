package gitstore

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/history"
	"wikibot/wiki"
)

// What followers of a wiki ask beside Changed and Subscribe. A follower, such as the
// search index, reads as the host: it serves nobody by itself, and whoever asks it
// brings a View of their own.

// Main is the ref of the pages, as Event.Ref names it.
const Main = refMain

// Follow is a View for a follower. It must not be used to answer anybody.
func (s *Store) Follow(ctx context.Context, slug wiki.Slug) (*View, error) {
	return s.View(ctx, wiki.Caller{Via: wiki.ViaCLI, Credential: "follower", Host: true}, slug)
}

// Ahead is how many commits of main's history came after rev, up to this view; -1
// where that is not known at once: the index of history is not at hand, or rev is
// not in it.
func (v *View) Ahead(ctx context.Context, rev wiki.Revision) int {
	if rev == v.Head() {
		return 0
	}
	if !v.repo.historyReady() {
		return -1
	}
	index, err := v.repo.historyAt(ctx, v.state)
	if err != nil {
		return -1
	}
	head, ok := index.Rank(v.commit)
	seen, also := index.Rank(plumbing.NewHash(string(rev)))
	if !ok || !also {
		return -1
	}
	return max(head-seen, 0)
}

// HistoryAtHand reports whether Last answers at once. That of a small wiki does; the
// first who asks after a start may wait for 50 ms, and for a large one it is made in
// the background.
func (v *View) HistoryAtHand(ctx context.Context) bool { return v.repo.historySoon(ctx) }

// FollowCursor is how far a follower has come in the commits of main.
type FollowCursor struct{ at history.Cursor }

// FollowFrom is the cursor of a follower that has seen a revision, in full, and all
// that it reaches; empty: nothing.
func FollowFrom(rev wiki.Revision) FollowCursor {
	return FollowCursor{history.Cursor{Seen: plumbing.NewHash(string(rev))}}
}

// Following are the commits of main behind a cursor, oldest first and with their
// changes, at most limit of them, and the cursor behind those. wiki.ErrNotFound
// where the cursor is not in main's history any more, which was rewritten. Cost: the
// answer; the first call after a start may wait for the index of history.
func (v *View) Following(ctx context.Context, c FollowCursor, limit int) ([]wiki.Commit, FollowCursor, error) {
	index, err := v.repo.historyAt(ctx, v.state)
	if err != nil {
		return nil, c, err
	}
	list, next, err := index.Following(c.at, limit)
	return list, FollowCursor{next}, err
}

// Site is the name under which events tell of admin.git.
const Site = admin
