package refs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
)

// peelWith asks git what an object leads to.
func peelWith(t testing.TB, dir string) func(plumbing.Hash) (plumbing.Hash, error) {
	return func(oid plumbing.Hash) (plumbing.Hash, error) {
		kind, err := gitstoretest.TryGit(dir, "", "cat-file", "-t", oid.String())
		if err != nil || kind != "tag" {
			return plumbing.ZeroHash, err
		}
		return plumbing.NewHash(gitstoretest.Git(t, dir, "rev-parse", oid.String()+"^{}")), nil
	}
}

func leaveNone(string) bool { return false }

// TestPackWritesWhatGitWrites packs the refs of one repository by stock git and by
// us: the files are the same, byte for byte, and so are the refs.
func TestPackWritesWhatGitWrites(t *testing.T) {
	dir, tips := repo(t, 3)
	gitstoretest.Git(t, dir, "update-ref", "refs/heads/main", tips[0].String())
	gitstoretest.Git(t, dir, "update-ref", "refs/heads/a/b/c", tips[1].String())
	gitstoretest.Git(t, dir, "update-ref", "refs/wikibot/audit", tips[2].String())
	gitstoretest.Git(t, dir, "tag", "v1", tips[1].String())
	gitstoretest.Git(t, dir, "tag", "-a", "-m", "two", "v2", tips[2].String())
	gitstoretest.Git(t, dir, "pack-refs", "--all")
	gitstoretest.Git(t, dir, "tag", "-a", "-m", "of a tag", "v3", "v2")
	gitstoretest.Git(t, dir, "tag", "-f", "v1", tips[0].String())
	gitstoretest.Git(t, dir, "symbolic-ref", "refs/heads/alias", "refs/heads/main")
	other := filepath.Join(t.TempDir(), "other.git")
	if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	before := gitstoretest.Git(t, dir, "show-ref", "-d")
	gitstoretest.Git(t, other, "pack-refs", "--all")

	d := Open(disk.OS{}, dir)
	d.pause = 0
	n, err := d.Pack(context.Background(), PackOptions{Leave: leaveNone, Peel: peelWith(t, dir)})
	if n != 2 || err != nil { // v1 and v3; the others are packed, the symbolic one cannot be
		t.Errorf("packed %d refs, %v", n, err)
	}
	got, _ := os.ReadFile(filepath.Join(dir, "packed-refs"))
	want, _ := os.ReadFile(filepath.Join(other, "packed-refs"))
	if string(got) != string(want) {
		t.Errorf("packed-refs is\n%s\ngit writes\n%s", got, want)
	}
	if after := gitstoretest.Git(t, dir, "show-ref", "-d"); after != before {
		t.Errorf("the refs were\n%s\nand are\n%s", before, after)
	}
	if _, err := os.Stat(filepath.Join(dir, "refs/heads/a")); err == nil {
		t.Error("an empty folder of refs stays")
	}
	noLocks(t, dir)
}

