package gitstore

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/objects"
)

// Thresholds of the upkeep, measured in notes of docs/operating: a push slows
// down with the number of packs, a look-up of refs with the number of loose
// ones.
const (
	foldAbove      = 8  // packs of the Store's own before a level is folded
	repackAbove    = 48 // packs of any kind before a geometric repack
	looseAbove     = 2000
	graphEvery     = 64  // commits between two commit-graphs
	packRefsEvery  = 256 // writes between two looks at loose refs
	repackTimeout  = 30 * time.Minute
	upkeepInterval = time.Minute
)

// upkeep keeps a repository quick: few packs, a commit-graph with changed paths
// for stock git's own walks, few loose refs. It runs after writes, in the
// background, at most one for each repository.
type upkeep struct {
	mu      sync.Mutex
	running bool      // guarded by mu, as below
	writes  int       // since the last commit-graph
	last    time.Time // when stock git was last run
}

// afterWrite is called by the writer between two batches.
func (r *repo) afterWrite() {
	if r.store.cfg.NoUpkeep {
		return
	}
	r.fold()
	u := &r.upkeep
	u.mu.Lock()
	defer u.mu.Unlock()
	u.writes++
	due := u.writes >= graphEvery || r.objects.PackCount() > repackAbove
	if u.running || !due || time.Since(u.last) < upkeepInterval {
		return
	}
	u.running, u.writes, u.last = true, 0, time.Now()
	r.store.background(func(ctx context.Context) {
		r.maintain(ctx)
		u.mu.Lock()
		u.running = false
		u.mu.Unlock()
	})
}

// fold joins small packs of the Store's own into larger ones, in process, so
// that a repository that is written to all day stays under 64 packs. It yields to
// pushes and to maintenance: what it does not fold now it folds later.
func (r *repo) fold() {
	if r.objects.PackCount() <= foldAbove || !r.objects.FoldDue() || !r.packing.TryLock() {
		return
	}
	defer r.packing.Unlock()
	if _, err := r.objects.Fold(r.store.ctx, objects.FoldOptions{}); err != nil && r.store.ctx.Err() == nil {
		r.store.log.Warn("packs were not folded; it is tried again", "wiki", r.name, "error", err)
	}
}

// Maintain runs the upkeep of one wiki now, whatever has been written.
func (r *repo) maintain(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, repackTimeout)
	defer cancel()
	steps := [][]string{
		{"commit-graph", "write", "--reachable", "--changed-paths", "--split", "--no-progress"},
	}
	if r.objects.PackCount() > repackAbove || r.looseObjects() > looseAbove {
		// Nothing is dropped: objects that no ref reaches stay in the packs.
		steps = append([][]string{{"repack", "--geometric=2", "-d", "-q", "--no-write-bitmap-index"}}, steps...)
	}
	for _, args := range steps {
		if err := r.runUpkeep(ctx, args); err != nil && ctx.Err() == nil {
			r.store.log.Warn("upkeep failed; it is tried again later", "wiki", r.name, "step", args[0], "error", err)
		}
	}
	r.saveHistory()
}

// runUpkeep runs one step. Replacing packs while a push keeps one could lose
// objects, so a repack waits until no push is under way and keeps new ones
// waiting; everything else goes on beside it.
func (r *repo) runUpkeep(ctx context.Context, args []string) error {
	if args[0] == "repack" {
		if !r.quiet(ctx) {
			return nil // pushes all the time; the next upkeep tries again
		}
		defer r.packing.Unlock()
	}
	_, err := r.store.git(ctx, r.dir, args...)
	if args[0] == "repack" {
		if again := r.objects.Refresh(); err == nil {
			err = again
		}
	}
	return err
}

// quietWait is how long a repack waits for a moment without a push.
const quietWait = 30 * time.Second

// quiet waits for such a moment and then holds pushes back.
func (r *repo) quiet(ctx context.Context) bool {
	for deadline := time.Now().Add(quietWait); time.Now().Before(deadline) && ctx.Err() == nil; {
		if r.packing.TryLock() {
			return true
		}
		time.Sleep(5 * time.Millisecond)
	}
	return false
}

// idleAfter is how long a wiki keeps its indexes in memory after it was last
// asked for.
const idleAfter = 15 * time.Minute

// sweep lets go of what idle wikis hold in memory, so that a site with
// thousands of wikis needs memory for those that are in use.
func (s *Store) sweep(ctx context.Context) {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, r := range s.opened() {
			if s.ticks()-r.used.Load() > int64(idleAfter) && r.name != admin {
				r.forget()
			}
		}
	}
}

// forget drops what can be made again: the indexes, the folders that were read,
// the trees of recent commits. Views that are in use keep what they have.
func (r *repo) forget() {
	st := r.state.Load()
	if st == nil || !r.writer.idle() {
		return
	}
	r.saveHistory()
	h := &r.history
	h.mu.Lock()
	h.index, h.audited = nil, plumbing.ZeroHash
	h.ready.Store(false)
	h.mu.Unlock()
	r.links.mu.Lock()
	r.links.seen, r.links.pages, r.links.naming = nil, nil, nil
	r.links.mu.Unlock()
	r.roots.clear()
	r.counted.drop()

	r.load.Lock()
	defer r.load.Unlock()
	r.names.mu.Lock()
	defer r.names.mu.Unlock()
	now := r.state.Load()
	if !r.writer.idle() || now == nil {
		return
	}
	r.names.drop()
	lean := *now
	lean.heads = make(map[string]tip, len(now.heads))
	for ref, t := range now.heads {
		if !t.root.oid.IsZero() {
			t.root = gitFolder(r.objects, t.root.oid)
		}
		lean.heads[ref] = t
	}
	r.state.Store(&lean)
}

// looseObjects estimates their number from one of the 256 folders, as git does.
func (r *repo) looseObjects() int {
	entries, err := os.ReadDir(filepath.Join(r.dir, "objects", "17"))
	if err != nil {
		return 0
	}
	return len(entries) * 256
}
