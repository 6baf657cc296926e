package tests

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"wikibot/gitstore"
	"wikibot/server"
	"wikibot/wiki"
)

type siteKey struct{}

// base is the site's address in every story.
const base = "http://wiki.test"

// site is one story's site and its people.
type site struct {
	work, data string
	addr       string // of the listener; empty while nothing is served
	server     *server.Server
	end        func() error // stops the server in this process
	process    *exec.Cmd    // or the one in its own
	log        logbook
	model      *embedding               // a model for search by meaning; nil: none was started
	receivers  map[string]*hookReceiver // that are told of changes, by name
	who        string
	last       *answer // to whomever
	persons    map[string]*person
	commits    int // of git commands, for their pinned dates
}

// person is what one person's browser and git know.
type person struct {
	cookie string
	token  string
	sshKey string // the name of the key that is offered; "" is the person's own
	form   *form
	stream *stream // see listen
}

func (s *site) me() *person {
	p := s.persons[s.who]
	if p == nil {
		p = &person{}
		s.persons[s.who] = p
	}
	return p
}

// logbook is the server's log, whole.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logbook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// setup gives a story a home without anybody's settings, and a site that is not
// served yet.
func setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, ".home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	s := &site{work: env.WorkDir, data: filepath.Join(env.WorkDir, "data"), who: "alice", persons: map[string]*person{}}
	config := "[init]\n\tdefaultBranch = main\n[protocol \"file\"]\n\tallow = always\n[core]\n\tquotePath = false\n" +
		"[credential]\n\thelper = \"!f() { test \\\"$1\\\" = get && echo username=$WHO && echo password=$TOKEN; }; f\"\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(config), 0o600); err != nil {
		return err
	}
	env.Setenv("HOME", home)
	env.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	env.Setenv("GIT_CONFIG_NOSYSTEM", "1")
	env.Setenv("GIT_TERMINAL_PROMPT", "0")
	env.Setenv("GIT_ASKPASS", "true")
	env.Setenv("GIT_EDITOR", "true")
	env.Setenv("no_proxy", "")
	env.Setenv("LC_ALL", "C.UTF-8")
	env.Setenv("TZ", "UTC")
	env.Setenv("DATA", s.data)
	env.Setenv("SITE", base)
	env.Setenv("NOTES", base+"/w/notes.git")
	env.Values[siteKey{}] = s
	if err := s.setupSSH(env); err != nil {
		return err
	}
	env.Defer(func() {
		if err := s.halt(); err != nil {
			env.T().Log("stopping the server: ", err)
			env.T().FailNow()
		}
	})
	return nil
}

// halt ends whatever is served.
func (s *site) halt() error {
	var err error
	if s.end != nil {
		err = s.end()
	}
	if s.process != nil {
		_ = s.process.Process.Kill() // it has ended already where the story waited for it
		_ = s.process.Wait()
	}
	s.end, s.process, s.server, s.addr = nil, nil, nil, ""
	return err
}

// serve serves the data folder in this process, or with -process in one of its
// own; more arguments are flags of wikibot serve. Where it fails, standard error
// has the reason. Standard output has what the command prints in -process.
func serve(s *site, ts *testscript.TestScript, neg bool, args []string) {
	if s.addr != "" {
		ts.Fatalf("the site is served already")
	}
	own := len(args) > 0 && args[0] == "-process"
	if own {
		args = args[1:]
	}
	args = append([]string{"--data", s.data, "--listen", "127.0.0.1:0", "--base-url", base, "--ssh-listen", "127.0.0.1:0", "--ssh-host", "wiki.test:22", "--log-level", "debug"}, args...)
	start := s.serveHere
	if own {
		start = s.serveProcess
	}
	err := start(ts, args)
	if err != nil {
		fmt.Fprintln(ts.Stderr(), err)
	}
	if err == nil {
		ts.Setenv("http_proxy", "http://"+s.addr)
	}
	outcome(ts, neg, err)
}

func (s *site) serveHere(_ *testscript.TestScript, args []string) error {
	loaded, err := server.Load(server.Sources{Args: args})
	if err != nil {
		return err
	}
	cfg := loaded.Config
	cfg.Log = slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	srv, err := server.New(context.Background(), cfg)
	for range 100 { // a child of another story, between fork and exec, still holds the lock
		if !errors.Is(err, gitstore.ErrInUse) {
			break
		}
		time.Sleep(20 * time.Millisecond)
		srv, err = server.New(context.Background(), cfg)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	s.server, s.addr = srv, srv.Addr().String()
	s.end = sync.OnceValue(func() error { cancel(); return <-done })
	if over := srv.SSHAddr(); over != nil {
		return s.pinSSH(over.String())
	}
	return nil
}

var servesLine = regexp.MustCompile(`msg=("listening for ssh"|listening) address=(\S+)`)

func (s *site) serveProcess(ts *testscript.TestScript, args []string) error {
	cmd := exec.Command("wikibot", append([]string{"serve"}, args...)...)
	path, err := exec.LookPath("wikibot")
	if err != nil {
		return err
	}
	cmd.Path, cmd.Err = path, nil
	cmd.Env = []string{"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"), "TMPDIR=" + ts.Getenv("TMPDIR")}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	out, err := os.Create(filepath.Join(s.work, ".served"))
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout = out
	defer func() { // it greets before it listens
		text, _ := os.ReadFile(out.Name())
		ts.Stdout().Write(text)
	}()
	if err := cmd.Start(); err != nil {
		return err
	}
	found := make(chan [2]string, 1)
	go func() {
		overSSH := ""
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			fmt.Fprintln(&s.log, lines.Text())
			switch m := servesLine.FindStringSubmatch(lines.Text()); {
			case m == nil:
			case m[1] == "listening":
				found <- [2]string{m[2], overSSH}
			default:
				overSSH = m[2]
			}
		}
		close(found)
	}()
	select {
	case addr, ok := <-found:
		if !ok {
			err := cmd.Wait()
			return fmt.Errorf("%w\n%s", err, s.log.String())
		}
		s.process, s.addr = cmd, addr[0]
		if addr[1] != "" {
			return s.pinSSH(addr[1])
		}
		return nil
	case <-time.After(20 * time.Second):
		_ = cmd.Process.Kill()
		return errors.New("the server did not start in 20 seconds")
	}
}

