package objects

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
	"wikibot/gitstore/internal/refs"
)

const (
	mainRef  = "refs/heads/main"
	auditRef = "refs/wikibot/audit"
	otherRef = "refs/proposals/1/head"
)

// lean is a bare repository with as few files as git allows, since every state
// is written out.
func lean(t *testing.T) string {
	dir := gitstoretest.Bare(t)
	for _, name := range []string{"hooks", "info", "description", "branches", "objects/info", "refs/tags"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// inMemory is a temporary folder in memory where there is one: hundreds of
// states are written out.
func inMemory(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "wikibot-crash-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// TestCrashes replays the commit path: batches, transactions of two refs (the
// audit's first), a fold, a ref in a new folder and its deletion. Each state
// that a crash can leave holds every commit acknowledged before it, whole, and
// an audit that is not behind.
func TestCrashes(t *testing.T) {
	dir := lean(t)
	r, err := disk.NewRecorder(dir)
	if err != nil {
		t.Fatal(err)
	}
	record(t, r, dir)
	states, checked, failures := 0, 0, 0
	for c, err := range r.Crashes(inMemory(t)) {
		if err != nil {
			t.Fatal(err)
		}
		if err := recovered(c); err != nil {
			t.Errorf("after %d operations (the last: %s), lost %s: %v", c.Point, r.Operations()[max(c.Point-1, 0)], c.Lost, err)
			if failures++; failures > 20 {
				t.FailNow()
			}
		}
		if states++; states%40 == 0 && len(c.Marks) > 0 {
			checked++
			if out, err := gitstoretest.TryGit(c.Dir, "", "fsck", "--strict", "--no-dangling"); err != nil {
				t.Errorf("after %d operations, lost %s: git fsck: %s", c.Point, c.Lost, out)
			}
		}
	}
	t.Logf("%d operations, %d states, %d of them by git fsck", len(r.Operations()), states, checked)
	if states < 200 || checked < 5 {
		t.Errorf("%d states, %d by git: the recorder shows too little", states, checked)
	}
}

// record does what the store does, and marks each commit once it is acknowledged.
func record(t *testing.T, fsys *disk.Recorder, dir string) {
	t.Helper()
	db, err := Open(fsys, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	rs := refs.Open(fsys, dir)
	set := func(updates ...refs.Update) {
		t.Helper()
		if err := rs.Set(context.Background(), updates...); err != nil {
			t.Fatal(err)
		}
	}
	e := &editor{tb: t, db: db}
	for i := range 5 {
		b := db.NewBatch()
		old := e.head
		for range 2 {
			oid := e.add(b, plumbing.BlobObject, []byte(gitstoretest.Page(i, e.revision)))
			e.entries = append(e.entries, TreeEntry{filemode.Regular, gitstoretest.PagePath(e.revision)[8:], oid})
			e.revision++
			e.commit(b)
		}
		e.write(b)
		set(refs.Update{Name: auditRef, Old: old, New: e.head}, refs.Update{Name: mainRef, Old: old, New: e.head})
		fsys.Mark(e.head.String())
		switch i {
		case 2:
			if res, err := db.Fold(context.Background(), FoldOptions{FanIn: 3}); err != nil || res.Folded != 3 {
				t.Fatalf("Fold = %+v, %v", res, err)
			}
		case 3:
			set(refs.Update{Name: otherRef, New: e.head})
		}
	}
	gitstoretest.Git(t, dir, "fsck", "--strict")
	set(refs.Update{Name: otherRef, Old: head(t, rs, otherRef)})
}

func head(t *testing.T, rs *refs.DB, name string) plumbing.Hash {
	t.Helper()
	h, err := rs.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// recovered checks one state with our readers.
func recovered(c disk.Crash) error {
	db, err := Open(disk.OS{}, c.Dir, nil)
	if err != nil {
		return err
	}
	if err := db.Damage(); err != nil {
		return err
	}
	rs := refs.Open(disk.OS{}, c.Dir)
	tips, err := rs.List("")
	if err != nil {
		return err
	}
	reached := map[string]map[string]bool{}
	for _, r := range tips {
		if reached[r.Name], err = history(db, r.Hash); err != nil {
			return err
		}
	}
	for _, mark := range c.Marks {
		if !reached[mainRef][mark] {
			return errors.New("main has lost the acknowledged " + mark)
		}
	}
	for oid := range reached[mainRef] {
		if !reached[auditRef][oid] {
			return errors.New("the audit does not know " + oid)
		}
	}
	return nil
}

// history walks a branch and reads everything on it.
func history(db *DB, oid plumbing.Hash) (map[string]bool, error) {
	seen := map[string]bool{}
	for !oid.IsZero() {
		seen[oid.String()] = true
		_, data, err := db.Get(oid)
		if err != nil {
			return nil, err
		}
		c, err := ParseCommit(data)
		if err != nil {
			return nil, err
		}
		_, tree, err := db.Get(c.Tree)
		if err != nil {
			return nil, err
		}
		for e, err := range ParseTree(tree) {
			if err != nil {
				return nil, err
			}
			if _, _, err := db.Get(e.Hash); err != nil {
				return nil, err
			}
		}
		oid = plumbing.ZeroHash
		if len(c.Parents) > 0 {
			oid = c.Parents[0]
		}
	}
	return seen, nil
}
