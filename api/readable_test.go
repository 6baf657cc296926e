package api_test

import (
	"os"
	"strings"
	"testing"
)

func TestReadablePage(t *testing.T) {
	s := newSite(t)
	for path, wants := range map[string][]string{
		"/w/notes/api":  {"<title>The wiki notes · REST</title>", "https://wiki.example/w/notes/api/v1/pages/Home", `id="commit"`, "https://wiki.example/w/notes/api/openapi.json"},
		"/w/notes/api/": {"<title>The wiki notes · REST</title>"},
		"/api":          {"Wikis of wiki.example", "/w/{wiki}/api/v1/pages/{path}", "https://wiki.example/api/openapi.json"},
	} {
		a := s.ask("carol", "GET", path, "")
		for _, want := range wants {
			a.part(200, want)
		}
		policy := a.header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "unsafe") || strings.Contains(a.body, "<script") || strings.Contains(a.body, "ZgotmplZ") {
			t.Errorf("%s: policy %q, or a script", path, policy)
		}
		if dir := os.Getenv("WIKIBOT_SHOW"); dir != "" { // to look at it
			must(t, os.WriteFile(dir+strings.ReplaceAll(path, "/", "_")+".html", []byte(a.body), 0o600))
		}
	}
	s.ask("mallory", "GET", "/w/notes/api", "").part(404, `"code":"not_found"`)
	s.ask("", "GET", "/w/notes/api", "").part(401, `"code":"unauthenticated"`)
	if here, none := s.ask("", "GET", "/w/notes/api", ""), s.ask("", "GET", "/w/none/api", ""); here.body != none.body || here.status != none.status {
		t.Errorf("a wiki that may not be read differs from none: %s %s", here.body, none.body)
	}
	s.ask("carol", "POST", "/w/notes/api", "").part(405, "GET, HEAD")
}
