package server

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/hooks"
	"wikibot/wiki"
)

// gitSite is a site with the wiki "notes": alice owns it, bob edits, carol reads,
// mallory may nothing. A user's name is the password too.
type gitSite struct {
	tb      testing.TB
	store   *gitstore.Store
	handler *gitHandler
	web     *httptest.Server
	dir     string // of the repository
	conns   atomic.Int64
}

func newGitSite(tb testing.TB, pages map[string][]byte) *gitSite {
	tb.Helper()
	dir, err := os.MkdirTemp("", "w") // short, for the socket
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	binary, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cfg := gitConfig{HooksDir: dir + "/hooks", Binary: binary, Socket: dir + "/s", Log: slog.New(slog.DiscardHandler)}
	if testing.Verbose() {
		cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	ctx, host := context.Background(), wiki.Caller{Host: true, Via: wiki.ViaCLI}
	cfg.Store, err = gitstore.Open(ctx, gitstore.Config{Dir: dir, HooksDir: cfg.HooksDir, Domain: "example.org", Log: cfg.Log, NoUpkeep: true})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { cfg.Store.Close() })
	if pages == nil {
		pages = map[string][]byte{"Home.md": []byte("# Home\n\nhello\n"), "Other.md": []byte("# Other\n")}
	}
	for _, u := range []wiki.Username{"alice", "bob", "carol", "mallory"} {
		if err := cfg.Store.AddUser(ctx, host, gitstore.NewUser{Name: u}); err != nil {
			tb.Fatal(err)
		}
	}
	if err := errors.Join(
		hooks.Install(cfg.HooksDir, cfg.Binary, cfg.Socket),
		cfg.Store.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "notes", Name: "Notes", Owner: "alice", Pages: pages}),
		cfg.Store.SetGrant(ctx, host, "notes", "bob", wiki.Editor),
		cfg.Store.SetGrant(ctx, host, "notes", "carol", wiki.Viewer),
	); err != nil {
		tb.Fatal(err)
	}
	s := &gitSite{tb: tb, store: cfg.Store, handler: newGitHandler(cfg), dir: dir + "/wikis/notes.git"}
	s.web = httptest.NewUnstartedServer(http.HandlerFunc(s.serveHTTP))
	s.web.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.conns.Add(1)
		}
	}
	s.web.Start()
	tb.Cleanup(s.web.Close)
	return s
}

func (s *gitSite) serveHTTP(w http.ResponseWriter, r *http.Request) {
	c := wiki.Caller{}
	if _, password, ok := r.BasicAuth(); ok {
		c.User = wiki.Username(password)
	}
	slug, rest := wiki.Slug(""), strings.TrimPrefix(r.URL.EscapedPath(), "/admin.git")
	if after, ok := strings.CutPrefix(r.URL.EscapedPath(), "/w/"); ok {
		name, path, _ := strings.Cut(after, ".git")
		slug, rest = wiki.Slug(name), path
	}
	s.handler.serve(w, r, c, slug, rest)
}

// url is where a user finds a repository; nobody where user is empty.
func (s *gitSite) url(user, path string) string {
	u, _ := url.Parse(s.web.URL + path)
	if user != "" {
		u.User = url.UserPassword("x", user)
	}
	return u.String()
}

