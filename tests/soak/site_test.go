// Package soak proves that nothing acknowledged is lost: the real program, on
// real data, is loaded by browsers and git clients and killed at random moments.
// `go test ./tests/soak` kills it 10 times; SOAK_KILLS=200 more often, and
// SOAK_RACE=1 builds it with the race detector. Other sizes: SOAK_PUSHES.
package soak

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	pages      = 10_000
	slug       = "soak"
	startLimit = 2 * time.Second // from exec to the first 200 of /health
)

// number is the size of a test from the environment.
func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// TestMain makes a folder for what all tests share: the program, and data with
// 10,000 pages.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Setenv("SOAK_DIR", dir)
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// program is the built binary.
func program(t testing.TB) string {
	t.Helper()
	binary := filepath.Join(os.Getenv("SOAK_DIR"), "wikibot")
	if _, err := os.Stat(binary); err == nil {
		return binary
	}
	args := []string{"build", "-trimpath", "-o", binary}
	env := append(os.Environ(), "CGO_ENABLED=0")
	if os.Getenv("SOAK_RACE") != "" {
		args, env = append(args, "-race"), append(os.Environ(), "CGO_ENABLED=1")
	}
	cmd := exec.Command("go", append(args, "wikibot")...)
	cmd.Env = env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// data is a new copy of the data folder with 10,000 pages, which is made once
// by git fast-import and wikibot import.
func data(t testing.TB) string {
	t.Helper()
	made := filepath.Join(os.Getenv("SOAK_DIR"), "data")
	if _, err := os.Stat(made); err != nil {
		source := filepath.Join(os.Getenv("SOAK_DIR"), "source.git")
		run(t, "/", "git", "init", "-q", "--bare", "-b", "main", source)
		cmd := exec.Command("git", "fast-import", "--quiet")
		cmd.Dir, cmd.Stdin = source, bytes.NewReader(stream())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git fast-import: %v\n%s", err, out)
		}
		if _, err := command(program(t), "import", "--data", made, source, slug); err != nil {
			t.Fatal(err)
		}
	}
	// A short path, for the sockets; not in the test's folder, whose name is long.
	dir, err := os.MkdirTemp(os.Getenv("SOAK_DIR"), "d")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	run(t, "/", "cp", "-a", made+"/.", dir)
	return dir
}

// stream is 10,000 pages in folders of 100, as one commit.
func stream() []byte {
	var b bytes.Buffer
	b.WriteString("commit refs/heads/main\ncommitter Alice <alice@example.org> 1700000000 +0000\ndata 5\nBegin\n")
	for p := range pages {
		text := fmt.Sprintf("# Page %d\n\nSee [[Page %d]] and [[Topic %d/Page %d]].\n", p, (p+1)%pages, (p*7%pages)/100, p*7%pages)
		fmt.Fprintf(&b, "M 100644 inline Topic %d/Page %d.md\ndata %d\n%s\n", p/100, p, len(text), text)
	}
	return b.Bytes()
}

func run(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = dir, environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// command runs the program and returns what it printed on its output.
func command(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %v: %w\n%s", filepath.Base(name), args, err, errs.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// environment is that of git clients.
func environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Bob", "GIT_AUTHOR_EMAIL=bob@example.org", "GIT_COMMITTER_NAME=Bob", "GIT_COMMITTER_EMAIL=bob@example.org",
	}
}

// site is a data folder and the server on it.
type site struct {
	testing.TB
	binary, data, listen string
	ssh                  string   // address of git over SSH
	args                 []string // more flags of serve
	wrap                 []string // command before the program, such as strace
	base                 string
	token                string
	cookies              http.CookieJar

	server *exec.Cmd
	exited chan error
	log    *bytes.Buffer
}

func newSite(t testing.TB) *site {
	t.Helper()
	var free [2]string
	for i := range free {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		free[i] = l.Addr().String()
		defer l.Close() // after both are known to differ
	}
	s := &site{TB: t, binary: program(t), data: data(t), listen: free[0], ssh: free[1]}
	s.base = "http://" + s.listen + "/w/" + slug
	t.Cleanup(s.kill)
	return s
}

func (s *site) repo() string { return filepath.Join(s.data, "wikis", slug+".git") }