func TestPackLeavesWhatItMust(t *testing.T) {
	dir, tips := repo(t, 2)
	d := Open(disk.OS{}, dir)
	for _, name := range []string{"refs/heads/main", "refs/wikibot/audit", "refs/tags/a", "refs/tags/b"} {
		if err := set(t, d, Update{Name: name, New: tips[0]}); err != nil {
			t.Fatal(err)
		}
	}
	missing := strings.Repeat("ab", 20)
	for name, text := range map[string]string{"refs/tags/damaged": "no ref\n", "refs/tags/dangling": missing + "\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := PackOptions{
		Leave: func(name string) bool { return name == "refs/heads/main" || strings.HasPrefix(name, "refs/wikibot/") },
		Above: 4, Peel: peelWith(t, dir),
	}
	ctx := context.Background()
	if n, err := d.Pack(ctx, o); n != 0 || err != nil {
		t.Errorf("4 refs are not above 4, but %d were packed, %v", n, err)
	}
	o.Above = 3
	if n, err := d.Pack(ctx, o); n != 2 || err != nil {
		t.Errorf("packed %d, %v; want a and b", n, err)
	}
	for _, name := range []string{"refs/heads/main", "refs/wikibot/audit", "refs/tags/damaged", "refs/tags/dangling"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s is not loose any more", name)
		}
	}
	o.Above = 0
	if _, err := d.Pack(ctx, o); !errors.Is(err, ErrTooSoon) {
		t.Errorf("packed again at once: %v", err)
	}
	d.pause = 0
	lock := filepath.Join(dir, "refs/tags/c.lock")
	if err := errors.Join(set(t, d, Update{Name: "refs/tags/c", New: tips[1]}), os.WriteFile(lock, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if n, err := d.Pack(ctx, o); n != 0 || err != nil {
		t.Errorf("%d loose refs went, %v; c is locked", n, err)
	}
	if got, err := d.Read("refs/tags/c"); err != nil || got != tips[1] {
		t.Errorf("c is at %s, %v", got, err)
	}
	if err := os.Remove(lock); err != nil {
		t.Fatal(err)
	}
	noLocks(t, dir)
}

// TestDeletionBesidePack: a ref that is deleted while it is being packed does not
// come back, whichever of the two is first.
func TestDeletionBesidePack(t *testing.T) {
	dir, tips := repo(t, 1)
	d := Open(disk.OS{}, dir)
	d.pause = 0
	ctx := context.Background()
	for round := range 100 {
		var names []string
		for i := range 8 {
			names = append(names, fmt.Sprintf("refs/tags/r%d/v%d", round, i))
		}
		for _, name := range names {
			if err := set(t, d, Update{Name: name, New: tips[0]}); err != nil {
				t.Fatal(err)
			}
		}
		var both sync.WaitGroup
		both.Go(func() {
			if _, err := d.Pack(ctx, PackOptions{Leave: leaveNone, Peel: func(plumbing.Hash) (plumbing.Hash, error) { return plumbing.ZeroHash, nil }}); err != nil {
				t.Error(err)
			}
		})
		both.Go(func() {
			time.Sleep(rand.N(2 * time.Millisecond))
			for _, name := range names {
				if err := d.Set(ctx, Update{Name: name, Old: tips[0]}); err != nil {
					t.Error(err)
				}
			}
		})
		both.Wait()
		if list, err := d.List(fmt.Sprintf("refs/tags/r%d/", round)); err != nil || len(list) > 0 {
			t.Fatalf("round %d: %v came back, %v", round, list, err)
		}
	}
	noLocks(t, dir)
}

// TestPackSurvivesAFailingDisk: whichever operation fails, the refs are what they
// were.
func TestPackSurvivesAFailingDisk(t *testing.T) {
	dir, tips := repo(t, 1)
	faulty := disk.NewFaulty(disk.OS{})
	d := Open(faulty, dir)
	d.pause = 0
	o := PackOptions{Leave: leaveNone, Peel: func(plumbing.Hash) (plumbing.Hash, error) { return plumbing.ZeroHash, nil }}
	var want []Ref
	for i := range 5 {
		r := Ref{Name: fmt.Sprintf("refs/tags/v%d", i), Hash: tips[0]}
		want = append(want, r)
		if err := set(t, d, Update{Name: r.Name, New: r.Hash}); err != nil {
			t.Fatal(err)
		}
	}
	failures := 0
	for _, op := range []disk.Op{disk.OpCreate, disk.OpWrite, disk.OpSync, disk.OpRename, disk.OpSyncDir, disk.OpRemove} {
		for n := 1; n < 12; n++ {
			faulty.Set(disk.Fault{Op: op, N: n, Err: errors.New("the disk fails")})
			if _, err := d.Pack(context.Background(), o); err != nil {
				failures++
			}
			faulty.Set()
			if list, err := d.List(""); err != nil || fmt.Sprint(list) != fmt.Sprint(want) {
				t.Errorf("%s %d: the refs are %v, %v", op, n, list, err)
			}
			for _, lock := range []string{"packed-refs.lock", "packed-refs.new"} { // as the next start does
				_ = os.Remove(filepath.Join(dir, lock))
			}
			for _, r := range want { // loose again, for the next round
				_ = os.Remove(filepath.Join(dir, r.Name+".lock"))
				if err := set(t, d, Update{Name: r.Name, Old: r.Hash, New: r.Hash}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if failures < 6 {
		t.Errorf("only %d of the faults were met: the test shows little", failures)
	}
}

// TestEachPackedRefsHasItsOwnInode: stock git goes by it.
func TestEachPackedRefsHasItsOwnInode(t *testing.T) {
	dir, tips := repo(t, 2)
	d := Open(disk.OS{}, dir)
	d.pause = 0
	seen := map[uint64]bool{}
	old := plumbing.ZeroHash
	for i := range 20 {
		if err := set(t, d, Update{Name: "refs/tags/v1", Old: old, New: tips[i%2]}); err != nil {
			t.Fatal(err)
		}
		old = tips[i%2]
		if _, err := d.Pack(context.Background(), PackOptions{Leave: leaveNone, Peel: func(plumbing.Hash) (plumbing.Hash, error) { return plumbing.ZeroHash, nil }}); err != nil {
			t.Fatal(err)
		}
		stamp, err := disk.StampOf(filepath.Join(dir, "packed-refs"))
		if err != nil {
			t.Fatal(err)
		}
		if seen[stamp.Inode] {
			t.Fatalf("packed-refs number %d has an inode that another one had a moment ago", i)
		}
		seen[stamp.Inode] = true
	}
}
