package search

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"wikibot/search/internal/index"
	"wikibot/search/internal/query"
	"wikibot/wiki"
)

// TestSemanticAnswers: how many, of one page, and how short.
func TestSemanticAnswers(t *testing.T) {
	m := &toy{id: "toy-1"}
	p := newPlace(t, func(c *Config) { c.Embedder = m })
	pages := map[string]string{}
	for i := range 30 {
		var b strings.Builder
		for k := range 4 {
			fmt.Fprintf(&b, "# Part %d\n\n%s\n\n", k, strings.Repeat(fmt.Sprintf("A zebra stands in field %d beside Ünïcödé hörsés. ", i), 15))
		}
		pages[fmt.Sprintf("Page %d", i)] = b.String()
	}
	p.save("notes", pages)
	p.search("notes", "zebra")
	p.embedded("toy-1")
	for _, mode := range []Mode{Semantic, Hybrid, Lexical} {
		for _, c := range []struct{ n, per int }{{1, 1}, {5, 2}, {50, 10}, {50, 1}, {7, 3}} {
			a, err := p.e.Semantic(context.Background(), p.view("notes"), SemanticRequest{Text: "zebra fields", Mode: mode, N: c.n, MaxPerPage: c.per})
			must(t, err)
			if len(a.Hits) > min(c.n, 50) || len(a.Hits) == 0 {
				t.Errorf("%s %v: %d hits", mode, c, len(a.Hits))
			}
			of := map[string]int{}
			for i, h := range a.Hits {
				if of[string(h.Page)]++; of[string(h.Page)] > c.per {
					t.Errorf("%s %v: %d of %s", mode, c, of[string(h.Page)], h.Page)
				}
				if n := utf8.RuneCountInString(h.Snippet); n > 150 || n == 0 {
					t.Errorf("%s: a snippet of %d characters", mode, n)
				}
				if h.Distance < 0 || h.Distance > 1 || i > 0 && h.Distance < a.Hits[i-1].Distance {
					t.Errorf("%s: distance %v", mode, h.Distance)
				}
				if h.Chunk >= h.Chunks || h.Section != fmt.Sprintf("Part %d", h.Chunk) && h.Chunk > 0 || !strings.HasPrefix(h.Text, "["+strings.Join(h.Sections, " > ")+"] ") {
					t.Errorf("%s: %+v", mode, h)
				}
			}
		}
	}
}

// TestADistanceIsNeverNegative: the cosine of a vector with itself may be a little over 1.
func TestADistanceIsNeverNegative(t *testing.T) {
	if d := distance(1.0000001); d != 0 {
		t.Errorf("distance %v", d)
	}
	if d := distance(0.25); d != 0.75 {
		t.Errorf("distance %v", d)
	}
}

// TestPagesThatAreGoneAreNotCounted, neither among all nor among those with every word.
func TestPagesThatAreGoneAreNotCounted(t *testing.T) {
	p := newPlace(t, nil)
	p.save("notes", map[string]string{"A": "A harbour.", "B": "A harbour."})
	v, x, s := p.view("notes"), index.New("en"), p.e.site("notes")
	must(t, s.take(context.Background(), v, x, []wiki.FileChange{{Page: "A", New: "1"}, {Page: "B", New: "2"}}))
	p.save("notes", map[string]string{"A": ""})
	a := &Answer{}
	q, err := query.Parse("harbour")
	must(t, err)
	must(t, p.e.ranked(context.Background(), p.view("notes"), x, index.Question{Query: q, Lexical: true}, Request{Limit: 10}, a))
	if len(a.Results) != 1 || a.Total != 1 || a.All != 1 {
		t.Errorf("%d results, %d in all, %d with every word", len(a.Results), a.Total, a.All)
	}
}

// TestASmallRoundIsNotBuilding, whatever the one before had to do.
func TestASmallRoundIsNotBuilding(t *testing.T) {
	p := newPlace(t, nil)
	p.finds("notes", "welcome", "Home")
	s := p.e.site("notes")
	s.over(t, 1)
	s.done.Store(many + 1)
	s.total.Store(many + 1)
	s.mu.Lock()
	s.running = true
	s.mu.Unlock()
	st := p.e.Status(context.Background(), p.view("notes"))
	s.mu.Lock()
	s.running = false
	s.mu.Unlock()
	if st.State != Complete {
		t.Errorf("%+v", st)
	}
}
