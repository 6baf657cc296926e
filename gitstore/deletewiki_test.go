package gitstore

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

	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
	"wikibot/wiki"
)

// everyFault calls once for each operation that the first call meets, with that
// one failing, or with -short for some of them; once makes its own site and says
// whether the fault was met.
func everyFault(t *testing.T, once func(fault disk.Fault) (met bool)) {
	t.Helper()
	met, step := 0, 1
	if testing.Short() {
		step = 5
	}
	for _, op := range []disk.Op{disk.OpCreate, disk.OpWrite, disk.OpSync, disk.OpRename, disk.OpMkdir, disk.OpSyncDir} {
		for n := 1; n < 60 && once(disk.Fault{Op: op, N: n, Err: syscall.EIO}); n += step {
			met++
		}
	}
	if met < 10/step {
		t.Errorf("only %d faults were met: the test shows little", met)
	}
}

// settled waits until nothing is left to do for a wiki that is deleted.
func settled(t *testing.T, s *Store, slug wiki.Slug) {
	t.Helper()
	for range 1000 {
		if _, err := os.Stat(s.wikiDir(slug)); err != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("the repository of %s stays", slug)
}

// oneBundle: the wiki is gone and all of it is in exactly one bundle.
func oneBundle(t *testing.T, s *Store, slug wiki.Slug, refs string) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(s.DeletedDir(), "*"))
	if err != nil || len(list) != 1 {
		t.Fatalf("in %s there are %v, %v", s.DeletedDir(), list, err)
	}
	clone := filepath.Join(t.TempDir(), "clone.git")
	gitstoretest.Git(t, "", "clone", "-q", "--mirror", list[0], clone)
	if got := gitstoretest.Git(t, clone, "for-each-ref"); got != refs {
		t.Errorf("the bundle has\n%s\nthe wiki had\n%s", got, refs)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(s.wikiDir(slug)), ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the wikis' folder: %v, %v", left, err)
	}
}

// TestDeletionOnAFailingDisk: whichever operation fails, there is either the wiki or
// its tombstone, and after the next start the tombstone has its bundle.
func TestDeletionOnAFailingDisk(t *testing.T) {
	ctx := context.Background()
	outcomes := map[string]int{}
	everyFault(t, func(fault disk.Fault) bool {
		dir := filepath.Join(memory(t), "data")
		x := newTroubled(t, dir)
		refs := gitstoretest.Git(t, x.s.wikiDir("notes"), "for-each-ref")
		x.disk.Set(fault)
		_, err := x.s.DeleteWiki(ctx, owner, "notes", "notes")
		met := x.disk.Count(fault.Op) >= fault.N
		x.disk.Set()
		_, seen := x.s.View(ctx, owner, "notes")
		switch {
		case err == nil:
			outcomes["deleted"]++
		case seen == nil:
			outcomes["nothing"]++
			if got := gitstoretest.Git(t, x.s.wikiDir("notes"), "for-each-ref"); got != refs {
				t.Errorf("%v: the wiki was not deleted, and its refs are\n%s", fault, got)
			}
			if _, err := x.s.Update(ctx, owner, "notes", Meta{}, func(tx *Tx) error { return tx.Put("After", []byte("x"), PutOptions{Create: true}) }); err != nil {
				t.Errorf("%v: the wiki was not deleted and cannot be written: %v", fault, err)
			}
			refs = gitstoretest.Git(t, x.s.wikiDir("notes"), "for-each-ref")
		default:
			outcomes["half"]++
			if !errors.Is(seen, wiki.ErrNotFound) {
				t.Errorf("%v: the wiki is deleted, and a reader is told %v", fault, seen)
			}
		}
		if err := x.s.Close(); err != nil {
			t.Error(err)
		}
		if x.s, err = quiet(dir, x.disk); err != nil {
			t.Fatalf("%v: %v", fault, err)
		}
		if seen == nil {
			if _, err := x.s.DeleteWiki(ctx, owner, "notes", "notes"); err != nil {
				t.Errorf("%v, and again: %v", fault, err)
			}
		}
		settled(t, x.s, "notes")
		if err := x.s.Close(); err != nil { // waits for the work in the background
			t.Error(err)
		}
		if x.s, err = quiet(dir, x.disk); err != nil {
			t.Fatal(err)
		}
		oneBundle(t, x.s, "notes", refs)
		return met
	})
	if len(outcomes) != 3 && !testing.Short() {
		t.Errorf("of the three outcomes there were %v", outcomes)
	}
}

