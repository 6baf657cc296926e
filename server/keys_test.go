package server

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"testing"
	"time"
)

// The keys that bound connections, processes and sessions take effect. Those that
// bound sizes are in the story limits.txtar, http.trusted_proxies in
// rates_test.go.

// closedByServer reports whether the server ends a connection on which nothing
// more is sent, well before the defaults would.
func closedByServer(t *testing.T, conn net.Conn) bool {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	_, err := io.Copy(io.Discard, conn)
	e, timeout := err.(net.Error)
	return !timeout || !e.Timeout()
}

func connect(t *testing.T, s running) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestHeaderTimeout(t *testing.T) {
	cfg := testConfig(t)
	cfg.HTTP.HeaderTimeout = Duration(100 * time.Millisecond)
	conn := connect(t, start(t, cfg))
	fmt.Fprint(conn, "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow:")
	if !closedByServer(t, conn) {
		t.Error("a client that does not finish its header keeps the connection")
	}
}

func TestIdleTimeout(t *testing.T) {
	cfg := testConfig(t)
	cfg.HTTP.IdleTimeout = Duration(100 * time.Millisecond)
	conn := connect(t, start(t, cfg))
	fmt.Fprint(conn, "GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
	if !closedByServer(t, conn) {
		t.Error("an unused connection stays open")
	}
}

func TestGitProcesses(t *testing.T) {
	cfg := testConfig(t)
	cfg.Limits.GitProcesses = 1
	s := start(t, cfg)
	token := s.token(t, "notes", "viewer")
	if err := s.git.slots.take(t.Context()); err != nil {
		t.Fatal(err)
	}
	answer := make(chan int, 1)
	go func() {
		res, _ := s.get(t, "/w/notes.git/info/refs?service=git-upload-pack", "Authorization", "Bearer "+token)
		answer <- res.StatusCode
	}()
	for s.git.slots.waiting.Load() == 0 {
		select {
		case got := <-answer:
			t.Fatalf("a second git process ran: %d", got)
		case <-time.After(5 * time.Millisecond):
		}
	}
	s.git.slots.give()
	if got := <-answer; got != http.StatusOK {
		t.Errorf("after the first one had ended: %d", got)
	}
}

// browser signs the operator in.
func browser(t *testing.T, s running) (*http.Client, *http.Cookie) {
	t.Helper()
	link, _, err := s.Fresh(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil) // never fails
	client := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.PostForm("http://"+u.Host+u.Path, u.Query())
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if len(res.Cookies()) != 1 {
		t.Fatalf("signing in: %s, %d cookies", res.Status, len(res.Cookies()))
	}
	return client, res.Cookies()[0]
}

func TestSessionsEnd(t *testing.T) {
	for name, set := range map[string]func(*SessionsConfig){
		"idle":     func(c *SessionsConfig) { c.Idle = Duration(time.Second) },
		"lifetime": func(c *SessionsConfig) { c.Lifetime = Duration(time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t)
			set(&cfg.Sessions)
			s := start(t, cfg)
			client, cookie := browser(t, s)
			if want := int(time.Duration(cfg.Sessions.Lifetime).Seconds()); cookie.MaxAge != want {
				t.Errorf("the cookie lasts %d seconds, want %d", cookie.MaxAge, want)
			}
			ended := func() bool { // with the cookie by hand: a jar drops it
				r, err := http.NewRequestWithContext(context.Background(), http.MethodGet, "http://"+s.listener.Addr().String()+"/w/notes/", nil)
				if err != nil {
					t.Fatal(err)
				}
				r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
				res, err := (&http.Client{CheckRedirect: client.CheckRedirect}).Do(r)
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				return res.StatusCode == http.StatusUnauthorized
			}
			if ended() {
				t.Fatal("the session ended at once")
			}
			time.Sleep(1100 * time.Millisecond)
			if !ended() {
				t.Error("the session goes on")
			}
		})
	}
}
