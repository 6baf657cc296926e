package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// site is a site with people and tokens in memory; the far side of the
// Authority is what is faked, and the clock.
type site struct {
	*Authority
	t      *testing.T
	dir    string
	mu     sync.Mutex
	now    time.Time
	people map[wiki.Username]gitstore.User
	tokens map[string]gitstore.Token
}

func newSite(t *testing.T, base string, layout wiki.Layout) *site {
	t.Helper()
	s := &site{
		t: t, dir: t.TempDir(), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		people: map[wiki.Username]gitstore.User{
			"operator": {Name: "operator", Admin: true},
			"alice":    {Name: "alice", DID: "did:web:alice.example"},
			"mallory":  {Name: "mallory"},
		},
		tokens: map[string]gitstore.Token{},
	}
	s.open(base, layout)
	return s
}

func (s *site) open(base string, layout wiki.Layout) {
	s.t.Helper()
	addresses, err := wiki.ParseAddresses(base, layout)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Authority, err = Open(Config{
		Dir: s.dir, Addresses: addresses,
		Now:  func() time.Time { s.mu.Lock(); defer s.mu.Unlock(); return s.now },
		User: s.user, Token: s.token,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	a := s.Authority
	s.t.Cleanup(func() { a.Close() })
}

func (s *site) user(_ context.Context, name wiki.Username) (gitstore.User, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u, ok := s.people[name]
	if !ok {
		return u, wiki.NotFound("there is no user %q", name)
	}
	return u, nil
}

func (s *site) token(_ context.Context, id string) (gitstore.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[id]
	if !ok {
		return t, wiki.NotFound("there is no token %q", id)
	}
	return t, nil
}

func (s *site) wait(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// signIn goes the whole way of a sign-in link and returns the cookie.
func (s *site) signIn(user wiki.Username) *http.Cookie {
	s.t.Helper()
	link, err := s.SignInLink(s.t.Context(), user, LinkLifetime)
	if err != nil {
		s.t.Fatal(err)
	}
	c, err := s.Redeem(s.t.Context(), link)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func withCookie(c *http.Cookie) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.AddCookie(c)
	return r
}

func (s *site) expect(r *http.Request, want wiki.Username) {
	s.t.Helper()
	got, err := s.Caller(r)
	if err != nil || got.User != want {
		s.t.Errorf("caller = %q, %v; want %q", got.User, err, want)
	}
}

func (s *site) refused(r *http.Request, what string) {
	s.t.Helper()
	if got, err := s.Caller(r); !errors.Is(err, wiki.ErrUnauthenticated) || got != (wiki.Caller{}) {
		s.t.Errorf("%s: caller = %+v, %v; want ErrUnauthenticated", what, got, err)
	}
}

func TestSessionLifecycle(t *testing.T) {
	s := newSite(t, "http://127.0.0.1:8080", wiki.LayoutPath)
	s.expect(httptest.NewRequest("GET", "/", nil), "")

	c := s.signIn("alice")
	s.expect(withCookie(c), "alice")
	if got, _ := s.Caller(withCookie(c)); got.DID != "did:web:alice.example" || !strings.HasPrefix(got.Credential, "s-") || strings.Contains(c.Value, got.Credential) {
		t.Errorf("caller = %+v", got)
	}
	if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure || c.Domain != "" {
		t.Errorf("cookie = %v", c)
	}

	other := s.signIn("alice")
	if err := s.SignOut(withCookie(c)); err != nil {
		t.Fatal(err)
	}
	s.refused(withCookie(c), "a session that was signed out")
	s.expect(withCookie(other), "alice")
}

func TestSessionEndsWithTheAccount(t *testing.T) {
	s := newSite(t, "http://127.0.0.1:8080", wiki.LayoutPath)
	c := s.signIn("mallory")
	s.people["mallory"] = gitstore.User{Name: "mallory", Suspended: true}
	s.refused(withCookie(c), "a suspended person")
	delete(s.people, "mallory")
	s.refused(withCookie(c), "a deleted person")
	if _, err := s.SignInLink(t.Context(), "mallory", time.Hour); !errors.Is(err, wiki.ErrUnauthenticated) {
		t.Errorf("a link for a deleted person: %v", err)
	}
}

func TestSuspendedBetweenLinkAndUse(t *testing.T) {
	s := newSite(t, "http://127.0.0.1:8080", wiki.LayoutPath)
	link, err := s.SignInLink(t.Context(), "mallory", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	s.people["mallory"] = gitstore.User{Name: "mallory", Suspended: true}
	if _, err := s.Redeem(t.Context(), link); !errors.Is(err, wiki.ErrUnauthenticated) {
		t.Errorf("got %v, want ErrUnauthenticated", err)
	}
}

func TestSessionExpiry(t *testing.T) {
	s := newSite(t, "http://127.0.0.1:8080", wiki.LayoutPath)
	busy, idle := s.signIn("alice"), s.signIn("alice")
	for range 12 { // 360 days of use
		s.wait(29 * 24 * time.Hour)
		s.expect(withCookie(busy), "alice")
		if err := s.flush(); err != nil {
			t.Fatal(err)
		}
	}
	s.refused(withCookie(idle), "a session unused for 30 days")
	s.wait(29 * 24 * time.Hour)
	s.refused(withCookie(busy), "a session older than its lifetime")
}

func TestUseSurvivesARestart(t *testing.T) {
	s := newSite(t, "http://127.0.0.1:8080", wiki.LayoutPath)
	c := s.signIn("alice")
	s.wait(20 * 24 * time.Hour)
	s.expect(withCookie(c), "alice")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s.open("http://127.0.0.1:8080", wiki.LayoutPath)
	s.wait(20 * 24 * time.Hour)
	s.expect(withCookie(c), "alice")
}

func TestDeletedCacheSignsOutAndStaysAway(t *testing.T) {
	s := newSite(t, "http://127.0.0.1:8080", wiki.LayoutPath)
	c := s.signIn("alice")
	row := readRow(t, s.Authority, c)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(s.dir, "sessions.db")); err != nil {
		t.Fatal(err)
	}
	s.open("http://127.0.0.1:8080", wiki.LayoutPath)
	s.refused(withCookie(c), "a session from before")
	writeRow(t, s.Authority, c, row) // the old row put back by hand
	s.refused(withCookie(c), "a session of another epoch")
}

func TestDamagedFileIsMovedAside(t *testing.T) {
	s := newSite(t, "http://127.0.0.1:8080", wiki.LayoutPath)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "sessions.db"), []byte(strings.Repeat("damaged ", 2000)), 0o600); err != nil {
		t.Fatal(err)
	}
	s.open("http://127.0.0.1:8080", wiki.LayoutPath)
	s.expect(withCookie(s.signIn("alice")), "alice")
}

func TestLinkIsGoodOnce(t *testing.T) {
	s := newSite(t, "http://127.0.0.1:8080", wiki.LayoutPath)
	link, err := s.SignInLink(t.Context(), "operator", LinkLifetime)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	won := make(chan *http.Cookie, 16)
	for range 16 {
		wg.Go(func() {
			if c, err := s.Redeem(t.Context(), link); err == nil {
				won <- c
			}
		})
	}
	wg.Wait()
	if got := len(won); got != 1 {
		t.Fatalf("%d of 16 who redeemed one link at once got a session, want 1", got)
	}
	s.expect(withCookie(<-won), "operator")
	if _, err := s.Redeem(t.Context(), link); !errors.Is(err, wiki.ErrUnauthenticated) {
		t.Errorf("a used link: %v", err)
	}
}

func TestLinkExpires(t *testing.T) {
	s := newSite(t, "http://127.0.0.1:8080", wiki.LayoutPath)
	link, err := s.SignInLink(t.Context(), "operator", LinkLifetime)
	if err != nil {
		t.Fatal(err)
	}
	s.wait(LinkLifetime + time.Second)
	if _, err := s.Redeem(t.Context(), link); !errors.Is(err, wiki.ErrUnauthenticated) {
		t.Errorf("got %v, want ErrUnauthenticated", err)
	}
}

func TestCleanIsBounded(t *testing.T) {
	s := newSite(t, "http://127.0.0.1:8080", wiki.LayoutPath)
	for range 25 {
		s.signIn("alice")
	}
	s.wait(40 * 24 * time.Hour)
	keep := s.signIn("alice")
	left := []int{}
	for range 4 {
		if err := s.clean(10); err != nil {
			t.Fatal(err)
		}
		left = append(left, countRows(t, s.Authority))
	}
	if left[0] < 16 || left[0] > 17 || left[3] != 1 {
		t.Errorf("rows left after each round of 10: %v; want about 16 first and 1 at the end", left)
	}
	s.expect(withCookie(keep), "alice")
}

// grant makes a token the way the Store does and returns its text.
func (s *site) grant(t gitstore.Token, secret string) string {
	t.Hash = sha256.Sum256([]byte(secret))
	s.tokens[t.ID] = t
	return "wbt_" + t.ID + "_" + secret
}

const goodSecret = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"

func bearer(token string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

func TestTokens(t *testing.T) {
	s := newSite(t, "https://wiki.example", wiki.LayoutPath)
	ofWiki := s.grant(gitstore.Token{ID: "w-notes-0011aabb", Wiki: "notes", WikiID: "f00d", Role: wiki.Editor, User: "alice"}, goodSecret)
	ofPerson := s.grant(gitstore.Token{ID: "u-00112233445566ff", User: "alice"}, goodSecret)

	c, err := s.Caller(bearer(ofWiki))
	want := wiki.Caller{User: "alice", DID: "did:web:alice.example", Narrowed: wiki.Editor, Only: "notes", OnlyID: "f00d", Credential: "w-notes-0011aabb"}
	if err != nil || c != want {
		t.Errorf("caller = %+v, %v; want %+v", c, err, want)
	}
	ofSite := s.grant(gitstore.Token{ID: "w-notes-0011aabe", Wiki: "notes", WikiID: "f00d", Role: wiki.Viewer}, goodSecret)
	c, err = s.Caller(bearer(ofSite))
	want = wiki.Caller{Site: true, Narrowed: wiki.Viewer, Only: "notes", OnlyID: "f00d", Credential: "w-notes-0011aabe"}
	if err != nil || c != want {
		t.Errorf("made on the host: caller = %+v, %v; want %+v", c, err, want)
	}
	basic := httptest.NewRequest("GET", "/", nil)
	basic.SetBasicAuth("anything", ofPerson)
	if c, err := s.Caller(basic); err != nil || c.User != "alice" || c.Narrowed != wiki.NoRole || c.Only != "" {
		t.Errorf("caller = %+v, %v", c, err)
	}
}

// TestAttacker is what mallory tries; all of it ends in ErrUnauthenticated and
// never in an anonymous visitor.
func TestAttacker(t *testing.T) {
	s := newSite(t, "https://wiki.example", wiki.LayoutPath)
	good := s.grant(gitstore.Token{ID: "w-notes-0011aabb", Wiki: "notes", WikiID: "f00d", Role: wiki.Owner, User: "alice"}, goodSecret)
	past := s.grant(gitstore.Token{ID: "w-notes-0011aabc", Wiki: "notes", Role: wiki.Owner, User: "alice", Expires: s.now}, goodSecret)
	moved := s.grant(gitstore.Token{ID: "w-notes-0011aabd", Wiki: "other", Role: wiki.Owner, User: "alice"}, goodSecret)
	unbound := s.grant(gitstore.Token{ID: "u-00112233445566fe"}, goodSecret)
	orphan := s.grant(gitstore.Token{ID: "u-00112233445566fd", User: "gone"}, goodSecret)
	s.expect(bearer(good), "alice")

	for what, token := range map[string]string{
		"empty":                    "",
		"garbage":                  "hello",
		"no secret":                "wbt_w-notes-0011aabb_",
		"another secret":           "wbt_w-notes-0011aabb_" + strings.Replace(goodSecret, "A", "B", 1),
		"a longer secret":          good + "A",
		"an unknown id":            "wbt_w-notes-ffffffff_" + goodSecret,
		"the empty hash's twin":    "wbt_u-ffffffffffffffff_" + strings.Repeat("A", 43),
		"expired":                  past,
		"of a wiki that moved":     moved,
		"bound to nobody":          unbound,
		"of a person who is gone":  orphan,
		"an id with a path in it":  "wbt_w-../../x-00112233_" + goodSecret,
		"an id with a newline":     "wbt_w-notes-0011aabb\n_" + goodSecret,
		"an id in capitals":        "wbt_W-notes-0011aabb_" + goodSecret,
		"a session cookie's value": s.signIn("alice").Value,
	} {
		s.refused(bearer(token), what)
	}

	header := func(values ...string) *http.Request {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Authorization"] = values
		r.AddCookie(s.signIn("alice")) // must not help
		return r
	}
	s.refused(header("Digest x"), "an unknown scheme")
	s.refused(header("Basic !!!"), "Basic that is not base64")
	s.refused(header("Basic "+base64.StdEncoding.EncodeToString([]byte("alice:"))), "an empty password")
	s.refused(header("Basic "+base64.StdEncoding.EncodeToString([]byte(good+":"))), "the token as the user name")
	s.refused(header("Basic "+base64.StdEncoding.EncodeToString([]byte(good+":x-oauth-basic"))), "the token as the user name, in another site's manner")
	s.refused(header(""), "an empty header")
	s.refused(header("Bearer "+good, "Bearer x"), "two headers")

	two := withCookie(s.signIn("alice"))
	two.AddCookie(&http.Cookie{Name: s.cookieName(), Value: "tossed"})
	s.refused(two, "two cookies, one tossed by another host")
	s.refused(withCookie(&http.Cookie{Name: s.cookieName(), Value: ""}), "an empty cookie")
	s.refused(withCookie(&http.Cookie{Name: s.cookieName(), Value: "guess"}), "a guessed cookie")
}

func TestCookieNames(t *testing.T) {
	tests := []struct {
		base   string
		layout wiki.Layout
		name   string
		domain string
		secure bool
	}{
		{"http://127.0.0.1:8080", wiki.LayoutPath, "wikibot_session", "", false},
		{"https://wiki.example", wiki.LayoutPath, "__Host-wikibot", "", true},
		{"https://wiki.example", wiki.LayoutSubdomain, "wikibot_session", "wiki.example", true},
	}
	for _, tt := range tests {
		c := newSite(t, tt.base, tt.layout).signIn("alice")
		if c.Name != tt.name || c.Domain != tt.domain || c.Secure != tt.secure || c.Path != "/" || !c.HttpOnly {
			t.Errorf("%s %s: cookie = %v", tt.base, tt.layout, c)
		}
	}
}

// browse sends one request to the handler.
func (s *site) browse(method, target string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func TestLinkPages(t *testing.T) {
	s := newSite(t, "http://127.0.0.1:8080", wiki.LayoutPath)
	token, err := s.SignInLink(t.Context(), "operator", LinkLifetime)
	if err != nil {
		t.Fatal(err)
	}
	if want := "http://127.0.0.1:8080/auth/link?token=" + token; s.LinkURL(token) != want {
		t.Errorf("LinkURL = %s, want %s", s.LinkURL(token), want)
	}
	for range 3 { // previews
		w := s.browse("GET", "/auth/link?token="+token, nil)
		if w.Code != 200 || !strings.Contains(w.Body.String(), "Sign in as operator") {
			t.Fatalf("GET: %d %s", w.Code, w.Body)
		}
		if len(w.Result().Cookies()) != 0 {
			t.Fatal("a preview got a cookie")
		}
	}
	if w := s.browse("POST", "/auth/link", url.Values{"token": {token}}, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden {
		t.Errorf("a POST from another site: %d, want 403", w.Code)
	}
	w := s.browse("POST", "/auth/link", url.Values{"token": {token}, "next": {"//evil.example/"}}, "Sec-Fetch-Site", "same-origin")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/" || len(w.Result().Cookies()) != 1 {
		t.Fatalf("POST: %d to %q, %v", w.Code, w.Header().Get("Location"), w.Result().Cookies())
	}
	cookie := w.Result().Cookies()[0]
	s.expect(withCookie(cookie), "operator")
	if w := s.browse("POST", "/auth/link", url.Values{"token": {token}}); w.Code != http.StatusUnauthorized {
		t.Errorf("a used link: %d, want 401", w.Code)
	}
	if w := s.browse("GET", "/auth/link?token=%3Cscript%3E", nil); w.Code != http.StatusUnauthorized || strings.Contains(w.Body.String(), "<script>") {
		t.Errorf("a made-up link: %d %s", w.Code, w.Body)
	}
	if w := s.browse("GET", "/auth/logout", nil, "Cookie", cookie.String()); w.Code != 200 {
		t.Errorf("GET logout: %d", w.Code)
	}
	s.expect(withCookie(cookie), "operator")
	w = s.browse("POST", "/auth/logout", nil, "Cookie", cookie.Name+"="+cookie.Value)
	if w.Code != http.StatusSeeOther || w.Result().Cookies()[0].MaxAge >= 0 {
		t.Errorf("POST logout: %d %v", w.Code, w.Result().Cookies())
	}
	s.refused(withCookie(cookie), "a session that was signed out")
}

func TestLocalPath(t *testing.T) {
	for in, want := range map[string]string{
		"": "/", "/": "/", "/w/notes/": "/w/notes/", "/a?b#c": "/a?b#c",
		"//evil": "/", `/\evil`: "/", "https://evil": "/", "/\tevil": "/", "evil": "/", "/a\r\nSet-Cookie: x": "/",
	} {
		if got := LocalPath(in); got != want {
			t.Errorf("LocalPath(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzParseToken(f *testing.F) {
	f.Add("wbt_w-notes-0011aabb_" + goodSecret)
	f.Add("wbt_u-00112233445566ff_" + goodSecret)
	f.Add("wbt__")
	f.Fuzz(func(t *testing.T, s string) {
		token, err := ParseToken(s)
		if err != nil {
			if !errors.Is(err, wiki.ErrUnauthenticated) {
				t.Errorf("error %v is not ErrUnauthenticated", err)
			}
			return
		}
		if token.String() != s {
			t.Errorf("ParseToken(%q).String() = %q", s, token.String())
		}
		if strings.ContainsAny(token.ID, "/\\.\n\x00 ") {
			t.Errorf("id %q", token.ID)
		}
	})
}

// TestBusySessionGoesOn: a session that is used does not end for want of use,
// however short that time is set.
func TestBusySessionGoesOn(t *testing.T) {
	s := newSite(t, "http://127.0.0.1:8080", wiki.LayoutPath)
	s.Authority.cfg.Idle = 30 * time.Minute
	c := s.signIn("alice")
	for range 20 {
		s.wait(10 * time.Minute)
		s.expect(withCookie(c), "alice")
		if err := s.flush(); err != nil {
			t.Fatal(err)
		}
	}
	s.wait(31 * time.Minute)
	s.refused(withCookie(c), "unused")
}

// TestBackToWhereItBegan: the page on which somebody chose to sign in is where the
// link leads, and never another site.
func TestBackToWhereItBegan(t *testing.T) {
	for next, want := range map[string]string{
		"/w/notes/A?x=1&y=2": "/w/notes/A?x=1&y=2", "//evil.example/": "", "https://evil.example/": "", "/\\evil.example": "", "/a\nb": "",
		"": "", "/": "", "/" + strings.Repeat("a", 1000): "", "w/notes": "",
	} {
		s := newSite(t, "https://wiki.example", wiki.LayoutPath)
		w := httptest.NewRecorder()
		s.KeepNext(w, httptest.NewRequest("GET", "/auth/sign-in?next="+url.QueryEscape(next), nil))
		cookies := w.Result().Cookies()
		if want == "" {
			if len(cookies) > 0 {
				t.Errorf("%q is kept as %v", next, cookies)
			}
			continue
		}
		if len(cookies) != 1 || !cookies[0].HttpOnly || !cookies[0].Secure || cookies[0].Path != "/auth/" {
			t.Fatalf("%q: cookies %v", next, cookies)
		}
		kept := cookies[0].Name + "=" + cookies[0].Value
		token, err := s.SignInLink(t.Context(), "alice", LinkLifetime)
		if err != nil {
			t.Fatal(err)
		}
		form := s.browse("GET", "/auth/link?token="+token, nil, "Cookie", kept)
		if !strings.Contains(form.Body.String(), `name="next" value="/w/notes/A?x=1&amp;y=2"`) {
			t.Errorf("the form: %s", form.Body)
		}
		w = s.browse("POST", "/auth/link", url.Values{"token": {token}, "next": {next}}, "Cookie", kept)
		if got := w.Header().Get("Location"); got != want || len(w.Result().Cookies()) != 2 {
			t.Errorf("leads to %q with %v, want %q", got, w.Result().Cookies(), want)
		}
	}
	// Whoever sets the cookie by other means gains nothing.
	s := newSite(t, "https://wiki.example", wiki.LayoutPath)
	token, err := s.SignInLink(t.Context(), "alice", LinkLifetime)
	if err != nil {
		t.Fatal(err)
	}
	if w := s.browse("GET", "/auth/link?token="+token, nil, "Cookie", nextName+"=%2F%2Fevil.example"); strings.Contains(w.Body.String(), "evil") {
		t.Errorf("a tossed cookie: %s", w.Body)
	}
}
