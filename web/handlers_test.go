package web

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"wikibot/acl"
	"wikibot/gitstore"
	"wikibot/search"
	"wikibot/wiki"
)

// site is a real store with the wiki "notes", which alice owns, bob may read
// and nobody else may see, and the handler over it.
type site struct {
	t       testing.TB
	store   *gitstore.Store
	search  *search.Engine
	handler *Handler
	logged  *bytes.Buffer
}

var (
	alice   = wiki.Caller{User: "alice", Via: wiki.ViaWeb}
	bob     = wiki.Caller{User: "bob", Via: wiki.ViaWeb}
	mallory = wiki.Caller{User: "mallory", Via: wiki.ViaWeb}
	nobody  = wiki.Caller{}
	host    = wiki.Caller{Host: true, Via: wiki.ViaCLI}
)

func newSite(t testing.TB) *site {
	t.Helper()
	ctx := context.Background()
	s := &site{t: t, logged: &bytes.Buffer{}}
	log := slog.New(slog.NewTextHandler(s.logged, nil))
	var err error
	if s.store, err = gitstore.Open(ctx, gitstore.Config{Dir: t.TempDir(), Domain: "wiki.example", Log: log, NoUpkeep: true}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.store.Close() })
	for _, name := range []wiki.Username{"alice", "bob", "mallory"} {
		if err := s.store.AddUser(ctx, host, gitstore.NewUser{Name: name}); err != nil {
			t.Fatal(err)
		}
	}
	err = s.store.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "notes", Name: "Notes", Owner: "alice", Pages: map[string][]byte{
		"Home.md":               []byte("# Home\n\nSee [[Design/Auth]] and [[Nowhere]].\n"),
		"Design/Auth.md":        []byte("one\ntwo\nthree\nfour\nfive\nsix\nseven\n"),
		"Design/Auth/flow.svg":  []byte("<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>"),
		"Design/Auth/page.html": []byte("<script>alert(1)</script>"),
		"Design/Auth/Tokens.md": []byte("About tokens.\n"),
		"Design/_Template.md":   []byte("# {{title}}\n\nAt {{path}}.\n"),
		"What%3F 100%25.md":     []byte("odd <script>alert(2)</script>\n"),
		"Folder/Inner.md":       []byte("inside\n"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.store.SetGrant(ctx, alice, "notes", "bob", wiki.Viewer); err != nil {
		t.Fatal(err)
	}
	if s.search, err = search.Open(search.Config{Store: s.store, Log: log}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.search.Close() })
	addresses, err := wiki.ParseAddresses("http://wiki.example", wiki.LayoutPath)
	if err != nil {
		t.Fatal(err)
	}
	if s.handler, err = New(Config{Store: s.store, Addresses: addresses, Log: log, RemoteImages: true, Search: s.search}); err != nil {
		t.Fatal(err)
	}
	return s
}

// do serves one request of a caller.
func (s *site) do(c wiki.Caller, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	slug, rest, _ := s.handler.Addresses.Locate("wiki.example", r.URL.EscapedPath())
	if slug == "" {
		s.handler.ServeSite(w, r, c)
	} else {
		s.handler.ServeWiki(w, r, c, slug, rest)
	}
	return w
}

func (s *site) get(c wiki.Caller, path string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("GET", "http://wiki.example"+path, nil)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return s.do(c, r)
}

func (s *site) post(c wiki.Caller, path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "http://wiki.example"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return s.do(c, r)
}

func wantStatus(t *testing.T, w *httptest.ResponseRecorder, want int) {
	t.Helper()
	if w.Code != want {
		t.Errorf("status %d, want %d\n%.600s", w.Code, want, mainOf(w.Body.String()))
	}
}

// mainOf is what a page says, without what is around it.
func mainOf(body string) string {
	_, rest, ok := strings.Cut(body, "<main")
	if !ok {
		return body
	}
	return rest
}

func wantBody(t *testing.T, w *httptest.ResponseRecorder, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(w.Body.String(), p) {
			t.Errorf("the page lacks %q\n%.1500s", p, mainOf(w.Body.String()))
		}
	}
}

var baseForm = regexp.MustCompile(`name="base" value="([0-9a-f]*)"`)

