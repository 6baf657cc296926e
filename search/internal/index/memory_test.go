package index

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"

	"wikibot/wiki"
)

func inUse() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what sync.Pool holds goes in the second
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// TestBytesIsAboutTheHeap, or the budget of memory bounds nothing: also of pages with
// many tags, and of a new word that is repeated.
func TestBytesIsAboutTheHeap(t *testing.T) {
	for kind, text := range map[string]func(i int) string{
		"prose": func(i int) string {
			return fmt.Sprintf("---\ntitle: About page %d\n---\n# Heading %d\n\nSome words number%d about harbours.\n", i, i, i%500)
		},
		"tags": func(i int) string {
			return fmt.Sprintf("---\ntags: [%sx]\naliases: [%sy]\n---\n\nword", strings.Repeat(fmt.Sprintf("a tag of the page %d, ", i), 50), strings.Repeat(fmt.Sprintf("alias%d, ", i), 20))
		},
		"repeated": func(i int) string { return strings.Repeat(fmt.Sprintf("word%d ", i), 250) },
	} {
		before := inUse()
		x := New("en")
		for i := range 2000 {
			x.Apply(nil, []*Prepared{x.Prepare(Source{Path: wiki.PagePath(fmt.Sprintf("Page %d", i)), Blob: strings.Repeat("a", 40), Content: []byte(text(i))})})
		}
		heap, says := inUse()-before, x.Bytes()
		if heap > 2*says || says > 2*heap {
			t.Errorf("%s: the heap has %d bytes, and Bytes says %d", kind, heap, says)
		}
		runtime.KeepAlive(x)
	}
}

// TestCompactKeepsRelatedTerms: words have other numbers then, and what comes later is
// placed where it belongs.
func TestCompactKeepsRelatedTerms(t *testing.T) {
	x := New("en")
	put := func(path, text string) {
		x.Apply(nil, []*Prepared{x.Prepare(Source{Path: wiki.PagePath(path), Blob: path, Content: []byte(text)})})
	}
	var junk []wiki.PagePath
	for i := range 50 {
		path := fmt.Sprintf("Junk %d", i)
		junk = append(junk, wiki.PagePath(path))
		var b strings.Builder
		for k := range 290 {
			fmt.Fprintf(&b, "junk%dx%d ", i, k)
		}
		put(path, b.String())
	}
	for i := range RelatedFrom {
		put(fmt.Sprintf("Page %d", i), fmt.Sprintf("The sailor steered vessel %d into the harbour past the lighthouse. The baker sold %d loaves.", i%5, i%7))
	}
	s := x.Sample()
	m, err := Fit(context.Background(), s)
	if err != nil {
		t.Fatal(err)
	}
	x.Adopt(s, m)
	x.Apply(junk, nil)
	before := x.lex.Terms()
	if err := x.Compact(); err != nil {
		t.Fatal(err)
	}
	if after := x.lex.Terms(); after >= before/2 {
		t.Errorf("%d words of %d are left", after, before)
	}
	put("Twin", "The sailor steered vessel 3 into the harbour past the lighthouse. The baker sold 3 loaves.")
	twin, first := x.rel.set.Get(x.pages[x.byPath["Twin"]].docs[0]), x.rel.set.Get(x.pages[x.byPath["Page 3"]].docs[0])
	if len(twin) == 0 || !slices.Equal(twin, first) {
		t.Errorf("equal texts lie apart: %v and %v", twin[:min(3, len(twin))], first[:min(3, len(first))])
	}
}
