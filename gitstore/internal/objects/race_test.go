package objects

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
)

// TestBesideRepack: one goroutine writes batches and folds, git repacks, and
// readers look everything up that was acknowledged, by the writer's DB and by
// one that learns of new packs by its misses alone. Nothing is ever missing.
func TestBesideRepack(t *testing.T) {
	dir := gitstoretest.Bare(t)
	mine, theirs := open(t, dir), open(t, dir)
	var maintenance sync.Mutex // Fold and a native repack exclude each other
	var mu sync.RWMutex
	var known []plumbing.Hash // guarded by mu
	end := time.Now().Add(4 * time.Second)
	running := func() bool { return time.Now().Before(end) && !t.Failed() }
	var all sync.WaitGroup
	all.Go(func() {
		e := newEditor(t, mine, 30)
		for running() {
			b := mine.NewBatch()
			e.edit(b)
			if err := b.WritePack(); err != nil {
				t.Error(err)
				return
			}
			// A ref keeps it from being garbage, before it is acknowledged.
			if out, err := gitstoretest.TryGit(dir, "", "update-ref", "refs/heads/main", e.head.String()); err != nil {
				t.Error(out)
				return
			}
			mu.Lock()
			known = append(known, e.head, e.tree)
			mu.Unlock()
			if mine.PackCount() >= 8 && maintenance.TryLock() {
				if _, err := mine.Fold(context.Background(), FoldOptions{FanIn: 4}); err != nil {
					t.Error(err)
				}
				maintenance.Unlock()
			}
		}
	})
	repacks, reads := 0, [2]int{}
	all.Go(func() {
		for running() {
			time.Sleep(100 * time.Millisecond)
			maintenance.Lock()
			out, err := gitstoretest.TryGit(dir, "", "repack", "-d", "--geometric=2", "-q")
			maintenance.Unlock()
			if repacks++; err != nil {
				t.Error(out)
			}
		}
	})
	for i, db := range []*DB{mine, theirs} {
		all.Go(func() {
			for running() {
				if oid, ok := pick(&mu, &known); ok {
					readOne(t, db, oid)
					reads[i]++
				}
			}
		})
	}
	all.Wait()
	t.Logf("%d commits, %d repacks, %v reads", len(known)/2, repacks, reads)
	if len(known) < 10 || repacks < 3 {
		t.Errorf("%d commits and %d repacks show too little", len(known)/2, repacks)
	}
	fresh, err := Open(disk.OS{}, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, oid := range known {
		readOne(t, fresh, oid)
	}
	gitstoretest.Git(t, dir, "fsck", "--strict")
}

func pick(mu *sync.RWMutex, known *[]plumbing.Hash) (plumbing.Hash, bool) {
	mu.RLock()
	defer mu.RUnlock()
	if len(*known) == 0 {
		return plumbing.ZeroHash, false
	}
	// The newest as often as any other: that is where the races are.
	if rand.N(2) == 0 {
		return (*known)[len(*known)-1], true
	}
	return (*known)[rand.N(len(*known))], true
}

// readOne reads past the cache and checks the content against its name.
func readOne(t *testing.T, db *DB, oid plumbing.Hash) {
	kind, data, err := db.GetUncached(oid)
	if err != nil {
		t.Error(err)
		return
	}
	if got, err := Hash(kind, data); err != nil || got != oid {
		t.Errorf("read %s for %s, %v", got, oid, err)
	}
}