// base is the revision that an editor's form carries.
func (s *site) base(c wiki.Caller, page string) string {
	s.t.Helper()
	m := baseForm.FindStringSubmatch(s.get(c, "/w/notes/-/edit/"+page).Body.String())
	if m == nil {
		s.t.Fatalf("the editor of %s has no base", page)
	}
	return m[1]
}

func TestStatus(t *testing.T) {
	s := newSite(t)
	for _, test := range []struct {
		who  wiki.Caller
		path string
		want int
	}{
		{alice, "/", 200}, {nobody, "/", 200}, {alice, "/auth/sign-in", 200}, {alice, "/nothing", 404},
		{alice, "/w/notes", 303}, {alice, "/w/notes/", 200}, {alice, "/w/notes/Home", 200}, {alice, "/w/notes/home", 303},
		{alice, "/w/notes/Design/Auth", 200}, {alice, "/w/notes/Design/Auth/Tokens", 200}, {alice, "/w/notes/Design", 200}, {alice, "/w/notes/Folder/", 303},
		{alice, "/w/notes/What%3F%20100%25", 200}, {alice, "/w/notes/Missing", 404}, {alice, "/w/notes/%ff", 404}, {alice, "/w/notes/a//b", 404}, {alice, "/w/notes/..%2F..%2Fetc", 404},
		{alice, "/w/notes/-/history/Home", 200}, {alice, "/w/notes/-/history/Missing", 404}, {alice, "/w/notes/-/blame/Home", 200}, {alice, "/w/notes/-/source/Home", 200},
		{alice, "/w/notes/-/source/Home?raw", 200}, {alice, "/w/notes/-/diff/Home?from=" + strings.Repeat("0", 40), 404}, {alice, "/w/notes/-/diff/Home?from=HEAD~1", 422},
		{alice, "/w/notes/Home?revision=--output", 422}, {alice, "/w/notes/Home?revision=deadbeef", 404},
		{alice, "/w/notes/-/changelog", 200}, {alice, "/w/notes/-/changelog?author=nobody", 200}, {alice, "/w/notes/-/changelog.atom", 200}, {alice, "/w/notes/-/index", 200},
		{alice, "/w/notes/-/index?files", 200}, {alice, "/w/notes/-/index/Design", 200}, {alice, "/w/notes/-/index/Nope", 404},
		{alice, "/w/notes/-/search", 200}, {alice, "/w/notes/-/search?q=three", 200}, {alice, "/w/notes/-/wanted", 200}, {alice, "/w/notes/-/connect", 200}, {alice, "/w/notes/-/help", 200},
		{alice, "/w/notes/-/settings", 200}, {alice, "/w/notes/-/access", 200}, {bob, "/w/notes/-/settings", 403}, {bob, "/w/notes/-/access", 403},
		{alice, "/w/notes/-/pages.json", 200}, {alice, "/w/notes/robots.txt", 200}, {alice, "/w/notes/sitemap.xml", 200}, {alice, "/w/notes/-/nothing", 404},
		{alice, "/w/notes/-/edit/Home", 200}, {alice, "/w/notes/-/edit/New", 200}, {bob, "/w/notes/-/edit/Home", 403}, {bob, "/w/notes/Home", 200},
		{alice, "/w/notes/-/rename/Home", 200}, {bob, "/w/notes/-/rename/Home", 403}, {alice, "/w/notes/-/rename/Missing", 404}, {alice, "/w/notes/-/delete/Home", 200}, {bob, "/w/notes/-/delete/Home", 403},
		{alice, "/w/notes/-/attachments/Design/Auth", 200}, {alice, "/w/notes/Design/Auth/flow.svg", 200}, {alice, "/w/notes/-/file/Design/Auth/flow.svg", 200}, {alice, "/w/notes/-/file/Nope.png", 404},
		{alice, "/w/notes/-/create", 200}, {bob, "/w/notes/-/create", 403}, {alice, "/w/notes/-/preview/Home", 405}, {alice, "/w/notes/-/commit/HEAD", 200}, {alice, "/w/notes/-/revert/HEAD", 200},
		{mallory, "/w/notes/", 404}, {nobody, "/w/notes/Home", 404}, {mallory, "/w/notes/-/edit/Home", 404}, {nobody, "/w/notes/Design/Auth/flow.svg", 404}, {mallory, "/w/other/", 404},
		{alice, "/assets/app.css", 200}, {alice, "/assets/nope.css", 404}, {alice, "/w/notes/-/theme", 405},
	} {
		if w := s.get(test.who, test.path); w.Code != test.want {
			t.Errorf("%s, %s: status %d, want %d\n%.400s", test.who.Name(), test.path, w.Code, test.want, mainOf(w.Body.String()))
		}
	}
	if s.logged.Len() > 0 {
		t.Errorf("internal errors: %s", s.logged.String())
	}
}