// start starts the server and waits until it answers; the time is from exec to
// then.
func (s *site) start() time.Duration {
	s.Helper()
	args := append(append([]string{}, s.wrap...), s.binary, "serve", "--data", s.data, "--listen", s.listen, "--ssh-listen", s.ssh, "--rates-reads", "0", "--rates-writes", "0")
	args = append(args, s.args...)
	s.server = exec.Command(args[0], args[1:]...)
	s.log = &bytes.Buffer{}
	s.server.Stdout, s.server.Stderr = s.log, s.log
	// The server's group is its own, so that nothing else is signalled with it.
	s.server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	s.server.WaitDelay = time.Second // a git child may hold its output open
	began := time.Now()
	if err := s.server.Start(); err != nil {
		s.Fatal(err)
	}
	s.exited = make(chan error, 1)
	go func(cmd *exec.Cmd, done chan error) { done <- cmd.Wait() }(s.server, s.exited)
	client := http.Client{Timeout: time.Second}
	for time.Since(began) < time.Minute {
		if res, err := client.Get("http://" + s.listen + "/health"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return time.Since(began)
			}
		}
		select {
		case err := <-s.exited:
			s.server = nil
			s.Fatalf("the server ended: %v\n%s", err, s.log)
		case <-time.After(2 * time.Millisecond):
		}
	}
	s.Fatalf("the server does not answer:\n%s", s.log)
	return 0
}

// kill ends the server as a power cut would, and waits until it is gone.
func (s *site) kill() {
	if s.server == nil {
		return
	}
	// The whole group: strace would leave the server that it watches alone.
	_ = syscall.Kill(-s.server.Process.Pid, syscall.SIGKILL)
	<-s.exited
	s.server = nil
}

// signIn gives the site's browsers the operator's session, and its git clients
// a token.
func (s *site) signIn() {
	s.Helper()
	link, err := command(s.binary, "admin", "--data", s.data, "sign-in-link")
	if err != nil {
		s.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		s.Fatal(err)
	}
	if s.cookies, err = cookiejar.New(nil); err != nil {
		s.Fatal(err)
	}
	res, err := s.browser().PostForm(strings.TrimSuffix(link, "?"+u.RawQuery), u.Query())
	if err != nil {
		s.Fatal(err)
	}
	res.Body.Close()
	if s.token, err = command(s.binary, "admin", "--data", s.data, "token", "create", "--wiki", slug, "--role", "editor"); err != nil {
		s.Fatal(err)
	}
	if code, _, err := s.read(s.browser(), "Topic 0/Page 0"); code != http.StatusOK || err != nil {
		s.Fatalf("after signing in: %d, %v", code, err)
	}
}

