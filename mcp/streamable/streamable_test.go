package streamable

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// place is a server with a few tools and our transport, on loopback. The header
// X-Peer says who asks.
type place struct {
	t   testing.TB
	h   *Handler
	mcp *server.MCPServer
	*httptest.Server
	check func(key string) error
}

func newPlace(t testing.TB, change func(*Config)) *place {
	t.Helper()
	p := &place{t: t}
	p.mcp = server.NewMCPServer("test", "1", server.WithToolCapabilities(true), server.WithResourceCapabilities(true, true), server.WithLogging())
	p.tools()
	c := Config{Server: p.mcp, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&c)
	}
	h, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	p.h = h
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("X-Peer")
		peer := Peer{Key: key, Value: "value of " + key}
		if p.check != nil {
			peer.Check = func() error { return p.check(key) }
		}
		h.ServeHTTP(w, r, peer)
	}))
	t.Cleanup(func() {
		h.Close()
		p.Server.Close()
	})
	return p
}

func (p *place) tools() {
	p.mcp.AddTool(mcp.NewTool("echo", mcp.WithString("text"), mcp.WithReadOnlyHintAnnotation(true)),
		func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			who, _ := PeerFrom(ctx)
			return mcp.NewToolResultText(fmt.Sprintf("%s for %v", r.GetString("text", ""), who)), nil
		})
	p.mcp.AddTool(mcp.NewTool("progress", mcp.WithNumber("n"), mcp.WithReadOnlyHintAnnotation(true)),
		func(ctx context.Context, r mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			for i := range r.GetInt("n", 3) {
				if err := p.mcp.SendNotificationToClient(ctx, "notifications/progress", map[string]any{"progressToken": "t", "progress": i}); err != nil {
					return nil, err
				}
			}
			return mcp.NewToolResultText("done"), nil
		})
}

// got is an answer, with what was said before it.
type got struct {
	status int
	header http.Header
	events []json.RawMessage // everything that was said, the answer last
	ids    []string          // of the events
	body   string
}

func (g got) last(t testing.TB) map[string]any {
	t.Helper()
	if len(g.events) == 0 {
		t.Fatalf("no answer: %d %s", g.status, g.body)
	}
	var m map[string]any
	if err := json.Unmarshal(g.events[len(g.events)-1], &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// text is the first text of a tool's result.
func (g got) text(t testing.TB) string {
	t.Helper()
	result, _ := g.last(t)["result"].(map[string]any)
	content, _ := result["content"].([]any)
	if len(content) == 0 {
		t.Fatalf("no content in %s", g.events[len(g.events)-1])
	}
	return content[0].(map[string]any)["text"].(string)
}

// code is the JSON-RPC code of the answer, 0 for a result.
func (g got) code(t testing.TB) int {
	t.Helper()
	e, _ := g.last(t)["error"].(map[string]any)
	code, _ := e["code"].(float64)
	return int(code)
}

// client asks as one peer, in one session.
type client struct {
	p       *place
	peer    string
	session string
	version string
	ctx     context.Context
}

func (p *place) client(peer, version string) *client {
	return &client{p: p, peer: peer, version: version, ctx: context.Background()}
}

// begin initializes a session.
func (p *place) begin(peer, version string) *client {
	p.t.Helper()
	c := p.client(peer, "")
	g := c.post(fmt.Sprintf(`{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":%q,"capabilities":{"sampling":{},"elicitation":{},"roots":{}},"clientInfo":{"name":"test","version":"1"}}}`, version))
	c.session = g.header.Get("Mcp-Session-Id")
	if g.status != 200 || c.session == "" {
		p.t.Fatalf("initialize: %d %s", g.status, g.body)
	}
	c.version = version
	if g := c.post(`{"jsonrpc":"2.0","method":"notifications/initialized"}`); g.status != 202 {
		p.t.Fatalf("initialized: %d %s", g.status, g.body)
	}
	return c
}

func (c *client) request(method string, body io.Reader) *http.Request {
	r, err := http.NewRequestWithContext(c.ctx, method, c.p.URL, body)
	if err != nil {
		c.p.t.Fatal(err)
	}
	r.Header.Set("X-Peer", c.peer)
	r.Header.Set("Accept", "application/json, text/event-stream")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.session != "" {
		r.Header.Set("Mcp-Session-Id", c.session)
	}
	if c.version != "" {
		r.Header.Set("Mcp-Protocol-Version", c.version)
	}
	return r
}

func (c *client) post(body string) got {
	c.p.t.Helper()
	return c.do(c.request("POST", strings.NewReader(body)))
}

func (c *client) call(id int, tool, args string) got {
	c.p.t.Helper()
	return c.post(fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, id, tool, args))
}

func (c *client) do(r *http.Request) got {
	c.p.t.Helper()
	resp, err := c.p.Client().Do(r)
	if err != nil {
		c.p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.p.t.Fatal(err)
	}
	g := got{status: resp.StatusCode, header: resp.Header, body: string(b)}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		events := newEvents(bytes.NewReader(b))
		for e, ok := events.next(); ok; e, ok = events.next() {
			g.ids = append(g.ids, e.id)
			if len(e.data) > 0 {
				g.events = append(g.events, e.data)
			}
		}
	} else if len(b) > 0 {
		g.events = []json.RawMessage{b}
	}
	return g
}

