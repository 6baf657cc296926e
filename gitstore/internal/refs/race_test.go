package refs

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
)

// TestRaceWithGit lets transactions of ours, `git update-ref`, `git push` and
// `git pack-refs` move one branch at once for some seconds. Every acknowledged
// commit must be an ancestor of the branch in the end.
//
// pack-refs runs less than once a second: stock git knows packed-refs by its
// inode, its size and the second, so a process that waits for a lock while the
// file is written twice in one second can take an old value for the current one
// and move the branch off it (git 2.39; nothing of ours is needed for it).
func TestRaceWithGit(t *testing.T) {
	r := newRace(t, 1100*time.Millisecond)
	r.run(map[string][]worker{
		"ours": {r.ours, r.ours}, "git update-ref": {r.native}, "git push": {r.push}, "git pack-refs": {r.pack},
	})
}

// TestRaceWithPackRefs packs as fast as it can; all that move the branch are
// ours, which know the file by the nanosecond.
func TestRaceWithPackRefs(t *testing.T) {
	r := newRace(t, 0)
	r.run(map[string][]worker{"ours": {r.ours, r.ours, r.ours}, "git pack-refs": {r.pack, r.pack}})
}

// TestRaceWithOurPack packs in process, as the upkeep does, but a hundred times as
// often: stock git is not deceived, since no packed-refs gets the inode of the one
// before it.
func TestRaceWithOurPack(t *testing.T) {
	r := newRace(t, 20*time.Millisecond)
	r.run(map[string][]worker{
		"ours": {r.ours, r.ours}, "git update-ref": {r.native, r.native}, "git push": {r.push}, "our pack": {r.ourPack},
	})
}

type worker func(n *atomic.Int64)

func newRace(t *testing.T, pause time.Duration) *race {
	dir := gitstoretest.Bare(t)
	return &race{t: t, dir: dir, tree: gitstoretest.GitIn(t, dir, "", "mktree"), pause: pause, start: time.Now(), by: map[string]string{}}
}

// run lets the workers race and checks what is left.
func (r *race) run(workers map[string][]worker) {
	t := r.t
	var all sync.WaitGroup
	counts := map[string]*atomic.Int64{}
	for name := range workers {
		counts[name] = new(atomic.Int64)
		r.counts = append(r.counts, counts[name])
	}
	for name, list := range workers {
		for _, w := range list {
			all.Go(func() { w(counts[name]) })
		}
	}
	all.Wait()
	tip, err := Open(disk.OS{}, r.dir).Read("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	if got := gitstoretest.Git(t, r.dir, "rev-parse", "refs/heads/main"); got != tip.String() {
		t.Errorf("git sees main at %s, we at %s", got, tip)
	}
	there := map[string]bool{}
	for line := range strings.SplitSeq(gitstoretest.Git(t, r.dir, "rev-list", "main"), "\n") {
		there[line] = true
	}
	lost := 0
	for _, oid := range r.acknowledged {
		if !there[oid] {
			lost++
			r.blame(oid)
		}
	}
	if lost > 0 {
		t.Errorf("%d of %d acknowledged commits are lost", lost, len(r.acknowledged))
	}
	for name, n := range counts {
		t.Logf("%s: %d", name, n.Load())
		if n.Load() == 0 {
			t.Errorf("%s never succeeded: the test shows nothing", name)
		}
	}
	noLocks(t, r.dir)
}

type race struct {
	t         *testing.T
	dir, tree string
	start     time.Time
	pause     time.Duration // between two packings
	counts    []*atomic.Int64
	serial    atomic.Int64

	mu           sync.Mutex
	acknowledged []string          // guarded by mu
	by           map[string]string // who made it; guarded by mu
}

// blame logs who moved the branch away from a lost commit: the one that stands
// in its place on the same parent.
func (r *race) blame(lost string) {
	r.t.Helper()
	parent := gitstoretest.Git(r.t, r.dir, "rev-parse", lost+"^")
	for line := range strings.SplitSeq(gitstoretest.Git(r.t, r.dir, "rev-list", "--children", "main"), "\n") {
		if rest, ok := strings.CutPrefix(line, parent+" "); ok {
			r.t.Logf("%s by %s was overwritten by %s", lost, r.by[lost], r.by[rest])
		}
	}
}