// TestUnreadableLooksAbsent: the answers for a wiki that one may not read and
// for one that does not exist differ in nothing but the name.
func TestUnreadableLooksAbsent(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"", "/", "/Home", "/-/changelog", "/-/edit/Home", "/sitemap.xml", "/Design/Auth/flow.svg", "/-/settings", "/-/search?q=x", "/-/search?q=x&fragment", "/-/search?q=updated:x", "/-/search.json?q=x", "/-/suggest.json?q=x", "/-/search/status.json"} {
		for _, who := range []wiki.Caller{nobody, mallory} {
			secret, absent := s.get(who, "/w/notes"+path), s.get(who, "/w/absent"+path)
			if secret.Code != absent.Code || strings.ReplaceAll(secret.Body.String(), "notes", "absent") != absent.Body.String() {
				t.Errorf("%s at %q: %d and %d, or the pages differ", who.Name(), path, secret.Code, absent.Code)
			}
		}
	}
	wantBody(t, s.get(nobody, "/w/notes/Home"), "Sign in")
	if strings.Contains(mainOf(s.get(mallory, "/w/notes/Home").Body.String()), "Sign in") {
		t.Error("somebody who is signed in is asked to sign in")
	}
}

func TestHeaders(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/", "/w/notes/Home", "/w/notes/Missing", "/w/notes/-/changelog", "/w/notes/-/edit/Home", "/auth/sign-in"} {
		h := s.get(alice, path).Header()
		policy := h.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s: the policy lacks %q: %s", path, want, policy)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "https:") {
			t.Errorf("%s: the policy is lax: %s", path, policy)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "same-origin" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
}

var inlineScript = regexp.MustCompile(`(?i)<script(?:>| [^>]*>[^<])|<style|\sstyle=|<[^>]*\son[a-z]+=|(?:href|src|action)="\s*javascript:`)

// TestNoInlineScript goes through all views: nothing on them would need a laxer
// policy, and no text of a page or a name breaks out.
func TestNoInlineScript(t *testing.T) {
	s := newSite(t)
	evil := `x"><script>alert(1)</script>`
	s.post(alice, "/w/notes/-/edit/"+url.PathEscape(`Evil "onclick=1`), url.Values{"content": {"# " + evil + "\n\n[x](javascript:alert(1)) <img src=x onerror=alert(1)>"}, "message": {evil}, "action": {"save"}})
	for _, path := range []string{
		"/w/notes/" + url.PathEscape(`Evil "onclick=1`), "/w/notes/-/history/" + url.PathEscape(`Evil "onclick=1`), "/w/notes/-/blame/" + url.PathEscape(`Evil "onclick=1`),
		"/w/notes/-/source/" + url.PathEscape(`Evil "onclick=1`), "/w/notes/-/edit/" + url.PathEscape(`Evil "onclick=1`), "/w/notes/-/changelog", "/w/notes/-/commit/HEAD", "/w/notes/-/index",
		"/w/notes/-/search?q=" + url.QueryEscape(evil), "/w/notes/-/create?path=" + url.QueryEscape(evil), "/w/notes/-/changelog?author=" + url.QueryEscape(evil), "/w/notes/What%3F%20100%25",
		"/w/notes/-/wanted", "/w/notes/-/settings", "/w/notes/-/access", "/w/notes/-/connect", "/w/notes/-/help", "/w/notes/" + url.PathEscape(evil), "/", "/auth/sign-in",
	} {
		w := s.get(alice, path)
		body := strings.ReplaceAll(w.Body.String(), "onclick=1", "") // the page's name, escaped by the test below
		if m := inlineScript.FindString(body); m != "" {
			t.Errorf("%s: %q on the page", path, m)
		}
		if strings.Contains(w.Body.String(), `"onclick=1`) {
			t.Errorf("%s: a name breaks out of its attribute", path)
		}
	}
}

