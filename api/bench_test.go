package api_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"testing"

	"wikibot/gitstore"
	"wikibot/notes"
)

// The figures are of the handler alone, without a network: reading a page beside the
// read that the notes package makes of it, and the first part of a long list.

const manyPages = 7425

func manySite(b *testing.B) *site {
	s := newSite(b)
	pages := map[string][]byte{"Home.md": []byte("# Home\n")}
	for i := range manyPages {
		pages[fmt.Sprintf("Part %d/Page %d.md", i%75, i)] = fmt.Appendf(nil, "---\ntags: [t%d]\n---\n# Page %d\n\nSee [[Part %d/Page %d]] and so on, for some words of a usual page.\n", i%9, i, (i+1)%75, i+1)
	}
	must(b, s.store.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "large", Owner: "alice", Pages: pages}))
	v, err := s.store.View(ctx, host, "large")
	must(b, err)
	must(b, v.AwaitLinks(context.Background()))
	_, err = v.LastAll(context.Background())
	must(b, err)
	return s
}

func BenchmarkReadPage(b *testing.B) {
	s := manySite(b)
	b.Run("notes-alone", func(b *testing.B) { // the baseline
		b.ReportAllocs()
		for b.Loop() {
			v, err := s.store.View(ctx, who()["alice"], "large")
			must(b, err)
			_, err = s.Notes.Read(ctx, v, notes.ReadRequest{Path: "Part 10/Page 10"})
			must(b, err)
		}
	})
	for _, q := range []struct{ name, path, accept string }{
		{"json", "/pages/Part%2010/Page%2010", ""}, {"gzip", "/pages/Part%2010/Page%2010", "gzip"}, {"304", "/pages/Part%2010/Page%2010", ""},
		{"list100", "/pages?limit=100", ""}, {"listall", "/pages", ""}, {"listall-zstd", "/pages", "zstd"}, {"links", "/links", ""},
	} {
		b.Run(q.name, func(b *testing.B) {
			b.ReportAllocs()
			tag := ""
			for b.Loop() {
				r := httptest.NewRequest("GET", "/w/large/api/v1"+q.path, nil)
				r.Header.Set("Authorization", "Bearer alice")
				r.Header.Set("Accept-Encoding", q.accept)
				if q.name == "304" {
					r.Header.Set("If-None-Match", tag)
				}
				w := httptest.NewRecorder()
				s.ServeHTTP(w, r)
				if tag = w.Header().Get("ETag"); w.Code != 200 && w.Code != 304 {
					b.Fatal(w.Code, w.Body)
				}
			}
		})
	}
}
