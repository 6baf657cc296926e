package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/imports"
	"wikibot/wiki"
)

// testConfig is a configuration for a free port and a folder of the test's own.
func testConfig(t *testing.T) Config {
	t.Helper()
	cfg := Default()
	cfg.Data, cfg.Listen = filepath.Join(t.TempDir(), "data"), "127.0.0.1:0"
	cfg.Grace = Duration(10 * time.Second)
	cfg.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	return cfg
}

// running is a real server that serves until the test ends or stop is called.
type running struct {
	*Server
	stop func() error // idempotent
}

func start(t *testing.T, cfg Config) running {
	t.Helper()
	s, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var stopped bool
	var result error
	stop := func() error {
		if !stopped {
			stopped = true
			cancel()
			result = <-done
		}
		return result
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("stopping: %v", err)
		}
	})
	return running{s, stop}
}

// get reads one page without following redirects.
func (s running) get(t *testing.T, path string, header ...string) (*http.Response, string) {
	t.Helper()
	return s.send(t, http.MethodGet, path, nil, header...)
}

func (s running) send(t *testing.T, method, path string, body io.Reader, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.listener.Addr().String()+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
		if header[i] == "Host" {
			r.Host = header[i+1]
		}
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

func (s running) token(t *testing.T, slug wiki.Slug, role string) string {
	t.Helper()
	a, err := s.Host().Do(t.Context(), Command{Do: "token create", Wiki: slug, Role: role}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a.Line
}

func TestFirstAndSecondStart(t *testing.T) {
	cfg := testConfig(t)
	s := start(t, cfg)
	link, fresh, err := s.Fresh(t.Context())
	if err != nil || !fresh || !strings.HasPrefix(link, "http://"+s.listener.Addr().String()+"/auth/link?token=") {
		t.Fatalf("first start: %q, %t, %v", link, fresh, err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := http.Client{Jar: jar}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	res, err := browser.PostForm(strings.TrimSuffix(link, "?"+u.RawQuery), u.Query())
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("signing in: %v, %v", res, err)
	}
	res.Body.Close()
	for _, page := range []string{"Home", "Meta/Wiki%20Usage%20Guide", "Meta/Page%20Template"} {
		res, err := browser.Get("http://" + s.listener.Addr().String() + "/w/notes/" + page)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%s: %v, %v", page, res, err)
		}
		res.Body.Close()
	}
	if res, _ := s.get(t, "/w/notes/Home"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a stranger on a private wiki: %s, want 404", res.Status)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"control.sock", "hooks.sock"} {
		if _, err := os.Stat(filepath.Join(cfg.Data, "cache", name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is left: %v", name, err)
		}
	}

	again := start(t, cfg)
	if _, fresh, err := again.Fresh(t.Context()); fresh || err != nil {
		t.Errorf("second start: fresh = %t, %v", fresh, err)
	}
}

func TestDeletedWikiDoesNotComeBack(t *testing.T) {
	cfg := testConfig(t)
	h, fresh, closeHost, err := OpenHost(t.Context(), cfg, cfg.Log)
	if err != nil || !fresh {
		t.Fatalf("fresh = %t, %v", fresh, err)
	}
	if again, err := h.bootstrap(t.Context()); again || err != nil {
		t.Errorf("bootstrap again: %t, %v", again, err)
	}
	wikis, err := h.Store.Wikis(t.Context(), h.caller())
	if err != nil || len(wikis) != 1 || wikis[0].Slug != firstWiki || wikis[0].Name != "Notes" {
		t.Errorf("wikis = %+v, %v", wikis, err)
	}
	if err := closeHost(); err != nil {
		t.Fatal(err)
	}
}

func TestStartErrors(t *testing.T) {
	cfg := testConfig(t)
	s := start(t, cfg)
	taken := s.listener.Addr().String()

	refuse := func(what string, change func(*Config), want ...string) {
		t.Helper()
		other := testConfig(t)
		change(&other)
		got, err := New(t.Context(), other)
		if err == nil {
			got.Close()
			t.Errorf("%s: the server started", what)
			return
		}
		if !errors.Is(err, wiki.ErrUnavailable) {
			t.Errorf("%s: %v is not ErrUnavailable", what, err)
		}
		for _, w := range want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: %q lacks %q", what, err, w)
			}
		}
	}
	refuse("port in use", func(c *Config) { c.Listen = taken }, taken, "in use", "pid", "--listen")
	refuse("not an address of ours", func(c *Config) { c.Listen = "192.0.2.1:8080" }, "--listen")
	refuse("second server on the same data", func(c *Config) { c.Data = cfg.Data }, cfg.Data, "process", "--data")
	refuse("a file for a folder", func(c *Config) {
		c.Data = filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(c.Data, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}, "--data")
	refuse("no git", func(c *Config) { c.Git = "/nonexistent/git" }, "2.38")
	old := filepath.Join(t.TempDir(), "git")
	if err := os.WriteFile(old, []byte("#!/bin/sh\necho git version 2.37.9\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	refuse("old git", func(c *Config) { c.Git = old }, "2.37", "2.38")

	// None of them did harm to the server that runs.
	if res, _ := s.get(t, "/health"); res.StatusCode != http.StatusOK {
		t.Errorf("health afterwards: %s", res.Status)
	}
	if _, asked, err := Ask(t.Context(), cfg.Data, Command{Do: "sign-in-link"}, nil); !asked || err != nil {
		t.Errorf("the control socket afterwards: %t, %v", asked, err)
	}
}

func TestDataInANewerFormat(t *testing.T) {
	cfg := testConfig(t)
	s := start(t, cfg)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	script := `set -e
f=$(mktemp); trap 'rm -f "$f"' EXIT
blob=$(printf 'schema = 7\nname = "x"\n' | git hash-object -w --stdin)
GIT_INDEX_FILE=$f.index; export GIT_INDEX_FILE
git read-tree main
git update-index --cacheinfo 100644,$blob,site.toml
commit=$(git -c user.name=x -c user.email=x@x commit-tree $(git write-tree) -p main -m newer)
git update-ref refs/heads/main $commit`
	cmd := exec.Command("sh", "-c", script)
	cmd.Dir = filepath.Join(cfg.Data, "admin.git")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if got, err := New(t.Context(), cfg); !errors.Is(err, wiki.ErrUnavailable) || !strings.Contains(err.Error(), "newer") {
		t.Errorf("New = %v, %v; want an ErrUnavailable about a newer format", got, err)
	}
}

func TestHosts(t *testing.T) {
	local := start(t, testConfig(t))
	for host, want := range map[string]int{
		"127.0.0.1": 200, "localhost:9999": 200, "[::1]:80": 200, "127.0.0.1.": 200, "LOCALHOST": 200,
		"evil.example": 421, "127.0.0.1.evil.example": 421, "localhost.evil.example": 421, "192.0.2.7": 421,
	} {
		res, text := local.get(t, "/", "Host", host)
		if res.StatusCode != want {
			t.Errorf("%s: %s, want %d", host, res.Status, want)
		}
		if want == 421 && !strings.Contains(text, local.Addresses().Site("")) {
			t.Errorf("%s: the answer does not name the address to use: %s", host, text)
		}
	}
	if res, _ := local.get(t, "/health", "Host", "10.0.0.1"); res.StatusCode != 200 {
		t.Errorf("a health check by address: %s", res.Status)
	}
}

func TestLayouts(t *testing.T) {
	cfg := testConfig(t)
	cfg.BaseURL = "http://wiki.example"
	byPath := start(t, cfg)
	cfg = testConfig(t)
	cfg.BaseURL, cfg.Layout = "http://wiki.example", wiki.LayoutSubdomain
	bySub := start(t, cfg)
	tests := []struct {
		server             running
		method, host, path string
		status             int
		location           string
	}{
		{byPath, "GET", "notes.wiki.example", "/A%2FB/c?x=1", 301, "http://wiki.example/w/notes/A%2FB/c?x=1"},
		{byPath, "POST", "notes.wiki.example", "/-/edit/Home", 308, "http://wiki.example/w/notes/-/edit/Home"},
		{byPath, "GET", "notes.wiki.example", "/repo.git/info/refs?service=git-upload-pack", 301, "http://wiki.example/w/notes.git/info/refs?service=git-upload-pack"},
		{bySub, "GET", "wiki.example", "/w/notes/Home", 301, "http://notes.wiki.example/Home"},
		{bySub, "POST", "wiki.example", "/w/notes.git/git-upload-pack", 308, "http://notes.wiki.example/repo.git/git-upload-pack"},
		{bySub, "GET", "notes.wiki.example", "/auth/logout", 200, ""},
		{bySub, "GET", "a.b.wiki.example", "/", 421, ""},
		{bySub, "GET", "notes.wiki.example", "/repo.git/info/refs?service=git-upload-pack", 401, ""},
	}
	for _, tt := range tests {
		res, _ := tt.server.send(t, tt.method, tt.path, nil, "Host", tt.host)
		if res.StatusCode != tt.status || res.Header.Get("Location") != tt.location {
			t.Errorf("%s %s%s: %d to %q, want %d to %q", tt.method, tt.host, tt.path, res.StatusCode, res.Header.Get("Location"), tt.status, tt.location)
		}
	}
}

func TestCredentialsAreNeverIgnored(t *testing.T) {
	s := start(t, testConfig(t))
	good := s.token(t, firstWiki, "viewer")
	if res, _ := s.get(t, "/w/notes/Home", "Authorization", "Bearer "+good); res.StatusCode != 200 {
		t.Errorf("a viewer's token: %s", res.Status)
	}
	for _, path := range []string{"/", "/w/notes/Home", "/w/notes.git/info/refs?service=git-upload-pack", "/w/unknown/x"} {
		res, _ := s.get(t, path, "Authorization", "Bearer "+good+"x")
		if res.StatusCode != 401 || res.Header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s with a bad token: %s, want 401 with a challenge", path, res.Status)
		}
	}
	res, _ := s.get(t, "/", "Cookie", "wikibot_session=gone")
	if cookies := res.Cookies(); res.StatusCode != 401 || len(cookies) != 1 || cookies[0].MaxAge >= 0 {
		t.Errorf("a session that has ended: %s, %v; want 401 and the cookie deleted", res.Status, cookies)
	}
}

func TestHeaders(t *testing.T) {
	s := start(t, testConfig(t))
	seen := map[string]bool{}
	for _, path := range []string{"/", "/health", "/auth/link?token=x", "/w/notes/x", "/nothing"} {
		res, _ := s.get(t, path)
		for _, name := range []string{"Content-Security-Policy", "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", requestID} {
			if res.Header.Get(name) == "" {
				t.Errorf("%s has no %s", path, name)
			}
		}
		if id := res.Header.Get(requestID); seen[id] {
			t.Errorf("the request id %s came twice", id)
		} else {
			seen[id] = true
		}
	}
}

func TestPanics(t *testing.T) {
	s := start(t, testConfig(t))
	front := httpServer(t, s.observe(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/late" {
			_, _ = io.WriteString(w, "half an")
			http.NewResponseController(w).Flush()
		}
		panic("a bug")
	})))
	res, err := http.Get(front + "/early")
	if err != nil || res.StatusCode != 500 {
		t.Fatalf("a panic: %v, %v", res, err)
	}
	text, _ := io.ReadAll(res.Body)
	res.Body.Close()
	if !strings.Contains(string(text), res.Header.Get(requestID)) || strings.Contains(string(text), "a bug") {
		t.Errorf("answer = %s", text)
	}
	res, err = http.Get(front + "/late")
	if err == nil {
		_, err = io.ReadAll(res.Body)
		res.Body.Close()
	}
	if err == nil {
		t.Error("half an answer was taken for whole")
	}
}

