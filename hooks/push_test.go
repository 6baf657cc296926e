package hooks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/hooks"
	"wikibot/wiki"
)

// The test binary is also the program that the hooks execute, and a server of one
// push: git runs it in place of receive-pack.
func TestMain(m *testing.M) {
	switch {
	case len(os.Args) > 1 && os.Args[1] == "hook":
		os.Exit(hooks.Main(os.Args[2:], os.Environ(), os.Stdin, os.Stdout, os.Stderr))
	case os.Getenv("TEST_RECEIVE_PACK") != "":
		os.Exit(receivePack(os.Args[len(os.Args)-1]))
	}
	os.Exit(m.Run())
}

// receivePack serves one push over standard input and output, as the server does
// over HTTP, with a store that behaves as TEST_RECEIVE_PACK says.
func receivePack(dir string) int {
	store := &store{behaviour: os.Getenv("TEST_RECEIVE_PACK")}
	cmd := exec.Command("git", "receive-pack", dir)
	cmd.Env = environ(os.Getenv("HOME"))
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	ch, err := hooks.Attach(cmd)
	if err != nil {
		panic(err)
	}
	if store.behaviour == "no descriptors" {
		cmd.ExtraFiles = nil
	}
	if err := errors.Join(cmd.Start(), ch.Started()); err != nil {
		panic(err)
	}
	done := make(chan error, 1)
	go func() {
		push := gitstore.Push{Caller: wiki.Caller{User: "alice"}, Wiki: "notes", Dir: dir}
		done <- hooks.Answer(context.Background(), store, push, ch.From, ch.To)
	}()
	err = cmd.Wait()
	if logged := <-done; logged != nil {
		fmt.Fprintln(os.Stderr, "LOG:", logged)
	}
	if err != nil {
		return 1
	}
	return 0
}

// store stands for a *gitstore.Store: it refuses refs named bad, and moves the
// others with git.
type store struct {
	behaviour string
	data      string
	pushes    []gitstore.Push // those that were checked
}

func (s *store) CheckPush(ctx context.Context, p *gitstore.Push) error {
	s.pushes = append(s.pushes, *p)
	switch s.behaviour {
	case "killed":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "panics":
		panic("a bug in the store")
	case "fails":
		return errors.New("secret detail")
	}
	var faults wiki.Faults
	for _, c := range p.Commands {
		if strings.Contains(c.Ref, "bad") {
			faults = append(faults, wiki.Fault{File: "Bad Page.md", Line: 3, Text: "the ref " + c.Ref + " is bad, which takes many words to say so that the line has to be broken somewhere"})
		}
		if p.Quarantine == "" || len(p.Commands) > 100 {
			continue
		}
		cmd := exec.Command("git", "-C", p.Dir, "cat-file", "-e", c.New)
		cmd.Env = append(environ("/"), "GIT_OBJECT_DIRECTORY="+p.Quarantine, "GIT_ALTERNATE_OBJECT_DIRECTORIES="+p.Dir+"/objects")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("the object is not in quarantine: %s", out)
		}
	}
	return faults.OrNil()
}

func (s *store) ApplyPush(ctx context.Context, p *gitstore.Push, atomic bool) (results []gitstore.RefResult, err error) {
	if s.behaviour == "killed in apply" {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	var in bytes.Buffer
	for _, c := range p.Commands {
		r := gitstore.RefResult{Ref: c.Ref, OK: true, Old: c.Old, New: c.New}
		if branch, ok := strings.CutPrefix(c.Ref, "refs/merge/"); ok {
			r.Landed = "refs/heads/" + branch
			old, _ := exec.Command("git", "-C", p.Dir, "rev-parse", r.Landed).Output()
			r.Old = strings.TrimSpace(string(old))
		}
		if s.behaviour == "rejects" {
			r = gitstore.RefResult{Ref: c.Ref, Reason: "conflict in\nHome"}
			results = append(results, r)
			continue
		}
		ref := c.Ref
		if r.Landed != "" {
			ref = r.Landed
		}
		fmt.Fprintf(&in, "update %s %s %s\n", ref, c.New, r.Old)
		results = append(results, r)
	}
	cmd := exec.Command("git", "-C", p.Dir, "update-ref", "--stdin")
	cmd.Env, cmd.Stdin = environ("/"), &in
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("update-ref: %s", out)
	}
	return results, nil
}

