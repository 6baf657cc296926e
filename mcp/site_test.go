package mcp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/limit"
	"wikibot/mcp"
	"wikibot/notes"
	"wikibot/search"
	"wikibot/wiki"
)

var (
	ctx   = context.Background()
	host  = wiki.Caller{Host: true, Via: wiki.ViaCLI}
	alice = wiki.Caller{User: "alice", Via: wiki.ViaAPI}
)

// site is a real store behind the face: alice owns the wiki notes, bob edits it and
// carol reads it; mallory owns another one. A request is by whom its bearer token
// names, as if the server had looked at it.
type site struct {
	t     testing.TB
	store *gitstore.Store
	notes *notes.Service
	http  *httptest.Server
	log   *lockedBuffer

	mu     sync.Mutex
	admit  func(c wiki.Caller, a limit.Action, cost int) error
	banned map[string]bool // credentials that do not hold any more
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{t: t, log: &lockedBuffer{}, banned: map[string]bool{}}
	var err error
	s.store, err = gitstore.Open(ctx, gitstore.Config{Dir: t.TempDir(), Domain: "example.org"})
	must(t, err)
	find, err := search.Open(search.Config{Store: s.store})
	must(t, err)
	for _, u := range []wiki.Username{"alice", "bob", "carol", "mallory"} {
		must(t, s.store.AddUser(ctx, host, gitstore.NewUser{Name: u}))
	}
	must(t, s.store.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "notes", Name: "Our notes", Purpose: "To remember.", Owner: "alice", Pages: map[string][]byte{
		"Home.md":        []byte("# Home\n\nWelcome. See [[Design/Auth]] and [[Missing]].\n"),
		"Design/Auth.md": []byte("---\ntitle: Authentication\ncategory: reference\ntags: [design, security]\n---\n\n# Auth\n\nHow people sign in. Back to [[Home]].\n\n## Tokens\n\nA token is secret.\n\n## Sessions\n\nA session ends.\n"),
		"Lonely.md":      []byte("Nobody links here.\n"),
	}}))
	must(t, s.store.SetGrant(ctx, alice, "notes", "bob", wiki.Editor))
	must(t, s.store.SetGrant(ctx, alice, "notes", "carol", wiki.Viewer))
	must(t, s.store.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "other", Owner: "mallory", Pages: map[string][]byte{"Home.md": []byte("# Other\n\nWelcome elsewhere.\n")}}))

	addresses, err := wiki.ParseAddresses("http://wiki.example.org", wiki.LayoutPath)
	must(t, err)
	s.notes = notes.New(notes.Config{Store: s.store, Find: find})
	h, err := mcp.New(mcp.Config{
		Store: s.store, Notes: s.notes, Find: find, Addresses: addresses, Version: "1.2.3",
		Log:    slog.New(slog.NewTextHandler(s.log, nil)),
		Now:    func() time.Time { return time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC) },
		Caller: s.caller,
		Admit: func(_ *http.Request, c wiki.Caller, a limit.Action, cost int) (limit.State, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.admit == nil {
				return limit.State{}, nil
			}
			return limit.State{}, s.admit(c, a, cost)
		},
		Origins: []string{"https://app.example.org"},
	})
	must(t, err)
	s.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "request-7")
		slug, _, _ := addresses.Locate("wiki.example.org", r.URL.EscapedPath())
		c, err := s.caller(r)
		switch {
		case err != nil:
			h.Unauthenticated(w, r, slug, err)
		case slug == "":
			h.ServeSite(w, r, c)
		default:
			h.ServeWiki(w, r, c, slug)
		}
	}))
	t.Cleanup(func() {
		must(t, h.Close())
		s.http.Close()
		find.Close()
		s.store.Close()
	})
	return s
}

func (s *site) caller(r *http.Request) (wiki.Caller, error) {
	name, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.banned[name] {
		return wiki.Caller{}, wiki.ErrUnauthenticated
	}
	if name == "" {
		return wiki.Caller{}, nil
	}
	return wiki.Caller{User: wiki.Username(name), Credential: "u-" + name}, nil
}