func httpServer(t *testing.T, h http.Handler) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go s.Serve(l)
	t.Cleanup(func() { s.Close() })
	return "http://" + l.Addr().String()
}

// TestShutdownLetsRequestsEnd: a request whose body is still arriving when the
// server is told to stop gets its answer.
func TestShutdownLetsRequestsEnd(t *testing.T) {
	s := start(t, testConfig(t))
	conn, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	const form = "token=wrong"
	fmt.Fprintf(conn, "POST /auth/link HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(form))
	if res, err := http.ReadResponse(answers, nil); err != nil || res.StatusCode != http.StatusContinue {
		t.Fatalf("the handler did not begin: %v, %v", res, err)
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.stop() }()
	for refused := false; !refused; { // until it accepts nobody else
		other, err := net.Dial("tcp", s.listener.Addr().String())
		if refused = err != nil; !refused {
			other.Close()
			time.Sleep(5 * time.Millisecond)
		}
	}
	if _, err := io.WriteString(conn, form); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(answers, nil)
	if err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Errorf("the request in flight: %v, %v; want 401", res, err)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestControlSocket(t *testing.T) {
	cfg := testConfig(t)
	// A folder whose path is longer than a socket's may be.
	cfg.Data = filepath.Join(cfg.Data, strings.Repeat("long/", 20))
	s := start(t, cfg)
	note, err := os.ReadFile(filepath.Join(cfg.Data, "cache", "sockets"))
	if err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimSpace(string(note))
	for path, want := range map[string]os.FileMode{dir: 0o700, dir + "/control.sock": 0o600, dir + "/hooks.sock": 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %o", path, info, err, want)
		}
	}
	ask := func(cmd Command) (Answer, error) {
		t.Helper()
		a, asked, err := Ask(t.Context(), cfg.Data, cmd, func(imports.Progress) {})
		if !asked {
			t.Fatal("nobody answered")
		}
		return a, err
	}
	if _, err := ask(Command{Do: "user add", User: "bob"}); err != nil {
		t.Error(err)
	}
	if _, err := ask(Command{Do: "user add", User: "bob"}); !errors.Is(err, wiki.ErrExists) {
		t.Errorf("bob again: %v, want ErrExists", err)
	}
	if _, err := ask(Command{Do: "grant", Wiki: firstWiki, User: "bob", Role: "editor"}); err != nil {
		t.Error(err)
	}
	if _, err := ask(Command{Do: "grant", Wiki: firstWiki, User: "bob", Role: "king"}); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("a role that is none: %v", err)
	}
	if a, err := ask(Command{Do: "wiki create", Wiki: "second", Name: "Second"}); err != nil || !strings.HasSuffix(a.Line, "/w/second/") {
		t.Errorf("wiki create: %+v, %v", a, err)
	}
	if _, err := ask(Command{Do: "rm -rf"}); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("no command: %v", err)
	}
	if st, err := s.Store().Standing(t.Context(), wiki.Caller{User: "bob"}, firstWiki); err != nil || !st.Write {
		t.Errorf("bob's standing: %+v, %v", st, err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the sockets' folder is left: %v", err)
	}
	if _, asked, _ := Ask(t.Context(), cfg.Data, Command{Do: "sign-in-link"}, nil); asked {
		t.Error("somebody answered after the end")
	}
}

