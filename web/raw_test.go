package web

import (
	"net/http/httptest"
	"strings"
	"testing"

	"wikibot/wiki"
)

func TestAsksMarkdown(t *testing.T) {
	for accept, want := range map[string]bool{
		"":       false,
		"*/*":    false,
		"text/*": false,
		"text/html,application/xhtml+xml,*/*;q=0.8": false,
		"text/markdown":                         true,
		"Text/Markdown; charset=utf-8":          true,
		"text/markdown, text/html, */*":         true,
		"text/html, text/markdown":              true,
		"text/markdown;q=0.9, text/html":        false,
		"text/html;q=0.5, text/markdown; q=0.6": true,
		"text/markdown;q=0":                     false,
		"text/markdown;q=x":                     false,
		"text/markdown;q=NaN":                   false,
		"text/markdown;q=2":                     false,
		"text/markdownish":                      false,
		"image/text/markdown":                   false,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", accept)
		if got := (&request{r: r, rest: "/Home"}).asksMarkdown(); got != want {
			t.Errorf("Accept: %q asks for Markdown: %v, want %v", accept, got, want)
		}
		if (&request{r: r, rest: "/-/changelog"}).asksMarkdown() {
			t.Errorf("Accept: %q asks for a changelog in Markdown", accept)
		}
	}
}

func FuzzAccept(f *testing.F) {
	f.Add("text/markdown;q=0.5, text/html")
	f.Add(";;,=q;q=")
	f.Fuzz(func(t *testing.T, accept string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", accept)
		if (&request{r: r, rest: "/Home"}).asksMarkdown() && !strings.Contains(strings.ToLower(accept), "text/markdown") {
			t.Errorf("%q asks for Markdown", accept)
		}
	})
}

