package gitstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/gitstore/gitstoretest"
	"wikibot/wiki"
)

// refAt is where a ref of a repository is, as git says; "" where it is not.
func refAt(t testing.TB, dir, ref string) string {
	t.Helper()
	return gitstoretest.Git(t, dir, "for-each-ref", "--format=%(objectname)", ref)
}

// again closes a site and opens it.
func (x *troubled) again() {
	x.Helper()
	if err := x.s.Close(); err != nil {
		x.Fatal(err)
	}
	s, err := quiet(x.dir, x.disk)
	if err != nil {
		x.Fatal(err)
	}
	x.s = s
}

func (x *troubled) admin() string { return filepath.Join(x.dir, "admin.git") }
func (x *troubled) notes() string { return filepath.Join(x.dir, "wikis/notes.git") }

// actions are those of the audit's entries of a ref, oldest first.
func actions(t testing.TB, dir, ref string) string {
	t.Helper()
	var out []string
	for _, entry := range strings.Split(gitstoretest.Git(t, dir, "log", "--reverse", "--format=%B%x00", refAudit), "\x00") {
		if strings.Contains(entry, fmt.Sprintf("ref = %q", ref)) {
			_, rest, _ := strings.Cut(entry, `action = "`)
			action, _, _ := strings.Cut(rest, `"`)
			out = append(out, action)
		}
	}
	return strings.Join(out, " ")
}

// soon waits for what is written in the background.
func soon(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal(what)
}

// TestGoodIsMadeUpFor: refs/wikibot/good that could not be moved, or is not there,
// or names nothing, keeps nobody from anything; the next start puts it right.
func TestGoodIsMadeUpFor(t *testing.T) {
	ctx := context.Background()
	for name, lose := range map[string]func(x *troubled){
		"something is in its place": func(x *troubled) {
			for _, dir := range []string{x.admin(), x.notes()} {
				file := filepath.Join(dir, refGood)
				if err := errors.Join(os.Remove(file), os.MkdirAll(filepath.Join(file, "x"), 0o750), os.WriteFile(filepath.Join(file, "x", "y"), nil, 0o640)); err != nil {
					x.Fatal(err)
				}
				defer os.RemoveAll(file)
			}
			if err := x.s.AddUser(ctx, operator, NewUser{Name: "dora"}); err != nil {
				x.Errorf("the change is refused: %v", err)
			}
			if err := x.s.SetAccess(ctx, owner, "notes", acl.Registered, acl.Granted, acl.Granted); err != nil {
				x.Errorf("the change is refused: %v", err)
			}
			if refAt(x, x.admin(), refGood) == refAt(x, x.admin(), refMain) {
				x.Fatal("good was moved all the same")
			}
		},
		"it is gone": func(x *troubled) {
			gitstoretest.Git(x, x.admin(), "update-ref", "-d", refGood)
			gitstoretest.Git(x, x.notes(), "update-ref", "-d", refGood)
		},
		"it names nothing": func(x *troubled) {
			for _, dir := range []string{x.admin(), x.notes()} {
				if err := os.WriteFile(filepath.Join(dir, refGood), []byte(strings.Repeat("01", 20)+"\n"), 0o640); err != nil {
					x.Fatal(err)
				}
			}
		},
		"the machine stopped before it moved": func(x *troubled) {
			before := refAt(x, x.admin(), refGood)
			if err := errors.Join(x.s.DeleteUser(ctx, operator, "bob"), x.s.CreateWiki(ctx, operator, NewWiki{Slug: "more", Owner: "alice"})); err != nil {
				x.Fatal(err)
			}
			gitstoretest.Git(x, x.admin(), "update-ref", refGood, before)
		},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTroubled(t, filepath.Join(t.TempDir(), "data"))
			lose(x)
			for range 2 {
				x.again()
				if err := x.s.Trouble(ctx, operator); err != nil {
					t.Fatalf("main is not in force: %v", err)
				}
				v, err := x.s.View(ctx, operator, "notes")
				if err != nil || v.Faulty() != nil {
					t.Fatal(err, v.Faulty())
				}
				soon(t, "good is not where main is", func() bool {
					return refAt(t, x.admin(), refGood) == refAt(t, x.admin(), refMain) && refAt(t, x.notes(), refGood) == refAt(t, x.notes(), refConfig)
				})
			}
			if got := actions(t, x.admin(), refMain); strings.Contains(got, "behind") {
				t.Errorf("the server's own changes are taken for somebody else's: %s", got)
			}
		})
	}
}