// events reads Server-Sent Events as the standard says that a browser does.
type events struct{ in *bufio.Reader }

func newEvents(r io.Reader) *events { return &events{bufio.NewReaderSize(r, 1<<20)} }

func (e *events) next() (event, bool) {
	var out event
	any, data := false, []string(nil)
	for {
		line, err := e.in.ReadString('\n')
		line = strings.TrimSuffix(line, "\n")
		if err != nil {
			return out, false
		}
		if line == "" {
			if !any {
				continue
			}
			out.data = []byte(strings.Join(data, "\n"))
			return out, true
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch name {
		case "id":
			out.id, any = value, true
		case "data":
			data, any = append(data, value), true
		}
	}
}

func TestCallIsAnsweredWithJSON(t *testing.T) {
	for _, version := range []string{"2025-03-26", "2025-06-18", "2025-11-25"} {
		c := newPlace(t, nil).begin("alice", version)
		g := c.call(1, "echo", `{"text":"hi <b>"}`)
		if got, want := g.text(t), "hi <b> for value of alice"; got != want || g.status != 200 || g.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: got %d %q %s, want %q", version, g.status, got, g.body, want)
		}
	}
}

func TestNotificationsComeInOrderBeforeTheAnswer(t *testing.T) {
	c := newPlace(t, nil).begin("alice", "2025-06-18")
	g := c.call(1, "progress", `{"n":200}`)
	if len(g.events) != 201 {
		t.Fatalf("got %d events, want 201", len(g.events))
	}
	for i := range 200 {
		if want := fmt.Sprintf(`"progress":%d,`, i); !bytes.Contains(g.events[i], []byte(want)) {
			t.Fatalf("event %d is %s, want %s in it", i, g.events[i], want)
		}
	}
	if g.text(t) != "done" {
		t.Error(g.body)
	}
}

func modern(id any, method, params string) string {
	if params != "" {
		params += ","
	}
	b, _ := json.Marshal(id)
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%q,"params":{%s"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}`, b, method, params)
}

// modern asks as 2026-07-28 wants it.
func (c *client) modern(id any, method, name, params string) got {
	c.p.t.Helper()
	r := c.request("POST", strings.NewReader(modern(id, method, params)))
	r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
	r.Header.Set("Mcp-Method", method)
	if name != "" {
		r.Header.Set("Mcp-Name", name)
	}
	return c.do(r)
}

func TestModernCallNeedsNoSession(t *testing.T) {
	c := newPlace(t, nil).client("alice", "")
	g := c.modern(7, "tools/call", "echo", `"name":"echo","arguments":{"text":"hi"}`)
	if g.status != 200 || g.text(t) != "hi for value of alice" || g.header.Get("Mcp-Session-Id") != "" {
		t.Errorf("got %d %s", g.status, g.body)
	}
	g = c.modern("d", "server/discover", "", "")
	if g.status != 200 || !strings.Contains(g.body, `"supportedVersions":["2026-07-28","2025-11-25","2025-06-18","2025-03-26"]`) {
		t.Errorf("got %d %s", g.status, g.body)
	}
}