func (s *gitSite) git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0", "LC_ALL=C", "HOME=/nonexistent",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org")
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (s *gitSite) must(dir string, args ...string) string {
	s.tb.Helper()
	out, err := s.git(dir, args...)
	if err != nil {
		s.tb.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return out
}

func (s *gitSite) clone(user string, args ...string) string {
	s.tb.Helper()
	dir := filepath.Join(s.tb.TempDir(), "clone")
	s.must("/", append(append([]string{"clone", "-q"}, args...), s.url(user, "/w/notes.git"), dir)...)
	return dir
}

// commit writes a file in a clone and commits it.
func (s *gitSite) commit(clone, name, text string) {
	s.tb.Helper()
	if err := os.MkdirAll(filepath.Dir(filepath.Join(clone, name)), 0o755); err != nil {
		s.tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(clone, name), []byte(text), 0o644); err != nil {
		s.tb.Fatal(err)
	}
	s.must(clone, "add", "--", name)
	s.must(clone, "commit", "-q", "-m", "change "+name)
}

func (s *gitSite) refs() string {
	s.tb.Helper()
	return s.must("/", "--git-dir="+s.dir, "for-each-ref", "refs/heads")
}

func (s *gitSite) page(p wiki.PagePath) string {
	s.tb.Helper()
	v, err := s.store.View(context.Background(), wiki.Caller{User: "alice"}, "notes")
	if err != nil {
		s.tb.Fatal(err)
	}
	page, err := v.ReadPage(p)
	if err != nil {
		s.tb.Error(err)
	}
	return string(page.Content)
}

func TestGitCloneAndPush(t *testing.T) {
	s := newGitSite(t, nil)
	for _, version := range []string{"0", "1", "2"} {
		clone := s.clone("bob", "-c", "protocol.version="+version)
		name := wiki.PagePath("Page " + version)
		s.commit(clone, string(name)+".md", "text\n")
		s.must(clone, "push", "-q", "origin", "HEAD:main")
		if got := s.page(name); got != "text\n" {
			t.Errorf("protocol %s: the page reads %q", version, got)
		}
		s.must(clone, "-c", "protocol.version="+version, "pull", "-q", "--ff-only")
	}
	shallow := s.clone("carol", "--depth=1")
	if got := s.must(shallow, "rev-list", "--count", "HEAD"); got != "1" {
		t.Errorf("a shallow clone has %s commits", got)
	}
	s.must(shallow, "fetch", "-q", "--unshallow")
	partial := s.clone("carol", "--filter=blob:none", "--no-checkout")
	if got := s.must(partial, "rev-list", "--objects", "--missing=print", "HEAD"); !strings.Contains(got, "?") {
		t.Error("a partial clone brought every blob")
	}
	s.must(partial, "checkout", "-q", "main")
	if got := s.must(partial, "fsck", "--strict"); strings.Contains(got, "error") {
		t.Error(got)
	}
}

// TestGitPushForms pushes in the ways that stock git knows, and looks at what it
// says.
func TestGitPushForms(t *testing.T) {
	s := newGitSite(t, nil)
	clone := s.clone("bob")
	s.commit(clone, "New.md", "new\n")
	out := s.must(clone, "push", "-o", "a=b", "--atomic", "origin", "HEAD:main", "HEAD:refs/heads/draft")
	if !strings.Contains(out, "HEAD -> main") {
		t.Error(out)
	}
	s.must(clone, "push", "-q", "origin", ":refs/heads/draft")
	if refs := s.refs(); strings.Contains(refs, "draft") {
		t.Error(refs)
	}
	big := strings.Repeat("a line of a long page that is somewhat different each time\n", 50)
	for i := range 150 { // more than git unpacks
		name := fmt.Sprintf("Folder/P%d.md", i)
		if err := os.MkdirAll(clone+"/Folder", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(clone+"/"+name, []byte(fmt.Sprint(i, big)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s.must(clone, "add", ".")
	s.must(clone, "commit", "-q", "-m", "many")
	s.must(clone, "-c", "http.postBuffer=1000", "push", "-q", "origin", "HEAD:main") // chunked, after a probe
	if got := s.must("/", "--git-dir="+s.dir, "fsck", "--strict"); strings.Contains(got, "error") {
		t.Error(got)
	}
}

// TestGitPushMerges: somebody else edits the wiki after the clone was made.
func TestGitPushMerges(t *testing.T) {
	s := newGitSite(t, nil)
	clone := s.clone("bob")
	s.commit(clone, "Other.md", "# Other\n\nby push\n")
	edit := func(p wiki.PagePath, text string) {
		t.Helper()
		_, err := s.store.Update(context.Background(), wiki.Caller{User: "alice", Via: wiki.ViaWeb}, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
			return tx.Put(p, []byte(text), gitstore.PutOptions{Overwrite: true})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	edit("Home", "# Home\n\nby web\n")
	if out, err := s.git(clone, "push", "origin", "HEAD:main"); err == nil || !strings.Contains(out, "fetch first") {
		t.Errorf("a stale push to main: %v\n%s", err, out)
	}
	out := s.must(clone, "push", "origin", "HEAD:refs/merge/main")
	if !strings.Contains(out, "HEAD -> main") {
		t.Error(out)
	}
	if s.page("Home") != "# Home\n\nby web\n" || s.page("Other") != "# Other\n\nby push\n" {
		t.Errorf("not merged: %q, %q", s.page("Home"), s.page("Other"))
	}
	s.must(clone, "pull", "-q", "--ff-only")
	// A conflict is refused, with the page named.
	s.commit(clone, "Home.md", "# Home\n\nby push\n")
	edit("Home", "# Home\n\nby web again\n")
	before := s.refs()
	out, err := s.git(clone, "push", "origin", "HEAD:refs/merge/main")
	if err == nil || !strings.Contains(out, "Home") || s.refs() != before {
		t.Errorf("a conflict: %v\n%s", err, out)
	}
}

func TestGitRights(t *testing.T) {
	s := newGitSite(t, nil)
	for _, tt := range []struct {
		user, path string
		push       bool
		status     int
		text       string
	}{
		{"", "/w/notes.git", false, 401, "token"},
		{"", "/w/nowhere.git", false, 401, "token"},
		{"", "/admin.git", false, 401, "token"},
		{"", "/w/notes.git", true, 401, "token"},
		{"mallory", "/w/notes.git", false, 404, "no such wiki"},
		{"mallory", "/w/nowhere.git", false, 404, "no such wiki"},
		{"mallory", "/w/notes.git", true, 404, "no such wiki"},
		{"mallory", "/admin.git", false, 404, ""},
		{"carol", "/w/notes.git", false, 200, "refs/heads/main"},
		{"carol", "/w/notes.git", true, 403, ""},
		{"bob", "/w/notes.git", true, 200, "refs/heads/main"},
	} {
		service := uploadPack
		if tt.push {
			service = receivePack
		}
		resp, err := http.Get(s.url(tt.user, tt.path) + "/info/refs?service=" + service)
		if err != nil {
			t.Fatal(err)
		}
		body := make([]byte, 4096)
		n, _ := resp.Body.Read(body)
		resp.Body.Close()
		text := string(body[:n])
		if resp.StatusCode != tt.status || !strings.Contains(text, tt.text) {
			t.Errorf("%q at %s, push %v: got %d %q, want %d", tt.user, tt.path, tt.push, resp.StatusCode, text, tt.status)
		}
		if auth := resp.Header.Get("WWW-Authenticate"); (auth != "") != (tt.status == 401) {
			t.Errorf("%q at %s: challenge %q", tt.user, tt.path, auth)
		}
	}
	// What does not exist is not told from what one may not know, letter for letter.
	answers := map[string]string{}
	for _, path := range []string{"/w/notes.git", "/w/other.git"} {
		resp, err := http.Get(s.url("", path) + "/info/refs?service=" + uploadPack)
		if err != nil {
			t.Fatal(err)
		}
		body := make([]byte, 4096)
		n, _ := resp.Body.Read(body)
		resp.Body.Close()
		answers[path] = strings.ReplaceAll(resp.Header.Get("WWW-Authenticate")+string(body[:n]), "other", "notes")
	}
	if answers["/w/notes.git"] != answers["/w/other.git"] {
		t.Errorf("%q", answers)
	}
	// git shows the text.
	clone := s.clone("carol")
	s.commit(clone, "Home.md", "mine\n")
	if out, err := s.git(clone, "push", "origin", "HEAD:main"); err == nil || !strings.Contains(out, "remote: ") || !strings.Contains(out, "403") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestGitHidesServersRefs(t *testing.T) {
	s := newGitSite(t, nil)
	for _, version := range []string{"0", "2"} {
		if out := s.must("/", "-c", "protocol.version="+version, "ls-remote", s.url("bob", "/w/notes.git")); strings.Contains(out, "refs/wikibot") {
			t.Errorf("an editor sees\n%s", out)
		}
		if out := s.must("/", "-c", "protocol.version="+version, "ls-remote", s.url("alice", "/w/notes.git")); !strings.Contains(out, "refs/wikibot/config") {
			t.Errorf("an owner does not see the configuration\n%s", out)
		}
		// Nor does an expression in a filter tell what a hidden ref leads to.
		out, err := s.git("/", "-c", "protocol.version="+version, "clone", "--filter=sparse:oid=refs/wikibot/config", s.url("carol", "/w/notes.git"), filepath.Join(t.TempDir(), "clone"))
		if name := s.must("/", "--git-dir="+s.dir, "rev-parse", "refs/wikibot/config"); err == nil || strings.Contains(out, name) || !strings.Contains(out, "not supported") {
			t.Errorf("%v\n%s", err, out)
		}
		for _, filter := range []string{"blob:none", "blob:limit=1k", "tree:0", "object:type=commit", "combine:blob:none+tree:1"} {
			s.must("/", "-c", "protocol.version="+version, "clone", "-q", "--bare", "--filter="+filter, s.url("carol", "/w/notes.git"), filepath.Join(t.TempDir(), "clone"))
		}
	}
}

// TestGitForgedMarks: what only the server may write is found where no ref leads
// to it, and in an encoding in which it does not read as such.
func TestGitForgedMarks(t *testing.T) {
	s := newGitSite(t, nil)
	clone := s.clone("bob")
	head := s.must(clone, "rev-parse", "HEAD")
	object := func(committer, header, message string) string {
		text := fmt.Sprintf("tree %s\nparent %s\nauthor alice <a@example.org> 1 +0000\ncommitter %s 1 +0000\n%s\n%s\n", s.must(clone, "rev-parse", "HEAD^{tree}"), head, committer, header, message)
		file := filepath.Join(t.TempDir(), "commit")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return s.must(clone, "hash-object", "-t", "commit", "-w", file)
	}
	for name, forged := range map[string]string{
		"ISO-2022-JP":       object("wikibot <server@wiki\x1b(Bbot.invalid>", "encoding ISO-2022-JP\n", "Home\n\nWiki\x1b(Bbot-Actor: alice"),
		"UTF-7":             object("wikibot <server+AEA-wikibot.invalid>", "encoding UTF-7\n", "Home\n\nWikibot+AC0-Actor: alice"),
		"UTF-7 before":      object("wikibot <server+AEA-wikibot.invalid>", "encoding UTF-7\nencoding UTF-8\n", "Home\n\nWikibot+AC0-Actor: alice"),
		"UTF-8, committer":  object("wikibot <"+gitstore.ServerEmail+">", "encoding UTF-8\n", "Home"),
		"Latin-1, trailers": object("b <b@example.org>", "encoding ISO-8859-1\n", "H\xf6me\n\nWikibot-Actor: alice"),
	} {
		if out, err := s.git(clone, "push", "origin", forged+":refs/heads/main"); err == nil || !strings.Contains(out, "commit "+forged[:10]) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
	s.must(clone, "push", "-q", "origin", object("b <b@example.org>", "encoding ISO-8859-1\n", "H\xf6me")+":refs/heads/latin")

	// A pack that brings more than its refs lead to.
	good, forged := object("b <b@example.org>", "", "good"), object("wikibot <"+gitstore.ServerEmail+">", "", "forged")
	pack := exec.Command("git", "-C", clone, "pack-objects", "-q", "--stdout")
	pack.Stdin = strings.NewReader(good + "\n" + forged + "\n")
	data, err := pack.Output()
	if err != nil {
		t.Fatal(err)
	}
	line := head + " " + good + " refs/heads/main\x00report-status"
	body := fmt.Sprintf("%04x%s0000%s", len(line)+4, line, data)
	res, err := http.Post(s.url("bob", "/w/notes.git/git-receive-pack"), "application/x-git-receive-pack-request", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	answer, _ := io.ReadAll(res.Body)
	if _, err := s.git("/", "--git-dir="+s.dir, "cat-file", "-e", forged); err == nil || !strings.Contains(string(answer), "ng refs/heads/main") {
		t.Errorf("the forged commit stayed, or %q", answer)
	}
}

// TestGitHooksNotInPlace: nothing is served, and the pusher is told why.
func TestGitHooksNotInPlace(t *testing.T) {
	s := newGitSite(t, nil)
	h := s.handler.HooksDir
	clone := s.clone("bob")
	s.commit(clone, "Home.md", "changed\n")
	before := s.refs()
	for _, tt := range []struct {
		name   string
		damage func() error
		text   string
	}{
		{"folder gone", func() error { return os.RemoveAll(h) }, "hooks folder is missing"},
		{"proc-receive gone", func() error { return os.Remove(h + "/proc-receive") }, "proc-receive is missing"},
		{"proc-receive 0644", func() error { return os.Chmod(h+"/proc-receive", 0o644) }, "proc-receive has mode 0644"},
		{"pre-receive gone", func() error { return os.Remove(h + "/pre-receive") }, "pre-receive is missing"},
		{"pre-receive 0644", func() error { return os.Chmod(h+"/pre-receive", 0o644) }, "pre-receive has mode 0644"},
		{"pre-receive changed", func() error { return os.WriteFile(h+"/pre-receive", []byte("#!/bin/sh\n"), 0o755) }, "not as wikibot wrote it"},
	} {
		if err := tt.damage(); err != nil {
			t.Fatal(err)
		}
		out, err := s.git(clone, "push", "origin", "HEAD:main")
		if err == nil || !strings.Contains(out, tt.text) || s.refs() != before {
			t.Errorf("%s: %v\n%s", tt.name, err, out)
		}
		if out, err := s.git(clone, "fetch"); err == nil {
			t.Errorf("%s: fetched\n%s", tt.name, out)
		}
		if err := hooks.Install(h, s.handler.Binary, s.handler.Socket); err != nil {
			t.Fatal(err)
		}
	}
	s.must(clone, "push", "-q", "origin", "HEAD:main")
}

// TestGitPushRefused: every fault is shown with its file, and nothing of the push
// lands.
func TestGitPushRefused(t *testing.T) {
	s := newGitSite(t, nil)
	clone := s.clone("bob")
	s.commit(clone, "Good.md", "good\n")
	s.must(clone, "branch", "good")
	s.commit(clone, "aux.md", "bad\n")
	s.commit(clone, "What?.md", "bad\n")
	before := s.refs()
	out, err := s.git(clone, "push", "origin", "good:refs/heads/good", "HEAD:main")
	if err == nil || s.refs() != before || !strings.Contains(out, "aux.md") || !strings.Contains(out, "What?.md") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, ref := range []string{"refs/wikibot/config", "refs/wikibot/tokens", "refs/wikibot/audit"} {
		if out, err := s.git(clone, "push", "origin", "good:"+ref); err == nil {
			t.Errorf("an editor pushed to %s\n%s", ref, out)
		}
	}
}

// TestGitClientLeaves: no process stays behind a client that went away.
func TestGitClientLeaves(t *testing.T) {
	s := newGitSite(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	body, feed, _ := os.Pipe()
	defer feed.Close()
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.url("bob", "/w/notes.git")+"/git-receive-pack", body)
	r.Header.Set("Content-Type", "application/x-git-receive-pack-request")
	go http.DefaultClient.Do(r)
	fmt.Fprint(feed, "0010")
	waitFor(t, "a process", func() bool { return len(s.handler.slots.running) == 1 && children(t) > 0 })
	cancel()
	waitFor(t, "no process", func() bool { return len(s.handler.slots.running) == 0 && children(t) == 0 })
}

// TestGitClientLeavesInMidPack: the quarantine of a push that broke off is removed,
// though git by itself leaves it when a signal ends it.
func TestGitClientLeavesInMidPack(t *testing.T) {
	s := newGitSite(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	body, feed, _ := os.Pipe()
	defer feed.Close()
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.url("bob", "/w/notes.git")+"/git-receive-pack", body)
	r.Header.Set("Content-Type", "application/x-git-receive-pack-request")
	go http.DefaultClient.Do(r)
	line := strings.Repeat("0", 40) + " " + strings.Repeat("1", 40) + " refs/heads/x\x00report-status\n"
	fmt.Fprintf(feed, "%04x%s0000PACK\x00\x00\x00\x02\x00\x00\x00\x09", len(line)+4, line)
	quarantines := func() int {
		left, _ := filepath.Glob(s.dir + "/objects/tmp_objdir-*")
		return len(left)
	}
	waitFor(t, "a quarantine", func() bool { return quarantines() == 1 })
	cancel()
	waitFor(t, "nothing left", func() bool {
		return quarantines() == 0 && len(s.handler.slots.running) == 0 && children(t) == 0
	})
}

// children counts the processes whose parent this one is.
func children(t *testing.T) int {
	out, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", syscall.Gettid()))
	if runtime.GOOS != "linux" || err != nil {
		t.Fatalf("/proc does not tell children: %v", err)
	}
	n := len(strings.Fields(string(out)))
	tasks, _ := filepath.Glob("/proc/self/task/*/children")
	for _, f := range tasks {
		more, _ := os.ReadFile(f)
		n = max(n, len(strings.Fields(string(more))))
	}
	return n
}

func waitFor(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Errorf("waited in vain for %s", what)
}

// TestGitSilentClients: whoever opens a fetch and sends nothing holds no process,
// so a clone beside them goes on.
func TestGitSilentClients(t *testing.T) {
	s := newGitSite(t, nil)
	s.handler.slots = newGitSlots(1, 0)
	for range 3 {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		body, feed, _ := os.Pipe()
		defer feed.Close()
		r, _ := http.NewRequestWithContext(ctx, http.MethodPost, s.url("bob", "/w/notes.git")+"/git-upload-pack", body)
		r.Header.Set("Content-Type", "application/x-git-upload-pack-request")
		go http.DefaultClient.Do(r)
		fmt.Fprint(feed, "0")
	}
	time.Sleep(100 * time.Millisecond)
	s.must("/", "clone", s.url("bob", "/w/notes.git"), filepath.Join(t.TempDir(), "clone"))
}

func TestGitBusy(t *testing.T) {
	s := newGitSite(t, nil)
	s.handler.slots = newGitSlots(1, 0)
	if err := s.handler.slots.take(context.Background()); err != nil {
		t.Fatal(err)
	}
	out, err := s.git("/", "ls-remote", s.url("bob", "/w/notes.git"))
	if err == nil || !strings.Contains(out, "the server is busy") {
		t.Errorf("%v\n%s", err, out)
	}
	s.handler.slots.give()
	s.must("/", "ls-remote", s.url("bob", "/w/notes.git"))
}

func TestGitTooLarge(t *testing.T) {
	s := newGitSite(t, nil)
	s.handler.MaxPush = 50 << 10
	clone := s.clone("bob")
	noise := make([]byte, 200<<10)
	rand.Read(noise)
	s.commit(clone, "noise.png", string(noise))
	before := s.refs()
	out, err := s.git(clone, "push", "origin", "HEAD:main")
	if err == nil || s.refs() != before || !strings.Contains(out, "maximum allowed size") {
		t.Errorf("%v\n%s", err, out)
	}
}
