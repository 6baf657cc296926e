package streamable

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

func TestRefusedRequests(t *testing.T) {
	p := newPlace(t, func(c *Config) {
		c.MaxBody = 1 << 20
		c.AllowedOrigins = func(o string) bool { return o == "https://friend.example" }
	})
	c := p.begin("alice", "2025-06-18")
	same := "http://" + strings.TrimPrefix(p.URL, "http://")
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	params := func(s string) string { return `{"jsonrpc":"2.0","id":1,"method":"ping","params":` + s + `}` }
	for _, test := range []struct {
		name, method, header, value, body string
		status, code                      int
	}{
		{"as it should be", "POST", "", "", ping, 200, 0},
		{"another origin", "POST", "Origin", "https://evil.example", ping, 403, mcp.INVALID_REQUEST},
		{"no origin that is one", "POST", "Origin", "null", ping, 403, mcp.INVALID_REQUEST},
		{"the host with something in front", "POST", "Origin", "http://evil.example@" + strings.TrimPrefix(same, "http://") + ".evil.example", ping, 403, mcp.INVALID_REQUEST},
		{"the same origin", "POST", "Origin", same, ping, 200, 0},
		{"an allowed origin", "POST", "Origin", "https://friend.example", ping, 200, 0},
		{"no JSON", "POST", "Content-Type", "text/plain", ping, 415, mcp.INVALID_REQUEST},
		{"no type", "POST", "Content-Type", "", ping, 415, mcp.INVALID_REQUEST},
		{"another charset", "POST", "Content-Type", "application/json; charset=utf-16", ping, 415, mcp.INVALID_REQUEST},
		{"a charset", "POST", "Content-Type", "application/json; charset=UTF-8", ping, 200, 0},
		{"JSON alone", "POST", "Accept", "application/json", ping, 406, mcp.INVALID_REQUEST},
		{"events alone", "POST", "Accept", "text/event-stream", ping, 406, mcp.INVALID_REQUEST},
		{"events unwelcome", "POST", "Accept", "application/json, text/event-stream;q=0", ping, 406, mcp.INVALID_REQUEST},
		{"everything", "POST", "Accept", "*/*", ping, 200, 0},
		{"families", "POST", "Accept", "application/*, text/*;q=0.5", ping, 200, 0},
		{"a version that never was", "POST", "Mcp-Protocol-Version", "1999-01-01", ping, 400, mcp.INVALID_REQUEST},
		{"an older version", "POST", "Mcp-Protocol-Version", "2025-03-26", ping, 200, 0},
		{"GET of HTML", "GET", "Accept", "text/html", "", 406, mcp.INVALID_REQUEST},
		{"GET of 2026-07-28", "GET", "Mcp-Protocol-Version", "2026-07-28", "", 405, mcp.INVALID_REQUEST},
		{"DELETE of 2026-07-28", "DELETE", "Mcp-Protocol-Version", "2026-07-28", "", 405, mcp.INVALID_REQUEST},
		{"GET from an event of nowhere", "GET", "Last-Event-ID", "77-1", "", 400, mcp.INVALID_REQUEST},
		{"GET from no event", "GET", "Last-Event-ID", "x", "", 400, mcp.INVALID_REQUEST},
		{"another method", "PUT", "", "", ping, 405, mcp.INVALID_REQUEST},
		{"not JSON", "POST", "", "", `{"jsonrpc`, 400, mcp.PARSE_ERROR},
		{"nothing", "POST", "", "", ``, 400, mcp.PARSE_ERROR},
		{"a string", "POST", "", "", `"ping"`, 400, mcp.PARSE_ERROR},
		{"a batch", "POST", "", "", "[" + ping + "]", 400, mcp.INVALID_REQUEST},
		{"an empty batch", "POST", "", "", " []", 400, mcp.INVALID_REQUEST},
		{"another JSON-RPC", "POST", "", "", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, 400, mcp.INVALID_REQUEST},
		{"an id of null", "POST", "", "", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, 400, mcp.INVALID_REQUEST},
		{"an object as id", "POST", "", "", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, 400, mcp.INVALID_REQUEST},
		{"a long id", "POST", "", "", `{"jsonrpc":"2.0","id":"` + strings.Repeat("x", 300) + `","method":"ping"}`, 400, mcp.INVALID_REQUEST},
		{"a number as method", "POST", "", "", `{"jsonrpc":"2.0","id":1,"method":1}`, 400, mcp.INVALID_REQUEST},
		{"a list as params", "POST", "", "", params(`[]`), 400, mcp.INVALID_PARAMS},
		{"a list as _meta", "POST", "", "", params(`{"_meta":[]}`), 400, mcp.INVALID_PARAMS},
		{"a method twice", "POST", "", "", `{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}`, 400, mcp.INVALID_REQUEST},
		{"a method in capitals", "POST", "", "", `{"jsonrpc":"2.0","id":1,"method":"ping","METHOD":"tools/list"}`, 400, mcp.INVALID_REQUEST},
		{"a method in disguise", "POST", "", "", `{"jsonrpc":"2.0","id":1,"method":"ping","m\u0065thod":"tools/list"}`, 400, mcp.INVALID_REQUEST},
		{"nested just so", "POST", "", "", params(`{"x":` + deep(maxDepth-2) + `}`), 200, 0},
		{"nested too deep", "POST", "", "", params(`{"x":` + deep(maxDepth-1) + `}`), 400, mcp.INVALID_REQUEST},
		{"nested far too deep", "POST", "", "", params(`{"x":` + deep(400_000) + `}`), 400, mcp.INVALID_REQUEST},
		{"many values", "POST", "", "", params(`{"x":[1` + strings.Repeat(",1", maxValues) + `]}`), 400, mcp.INVALID_REQUEST},
		{"large", "POST", "", "", params(`{"x":"` + strings.Repeat("x", 1<<20) + `"}`), 413, mcp.INVALID_REQUEST},
		{"a response that nobody waits for", "POST", "", "", `{"jsonrpc":"2.0","id":"server-9","result":{}}`, 202, 0},
		{"neither nor", "POST", "", "", `{"jsonrpc":"2.0","id":1}`, 400, mcp.INVALID_REQUEST},
		{"an unknown notification", "POST", "", "", `{"jsonrpc":"2.0","method":"notifications/x"}`, 202, 0},
		{"an unknown method", "POST", "", "", `{"jsonrpc":"2.0","id":1,"method":"x/y"}`, 200, mcp.METHOD_NOT_FOUND},
		{"2026-07-28 in the header alone", "POST", "Mcp-Protocol-Version", "2026-07-28", ping, 400, mcp.INVALID_PARAMS},
	} {
		r := c.request(test.method, strings.NewReader(test.body))
		if test.header != "" {
			r.Header.Set(test.header, test.value)
		}
		g := c.do(r)
		code := 0
		if len(g.events) > 0 {
			code = g.code(t)
		}
		if g.status != test.status || code != test.code {
			t.Errorf("%s: got %d %d %s, want %d %d", test.name, g.status, code, g.body, test.status, test.code)
		}
	}
	if used := p.h.bodies.Used(); used != 0 {
		t.Errorf("%d bytes are still counted as being worked on", used)
	}
}

