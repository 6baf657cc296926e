package web

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// discarding is a ResponseWriter that costs nothing.
type discarding struct{ header http.Header }

func (d *discarding) Header() http.Header         { return d.header }
func (d *discarding) Write(p []byte) (int, error) { return len(p), nil }
func (d *discarding) WriteHeader(int)             {}

// benchSite has 1,000 pages more in ten folders.
func benchSite(b *testing.B) *site {
	s := newSite(b)
	_, err := s.store.Update(b.Context(), alice, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
		for i := range 1000 {
			text := fmt.Sprintf("# Page %d\n\nSee [[Home]] and [[Folder %d/Page %d]].\n\n## Part\n\ntext\n\n## Other\n\ntext\n", i, (i+1)%10, (i+1)%1000)
			if err := tx.Put(wiki.PagePath(fmt.Sprintf("Folder %d/Page %d", i%10, i)), []byte(text), gitstore.PutOptions{Create: true}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func benchmarkGet(b *testing.B, path string, headers ...string) {
	s := benchSite(b)
	first := s.get(alice, path)
	if first.Code != http.StatusOK {
		b.Fatalf("status %d", first.Code)
	}
	r := httptest.NewRequest("GET", "http://wiki.example"+path, nil)
	r.Header.Set("Accept-Encoding", "gzip")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if r.Header.Get("If-None-Match") == "own" {
		r.Header.Set("If-None-Match", first.Header().Get("Etag"))
	}
	_, rest, _ := s.handler.Addresses.Locate("wiki.example", r.URL.EscapedPath())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		w := &discarding{http.Header{}}
		for pb.Next() {
			clear(w.header)
			s.handler.ServeWiki(w, r, alice, "notes", rest)
		}
	})
}

func BenchmarkPage(b *testing.B) { benchmarkGet(b, "/w/notes/Folder%203/Page%203") }
func BenchmarkNotModified(b *testing.B) {
	benchmarkGet(b, "/w/notes/Folder%203/Page%203", "If-None-Match", "own")
}
func BenchmarkChangelog(b *testing.B)  { benchmarkGet(b, "/w/notes/-/changelog") }
func BenchmarkHistory(b *testing.B)    { benchmarkGet(b, "/w/notes/-/history/Home") }
func BenchmarkMarkdown(b *testing.B)   { benchmarkGet(b, "/w/notes/Home.md") }
func BenchmarkAttachment(b *testing.B) { benchmarkGet(b, "/w/notes/Design/Auth/flow.svg") }

// BenchmarkPageCold assembles pages whose bytes are in no cache: what the
// first request after each commit costs beside the reading.
func BenchmarkPageCold(b *testing.B) {
	s := benchSite(b)
	w := &discarding{http.Header{}}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		path := fmt.Sprintf("/Folder%%20%d/Page%%20%d?q=%d", i%10, i%1000, i) // the query makes it another document
		r := httptest.NewRequest("GET", "http://wiki.example/w/notes"+path, nil)
		clear(w.header)
		s.handler.ServeWiki(w, r, alice, "notes", r.URL.EscapedPath()[len("/w/notes"):])
	}
}

// BenchmarkAfterCommit is a save and the first page after it: the tree and the
// page are made anew.
func BenchmarkAfterCommit(b *testing.B) {
	s := benchSite(b)
	for i := 0; b.Loop(); i++ {
		s.post(alice, "/w/notes/-/edit/Scratch%20"+fmt.Sprint(i), url.Values{"content": {fmt.Sprint(i)}, "action": {"save"}})
		if w := s.get(alice, "/w/notes/Home"); w.Code != http.StatusOK {
			b.Fatal(w.Code)
		}
	}
}

// BenchmarkHTTP is BenchmarkPage through a server on loopback with 8 clients in
// the same process.
func BenchmarkHTTP(b *testing.B) {
	s := benchSite(b)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		slug, rest, _ := s.handler.Addresses.Locate("wiki.example", r.URL.EscapedPath())
		s.handler.ServeWiki(w, r, alice, slug, rest)
	}))
	defer server.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}}
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			r, _ := http.NewRequest("GET", server.URL+"/w/notes/Folder%203/Page%203", nil)
			r.Header.Set("Accept-Encoding", "gzip")
			resp, err := client.Do(r)
			if err != nil {
				b.Error(err)
				return
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
}

// BenchmarkSearchPage is what a page of twenty results costs beside the search
// itself.
func BenchmarkSearchPage(b *testing.B) {
	s := benchSite(b)
	b.ReportAllocs()
	for b.Loop() {
		s.answeredOne(b, alice, "q=red+tomatoes", sample(20, 12, 470), nil)
	}
}