func (s *store) Repository(ctx context.Context, c wiki.Caller, slug wiki.Slug, write bool) (*gitstore.Repository, error) {
	if !c.Host || !write {
		return nil, wiki.Forbidden("only the host")
	}
	return &gitstore.Repository{Dir: filepath.Join(s.data, "wikis", string(slug)+".git"), Release: func() {}}, nil
}

func environ(home string) []string {
	return []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
		"GIT_CONFIG_COUNT=2", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*", "GIT_CONFIG_KEY_1=receive.advertisePushOptions", "GIT_CONFIG_VALUE_1=true"}
}

// site is a data folder with the wiki "notes", its hooks, and a clone with one
// commit that has been pushed and one that has not.
type site struct {
	t                                *testing.T
	data, hooks, repo, clone, socket string
	binary                           string
	before                           string // show-ref of repo
}

func newSite(t testing.TB) *site {
	t.Helper()
	data, err := os.MkdirTemp("", "w'b") // short, for the socket, and hard to quote
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(data) })
	data, _ = filepath.EvalSymlinks(data)
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &site{data: data, hooks: data + "/hooks", repo: data + "/wikis/notes.git", clone: data + "/clone", socket: data + "/s", binary: binary}
	s.t, _ = t.(*testing.T)
	must := func(args ...string) {
		t.Helper()
		if out, err := s.git(nil, args...); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	must("init", "-q", "--bare", "-b", "main", s.repo)
	must("init", "-q", "-b", "main", s.clone)
	must("-C", s.clone, "commit", "-q", "--allow-empty", "-m", "one")
	must("-C", s.clone, "push", "-q", s.repo, "main")
	must("-C", s.repo, "config", "core.hooksPath", s.hooks)
	must("-C", s.repo, "config", "receive.procReceiveRefs", "refs")
	must("-C", s.repo, "config", "receive.advertisePushOptions", "true")
	if err := os.WriteFile(s.clone+"/Home.md", []byte("hello\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	must("-C", s.clone, "add", ".")
	must("-C", s.clone, "commit", "-q", "-m", "two")
	if err := hooks.Install(s.hooks, binary, s.socket); err != nil {
		t.Fatal(err)
	}
	s.before = s.refs()
	return s
}

func (s *site) git(env []string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Env = append(environ(s.data), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (s *site) refs() string {
	out, _ := s.git(nil, "-C", s.repo, "show-ref")
	return out
}

// push pushes through a server with the given behaviour.
func (s *site) push(behaviour string, args ...string) (string, error) {
	args = append([]string{"-C", s.clone, "push", "--receive-pack=" + strings.ReplaceAll(s.binary, " ", `\ `), s.repo}, args...)
	return s.git([]string{"TEST_RECEIVE_PACK=" + behaviour}, args...)
}

// hostPush pushes straight into the folder, as somebody on the machine would.
func (s *site) hostPush(args ...string) (string, error) {
	return s.git(nil, append([]string{"-C", s.clone, "push", s.repo}, args...)...)
}

// refused checks that a push failed, said want, and moved nothing.
func (s *site) refused(out string, err error, want ...string) {
	s.t.Helper()
	if err == nil {
		s.t.Errorf("the push was accepted:\n%s", out)
	}
	flat := strings.Join(strings.Fields(strings.ReplaceAll(out, "remote: ", "")), " ")
	for _, w := range want {
		if !strings.Contains(flat, w) {
			s.t.Errorf("the push does not say %q:\n%s", w, out)
		}
	}
	if after := s.refs(); after != s.before {
		s.t.Errorf("refs moved from\n%sto\n%s", s.before, after)
	}
}

// serve answers at the site's socket until the test ends.
func (s *site) serve(st *store) {
	s.t.Helper()
	st.data = s.data
	ln, err := net.Listen("unix", s.socket)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- hooks.Serve(ctx, st, ln, slog.New(slog.DiscardHandler)) }()
	s.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			s.t.Error(err)
		}
	})
}