func TestMarkdown(t *testing.T) {
	s := newSite(t)
	first := s.write(alice, "Plan", "---\ntitle: The plan\n---\none\n", "one")
	second := s.write(alice, "Plan", "two\n", "two")
	s.write(alice, "Other", "other\n", "other")
	for _, c := range []struct {
		name string
		do   func(headers ...string) *httptest.ResponseRecorder
	}{
		{".md", func(h ...string) *httptest.ResponseRecorder { return s.get(bob, "/w/notes/Plan.md", h...) }},
		{"Accept", func(h ...string) *httptest.ResponseRecorder {
			return s.get(bob, "/w/notes/Plan", append(h, "Accept", "text/markdown")...)
		}},
	} {
		w := c.do()
		if w.Code != 200 || w.Body.String() != "two\n" || w.Header().Get("Content-Type") != "text/markdown; charset=utf-8" {
			t.Errorf("%s: %d %q %q", c.name, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		tag := `"` + string(second) + `"`
		if got := w.Header().Get("Etag"); got != tag {
			t.Errorf("%s: entity tag %s, want the revision %s", c.name, got, tag)
		}
		for name, want := range map[string]string{"Vary": "Accept", "Content-Security-Policy": "sandbox", "Content-Location": "/w/notes/Plan.md", "Link": `<http://wiki.example/w/notes/Plan>; rel="canonical"`, "X-Robots-Tag": "noindex", "Cache-Control": "private, no-cache"} {
			if got := w.Header().Get(name); !strings.Contains(got, want) {
				t.Errorf("%s: %s is %q, want %q in it", c.name, name, got, want)
			}
		}
		if w := c.do("If-None-Match", tag); w.Code != 304 || w.Body.Len() > 0 {
			t.Errorf("%s: asked again with its tag: %d", c.name, w.Code)
		}
	}
	old := s.get(bob, "/w/notes/Plan.md?revision="+string(first.Short()))
	if old.Body.String() != "---\ntitle: The plan\n---\none\n" || old.Header().Get("Etag") != `"`+string(first)+`"` {
		t.Errorf("as it was: %q, tag %s", old.Body, old.Header().Get("Etag"))
	}
	wantBody(t, s.get(bob, "/w/notes/Plan"), `<link rel="alternate" type="text/markdown" href="/w/notes/Plan.md">`)
	wantBody(t, s.get(bob, "/w/notes/Plan?revision="+string(first)), `type="text/markdown" href="/w/notes/Plan.md?revision=`+string(first)+`"`)
}

// TestMarkdownIsNotMixedUp: one address, two answers, in any order and with each
// other's tags.
func TestMarkdownIsNotMixedUp(t *testing.T) {
	s := newSite(t)
	for range 2 {
		page, text := s.get(bob, "/w/notes/Home"), s.get(bob, "/w/notes/Home", "Accept", "text/markdown")
		wantBody(t, page, "<!doctype html>")
		withoutBody(t, text.Body.String(), "<!doctype")
		if page.Header().Get("Vary") != text.Header().Get("Vary") || !strings.Contains(page.Header().Get("Vary"), "Accept") {
			t.Errorf("Vary: %q for HTML, %q for Markdown", page.Header().Get("Vary"), text.Header().Get("Vary"))
		}
		wantStatus(t, s.get(bob, "/w/notes/Home", "If-None-Match", text.Header().Get("Etag")), 200)
		wantStatus(t, s.get(bob, "/w/notes/Home", "Accept", "text/markdown", "If-None-Match", page.Header().Get("Etag")), 200)
		wantStatus(t, s.get(bob, "/w/notes/Home", "If-None-Match", page.Header().Get("Etag")), 304)
	}
	wantBody(t, s.get(bob, "/w/notes/", "Accept", "text/markdown"), "# Home\n")
}

func TestMarkdownElsewhere(t *testing.T) {
	s := newSite(t)
	s.write(alice, "api", "reserved\n", "a page whose name means something else")
	for _, c := range []struct {
		who              wiki.Caller
		path, accept     string
		want             int
		location, inside string
	}{
		{bob, "/w/notes/home.md", "", 303, "/w/notes/Home.md", ""},
		{bob, "/w/notes/home", "text/markdown", 303, "/w/notes/Home", ""},
		{bob, "/w/notes/What%3F%20100%25.md", "", 200, "", "odd <script>"},
		{bob, "/w/notes/-/page/api.md", "", 200, "", "reserved"},
		{bob, "/w/notes/-/page/api", "text/markdown", 200, "", "reserved"},
		{bob, "/w/notes/Missing.md", "", 404, "", "There is no page “Missing”."},
		{bob, "/w/notes/Missing", "text/markdown", 404, "", "There is no page “Missing”."},
		{bob, "/w/notes/Design.md", "", 404, "", "There is no page"}, // a folder
		{bob, "/w/notes/.md", "", 404, "", "empty"},
		{bob, "/w/notes/Home.md.md", "", 303, "/w/notes/Home.md", ""},
		{bob, "/w/notes/..%2FHome.md", "", 404, "", ""},
		{bob, "/w/notes/Home.md?revision=deadbeef", "", 404, "", "no revision"},
		{bob, "/w/notes/Home.md?revision=--output", "", 422, "", ""},
		{mallory, "/w/notes/Home.md", "", 404, "", ""},
		{mallory, "/w/notes/Home", "text/markdown", 404, "", "There is no wiki “notes” here."},
		{mallory, "/w/nothing/Home", "text/markdown", 404, "", "There is no wiki “nothing” here."},
	} {
		w := s.get(c.who, c.path, "Accept", c.accept)
		if w.Code != c.want || w.Header().Get("Location") != c.location || !strings.Contains(w.Body.String(), c.inside) {
			t.Errorf("%s (%s): %d to %q, want %d to %q, %q in %.200q", c.path, c.accept, w.Code, w.Header().Get("Location"), c.want, c.location, c.inside, w.Body)
		}
		if c.who.User == "bob" && c.want >= 400 && strings.Contains(w.Body.String(), "<html") {
			t.Errorf("%s (%s): the error is a page", c.path, c.accept)
		}
	}
	if w := s.do(bob, httptest.NewRequest("HEAD", "http://wiki.example/w/notes/Home.md", nil)); w.Code != 200 || w.Body.Len() > 0 || w.Header().Get("Content-Length") == "" {
		t.Errorf("HEAD: %d, %d bytes", w.Code, w.Body.Len())
	}
}

func TestLLMs(t *testing.T) {
	s := newSite(t).faces()
	s.write(alice, "_Sidebar", "- [[Home]]\n", "it shapes others and is none to begin with")
	w := s.get(bob, "/w/notes/llms.txt")
	wantBody(t, w, "# Notes\n", "- MCP (Streamable HTTP): http://wiki.example/w/notes/mcp\n", "- REST: http://wiki.example/w/notes/api/v1\n", "- git: http://wiki.example/w/notes.git\n", "- [Home](http://wiki.example/w/notes/Home.md)\n", "](http://wiki.example/w/notes/What%3F%20100%25.md)\n")
	withoutBody(t, w.Body.String(), "Design/Auth", "_Sidebar")
	if strings.Count(w.Body.String(), "[Home]") != 1 {
		t.Error("Home is listed twice")
	}
	wantStatus(t, s.get(mallory, "/w/notes/llms.txt"), 404)
	wantBody(t, s.get(bob, "/llms.txt"), "# wikibot\n", "- MCP (Streamable HTTP): http://wiki.example/mcp\n", "- [Notes](http://wiki.example/w/notes/llms.txt)\n")
	withoutBody(t, s.get(mallory, "/llms.txt").Body.String(), "notes", "Notes")
	s.write(alice, "llms.txt", "Our own words.\n", "a page of that name")
	wantBody(t, s.get(bob, "/w/notes/llms.txt"), "Our own words.", "<!doctype html>")
}
