package gitstore

import (
	"container/heap"
	"fmt"
	"math"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/objects"
)

// commitSource reads commits that may be in a repository, a quarantine or a
// batch.
type commitSource interface {
	Get(oid plumbing.Hash) (plumbing.ObjectType, []byte, error)
}

func readCommit(src commitSource, oid plumbing.Hash) (objects.Commit, error) {
	typ, data, err := src.Get(oid)
	if err != nil {
		return objects.Commit{}, err
	}
	if typ != plumbing.CommitObject {
		return objects.Commit{}, fmt.Errorf("object %s is a %s, not a commit", oid, typ)
	}
	return objects.ParseCommit(data)
}

// Marks of the walk that looks for common ancestors.
const (
	fromA = 1 << iota
	fromB
	stale // an ancestor of one that was found
)

// A ranking numbers commits so that each has a larger number than those that it
// reaches, as the index of history does; false for commits that it does not know,
// which none of those that it knows reaches. It may be nil.
type ranking func(oid plumbing.Hash) (int, bool)

// mergeBase is a best common ancestor of two commits, zero if they have none.
// It walks both histories, newest first, and stops once only ancestors of what
// it found are left, so with a ranking it costs what the two sides differ by.
// Without one it goes by commit dates, as git does; the answer is the same as
// long as clocks disagree by less than skew. Where there are several best ones it
// takes the newest, as the texts of pages, unlike programs, gain nothing from
// merging the bases first.
func mergeBase(src commitSource, a, b plumbing.Hash, rank ranking) (plumbing.Hash, error) {
	if a == b {
		return a, nil
	}
	w := &walk{src: src, rank: rank, marks: map[plumbing.Hash]int{}}
	if err := w.add(a, fromA); err != nil {
		return plumbing.ZeroHash, err
	}
	if err := w.add(b, fromB); err != nil {
		return plumbing.ZeroHash, err
	}
	var found []*walked
	for w.live > 0 {
		n, m := w.next()
		if m&stale == 0 && m&(fromA|fromB) == fromA|fromB {
			found = append(found, n)
			m |= stale // what is behind it is no better
		}
		if err := w.pass(n, m); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	return w.best(found)
}

// skew is by how much the clocks of those who commit may disagree.
const skew = 48 * time.Hour

// best is the newest of the common ancestors that no other one reaches. Where
// several were found, one may be behind another without the walk having got there
// yet: what is left of the walk goes on until it is older than all of them.
func (w *walk) best(found []*walked) (plumbing.Hash, error) {
	for {
		var left []*walked
		for _, n := range found {
			if w.marks[n.oid]&stale == 0 {
				left = append(left, n)
			}
		}
		if len(left) == 0 {
			return plumbing.ZeroHash, nil
		}
		newest, oldest := left[0], left[0]
		for _, n := range left {
			if n.before(newest) {
				newest = n
			}
			if oldest.before(n) {
				oldest = n
			}
		}
		if len(left) == 1 || len(w.queue) == 0 || w.queue[0].cannotReach(oldest) {
			return newest.oid, nil
		}
		n, m := w.next()
		if err := w.pass(n, m); err != nil {
			return plumbing.ZeroHash, err
		}
		found = left
	}
}

// next takes the newest commit of the walk, with its marks.
func (w *walk) next() (*walked, int) {
	n := heap.Pop(&w.queue).(*walked)
	if n.live {
		w.live--
	}
	return n, w.marks[n.oid]
}

// pass hands marks on to a commit's parents.
func (w *walk) pass(n *walked, marks int) error {
	for _, p := range n.parents {
		if err := w.add(p, marks); err != nil {
			return err
		}
	}
	return nil
}

// isAncestor reports whether a can be reached from b (each commit reaches
// itself, and every one is reached from before the first). It costs what
// mergeBase does.
func isAncestor(src commitSource, a, b plumbing.Hash, rank ranking) (bool, error) {
	if a == b || a.IsZero() {
		return true, nil
	}
	base, err := mergeBase(src, a, b, rank)
	return base == a, err
}

type walked struct {
	oid     plumbing.Hash
	rank    int // unranked where it is not known
	when    time.Time
	parents []plumbing.Hash
	live    bool
}

// unranked is above every rank: what the ranking does not know is not reached by
// what it knows.
const unranked = math.MaxInt

// before is the order of the walk.
func (n *walked) before(o *walked) bool {
	if n.rank != o.rank {
		return n.rank > o.rank
	}
	return n.when.After(o.when)
}

// cannotReach reports that neither n nor anything behind it in the walk has o
// among its ancestors.
func (n *walked) cannotReach(o *walked) bool {
	if n.rank != unranked {
		return n.rank <= o.rank
	}
	return o.rank == unranked && n.when.Before(o.when.Add(-skew))
}

type walk struct {
	src   commitSource
	rank  ranking
	marks map[plumbing.Hash]int
	queue dated
	live  int // entries of the queue that are not stale
}

func (w *walk) add(oid plumbing.Hash, mark int) error {
	old, known := w.marks[oid]
	if known && old|mark == old {
		return nil
	}
	w.marks[oid] = old | mark
	c, err := readCommit(w.src, oid)
	if err != nil {
		return err
	}
	n := &walked{oid: oid, rank: unranked, when: c.Committer.When, parents: c.Parents, live: mark&stale == 0}
	if w.rank != nil {
		if r, ok := w.rank(oid); ok {
			n.rank = r
		}
	}
	if n.live {
		w.live++
	}
	heap.Push(&w.queue, n)
	return nil
}

// dated is a heap of commits in the order of the walk.
type dated []*walked

func (d dated) Len() int           { return len(d) }
func (d dated) Less(i, j int) bool { return d[i].before(d[j]) }
func (d dated) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *dated) Push(x any)        { *d = append(*d, x.(*walked)) }
func (d *dated) Pop() any {
	old := *d
	n := old[len(old)-1]
	*d = old[:len(old)-1]
	return n
}