func TestPush(t *testing.T) {
	s := newSite(t)
	out, err := s.push("ok", "-o", "title=two\nlines?", "HEAD:refs/heads/main")
	if err == nil {
		t.Fatalf("git takes a push option with a newline now:\n%s", out)
	}
	out, err = s.push("ok", "-o", "title=it's \"quoted\" $HOME", "HEAD:refs/heads/main", "HEAD:refs/heads/other")
	if err != nil || strings.Contains(out, "LOG:") {
		t.Fatalf("%v\n%s", err, out)
	}
	head, _ := s.git(nil, "-C", s.clone, "rev-parse", "HEAD")
	want := strings.TrimSpace(head) + " refs/heads/main\n" + strings.TrimSpace(head) + " refs/heads/other\n"
	if got := s.refs(); got != want {
		t.Errorf("got\n%swant\n%s\n%s", got, want, out)
	}
}

func TestPushToMerge(t *testing.T) {
	s := newSite(t)
	old, _ := s.git(nil, "-C", s.clone, "rev-parse", "--short", "HEAD~")
	out, err := s.push("ok", "HEAD:refs/merge/main")
	if err != nil || !strings.Contains(out, strings.TrimSpace(old)+"..") || !strings.Contains(out, "HEAD -> main") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestPushRefused(t *testing.T) {
	for _, tt := range []struct {
		behaviour string
		args      []string
		want      []string
	}{
		{"ok", []string{"HEAD:refs/heads/good", "HEAD:refs/heads/bad"}, []string{"1 fault; nothing was changed", "Bad Page.md:3: the ref refs/heads/bad is bad", "good (pre-receive hook declined)"}},
		{"fails", []string{"HEAD:main"}, []string{"internal error", "give this number to the operator"}},
		{"panics", []string{"HEAD:main"}, []string{"internal error"}},
		{"rejects", []string{"HEAD:main"}, []string{"main (conflict in Home)"}},
		{"killed", []string{"HEAD:main"}, nil},
		{"killed in apply", []string{"HEAD:main"}, nil},
		{"no descriptors", []string{"HEAD:main"}, []string{"descriptors 3 and 4 to the server are missing"}},
		{"ok", []string{"--atomic", "HEAD:refs/heads/good", "HEAD:refs/heads/bad"}, []string{"1 fault"}},
	} {
		t.Run(tt.behaviour, func(t *testing.T) {
			s := newSite(t)
			out, err := s.push(tt.behaviour, tt.args...)
			s.refused(out, err, tt.want...)
			if strings.Contains(strings.Split(out, "LOG:")[0], "secret detail") {
				t.Errorf("an internal error was shown to the pusher:\n%s", out)
			}
		})
	}
}

// TestHooksNotInPlace damages the folder: git by itself ignores most of this, and
// what it ignores proc-receive must notice.
func TestHooksNotInPlace(t *testing.T) {
	chmod := func(name string) func(*site) error {
		return func(s *site) error { return os.Chmod(s.hooks+"/"+name, 0o644) }
	}
	remove := func(name string) func(*site) error {
		return func(s *site) error { return os.Remove(s.hooks + "/" + name) }
	}
	for _, tt := range []struct {
		name   string
		damage func(*site) error
		verify string
		push   string
	}{
		{"folder gone", func(s *site) error { return os.RemoveAll(s.hooks) }, "folder is missing", "proc-receive"},
		{"pre-receive gone", remove("pre-receive"), "pre-receive is missing", "pre-receive did not run"},
		{"pre-receive 0644", chmod("pre-receive"), "mode 0644", "pre-receive did not run"},
		{"proc-receive gone", remove("proc-receive"), "proc-receive is missing", "proc-receive"},
		{"proc-receive 0644", chmod("proc-receive"), "mode 0644", "proc-receive"},
		{"pre-receive dangles", func(s *site) error {
			os.Remove(s.hooks + "/pre-receive")
			return os.Symlink("/nonexistent", s.hooks+"/pre-receive")
		}, "not a regular file", "pre-receive did not run"},
		{"pre-receive says yes", func(s *site) error {
			return os.WriteFile(s.hooks+"/pre-receive", []byte("#!/bin/sh\nexit 0\n"), 0o755)
		}, "not as wikibot wrote it", "pre-receive did not run"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSite(t)
			if err := hooks.Verify(s.hooks, s.binary, s.socket); err != nil {
				t.Fatal(err)
			}
			if err := tt.damage(s); err != nil {
				t.Fatal(err)
			}
			err := hooks.Verify(s.hooks, s.binary, s.socket)
			if !errors.Is(err, wiki.ErrUnavailable) || !strings.Contains(err.Error(), tt.verify) {
				t.Errorf("Verify says %v, want %q", err, tt.verify)
			}
			out, err := s.push("ok", "HEAD:main")
			s.refused(out, err, tt.push)
			s.serve(&store{})
			out, err = s.hostPush("HEAD:main")
			s.refused(out, err, tt.push)
			if err := hooks.Install(s.hooks, s.binary, s.socket); err != nil {
				t.Fatal(err)
			}
			if err := hooks.Verify(s.hooks, s.binary, s.socket); err != nil {
				t.Errorf("Install did not mend it: %v", err)
			}
			if out, err := s.push("ok", "HEAD:main"); err != nil {
				t.Errorf("after Install: %v\n%s", err, out)
			}
		})
	}
}

