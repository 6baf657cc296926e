package server

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"wikibot/gitstore/gitstoretest"
	"wikibot/limit"
)

// connections counts the connections that the server has.
func (s *sshSite) connections() int { return len(s.server.gate.all()) }

// silent opens a connection and says nothing on it.
func (s *sshSite) silent(t *testing.T) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", s.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// closed reports whether the server has closed a connection.
func closed(c net.Conn) bool {
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
	_, err := io.Copy(io.Discard, c)
	timeout, ok := err.(net.Error)
	return !ok || !timeout.Timeout()
}

// hang begins a command on a connection and says nothing to it.
func hang(t *testing.T, session *ssh.Session, line string) *ssh.Session {
	t.Helper()
	if _, err := session.StdinPipe(); err != nil { // else it is told that there is nothing to come
		t.Fatal(err)
	}
	if err := session.Start(line); err != nil {
		t.Fatal(err)
	}
	return session
}

func newSession(t *testing.T, c *ssh.Client) *ssh.Session {
	t.Helper()
	session, err := c.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	return session
}

// TestSSHHalfOpen: 200 connections that never authenticate keep nobody out, not
// even whoever comes from their address, and are gone when their time is up.
func TestSSHHalfOpen(t *testing.T) {
	for name, change := range map[string]func(*SSHConfig){
		"the address is full": func(c *SSHConfig) { c.PerAddress = 50 },
		"all is full":         func(c *SSHConfig) { c.PerAddress, c.MaxConnections = 1000, 50 },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSSHSite(t, func(cfg *sshConfig) {
				cfg.Limits.HandshakeTimeout = Duration(time.Second)
				change(&cfg.Limits)
			})
			before := s.dial(t, "alice")
			hang(t, newSession(t, before), "git-upload-pack notes.git")
			var open []net.Conn
			for i := range 200 {
				c := s.silent(t)
				if i%2 == 0 {
					fmt.Fprint(c, "SSH-2.0-half\r\n")
				}
				open = append(open, c)
			}
			for _, name := range []string{"bob", "carol"} {
				if a := say(t, s.dial(t, name), "whoami"); a.out != name+"\n" {
					t.Errorf("%s beside 200 half-open handshakes: %+v", name, a)
				}
			}
			if a := say(t, before, "whoami"); a.out != "alice\n" {
				t.Errorf("who was there before: %+v", a)
			}
			if n := s.connections(); n > 50 {
				t.Errorf("%d connections, 50 were allowed", n)
			}
			waitFor(t, "the end of all half-open handshakes", func() bool {
				for _, c := range open {
					if !closed(c) {
						return false
					}
				}
				return s.connections() == 3
			})
		})
	}
}

// slowSigner signs late, as somebody does who types a passphrase.
type slowSigner struct {
	ssh.Signer
	wait time.Duration
}

func (s slowSigner) Sign(r io.Reader, data []byte) (*ssh.Signature, error) {
	time.Sleep(s.wait)
	return s.Signer.Sign(r, data)
}

