package streamable

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// Somebody asks and never reads: the handler is let go.
func TestStalledReaderIsLetGo(t *testing.T) {
	p := newPlace(t, func(c *Config) { c.WriteTimeout = 50 * time.Millisecond })
	why := make(chan error, 1)
	p.mcp.AddTool(mcp.NewTool("flood"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		text := strings.Repeat("x", 10_000)
		for ctx.Err() == nil {
			_ = p.mcp.SendNotificationToClient(ctx, "notifications/progress", map[string]any{"progressToken": "t", "message": text})
		}
		why <- context.Cause(ctx)
		return nil, ctx.Err()
	})
	c := p.begin("alice", "2025-06-18")
	conn, err := net.Dial("tcp", p.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	r := c.request("POST", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"flood"}}`))
	if err := r.Write(conn); err != nil {
		t.Fatal(err)
	}
	if err := <-why; !errors.Is(err, errGone) {
		t.Errorf("got %v", err)
	}
}

// A call that is silent for long becomes a stream, and streams have heartbeats.
func TestHeartbeats(t *testing.T) {
	p := newPlace(t, func(c *Config) { c.Heartbeat = 10 * time.Millisecond })
	goOn := make(chan struct{})
	p.mcp.AddTool(mcp.NewTool("slow"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		<-goOn
		return mcp.NewToolResultText("done"), nil
	})
	c := p.begin("alice", "2025-06-18")
	for _, r := range []*http.Request{c.request("GET", nil), c.request("POST", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow"}}`))} {
		l := c.open(r)
		in := bufio.NewReader(l.body)
		for range 3 {
			if line, err := in.ReadString('\n'); err != nil || (line != ": \n" && line != "\n") {
				t.Errorf("got %q %v", line, err)
			}
		}
		if r.Method == http.MethodPost {
			close(goOn)
			for line := ""; !strings.Contains(line, `"done"`); {
				var err error
				if line, err = in.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
			}
		}
		l.close()
	}
}

// Where the right ends, a silent stream ends at its next heartbeat.
func TestSilentStreamEndsWithTheRight(t *testing.T) {
	p := newPlace(t, func(c *Config) { c.Heartbeat = 10 * time.Millisecond })
	var gone atomic.Bool
	p.check = func(string) error {
		if gone.Load() {
			return errors.New("revoked")
		}
		return nil
	}
	why := make(chan error, 1)
	p.hang(why)
	c := p.begin("alice", "2025-06-18")
	get := c.listen("")
	defer get.close()
	call := c.open(c.request("POST", strings.NewReader(hang)))
	defer call.close()
	call.next()
	gone.Store(true)
	if n := get.ended(); n != 0 {
		t.Errorf("%d events", n)
	}
	if err := <-why; err == nil || err.Error() != "revoked" {
		t.Errorf("the call ended with %v", err)
	}
	if n := call.ended(); n != 0 {
		t.Errorf("%d events after the right was gone", n)
	}
}

// The server in front gives a request two minutes; a stream lasts longer.
func TestStreamOutlivesTheDeadlinesOfARequest(t *testing.T) {
	p := newPlace(t, nil)
	short := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		soon := time.Now().Add(30 * time.Millisecond)
		if c.SetReadDeadline(soon) != nil || c.SetWriteDeadline(soon) != nil {
			t.Error("no deadlines")
		}
		p.h.ServeHTTP(w, r, Peer{Key: r.Header.Get("X-Peer")})
	}))
	defer short.Close()
	p.Server.Close()
	p.Server = short
	why := make(chan error, 1)
	p.hang(why)
	c := p.begin("alice", "2025-06-18")
	c.subscribe("x:1")
	get := c.listen("")
	defer get.close()
	call := c.open(c.request("POST", strings.NewReader(hang)))
	defer call.close()
	call.next()
	time.Sleep(100 * time.Millisecond)
	p.h.Updated("", nil, "x:1")
	if e := get.next(); !bytes.Contains(e.data, []byte("x:1")) {
		t.Errorf("got %s", e.data)
	}
	select {
	case err := <-why:
		t.Errorf("the call ended: %v", err)
	default:
	}
}

// Close leaves nothing behind, whatever was open.
func TestCloseLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	p := newPlace(t, nil)
	why := make(chan error, 3)
	p.hang(why)
	p.mcp.AddTool(mcp.NewTool("detach"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		Detach(ctx)
		<-ctx.Done()
		why <- context.Cause(ctx)
		return nil, ctx.Err()
	})
	var open []*listening
	for i := range 3 {
		c := p.begin(fmt.Sprint("peer", i), "2025-11-25")
		c.subscribe("x:1")
		open = append(open, c.listen(""))
		c.open(c.request("POST", strings.NewReader(`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"detach"}}`))).done()
		r := c.request("POST", strings.NewReader(modern("s", "subscriptions/listen", `"notifications":{"resourceSubscriptions":["x:1"]}`)))
		r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
		r.Header.Set("Mcp-Method", "subscriptions/listen")
		l := c.open(r)
		l.next()
		open = append(open, l)
	}
	p.h.Close()
	for _, l := range open {
		l.done()
	}
	for range 3 {
		<-why
	}
	p.Client().CloseIdleConnections()
	p.Server.Close()
	http.DefaultClient.CloseIdleConnections()
	wait(t, "every goroutine to end", func() bool { return runtime.NumGoroutine() <= before })
	if n := p.h.budget.used.Load(); n != 0 {
		wait(t, "what was kept to be let go", func() bool { return p.h.budget.used.Load() == 0 })
	}
	if n := len(p.h.watchers.byURI); n != 0 {
		t.Errorf("%d resources are still followed", n)
	}
}
