package refs

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
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
func TestRaceWithGit(t *testing.T) {
	dir := gitstoretest.Bare(t)
	r := &race{t: t, dir: dir, tree: gitstoretest.GitIn(t, dir, "", "mktree"), end: time.Now().Add(5 * time.Second)}
	var all sync.WaitGroup
	counts := map[string]*atomic.Int64{}
	start := func(name string, worker func(n *atomic.Int64)) {
		n := counts[name]
		if n == nil {
			n = new(atomic.Int64)
			counts[name] = n
		}
		all.Go(func() { worker(n) })
	}
	start("ours", r.ours)
	start("ours", r.ours)
	start("git update-ref", r.native)
	start("git push", r.push)
	start("git pack-refs", r.pack)
	all.Wait()
	tip, err := Open(disk.OS{}, dir).Read("refs/heads/main")
	if err != nil {
		t.Fatal(err)
	}
	if got := gitstoretest.Git(t, dir, "rev-parse", "refs/heads/main"); got != tip.String() {
		t.Errorf("git sees main at %s, we at %s", got, tip)
	}
	there := map[string]bool{}
	for line := range strings.SplitSeq(gitstoretest.Git(t, dir, "rev-list", "main"), "\n") {
		there[line] = true
	}
	lost := 0
	for _, oid := range r.acknowledged {
		if !there[oid] {
			lost++
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
	noLocks(t, dir)
}

type race struct {
	t         *testing.T
	dir, tree string
	end       time.Time
	serial    atomic.Int64

	mu           sync.Mutex
	acknowledged []string // guarded by mu
}

func (r *race) running() bool { return time.Now().Before(r.end) && !r.t.Failed() }

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

func (r *race) ack(oid string, n *atomic.Int64) {
	n.Add(1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acknowledged = append(r.acknowledged, oid)
}

func (r *race) ours(n *atomic.Int64) {
	d := Open(disk.OS{}, r.dir)
	for r.running() {
		// A push takes 50 ms from fetch to lock: without gaps none would land.
		time.Sleep(rand.N(200 * time.Millisecond))
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
			r.ack(next, n)
		case !errors.Is(err, ErrStale):
			r.t.Error(err)
		}
	}
}

func (r *race) native(n *atomic.Int64) {
	for r.running() {
		time.Sleep(rand.N(200 * time.Millisecond))
		old, err := gitstoretest.TryGit(r.dir, "", "rev-parse", "-q", "--verify", "refs/heads/main")
		if err != nil {
			continue
		}
		next := r.commit(old)
		if _, err := gitstoretest.TryGit(r.dir, "", "update-ref", "refs/heads/main", next, old); err == nil {
			r.ack(next, n)
		}
	}
}

func (r *race) pack(n *atomic.Int64) {
	for r.running() {
		if _, err := gitstoretest.TryGit(r.dir, "", "pack-refs", "--all"); err == nil {
			n.Add(1)
		}
		time.Sleep(5 * time.Millisecond)
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
			r.ack(out, n)
		}
	}
}
