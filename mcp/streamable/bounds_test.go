package streamable

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/mark3labs/mcp-go/mcp"
)

// large is a request of so many bytes and some.
func large(n int) string {
	return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"` + strings.Repeat("x", n) + `"}}}`
}

func TestLargeBodiesAreBounded(t *testing.T) {
	p := newPlace(t, func(c *Config) { c.MaxBody = 1 << 20 })
	alice, mallory := p.begin("alice", "2025-06-18"), p.begin("mallory", "2025-06-18")
	body := large(600 << 10)
	r, end := p.h.bodies.Reader("mallory", io.NopCloser(strings.NewReader(strings.Repeat("x", largeBodies/4))))
	if _, err := io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	if g := mallory.post(body); g.status != 503 || g.header.Get("Retry-After") == "" {
		t.Errorf("over her part: got %d %s", g.status, g.body)
	}
	if g := mallory.post(ping); g.status != 200 {
		t.Errorf("a small one: got %d", g.status)
	}
	if g := alice.post(body); g.status != 200 {
		t.Errorf("somebody else's: got %d %s", g.status, g.body)
	}
	end()
	if g := mallory.post(body); g.status != 200 {
		t.Errorf("afterwards: got %d %s", g.status, g.body)
	}
}

// Bodies that are announced and do not come, and streams that stay open, keep nobody
// else's messages out, however large they might have been.
func TestStalledBodiesKeepNothing(t *testing.T) {
	p := newPlace(t, nil)
	mallory, alice := p.client("mallory", ""), p.begin("alice", "2025-06-18")
	for range 10 {
		slow, feed := io.Pipe()
		r := mallory.request("POST", slow)
		r.ContentLength = -1
		sent := make(chan struct{})
		go func() {
			res, err := p.Client().Do(r)
			if err == nil {
				res.Body.Close()
			}
			close(sent)
		}()
		if _, err := feed.Write([]byte("{")); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { feed.Close(); <-sent })
	}
	if g := alice.post(large(4 << 20)); g.status != 200 {
		t.Errorf("got %d %.200s", g.status, g.body)
	}
}

func TestOpeningMessagesAreSmall(t *testing.T) {
	p := newPlace(t, nil)
	name := strings.Repeat("n", maxOpening)
	c := p.client("mallory", "")
	g := c.post(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"` + name + `","version":"1"}}}`)
	if g.status != 413 || len(p.h.table.list()) != 0 {
		t.Errorf("initialize: got %d %.200s, %d sessions", g.status, g.body, len(p.h.table.list()))
	}
	g = c.modern(1, "subscriptions/listen", "", `"notifications":{"resourceSubscriptions":["wiki:///`+name+`"]}`)
	if g.status != 413 {
		t.Errorf("subscriptions/listen: got %d %.200s", g.status, g.body)
	}
}

// What a session keeps of a client is short, whatever the client says.
func TestSessionKeepsLittle(t *testing.T) {
	var s state
	long := strings.Repeat("ü", 5000)
	s.SetClientInfo(mcp.Implementation{Name: long, Title: long, Version: long, Description: long, WebsiteURL: long, Icons: []mcp.Icon{{Src: long}}})
	i := s.GetClientInfo()
	if i.Name != strings.Repeat("ü", maxName/2) || len(i.Title) != maxName || len(i.Version) != maxName || i.Description+i.WebsiteURL != "" || i.Icons != nil {
		t.Errorf("%d %d %d bytes, %+.20v", len(i.Name), len(i.Title), len(i.Version), i.Icons)
	}
	s.SetClientCapabilities(mcp.ClientCapabilities{Sampling: &mcp.SamplingCapability{}, Experimental: map[string]any{"x": long}, Extensions: map[string]any{"y": long}})
	if c := s.GetClientCapabilities(); c.Sampling == nil || c.Experimental != nil || c.Extensions != nil {
		t.Errorf("%.100v", c)
	}
}

func TestURIsAreBoundedTogether(t *testing.T) {
	stopped := 0
	s := state{follow: func(string) (func(), error) { return func() { stopped++ }, nil }}
	uri := func(i int) string { return fmt.Sprintf("wiki:///%03d%s", i, strings.Repeat("u", 1000)) }
	n := 0
	for s.SubscribeToResourceErr(uri(n)) == nil {
		n++
	}
	if n != maxURIs/len(uri(0)) {
		t.Errorf("%d resources are followed", n)
	}
	s.UnsubscribeFromResource(uri(0))
	s.UnsubscribeFromResource(uri(0))
	if err := s.SubscribeToResourceErr(uri(n)); err != nil || stopped != 1 {
		t.Errorf("after one has ended: %v, %d ended", err, stopped)
	}
	if err := s.SubscribeToResourceErr(uri(n + 1)); err == nil {
		t.Error("one ended twice makes room for two")
	}
}