func TestLargeBodyWithoutLength(t *testing.T) {
	p := newPlace(t, func(c *Config) { c.MaxBody = 1000 })
	c := p.client("alice", "")
	r := c.request("POST", struct{ *strings.Reader }{strings.NewReader(strings.Repeat(" ", 2000))})
	r.ContentLength = -1
	if g := c.do(r); g.status != 413 {
		t.Errorf("got %d %s", g.status, g.body)
	}
}

// A number that no float64 holds comes back as it was.
func TestIDComesBackAsItWas(t *testing.T) {
	c := newPlace(t, nil).begin("alice", "2025-06-18")
	for _, id := range []string{`9007199254740993`, `"a\u0062 ü"`, `-1`, `0`, `""`} {
		g := c.post(fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":"ping"}`, id))
		if want := fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"result":{}}`, id); g.body != want {
			t.Errorf("got %s, want %s", g.body, want)
		}
	}
}

func TestModernRequestsAreChecked(t *testing.T) {
	p := newPlace(t, nil)
	p.mcp.AddTool(mcp.NewToolWithRawSchema("region", "", []byte(`{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}`)),
		func(context.Context, mcp.CallToolRequest) (*mcp.CallToolResult, error) {
			return mcp.NewToolResultText("ok"), nil
		})
	c := p.client("alice", "")
	call := modern(1, "tools/call", `"name":"region","arguments":{"region":"eu"}`)
	right := map[string]string{"Mcp-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "region", "Mcp-Param-Region": "eu"}
	for _, test := range []struct {
		name, header, value string
		status, code        int
	}{
		{"as it should be", "", "", 200, 0},
		{"a session is not looked at", "Mcp-Session-Id", "nonsense", 200, 0},
		{"no version", "Mcp-Protocol-Version", "", 400, mcp.HEADER_MISMATCH},
		{"another version", "Mcp-Protocol-Version", "2025-11-25", 400, mcp.HEADER_MISMATCH},
		{"no method", "Mcp-Method", "", 400, mcp.HEADER_MISMATCH},
		{"another method", "Mcp-Method", "tools/list", 400, mcp.HEADER_MISMATCH},
		{"no name", "Mcp-Name", "", 400, mcp.HEADER_MISMATCH},
		{"another name", "Mcp-Name", "echo", 400, mcp.HEADER_MISMATCH},
		{"an encoded name", "Mcp-Name", "=?base64?cmVnaW9u?=", 200, 0},
		{"no parameter", "Mcp-Param-Region", "", 400, mcp.HEADER_MISMATCH},
		{"another parameter", "Mcp-Param-Region", "us", 400, mcp.HEADER_MISMATCH},
	} {
		r := c.request("POST", strings.NewReader(call))
		for k, v := range right {
			r.Header.Set(k, v)
		}
		if test.value == "" && test.header != "" {
			r.Header.Del(test.header)
		} else if test.header != "" {
			r.Header.Set(test.header, test.value)
		}
		if g := c.do(r); g.status != test.status || g.code(t) != test.code {
			t.Errorf("%s: got %d %s, want %d %d", test.name, g.status, g.body, test.status, test.code)
		}
	}
	r := c.request("POST", strings.NewReader(call))
	for k, v := range right {
		r.Header.Set(k, v)
	}
	r.Header.Add("Mcp-Name", "echo")
	if g := c.do(r); g.status != 400 {
		t.Errorf("two names: got %d %s", g.status, g.body)
	}
	for method, status := range map[string]int{"initialize": 404, "ping": 404, "resources/subscribe": 404, "x/y": 404, "tools/list": 200} {
		if g := c.modern(1, method, "", `"uri":"x:y"`); g.status != status {
			t.Errorf("%s: got %d %s, want %d", method, g.status, g.body, status)
		}
	}
	if n := len(p.h.table.byID); n != 0 {
		t.Errorf("%d sessions were begun", n)
	}
}

func TestModernStreamTellsWhatWasAskedFor(t *testing.T) {
	p := newPlace(t, nil)
	c := p.client("alice", "")
	r := c.request("POST", strings.NewReader(modern("sub", "subscriptions/listen", `"notifications":{"resourceSubscriptions":["wiki:///A"],"resourcesListChanged":true}`)))
	r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
	r.Header.Set("Mcp-Method", "subscriptions/listen")
	l := c.open(r)
	const tag = `"_meta":{"io.modelcontextprotocol/subscriptionId":"sub"}`
	if e := l.next(); !bytes.Contains(e.data, []byte("notifications/subscriptions/acknowledged")) || !bytes.Contains(e.data, []byte(tag)) || e.id != "" {
		t.Fatalf("got %s %s", e.id, e.data)
	}
	p.mcp.AddTool(mcp.NewTool("new"), nil) // nobody asked for that
	p.h.Updated("", nil, "wiki:///B")
	p.h.Updated("", nil, "wiki:///A")
	if e := l.next(); !bytes.Contains(e.data, []byte(`"uri":"wiki:///A"`)) || !bytes.Contains(e.data, []byte(tag)) {
		t.Errorf("got %s", e.data)
	}
	p.h.ListChanged(nil, mcp.MethodNotificationResourcesListChanged)
	if e := l.next(); !bytes.Contains(e.data, []byte("resources/list_changed")) || !bytes.Contains(e.data, []byte(tag)) {
		t.Errorf("got %s", e.data)
	}
	l.close()
	wait(t, "the subscription to end", func() bool {
		p.h.watchers.mu.Lock()
		defer p.h.watchers.mu.Unlock()
		return len(p.h.watchers.byURI) == 0 && len(p.h.watchers.streams) == 0
	})
}

func TestErrorsAreChangedAndNamed(t *testing.T) {
	p := newPlace(t, func(c *Config) {
		c.Answer = func(_ context.Context, r mcp.JSONRPCMessage) mcp.JSONRPCMessage {
			if e, ok := r.(mcp.JSONRPCError); ok && e.Error.Message == "gone" {
				e.Error.Code = mcp.INVALID_PARAMS
				return e
			}
			return r
		}
	})
	p.mcp.AddResource(mcp.NewResource("x:gone", "gone"), func(context.Context, mcp.ReadResourceRequest) ([]mcp.ResourceContents, error) {
		return nil, errors.New("gone")
	})
	c := p.begin("alice", "2025-11-25")
	for uri, code := range map[string]int{"x:gone": mcp.INVALID_PARAMS, "x:unknown": mcp.RESOURCE_NOT_FOUND} {
		g := c.post(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":%q}}`, uri))
		if named := strings.Contains(g.body, fmt.Sprintf(`"data":{"uri":%q}`, uri)); g.code(t) != code || !named {
			t.Errorf("got %d %s", g.status, g.body)
		}
		g = c.modern(1, "resources/read", uri, fmt.Sprintf(`"uri":%q`, uri))
		if g.status != http.StatusBadRequest || g.code(t) != mcp.INVALID_PARAMS {
			t.Errorf("got %d %s", g.status, g.body)
		}
	}
}
