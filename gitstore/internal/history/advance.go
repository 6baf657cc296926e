package history

import (
	"fmt"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/gitstore/internal/objects"
)

// Append adds a commit that the caller has just made on the head, with the
// changes that it knows. Every parent must be in the index and the first one
// its head (or there are none and the index is empty); else nothing happens
// and the error is ErrStale. Cost: the commit's own changes.
func (x *Index) Append(c Commit) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.appendHead(c)
}

func (x *Index) appendHead(c Commit) error {
	if len(c.Parents) == 0 != (len(x.commits) == 0) || len(c.Parents) > 0 && c.Parents[0] != x.head() {
		return ErrStale
	}
	for _, p := range c.Parents {
		if _, ok := x.number(p); !ok {
			return ErrStale
		}
	}
	x.append(&entry{Commit: c, spine: true})
	return nil
}

// TryAppend is Append for a writer that does not wait: false where the commit does
// not stand on the head, or where somebody reads or writes the index just now. The
// next Advance then does it.
func (x *Index) TryAppend(c Commit) bool {
	if !x.writing.TryLock() {
		return false
	}
	defer x.writing.Unlock()
	if !x.mu.TryLock() {
		return false
	}
	defer x.mu.Unlock()
	return x.appendHead(c) == nil
}

// Advance moves the index to another head, reading the commits that it does not
// know from the Source. A head that is not a descendant of the old one (a forced
// push) is right too, and so is one whose first parent is not the old head (a
// clone that pulled and pushed): the commits behind the last common one of both
// spines are taken out and put in again in their new order, with what SetPushed
// said of them. An error leaves the index as it was.
//
// Cost: one tree comparison for each new commit, and the commits taken out.
func (x *Index) Advance(head plumbing.Hash) error {
	x.writing.Lock()
	defer x.writing.Unlock()
	if head == x.Head() {
		return nil
	}
	p := plan{x: x, set: map[plumbing.Hash]*entry{}}
	if err := p.find(head); err != nil {
		return fmt.Errorf("advancing the history index to %s: %w", head, err)
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, e := range x.truncate(p.keep) {
		if n := p.set[e.OID]; n != nil {
			e.spine = false
			*n = e
		}
	}
	if len(p.set) > 0 {
		order(head, p.set, x.append)
	}
	return nil
}

// plan is what an Advance will do.
type plan struct {
	x    *Index
	keep int32                    // commits below this number stay
	set  map[plumbing.Hash]*entry // the others that the new head reaches
}

// find reads all that the new head reaches and that does not stay. Only this
// writer changes the tables, so they may be read under short read locks.
func (p *plan) find(head plumbing.Hash) error {
	if head.IsZero() {
		return nil
	}
	var pending []plumbing.Hash
	for oid := head; ; { // along the first parents to what stays
		e, kept, err := p.read(oid, true)
		if err != nil {
			return err
		}
		if kept {
			break
		}
		p.set[oid] = e
		if len(e.Parents) == 0 {
			break
		}
		pending = append(pending, e.Parents[1:]...)
		oid = e.Parents[0]
	}
	for len(pending) > 0 {
		oid := pending[len(pending)-1]
		pending = pending[:len(pending)-1]
		if p.set[oid] != nil {
			continue
		}
		e, kept, err := p.read(oid, false)
		if err != nil {
			return err
		}
		if !kept {
			p.set[oid] = e
			pending = append(pending, e.Parents...)
		}
	}
	return nil
}

// read gives a commit that does not stay. On the spine the first commit that
// both spines have decides what stays; elsewhere it is its number.
func (p *plan) read(oid plumbing.Hash, spine bool) (e *entry, kept bool, err error) {
	p.x.mu.RLock()
	n, known := p.x.number(oid)
	if known {
		if spine && p.x.commits[n].chain == 0 {
			p.keep = n + 1
		}
		if kept = n < p.keep; !kept {
			e = &entry{Commit: Commit{OID: oid, Parents: p.x.parentOIDs(n)}} // truncate gives the rest
		}
	}
	p.x.mu.RUnlock()
	if known {
		return e, kept, nil
	}
	c, err := p.x.readCommit(oid)
	if err != nil {
		return nil, false, err
	}
	return &entry{Commit: c}, false, nil
}

// Describe is a commit for Append, from its object and the changes that its
// maker knows, in the order of the tree.
func Describe(oid plumbing.Hash, object []byte, changes []Change) (Commit, error) {
	o, err := objects.ParseCommit(object)
	if err != nil {
		return Commit{}, fmt.Errorf("commit %s: %w", oid, err)
	}
	c := describe(oid, o)
	c.Changes = changes
	return c, nil
}

func describe(oid plumbing.Hash, o objects.Commit) Commit {
	return Commit{OID: oid, Parents: o.Parents, Message: decode(o.Message, o.Encoding),
		Author: signature(o.Author, o.Encoding), Committer: signature(o.Committer, o.Encoding)}
}

func (x *Index) readCommit(oid plumbing.Hash) (Commit, error) {
	o, err := x.object(oid)
	if err != nil {
		return Commit{}, err
	}
	c := describe(oid, o)
	var before plumbing.Hash
	if len(o.Parents) > 0 {
		p, err := x.object(o.Parents[0])
		if err != nil {
			return Commit{}, err
		}
		before = p.Tree
	}
	d := treeDiff{source: x.source}
	if err := d.compare(before, o.Tree, "", 0); err != nil {
		return Commit{}, fmt.Errorf("comparing the trees of %s: %w", oid, err)
	}
	c.Changes = d.changes
	return c, nil
}

func signature(s objects.Signature, encoding string) Signature {
	when := s.When
	if when.IsZero() { // unreadable: git takes it for the beginning of 1970
		when = time.Unix(0, 0).UTC()
	}
	return Signature{decode(s.Name, encoding), decode(s.Email, encoding), when}
}

func (x *Index) object(oid plumbing.Hash) (objects.Commit, error) {
	data, err := get(x.source, oid, plumbing.CommitObject)
	if err != nil {
		return objects.Commit{}, err
	}
	c, err := objects.ParseCommit(data)
	if err != nil {
		return c, fmt.Errorf("commit %s: %w", oid, err)
	}
	return c, nil
}

func get(s Source, oid plumbing.Hash, want plumbing.ObjectType) ([]byte, error) {
	if s == nil {
		return nil, fmt.Errorf("reading %s: the history index was opened without a Source", oid)
	}
	t, data, err := s.Get(oid)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the %s %s: %w", want, oid, err)
	case t != want:
		return nil, fmt.Errorf("object %s is a %s, not a %s", oid, t, want)
	}
	return data, nil
}