func TestCrossOriginChangesAreRefused(t *testing.T) {
	s := newSite(t)
	before := s.base(alice, "Home")
	for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Sec-Fetch-Site", "", "Origin", "https://evil.example"}} {
		for _, path := range []string{"/w/notes/-/edit/Home", "/w/notes/-/delete/Home", "/w/notes/-/access", "/w/notes/-/upload/Home", "/-/theme"} {
			w := s.post(alice, path, url.Values{"content": {"x"}, "base": {before}, "action": {"save"}}, headers...)
			wantStatus(t, w, http.StatusForbidden)
		}
	}
	if s.base(alice, "Home") != before {
		t.Error("the page has changed")
	}
	r := httptest.NewRequest("PUT", "http://wiki.example/w/notes/Home", nil)
	wantStatus(t, s.do(alice, r), http.StatusMethodNotAllowed)
	wantStatus(t, s.post(alice, "/w/notes/Home", nil), http.StatusMethodNotAllowed)
}

func TestSave(t *testing.T) {
	s := newSite(t)
	w := s.post(alice, "/w/notes/-/edit/New/Page", url.Values{"content": {"# New\r\nline"}, "message": {"begin"}, "action": {"save"}})
	wantStatus(t, w, http.StatusSeeOther)
	if got, want := w.Header().Get("Location"), "/w/notes/New/Page?done=created"; got != want {
		t.Fatalf("leads to %q, want %q", got, want)
	}
	wantBody(t, s.get(alice, w.Header().Get("Location")), "The page has been created.", "<p>line</p>", "begin", "alice")
	if got, want := s.get(alice, "/w/notes/-/source/New/Page?raw").Body.String(), "# New\nline\n"; got != want {
		t.Errorf("saved %q, want %q", got, want)
	}
	w = s.post(alice, "/w/notes/-/edit/New/Page", url.Values{"content": {"# New\nline"}, "base": {s.base(alice, "New/Page")}, "action": {"save"}})
	if got := w.Header().Get("Location"); !strings.HasSuffix(got, "?done=unchanged") {
		t.Errorf("an unchanged save leads to %q", got)
	}
	wantStatus(t, s.post(bob, "/w/notes/-/edit/Home", url.Values{"content": {"x"}, "action": {"save"}}), http.StatusForbidden)
	wantStatus(t, s.post(nobody, "/w/notes/-/edit/Home", url.Values{"content": {"x"}, "action": {"save"}}), http.StatusNotFound)
	w = s.post(alice, "/w/notes/-/edit/Big", url.Values{"content": {strings.Repeat("u", 1<<20+1)}, "action": {"save"}})
	wantStatus(t, w, http.StatusRequestEntityTooLarge)
	wantBody(t, w, "Nothing has been saved", "uuuu\n</textarea>")
}

// TestConflict: two people change one page from one base. What does not touch
// is merged; what does is shown with both sides, nothing is lost, and saving
// again works.
func TestConflict(t *testing.T) {
	s := newSite(t)
	if err := s.store.SetGrant(t.Context(), alice, "notes", "bob", wiki.Editor); err != nil {
		t.Fatal(err)
	}
	base := s.base(alice, "Design/Auth")
	save := func(who wiki.Caller, base, text string) *httptest.ResponseRecorder {
		return s.post(who, "/w/notes/-/edit/Design/Auth", url.Values{"content": {text}, "base": {base}, "action": {"save"}})
	}
	wantStatus(t, save(alice, base, "one\nALICE\nthree\nfour\nfive\nsix\nseven\n"), http.StatusSeeOther)

	w := save(bob, base, "one\ntwo\nthree\nfour\nfive\nsix\nBOB\n")
	wantStatus(t, w, http.StatusSeeOther)
	if got := w.Header().Get("Location"); got != "/w/notes/Design/Auth?done=merged" {
		t.Errorf("a clean merge leads to %q", got)
	}
	if got, want := s.get(bob, "/w/notes/-/source/Design/Auth?raw").Body.String(), "one\nALICE\nthree\nfour\nfive\nsix\nBOB\n"; got != want {
		t.Fatalf("merged to %q, want %q", got, want)
	}

	current := s.base(bob, "Design/Auth")
	w = save(bob, base, "one\nBOB TOO\nthree\nfour\nfive\nsix\nseven\n")
	wantStatus(t, w, http.StatusConflict)
	wantBody(t, w, "This page changed while you were editing", "&lt;&lt;&lt;&lt;&lt;&lt;&lt;", "&gt;&gt;&gt;&gt;&gt;&gt;&gt;", "ALICE", "BOB TOO", `name="base" value="`+current+`"`,
		"one\nBOB TOO\nthree\nfour\nfive\nsix\nseven\n</textarea>")
	if w.Header().Get("Etag") != "" || !strings.Contains(w.Header().Get("Cache-Control"), "no-store") {
		t.Errorf("the merge screen may be cached: %v", w.Header())
	}
	wantStatus(t, save(bob, current, "one\nBOTH\nthree\nfour\nfive\nsix\nBOB\n"), http.StatusSeeOther)
	if got := s.get(bob, "/w/notes/-/source/Design/Auth?raw").Body.String(); !strings.Contains(got, "BOTH") {
		t.Errorf("the settled text was not saved: %q", got)
	}
}

