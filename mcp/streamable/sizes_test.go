package streamable

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// Only calls of tools may be large.
func TestWhatMayBeLarge(t *testing.T) {
	p := newPlace(t, nil)
	c := p.begin("alice", "2025-06-18")
	long := func(n int) string { return strings.Repeat("x", n) }
	for _, m := range []struct {
		name, body string
		status     int
	}{
		{"a tool", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"%s"}}}`, long(2*maxOther)), 200},
		{"ping", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"%s"}}`, long(maxOther)), 413},
		{"notification", fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/x","params":{"x":"%s"}}`, long(maxOther)), 413},
		{"response", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"result":{"x":"%s"}}`, long(maxOther)), 413},
		{"initialize", fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"%s","version":"1"}}}`, long(maxOpening)), 413},
	} {
		before := len(p.h.table.list())
		if g := c.post(m.body); g.status != m.status {
			t.Errorf("%s: got %d; want %d", m.name, g.status, m.status)
		}
		if n := len(p.h.table.list()); n != before {
			t.Errorf("%s: %d sessions, before %d", m.name, n, before)
		}
	}
}

func TestPatience(t *testing.T) {
	for size, want := range map[int]time.Duration{0: time.Minute, slowest: time.Minute + time.Second, 10 << 20: time.Minute + 160*time.Second} {
		if got := patience(time.Minute, size); got != want {
			t.Errorf("%d bytes: %v; want %v", size, got, want)
		}
	}
}

// A resource of one scope is none of another's, and costs nothing there.
func TestScopes(t *testing.T) {
	p := newPlace(t, nil)
	here, there := p.h.newSession(Peer{Key: "a", Scope: "one"}), p.h.newSession(Peer{Key: "a", Scope: "two"})
	for _, s := range []*session{here, there} {
		if err := s.SubscribeToResourceErr("wiki:///A"); err != nil {
			t.Fatal(err)
		}
	}
	asked := 0
	p.h.Updated("one", func(Peer) bool { asked++; return true }, "wiki:///A")
	if len(here.inbox.items) != 1 || len(there.inbox.items) != 0 || asked != 1 {
		t.Errorf("%d and %d notifications, %d asked", len(here.inbox.items), len(there.inbox.items), asked)
	}
	here.unfollow()
	there.unfollow()
	if n := len(p.h.watchers.byURI); n != 0 {
		t.Errorf("%d are left", n)
	}
}
