package gitstore_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/hooks"
	"wikibot/wiki"
)

// TestMain makes the test binary what git's hooks execute.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "hook" {
		os.Exit(hooks.Main(os.Args[2:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// hooked is a site whose repositories take pushes from the machine itself,
// through the hooks and the socket.
type hooked struct {
	testing.TB
	store *gitstore.Store
	repo  string
	mu    sync.Mutex
	acked map[string]bool // pages that must be there in the end; guarded by mu
}

func newHooked(t testing.TB) *hooked {
	t.Helper()
	dir, err := os.MkdirTemp("", "w") // short, for the socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	binary, err := os.Executable()
	must(t, err)
	s, err := gitstore.Open(context.Background(), gitstore.Config{Dir: dir, Domain: "example.org", Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	must(t, hooks.Install(dir+"/hooks", binary, dir+"/s"))
	ln, err := net.Listen("unix", dir+"/s")
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- hooks.Serve(ctx, s, ln, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	for _, u := range []wiki.Username{"alice", "bob", "carol"} {
		must(t, s.AddUser(ctx, host, gitstore.NewUser{Name: u}))
	}
	pages := map[string][]byte{"Home.md": checked("Home", 0)}
	for p := range 50 {
		pages[fmt.Sprintf("Shared/Page %d.md", p)] = checked(fmt.Sprintf("Shared/Page %d", p), 0)
	}
	must(t, s.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "notes", Owner: "alice", Pages: pages}))
	must(t, s.SetGrant(ctx, alice, "notes", "bob", wiki.Editor))
	must(t, s.SetGrant(ctx, alice, "notes", "carol", wiki.Viewer))
	return &hooked{TB: t, store: s, repo: dir + "/wikis/notes.git", acked: map[string]bool{}}
}

// checked is a page that carries a checksum of itself.
func checked(page string, version int) []byte {
	body := fmt.Sprintf("%s at version %d\n%s", page, version, strings.Repeat(fmt.Sprintf("%d: %s. ", version, page), 20+version%30))
	return fmt.Appendf(nil, "%x\n%s\n", sha256.Sum256([]byte(body)), body)
}

// whole reports whether a page is as checked wrote it.
func whole(page string, text []byte) error {
	sum, body, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), "\n")
	if fmt.Sprintf("%x", sha256.Sum256([]byte(body))) != sum || !strings.HasPrefix(body, page+" at ") {
		return fmt.Errorf("a torn read of %s: %.200q", page, text)
	}
	return nil
}

func (h *hooked) ack(page string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acked[page] = true
}

// clone is a native clone that has only one folder checked out.
func (h *hooked) clone(folder string) string {
	h.Helper()
	dir := filepath.Join(h.TempDir(), "clone")
	git(h, "/", "clone", "-q", "--no-local", "--sparse", h.repo, dir)
	git(h, dir, "sparse-checkout", "set", folder)
	git(h, dir, "config", "user.name", "Bob")
	git(h, dir, "config", "user.email", "bob@example.org")
	return dir
}

func try(dir string, args ...string) (string, error) {
	out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).CombinedOutput()
	return string(out), err
}

// commit makes a commit with one page in a clone.
func commitPage(dir, page string, text []byte) error {
	file := filepath.Join(dir, filepath.FromSlash(page)+".md")
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, text, 0o644)); err != nil {
		return err
	}
	for _, args := range [][]string{{"add", "--sparse", "."}, {"commit", "-q", "-m", "Push " + page}} {
		if out, err := try(dir, args...); err != nil {
			return fmt.Errorf("git %s: %w %s", args[0], err, out)
		}
	}
	return nil
}

// duration is how long a test of concurrency runs: a few seconds, or as long as
// make soak says.
func duration() time.Duration {
	if n, err := strconv.Atoi(os.Getenv("SOAK_SECONDS")); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	return 5 * time.Second
}