// TestSSHUnlocking: who has offered somebody's key may take their time to unlock
// it; nobody else may.
func TestSSHUnlocking(t *testing.T) {
	s := newSSHSite(t, func(cfg *sshConfig) { cfg.Limits.HandshakeTimeout = Duration(300 * time.Millisecond) })
	silent := s.silent(t)
	c, err := ssh.Dial("tcp", s.addr, s.config("git", slowSigner{s.keys["bob"], time.Second}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if a := say(t, c, "whoami"); a.out != "bob\n" {
		t.Errorf("got %+v", a)
	}
	if !closed(silent) {
		t.Error("a silent client is still there")
	}
}

// TestSSHConnections: where all places are taken by people at work, the next one is
// told; whoever has authenticated and does nothing gives way.
func TestSSHConnections(t *testing.T) {
	s := newSSHSite(t, func(cfg *sshConfig) { cfg.Limits.PerAddress = 2 })
	first, second := s.dial(t, "bob"), s.dial(t, "carol")
	hang(t, newSession(t, first), "git-upload-pack notes.git")
	work := hang(t, newSession(t, second), "git-upload-pack notes.git")
	waitFor(t, "two commands", func() bool { return len(s.handler.slots.running) == 2 })
	line, err := bufio.NewReader(s.silent(t)).ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "wikibot: there are 2 connections from your address") {
		t.Errorf("told %q, %v", line, err)
	}
	work.Close()
	waitFor(t, "the end of a command", func() bool { return len(s.handler.slots.running) == 1 })
	if a := say(t, s.dial(t, "alice"), "whoami"); a.out != "alice\n" {
		t.Errorf("beside somebody who does nothing: %+v", a)
	}
	_ = second.Wait() // has given way
	if a := say(t, first, "whoami"); a.out != "bob\n" {
		t.Errorf("who was at work: %+v", a)
	}
}

// TestSSHSessions: how many sessions a connection, and commands a key may have.
func TestSSHSessions(t *testing.T) {
	s := newSSHSite(t, func(cfg *sshConfig) { cfg.Limits.PerKey = 2 })
	c := s.dial(t, "bob")
	var open []*ssh.Session
	for range sshChannelsMost {
		open = append(open, newSession(t, c))
	}
	refused := (*ssh.OpenChannelError)(nil)
	if _, err := c.NewSession(); !errors.As(err, &refused) || refused.Reason != ssh.ResourceShortage {
		t.Errorf("one session more: %v", err)
	}
	for _, session := range open[2:] {
		session.Close()
	}
	for _, session := range open[:2] { // wait for what the client wants
		hang(t, session, "git-upload-pack notes.git")
	}
	use := func() int {
		s.server.gate.mu.Lock()
		defer s.server.gate.mu.Unlock()
		return s.server.gate.keys[ssh.FingerprintSHA256(s.keys["bob"].PublicKey())]
	}
	waitFor(t, "two commands", func() bool { return use() == 2 })
	if a := say(t, s.dial(t, "bob"), "whoami"); a.status != 1 || !strings.Contains(a.errs, "2 commands are under way with this SSH key") {
		t.Errorf("a third command with one key: %+v", a)
	}
	if a := say(t, s.dial(t, "carol"), "whoami"); a.out != "carol\n" {
		t.Errorf("another key: %+v", a)
	}
	open[0].Close()
	open[1].Close()
	waitFor(t, "no command and no git process", func() bool { return use() == 0 && len(s.handler.slots.running) == 0 && children(t) == 0 })
}

// TestSSHOneKeyTakesHalf: clients of one person that only wait leave git processes to
// others.
func TestSSHOneKeyTakesHalf(t *testing.T) {
	s := newSSHSite(t, nil)
	half := cap(s.handler.slots.running) / 2
	for range half + 3 {
		hang(t, newSession(t, s.dial(t, "bob")), "git-upload-pack notes.git")
	}
	waitFor(t, "half of the processes", func() bool { return len(s.handler.slots.running) == half })
	if a := say(t, s.dial(t, "carol"), "git-upload-archive notes.git"); a.status != 1 {
		t.Errorf("got %+v", a)
	}
	s.must("/", "ls-remote", s.url("carol", "/w/notes.git"))
	if n := len(s.handler.slots.running); n != half {
		t.Errorf("one key has %d processes, want %d", n, half)
	}
}

// TestSSHTimes: who does nothing is closed, and git with it.
func TestSSHTimes(t *testing.T) {
	s := newSSHSite(t, func(cfg *sshConfig) {
		cfg.Limits.IdleTimeout, cfg.Limits.HandshakeTimeout = Duration(300*time.Millisecond), Duration(300*time.Millisecond)
	})
	idle, waits := s.dial(t, "bob"), s.dial(t, "carol")
	hang(t, newSession(t, waits), "git-upload-pack notes.git")
	waitFor(t, "a process", func() bool { return children(t) > 0 })
	gone := make(chan error, 2)
	go func() { gone <- idle.Wait() }()
	go func() { gone <- waits.Wait() }()
	<-gone
	<-gone
	waitFor(t, "no process", func() bool { return len(s.handler.slots.running) == 0 && children(t) == 0 && s.connections() == 0 })
}

// TestSSHKeepalive: a client that answers no keepalive is gone, and git with it.
func TestSSHKeepalive(t *testing.T) {
	s := newSSHSite(t, func(cfg *sshConfig) { cfg.Limits.Keepalive = Duration(50 * time.Millisecond) })
	nc := s.silent(t)
	conn, channels, requests, err := ssh.NewClientConn(nc, s.addr, s.config("git", s.keys["bob"]))
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for c := range channels {
			_ = c.Reject(ssh.Prohibited, "")
		}
	}()
	_ = requests // never answered
	ch, _, err := conn.OpenChannel("session", nil)
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := ch.SendRequest("exec", true, text("git-upload-pack notes.git")); !ok || err != nil {
		t.Fatal(ok, err)
	}
	answers := s.dial(t, "carol") // its client answers, and stays
	if a := say(t, answers, "whoami"); a.out != "carol\n" {
		t.Errorf("got %+v", a)
	}
	waitFor(t, "the end of a client that is gone", func() bool { return s.connections() == 1 && children(t) == 0 })
	if a := say(t, answers, "whoami"); a.out != "carol\n" {
		t.Errorf("a client that answers: %+v", a)
	}
}