// TestStartAfterADeletion: the machine stops after each step of a deletion.
func TestStartAfterADeletion(t *testing.T) {
	whole := func(t *testing.T, s *Store, r *repo) string {
		file, err := s.bundle(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		return file
	}
	for name, leave := range map[string]func(t *testing.T, s *Store, r *repo){
		"the record": func(*testing.T, *Store, *repo) {},
		"half of the bundle": func(t *testing.T, s *Store, _ *repo) {
			err := errors.Join(os.MkdirAll(filepath.Join(s.DeletedDir(), tmpPrefix+"check-ab"), 0o700), os.WriteFile(filepath.Join(s.DeletedDir(), tmpPrefix+"notes-ab"), []byte("# v2 git bundle\n"), 0o600))
			if err != nil {
				t.Fatal(err)
			}
		},
		"the bundle": func(t *testing.T, s *Store, r *repo) { whole(t, s, r) },
		"a bundle that is cut short": func(t *testing.T, s *Store, r *repo) {
			file := whole(t, s, r)
			info, err := os.Stat(file)
			if err == nil {
				err = os.Truncate(file, info.Size()-100)
			}
			if err != nil {
				t.Fatal(err)
			}
		},
		"the repository out of its place": func(t *testing.T, s *Store, r *repo) {
			whole(t, s, r)
			if err := os.Rename(r.dir, filepath.Join(filepath.Dir(r.dir), tmpPrefix+"notes-ab")); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			x := newTroubled(t, dir)
			refs := gitstoretest.Git(t, x.s.wikiDir("notes"), "for-each-ref")
			r, err := x.s.wiki("notes")
			if err != nil {
				t.Fatal(err)
			}
			leave(t, x.s, r)
			if err := x.s.Close(); err != nil {
				t.Fatal(err)
			}
			deleteBehind(t, dir)
			if x.s, err = quiet(dir, x.disk); err != nil {
				t.Fatal(err)
			}
			settled(t, x.s, "notes")
			if err := x.s.Close(); err != nil {
				t.Fatal(err)
			}
			if x.s, err = quiet(dir, x.disk); err != nil {
				t.Fatal(err)
			}
			if name == "a bundle that is cut short" {
				list, _ := filepath.Glob(filepath.Join(x.s.DeletedDir(), "*"))
				if len(list) == 2 { // made within another second
					if err := os.Remove(list[0]); err != nil {
						t.Fatal(err)
					}
				}
			}
			oneBundle(t, x.s, "notes", refs)
		})
	}
}

