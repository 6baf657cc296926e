package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"wikibot/limit"
	"wikibot/wiki"
)

const (
	maxSSHLine = 4 << 10   // bytes of a command line
	maxSSHEnv  = 32        // variables that a client may set; more are not even looked at
	firstWord  = aheadWait // for a client to say its first word to git
)

// sshSession is one session of a connection: one command (RFC 4254, 6).
type sshSession struct {
	conn     *sshConn
	ch       ssh.Channel
	key      string // fingerprint of the key that authenticated the connection
	protocol string // what the client set GIT_PROTOCOL to
	watch    *watchdog
}

// session serves one session to its end. A panic ends its connection alone.
func (c *sshConn) session(conn *ssh.ServerConn, wanted ssh.NewChannel) {
	defer func() {
		if p := recover(); p != nil {
			c.server.Log.Error("an ssh session panicked", "id", c.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			c.Close()
		}
	}()
	key := ""
	if conn.Permissions != nil {
		key = conn.Permissions.Extensions[keyExtension]
	}
	if key == "" { // cannot be: nobody gets here without a signature
		c.Close()
		return
	}
	if !c.openChannel() {
		_ = wanted.Reject(ssh.ResourceShortage, "too many sessions in one connection") // a broken connection shows elsewhere
		return
	}
	defer c.closeChannel()
	c.keepalive.Do(func() { go c.keepAlive(conn) })
	ch, requests, err := wanted.Accept()
	if err != nil {
		return
	}
	defer ch.Close()
	s := &sshSession{conn: c, ch: ch, key: key}
	s.answer(requests)
}

// answer answers the requests of a session until the client closes it or is gone;
// that ends the command too. Everything but a command and the one variable of git
// is refused: terminals, X11, agents, subsystems, signals.
func (s *sshSession) answer(requests <-chan *ssh.Request) {
	ctx, cancel := context.WithCancel(context.Background())
	var command sync.WaitGroup
	defer command.Wait()
	defer cancel()
	started, variables := false, 0
	for r := range requests {
		line, isCommand := commandLine(r)
		switch {
		case isCommand && !started:
			started = true
			_ = r.Reply(true, nil) // a broken connection ends the loop
			command.Go(func() { s.run(ctx, line) })
			continue
		case r.Type == "env" && !started && variables < maxSSHEnv:
			variables++
			if s.set(r.Payload) {
				_ = r.Reply(true, nil)
				continue
			}
		}
		_ = r.Reply(false, nil)
	}
}

// commandLine is what a request wants to have executed; "" is a shell.
func commandLine(r *ssh.Request) (line string, ok bool) {
	switch r.Type {
	case "shell":
		return "", true
	case "exec":
		var exec struct{ Line string }
		if ssh.Unmarshal(r.Payload, &exec) != nil {
			return "", false
		}
		return exec.Line, true
	}
	return "", false
}

// set takes over the one variable that git's clients send, which says what
// protocol they speak; what it may hold is for protocol to judge.
func (s *sshSession) set(payload []byte) bool {
	var variable struct{ Name, Value string }
	if ssh.Unmarshal(payload, &variable) != nil || variable.Name != "GIT_PROTOCOL" {
		return false
	}
	s.protocol = variable.Value
	return true
}

// run runs a command and tells the client how it ended.
func (s *sshSession) run(ctx context.Context, line string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s.conn.begin()
	defer s.conn.done()
	// A client that stops reading blocks whoever writes to it until the
	// connection is closed.
	s.watch = newWatchdog(time.Duration(s.conn.server.Limits.IdleTimeout), func() {
		s.conn.server.Log.Info("an ssh command was silent for too long", "id", s.conn.id)
		s.conn.Close()
		cancel()
	})
	defer s.watch.stop()
	began := time.Now()
	status := s.guarded(ctx, line)
	s.conn.server.Log.Debug("ssh command", "id", s.conn.id, "client", s.conn.address, "key", s.key, "status", status, "took", time.Since(began))
	s.exit(status)
}

// guarded runs a command; a panic is told as an internal error.
func (s *sshSession) guarded(ctx context.Context, line string) (status int) {
	defer func() {
		if p := recover(); p != nil {
			s.conn.server.Log.Error("an ssh command panicked", "id", s.conn.id, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			status = s.fail(errors.New("panic"))
		}
	}()
	if err := s.conn.server.gate.enter(s.key); err != nil {
		return s.fail(err)
	}
	defer s.conn.server.gate.leaveKey(s.key)
	// Whose key it is, is asked for each command: it may have been taken away
	// since the connection was made.
	caller, err := s.conn.server.Who.ByKey(ctx, s.key)
	if err != nil {
		return s.fail(err)
	}
	command, ok := parseSSHCommand(line)
	if err := s.conn.server.Door.Allow(bucket(caller), s.conn.from, command.action(), 1); err != nil {
		return s.fail(err)
	}
	if !ok {
		return s.unknown(line)
	}
	return s.do(ctx, caller, command)
}

// exit tells the client how the command ended (RFC 4254, 6.10) and closes the
// session.
func (s *sshSession) exit(status int) {
	_ = s.ch.CloseWrite() // like the rest: a client that has left needs no status
	_, _ = s.ch.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{uint32(status)}))
	_ = s.ch.Close()
}