// post sends one message as somebody and gives the answer.
func (s *site) post(who, path, body string) (status int, header http.Header, answer string) {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodPost, s.http.URL+path, strings.NewReader(body))
	must(s.t, err)
	if who != "" {
		req.Header.Set("Authorization", "Bearer "+who)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json, text/event-stream")
	var m struct {
		Method string
		Params struct {
			Name, URI string
			Meta      map[string]any `json:"_meta"`
		}
	}
	if json.Unmarshal([]byte(body), &m) == nil && m.Params.Meta != nil {
		req.Header.Set("MCP-Protocol-Version", "2026-07-28")
		req.Header.Set("Mcp-Method", m.Method)
		if name := m.Params.Name + m.Params.URI; name != "" {
			req.Header.Set("Mcp-Name", headerValue(name))
		}
	}
	resp, err := http.DefaultClient.Do(req)
	must(s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(s.t, err)
	return resp.StatusCode, resp.Header, string(b)
}

// headerValue is a name as the header Mcp-Name has it.
func headerValue(s string) string { return s }

// reply is an answer of the protocol.
type reply struct {
	Result json.RawMessage
	Error  *struct {
		Code    int
		Message string
	}
}

// ask sends a request of revision 2026-07-28, which needs no session.
func (s *site) ask(who, path, method string, params map[string]any) reply {
	s.t.Helper()
	if params == nil {
		params = map[string]any{}
	}
	params["_meta"] = map[string]any{
		"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
		"io.modelcontextprotocol/clientInfo":         map[string]any{"name": "tester", "title": "The Tester", "version": "9.1"},
		"io.modelcontextprotocol/clientCapabilities": map[string]any{},
	}
	b, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	must(s.t, err)
	status, _, answer := s.post(who, path, string(b))
	var r reply
	if err := json.Unmarshal([]byte(answer), &r); err != nil || r.Result == nil && r.Error == nil {
		s.t.Fatalf("%s as %s: %d %s", method, who, status, answer)
	}
	return r
}

const notesMCP = "/w/notes/mcp"

// called is the result of a tool.
type called struct {
	Content []struct{ Type, Text string }
	Data    json.RawMessage `json:"structuredContent"`
	IsError bool
}

func (c called) text() string {
	if len(c.Content) == 0 {
		return ""
	}
	return c.Content[0].Text
}

// all is every block.
func (c called) all() string {
	var out []string
	for _, b := range c.Content {
		out = append(out, b.Text)
	}
	return strings.Join(out, "\n")
}

func (s *site) tool(who, path, name string, arguments map[string]any) called {
	s.t.Helper()
	r := s.ask(who, path, "tools/call", map[string]any{"name": name, "arguments": arguments})
	if r.Error != nil {
		s.t.Fatalf("%s as %s: %+v", name, who, *r.Error)
	}
	var c called
	must(s.t, json.Unmarshal(r.Result, &c))
	return c
}

// run calls a tool of the wiki notes, which must succeed.
func (s *site) run(who, name string, arguments map[string]any) called {
	s.t.Helper()
	c := s.tool(who, notesMCP, name, arguments)
	if c.IsError {
		s.t.Fatalf("%s as %s: %s", name, who, c.all())
	}
	return c
}

// fail calls a tool of the wiki notes, which must fail with a text that holds want.
func (s *site) fail(who, name string, arguments map[string]any, want string) called {
	s.t.Helper()
	c := s.tool(who, notesMCP, name, arguments)
	if !c.IsError || !strings.Contains(c.text(), want) {
		s.t.Errorf("%s %v as %s: error %v, %q; want %q", name, arguments, who, c.IsError, c.text(), want)
	}
	return c
}

func decode[T any](t testing.TB, c called) (v T) {
	t.Helper()
	if err := json.Unmarshal(c.Data, &v); err != nil {
		t.Fatalf("%v in %s", err, c.Data)
	}
	return v
}

// revision is a page's, as read_note tells it.
func (s *site) revision(path string) string {
	s.t.Helper()
	return decode[struct{ Revision string }](s.t, s.run("alice", "read_note", m{"path": path})).Revision
}

type m = map[string]any

func text(format string, list ...any) string { return fmt.Sprintf(format, list...) }
