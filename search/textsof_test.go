package search

import (
	"context"
	"strings"
	"testing"

	"wikibot/search/internal/index"
)

// TestTextsOfPagesWithSomeVectors: of a page whose first chunk has its vector already
// the second is still embedded, whatever page was read before.
func TestTextsOfPagesWithSomeVectors(t *testing.T) {
	p := newPlace(t, nil)
	long := "# One\n\n" + strings.Repeat("word ", 320) + "\n\n# Two\n\n" + strings.Repeat("other ", 320)
	p.save("notes", map[string]string{"A": "Alone.", "B": long})
	p.finds("notes", "alone", "A")
	s := p.e.site("notes")
	s.over(t, 1)
	s.index.UseModel("toy")
	all, _ := s.index.Missing(0, 1000, func(index.Hash) bool { return false })
	var want []index.Want
	for _, path := range []string{"A", "B"} {
		for _, w := range all {
			if string(w.Path) == path {
				want = append(want, w)
			}
		}
	}
	if len(want) < 3 {
		t.Fatalf("%d chunks", len(want))
	}
	refused := map[index.Hash]bool{}
	texts, _, err := s.textsOf(context.Background(), want, map[index.Hash][]float32{want[1].Hash: {1}}, refused)
	must(t, err)
	if len(texts) != len(want)-1 || len(refused) > 0 {
		t.Errorf("%d texts of %d, %d refused", len(texts), len(want)-1, len(refused))
	}
}
