// Package history is the index of one repository's main branch: who changed
// which file when. It answers a page's log, its last change, recent changes and
// blame without a walk through git's history. It is disposable: Build makes it
// from one `git log`, Advance follows the branch, Save and Load spare the work
// at the next start.
//
// # Order
//
// Commits are numbered from 0, parents before children, in the order in which a
// walk finishes that goes from the head to the first parent first. So what came
// in by a merge stands directly before the merge, the commits that are reached
// by first parents alone (the spine) have the numbers in which they were made,
// and the order depends on the head alone: an index that was advanced and one
// that was built are the same.
//
// # What is kept
//
// For each commit and each file the change against the *first* parent. That is
// enough to know the state of any file at any commit by going along first
// parents; and where a merge changed a file against its first parent, the state
// at its other parents tells whether it took their side (then history goes on
// there, as git's history simplification does) or made something new (then the
// merge itself is part of the file's history).
//
// The changes of one file are chained newest to oldest. Commits that have each
// other as first parents form chains as well, so that a state is found by going
// along the file's changes and never along the commits.
//
// # Cost
//
// Memory: about 110 bytes and the message for each commit (30 more where it has
// an idempotency key), 56 for each change, 60 and twice the path for each file. Answers cost what is in them, never the
// length of the history, where a method does not say otherwise. Readers run
// beside each other and beside one writer; blobs are read and compared while no
// lock is held.
package history

import (
	"errors"
	"hash/maphash"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/wiki"
)

// Source reads objects; *objects.DB is one. It must be good for many
// goroutines. The bytes are shared and not modified here.
type Source interface {
	Get(oid plumbing.Hash) (plumbing.ObjectType, []byte, error)
}

// Options are what an index needs to know of its repository.
type Options struct {
	// Source reads the repository's objects. Required for Advance, Blame and
	// for renames with a changed text; without it those fail or, for renames,
	// find only the exact ones.
	Source Source

	// ServerEmail is the committer's address of the server's own commits.
	// Only those have their trailers believed.
	ServerEmail string
}

// Commit is a commit with its changes against the first parent (all its files
// if it has none), as Append takes it.
type Commit struct {
	OID       plumbing.Hash
	Parents   []plumbing.Hash
	Author    Signature
	Committer Signature
	Message   string // as in the object
	Changes   []Change
}

// Signature is who and when; the time's zone is kept to the minute.
type Signature struct {
	Name, Email string
	When        time.Time
}

// Change is what a commit did to one file: Added, Modified (also where only the
// mode changed) or Deleted.
type Change struct {
	Kind     wiki.ChangeKind
	File     string        // path in the tree
	Old, New plumbing.Hash // zero for none
}

// ErrStale is the error of an Append that does not stand on the index's head:
// call Advance.
var ErrStale = errors.New("the commit's first parent is not the head of the history index")

// Index is the history of one branch. Its zero value is not usable: see New,
// Build and Load.
type Index struct {
	source Source
	server string
	seed   maphash.Seed

	writing sync.Mutex // one writer at a time; taken before mu

	mu      sync.RWMutex // guards all below
	changed uint64       // counts removals of commits: numbers read before are void after
	commits []commitRow
	others  map[int32][]int32 // number of a merge → its parents from the second on
	chains  []chain
	changes []changeRow
	texts   []byte
	oids    oidTable
	paths   names
	heads   []int32 // by path: its newest change, -1 for none
	people  names   // name NUL email
	words   names   // actors, faces, agents; 0 is ""
	keys    map[uint64]int32

	renames *lru[plumbing.Hash, renames] // has its own lock
	blames  *lru[blameKey, []blameRun]   // has its own lock
}

// New is the index of a branch that has no commits.
func New(o Options) *Index {
	x := &Index{
		source: o.Source, server: o.ServerEmail, seed: maphash.MakeSeed(),
		others:  map[int32][]int32{},
		keys:    map[uint64]int32{},
		renames: newLRU[plumbing.Hash, renames](1 << 14),
		blames:  newLRU[blameKey, []blameRun](1 << 18),
	}
	x.words.id("")
	return x
}

// Head is the commit that the index stands at; zero for none.
func (x *Index) Head() plumbing.Hash {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.head()
}

func (x *Index) head() plumbing.Hash {
	if len(x.commits) == 0 {
		return plumbing.ZeroHash
	}
	return x.commits[len(x.commits)-1].oid
}

// Contains reports whether the commit is the head or an ancestor of it.
func (x *Index) Contains(oid plumbing.Hash) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	_, ok := x.number(oid)
	return ok
}

// Rank is a commit's number in the index: every commit has a larger one than
// those that it reaches. ok is false for a commit that is not in the history.
func (x *Index) Rank(oid plumbing.Hash) (rank int, ok bool) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n, ok := x.number(oid)
	return int(n), ok
}

// Stats are sizes, for metrics.
type Stats struct {
	Commits, Changes, Files int
	Bytes                   int64 // memory, nearly
}

// Stats costs nothing worth mentioning.
func (x *Index) Stats() Stats {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return Stats{
		Commits: len(x.commits), Changes: len(x.changes), Files: len(x.paths.list),
		Bytes: int64(cap(x.commits))*commitRowSize + int64(cap(x.changes))*changeRowSize + int64(cap(x.texts)) +
			int64(len(x.oids.slots))*4 + int64(len(x.paths.list)+len(x.people.list))*60 + 2*int64(x.paths.bytes+x.people.bytes),
	}
}
