package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"wikibot/api"
	"wikibot/gitstore"
	"wikibot/limit"
	"wikibot/notes"
	"wikibot/search"
	"wikibot/wiki"
)

var (
	ctx  = context.Background()
	host = wiki.Caller{Host: true, Via: wiki.ViaCLI}
)

// who are the people of the tests, by their tokens.
func who() map[string]wiki.Caller {
	return map[string]wiki.Caller{
		"alice": {User: "alice", Credential: "tok-alice"}, "bob": {User: "bob", Credential: "tok-bob"},
		"carol": {User: "carol", Credential: "tok-carol"}, "mallory": {User: "mallory", Credential: "tok-mallory"},
		"bob-reads": {User: "bob", Credential: "tok-bob-reads", Narrowed: wiki.Viewer},
	}
}

// site is a site with the wiki notes, which alice owns, bob edits and carol reads;
// mallory may do nothing there.
type site struct {
	t     testing.TB
	store *gitstore.Store
	find  *search.Engine
	*api.Handler

	mu      sync.Mutex
	revoked map[string]bool // tokens that hold no more; guarded by mu
	counted []string        // what Admit was asked
	full    bool            // every rate is met

	doc map[string]*openapi3.Operation // see described
	met map[string]bool                // operations whose answer was checked
}

func newSite(t testing.TB, change ...func(*api.Config)) *site {
	t.Helper()
	s := &site{t: t, revoked: map[string]bool{}}
	var err error
	s.store, err = gitstore.Open(ctx, gitstore.Config{Dir: t.TempDir(), Domain: "example.org"})
	must(t, err)
	t.Cleanup(func() { s.store.Close() })
	s.find, err = search.Open(search.Config{Store: s.store})
	must(t, err)
	t.Cleanup(func() { s.find.Close() })
	for _, u := range []wiki.Username{"alice", "bob", "carol", "mallory"} {
		must(t, s.store.AddUser(ctx, host, gitstore.NewUser{Name: u}))
	}
	must(t, s.store.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "notes", Owner: "alice", Pages: map[string][]byte{"Home.md": []byte("# Home\n\nWelcome.\n")}}))
	grant := wiki.Caller{User: "alice", Via: wiki.ViaAPI}
	must(t, s.store.SetGrant(ctx, grant, "notes", "bob", wiki.Editor))
	must(t, s.store.SetGrant(ctx, grant, "notes", "carol", wiki.Viewer))
	addresses, err := wiki.ParseAddresses("https://wiki.example", wiki.LayoutPath)
	must(t, err)
	c := api.Config{
		Store: s.store, Find: s.find, Notes: notes.New(notes.Config{Store: s.store, Find: s.find}), Addresses: addresses,
		Caller: s.caller, Admit: s.admit, MaxBody: 1 << 20,
	}
	for _, f := range change {
		f(&c)
	}
	s.Handler, err = api.New(c)
	must(t, err)
	t.Cleanup(s.Handler.Close)
	return s
}