// serveAgain serves other data on the address that is taken already.
func serveAgain(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 0 && s.addr != "", "serve-again (while something is served)")
	outcome(ts, neg, ts.Exec("wikibot", "serve", "--data", filepath.Join(s.work, "other"), "--listen", s.addr))
}

// halt stops the server as SIGTERM does, and waits for it.
func halt(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 0 && s.addr != "", "halt (while something is served)")
	if s.process != nil {
		must(ts, neg, s.process.Process.Signal(os.Interrupt))
		must(ts, neg, s.process.Wait())
		s.process, s.addr = nil, ""
		return
	}
	must(ts, neg, s.halt())
}

// crash ends the server's process at once, as a power cut would.
func crash(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 0 && s.process != nil, "crash (after serve -process)")
	must(ts, neg, s.halt())
}

// people makes the accounts and grants of notes, and signs everybody in.
func people(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 0, "people")
	for _, name := range []wiki.Username{"alice", "bob", "carol", "mallory"} {
		must(ts, neg, s.host(ts, server.Command{Do: "user add", User: string(name)}))
	}
	for name, role := range map[string]wiki.Role{"alice": wiki.Owner, "bob": wiki.Editor, "carol": wiki.Viewer} {
		must(ts, neg, s.host(ts, server.Command{Do: "grant", Wiki: "notes", User: name, Role: role.String()}))
	}
	before := s.who
	for _, s.who = range []string{"alice", "bob", "carol", "mallory", "operator"} {
		must(ts, neg, s.signIn(ts))
		must(ts, neg, s.makeToken(ts, server.Command{Do: "token create", User: s.who}))
	}
	s.who = before
}

// host gives one command of the operator over the control socket, as wikibot
// admin does.
func (s *site) host(ts *testscript.TestScript, cmd server.Command) error {
	_, err := s.ask(cmd)
	return err
}

func (s *site) ask(cmd server.Command) (string, error) {
	a, asked, err := server.Ask(context.Background(), s.data, cmd, nil)
	if err == nil && !asked {
		err = errStopped
	}
	return a.Line, err
}

// token makes a token and gives it to the present person's git: "token" one of
// the person's own, "token WIKI ROLE" one of a wiki. Its text is in $TOKEN_<name>.
func token(s *site, ts *testscript.TestScript, neg bool, args []string) {
	cmd := server.Command{Do: "token create", User: s.who}
	if len(args) == 2 {
		cmd = server.Command{Do: "token create", Wiki: wiki.Slug(args[0]), Role: args[1]}
	}
	usage(ts, len(args) == 0 || len(args) == 2, "token [WIKI ROLE]")
	must(ts, neg, s.makeToken(ts, cmd))
}

// useToken gives the present person's programs a token that a page showed: use-token
// TEXT.
func useToken(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1 && !neg, "use-token TEXT")
	s.me().token = args[0]
}

func (s *site) makeToken(ts *testscript.TestScript, cmd server.Command) error {
	secret, err := s.ask(cmd)
	if err != nil {
		return err
	}
	s.me().token = secret
	ts.Setenv("TOKEN_"+s.who, secret)
	return nil
}

// grepLog matches the server's log, as grep does a file.
func grepLog(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 1, "grep-log REGEXP")
	re, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	if re.MatchString(s.log.String()) == neg {
		ts.Fatalf("the log does (not) match %q:\n%s", args[0], s.log.String())
	}
}

// capture keeps what a regular expression's group matches in a variable:
// capture NAME REGEXP reads the last standard output or error; from a header of
// the last answer with NAME=Header.
func capture(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 2 || len(args) == 3, "capture VARIABLE stdout|stderr|log REGEXP")
	text := ""
	switch args[1] {
	case "stdout", "stderr":
		text = ts.ReadFile(args[1])
	case "log":
		text = s.log.String()
	default:
		text = s.last.header.Get(args[1])
	}
	pattern := "(.*)"
	if len(args) == 3 {
		pattern = args[2]
	}
	m := regexp.MustCompile("(?m)" + pattern).FindStringSubmatch(text)
	if len(m) < 2 {
		ts.Fatalf("%q has no match with a group in:\n%s", pattern, text)
	}
	must(ts, neg, nil)
	ts.Setenv(args[0], strings.TrimSpace(m[1]))
}

// generate writes a file of N bytes that does not compress: generate FILE N.
func generate(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) == 2, "generate FILE BYTES")
	var n int64
	_, err := fmt.Sscan(args[1], &n)
	must(ts, neg, err)
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	_, err = io.Copy(f, io.LimitReader(&noise{x: 88172645463325252}, n))
	ts.Check(errors.Join(err, f.Close()))
}

// noise is xorshift64: the same bytes in each run.
type noise struct{ x uint64 }

func (z *noise) Read(p []byte) (int, error) {
	for i := range p {
		z.x ^= z.x << 13
		z.x ^= z.x >> 7
		z.x ^= z.x << 17
		p[i] = byte(z.x)
	}
	return len(p), nil
}