// browser is one person's: with the session, without following redirects, so
// that a save is answered by what the server said of it.
func (s *site) browser() *http.Client {
	return &http.Client{
		Jar: s.cookies, Timeout: 30 * time.Second,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 2},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func escape(page string) string { return strings.ReplaceAll(url.PathEscape(page), "%2F", "/") }

// read is a page's text.
func (s *site) read(c *http.Client, page string) (int, string, error) {
	return get(c, s.base+"/-/source/"+escape(page)+"?raw")
}

func get(c *http.Client, address string) (int, string, error) {
	res, err := c.Get(address)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return res.StatusCode, string(text), err
}

// form opens the editor, as a browser does before it saves; base is what the
// text in it is based on.
func (s *site) form(c *http.Client, page string) (code int, base string, err error) {
	code, text, err := get(c, s.base+"/-/edit/"+escape(page))
	if err != nil || code != http.StatusOK {
		return code, "", err
	}
	m := regexp.MustCompile(`name="base" value="([0-9a-f]*)"`).FindStringSubmatch(text)
	if m == nil {
		return code, "", errors.New("the editor has no field base")
	}
	return code, m[1], nil
}

// post sends the editor's form; 303 says that it was saved.
func (s *site) post(c *http.Client, page, base, text, message string) (code int, body string, err error) {
	res, err := c.PostForm(s.base+"/-/edit/"+escape(page), url.Values{"content": {text}, "base": {base}, "message": {message}, "action": {"save"}})
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, string(b), err
}

// clone is a clone of the wiki over HTTP with the folder Soak checked out.
func (s *site) clone() string {
	s.Helper()
	dir := filepath.Join(s.TempDir(), "clone")
	run(s, "/", "git", "clone", "-q", "--sparse", s.remote(), dir)
	run(s, dir, "git", "sparse-checkout", "set", "Soak")
	return dir
}

// cloneSSH is clone over SSH, with a key of its own; the host's key is known.
func (s *site) cloneSSH() string {
	s.Helper()
	dir := s.TempDir()
	key, known := filepath.Join(dir, "key"), filepath.Join(dir, "known")
	run(s, "/", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
	if _, err := command(s.binary, "admin", "--data", s.data, "key", "add", "operator", key+".pub"); err != nil {
		s.Fatal(err)
	}
	lines, err := command(s.binary, "admin", "--data", s.data, "--ssh-listen", s.ssh, "ssh-fingerprint")
	if err == nil {
		err = os.WriteFile(known, []byte(lines+"\n"), 0o600)
	}
	if err != nil {
		s.Fatal(err)
	}
	ssh := "ssh -i " + key + " -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=" + known
	clone := filepath.Join(dir, "clone")
	run(s, "/", "git", "-c", "core.sshCommand="+ssh, "clone", "-q", "--sparse", "-c", "core.sshCommand="+ssh, "ssh://git@"+s.ssh+"/"+slug+".git", clone)
	run(s, clone, "git", "sparse-checkout", "set", "Soak")
	return clone
}

func (s *site) remote() string {
	return "http://git:" + s.token + "@" + s.listen + "/w/" + slug + ".git"
}

// git runs a git client, which may fail with the server that it talks to.
func git(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, environment(), time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// sound runs git fsck on the site's repositories and looks for what a crash
// leaves.
func (s *site) sound() error {
	var errs []error
	var all sync.WaitGroup
	var mu sync.Mutex
	for _, dir := range []string{s.repo(), filepath.Join(s.data, "admin.git")} {
		all.Go(func() {
			out, err := git(context.Background(), "/", "--git-dir="+dir, "fsck", "--strict", "--no-dangling", "--no-progress")
			if err != nil || strings.Contains(out, "error") {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, fmt.Errorf("git fsck in %s: %v: %s", dir, err, out))
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// whole checks that everything acknowledged is there and that the repositories are
// sound. The server is stopped in between: it folds packs behind a load, and git
// fsck opens the packs that it has listed, gone or not.
func (s *site) whole(l *ledger) error {
	err := s.has(l)
	s.stop()
	return errors.Join(err, s.sound())
}

// leftovers lists locks and temporary files.
func (s *site) leftovers() (list []string) {
	_ = filepath.WalkDir(s.data, func(path string, d fs.DirEntry, err error) error {
		if err == nil && filepath.Dir(path) != s.data && (strings.HasSuffix(path, ".lock") || strings.HasPrefix(d.Name(), "tmp_") || strings.HasPrefix(d.Name(), ".tmp-")) {
			list = append(list, path)
		}
		return nil
	})
	return list
}

// subjects are those of all commits on main.
func (s *site) subjects() map[string]bool {
	s.Helper()
	cmd := exec.Command("git", "--git-dir="+s.repo(), "log", "--format=%s", "main")
	cmd.Env = environment()
	out, err := cmd.Output()
	if err != nil {
		s.Fatal(err)
	}
	set := map[string]bool{}
	for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
		set[sc.Text()] = true
	}
	return set
}

// text is a page of the tests at a version; every byte follows from its name.
func text(page string, version int) string {
	return fmt.Sprintf("# %s\n\nversion %d\n\n%s", page, version, strings.Repeat(fmt.Sprintf("This is %s at version %d.\n", page, version), 20))
}

// version is that of a page's text, which must be whole.
func version(page, got string) (int, error) {
	v := 0
	lines := strings.SplitN(got, "\n", 4)
	if len(lines) == 4 {
		_, _ = fmt.Sscanf(lines[2], "version %d", &v)
	}
	if got != text(page, v) {
		return 0, fmt.Errorf("%s is torn: %.200q", page, got)
	}
	return v, nil
}
