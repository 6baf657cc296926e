package gitstore

import (
	"container/heap"
	"fmt"
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

// mergeBase is a best common ancestor of two commits, zero if they have none.
// It walks both histories by commit date, newest first, and stops once only
// ancestors of what it found are left, so it costs what the two sides differ
// by. Where there are several best ones it takes the newest, as the texts of
// pages, unlike programs, gain nothing from merging the bases first.
func mergeBase(src commitSource, a, b plumbing.Hash) (plumbing.Hash, error) {
	if a == b {
		return a, nil
	}
	w := &walk{src: src, marks: map[plumbing.Hash]int{}}
	if err := w.add(a, fromA); err != nil {
		return plumbing.ZeroHash, err
	}
	if err := w.add(b, fromB); err != nil {
		return plumbing.ZeroHash, err
	}
	var found []plumbing.Hash
	for w.live > 0 {
		n := heap.Pop(&w.queue).(*walked)
		if n.live {
			w.live--
		}
		m := w.marks[n.oid]
		if m&stale == 0 && m&(fromA|fromB) == fromA|fromB {
			found = append(found, n.oid)
			m |= stale // what is behind it is no better
		}
		for _, p := range n.parents {
			if err := w.add(p, m); err != nil {
				return plumbing.ZeroHash, err
			}
		}
	}
	for _, oid := range found {
		if w.marks[oid]&stale == 0 {
			return oid, nil
		}
	}
	return plumbing.ZeroHash, nil
}

// isAncestor reports whether a can be reached from b (each commit reaches
// itself, and every one is reached from before the first). It costs what
// mergeBase does.
func isAncestor(src commitSource, a, b plumbing.Hash) (bool, error) {
	if a == b || a.IsZero() {
		return true, nil
	}
	base, err := mergeBase(src, a, b)
	return base == a, err
}

type walked struct {
	oid     plumbing.Hash
	when    time.Time
	parents []plumbing.Hash
	live    bool
}

type walk struct {
	src   commitSource
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
	n := &walked{oid: oid, when: c.Committer.When, parents: c.Parents, live: mark&stale == 0}
	if n.live {
		w.live++
	}
	heap.Push(&w.queue, n)
	return nil
}

// dated is a heap of commits, the newest first.
type dated []*walked

func (d dated) Len() int           { return len(d) }
func (d dated) Less(i, j int) bool { return d[i].when.After(d[j].when) }
func (d dated) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *dated) Push(x any)        { *d = append(*d, x.(*walked)) }
func (d *dated) Pop() any {
	old := *d
	n := old[len(old)-1]
	*d = old[:len(old)-1]
	return n
}
