package gitstore_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"wikibot/acl"
	"wikibot/gitstore"
	"wikibot/wiki"
)

var (
	host    = wiki.Caller{Host: true, Via: wiki.ViaCLI}
	alice   = wiki.Caller{User: "alice", Via: wiki.ViaWeb}
	bob     = wiki.Caller{User: "bob", Via: wiki.ViaMCP, Agent: "Helper 1.0"}
	carol   = wiki.Caller{User: "carol", Via: wiki.ViaWeb}
	mallory = wiki.Caller{User: "mallory", Via: wiki.ViaWeb}
)

// open makes a site with alice, who owns the wiki notes, bob, who edits it,
// carol, who reads it, and mallory, who may do nothing there.
func open(t testing.TB, dir string) *gitstore.Store {
	t.Helper()
	s, err := gitstore.Open(context.Background(), gitstore.Config{Dir: dir, Domain: "example.org"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func site(t testing.TB) (*gitstore.Store, string) {
	t.Helper()
	dir := t.TempDir()
	s := open(t, dir)
	ctx := context.Background()
	for _, u := range []wiki.Username{"alice", "bob", "carol", "mallory"} {
		must(t, s.AddUser(ctx, host, gitstore.NewUser{Name: u}))
	}
	must(t, s.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "notes", Owner: "alice", Pages: map[string][]byte{"Home.md": []byte("# Home\n\nWelcome.\n")}}))
	must(t, s.SetGrant(ctx, alice, "notes", "bob", wiki.Editor))
	must(t, s.SetGrant(ctx, alice, "notes", "carol", wiki.Viewer))
	return s, dir
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, s *gitstore.Store, c wiki.Caller, p, text string, o gitstore.PutOptions) (gitstore.Result, error) {
	t.Helper()
	return s.Update(context.Background(), c, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
		return tx.Put(wiki.PagePath(p), []byte(text), o)
	})
}

func view(t testing.TB, s *gitstore.Store, c wiki.Caller) *gitstore.View {
	t.Helper()
	v, err := s.View(context.Background(), c, "notes")
	must(t, err)
	return v
}

func read(t testing.TB, s *gitstore.Store, c wiki.Caller, p string) string {
	t.Helper()
	page, err := view(t, s, c).ReadPage(wiki.PagePath(p))
	must(t, err)
	return string(page.Content)
}

func git(t testing.TB, dir string, args ...string) string {
	t.Helper()
	out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestWhoMayWhat(t *testing.T) {
	s, _ := site(t)
	ctx := context.Background()
	if got := read(t, s, carol, "Home"); got != "# Home\n\nWelcome.\n" {
		t.Errorf("carol reads %q", got)
	}
	if _, err := s.View(ctx, mallory, "notes"); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("mallory's view: %v, want ErrNotFound", err)
	}
	if _, err := s.View(ctx, wiki.Caller{}, "notes"); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("a visitor's view: %v, want ErrNotFound", err)
	}
	if _, err := put(t, s, carol, "New", "x", gitstore.PutOptions{}); !errors.Is(err, wiki.ErrForbidden) {
		t.Errorf("carol writes: %v, want ErrForbidden", err)
	}
	if _, err := put(t, s, mallory, "New", "x", gitstore.PutOptions{}); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("mallory writes: %v, want ErrNotFound", err)
	}
	if err := s.SetGrant(ctx, bob, "notes", "mallory", wiki.Owner); !errors.Is(err, wiki.ErrForbidden) {
		t.Errorf("bob grants: %v, want ErrForbidden", err)
	}
	must(t, s.SetAccess(ctx, alice, "notes", acl.Anonymous, acl.Granted, acl.Granted))
	if got := read(t, s, wiki.Caller{}, "Home"); !strings.Contains(got, "Welcome") {
		t.Errorf("a visitor of the public wiki reads %q", got)
	}
	if err := s.SetGrant(ctx, alice, "notes", "alice", wiki.NoRole); err == nil {
		t.Error("the last owner could be removed")
	}
}

