package streamable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// wait waits until something is so, for a minute at most.
func wait(t testing.TB, what string, so func() bool) {
	t.Helper()
	for range 6000 {
		if so() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("waited in vain for %s", what)
}

// count adds a tool that changes something.
func (p *place) count(done *atomic.Int64) {
	p.mcp.AddTool(mcp.NewTool("write", mcp.WithString("text")), func(_ context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		n := done.Add(1)
		if r.GetString("text", "") == "fail" {
			return mcp.NewToolResultError("failed"), nil
		}
		return mcp.NewToolResultText(fmt.Sprintf("%d %s", n, r.GetString("text", ""))), nil
	})
}

// listening is an open stream.
type listening struct {
	t    testing.TB
	body io.ReadCloser
	in   *events
	stop context.CancelFunc
}

func (c *client) listen(lastEventID string) *listening {
	c.p.t.Helper()
	r := c.request("GET", nil)
	if lastEventID != "" {
		r.Header.Set("Last-Event-ID", lastEventID)
	}
	return c.open(r)
}

func (c *client) open(r *http.Request) *listening {
	c.p.t.Helper()
	ctx, stop := context.WithCancel(r.Context())
	resp, err := c.p.Client().Do(r.WithContext(ctx))
	if err != nil {
		c.p.t.Fatal(err)
	}
	if resp.StatusCode != 200 {
		b, _ := io.ReadAll(resp.Body)
		c.p.t.Fatalf("got %d %s", resp.StatusCode, b)
	}
	return &listening{c.p.t, resp.Body, newEvents(resp.Body), stop}
}

func (l *listening) close() { l.stop(); l.body.Close() }

// next is the next event with data.
func (l *listening) next() event {
	l.t.Helper()
	for {
		e, ok := l.in.next()
		if !ok {
			l.t.Fatal("the stream has ended")
		}
		if len(e.data) > 0 {
			return e
		}
	}
}

// ended reads until the stream ends.
func (l *listening) ended() (n int) {
	for {
		if _, ok := l.in.next(); !ok {
			return n
		}
		n++
	}
}

// done reads until the server ends the stream.
func (l *listening) done() {
	l.ended()
	l.close()
}

func (c *client) subscribe(uri string) {
	c.p.t.Helper()
	if g := c.post(fmt.Sprintf(`{"jsonrpc":"2.0","id":9,"method":"resources/subscribe","params":{"uri":%q}}`, uri)); g.code(c.p.t) != 0 {
		c.p.t.Fatalf("subscribe: %s", g.body)
	}
}

func TestThreeHundredCallsLoseNothing(t *testing.T) {
	p := newPlace(t, nil)
	before := runtime.NumGoroutine()
	var all sync.WaitGroup
	for n := range 10 {
		all.Go(func() {
			c := p.begin(fmt.Sprintf("peer%d", n), "2025-11-25")
			for i := range 30 {
				var g got
				if i%2 == 0 {
					g = c.call(i, "progress", `{"n":3}`)
				} else {
					g = c.modern(i, "tools/call", "progress", `"name":"progress","arguments":{"n":3}`)
				}
				if len(g.events) != 4 || !bytes.Contains(g.events[0], []byte(`"progress":0`)) || !bytes.Contains(g.events[2], []byte(`"progress":2`)) {
					t.Errorf("call %d: %s", i, g.body)
				}
			}
		})
	}
	all.Wait()
	p.Client().CloseIdleConnections()
	wait(t, "the goroutines to end", func() bool { return runtime.NumGoroutine() <= before+2 })
}

// The handler says far more than what fits between it and a reader who takes its
// time.
func TestSlowReaderGetsEverything(t *testing.T) {
	c := newPlace(t, nil).begin("alice", "2025-06-18")
	l := c.open(c.request("POST", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"progress","arguments":{"n":20000}}}`)))
	defer l.close()
	for i := range 20_000 {
		if i%5000 == 0 {
			time.Sleep(20 * time.Millisecond) // the buffers of both sides fill up
		}
		if e := l.next(); !bytes.Contains(e.data, fmt.Appendf(nil, `"progress":%d,`, i)) {
			t.Fatalf("event %d is %s", i, e.data)
		}
	}
	if e := l.next(); !bytes.Contains(e.data, []byte(`"result"`)) {
		t.Errorf("the answer is %s", e.data)
	}
}

// hang adds a tool that only ends with its context.
func (p *place) hang(why chan error) {
	p.mcp.AddTool(mcp.NewTool("hang"), func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if err := p.mcp.SendNotificationToClient(ctx, "notifications/progress", map[string]any{"progressToken": "t", "progress": 1}); err != nil {
			return nil, err
		}
		<-ctx.Done()
		why <- context.Cause(ctx)
		return nil, ctx.Err()
	})
}

const hang = `{"jsonrpc":"2.0","id":"h","method":"tools/call","params":{"name":"hang","arguments":{}}}`

func TestClientThatIsGoneEndsTheCall(t *testing.T) {
	p := newPlace(t, nil)
	why := make(chan error, 1)
	p.hang(why)
	c := p.begin("alice", "2025-11-25")
	l := c.open(c.request("POST", strings.NewReader(hang)))
	l.next()
	l.close()
	if err := <-why; !errors.Is(err, errGone) {
		t.Errorf("got %v", err)
	}
}

func TestDeletedSessionEndsItsCallsAndStreams(t *testing.T) {
	p := newPlace(t, nil)
	why := make(chan error, 1)
	p.hang(why)
	c := p.begin("alice", "2025-11-25")
	get := c.listen("")
	call := c.open(c.request("POST", strings.NewReader(hang)))
	call.next()
	c.do(c.request("DELETE", nil))
	if err := <-why; !errors.Is(err, errSession) {
		t.Errorf("got %v", err)
	}
	get.done()
	call.done()
}

func TestCancelledCallEnds(t *testing.T) {
	p := newPlace(t, nil)
	why := make(chan error, 1)
	p.hang(why)
	c := p.begin("alice", "2025-11-25")
	l := c.open(c.request("POST", strings.NewReader(hang)))
	defer l.close()
	l.next()
	other := p.begin("alice", "2025-11-25")
	const cancel = `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"h"}}`
	other.post(cancel) // another session has no call of this id
	select {
	case err := <-why:
		t.Fatalf("cancelled from another session: %v", err)
	default:
	}
	if g := c.post(cancel); g.status != 202 {
		t.Errorf("got %d", g.status)
	}
	<-why
	if e := l.next(); !bytes.Contains(e.data, []byte(`"error"`)) {
		t.Errorf("got %s", e.data)
	}
}

func TestSessionStreamTellsOfUpdates(t *testing.T) {
	p := newPlace(t, nil)
	c := p.begin("alice", "2025-11-25")
	bob := p.begin("bob", "2025-11-25")
	c.subscribe("wiki:///A")
	bob.subscribe("wiki:///A")
	l := c.listen("")
	p.h.Updated("", nil, "wiki:///B")
	p.h.Updated("", func(p Peer) bool { return p.Key == "bob" }, "wiki:///A")
	p.h.Updated("", func(p Peer) bool { return p.Key == "alice" }, "wiki:///A")
	e := l.next()
	if want := `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"wiki:///A"}}`; string(e.data) != want {
		t.Errorf("got %s, want %s", e.data, want)
	}
	l.close()
	// While there is no stream, what says the same is kept once.
	wait(t, "the stream to end", func() bool {
		i := p.h.table.byID[c.session].inbox
		i.mu.Lock()
		defer i.mu.Unlock()
		return len(i.readers) == 0
	})
	for range 3 {
		p.h.Updated("", nil, "wiki:///A")
	}
	p.h.ListChanged(nil, mcp.MethodNotificationResourcesListChanged)
	l = c.listen("")
	if e := l.next(); !bytes.Contains(e.data, []byte("wiki:///A")) {
		t.Errorf("got %s", e.data)
	}
	if e := l.next(); !bytes.Contains(e.data, []byte("list_changed")) {
		t.Errorf("got %s", e.data)
	}
	l.close()
	// What came after an event is said again.
	l = c.listen(e.id)
	defer l.close()
	if e := l.next(); !bytes.Contains(e.data, []byte("wiki:///A")) || e.id != "0-2" {
		t.Errorf("resumed: got %s %s", e.id, e.data)
	}
}

func TestEachUpdateGoesToOneStream(t *testing.T) {
	p := newPlace(t, nil)
	c := p.begin("alice", "2025-06-18")
	c.subscribe("x:1")
	c.subscribe("x:2")
	first, second := c.listen(""), c.listen("")
	defer first.close()
	p.h.Updated("", nil, "x:1")
	if e := second.next(); e.id != "0-1" {
		t.Errorf("the stream that was opened last got %s", e.id)
	}
	second.close()
	wait(t, "the stream to end", func() bool {
		i := p.h.table.byID[c.session].inbox
		i.mu.Lock()
		defer i.mu.Unlock()
		return len(i.readers) == 1
	})
	p.h.Updated("", nil, "x:2")
	if e := first.next(); e.id != "0-2" {
		t.Errorf("the other got %s %s", e.id, e.data)
	}
}

func TestStreamOfACallIsResumed(t *testing.T) {
	p := newPlace(t, nil)
	back := make(chan struct{})
	p.mcp.AddTool(mcp.NewTool("detach"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		if !Detach(ctx) {
			return nil, errors.New("not detached")
		}
		<-back
		return mcp.NewToolResultText("here you are"), ctx.Err()
	})
	c := p.begin("alice", "2025-11-25")
	l := c.open(c.request("POST", strings.NewReader(`{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"detach"}}`)))
	e, ok := l.in.next()
	if !ok || e.id == "" || len(e.data) > 0 {
		t.Fatalf("the first event is %+v", e)
	}
	if n := l.ended(); n != 0 {
		t.Errorf("%d events more", n)
	}
	again := c.listen(e.id)
	defer again.close()
	close(back)
	if e := again.next(); !bytes.Contains(e.data, []byte("here you are")) {
		t.Errorf("got %s", e.data)
	}
	if n := again.ended(); n != 0 {
		t.Errorf("%d events after the answer", n)
	}
	mallory := p.begin("mallory", "2025-11-25")
	r := mallory.request("GET", nil)
	r.Header.Set("Last-Event-ID", e.id)
	if g := mallory.do(r); g.status != 400 {
		t.Errorf("mallory resumes alice's stream: %d %s", g.status, g.body)
	}
}

func TestStreamEndsWithTheRight(t *testing.T) {
	p := newPlace(t, nil)
	var gone atomic.Bool
	p.check = func(key string) error {
		if key == "alice" && gone.Load() {
			return errors.New("revoked")
		}
		return nil
	}
	c := p.begin("alice", "2025-06-18")
	c.subscribe("x:1")
	l := c.listen("")
	gone.Store(true)
	p.h.Updated("", nil, "x:1")
	if n := l.ended(); n != 0 {
		t.Errorf("%d events were sent to who may not listen any more", n)
	}
	g := c.call(1, "progress", `{"n":3}`)
	if g.status != 403 || strings.Contains(g.body, "progress") {
		t.Errorf("got %d %s", g.status, g.body)
	}
	listen := c.modern("s", "subscriptions/listen", "", `"notifications":{"resourceSubscriptions":["x:1"]}`)
	if listen.status != 403 {
		t.Errorf("got %d %s", listen.status, listen.body)
	}
}

func TestCloseEndsStreams(t *testing.T) {
	p := newPlace(t, nil)
	c := p.begin("alice", "2025-06-18")
	l := c.listen("")
	r := c.request("POST", strings.NewReader(modern("s", "subscriptions/listen", `"notifications":{"toolsListChanged":true}`)))
	r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
	r.Header.Set("Mcp-Method", "subscriptions/listen")
	s := c.open(r)
	if e := s.next(); !bytes.Contains(e.data, []byte("acknowledged")) {
		t.Fatalf("got %s", e.data)
	}
	p.h.Close()
	l.ended()
	if e := s.next(); !bytes.Contains(e.data, []byte(`"result"`)) {
		t.Errorf("the subscription's last word is %s", e.data)
	}
	s.ended()
	if g := c.post(ping); g.status != 503 {
		t.Errorf("got %d", g.status)
	}
}

func TestPanicIsOneRequestsError(t *testing.T) {
	p := newPlace(t, nil)
	p.mcp.AddTool(mcp.NewTool("panic"), func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) { panic("oh") })
	c := p.begin("alice", "2025-06-18")
	g := c.call(41, "panic", `{}`)
	if g.status != 200 || g.code(t) != mcp.INTERNAL_ERROR || g.last(t)["id"] != 41.0 || strings.Contains(g.body, "oh") {
		t.Errorf("got %d %s", g.status, g.body)
	}
	if g := c.call(42, "echo", `{"text":"hi"}`); g.status != 200 {
		t.Errorf("got %d", g.status)
	}
}

func TestServerAsksClient(t *testing.T) {
	p := newPlace(t, nil)
	p.mcp.AddTool(mcp.NewTool("ask"), func(ctx context.Context, _ mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		e, err := p.mcp.RequestElicitation(ctx, mcp.ElicitationRequest{Params: mcp.ElicitationParams{Message: "?", RequestedSchema: map[string]any{"type": "object"}}})
		if err != nil {
			return nil, err
		}
		return mcp.NewToolResultText(fmt.Sprint(e.Action, e.Content)), nil
	})
	c := p.begin("alice", "2025-06-18")
	l := c.open(c.request("POST", strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ask"}}`)))
	defer l.close()
	if e := l.next(); !bytes.Contains(e.data, []byte(`"id":"server-1","method":"elicitation/create"`)) {
		t.Fatalf("got %s", e.data)
	}
	const response = `{"jsonrpc":"2.0","id":"server-1","result":{"action":"accept","content":{"a":1}}}`
	p.begin("mallory", "2025-06-18").post(response) // is not asked
	if g := c.post(response); g.status != 202 {
		t.Errorf("got %d %s", g.status, g.body)
	}
	if e := l.next(); !bytes.Contains(e.data, []byte("acceptmap[a:1]")) {
		t.Errorf("got %s", e.data)
	}
	c.post(response) // too late: nobody waits
	quiet := p.client("bob", "")
	g := quiet.post(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`)
	quiet.session = g.header.Get("Mcp-Session-Id")
	if g := quiet.call(1, "ask", `{}`); g.code(t) != mcp.INTERNAL_ERROR || !strings.Contains(g.body, "does not do elicitation") {
		t.Errorf("a client that cannot answer is asked: %s", g.body)
	}
}
