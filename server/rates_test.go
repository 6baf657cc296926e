package server

import (
	"net/http"
	"strings"
	"testing"

	"wikibot/limit"
)

func rate(t *testing.T, s string) limit.Rate {
	t.Helper()
	r, err := limit.ParseRate(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRatesOfAnAddress: who comes without a credential is counted by address, and
// who has one is not; the address is the client's and not the proxy's.
func TestRatesOfAnAddress(t *testing.T) {
	cfg := testConfig(t)
	cfg.Rates.AnonymousReads = rate(t, "1/h burst 3")
	cfg.Rates.AnonymousWrites = rate(t, "1/h burst 1")
	cfg.HTTP.TrustedProxies = []Network{network(t, "127.0.0.1")}
	s := start(t, cfg)
	token := s.token(t, "notes", "viewer")
	status := func(method, path string, header ...string) int {
		t.Helper()
		res, _ := s.send(t, method, path, nil, header...)
		return res.StatusCode
	}
	for range 3 {
		if got := status("GET", "/", "X-Forwarded-For", "192.0.2.7"); got != http.StatusOK {
			t.Fatalf("within the burst: %d", got)
		}
	}
	res, text := s.get(t, "/", "X-Forwarded-For", "192.0.2.7")
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") != "3600" || !strings.Contains(text, "try again in 3600 seconds") || !strings.Contains(res.Header.Get("Content-Type"), "text/plain") {
		t.Errorf("above the burst: %s, %v, %q", res.Status, res.Header, text)
	}
	for _, c := range []struct {
		what   string
		want   int
		method string
		path   string
		header []string
	}{
		{"a lie to the left of the proxy's word", 429, "GET", "/", []string{"X-Forwarded-For", "198.51.100.1, 192.0.2.7"}},
		{"another address", 200, "GET", "/", []string{"X-Forwarded-For", "192.0.2.8"}},
		{"a credential behind the same address", 200, "GET", "/w/notes/", []string{"X-Forwarded-For", "192.0.2.7", "Authorization", "Bearer " + token}},
		{"assets", 404, "GET", "/assets/none.css", []string{"X-Forwarded-For", "192.0.2.7"}},
		{"health", 200, "GET", "/health", []string{"X-Forwarded-For", "192.0.2.7"}},
		{"git's challenge", 401, "GET", "/w/notes.git/info/refs?service=git-upload-pack", []string{"X-Forwarded-For", "192.0.2.7"}},
		{"a change is counted apart", 303, "POST", "/-/theme", []string{"X-Forwarded-For", "192.0.2.7"}},
		{"the next change", 429, "POST", "/-/theme", []string{"X-Forwarded-For", "192.0.2.7"}},
		{"an address of the same network, IPv6", 200, "GET", "/", []string{"X-Forwarded-For", "2001:db8::1"}},
	} {
		if got := status(c.method, c.path, c.header...); got != c.want {
			t.Errorf("%s: %d, want %d", c.what, got, c.want)
		}
	}
}

// TestRatesOfACredential: a credential is counted wherever it comes from and in
// whatever form it is sent, and nobody else with it.
func TestRatesOfACredential(t *testing.T) {
	cfg := testConfig(t)
	cfg.Rates.Reads = rate(t, "1/h burst 2")
	cfg.Rates.Writes = rate(t, "1/h burst 2")
	s := start(t, cfg)
	one, other := s.token(t, "notes", "editor"), s.token(t, "notes", "editor")
	get := func(want int, path, token string) string {
		t.Helper()
		res, text := s.get(t, path, "Authorization", "Bearer "+token)
		if res.StatusCode != want {
			t.Errorf("%s: %s, want %d\n%s", path, res.Status, want, text)
		}
		return text
	}
	get(200, "/w/notes/", one)
	get(200, "/w/notes.git/info/refs?service=git-upload-pack", one) // as git has it
	if text := get(429, "/w/notes/", one); !strings.Contains(text, "too many requests with this credential") {
		t.Errorf("told %q", text)
	}
	get(429, "/w/notes.git/info/refs?service=git-upload-pack", one)
	get(200, "/w/notes/", other)
	for _, want := range []int{422, 422, 429} { // forms without a field
		res, text := s.send(t, "POST", "/w/notes/-/create", nil, "Authorization", "Bearer "+one, "Sec-Fetch-Site", "same-origin")
		if res.StatusCode != want {
			t.Errorf("a change: %s, want %d\n%.200s", res.Status, want, text)
		}
	}
	// A push is told before it sends anything.
	res, text := s.get(t, "/w/notes.git/info/refs?service=git-receive-pack", "Authorization", "Bearer "+one)
	if res.StatusCode != 429 || !strings.Contains(text, "too many changes with this credential") {
		t.Errorf("a push: %s %q", res.Status, text)
	}
}

// TestFailures: an address that guesses is stopped, and a credential that was
// good before is not, there or elsewhere.
func TestFailures(t *testing.T) {
	cfg := testConfig(t)
	cfg.Rates.Failures = rate(t, "1/h burst 4")
	cfg.HTTP.TrustedProxies = []Network{network(t, "127.0.0.1")}
	s := start(t, cfg)
	good, late := s.token(t, "notes", "viewer"), s.token(t, "notes", "viewer")
	try := func(what string, want int, path string, header ...string) {
		t.Helper()
		res, text := s.get(t, path, append(header, "X-Forwarded-For", "192.0.2.7")...)
		if res.StatusCode != want {
			t.Errorf("%s: %s, want %d\n%.300s", what, res.Status, want, text)
		}
	}
	try("good", 200, "/w/notes/", "Authorization", "Bearer "+good)
	try("guess 1", 401, "/w/notes/", "Authorization", "Bearer "+good[:len(good)-4]+"AAAA")
	try("guess 2, of git", 401, "/w/notes.git/info/refs?service=git-upload-pack", "Authorization", "Basic eDp5")
	try("guess 3, a cookie", 401, "/w/notes/", "Cookie", "wikibot_session=guess")
	try("guess 4, a link", 401, "/auth/link?token=guess")
	try("guess 5", 429, "/w/notes/", "Authorization", "Bearer "+good[:len(good)-4]+"AAAB")
	try("guess 5, of git", 429, "/w/notes.git/info/refs?service=git-upload-pack", "Authorization", "Basic eDp6")
	try("guess 5, a cookie", 429, "/w/notes/", "Cookie", "wikibot_session=guess2")
	try("guess 5, a link", 429, "/auth/link?token=guess2")
	try("an empty header", 429, "/w/notes/", "Authorization", "")
	try("good before, and known", 200, "/w/notes/", "Authorization", "Bearer "+good)
	try("good, and not known", 429, "/w/notes/", "Authorization", "Bearer "+late)
	try("a visitor", 200, "/")
	if res, _ := s.get(t, "/w/notes/", "Authorization", "Bearer "+late, "X-Forwarded-For", "192.0.2.8"); res.StatusCode != 200 {
		t.Errorf("good, from elsewhere: %s", res.Status)
	}
	try("good, and known since", 200, "/w/notes/", "Authorization", "Bearer "+late)
}

func network(t *testing.T, s string) (n Network) {
	t.Helper()
	if err := n.UnmarshalText([]byte(s)); err != nil {
		t.Fatal(err)
	}
	return n
}