// TestEverybodyAtOnce: writers in the process, git push from native clones
// through the hooks, git pack-refs, git repack and the Store's own upkeep, beside
// readers. Nothing acknowledged is lost and no read is torn.
func TestEverybodyAtOnce(t *testing.T) {
	h := newHooked(t)
	ctx, cancel := context.WithTimeout(context.Background(), duration())
	defer cancel()
	var all sync.WaitGroup
	var edits, pushes, reads, packs atomic.Int64
	loop := func(once func(i int) error) {
		all.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := once(i); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for w := range 4 {
		loop(func(i int) error {
			defer edits.Add(1)
			return h.write(w, i)
		})
	}
	for p := range 2 {
		clone := h.clone(fmt.Sprintf("Pushed %d", p))
		loop(func(i int) error {
			defer pushes.Add(1)
			page := fmt.Sprintf("Pushed %d/Page %d", p, i)
			if err := commitPage(clone, page, checked(page, i)); err != nil {
				return err
			}
			if out, err := try(clone, "push", "-q", "origin", "HEAD:refs/merge/main"); err != nil {
				return fmt.Errorf("git push: %w %s", err, out)
			}
			h.ack(page)
			if out, err := try(clone, "pull", "-q", "--ff-only"); err != nil {
				return fmt.Errorf("git pull --ff-only: %w %s", err, out)
			}
			return nil
		})
	}
	for range 2 {
		loop(func(int) error {
			defer reads.Add(1)
			return h.readSome()
		})
	}
	loop(func(int) error {
		defer packs.Add(1)
		for _, args := range [][]string{{"pack-refs", "--all"}, {"repack", "-d", "-q"}, {"repack", "--geometric=2", "-d", "-q"}} {
			_, _ = try(h.repo, args...) // it may meet a lock of ours, or a pack that has been folded
		}
		time.Sleep(50 * time.Millisecond)
		return nil
	})
	loop(func(int) error {
		time.Sleep(100 * time.Millisecond)
		_ = gitstore.Upkeep(ctx, h.store, "notes") // two repacks at once disturb each other; upkeep is tried again
		return nil
	})
	all.Wait()
	t.Logf("%d edits, %d pushes, %d reads, %d rounds of git's maintenance", edits.Load(), pushes.Load(), reads.Load(), packs.Load())
	if edits.Load() < 20 || pushes.Load() < 2 || reads.Load() < 20 {
		t.Error("too little was going on")
	}
	h.nothingLost()
}

// write saves a page of its own, a line of a shared log, and one of the pages
// that all share.
func (h *hooked) write(w, i int) error {
	page := fmt.Sprintf("Writer %d/Page %d", w, i)
	shared := fmt.Sprintf("Shared/Page %d", rand.IntN(50))
	_, err := h.store.Update(context.Background(), bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
		return errors.Join(
			tx.Put(wiki.PagePath(page), checked(page, i), gitstore.PutOptions{Create: true}),
			tx.Put(wiki.PagePath(shared), checked(shared, i), gitstore.PutOptions{Overwrite: true}))
	})
	if err != nil {
		return fmt.Errorf("writing %s: %w", page, err)
	}
	h.ack(page)
	// Its own write is seen at once.
	v, err := h.store.View(context.Background(), carol, "notes")
	if err != nil {
		return err
	}
	got, err := v.ReadPage(wiki.PagePath(page))
	if err != nil {
		return fmt.Errorf("reading %s after it was saved: %w", page, err)
	}
	return whole(page, got.Content)
}

// readSome reads shared pages and one that was acknowledged, in one snapshot.
func (h *hooked) readSome() error {
	v, err := h.store.View(context.Background(), carol, "notes")
	if err != nil {
		return err
	}
	for range 20 {
		page := fmt.Sprintf("Shared/Page %d", rand.IntN(50))
		got, err := v.ReadPage(wiki.PagePath(page))
		if err == nil {
			err = whole(page, got.Content)
		}
		if err != nil {
			return fmt.Errorf("reading %s: %w", page, err)
		}
	}
	return nil
}

// nothingLost reads every acknowledged page through the Store and through git.
func (h *hooked) nothingLost() {
	h.Helper()
	v, err := h.store.View(context.Background(), carol, "notes")
	must(h, err)
	files := map[string]bool{}
	for _, f := range strings.Split(git(h, h.repo, "ls-tree", "-r", "--name-only", "main"), "\n") {
		files[f] = true
	}
	for page := range h.acked {
		got, err := v.ReadPage(wiki.PagePath(page))
		if err == nil {
			err = whole(page, got.Content)
		}
		if err != nil || !files[page+".md"] {
			h.Errorf("%s was acknowledged: %v, in git %t", page, err, files[page+".md"])
		}
	}
	out, err := try(h.repo, "fsck", "--strict", "--no-dangling")
	for i := 0; i < 5 && err != nil && strings.Contains(out, "index not opened"); i++ {
		time.Sleep(100 * time.Millisecond) // a fold took packs away that git had listed
		out, err = try(h.repo, "fsck", "--strict", "--no-dangling")
	}
	if err != nil {
		h.Errorf("git fsck: %v %s", err, out)
	}
}