func TestConflictAndMerge(t *testing.T) {
	s, dir := site(t)
	base := "one\ntwo\nthree\nfour\nfive\n"
	res, err := put(t, s, alice, "List", base, gitstore.PutOptions{Create: true})
	must(t, err)
	rev := res.Revision
	_, err = put(t, s, bob, "List", strings.Replace(base, "one", "ONE", 1), gitstore.PutOptions{Expect: rev})
	must(t, err)
	mine := strings.Replace(base, "five", "FIVE", 1)
	_, err = put(t, s, alice, "List", mine, gitstore.PutOptions{Expect: rev})
	var c *wiki.Conflict
	if !errors.As(err, &c) || string(c.Theirs) != mine || !strings.HasPrefix(string(c.Ours), "ONE") || string(c.Base) != base || c.Current == "" {
		t.Fatalf("a stale save: %v (%+v), want a conflict with all sides", err, c)
	}
	res, err = put(t, s, alice, "List", mine, gitstore.PutOptions{Expect: rev, Merge: true})
	must(t, err)
	if want := "ONE\ntwo\nthree\nfour\nFIVE\n"; !res.Pages[0].Merged || string(res.Pages[0].Content) != want {
		t.Errorf("merged %q, want %q", res.Pages[0].Content, want)
	}
	_, err = put(t, s, bob, "List", "uno\n", gitstore.PutOptions{Expect: rev, Merge: true})
	if !errors.As(err, &c) || !strings.Contains(string(c.Merged), "<<<<<<<") {
		t.Errorf("a real conflict: %v, want markers", err)
	}
	git(t, filepath.Join(dir, "wikis/notes.git"), "fsck", "--strict")
}

func TestRenameCarriesEverything(t *testing.T) {
	s, _ := site(t)
	ctx := context.Background()
	_, err := s.Update(ctx, alice, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
		for p, text := range map[string]string{
			"Design/Auth":        "# Auth\n\n![](flow.png) see [[Sub]] and [home](../Home.md)\n",
			"Design/Auth/Sub":    "up: [[Auth]]\n",
			"Home":               "[[Auth|the auth]] and [auth](Design/Auth.md#x) and `[[Auth]]`\n",
			"Elsewhere/Deep/One": "[[/Design/Auth]]\n",
		} {
			if err := tx.Put(wiki.PagePath(p), []byte(text), gitstore.PutOptions{Overwrite: true}); err != nil {
				return err
			}
		}
		return tx.Attach("Design/Auth/flow.png", []byte("png"), gitstore.AttachOptions{})
	})
	must(t, err)
	old := view(t, s, alice).Head()
	res, err := s.Update(ctx, alice, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
		return tx.Rename("design/auth", "Security/Sign-in", gitstore.RenameOptions{})
	})
	must(t, err)
	if got, want := read(t, s, alice, "Home"), "[[Sign-in|the auth]] and [auth](Security/Sign-in.md#x) and `[[Auth]]`\n"; got != want {
		t.Errorf("Home is %q, want %q", got, want)
	}
	if got, want := read(t, s, alice, "Security/Sign-in"), "# Auth\n\n![](flow.png) see [[Sub]] and [home](../Home.md)\n"; got != want {
		t.Errorf("the page is %q, want %q", got, want)
	}
	if got, want := read(t, s, alice, "Elsewhere/Deep/One"), "[[/Security/Sign-in]]\n"; got != want {
		t.Errorf("One is %q, want %q", got, want)
	}
	if len(res.Updated) != 2 {
		t.Errorf("updated %v, want two pages", res.Updated)
	}
	if _, err := view(t, s, alice).ReadFile("Security/Sign-in/flow.png"); err != nil {
		t.Error(err)
	}
	var moved *wiki.Moved
	if _, err := view(t, s, alice).ReadPage("Design/Auth"); !errors.As(err, &moved) || moved.To != "Security/Sign-in" {
		t.Errorf("the old name gives %v, want a redirect", err)
	}
	// A save to the old name follows the rename.
	res, err = put(t, s, bob, "Design/Auth", "# Auth\n\nnew text\n", gitstore.PutOptions{Expect: old})
	if err == nil {
		t.Log(res.Pages)
	}
	must(t, err)
	if got := read(t, s, alice, "Security/Sign-in"); got != "# Auth\n\nnew text\n" {
		t.Errorf("after a save to the old name the page is %q", got)
	}
	changes, _, err := view(t, s, alice).History(ctx, "Security/Sign-in", "", 10)
	must(t, err)
	if len(changes) != 3 || changes[1].Kind != wiki.Renamed {
		t.Errorf("history %+v, want save, rename, create", changes)
	}
}

