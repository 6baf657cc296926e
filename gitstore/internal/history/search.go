package history

import (
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/wiki"
)

// Position is a place in the history on the way from its newest commit to its
// oldest. The zero Position is the beginning. It stays good while commits are added.
type Position struct {
	Commit plumbing.Hash // the last commit that was looked at
	Seen   int           // how many of its changes; -1: all
}

// ScanFilter narrows Scan.
type ScanFilter struct {
	At           plumbing.Hash // as of this commit; zero: the head
	Author       string        // as in Filter
	Prefix       string        // only files whose path in the tree begins so
	Suffix       string        // and ends so
	Since, Until time.Time     // only commits of authors' dates from Since to before Until; zero: any
}

// Scanned is a commit with the changes that Scan was asked for.
type Scanned struct {
	OID     plumbing.Hash
	First   int // how many of its changes are left out before Changes
	Changes []ScannedChange
	Done    int  // commits of the history looked at, this one included
	Moves   bool // it added files and deleted others: some may have moved, see Moves
}

// ScannedChange is what a commit itself did to one file. Was are the file's blobs in
// the commit's parents, zero where it was not there; New is zero for a deletion.
type ScannedChange struct {
	File string
	Was  []plumbing.Hash
	New  plumbing.Hash
}

// ErrRewritten says that a Position is not of this history.
var ErrRewritten = wiki.Invalid("after", "the history of this wiki was rewritten since this search began, or the cursor is of another wiki; begin the search again")

// Scan goes on from a position towards the oldest commit and gives the commits that
// the filter lets through, until it has seen commits commits or given about changes
// changes (all those of the last commit). next is where it stopped, ended true at the
// end of the history; total is the number of commits in it. It reads no object.
func (x *Index) Scan(f ScanFilter, from Position, commits, changes int) (found []Scanned, next Position, done, total int, ended bool, err error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	at, err := x.at(f.At)
	if err != nil {
		return nil, from, 0, 0, false, err
	}
	total = int(at) + 1
	below, first := at+1, 0
	if !from.Commit.IsZero() {
		n, ok := x.number(from.Commit)
		if !ok {
			return nil, from, 0, 0, false, ErrRewritten
		}
		if below = n; from.Seen >= 0 {
			below, first = n+1, from.Seen
		}
	}
	next, done = from, total-int(min(below, at+1))
	match := x.matcher(Filter{Author: f.Author})
	for n := range x.downFrom(at, below) {
		if commits <= 0 || changes <= 0 {
			return found, next, done, total, false, nil
		}
		commits--
		c := &x.commits[n]
		next, done = Position{c.oid, -1}, total-int(n)
		if on := time.Unix(c.authored, 0); !f.Since.IsZero() && on.Before(f.Since) || !f.Until.IsZero() && !on.Before(f.Until) || !match(n) {
			continue
		}
		one := Scanned{OID: c.oid, Done: done, Moves: x.mayRename(n)}
		one.Changes = x.scanned(n, f)
		if from.Seen >= 0 && c.oid == from.Commit {
			one.First = min(first, len(one.Changes))
			one.Changes = one.Changes[one.First:]
		}
		if len(one.Changes) > 0 {
			found = append(found, one)
			changes -= len(one.Changes)
		}
	}
	return found, next, total, total, true, nil
}

// downFrom is backwards without the commits from below on.
func (x *Index) downFrom(at, below int32) func(yield func(int32) bool) {
	return func(yield func(int32) bool) {
		if at >= 0 && x.commits[at].chain == 0 {
			for n := min(at, below-1); n >= 0 && yield(n); n-- {
			}
			return
		}
		for n := range x.backwards(at) {
			if n < below && !yield(n) {
				return
			}
		}
	}
}

func (x *Index) scanned(n int32, f ScanFilter) (out []ScannedChange) {
	from, to := x.changesOf(n)
	for i := from; i < to; i++ {
		c := &x.changes[i]
		file := x.paths.list[c.path]
		if c.via != 0 || !strings.HasPrefix(file, f.Prefix) || !strings.HasSuffix(file, f.Suffix) {
			continue
		}
		one := ScannedChange{File: file, New: c.new, Was: []plumbing.Hash{c.old}}
		if len(x.others[n]) > 0 {
			one.Was = one.Was[:0]
			for _, b := range x.before(i, c.path) {
				if b < 0 {
					one.Was = append(one.Was, plumbing.ZeroHash)
				} else {
					one.Was = append(one.Was, x.changes[b].new)
				}
			}
		}
		out = append(out, one)
	}
	return out
}

// Move is a file that a commit gave another path, and its blobs before and after.
type Move struct {
	From, To string
	Old, New plumbing.Hash
}

// Moves are the renames of a commit. They are found once and then remembered; the
// first time may read the texts that the commit added and deleted.
func (x *Index) Moves(oid plumbing.Hash) []Move {
	found := x.renamesOf(oid)
	x.mu.RLock()
	defer x.mu.RUnlock()
	n, ok := x.number(oid)
	if !ok {
		return nil
	}
	var out []Move
	first, end := x.changesOf(n)
	for _, c := range x.changes[first:end] {
		if from, ok := found.from[c.path]; ok && c.via == 0 && c.kind == wiki.Added {
			out = append(out, Move{from.file, x.paths.list[c.path], from.blob, c.new})
		}
	}
	return out
}

// Described is a commit as history shows it, without its changes.
func (x *Index) Described(oid plumbing.Hash) (wiki.Commit, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n, ok := x.number(oid)
	if !ok {
		return wiki.Commit{}, ErrRewritten
	}
	return x.commit(n), nil
}