// TestImportBesideAServer also shows that nothing half-made is left by an import
// that fails.
func TestImportBesideAServer(t *testing.T) {
	cfg := testConfig(t)
	s := start(t, cfg)
	vault := t.TempDir()
	for name, text := range map[string]string{"README.md": "# Vault\n[[Other]]\n", "Other.md": "other\n", "assets/a.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>"} {
		path := filepath.Join(vault, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var stages []string
	a, asked, err := Ask(t.Context(), cfg.Data, Command{Do: "import", Import: &imports.Request{Source: vault, Slug: "vault"}}, func(p imports.Progress) { stages = append(stages, p.Stage) })
	if err != nil || !asked || a.Report == nil || a.Report.Pages != 2 || a.Report.Home != "README" || len(stages) == 0 {
		t.Fatalf("import: %+v, %t, %v, %v", a.Report, asked, err, stages)
	}
	token := s.token(t, "vault", "viewer")
	if res, text := s.get(t, "/w/vault/", "Authorization", "Bearer "+token); res.StatusCode != 200 || !strings.Contains(text, "Vault") {
		t.Errorf("the home page: %s", res.Status)
	}
	if res, _ := s.get(t, "/w/vault/-/file/assets/a.svg", "Authorization", "Bearer "+token); res.StatusCode != 200 {
		t.Errorf("the image: %s", res.Status)
	}
	for _, req := range []imports.Request{
		{Source: vault, Slug: "vault"},
		{Source: filepath.Join(vault, "none"), Slug: "none-there"},
		{Source: t.TempDir(), Slug: "empty-one"},
		{Source: vault, Slug: "no-owner", Owner: "nobody-here"},
	} {
		if a, _, err := Ask(t.Context(), cfg.Data, Command{Do: "import", Import: &req}, func(imports.Progress) {}); err == nil {
			t.Errorf("%+v was imported: %+v", req, a)
		}
	}
	left, err := os.ReadDir(filepath.Join(cfg.Data, "wikis"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		if name := e.Name(); name != "notes.git" && name != "vault.git" {
			t.Errorf("%s is left in wikis/", name)
		}
	}
	if _, err := s.Store().Standing(t.Context(), wiki.Caller{Host: true}, "empty-one"); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("a half-imported wiki: %v", err)
	}
}

func TestOpenHostBesideAServer(t *testing.T) {
	cfg := testConfig(t)
	start(t, cfg)
	if _, _, _, err := OpenHost(t.Context(), cfg, cfg.Log); !errors.Is(err, gitstore.ErrInUse) {
		t.Errorf("got %v, want ErrInUse", err)
	}
}

func TestPortOwner(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := os.Stat("/proc/net/tcp"); err != nil {
		if got := portOwner(l.Addr().String()); got != "" {
			t.Errorf("without /proc: %q", got)
		}
		return
	}
	if got := portOwner(l.Addr().String()); !strings.HasSuffix(got, "pid "+strconv.Itoa(os.Getpid())) {
		t.Errorf("portOwner = %q, want this process", got)
	}
}

func TestClientBehindProxies(t *testing.T) {
	var proxies []Network
	for _, text := range []string{"127.0.0.1", "10.0.0.0/8"} {
		var n Network
		if err := n.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
		proxies = append(proxies, n)
	}
	s := &Server{cfg: Config{HTTP: HTTPConfig{TrustedProxies: proxies}}}
	for _, tt := range []struct{ remote, forwarded, want string }{
		{"192.0.2.1:5", "", "192.0.2.1"},
		{"192.0.2.1:5", "198.51.100.7", "192.0.2.1"}, // mallory is no proxy
		{"127.0.0.1:5", "198.51.100.7", "198.51.100.7"},
		{"[::ffff:127.0.0.1]:5", "198.51.100.7", "198.51.100.7"},
		{"127.0.0.1:5", "6.6.6.6, 198.51.100.7, 10.1.2.3", "198.51.100.7"},
		{"127.0.0.1:5", "198.51.100.7, <script>", "127.0.0.1"},
		{"127.0.0.1:5", "", "127.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: tt.remote, Header: http.Header{}}
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		if got := s.client(r); got != tt.want {
			t.Errorf("client(%s, %q) = %s, want %s", tt.remote, tt.forwarded, got, tt.want)
		}
	}
}