// deleteBehind writes deleted = true into the record of notes while nothing is
// served.
func deleteBehind(t *testing.T, dir string) {
	t.Helper()
	admin, clone := filepath.Join(dir, "admin.git"), filepath.Join(t.TempDir(), "clone")
	gitstoretest.Git(t, "", "clone", "-q", admin, clone)
	file := filepath.Join(clone, wikiFile("notes"))
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(file, []byte(strings.Replace(string(text), "deleted = false", "deleted = true", 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	gitstoretest.Git(t, clone, "commit", "-qam", "Delete notes")
	gitstoretest.Git(t, admin, "fetch", "-q", clone, "main")
	for _, ref := range []string{refMain, refGood} { // as the server leaves them that has accepted it
		gitstoretest.Git(t, admin, "update-ref", ref, "FETCH_HEAD")
	}
}

// TestWhoDeletes is the table of who may.
func TestWhoDeletes(t *testing.T) {
	ctx := context.Background()
	x := newTroubled(t, filepath.Join(t.TempDir(), "data"))
	if err := errors.Join(x.s.AddUser(ctx, operator, NewUser{Name: "boss", Admin: true}), x.s.AddUser(ctx, operator, NewUser{Name: "mallory"})); err != nil {
		t.Fatal(err)
	}
	for who, want := range map[*wiki.Caller]error{
		{}:                                     wiki.ErrNotFound,
		{User: "mallory"}:                      wiki.ErrNotFound,
		{User: "bob"}:                          wiki.ErrForbidden,
		{User: "alice", Narrowed: wiki.Editor}: wiki.ErrForbidden,
		{User: "boss", Narrowed: wiki.Owner}:   wiki.ErrNotFound,
		{Site: true, Only: "notes", Narrowed: wiki.Owner}: wiki.ErrNotFound, // bound to no id
		{User: "alice"}: wiki.ErrInvalid, // who may, and does not confirm it
		{User: "boss"}:  wiki.ErrInvalid,
		{Host: true}:    wiki.ErrInvalid,
	} {
		if _, err := x.s.DeleteWiki(ctx, *who, "notes", "note"); !errors.Is(err, want) {
			t.Errorf("%+v: %v, want %v", *who, err, want)
		}
		if _, err := x.s.DeleteWiki(ctx, *who, "nothere", "nothere"); !errors.Is(err, wiki.ErrNotFound) {
			t.Errorf("%+v, a wiki that there is not: %v", *who, err)
		}
	}
	if _, err := x.s.DeleteWiki(ctx, wiki.Caller{User: "boss"}, "notes", "notes"); err != nil {
		t.Error(err)
	}
	if _, err := x.s.DeleteWiki(ctx, operator, "notes", "notes"); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
}

// TestPushedWikiOnAFailingDisk: a push to admin.git that makes a wiki and fails
// leaves nothing of it, and works when it is pushed again.
func TestPushedWikiOnAFailingDisk(t *testing.T) {
	ctx := context.Background()
	failed := 0
	everyFault(t, func(fault disk.Fault) bool {
		x := newTroubled(t, filepath.Join(memory(t), "data"))
		x.s.cfg.Seed = func(NewWiki) (map[string][]byte, error) {
			return map[string][]byte{"Home.md": []byte(pageText("Home", 0))}, nil
		}
		old := gitstoretest.Git(t, x.s.adminDir(), "rev-parse", "main")
		blob := gitstoretest.GitIn(t, x.s.adminDir(), "schema = 1\nid = \"0123456789abcdef0123456789abcdef\"\nowner = \"bob\"\n", "hash-object", "-w", "--stdin")
		tree := gitstoretest.GitIn(t, x.s.adminDir(), gitstoretest.Git(t, x.s.adminDir(), "ls-tree", "main:wikis")+fmt.Sprintf("\n040000 tree %s\tre\n", gitstoretest.GitIn(t, x.s.adminDir(), fmt.Sprintf("100644 blob %s\tresearch.toml\n", blob), "mktree")), "mktree")
		var lines []string
		for _, l := range strings.Split(gitstoretest.Git(t, x.s.adminDir(), "ls-tree", "main"), "\n") {
			if !strings.HasSuffix(l, "\twikis") {
				lines = append(lines, l)
			}
		}
		root := gitstoretest.GitIn(t, x.s.adminDir(), strings.Join(append(lines, "040000 tree "+tree+"\twikis"), "\n")+"\n", "mktree")
		commit := gitstoretest.Git(t, x.s.adminDir(), "commit-tree", "-p", old, "-m", "Research", root)
		push := func() error {
			p := &Push{Caller: operator, Commands: []RefCommand{{Old: old, New: commit, Ref: refMain}}}
			if err := x.s.CheckPush(ctx, p); err != nil {
				return err
			}
			res, err := x.s.ApplyPush(ctx, p, false)
			if err == nil && !res[0].OK {
				err = errors.New(res[0].Reason)
			}
			return err
		}
		x.disk.Set(fault)
		err := push()
		met := x.disk.Count(fault.Op) >= fault.N
		x.disk.Set()
		if err != nil {
			failed++
			if _, err := x.s.View(ctx, editor, "research"); !errors.Is(err, wiki.ErrNotFound) {
				t.Errorf("%v: the push failed, and the wiki: %v", fault, err)
			}
			if list, _ := filepath.Glob(filepath.Join(x.s.cfg.Dir, "wikis/*research*")); len(list) > 0 {
				t.Errorf("%v: left behind: %v", fault, list)
			}
			if err := push(); err != nil {
				t.Errorf("%v: pushed again: %v", fault, err)
			}
		}
		v, err := x.s.View(ctx, editor, "research")
		if err == nil {
			_, err = v.ReadPage("Home")
		}
		if err != nil || !v.Standing().Manage {
			t.Errorf("%v: bob opens his wiki: %v", fault, err)
		}
		return met
	})
	if failed < 10 && !testing.Short() {
		t.Errorf("only %d pushes failed: the test shows little", failed)
	}
}
