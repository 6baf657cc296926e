package index

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"wikibot/search/internal/query"
	"wikibot/wiki"
)

// zipf writes so many words of a vocabulary of 50,000 whose frequencies fall as those
// of a natural language do.
func zipf(r *rand.Rand, b *strings.Builder, n int) {
	for range n {
		rank := int(math.Pow(50_000, r.Float64()))
		fmt.Fprintf(b, "w%d ", rank)
	}
}

// large are indexes of so many pages of five chunks, made once for all benchmarks.
var large = sync.OnceValue(func() *Index { return filled(20_000) })

func filled(pages int) *Index {
	x := New("en")
	r := rand.New(rand.NewPCG(7, 7))
	var part []*Prepared
	for i := range pages {
		part = append(part, x.Prepare(Source{Path: wiki.PagePath(fmt.Sprintf("Page %d", i)), Blob: "b", Content: []byte(zipfPage(r))}))
		if len(part) == 100 {
			x.Apply(nil, part)
			part = part[:0]
		}
	}
	x.Apply(nil, part)
	return x
}

// zipfPage has five sections, which are five chunks.
func zipfPage(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString("# The page\n\n")
	for s := range 5 {
		fmt.Fprintf(&b, "## Section %d\n\n", s)
		zipf(r, &b, 70)
		b.WriteString("\n\n")
	}
	return b.String()
}

func BenchmarkPrepareAndApply(b *testing.B) {
	x := New("en")
	r := rand.New(rand.NewPCG(7, 7))
	texts := make([]string, 1000)
	for i := range texts {
		texts[i] = zipfPage(r)
	}
	b.ResetTimer()
	chunks := 0
	for i := 0; b.Loop(); i++ {
		p := x.Prepare(Source{Path: wiki.PagePath(fmt.Sprint(i)), Blob: "b", Content: []byte(texts[i%len(texts)])})
		x.Apply(nil, []*Prepared{p})
		chunks += p.Len()
	}
	b.ReportMetric(float64(chunks)/b.Elapsed().Seconds(), "chunks/s")
}

// BenchmarkUpdateOf100000 replaces a page of five chunks.
func BenchmarkUpdateOf100000(b *testing.B) {
	x := large()
	r := rand.New(rand.NewPCG(8, 8))
	b.ResetTimer()
	for i := 0; b.Loop(); i++ {
		x.Apply(nil, []*Prepared{x.Prepare(Source{Path: wiki.PagePath(fmt.Sprintf("Page %d", i%20_000)), Blob: "b", Content: []byte(zipfPage(r))})})
	}
}

func BenchmarkQueryOf100000(b *testing.B) {
	x := large()
	for _, text := range []string{"w40", "w1 w2 w3 w4 w5", "w9 w99 w999 w9999", `"w1 w2"`, "w1 -w2 path:page"} {
		q, err := query.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(text, func(b *testing.B) {
			for b.Loop() {
				if _, err := x.Pages(context.Background(), Question{Query: q, Lexical: true}, 0, 20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSuggestOf20000(b *testing.B) {
	x := large()
	for b.Loop() {
		x.Suggest("page 1", 10)
	}
}