// TestNoGoodIsKnown: data of a time before refs/wikibot/good, with a main and a
// configuration that do not load: what loads of the newest that does is in force.
func TestNoGoodIsKnown(t *testing.T) {
	ctx := context.Background()
	x := newTroubled(t, filepath.Join(t.TempDir(), "data"))
	if err := x.s.Close(); err != nil {
		t.Fatal(err)
	}
	for i := range 3 { // each further away from what loads
		gitstoretest.Files(t, x.admin(), refMain, map[string]string{"users/al/alice.toml": fmt.Sprintf("schema = 1\namdin = %d\n", i)})
		gitstoretest.Files(t, x.notes(), refConfig, map[string]string{fileACL: fmt.Sprint("nothing ", i)})
	}
	gitstoretest.Git(t, x.admin(), "update-ref", "-d", refGood)
	gitstoretest.Git(t, x.notes(), "update-ref", "-d", refGood)
	x.again2()
	if x.s.Trouble(ctx, operator) == nil {
		t.Error("nobody says that main does not load")
	}
	if _, err := x.s.View(ctx, owner, "notes"); err != nil {
		t.Errorf("alice is locked out of her wiki: %v", err)
	}
	if _, err := x.s.View(ctx, wiki.Caller{}, "notes"); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("a visitor: %v", err)
	}

	// No configuration loads, since there is no history, nor an audit that tells of
	// one: the wiki is closed, but for the operator.
	if err := x.s.Close(); err != nil {
		t.Fatal(err)
	}
	gitstoretest.Files(t, x.notes(), "refs/heads/orphan", map[string]string{fileACL: "nothing", fileWiki: "schema = 1\n"})
	gitstoretest.Git(t, x.notes(), "update-ref", refConfig, "refs/heads/orphan")
	gitstoretest.Git(t, x.notes(), "update-ref", "-d", refAudit)
	x.again2()
	if _, err := x.s.View(ctx, owner, "notes"); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("alice in a wiki without a policy: %v", err)
	}
	if v, err := x.s.View(ctx, operator, "notes"); err != nil || v.Faulty() == nil {
		t.Errorf("the operator: %v", err)
	}
}

// again2 opens a site that is closed.
func (x *troubled) again2() {
	x.Helper()
	s, err := quiet(x.dir, x.disk)
	if err != nil {
		x.Fatal(err)
	}
	x.s = s
}

// TestStrayedRefs: a start tells a push that never happened from a ref that somebody
// moved since.
func TestStrayedRefs(t *testing.T) {
	x := newTroubled(t, filepath.Join(t.TempDir(), "data"))
	first := refAt(t, x.notes(), refMain)
	for range 2 {
		_, err := x.s.Update(context.Background(), owner, "notes", Meta{}, func(tx *Tx) error { return tx.Append("Home", "more\n") })
		x.n++
		if err = errors.Join(err, x.push()); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.s.Close(); err != nil {
		t.Fatal(err)
	}
	gitstoretest.Git(t, x.notes(), "update-ref", refMain, first)
	x.again2()
	if _, err := x.s.View(context.Background(), owner, "notes"); err != nil {
		t.Fatal(err)
	}
	soon(t, "the audit does not say that main was moved back", func() bool { return strings.HasSuffix(actions(t, x.notes(), refMain), "push push behind") })
	for range 2 {
		x.again()
	}
	if got := actions(t, x.notes(), refMain); strings.Contains(got, "void") || strings.Count(got, "behind") != 1 {
		t.Errorf("the audit of main is %q", got)
	}
}

// TestOwnWritesAreNobodysElse: readers who look while the writer moves refs never
// take it for somebody else.
func TestOwnWritesAreNobodysElse(t *testing.T) {
	ctx := context.Background()
	x := newTroubled(t, filepath.Join(t.TempDir(), "data"))
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, r := range x.s.opened() {
					if _, err := r.refresh(true); err != nil {
						t.Error(err)
					}
				}
				time.Sleep(200 * time.Microsecond)
			}
		})
	}
	for i := range 15 {
		_, err := x.s.Update(ctx, owner, "notes", Meta{}, func(tx *Tx) error { return tx.Append("Home", "x\n") })
		x.n = i
		err = errors.Join(err, x.push(), x.s.AddUser(ctx, operator, NewUser{Name: wiki.Username(fmt.Sprintf("person%d", i))}))
		level := acl.Level(i % 2)
		if err := errors.Join(err, x.s.SetAccess(ctx, owner, "notes", acl.Registered, acl.Granted, level)); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	wg.Wait()
	x.again()
	for _, dir := range []string{x.admin(), x.notes()} {
		for _, ref := range []string{refMain, refConfig} {
			if got := actions(t, dir, ref); strings.Contains(got, "behind") || strings.Contains(got, "void") {
				t.Errorf("%s of %s: %s", ref, dir, got)
			}
		}
	}
}