// gap lets others in: a push takes 50 ms from fetch to lock, and on a busy machine many
// times as long, so the gaps grow until one lands.
func (r *race) gap() {
	time.Sleep(rand.N(200*time.Millisecond + time.Since(r.start)/10))
}

// running is true for 5 seconds, and on a busy machine up to 60, until everyone
// has succeeded once.
func (r *race) running() bool {
	took := time.Since(r.start)
	if r.t.Failed() || took > 60*time.Second {
		return false
	}
	return took < 5*time.Second || slices.ContainsFunc(r.counts, func(n *atomic.Int64) bool { return n.Load() == 0 })
}

// commit makes a new commit on parent ("" for none).
func (r *race) commit(parent string) string {
	args := []string{"commit-tree", "-m", strconv.FormatInt(r.serial.Add(1), 10), r.tree}
	if parent != "" {
		args = append(args, "-p", parent)
	}
	out, err := gitstoretest.TryGit(r.dir, "", args...)
	if err != nil {
		r.t.Errorf("git commit-tree: %v %s", err, out)
	}
	return out
}

func (r *race) ack(who, oid string, n *atomic.Int64) {
	n.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.by[oid] = who
	r.acknowledged = append(r.acknowledged, oid)
}

func (r *race) ours(n *atomic.Int64) {
	d := Open(disk.OS{}, r.dir)
	for r.running() {
		r.gap()
		old, err := d.Current("refs/heads/main")
		parent := old.String()
		if errors.Is(err, ErrNotFound) {
			parent, err = "", nil
		}
		if err != nil {
			r.t.Error(err)
			return
		}
		next := r.commit(parent)
		err = d.Set(context.Background(), Update{Name: "refs/heads/main", Old: old, New: plumbing.NewHash(next)})
		switch {
		case err == nil:
			r.ack("ours", next, n)
		case !errors.Is(err, ErrStale):
			r.t.Error(err)
		}
	}
}

func (r *race) native(n *atomic.Int64) {
	for r.running() {
		r.gap()
		old, err := gitstoretest.TryGit(r.dir, "", "rev-parse", "-q", "--verify", "refs/heads/main")
		if err != nil {
			continue
		}
		next := r.commit(old)
		if _, err := gitstoretest.TryGit(r.dir, "", "update-ref", "refs/heads/main", next, old); err == nil {
			r.ack("update-ref", next, n)
		}
	}
}

func (r *race) pack(n *atomic.Int64) {
	for r.running() {
		if _, err := gitstoretest.TryGit(r.dir, "", "pack-refs", "--all"); err == nil {
			n.Add(1)
		}
		time.Sleep(r.pause)
	}
}

func (r *race) ourPack(n *atomic.Int64) {
	d := Open(disk.OS{}, r.dir)
	d.pause = 0
	for r.running() {
		_, err := d.Pack(context.Background(), PackOptions{Leave: leaveNone, Peel: func(plumbing.Hash) (plumbing.Hash, error) { return plumbing.ZeroHash, nil }})
		if err != nil {
			r.t.Error(err)
			return
		}
		n.Add(1)
		time.Sleep(r.pause)
	}
}

// push commits in a clone that shares the objects, and pushes.
func (r *race) push(n *atomic.Int64) {
	clone := filepath.Join(r.t.TempDir(), "clone")
	for r.running() {
		if _, err := os.Stat(clone); err != nil {
			if _, err := gitstoretest.TryGit("", "", "clone", "-q", r.dir, clone); err != nil {
				continue
			}
		}
		_, _ = gitstoretest.TryGit(clone, "", "fetch", "-q")
		out, err := gitstoretest.TryGit(clone, "", "commit-tree", "-m", strconv.FormatInt(r.serial.Add(1), 10), "-p", "origin/main", r.tree)
		if err != nil {
			continue // cloned before the first commit
		}
		cmd := exec.Command("git", "push", "-q", "origin", out+":refs/heads/main")
		cmd.Dir, cmd.Env = clone, gitstoretest.Env()
		if cmd.Run() == nil {
			r.ack("push", out, n)
		}
	}
}