func TestManyWritersLoseNothing(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	const writers, each = 16, 10
	_, err := put(t, s, alice, "Log", "start\n", gitstore.PutOptions{Create: true})
	must(t, err)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range each {
				_, err := s.Update(ctx, bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
					return tx.Append("Log", fmt.Sprintf("line %d.%d\n", w, i))
				})
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	wg.Wait()
	text := read(t, s, carol, "Log")
	for w := range writers {
		for i := range each {
			if !strings.Contains(text, fmt.Sprintf("line %d.%d\n", w, i)) {
				t.Errorf("line %d.%d is lost", w, i)
			}
		}
	}
	repo := filepath.Join(dir, "wikis/notes.git")
	if got := git(t, repo, "rev-list", "--count", "main"); got != fmt.Sprint(writers*each+2) {
		t.Errorf("%s commits, want one for each write", got)
	}
	must(t, s.Close()) // its folds would take packs away under git fsck
	git(t, repo, "fsck", "--strict")
}

func TestIdempotencyKey(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	appendOnce := func(s *gitstore.Store) gitstore.Result {
		res, err := s.Update(ctx, bob, "notes", gitstore.Meta{Key: "k1"}, func(tx *gitstore.Tx) error { return tx.Append("Home", "more\n") })
		must(t, err)
		return res
	}
	first := appendOnce(s)
	again := appendOnce(s)
	if !again.Replayed || again.Revision != first.Revision || len(again.Pages) != 1 {
		t.Errorf("the second answer is %+v, want a replay of %s", again, first.Revision)
	}
	must(t, s.Close())
	s = open(t, dir)
	if again = appendOnce(s); !again.Replayed || again.Revision != first.Revision {
		t.Errorf("after a restart the answer is %+v, want a replay", again)
	}
	if got := strings.Count(read(t, s, bob, "Home"), "more"); got != 1 {
		t.Errorf("appended %d times", got)
	}
}

func TestSeesWhatGitDidBehindItsBack(t *testing.T) {
	s, dir := site(t)
	read(t, s, alice, "Home")
	repo := filepath.Join(dir, "wikis/notes.git")
	blob := strings.TrimSpace(runIn(t, repo, "changed\n", "hash-object", "-w", "--stdin"))
	tree := strings.TrimSpace(runIn(t, repo, "100644 blob "+blob+"\tHome.md\n", "mktree"))
	commit := git(t, repo, "-c", "user.name=x", "-c", "user.email=x@y", "commit-tree", "-p", "main", "-m", "by hand", tree)
	git(t, repo, "update-ref", "refs/heads/main", commit)
	for range 100 {
		if read(t, s, alice, "Home") == "changed\n" {
			return
		}
	}
	// 10 ms must have passed at the latest now.
	_, err := put(t, s, alice, "Other", "x", gitstore.PutOptions{})
	must(t, err)
	if got := read(t, s, alice, "Home"); got != "changed\n" {
		t.Errorf("Home is %q, want what git wrote", got)
	}
}

func runIn(t testing.TB, dir, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.Output()
	must(t, err)
	return string(out)
}
