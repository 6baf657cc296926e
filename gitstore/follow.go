package gitstore

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"

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
