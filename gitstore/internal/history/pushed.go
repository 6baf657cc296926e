package history

import (
	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/wiki"
)

// SetPushed says who brought in, by a push that moved the branch from old to
// new (zero: from nothing), the commits that it brought: those that new reaches
// and old does not, but for the server's own and those of an earlier push. Call
// it for the audit's entries in their order, after Advance or Build. It gives
// the number of commits it marked: none where new is not in the history (a push
// that was overwritten since), or where old is not and its objects are gone.
//
// Cost: the commits of the push, and as many again of the others' when the push
// is a merge.
func (x *Index) SetPushed(old, new plumbing.Hash, actor wiki.Username, via wiki.Via) int {
	x.writing.Lock()
	defer x.writing.Unlock()
	n, ok := x.number(new) // no other writer, so no other lock
	if !ok {
		return 0
	}
	olds, ok := x.nearest(old)
	if !ok {
		return 0
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	a, v := x.words.id(string(actor)), x.words.id(string(via))
	marked := 0
	for _, i := range x.difference(olds, n) {
		if r := &x.commits[i]; r.flags&(flagServer|flagPushed|flagClaimed) == 0 {
			r.actor, r.via = a, v
			r.flags |= flagPushed
			marked++
		}
	}
	return marked
}

// SetClaimed says that a commit and all before it were imported: what they say
// of themselves is shown as claimed, trailers of a server included, and no push
// brought them. Call it before SetPushed. It gives the number of commits. Cost:
// those commits.
func (x *Index) SetClaimed(head plumbing.Hash) int {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	n, ok := x.number(head)
	if !ok {
		return 0
	}
	all := x.difference(nil, n)
	for _, i := range all {
		x.forgetKey(i)
		r := &x.commits[i]
		r.flags = flagClaimed
		r.actor, r.via, r.agent = 0, 0, 0
	}
	return len(all)
}

// maxForced bounds how far behind a head that a forced push replaced its last
// commit in the history is looked for.
const maxForced = 10_000

// nearest are the commits of the history that old reaches first: itself, or,
// where it was pushed away, those found through the Source.
func (x *Index) nearest(old plumbing.Hash) (out []int32, ok bool) {
	if old.IsZero() {
		return nil, true
	}
	seen := map[plumbing.Hash]bool{}
	for pending := []plumbing.Hash{old}; len(pending) > 0; {
		oid := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if n, ok := x.number(oid); ok {
			out = append(out, n)
			continue
		}
		if seen[oid] {
			continue
		}
		seen[oid] = true
		c, err := x.object(oid)
		if err != nil || len(seen) > maxForced {
			return nil, false
		}
		pending = append(pending, c.Parents...)
	}
	return out, true
}

// difference are the commits that n reaches and the old ones do not, newest
// first. Going from the greatest number down meets every commit after all its
// descendants, so what it is then known to be is final.
func (x *Index) difference(olds []int32, n int32) []int32 {
	var q queue
	q.push(n)
	reached := map[int32]bool{} // by an old one
	for _, o := range olds {
		q.push(o)
		reached[o] = true
	}
	wanted := 0 // in the queue and not reached
	if !reached[n] {
		wanted = 1
	}
	var out []int32
	for wanted > 0 {
		i, _ := q.pop()
		if !reached[i] {
			wanted--
			out = append(out, i)
		}
		for _, p := range x.parents(i) {
			switch {
			case !q.seen[p]:
				if reached[i] {
					reached[p] = true
				} else {
					wanted++
				}
				q.push(p)
			case reached[i] && !reached[p]:
				reached[p] = true
				wanted--
			}
		}
	}
	return out
}