// TestCreateRace: a page that somebody else has created meanwhile is no lost
// text either.
func TestCreateRace(t *testing.T) {
	s := newSite(t)
	form := url.Values{"content": {"mine\n"}, "base": {""}, "action": {"save"}}
	wantStatus(t, s.post(alice, "/w/notes/-/edit/Race", url.Values{"content": {"hers\n"}, "action": {"save"}}), http.StatusSeeOther)
	w := s.post(alice, "/w/notes/-/edit/race", form)
	wantStatus(t, w, http.StatusConflict)
	wantBody(t, w, "mine", "hers", "Race")
}

func TestPreviewWithoutScript(t *testing.T) {
	s := newSite(t)
	w := s.post(alice, "/w/notes/-/edit/Home", url.Values{"content": {"\n**bold** [[Nowhere]]\n"}, "base": {s.base(alice, "Home")}, "message": {"why"}, "action": {"preview"}})
	wantStatus(t, w, http.StatusOK)
	wantBody(t, w, "<strong>bold</strong>", `value="why"`, "<textarea id=\"Content\" name=\"content\" rows=\"24\" spellcheck=\"true\" autofocus>\n\n**bold**")
	w = s.post(alice, "/w/notes/-/preview/Home", url.Values{"content": {"**bold** <script>x</script>"}})
	wantStatus(t, w, http.StatusOK)
	if got := w.Body.String(); !strings.Contains(got, "bold") || strings.Contains(got, "script>") {
		t.Errorf("the preview answers %s", got)
	}
}

func TestTemplateOfFolder(t *testing.T) {
	s := newSite(t)
	wantBody(t, s.get(alice, "/w/notes/-/edit/Design/Deep/Page"), "# Page\n\nAt Design/Deep/Page.", "Design/_Template")
	wantBody(t, s.get(alice, "/w/notes/-/edit/Elsewhere"), "# Elsewhere\n\n</textarea>")
}

func TestEtags(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/w/notes/", "/w/notes/Home", "/w/notes/-/changelog", "/w/notes/-/history/Home", "/w/notes/-/source/Home?raw", "/w/notes/-/pages.json"} {
		first := s.get(alice, path)
		tag := first.Header().Get("Etag")
		again := s.get(alice, path, "If-None-Match", tag)
		if again.Code != http.StatusNotModified || again.Body.Len() > 0 {
			t.Errorf("%s: status %d for its own tag %q", path, again.Code, tag)
		}
		if got := again.Header().Get("Content-Security-Policy"); got != "" {
			t.Errorf("%s: a 304 replaces the stored policy by %q", path, got)
		}
		if s.get(bob, path, "If-None-Match", tag).Code != http.StatusOK {
			t.Errorf("%s: another reader is told that alice's page is his", path)
		}
		if s.get(alice, path, "If-None-Match", tag, "Cookie", "theme=dark").Code != http.StatusOK {
			t.Errorf("%s: the other colours have the same tag", path)
		}
		if s.get(mallory, path, "If-None-Match", tag).Code != http.StatusNotFound {
			t.Errorf("%s: a tag tells mallory that the page exists", path)
		}
	}
	tag := s.get(alice, "/w/notes/Home").Header().Get("Etag")
	s.post(alice, "/w/notes/-/edit/Nowhere", url.Values{"content": {"now"}, "action": {"save"}})
	w := s.get(alice, "/w/notes/Home", "If-None-Match", tag)
	wantStatus(t, w, http.StatusOK)
	if strings.Contains(w.Body.String(), `class="missing"`) {
		t.Error("the link to a page that now exists is still a missing one")
	}
	if err := s.store.SetGrant(t.Context(), alice, "notes", "bob", wiki.NoRole); err != nil {
		t.Fatal(err)
	}
	wantStatus(t, s.get(bob, "/w/notes/Home"), http.StatusNotFound)
}

