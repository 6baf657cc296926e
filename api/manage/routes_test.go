package manage

import (
	"net/http"
	"slices"
	"testing"

	"wikibot/api/openapi"
)

// TestMatch: what a path names, and which methods it has.
func TestMatch(t *testing.T) {
	for _, c := range []struct {
		method, path, pattern, slug, last string
		allowed                           []string
	}{
		{method: "GET", path: "/me", pattern: "me"},
		{method: "HEAD", path: "/me/", pattern: "me"},
		{method: "GET", path: "/wikis/notes", pattern: "wikis/SLUG", slug: "notes"},
		{method: "DELETE", path: "/wikis/notes/acl/did%3Aweb%3Aexample.org", pattern: "wikis/SLUG/acl/LAST", slug: "notes", last: "did:web:example.org"},
		{method: "GET", path: "/wikis/a%2Fb", pattern: "wikis/SLUG", slug: "a/b"},
		{method: "PUT", path: "/wikis/notes", allowed: []string{"DELETE", "GET", "HEAD", "PATCH"}},
		{method: "GET", path: "/wikis//acl"},
		{method: "GET", path: "/wikis/notes/acl/a/b"},
		{method: "GET", path: "/%6De", pattern: "me"},
		{method: "GET", path: "/%zz"},
		{method: "GET", path: ""},
	} {
		found, slug, last, allowed := match(routes(), c.method, c.path)
		pattern := ""
		if found != nil {
			pattern = found.pattern
		}
		if pattern != c.pattern || slug != c.slug || last != c.last || !slices.Equal(allowed, c.allowed) {
			t.Errorf("%s %s: %q, %q, %q, %q; want %q, %q, %q, %q", c.method, c.path, pattern, slug, last, allowed, c.pattern, c.slug, c.last, c.allowed)
		}
	}
}

// TestDescribe: each call is described once, under a name of its own, with what it
// takes and gives.
func TestDescribe(t *testing.T) {
	d := openapi.New(openapi.Info{Title: "t", Version: "1"})
	New(Config{}).Describe(d)
	ids, n := map[string]bool{}, 0
	for path, p := range d.Paths {
		for method, o := range map[string]*openapi.Operation{"GET": p.Get, "PUT": p.Put, "POST": p.Post, "PATCH": p.Patch, "DELETE": p.Delete} {
			if o == nil {
				continue
			}
			if n++; ids[o.ID] || o.ID == "" || o.Summary == "" || o.Responses["default"] == nil || len(o.Responses) < 2 {
				t.Errorf("%s %s: %+v", method, path, o)
			}
			ids[o.ID] = true
			if o.RequestBody != nil && method == http.MethodGet {
				t.Errorf("%s %s takes a body", method, path)
			}
		}
	}
	if n != len(routes()) {
		t.Errorf("%d calls are described, of %d", n, len(routes()))
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("GET", "/wikis/notes/tokens/w-notes-00000000")
	f.Add("PUT", "//%2e%2e/")
	all := routes()
	f.Fuzz(func(t *testing.T, method, path string) {
		found, slug, last, allowed := match(all, method, path)
		if found == nil && (slug != "" || last != "") || found != nil && allowed != nil {
			t.Errorf("%q %q: %v, %q, %q, %q", method, path, found, slug, last, allowed)
		}
	})
}