// fail tells the client's user what went wrong, as far as it is theirs to know,
// and gives the exit status.
func (s *sshSession) fail(err error) int {
	var told *wiki.Error
	var faults wiki.Faults
	var often *limit.Exceeded
	text := ""
	switch {
	case errors.Is(err, context.Canceled):
		return 1 // nobody is there to read it
	case errors.As(err, &often):
		text = often.Error()
	case errors.Is(err, errBusy):
		text = "the server is busy with other clones and pushes; try again in a moment"
	case errors.As(err, &told):
		text = told.Text
		if errors.Is(err, wiki.ErrUnavailable) && told.Error() != err.Error() {
			s.conn.server.Log.Error("an ssh command cannot be served", "id", s.conn.id, "error", err)
		}
	case errors.As(err, &faults):
		text = faults.Error()
	default:
		s.conn.server.Log.Error("an ssh command failed", "id", s.conn.id, "error", err)
		text = "internal error; the server's log has more under the id " + s.conn.id
	}
	s.tell(text)
	return 1
}

// tell shows the client's user a text.
func (s *sshSession) tell(text string) {
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		if _, err := fmt.Fprintf(s.stderr(), "wikibot: %s\n", line); err != nil {
			return // the client has left
		}
	}
}

func (s *sshSession) stdout() io.Writer { return watchedWriter{s.ch, s.watch} }
func (s *sshSession) stderr() io.Writer { return watchedWriter{s.ch.Stderr(), s.watch} }

// watchdog ends a session in which neither side sends anything: for firstWord
// until the client has said its first word, so that clients that only connect
// hold no git process, and for the idle time from then on. A push has the idle
// time at once: between the server's refs and the first word its pre-push hook
// runs.
type watchdog struct {
	timer *time.Timer
	idle  time.Duration
	heard atomic.Bool // the client has said something
}

func newWatchdog(idle time.Duration, bite func()) *watchdog {
	w := &watchdog{idle: idle}
	w.timer = time.AfterFunc(w.patience(), bite)
	return w
}

func (w *watchdog) patience() time.Duration {
	if w.heard.Load() {
		return w.idle
	}
	return min(w.idle, firstWord)
}

// expectLater gives the client the idle time for its first word.
func (w *watchdog) expectLater() {
	w.heard.Store(true)
	w.stroke()
}

// stroke says that something was sent.
func (w *watchdog) stroke() { w.timer.Reset(w.patience()) }
func (w *watchdog) stop()   { w.timer.Stop() }

type watchedWriter struct {
	io.Writer
	watch *watchdog
}

func (w watchedWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	w.watch.stroke()
	return n, err
}

type watchedReader struct {
	io.Reader
	watch *watchdog
}

func (r watchedReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if n > 0 {
		r.watch.heard.Store(true)
	}
	r.watch.stroke()
	return n, err
}