func TestGzip(t *testing.T) {
	s := newSite(t)
	plain := s.get(alice, "/w/notes/Home")
	zipped := s.get(alice, "/w/notes/Home", "Accept-Encoding", "br, gzip")
	if zipped.Header().Get("Content-Encoding") != "gzip" || zipped.Body.Len() >= plain.Body.Len() {
		t.Errorf("%d bytes, gzipped %d: %v", plain.Body.Len(), zipped.Body.Len(), zipped.Header())
	}
	if plain.Header().Get("Etag") != zipped.Header().Get("Etag") || !strings.HasPrefix(plain.Header().Get("Etag"), "W/") {
		t.Error("both forms must share one weak tag")
	}
}

func TestAttachmentsCannotRun(t *testing.T) {
	s := newSite(t)
	for name, want := range map[string][2]string{"flow.svg": {"image/svg+xml", "inline"}, "page.html": {"text/html", "attachment"}} {
		w := s.get(alice, "/w/notes/Design/Auth/"+name)
		h := w.Header()
		if h.Get("Content-Type") != want[0] || !strings.HasPrefix(h.Get("Content-Disposition"), want[1]+";") {
			t.Errorf("%s: %q, %q", name, h.Get("Content-Type"), h.Get("Content-Disposition"))
		}
		if p := h.Get("Content-Security-Policy"); !strings.HasPrefix(p, "sandbox; default-src 'none'") || strings.Contains(p, "allow-scripts") || strings.Contains(p, "script-src") {
			t.Errorf("%s: policy %q", name, p)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s may be sniffed", name)
		}
		tag := h.Get("Etag")
		if got := s.get(alice, "/w/notes/Design/Auth/"+name, "If-None-Match", tag).Code; got != http.StatusNotModified {
			t.Errorf("%s: %d for its own tag %s", name, got, tag)
		}
		part := s.get(alice, "/w/notes/Design/Auth/"+name, "Range", "bytes=1-3")
		if part.Code != http.StatusPartialContent || part.Body.String() != w.Body.String()[1:4] {
			t.Errorf("%s: a range answers %d, %q", name, part.Code, part.Body.String())
		}
	}
	v, err := s.store.View(t.Context(), alice, "notes")
	if err != nil {
		t.Fatal(err)
	}
	for rev, want := range map[string]string{"": "no-cache", string(v.Head()): "immutable", string(v.Head())[:10]: "no-cache"} {
		if got := s.get(alice, "/w/notes/Design/Auth/flow.svg?revision="+rev).Header().Get("Cache-Control"); !strings.Contains(got, want) || !strings.Contains(got, "private") {
			t.Errorf("revision %q: %q, want %s", rev, got, want)
		}
	}
}

// files is a form with uploads.
func files(t *testing.T, fields map[string]string, names ...string) (io.Reader, string) {
	t.Helper()
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for k, v := range fields {
		m.WriteField(k, v)
	}
	for _, n := range names {
		w, err := m.CreateFormFile("file", n)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(w, "content of "+n)
	}
	m.Close()
	return &b, m.FormDataContentType()
}

func (s *site) upload(t *testing.T, who wiki.Caller, path string, fields map[string]string, names ...string) *httptest.ResponseRecorder {
	t.Helper()
	body, kind := files(t, fields, names...)
	r := httptest.NewRequest("POST", "http://wiki.example"+path, body)
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return s.do(who, r)
}