// TestDamagedSite: whatever became of admin.git's files, the start does not fail,
// nobody gets more than they had, and no wiki's repository is moved away.
func TestDamagedSite(t *testing.T) {
	ctx := context.Background()
	put := func(x *troubled, text string, files ...string) {
		for _, f := range files {
			if err := os.WriteFile(filepath.Join(x.admin(), f), []byte(text), 0o640); err != nil {
				x.Fatal(err)
			}
		}
	}
	nothing := strings.Repeat("01", 20) + "\n"
	for name, c := range map[string]struct {
		damage func(x *troubled)
		people int // who are known then
		rescue bool
	}{
		"HEAD is gone":         {func(x *troubled) { os.Remove(filepath.Join(x.admin(), "HEAD")) }, 3, true},
		"main names nothing":   {func(x *troubled) { put(x, nothing, refMain) }, 3, true},
		"main is no ref":       {func(x *troubled) { put(x, "rubbish", refMain) }, 3, true},
		"main and good, too":   {func(x *troubled) { put(x, nothing, refMain, refGood) }, 3, true},
		"main is a tree":       {func(x *troubled) { put(x, gitstoretest.Git(x, x.admin(), "rev-parse", "main^{tree}")+"\n", refMain) }, 3, true},
		"packed-refs":          {func(x *troubled) { put(x, "x y z\n", "packed-refs") }, 3, true},
		"the tokens":           {func(x *troubled) { put(x, "rubbish", refTokens) }, 3, true},
		"the audit":            {func(x *troubled) { put(x, "rubbish", refAudit) }, 3, true},
		"all objects are gone": {func(x *troubled) { os.RemoveAll(filepath.Join(x.admin(), "objects/pack")) }, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTroubled(t, filepath.Join(t.TempDir(), "data"))
			if err := x.s.AddUser(ctx, operator, NewUser{Name: "boss", Admin: true}); err != nil {
				t.Fatal(err)
			}
			if err := x.s.Close(); err != nil {
				t.Fatal(err)
			}
			c.damage(x)
			for range 2 {
				x.again2()
				users, err := x.s.Users(ctx, operator)
				if err != nil || len(users) != c.people {
					t.Fatalf("%d people are known, want %d; %v", len(users), c.people, err)
				}
				for _, u := range users {
					if u.Admin != (u.Name == "boss") {
						t.Errorf("%s administers: %v", u.Name, u.Admin)
					}
				}
				if _, err := os.Stat(x.notes()); err != nil {
					t.Errorf("the wiki's repository is not in its place: %v", err)
				}
				if err := x.s.Close(); err != nil {
					t.Fatal(err)
				}
			}
			x.again2()
			done, err := x.s.Rescue(ctx, operator, Rescue{AddAdmin: "alice"})
			if (err == nil) != c.rescue || err != nil && !errors.Is(err, wiki.ErrUnavailable) {
				t.Fatalf("a rescue: %v, %v", done, err)
			}
			if !c.rescue {
				return
			}
			x.again()
			if u, err := x.s.User(ctx, "alice"); err != nil || !u.Admin || x.s.Trouble(ctx, operator) != nil {
				t.Errorf("after the rescue: %+v, %v, %v", u, err, x.s.Trouble(ctx, operator))
			}
		})
	}
}

// FuzzConfiguration: whatever an owner pushes, it is a configuration that keeps the
// wiki's id and an owner, or it has faults with their place.
func FuzzConfiguration(f *testing.F) {
	dir := f.TempDir()
	s, err := quiet(dir, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { s.Close() })
	ctx := context.Background()
	err = errors.Join(s.AddUser(ctx, operator, NewUser{Name: "alice"}), s.AddUser(ctx, operator, NewUser{Name: "bob"}),
		s.CreateWiki(ctx, operator, NewWiki{Slug: "notes", Owner: "alice"}))
	r, werr := s.wiki("notes")
	if err := errors.Join(err, werr); err != nil {
		f.Fatal(err)
	}
	st, err := r.current()
	if err != nil {
		f.Fatal(err)
	}
	good, err := r.blobAt(st.heads[refConfig].root, fileACL)
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{string(good), string(good) + "bob = \"edtor\"\n", string(good) + "nobody-here = \"owner\"\n", "", "schema = 1\n", "schema = 1\n[grants]\nalice = 1\n"} {
		f.Add(text, "schema = 1\nhome = \"Home\"\n")
		f.Add(text, "schema = 1\nhoem = \"..\"\nlink_style = \"x\"\n")
	}
	f.Fuzz(func(t *testing.T, policy, settings string) {
		src := blobs{}
		root := emptyFolder()
		for path, text := range map[string]string{fileACL: policy, fileWiki: settings} {
			oid := plumbing.ComputeHash(plumbing.BlobObject, []byte(text))
			src[oid] = []byte(text)
			var err error
			if root, err = root.with(path, &entry{mode: modeFile, oid: oid}); err != nil {
				t.Fatal(err)
			}
		}
		cfg, err := r.pushedConfiguration(src, st.config, root, nil)
		var faults wiki.Faults
		if errors.As(err, &faults) {
			for _, f := range faults {
				if f.Text == "" || f.File != fileACL && f.File != fileWiki || f.Line < 1 && !strings.Contains(f.Text, "bytes") && !strings.Contains(f.Text, confirmRemovals) {
					t.Fatalf("%q, %q: %+v", policy, settings, f)
				}
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if cfg.policy.Wiki != st.config.policy.Wiki || len(cfg.policy.Owners()) == 0 || cfg.policy.Write > cfg.policy.Read {
			t.Fatalf("%q is accepted as %+v", policy, cfg.policy)
		}
	})
}
