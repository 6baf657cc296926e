package gitstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"wikibot/acl"
	"wikibot/gitstore"
	"wikibot/wiki"
)

// small is a site with a tier that has little of everything, and the wiki notes
// is of it.
func small(t *testing.T) *gitstore.Store {
	t.Helper()
	s, _ := smallIn(t)
	return s
}

func smallIn(t *testing.T) (*gitstore.Store, string) {
	t.Helper()
	s, dir := site(t)
	behindBack(t, dir, "site.toml", "schema = 1\n[tiers.tiny]\nauthors = 2\npages = 3\nbytes = \"40kB\"\n")
	must(t, s.SetPlan(context.Background(), host, "notes", gitstore.PlanChange{Tier: "tiny"}))
	return s, dir
}

// noise is text that does not compress.
func noise(n int) []byte {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

func change(s *gitstore.Store, fn func(*gitstore.Tx) error) error {
	_, err := s.Update(context.Background(), alice, "notes", gitstore.Meta{}, fn)
	return err
}

func TestPageLimit(t *testing.T) {
	s := small(t)
	create := func(p wiki.PagePath) error {
		return change(s, func(tx *gitstore.Tx) error { return tx.Put(p, []byte("x\n"), gitstore.PutOptions{Create: true}) })
	}
	must(t, create("Two"))
	must(t, create("Three"))
	err := create("Four")
	if !errors.Is(err, wiki.ErrLimit) || err.Error() != `the wiki "notes" would have 4 pages; the tier "tiny" allows 3: delete pages first, or ask the site's administrators for another tier` {
		t.Errorf("a fourth page: %v", err)
	}
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Append("Two", "more\n") }))
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Rename("Three", "Drei", gitstore.RenameOptions{}) }))
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Attach("a.txt", []byte("x"), gitstore.AttachOptions{}) }))
	must(t, change(s, func(tx *gitstore.Tx) error {
		return errors.Join(tx.Delete("Drei", gitstore.DeleteOptions{}), tx.Put("New", []byte("x\n"), gitstore.PutOptions{Create: true}))
	}))
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Delete("New", gitstore.DeleteOptions{}) }))
	must(t, create("Four"))
	// Above the limit, as after a change of tier, what is there can be edited.
	must(t, s.SetPlan(context.Background(), host, "notes", gitstore.PlanChange{Tier: "self"}))
	must(t, create("Five"))
	must(t, create("Six"))
	must(t, s.SetPlan(context.Background(), host, "notes", gitstore.PlanChange{Tier: "tiny"}))
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Append("Five", "more\n") }))
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Rename("Six", "Sechs", gitstore.RenameOptions{}) }))
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Delete("Sechs", gitstore.DeleteOptions{}) }))
	if err := create("Seven"); !errors.Is(err, wiki.ErrLimit) {
		t.Errorf("above the limit: %v", err)
	}
}

// TestPageLimitAtOnce: changes that wait for one commit together are counted
// together.
func TestPageLimitAtOnce(t *testing.T) {
	s := small(t)
	var made atomic.Int64
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			err := change(s, func(tx *gitstore.Tx) error {
				return tx.Put(wiki.PagePath(fmt.Sprintf("Page %d", i)), []byte("x\n"), gitstore.PutOptions{Create: true})
			})
			if err == nil {
				made.Add(1)
			} else if !errors.Is(err, wiki.ErrLimit) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	entries, _, err := view(t, s, alice).List(gitstore.ListOptions{})
	must(t, err)
	if made.Load() != 2 || len(entries) != 3 {
		t.Errorf("%d pages were made and %d are there, want 2 and 3", made.Load(), len(entries))
	}
}

// TestPageLimitOfAMerge: a push that fits when it is checked, and does not when it
// is merged with what others have added meanwhile, is refused.
func TestPageLimitOfAMerge(t *testing.T) {
	s, dir := smallIn(t)
	ctx := context.Background()
	repo := filepath.Join(dir, "wikis/notes.git")
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Put("Two", []byte("x\n"), gitstore.PutOptions{}) }))
	old := git(t, repo, "rev-parse", "main")
	tree := filepath.Join(t.TempDir(), "tree")
	must(t, os.WriteFile(tree, []byte(git(t, repo, "ls-tree", "main")+"\n100644 blob "+git(t, repo, "rev-parse", "main:Two.md")+"\tPushed.md\n"), 0o600))
	root := git(t, repo, "-c", "alias.mk=!git mktree <"+tree, "mk")
	pushed := git(t, repo, "-c", "user.name=bob", "-c", "user.email=bob@example.org", "commit-tree", "-p", old, "-m", "A page", root)
	push := gitstore.Push{Caller: bob, Wiki: "notes", Commands: []gitstore.RefCommand{{Old: old, New: pushed, Ref: "refs/heads/main"}}}
	must(t, s.CheckPush(ctx, &push))
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Put("Three", []byte("y\n"), gitstore.PutOptions{}) }))
	if res, err := s.ApplyPush(ctx, &push, false); err != nil || res[0].OK || !strings.Contains(res[0].Reason, "would have 4 pages") {
		t.Errorf("got %+v, %v", res, err)
	}
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Delete("Three", gitstore.DeleteOptions{}) }))
	if res, err := s.ApplyPush(ctx, &push, false); err != nil || !res[0].OK || !res[0].Merged {
		t.Errorf("with room again: %+v, %v", res, err)
	}
}

