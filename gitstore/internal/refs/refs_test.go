package refs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
)

// repo is a bare repository with some commits to point at.
func repo(t testing.TB, commits int) (dir string, tips []plumbing.Hash) {
	t.Helper()
	dir = gitstoretest.Bare(t)
	tree := gitstoretest.GitIn(t, dir, "", "mktree")
	for i := range commits {
		tips = append(tips, plumbing.NewHash(gitstoretest.Git(t, dir, "commit-tree", "-m", fmt.Sprint(i), tree)))
	}
	return dir, tips
}

func set(t *testing.T, d *DB, updates ...Update) error {
	t.Helper()
	return d.Set(context.Background(), updates...)
}

// noLocks fails if a lock was left behind.
func noLocks(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, ".lock") {
			t.Errorf("left behind: %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNamesAreThoseOfGit(t *testing.T) {
	for _, name := range []string{
		"refs/heads/main", "refs/heads/a/b", "refs/heads/a.b", "refs/heads/ä", "refs/heads/-x", "refs/heads/@", "refs/wikibot/proposals/1/rev/2", "refs/heads/a.lock.b",
		"refs/heads/", "refs//heads", "refs/heads/.a", "refs/heads/a.", "refs/heads/a..b", "refs/heads/a.lock", "refs/heads/a b", "refs/heads/a\tb", "refs/heads/a\x7f",
		"refs/heads/a~1", "refs/heads/a^", "refs/heads/a:b", "refs/heads/a?", "refs/heads/a*", "refs/heads/a[", `refs/heads/a\b`, "refs/heads/a@{1}", "refs/heads/a.lock/b", "refs/../x",
	} {
		_, err := gitstoretest.TryGit("", "", "check-ref-format", name)
		if got, want := CheckName(name) == nil, err == nil; got != want {
			t.Errorf("CheckName(%q) says %v, git says %v", name, got, want)
		}
	}
	for _, name := range []string{"", "main", "HEAD", "config", "../x", "/etc/passwd", "refs", "refs/heads/" + strings.Repeat("a", 300)} {
		if CheckName(name) == nil {
			t.Errorf("CheckName(%.20q) accepts it", name)
		}
	}
}

func TestReadsWhatGitWrote(t *testing.T) {
	dir, tips := repo(t, 3)
	d := Open(disk.OS{}, dir)
	gitstoretest.Git(t, dir, "update-ref", "refs/heads/main", tips[0].String())
	gitstoretest.Git(t, dir, "update-ref", "refs/wikibot/audit", tips[1].String())
	gitstoretest.Git(t, dir, "tag", "-a", "-m", "one", "v1", tips[2].String())
	gitstoretest.Git(t, dir, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
	want := gitstoretest.Git(t, dir, "show-ref")
	for _, pack := range []bool{false, true} {
		if pack {
			gitstoretest.Git(t, dir, "pack-refs", "--all")
		}
		list, err := d.List("")
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, r := range list {
			lines = append(lines, r.Hash.String()+" "+r.Name)
			for _, read := range []func(string) (plumbing.Hash, error){d.Read, d.Current, d.Current} {
				if h, err := read(r.Name); err != nil || h != r.Hash {
					t.Errorf("%s = %s, %v; want %s", r.Name, h, err, r.Hash)
				}
			}
		}
		if got := strings.Join(lines, "\n"); got != want {
			t.Errorf("packed %v: got\n%s\nwant\n%s", pack, got, want)
		}
		if pack && list[len(list)-2].Peeled != tips[2] {
			t.Errorf("the tag leads to %s, want %s", list[len(list)-2].Peeled, tips[2])
		}
	}
	if h, err := d.Read("HEAD"); err != nil || h != tips[0] {
		t.Errorf("HEAD = %s, %v", h, err)
	}
	if head, err := d.Head(); err != nil || head != "refs/heads/main" {
		t.Errorf("Head = %s, %v", head, err)
	}
	if list, err := d.List("refs/wiki"); err != nil || len(list) != 1 {
		t.Errorf("List(refs/wiki) = %v, %v", list, err)
	}
	if _, err := d.Current("refs/heads/none"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a missing ref: %v", err)
	}
}

// TestCurrentSeesEveryChange: two changes within one tick of the clock, where
// inode numbers come back, do not deceive the stamp.
func TestCurrentSeesEveryChange(t *testing.T) {
	dir, tips := repo(t, 2)
	d, other := Open(disk.OS{}, dir), Open(disk.OS{}, dir)
	old := plumbing.ZeroHash
	for i := range 500 {
		next := tips[i%2]
		if err := set(t, other, Update{Name: "refs/heads/main", Old: old, New: next}); err != nil {
			t.Fatal(err)
		}
		if h, err := d.Current("refs/heads/main"); err != nil || h != next {
			t.Fatalf("change %d: Current = %s, %v; want %s", i, h, err, next)
		}
		old = next
	}
	before, err := d.Stamp("refs/heads/main", "refs/wikibot/config")
	if err != nil {
		t.Fatal(err)
	}
	if err := set(t, other, Update{Name: "refs/wikibot/config", New: tips[0]}); err != nil {
		t.Fatal(err)
	}
	if after, err := d.Stamp("refs/heads/main", "refs/wikibot/config"); err != nil || after == before {
		t.Errorf("a new ref does not change the stamp (%v)", err)
	}
}

func TestTransaction(t *testing.T) {
	dir, tips := repo(t, 4)
	d := Open(disk.OS{}, dir)
	main, audit := "refs/heads/main", "refs/wikibot/audit"
	if err := set(t, d, Update{Name: audit, New: tips[0]}, Update{Name: main, New: tips[1]}); err != nil {
		t.Fatal(err)
	}
	var stale *StaleError
	err := set(t, d, Update{Name: audit, Old: tips[0], New: tips[2]}, Update{Name: main, Old: tips[0], New: tips[3]})
	if !errors.As(err, &stale) || stale.Ref != main || stale.Found != tips[1] || !errors.Is(err, ErrStale) {
		t.Errorf("a stale update: %v", err)
	}
	if h, _ := d.Read(audit); h != tips[0] {
		t.Errorf("audit moved with a stale update")
	}
	if err := set(t, d, Update{Name: main, New: tips[3]}); !errors.Is(err, ErrStale) {
		t.Errorf("creating what exists: %v", err)
	}
	if err := set(t, d, Update{Name: main, Old: tips[1], New: tips[2]}, Update{Name: audit, Old: tips[1], Verify: true}); !errors.Is(err, ErrStale) {
		t.Errorf("a verification that fails: %v", err)
	}
	tx, err := d.Begin(context.Background(), []Update{{Name: main, Old: tips[1], New: tips[3]}, {Name: audit, Old: tips[0], Verify: true}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gitstoretest.TryGit(dir, "", "update-ref", audit, tips[1].String()); err == nil {
		t.Error("git moved a ref that is locked")
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	tx.Abort()
	if got := gitstoretest.Git(t, dir, "rev-parse", main); got != tips[3].String() {
		t.Errorf("main is at %s, want %s", got, tips[3])
	}
	noLocks(t, dir)
}

func TestDeletion(t *testing.T) {
	dir, tips := repo(t, 2)
	d := Open(disk.OS{}, dir)
	gitstoretest.Git(t, dir, "update-ref", "refs/heads/main", tips[0].String())
	gitstoretest.Git(t, dir, "update-ref", "refs/heads/old", tips[0].String())
	gitstoretest.Git(t, dir, "tag", "-a", "-m", "one", "v1", tips[0].String())
	gitstoretest.Git(t, dir, "pack-refs", "--all")
	gitstoretest.Git(t, dir, "update-ref", "refs/heads/old", tips[1].String()) // loose over packed
	gitstoretest.Git(t, dir, "update-ref", "refs/heads/new", tips[1].String())
	for _, name := range []string{"refs/heads/old", "refs/heads/new"} {
		if err := set(t, d, Update{Name: name, Old: tips[1]}); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Read(name); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s after its deletion: %v", name, err)
		}
	}
	if got := gitstoretest.Git(t, dir, "for-each-ref", "--format=%(refname) %(*objectname)"); got != "refs/heads/main \nrefs/tags/v1 "+tips[0].String() {
		t.Errorf("git sees\n%s", got)
	}
	noLocks(t, dir)
}

func TestFoldersAndFiles(t *testing.T) {
	dir, tips := repo(t, 1)
	d := Open(disk.OS{}, dir)
	create := func(name string) error { return set(t, d, Update{Name: name, New: tips[0]}) }
	remove := func(name string) error { return set(t, d, Update{Name: name, Old: tips[0]}) }
	var conflict *NameConflictError
	for _, packed := range []bool{false, true} {
		if err := create("refs/heads/a"); err != nil {
			t.Fatal(err)
		}
		if packed {
			gitstoretest.Git(t, dir, "pack-refs", "--all")
		}
		if err := create("refs/heads/a/b/c"); !errors.As(err, &conflict) || conflict.Other != "refs/heads/a" {
			t.Errorf("packed %v: a/b/c beside a: %v", packed, err)
		}
		if err := remove("refs/heads/a"); err != nil {
			t.Fatal(err)
		}
		if err := create("refs/heads/a/b/c"); err != nil {
			t.Fatal(err)
		}
		if packed {
			gitstoretest.Git(t, dir, "pack-refs", "--all")
		}
		if err := create("refs/heads/a"); !errors.As(err, &conflict) || conflict.Other != "refs/heads/a/b/c" {
			t.Errorf("packed %v: a beside a/b/c: %v", packed, err)
		}
		if err := remove("refs/heads/a/b/c"); err != nil {
			t.Fatal(err)
		}
		// Empty folders where the file must be, as pack-refs may leave them.
		if err := os.MkdirAll(filepath.Join(dir, "refs/heads/a/b/x"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := create("refs/heads/a"); err != nil {
			t.Errorf("a in the place of empty folders: %v", err)
		}
		if err := remove("refs/heads/a"); err != nil {
			t.Fatal(err)
		}
	}
	noLocks(t, dir)
}

func TestLockIsWaitedFor(t *testing.T) {
	dir, tips := repo(t, 1)
	d := Open(disk.OS{}, dir)
	lock := filepath.Join(dir, "refs/heads/main.lock")
	if err := os.WriteFile(lock, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	var locked *LockedError
	if err := d.Set(ctx, Update{Name: "refs/heads/main", New: tips[0]}); !errors.As(err, &locked) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a lock that stays: %v", err)
	}
	time.AfterFunc(20*time.Millisecond, func() { _ = os.Remove(lock) })
	if err := set(t, d, Update{Name: "refs/heads/main", New: tips[0]}); err != nil {
		t.Errorf("a lock that goes: %v", err)
	}
}

// TestFailureKeepsTheOldState: whichever operation fails, the error is the
// disk's, the refs are where they were, and no lock stays.
func TestFailureKeepsTheOldState(t *testing.T) {
	main, audit := "refs/heads/main", "refs/wikibot/audit"
	for _, op := range []disk.Op{disk.OpCreate, disk.OpWrite, disk.OpSync, disk.OpRename, disk.OpSyncDir} {
		for n := 1; n <= 2; n++ {
			t.Run(fmt.Sprintf("%s %d", op, n), func(t *testing.T) {
				dir, tips := repo(t, 4)
				faulty := disk.NewFaulty(disk.OS{})
				d := Open(faulty, dir)
				if err := set(t, d, Update{Name: audit, New: tips[0]}, Update{Name: main, New: tips[1]}); err != nil {
					t.Fatal(err)
				}
				faulty.Set(disk.Fault{Op: op, N: n, Err: syscall.EIO})
				err := set(t, d, Update{Name: audit, Old: tips[0], New: tips[2]}, Update{Name: main, Old: tips[1], New: tips[3]})
				if !errors.Is(err, syscall.EIO) {
					t.Errorf("got %v, want EIO", err)
				}
				a, _ := d.Read(audit)
				m, _ := d.Read(main)
				if a != tips[0] || m != tips[1] {
					t.Errorf("audit %s, main %s; want %s, %s", a, m, tips[0], tips[1])
				}
				noLocks(t, dir)
			})
		}
	}
}

func TestDamagedRefsAreErrors(t *testing.T) {
	dir, tips := repo(t, 1)
	d := Open(disk.OS{}, dir)
	for _, text := range []string{"", "abc\n", strings.Repeat("g", 40) + "\n", tips[0].String() + "x\n", "ref: ../../etc/passwd\n", "ref: refs/heads/main\n"} {
		if err := os.WriteFile(filepath.Join(dir, "refs/heads/main"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if h, err := d.Read("refs/heads/main"); !errors.Is(err, ErrDamaged) {
			t.Errorf("a ref file of %q: %s, %v", text, h, err)
		}
		if err := set(t, d, Update{Name: "refs/heads/main", New: tips[0]}); err == nil {
			t.Errorf("a ref file of %q is overwritten as if it were not there", text)
		}
	}
	noLocks(t, dir)
}

func TestSetHead(t *testing.T) {
	dir, _ := repo(t, 1)
	d := Open(disk.OS{}, dir)
	if err := d.SetHead(context.Background(), "refs/heads/trunk"); err != nil {
		t.Fatal(err)
	}
	if got := gitstoretest.Git(t, dir, "symbolic-ref", "HEAD"); got != "refs/heads/trunk" {
		t.Errorf("HEAD names %s", got)
	}
	if err := d.SetHead(context.Background(), "refs/tags/x"); err == nil {
		t.Error("HEAD may name a tag")
	}
}