func TestUpload(t *testing.T) {
	s := newSite(t)
	wantStatus(t, s.upload(t, alice, "/w/notes/-/attachments/Home", nil, "a b.png", "c.txt"), http.StatusSeeOther)
	wantBody(t, s.get(alice, "/w/notes/-/attachments/Home"), "a b.png", "c.txt", "/w/notes/Home/a%20b.png")
	if got := s.get(alice, "/w/notes/Home/c.txt").Body.String(); got != "content of c.txt" {
		t.Errorf("got %q", got)
	}
	again := s.upload(t, alice, "/w/notes/-/attachments/Home", nil, "c.txt")
	wantStatus(t, again, http.StatusConflict)
	wantStatus(t, s.upload(t, alice, "/w/notes/-/attachments/Home", map[string]string{"replace": "yes"}, "c.txt"), http.StatusSeeOther)
	wantStatus(t, s.upload(t, bob, "/w/notes/-/attachments/Home", nil, "d.txt"), http.StatusForbidden)
	wantStatus(t, s.upload(t, alice, "/w/notes/-/attachments/Home", nil, "evil.md"), http.StatusUnprocessableEntity)
	wantStatus(t, s.upload(t, alice, "/w/notes/-/attachments/Home", nil), http.StatusUnprocessableEntity)

	w := s.upload(t, alice, "/w/notes/-/upload/Home", nil, "c.txt")
	wantStatus(t, w, http.StatusOK)
	wantBody(t, w, `"name":"c (2).txt"`, `"markdown":"[c (2)](Home/c%20%282%29.txt)"`)
	wantStatus(t, s.post(alice, "/w/notes/-/detach/Home/c.txt", nil), http.StatusSeeOther)
	wantStatus(t, s.get(alice, "/w/notes/Home/c.txt"), http.StatusNotFound)
}

func TestRenameDeleteRestore(t *testing.T) {
	s := newSite(t)
	wantBody(t, s.get(alice, "/w/notes/-/rename/Design/Auth"), "1 page links here", "Design/Auth/Tokens", "Design/Auth/flow.svg")
	w := s.post(alice, "/w/notes/-/rename/Design/Auth", url.Values{"to": {"Security/Sign in"}, "links": {"yes"}, "folder": {"yes"}, "redirect": {"yes"}, "base": {s.base(alice, "Design/Auth")}})
	wantStatus(t, w, http.StatusSeeOther)
	w = s.get(alice, "/w/notes/Design/Auth")
	wantStatus(t, w, http.StatusSeeOther)
	if got := w.Header().Get("Location"); got != "/w/notes/Security/Sign%20in?from=Design%2FAuth" {
		t.Fatalf("the old address leads to %q", got)
	}
	wantBody(t, s.get(alice, w.Header().Get("Location")), "You came from “Design/Auth”", "seven")
	wantBody(t, s.get(alice, "/w/notes/-/source/Home?raw"), "[[Security/Sign in]]")
	wantStatus(t, s.get(alice, "/w/notes/Security/Sign%20in/flow.svg"), http.StatusOK)
	wantStatus(t, s.post(alice, "/w/notes/-/rename/Home", url.Values{"to": {"Folder/Inner"}}), http.StatusConflict)
	wantStatus(t, s.post(alice, "/w/notes/-/rename/Home", url.Values{"to": {"../x"}}), http.StatusUnprocessableEntity)

	rev := s.base(alice, "Folder/Inner")
	wantStatus(t, s.post(alice, "/w/notes/-/delete/Folder/Inner", url.Values{"base": {rev}}), http.StatusSeeOther)
	w = s.get(alice, "/w/notes/Folder/Inner")
	wantStatus(t, w, http.StatusNotFound)
	wantBody(t, w, "does not exist yet", "Create this page", "It was deleted on")
	wantBody(t, s.get(alice, "/w/notes/Folder/Inner?revision="+rev), "inside", "You are reading the page as it was on", "noindex")
	wantStatus(t, s.post(alice, "/w/notes/-/restore/Folder/Inner", url.Values{"revision": {rev}}), http.StatusSeeOther)
	wantBody(t, s.get(alice, "/w/notes/Folder/Inner"), "inside")

	w = s.post(alice, "/w/notes/-/revert/HEAD", nil)
	wantStatus(t, w, http.StatusSeeOther)
	wantStatus(t, s.get(alice, "/w/notes/Folder/Inner"), http.StatusNotFound)
}

