package gitstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"wikibot/gitstore"
	"wikibot/imports"
	"wikibot/wiki"
)

// given is a site with one of the collections in the folder that WIKIBOT_DATA
// names ("tldr-pages", "foam-docs"), or with pages that are made here ("made"), as the wiki
// data.
func given(b *testing.B, bundle string) *gitstore.Store {
	b.Helper()
	dir := os.Getenv("WIKIBOT_DATA")
	if dir == "" {
		b.Skip("WIKIBOT_DATA names no folder with " + bundle + ".bundle")
	}
	s, _ := site(b)
	if bundle == "made" {
		must(b, s.CreateWiki(context.Background(), host, gitstore.NewWiki{Slug: "data", Owner: "alice", Pages: made(5000, 10)}))
		return s
	}
	_, err := imports.Run(context.Background(), imports.Config{Store: s, Domain: "example.org"}, host, imports.Request{Source: filepath.Join(dir, bundle+".bundle"), Slug: "data", Owner: "alice"}, nil)
	must(b, err)
	return s
}

// made are n pages with that many links each, one in ten to nothing, a hundred pages
// of one name among them.
func made(n, links int) map[string][]byte {
	rnd := rand.New(rand.NewPCG(1, 1))
	name := func() string {
		i := rnd.IntN(n)
		switch {
		case rnd.IntN(10) == 0:
			return fmt.Sprintf("/Missing %d", i)
		case i%50 == 0:
			return fmt.Sprintf("/Folder %d/README", i%100)
		}
		return fmt.Sprintf("/Folder %d/Page %d", i%100, i)
	}
	pages := map[string][]byte{}
	for i := range n {
		text := "# A page\n\nWith some words before its links.\n"
		for range links {
			text += "- and [[" + name() + "]] among them\n"
		}
		file := fmt.Sprintf("Folder %d/Page %d.md", i%100, i)
		if i%50 == 0 {
			file = fmt.Sprintf("Folder %d/README.md", i/50)
		}
		pages[file] = []byte(text)
	}
	return pages
}

func dataView(b *testing.B, s *gitstore.Store) *gitstore.View {
	b.Helper()
	v, err := s.View(context.Background(), alice, "data")
	must(b, err)
	return v
}

// BenchmarkGardening is what a gardener's questions cost once the links are known.
func BenchmarkGardening(b *testing.B) {
	for _, data := range []string{"foam-docs", "tldr-pages", "made"} {
		s := given(b, data)
		ctx := context.Background()
		v := dataView(b, s)
		entries, _, err := v.List(gitstore.ListOptions{})
		must(b, err)
		for name, ask := range map[string]func() error{
			"each page": func() (err error) {
				for _, e := range entries {
					if _, _, e := v.Links(ctx, e.Page); e != nil {
						err = e
					}
				}
				return err
			},
			"wanted":  func() error { _, _, err := v.WantedPages(ctx, gitstore.LinkFilter{Limit: 500}); return err },
			"orphans": func() error { _, _, err := v.Orphans(ctx, gitstore.LinkFilter{Limit: 500}); return err },
			"files":   func() error { _, _, err := v.BrokenFiles(ctx, gitstore.LinkFilter{Limit: 500}); return err },
			"anchors": func() error { _, _, _, err := v.BrokenAnchors(ctx, gitstore.LinkFilter{Limit: 500}); return err },
			"graph":   func() error { _, err := v.Graph(ctx, gitstore.GraphOptions{}); return err },
			"around": func() error {
				_, err := v.Graph(ctx, gitstore.GraphOptions{Around: entries[0].Page, Depth: 2})
				return err
			},
		} {
			b.Run(data+"/"+name, func(b *testing.B) {
				must(b, ask())
				for b.Loop() {
					must(b, ask())
				}
			})
		}
		b.Run(data+"/edit", func(b *testing.B) { // and the first question after it
			for i := range b.N {
				_, err := s.Update(ctx, alice, "data", gitstore.Meta{}, func(tx *gitstore.Tx) error {
					return tx.Put(wiki.PagePath(fmt.Sprint("New ", i)), []byte("[[Nowhere]]"), gitstore.PutOptions{Overwrite: true})
				})
				must(b, err)
				_, _, err = dataView(b, s).WantedPages(ctx, gitstore.LinkFilter{Limit: 500})
				must(b, err)
			}
		})
		s.Close()
	}
}

// BenchmarkFirstLinks is what the first question about links costs.
func BenchmarkFirstLinks(b *testing.B) {
	for _, data := range []string{"foam-docs", "tldr-pages", "made"} {
		b.Run(data, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s := given(b, data)
				v := dataView(b, s)
				b.StartTimer()
				_, _, err := v.Links(context.Background(), "index")
				must(b, err)
				b.StopTimer()
				s.Close()
				b.StartTimer()
			}
		})
	}
}
