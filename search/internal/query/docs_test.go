package query_test

import (
	"os"
	"strings"
	"testing"

	"wikibot/search/internal/query"
)

// The examples of docs/search.md are what the parser takes: all of them up to
// "Bounds", and none after.
func TestExamplesOfTheManual(t *testing.T) {
	text, err := os.ReadFile("../../../docs/search.md")
	if err != nil {
		t.Fatal(err)
	}
	good, bad, found := strings.Cut(string(text), "## Bounds")
	if !found {
		t.Fatal("no part about bounds")
	}
	for _, example := range examples(good) {
		if q, err := query.Parse(example[0]); err != nil || q.Empty() {
			t.Errorf("%q: %v", example[0], err)
		}
	}
	for _, example := range examples(bad) {
		want := strings.TrimSuffix(example[1], " …")
		if _, err := query.Parse(example[0]); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, the manual says %q", example[0], err, want)
		}
	}
	if n := len(examples(good)); n < 20 {
		t.Errorf("only %d examples", n)
	}
}

// examples are the queries of indented lines with what is said of them.
func examples(text string) (list [][2]string) {
	for line := range strings.Lines(text) {
		if line, ok := strings.CutPrefix(line, "    "); ok {
			example, about, _ := strings.Cut(line, "  ")
			list = append(list, [2]string{example, strings.TrimSpace(about)})
		}
	}
	return list
}
