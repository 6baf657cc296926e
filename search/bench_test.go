package search

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"wikibot/gitstore/gitstoretest"
)

// BenchmarkSearch asks a wiki of 1,000 pages for 20 results with snippets and dates.
func BenchmarkSearch(b *testing.B) {
	p := newPlace(b, nil)
	pages := map[string]string{}
	for i := range 1000 {
		pages[strings.TrimSuffix(gitstoretest.PagePath(i), ".md")] = gitstoretest.Page(i, i)
	}
	p.save("notes", pages)
	p.search("notes", "page")
	for _, mode := range []Mode{Lexical, Hybrid} {
		for _, text := range []string{"page", "commit service", "git tree lock version"} {
			b.Run(fmt.Sprintf("%s/%s", mode, text), func(b *testing.B) {
				v := p.view("notes")
				for b.Loop() {
					if _, err := p.e.Search(context.Background(), v, Request{Text: text, Mode: mode}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
