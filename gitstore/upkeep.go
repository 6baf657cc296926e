package gitstore

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/objects"
	"wikibot/wiki"
)

// Thresholds of the upkeep: a push slows down with the number of packs (from 12 to
// 28 ms at 500) and of loose refs (twice as slow at 5,000), a clone with what no
// bitmap covers.
const (
	foldAbove      = 8       // packs of the Store's own before a level is folded
	foldBelow      = 8 << 20 // bytes of a pack that is folded between two writes; larger ones are joined in the background
	repackAbove    = 48      // packs of any kind before the small ones are joined
	looseAbove     = 2000
	graphEvery     = 64   // batches between two commit-graphs
	bareMost       = 2000 // objects outside of the pack with a bitmap, and at most a quarter of it
	repackTimeout  = 2 * time.Hour
	upkeepInterval = time.Minute
	growthInterval = 10 * time.Minute    // between two looks at how much no bitmap covers
	tidyInterval   = 7 * 24 * time.Hour  // between two times of one pack for all and another for the garbage
	garbageGrace   = 14 * 24 * time.Hour // for what no ref reaches
)

// upkeep keeps a repository quick and small: few packs, one with a bitmap, a
// commit-graph with changed paths for stock git's own walks, few loose refs, no old
// garbage. It runs in the background after writes, at most one for each repository,
// and stops nobody: what is new is written beside what is there, and the old is taken
// away in a moment without a push.
type upkeep struct {
	mu      sync.Mutex
	running bool            // guarded by mu, as below
	writes  int             // batches since the last commit-graph
	refs    int             // tags and branches other than main that moved since the refs were packed
	last    time.Time       // when it last ran
	wrote   time.Time       // when something was last written
	looked  time.Time       // when the growth was last looked at
	tidied  time.Time       // when everything was last joined; zero: not known yet
	working map[string]bool // packs that are being joined: fold leaves them alone
}

// chores are what is to be done in one run.
type chores struct{ graph, join, refs, tidy bool }

// afterWrite is called by the writer between two batches; moved are the refs that
// the last one moved.
func (r *repo) afterWrite(moved []string) {
	if r.store.cfg.NoUpkeep {
		return
	}
	r.fold()
	u := &r.upkeep
	u.mu.Lock()
	if u.wrote = time.Now(); len(moved) > 0 {
		u.writes++
	}
	for _, ref := range moved {
		if !busyRef(ref) {
			u.refs++
		}
	}
	u.mu.Unlock()
	r.keepUp(false)
}

// keepUp begins what is due, in the background. minutely: it is called by the clock
// and not by a write, so that there is time to look at the disk.
func (r *repo) keepUp(minutely bool) {
	u := &r.upkeep
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.running || r.store.cfg.NoUpkeep || time.Since(u.last) < upkeepInterval {
		return
	}
	c := chores{
		graph: u.writes >= graphEvery,
		refs:  u.refs > packRefsAbove,
		join:  r.objects.PackCount() > repackAbove,
		tidy:  minutely && r.tidyDue(),
	}
	if c == (chores{}) {
		return
	}
	u.running, u.last = true, time.Now()
	r.store.background(func(ctx context.Context) {
		defer func() {
			u.mu.Lock()
			u.running = false
			u.mu.Unlock()
		}()
		r.maintain(ctx, c)
	})
}

// small are the packs that fold joins between two writes.
func (r *repo) small() objects.FoldOptions {
	return objects.FoldOptions{MaxBytes: foldBelow, Leave: func(name string) bool {
		r.upkeep.mu.Lock()
		defer r.upkeep.mu.Unlock()
		return r.upkeep.working[name]
	}}
}

// fold joins small packs of the Store's own into larger ones, in process, so
// that a repository that is written to all day stays under 64 packs. It yields to
// pushes and to maintenance: what it does not fold now it folds later.
func (r *repo) fold() {
	if r.objects.PackCount() <= foldAbove || !r.objects.FoldDue(r.small()) || !r.packing.TryLock() {
		return
	}
	defer r.packing.Unlock()
	if _, err := r.objects.Fold(r.store.ctx, r.small()); err != nil && r.store.ctx.Err() == nil {
		r.store.log.Warn("packs were not folded; it is tried again", "wiki", r.name, "error", err)
	}
}

// maintain does chores, one after the other; a failure of one does not keep the
// others. Packs are joined in one repository at a time.
func (r *repo) maintain(ctx context.Context, c chores) {
	ctx, cancel := context.WithTimeout(ctx, repackTimeout)
	defer cancel()
	r.upkeep.mu.Lock()
	if r.upkeep.refs = 0; c.graph || c.tidy {
		r.upkeep.writes = 0
	}
	r.upkeep.mu.Unlock()
	for _, step := range []struct {
		name  string
		due   bool
		heavy bool
		run   func(context.Context) error
	}{
		{"pack-refs", true, false, r.packRefs},
		{"tidy", c.tidy, true, r.tidy},
		{"join", !c.tidy && (c.join || r.looseObjects() > looseAbove), true, r.join},
		{"commit-graph", c.graph && !c.tidy, false, func(ctx context.Context) error { return r.writeGraph(ctx, "--split") }},
	} {
		if !step.due || step.heavy && !r.store.takeHeavy(ctx) {
			continue
		}
		err := step.run(ctx)
		if step.heavy {
			<-r.store.heavy
		}
		if err != nil && ctx.Err() == nil {
			r.store.log.Warn("upkeep failed; it is tried again later", "wiki", r.name, "step", step.name, "error", err)
		}
	}
	r.saveHistory()
}

// takeHeavy waits for the one place for work that keeps the disk busy.
func (s *Store) takeHeavy(ctx context.Context) bool {
	select {
	case s.heavy <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

// writeGraph writes the commit-graph, with the paths that each commit changed.
// split is how: --split adds a layer, --split=replace makes it anew.
func (r *repo) writeGraph(ctx context.Context, split string) error {
	_, err := r.gitNicely(ctx, "", "commit-graph", "write", "--reachable", "--changed-paths", split, "--no-progress")
	return err
}

// Maintain does all of a wiki's upkeep now: one pack for all that refs reach, with
// a bitmap, another for the garbage of less than two weeks, packed refs and the
// commit-graph. Pages, pushes and clones go on beside it. The slug is empty for
// admin.git. Administrators and the host may.
func (s *Store) Maintain(ctx context.Context, c wiki.Caller, slug wiki.Slug) error {
	if err := s.allowAdmin(c); err != nil {
		return err
	}
	r := s.admin
	if slug != "" && slug != admin {
		var err error
		if r, err = s.wiki(slug); err != nil {
			return err
		}
	}
	if !r.stopUpkeep(ctx) {
		return ctx.Err()
	}
	defer r.allowUpkeep()
	if !s.takeHeavy(ctx) {
		return ctx.Err()
	}
	defer func() { <-s.heavy }()
	return errors.Join(r.packRefs(ctx), r.tidy(ctx), r.writeGraph(ctx, "--split"))
}

// quietWait is how long work that must not run beside a push waits for a moment
// without one.
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
			r.keepUp(true)
			r.saveFetches()
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
	r.dropLinks()
	r.roots.clear()
	r.anchors.clear()
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