func TestHostPush(t *testing.T) {
	s := newSite(t)
	st := &store{}
	s.serve(st)
	out, err := s.hostPush("-o", "a b", "HEAD:main")
	if err != nil || s.refs() == s.before {
		t.Fatalf("%v\n%s", err, out)
	}
	p := st.pushes[0]
	if !p.Caller.Host || p.Caller.Via != wiki.ViaCLI || p.Wiki != "notes" || p.Dir != s.repo || len(p.Options) != 1 || p.Options[0] != "a b" || p.Quarantine == "" {
		t.Errorf("the store was asked about %+v", p)
	}
	s.before = s.refs()
	out, err = s.hostPush("HEAD:refs/heads/bad", "HEAD:refs/heads/good")
	s.refused(out, err, "Bad Page.md:3:")
}

func TestHostPushRefused(t *testing.T) {
	t.Run("no socket", func(t *testing.T) {
		s := newSite(t)
		out, err := s.hostPush("HEAD:main")
		s.refused(out, err, "no server answers at", `start "wikibot serve"`)
	})
	t.Run("no binary", func(t *testing.T) {
		s := newSite(t)
		if err := hooks.Install(s.hooks, s.data+"/gone", s.socket); err != nil {
			t.Fatal(err)
		}
		s.serve(&store{})
		out, err := s.hostPush("HEAD:main")
		s.refused(out, err, "gone, which has to check it, is missing or not executable")
	})
	t.Run("elsewhere", func(t *testing.T) {
		s := newSite(t)
		s.serve(&store{})
		other := newSite(t)
		if _, err := s.git(nil, "-C", other.repo, "config", "core.hooksPath", s.hooks); err != nil {
			t.Fatal(err)
		}
		out, err := other.hostPush("HEAD:main")
		other.refused(out, err, "is not a repository of the server")
	})
	t.Run("lying environment", func(t *testing.T) {
		s := newSite(t)
		s.serve(&store{})
		out, err := s.git([]string{"WIKIBOT_PUSH=1"}, "-C", s.clone, "push", s.repo, "HEAD:main")
		s.refused(out, err, "descriptors 3 and 4")
	})
	t.Run("lying descriptors", func(t *testing.T) {
		s := newSite(t)
		cmd := exec.Command("sh", "-c", `exec 3>/dev/null 4</dev/null; exec git "$@"`, "sh", "-C", s.clone, "push", s.repo, "HEAD:main")
		cmd.Env = append(environ(s.data), "WIKIBOT_PUSH=1")
		out, err := cmd.CombinedOutput()
		s.refused(string(out), err, "went away before it answered")
	})
}