func TestThemeAndReturn(t *testing.T) {
	s := newSite(t)
	w := s.post(alice, "/w/notes/-/theme", url.Values{"theme": {"dark"}, "back": {"/w/notes/Home"}})
	wantStatus(t, w, http.StatusSeeOther)
	if c := w.Result().Cookies(); len(c) != 1 || c[0].Value != "dark" || c[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("cookies %v", c)
	}
	if got := w.Header().Get("Location"); got != "/w/notes/Home" {
		t.Errorf("returns to %q", got)
	}
	w = s.post(alice, "/w/notes/-/theme", url.Values{"theme": {"auto"}, "back": {"//evil.example/"}})
	if got := w.Header().Get("Location"); got != "/w/notes/" {
		t.Errorf("returns to %q", got)
	}
	wantBody(t, s.get(alice, "/w/notes/Home", "Cookie", "theme=dark"), `data-theme="dark"`)
	if strings.Contains(s.get(alice, "/w/notes/Home", "Cookie", `theme=x"y`).Body.String(), "data-theme") {
		t.Error("a theme that does not exist is taken from a cookie")
	}
}

func TestAccessPage(t *testing.T) {
	s := newSite(t)
	wantStatus(t, s.post(bob, "/w/notes/-/access", url.Values{"do": {"grant"}, "who": {"mallory"}, "role": {"owner"}}), http.StatusForbidden)
	wantStatus(t, s.post(alice, "/w/notes/-/access", url.Values{"do": {"grant"}, "who": {"mallory"}, "role": {"viewer"}}), http.StatusSeeOther)
	wantStatus(t, s.get(mallory, "/w/notes/Home"), http.StatusOK)
	wantStatus(t, s.post(alice, "/w/notes/-/access", url.Values{"do": {"revoke"}, "who": {"mallory"}}), http.StatusSeeOther)
	wantStatus(t, s.get(mallory, "/w/notes/Home"), http.StatusNotFound)
	wantStatus(t, s.post(alice, "/w/notes/-/access", url.Values{"do": {"levels"}, "read": {"anonymous"}, "write": {"granted"}, "propose": {"granted"}}), http.StatusSeeOther)
	wantStatus(t, s.get(nobody, "/w/notes/Home"), http.StatusOK)
	w := s.get(nobody, "/w/notes/-/edit/Home")
	wantStatus(t, w, http.StatusUnauthorized)
	wantBody(t, w, "Sign in")
	v, err := s.store.View(t.Context(), nobody, "notes")
	if err != nil || v.Policy().Read != acl.Anonymous {
		t.Errorf("level %v, %v", v.Policy().Read, err)
	}
	wantStatus(t, s.post(alice, "/w/notes/-/settings", url.Values{"name": {"Our notes"}, "home": {"Design/Auth"}, "style": {"target-first"}, "images": {"yes"}}), http.StatusSeeOther)
	w = s.get(alice, "/w/notes/")
	wantBody(t, w, "Our notes", "seven")
	if !strings.Contains(w.Header().Get("Content-Security-Policy"), "img-src 'self' https:") {
		t.Error("the policy does not follow the settings")
	}
	s.handler.RemoteImages = false // what the operator does not allow no owner can
	if w = s.get(alice, "/w/notes/-/changelog"); strings.Contains(w.Header().Get("Content-Security-Policy"), "https:") {
		t.Error("the policy does not follow the operator")
	}
	s.handler.RemoteImages = true
	wantStatus(t, s.post(alice, "/w/notes/-/settings", url.Values{"name": {"x"}, "home": {"../x"}}), http.StatusUnprocessableEntity)
}

func TestUnknownErrorsStayInTheLog(t *testing.T) {
	s := newSite(t)
	q := &request{Handler: s.handler, w: httptest.NewRecorder(), r: httptest.NewRequest("GET", "http://wiki.example/w/notes/Home", nil), caller: alice, slug: "notes"}
	q.fail(io.ErrUnexpectedEOF)
	w := q.w.(*httptest.ResponseRecorder)
	wantStatus(t, w, http.StatusInternalServerError)
	id := regexp.MustCompile(`under ([0-9a-f]{12})`).FindStringSubmatch(w.Body.String())
	if id == nil || !strings.Contains(s.logged.String(), id[1]) || !strings.Contains(s.logged.String(), "unexpected EOF") {
		t.Errorf("page and log do not agree: %v, %s", id, s.logged)
	}
	if strings.Contains(w.Body.String(), "EOF") {
		t.Error("the visitor is told the cause")
	}
	w = httptest.NewRecorder()
	q.w = w
	q.fail(wiki.Unavailable("the disk is full"))
	wantStatus(t, w, http.StatusServiceUnavailable)
	if w.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	wantBody(t, w, "the disk is full")
}
