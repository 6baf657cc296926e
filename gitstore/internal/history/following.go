package history

import (
	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/wiki"
)

// Cursor is how far somebody who follows the history has come. Its zero value is
// the beginning. Seen alone, as a follower keeps it over a restart, says that Seen
// and everything that it reaches was handed out.
type Cursor struct {
	Seen plumbing.Hash

	last plumbing.Hash // handed out last, where that is on a branch beside Seen
	turn uint64        // the index's counter then: last means nothing under another
}

// Following are the next commits behind a cursor, oldest first and with their
// changes, at most limit of them: those that the head reaches and Seen does not, as
// `git rev-list Seen..head` lists them. next is the cursor behind them; it has come
// to the head where fewer than limit were given. A Seen that is not in the history
// is an ErrNotFound: the history was rewritten.
//
// What a push brings stands before its merge, and a clone that pulled and pushed
// changes the order of what came before: a follower that begins again at a commit
// of such a branch may be given commits a second time, and misses none.
//
// Cost: the answer, and where Seen is not on the spine the branch that it is on.
func (x *Index) Following(c Cursor, limit int) (commits []wiki.Commit, next Cursor, err error) {
	oids, next, err := x.following(c, limit)
	if err != nil || len(oids) == 0 {
		return nil, next, err
	}
	commits, err = x.materialize(oids)
	return commits, next, err
}

func (x *Index) following(c Cursor, limit int) (oids []plumbing.Hash, next Cursor, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	low, from, seen := int32(-1), int32(-1), map[int32]bool(nil)
	if !c.Seen.IsZero() {
		n, ok := x.number(c.Seen)
		if !ok {
			return nil, c, wiki.NotFound("the revision %s is not in this wiki's history", revision(c.Seen).Short())
		}
		from = n
		low, seen = x.spineBelow(n)
	}
	if !c.last.IsZero() && c.turn == x.changed {
		if n, ok := x.number(c.last); ok {
			low = max(low, n)
		}
	}
	next = c
	for n := low + 1; n < int32(len(x.commits)) && len(oids) < limit; n++ {
		if seen[n] {
			continue
		}
		oid := x.commits[n].oid
		oids = append(oids, oid)
		next = Cursor{Seen: c.Seen, last: oid, turn: x.changed}
		if x.commits[n].chain == 0 && n > from { // it reaches all that was handed out
			next = Cursor{Seen: oid}
		}
	}
	return oids, next, nil
}

// spineBelow is the newest commit of the spine that n is or reaches, -1 for none,
// and what n reaches beside it. A commit of the spine reaches all before it.
func (x *Index) spineBelow(n int32) (spine int32, beside map[int32]bool) {
	var q queue
	for q.push(n); ; {
		n, ok := q.pop()
		switch {
		case !ok:
			return -1, beside
		case x.commits[n].chain == 0:
			return n, beside
		}
		if beside == nil {
			beside = map[int32]bool{}
		}
		beside[n] = true
		for _, p := range x.parents(n) {
			q.push(p)
		}
	}
}