// TestBorrowedApproval runs the hooks by hand: an approval belongs to one
// receive-pack process, and is used once.
func TestBorrowedApproval(t *testing.T) {
	s := newSite(t)
	s.serve(&store{})
	head, _ := s.git(nil, "-C", s.clone, "rev-parse", "HEAD", "HEAD~")
	oid := strings.Fields(head)
	if out, err := s.git(nil, "-C", s.repo, "fetch", "-q", s.clone, "main"); err != nil {
		t.Fatal(out)
	}
	s.before = s.refs()
	command := fmt.Sprintf("%s %s refs/heads/main", oid[1], oid[0])
	pkt := func(lines ...string) (b string) {
		for _, l := range lines {
			if l == "" {
				b += "0000"
				continue
			}
			b += fmt.Sprintf("%04x%s", len(l)+4, l)
		}
		return b
	}
	input := filepath.Join(s.data, "in")
	write := func(command string) {
		if err := os.WriteFile(input, []byte(pkt("version=1\x00push-options", "", command, "")), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	run := func(script string) string {
		t.Helper()
		cmd := exec.Command("bash", "-c", script)
		cmd.Dir = s.repo
		cmd.Env = append(environ(s.data), "GIT_DIR=.", "H="+s.hooks, "IN="+input, "C="+command)
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	write(command)
	// Another parent (a shell of its own) has the approval.
	if out := run(`bash -c 'printf "%s\n" "$C" | (exec "$H/pre-receive"); true'; "$H/proc-receive" <"$IN"; true`); !strings.Contains(out, "ng refs/heads/main") || !strings.Contains(out, "pre-receive did not run") {
		t.Errorf("another process borrowed an approval:\n%q", out)
	}
	// The same parent, another command.
	write(strings.Replace(command, "main", "else", 1))
	if out := run(`"$H/pre-receive" <<<"$C"; "$H/proc-receive" <"$IN"; true`); !strings.Contains(out, "ng refs/heads/else") || !strings.Contains(out, "did not approve") {
		t.Errorf("another command borrowed an approval:\n%q", out)
	}
	if after := s.refs(); after != s.before {
		t.Errorf("refs moved:\n%s", after)
	}
	// The same parent and command, twice.
	write(command)
	out := run(`"$H/pre-receive" <<<"$C"; "$H/proc-receive" <"$IN"; echo; echo second; "$H/proc-receive" <"$IN"; true`)
	first, second, _ := strings.Cut(out, "second")
	if !strings.Contains(first, "ok refs/heads/main") || !strings.Contains(second, "pre-receive did not run") {
		t.Errorf("an approval was used twice:\n%q", out)
	}
}

func TestHookByHand(t *testing.T) {
	s := newSite(t)
	s.serve(&store{})
	for _, hook := range []string{"pre-receive", "proc-receive"} {
		cmd := exec.Command(s.hooks + "/" + hook)
		cmd.Env, cmd.Dir = environ(s.data), s.data
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "use git push") && !strings.Contains(strings.ReplaceAll(string(out), "\n", " "), "use git push") {
			t.Errorf("%s by hand: %v\n%s", hook, err, out)
		}
	}
}

func TestCraftedQuarantine(t *testing.T) {
	s := newSite(t)
	s.serve(&store{})
	head, _ := s.git(nil, "-C", s.clone, "rev-parse", "HEAD", "HEAD~")
	oid := strings.Fields(head)
	other := s.data + "/tmp_objdir-incoming-x"
	inside := s.repo + "/objects/tmp_objdir-incoming-link"
	for _, err := range []error{os.Mkdir(other, 0o755), os.Symlink(other, inside)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range []string{other, inside, s.repo + "/objects/../../../tmp_objdir-incoming-x", "objects/pack", s.repo + "/objects/pack", s.repo + "/objects/nothing\nhere"} {
		cmd := exec.Command(s.hooks + "/pre-receive")
		cmd.Dir = s.repo
		cmd.Stdin = strings.NewReader(oid[1] + " " + oid[0] + " refs/heads/main\n")
		cmd.Env = append(environ(s.data), "GIT_DIR=.", "GIT_QUARANTINE_PATH="+q, "GIT_OBJECT_DIRECTORY="+q, "GIT_ALTERNATE_OBJECT_DIRECTORIES="+s.repo+"/objects")
		out, err := cmd.CombinedOutput()
		s.refused(string(out), err, "do not belong to a push into this repository")
	}
}

func TestManyRefs(t *testing.T) {
	s := newSite(t)
	head, _ := s.git(nil, "-C", s.clone, "rev-parse", "HEAD")
	var packed strings.Builder
	packed.WriteString("# pack-refs with: peeled fully-peeled sorted \n")
	for i := range 10_000 {
		name := fmt.Sprintf("n%05d", i)
		if i == 9_999 {
			name = "zbad"
		}
		fmt.Fprintf(&packed, "%s refs/tags/%s\n", strings.TrimSpace(head), name)
	}
	if err := os.WriteFile(s.clone+"/.git/packed-refs", []byte(packed.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	out, err := s.push("ok", "refs/tags/*:refs/heads/*")
	if len(out) > 4000 {
		out = out[:4000]
	}
	s.refused(out, err, "1 fault", "refs/heads/zbad is bad")
	t.Logf("10,000 refs refused in %v", time.Since(start))
	start = time.Now()
	out, err = s.push("ok", "refs/tags/n*:refs/heads/n*")
	if got := strings.Count(s.refs(), "\n"); err != nil || got != 10_000 {
		t.Errorf("%v: %d refs after it; %.2000s", err, got, out)
	}
	t.Logf("9,999 refs accepted in %v", time.Since(start))
}

// BenchmarkHook runs each hook as git does, with its two descriptors.
func BenchmarkHook(b *testing.B) {
	s := newSite(b)
	zero := strings.Repeat("0", 40)
	line := zero + " " + strings.Repeat("1", 40) + " refs/heads/main"
	pkt := func(l string) string { return fmt.Sprintf("%04x%s", len(l)+4, l) }
	inputs := map[string]string{
		"pre-receive":  line + "\n",
		"proc-receive": pkt("version=1\x00push-options") + "0000" + pkt(line) + "0000",
	}
	b.Run("true", func(b *testing.B) {
		for b.Loop() {
			if err := exec.Command("/bin/sh", "-c", "exit 0").Run(); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, hook := range []string{"pre-receive", "proc-receive"} {
		b.Run(hook, func(b *testing.B) {
			for b.Loop() {
				benchmarkHook(b, s.hooks+"/"+hook, inputs[hook])
			}
		})
	}
}

func benchmarkHook(b *testing.B, path, input string) {
	cmd := exec.Command(path)
	cmd.Env = environ("/")
	cmd.Stdin = strings.NewReader(input)
	ch, err := hooks.Attach(cmd)
	if err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(cmd.Start(), ch.Started()); err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		done <- hooks.Answer(context.Background(), alwaysYes{}, gitstore.Push{}, ch.From, ch.To)
	}()
	cmd.Wait() // proc-receive says no: this push has no pre-receive
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	ch.Close()
}

type alwaysYes struct{}

func (alwaysYes) CheckPush(context.Context, *gitstore.Push) error { return nil }
func (alwaysYes) ApplyPush(context.Context, *gitstore.Push, bool) ([]gitstore.RefResult, error) {
	return nil, nil
}
