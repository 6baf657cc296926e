package web

import (
	"errors"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"wikibot/limit"
	"wikibot/wiki"
)

// TestTooMany: a browser is shown a page, a program a line; the page of one person
// is not shown to another.
func TestTooMany(t *testing.T) {
	s := newSite(t)
	door := limit.NewDoor(limit.Config{AnonymousReads: limit.Rate{Events: 1, Per: time.Minute, Burst: 1}})
	from := netip.MustParseAddr("127.0.0.1")
	err := door.Allow("", from, limit.Read, 1)
	for range 10 {
		if err == nil {
			err = door.Allow("", from, limit.Read, 1)
		}
	}
	ask := func(c wiki.Caller, accept string, err error) (*httptest.ResponseRecorder, bool) {
		r, w := httptest.NewRequest("GET", "http://wiki.example/w/notes/Home", nil), httptest.NewRecorder()
		r.Header.Set("Accept", accept)
		return w, s.handler.TooMany(w, r, c, err)
	}
	if _, ok := ask(alice, "text/html", errors.New("other")); ok {
		t.Error("another error counts as a limit")
	}
	line, ok := ask(nobody, "*/*", err)
	if !ok || line.Code != 429 || strings.Contains(line.Body.String(), "<") || line.Header().Get("Retry-After") == "" {
		t.Errorf("a program gets %d %q, Retry-After %q", line.Code, line.Body, line.Header().Get("Retry-After"))
	}
	for _, c := range []wiki.Caller{nobody, alice, bob, nobody} {
		w, _ := ask(c, "text/html,*/*;q=0.8", err)
		wantStatus(t, w, 429)
		wantBody(t, w, "<!doctype html>", "Too many requests", ">T"+strings.TrimSpace(line.Body.String())[1:]+".<")
		if got := strings.Contains(w.Body.String(), "alice"); got != (c.User == "alice") {
			t.Errorf("%q sees alice's name: %v", c.User, got)
		}
		if w.Header().Get("Retry-After") == "" || w.Header().Get("Cache-Control") != "private, no-store" || w.Header().Get("Content-Security-Policy") == "" || w.Header().Get("Etag") != "" {
			t.Errorf("headers %v", w.Header())
		}
	}
}