// TestSSHClientVanishes: no process stays behind a client that goes away in the
// middle of a clone or of a push.
func TestSSHClientVanishes(t *testing.T) {
	s := newSSHSite(t, nil)
	s.must("/", "--git-dir="+s.dir, "fetch", "-q", gitstoretest.Repo(t, 500, 500), "main:refs/heads/big")
	tip := s.must("/", "--git-dir="+s.dir, "rev-parse", "refs/heads/big")
	for _, c := range []struct{ line, say string }{
		{"git-upload-pack notes.git", fmt.Sprintf("0032want %s\n00000009done\n", tip)},
		{"git-receive-pack notes.git", "00"},
	} {
		client := s.dial(t, "bob")
		session := newSession(t, client)
		in, err := session.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := session.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := session.Start(c.line); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(in, c.say)
		if _, err := io.ReadFull(out, make([]byte, 200)); err != nil {
			t.Fatal(err)
		}
		waitFor(t, "a process", func() bool { return len(s.handler.slots.running) == 1 && children(t) > 0 })
		client.Close()
		waitFor(t, "no process after "+c.line, func() bool { return len(s.handler.slots.running) == 0 && children(t) == 0 && s.connections() == 0 })
	}
}

// TestSSHDrain: what is under way may end when the server stops, and nothing new
// begins.
func TestSSHDrain(t *testing.T) {
	s := newSSHSite(t, nil)
	idle, busy := s.dial(t, "carol"), s.dial(t, "bob")
	session := newSession(t, busy)
	var out bytes.Buffer
	session.Stdout = &out
	in, err := session.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.Start("git-upload-pack notes.git"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "a process", func() bool { return len(s.handler.slots.running) == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- s.server.drain(ctx) }()
	_ = idle.Wait() // closed at once
	if a := say(t, busy, "whoami"); a.status != 1 || !strings.Contains(a.errs, "the server is stopping") {
		t.Errorf("a command while the server stops: %+v", a)
	}
	line, err := bufio.NewReader(s.silent(t)).ReadString('\n')
	if err != nil || !strings.Contains(line, "the server is stopping") {
		t.Errorf("a connection while the server stops: %q, %v", line, err)
	}
	fmt.Fprint(in, "0000")
	in.Close()
	if err := session.Wait(); err != nil || !strings.HasSuffix(out.String(), "0000") {
		t.Errorf("what was under way: %v", err)
	}
	busy.Close()
	if err := <-drained; err != nil {
		t.Errorf("draining: %v", err)
	}
}

// TestSSHDrainInTime: what does not end is ended when the grace is over.
func TestSSHDrainInTime(t *testing.T) {
	s := newSSHSite(t, nil)
	hang(t, newSession(t, s.dial(t, "bob")), "git-upload-pack notes.git")
	waitFor(t, "a process", func() bool { return len(s.handler.slots.running) == 1 })
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	if err := s.server.drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("draining: %v", err)
	}
	if n := len(s.handler.slots.running); n > 0 || s.connections() > 0 {
		t.Errorf("left: %d processes, %d connections", n, s.connections())
	}
}

// TestSSHRates: commands are counted with everything else that a credential does,
// and an address that comes with keys of nobody is not looked at any more.
func TestSSHRates(t *testing.T) {
	s := newSSHSite(t, func(cfg *sshConfig) {
		cfg.Door = limit.NewDoor(limit.Config{
			Reads: limit.Rate{Events: 1, Per: time.Hour, Burst: 2}, Writes: limit.Rate{Events: 1, Per: time.Hour, Burst: 1},
			Failures: limit.Rate{Events: 1, Per: time.Hour, Burst: 2},
		})
	})
	c := s.dial(t, "bob")
	for i, want := range []int{0, 0, 1} {
		if a := say(t, c, "whoami"); a.status != want || want == 1 && !strings.Contains(a.errs, "too many requests with this credential; try again in") {
			t.Errorf("command %d: %+v", i, a)
		}
	}
	for i, want := range []int{0, 1} {
		if a := say(t, c, "login"); a.status != want || want == 1 && a.out != "" {
			t.Errorf("link %d: %+v", i, a)
		}
	}
	key := ssh.FingerprintSHA256(s.keys["bob"].PublicKey())
	if s.server.Door.Allow(key, netip.Addr{}, limit.Read, 1) == nil {
		t.Error("the key is counted apart from other faces")
	}
	for range 2 {
		if _, err := ssh.Dial("tcp", s.addr, s.config("git", s.keys["stranger"], s.keys["stranger"], s.keys["stranger"])); err == nil {
			t.Error("a stranger is let in")
		}
	}
	waitFor(t, "the end of the handshakes", func() bool { return s.connections() == 1 })
	if _, err := ssh.Dial("tcp", s.addr, s.config("git", s.keys["carol"])); err == nil {
		t.Error("an address that came with too many keys of nobody tries a new one")
	}
	s.dial(t, "bob") // whose key was good before
}

func TestSSHAddressKey(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1:22": "192.0.2.1", "[::ffff:192.0.2.1]:22": "192.0.2.1",
		"[2001:db8:1:2:3::4]:22": "2001:db8:1:2::/64", "[fe80::1%eth0]:1": "fe80::/64",
	} {
		a, err := net.ResolveTCPAddr("tcp", in)
		if err != nil {
			t.Fatal(err)
		}
		if got := addressKey(addressOf(a)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	addressKey(addressOf(&net.UnixAddr{Name: filepath.Join("a", "b")}))
}