func (s *site) caller(r *http.Request) (wiki.Caller, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		if c, err := r.Cookie("session"); err == nil {
			token, ok = c.Value, true
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, known := who()[token]
	if ok && (!known || s.revoked[token]) {
		return wiki.Caller{}, &wiki.Error{Kind: wiki.ErrUnauthenticated, Text: "this token is not known"}
	}
	c.Via = wiki.ViaAPI
	return c, nil
}

func (s *site) admit(_ *http.Request, c wiki.Caller, a limit.Action, cost int) (limit.State, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counted = append(s.counted, fmt.Sprint(a, " ", cost))
	if s.full {
		return limit.State{Limit: 10, Window: time.Second, Reset: time.Second}, &limit.Exceeded{Wait: 3 * time.Second}
	}
	return limit.State{Limit: 10, Remaining: 9, Window: time.Second, Reset: time.Second}, nil
}

// ServeHTTP does what the server does before the interface.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Request-Id", "request-1")
	c, err := s.caller(r)
	slug, path, ok := strings.Cut(strings.TrimPrefix(r.URL.EscapedPath(), "/w/"), "/api")
	if strings.HasPrefix(r.URL.EscapedPath(), "/api") {
		slug, path, ok = "", strings.TrimPrefix(r.URL.EscapedPath(), "/api"), true
	}
	switch {
	case !ok:
		http.NotFound(w, r)
	case err != nil:
		s.Refuse(w, r, wiki.Slug(slug), err)
	case slug == "":
		s.ServeSite(w, r, c, path)
	default:
		s.ServeWiki(w, r, c, wiki.Slug(slug), path)
	}
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

// ask is send, and compares the answer with the interface's description.
func (s *site) ask(as, method, path, body string, headers ...string) answer {
	s.t.Helper()
	if !strings.HasPrefix(path, "/w/") && !strings.HasPrefix(path, "/api") {
		path = "/w/notes/api/v1" + path
	}
	a := s.send(as, method, path, body, headers...)
	s.check(method, path, a)
	return a
}

// send sends a request as somebody ("": nobody). ask completes a path that does
// not begin with "/w/" or "/api" with /w/notes/api/v1. Headers are "Name: value".
func (s *site) send(as, method, path, body string, headers ...string) answer {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if as != "" {
		r.Header.Set("Authorization", "Bearer "+as)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if value == "-" {
			r.Header.Del(name)
		} else {
			r.Header.Add(name, value)
		}
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return answer{s.t, w.Code, w.Header(), w.Body.String()}
}

// want checks status and body; in the body commits, times and dates are REV, TIME
// and DATE. An empty text is not compared.
func (a answer) want(status int, body string) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Errorf("status %d, want %d: %s", a.status, status, a.body)
		return a
	}
	if got := plain(a.body); body != "" && got != compact(body) {
		a.t.Errorf("got\n%s\nwant\n%s", got, compact(body))
	}
	return a
}

// part checks status and that the body holds a text.
func (a answer) part(status int, text string) answer {
	a.t.Helper()
	if a.status != status || !strings.Contains(a.body, text) {
		a.t.Errorf("got %d %s; want %d with %q", a.status, a.body, status, text)
	}
	return a
}

// get is a field of the answer.
func (a answer) get(name string) string {
	a.t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(a.body), &m); err != nil {
		a.t.Fatalf("%v: %s", err, a.body)
	}
	return fmt.Sprint(m[name])
}

var (
	revs  = regexp.MustCompile(`\b[0-9a-f]{40}\b`)
	times = regexp.MustCompile(`\b\d{4}-\d\d-\d\dT[0-9:.]+(Z|[+-]\d\d:\d\d)`)
	dates = regexp.MustCompile(`\b\d{4}-\d\d-\d\d\b`)
)

func plain(body string) string {
	body = revs.ReplaceAllString(strings.TrimSpace(body), "REV")
	return dates.ReplaceAllString(times.ReplaceAllString(body, "TIME"), "DATE")
}

func compact(s string) string {
	var b bytes.Buffer
	if json.Compact(&b, []byte(s)) != nil {
		return s
	}
	return b.String()
}

// put writes a page as bob and gives its revision.
func (s *site) put(path, text string) string {
	s.t.Helper()
	b, err := json.Marshal(map[string]string{"content": text})
	must(s.t, err)
	a := s.ask("bob", "PUT", "/pages/"+path, string(b))
	if a.status != 201 {
		s.t.Fatalf("PUT %s: %d %s", path, a.status, a.body)
	}
	return a.get("revision")
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func view(t testing.TB, s *site, as string) *gitstore.View {
	t.Helper()
	v, err := s.store.View(ctx, who()[as], "notes")
	must(t, err)
	return v
}

func wikiPath(t testing.TB, s string) wiki.PagePath {
	t.Helper()
	p, err := wiki.ParsePagePath(s)
	must(t, err)
	return p
}