func TestByteLimit(t *testing.T) {
	s := small(t)
	attach := func(name string, size int, replace bool) error {
		return change(s, func(tx *gitstore.Tx) error {
			return tx.Attach(wiki.FilePath(name), noise(size), gitstore.AttachOptions{Replace: replace})
		})
	}
	must(t, attach("a.bin", 20_000, false))
	if err := attach("b.bin", 30_000, false); !errors.Is(err, wiki.ErrLimit) || !strings.Contains(err.Error(), `; the tier "tiny" allows 40kB: edit the pages`) {
		t.Errorf("a file too many: %v", err)
	}
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Append("Home", fmt.Sprintf("%x\n", noise(25_000))) }))
	for what, err := range map[string]error{
		"a small file":    attach("c.bin", 1, false),
		"another content": attach("a.bin", 1, true),
		"a page":          change(s, func(tx *gitstore.Tx) error { return tx.Put("New", []byte("x\n"), gitstore.PutOptions{}) }),
	} {
		if !errors.Is(err, wiki.ErrLimit) {
			t.Errorf("%s beyond the limit: %v, want ErrLimit", what, err)
		}
	}
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Append("Home", "an edit beyond the limit\n") }))
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Rename("Home", "Start", gitstore.RenameOptions{}) }))
	must(t, change(s, func(tx *gitstore.Tx) error { return tx.Detach("a.bin") }))
	must(t, s.SetPlan(context.Background(), host, "notes", gitstore.PlanChange{Tier: "self"}))
	must(t, attach("c.bin", 30_000, false))
}

func TestAuthorLimit(t *testing.T) {
	s := small(t) // alice owns, bob edits
	ctx := context.Background()
	if err := s.SetGrant(ctx, alice, "notes", "carol", wiki.Editor); !errors.Is(err, wiki.ErrLimit) || err.Error() != `the wiki "notes" would have 3 authors, as its editors and owners are called; the tier "tiny" allows 2: make somebody else a viewer first, or ask the site's administrators for another tier` {
		t.Errorf("a third author: %v", err)
	}
	must(t, s.SetGrant(ctx, alice, "notes", "mallory", wiki.Viewer))
	must(t, s.SetGrant(ctx, alice, "notes", "bob", wiki.Owner))
	must(t, s.SetGrant(ctx, alice, "notes", "bob", wiki.Editor))
	must(t, s.SetAccess(ctx, alice, "notes", acl.Anonymous, acl.Granted, acl.Anonymous))
	for level, want := range map[acl.Level]string{acl.Registered: "everybody who is signed in could edit", acl.Anonymous: "everybody could edit"} {
		if err := s.SetAccess(ctx, alice, "notes", acl.Anonymous, level, acl.Anonymous); !errors.Is(err, wiki.ErrLimit) || !strings.Contains(err.Error(), want) {
			t.Errorf("write = %s: %v", level, err)
		}
	}
	// Somebody by name and by DID is one.
	must(t, s.AddUser(ctx, host, gitstore.NewUser{Name: "dave", DID: "did:web:example.org"}))
	must(t, s.SetGrant(ctx, alice, "notes", "bob", wiki.Viewer))
	must(t, s.SetGrant(ctx, alice, "notes", "dave", wiki.Editor))
	must(t, s.SetGrant(ctx, alice, "notes", "did:web:example.org", wiki.Editor))
	must(t, s.SetGrant(ctx, alice, "notes", "dave", wiki.NoRole))
	must(t, s.SetGrant(ctx, alice, "notes", "did:web:example.org", wiki.NoRole))
	must(t, s.SetGrant(ctx, alice, "notes", "bob", wiki.Editor))
	// What was set under another tier stays, and can be made less.
	must(t, s.SetPlan(ctx, host, "notes", gitstore.PlanChange{Tier: "self"}))
	must(t, s.SetAccess(ctx, alice, "notes", acl.Anonymous, acl.Anonymous, acl.Anonymous))
	must(t, s.SetGrant(ctx, alice, "notes", "carol", wiki.Editor))
	must(t, s.SetGrant(ctx, alice, "notes", "mallory", wiki.Editor))
	must(t, s.SetPlan(ctx, host, "notes", gitstore.PlanChange{Tier: "tiny"}))
	must(t, s.SetAccess(ctx, alice, "notes", acl.Anonymous, acl.Registered, acl.Anonymous))
	must(t, s.SetGrant(ctx, alice, "notes", "mallory", wiki.NoRole))
	if err := s.SetGrant(ctx, alice, "notes", "mallory", wiki.Editor); !errors.Is(err, wiki.ErrLimit) {
		t.Errorf("back to four: %v", err)
	}
}

// TestNewWikiBeyondTheLimits: what a wiki begins with counts.
func TestNewWikiBeyondTheLimits(t *testing.T) {
	s := small(t)
	pages := map[string][]byte{"A.md": nil, "B.md": nil, "C.md": nil, "D.md": nil}
	n := gitstore.NewWiki{Slug: "second", Owner: "alice", Tier: "tiny", Pages: pages}
	if err := s.CreateWiki(context.Background(), host, n); !errors.Is(err, wiki.ErrLimit) || !strings.Contains(err.Error(), "4 pages") {
		t.Errorf("four pages: %v", err)
	}
	n.Pages = map[string][]byte{"a.bin": noise(50_000)}
	if err := s.CreateWiki(context.Background(), host, n); !errors.Is(err, wiki.ErrLimit) || !strings.Contains(err.Error(), "kB with its history") {
		t.Errorf("50 kB: %v", err)
	}
	n.Pages = map[string][]byte{"A.md": []byte("a\n")}
	must(t, s.CreateWiki(context.Background(), host, n))
}
