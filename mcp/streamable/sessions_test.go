package streamable

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`

func TestSessionIsOfOnePeer(t *testing.T) {
	p := newPlace(t, nil)
	alice := p.begin("alice", "2025-11-25")
	mallory := p.client("mallory", "2025-11-25")
	mallory.session = alice.session
	for _, method := range []string{"POST", "GET", "DELETE"} {
		r := mallory.request(method, strings.NewReader(ping))
		r.Header.Set("Content-Type", "application/json")
		if g := mallory.do(r); g.status != 404 {
			t.Errorf("%s with alice's session: got %d, want 404", method, g.status)
		}
	}
	if g := alice.post(ping); g.status != 200 {
		t.Errorf("alice's session did not survive: %d %s", g.status, g.body)
	}
}

func TestSessionEndsWithDelete(t *testing.T) {
	c := newPlace(t, nil).begin("alice", "2025-06-18")
	if g := c.do(c.request("DELETE", nil)); g.status != 204 {
		t.Fatalf("got %d %s", g.status, g.body)
	}
	for _, method := range []string{"POST", "GET", "DELETE"} {
		if g := c.do(c.request(method, strings.NewReader(ping))); g.status != 404 {
			t.Errorf("%s after DELETE: got %d, want 404", method, g.status)
		}
	}
}

func TestSessionIsNeeded(t *testing.T) {
	c := newPlace(t, nil).client("alice", "2025-06-18")
	if g := c.post(ping); g.status != 400 {
		t.Errorf("without a session: got %d, want 400", g.status)
	}
	c.session = "AAAAAAAAAAAAAAAAAAAAAAAAAA"
	if g := c.post(ping); g.status != 404 {
		t.Errorf("with one that never was: got %d, want 404", g.status)
	}
}

func TestSessionsAreBounded(t *testing.T) {
	p := newPlace(t, func(c *Config) { c.PeerSessions, c.Sessions = 3, 5 })
	live := func(c *client) bool { return c.post(ping).status == 200 }
	var alice []*client
	for range 3 {
		alice = append(alice, p.begin("alice", "2025-06-18"))
	}
	live(alice[0]) // now the second is the least recently used
	p.begin("alice", "2025-06-18")
	if !live(alice[0]) || live(alice[1]) || !live(alice[2]) {
		t.Error("the fourth session of a peer did not end the least recently used one")
	}
	bob := p.begin("bob", "2025-06-18")
	p.begin("carol", "2025-06-18") // the fifth: full
	if n := len(p.h.table.byID); n != 5 {
		t.Fatalf("%d sessions, want 5", n)
	}
	p.begin("dave", "2025-06-18")
	if n := len(p.h.table.byID); n != 5 || !live(bob) {
		t.Errorf("%d sessions (want 5); the one who has the most did not give way", n)
	}
}

func TestSessionEndsWhenIdle(t *testing.T) {
	var now atomic.Int64
	p := newPlace(t, func(c *Config) {
		c.IdleAfter = time.Hour
		c.Now = func() time.Time { return time.Unix(now.Load(), 0) }
	})
	var stopped atomic.Int64
	p.h.cfg.Subscribe = func(Peer, string) (func(), error) { return func() { stopped.Add(1) }, nil }
	c := p.begin("alice", "2025-06-18")
	c.post(`{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"uri":"x:y"}}`)
	now.Store(3600)
	if g := c.post(ping); g.status != 200 {
		t.Errorf("after an hour: %d", g.status)
	}
	bob := p.begin("bob", "2025-06-18")
	now.Store(3 * 3600)
	if g := bob.post(ping); g.status != 404 {
		t.Errorf("before anything was swept: got %d, want 404", g.status)
	}
	p.h.table.sweep()
	if n := len(p.h.table.byID); n != 0 {
		t.Errorf("%d sessions after two idle hours", n)
	}
	wait(t, "its subscription to end", func() bool { return stopped.Load() == 1 })
	if g := c.post(ping); g.status != 404 {
		t.Errorf("got %d, want 404", g.status)
	}
	if n := len(p.h.table.peers); n != 0 {
		t.Errorf("%d peers are remembered that have nothing", n)
	}
}

func TestPeerHasOnlySoManyRequests(t *testing.T) {
	p := newPlace(t, func(c *Config) { c.PeerRequests = 2 })
	c := p.begin("alice", "2025-06-18")
	for range 2 {
		defer c.listen("").close()
	}
	g := c.post(ping)
	if g.status != 429 || g.header.Get("Retry-After") == "" {
		t.Errorf("got %d %s", g.status, g.body)
	}
	if g := p.begin("bob", "2025-06-18").post(ping); g.status != 200 {
		t.Errorf("bob: got %d", g.status)
	}
}

// A client that lost an answer sends the request again.
func TestRepeatedCallIsDoneOnce(t *testing.T) {
	p := newPlace(t, nil)
	var done atomic.Int64
	p.count(&done)
	c := p.begin("alice", "2025-06-18")
	first := c.call(5, "write", `{"text":"a"}`)
	if again := c.call(5, "write", `{"text":"a"}`); again.body != first.body || done.Load() != 1 {
		t.Errorf("done %d times; got %s, want %s", done.Load(), again.body, first.body)
	}
	if c.call(5, "write", `{"text":"b"}`); done.Load() != 2 {
		t.Error("other bytes with the same id are another call")
	}
	if c.call(6, "write", `{"text":"a"}`); done.Load() != 3 {
		t.Error("another id is another call")
	}
	for range 2 {
		c.call(7, "write", `{"text":"fail"}`)
	}
	if done.Load() != 5 {
		t.Error("a call that failed is done again")
	}
	if p.begin("alice", "2025-06-18").call(5, "write", `{"text":"a"}`); done.Load() != 6 {
		t.Error("another session is another call")
	}
}

func TestKeptAnswersAreBounded(t *testing.T) {
	p := newPlace(t, nil)
	var done atomic.Int64
	p.count(&done)
	c := p.begin("alice", "2025-06-18")
	for i := range 3 * keptAnswers {
		c.call(i, "write", fmt.Sprintf(`{"text":%q}`, strings.Repeat("x", 10_000)))
	}
	k := p.h.table.list()[0].kept
	if len(k.list) > keptAnswers || k.size > keptAnswerBytes || len(k.list) == 0 {
		t.Errorf("%d answers with %d bytes are kept", len(k.list), k.size)
	}
	if used := p.h.budget.used.Load(); used != int64(k.size) {
		t.Errorf("the budget says %d, want %d", used, k.size)
	}
	c.do(c.request("DELETE", nil))
	wait(t, "the budget to be given back", func() bool { return p.h.budget.used.Load() == 0 })
}
