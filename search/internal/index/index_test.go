package index

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"wikibot/search/internal/query"
	"wikibot/wiki"
)

func parse(t testing.TB, s string) query.Query {
	t.Helper()
	q, err := query.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func put(x *Index, pages map[wiki.PagePath]string) {
	var all []*Prepared
	for p, text := range pages {
		all = append(all, x.Prepare(Source{Path: p, Blob: fmt.Sprint(len(text)), Content: []byte(text)}))
	}
	x.Apply(nil, all)
}

// answers is what a list of queries finds, as a text that can be compared.
func answers(t testing.TB, x *Index) string {
	t.Helper()
	var b strings.Builder
	for _, q := range []string{"red", "red blue", `"green blue"`, "gre*", "-red", "blue -green", "path:f1", "tag:t1 blue", "Page 3", "nothing"} {
		r, err := x.Pages(context.Background(), Question{Query: parse(t, q), Lexical: true, Related: true}, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%s: %d, %d with all, unknown %d\n", q, r.Total, r.Every, len(r.Unknown))
		for _, p := range r.Pages {
			fmt.Fprintf(&b, "  %s %v %v %q %d %d %d %s %v\n", p.Path, p.Score, p.Every, p.Sections, p.Start, p.End, p.Line, p.Anchor, p.Arms)
		}
		c, err := x.Chunks(context.Background(), Question{Query: parse(t, q), Lexical: true}, 5, 2)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range c.Pages {
			fmt.Fprintf(&b, "  %s/%d %v\n", p.Path, p.Chunk, p.Score)
		}
	}
	return b.String()
}

func sampleText(r *rand.Rand) string {
	words := []string{"red", "green", "blue", "yellow", "black", "white", "orange", "violet"}
	var b strings.Builder
	fmt.Fprintf(&b, "---\ntags: [t%d]\n---\n# Title %d\n\n", r.IntN(3), r.IntN(10))
	for s := range 1 + r.IntN(4) {
		fmt.Fprintf(&b, "## Section %d\n\n", s)
		for range 30 + r.IntN(80) {
			b.WriteString(words[r.IntN(len(words))] + " ")
		}
		b.WriteString("\n\n")
	}
	return b.String()
}

// TestTheWayDoesNotMatter: an index that was moved along by changes answers as one that
// was built at once, and as one that was saved and read.
func TestTheWayDoesNotMatter(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	moved := New("en")
	pages := map[wiki.PagePath]string{}
	for step := range 40 {
		var gone []wiki.PagePath
		var fresh []*Prepared
		for range 1 + r.IntN(5) {
			p := wiki.PagePath(fmt.Sprintf("F%d/Page %d", r.IntN(3), r.IntN(20)))
			if slices.Contains(gone, p) || slices.ContainsFunc(fresh, func(x *Prepared) bool { return x.page.path == p }) {
				continue
			}
			if r.IntN(4) == 0 {
				gone = append(gone, p)
				delete(pages, p)
				continue
			}
			pages[p] = sampleText(r)
			fresh = append(fresh, moved.Prepare(Source{Path: p, Blob: fmt.Sprint(len(pages[p])), Content: []byte(pages[p])}))
		}
		moved.Apply(gone, fresh)
		if step%10 != 9 {
			continue
		}
		built := New("en")
		put(built, pages)
		want := answers(t, built)
		if got := answers(t, moved); got != want {
			t.Fatalf("after %d steps the moved index answers\n%s\nthe one that was built\n%s", step+1, got, want)
		}
		read, err := Read(moved.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if got := answers(t, read); got != want {
			t.Fatalf("the saved index answers\n%s\nwant\n%s", got, want)
		}
		if !bytes.Equal(read.Append(nil), read.Append(nil)) || read.Bytes() <= 0 {
			t.Error("the saved index is not saved alike")
		}
		if err := moved.Compact(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestRelatedTermsBelongToTheState: whatever way led to a state, the same terms are
// related.
func TestRelatedTermsBelongToTheState(t *testing.T) {
	build := func(order func(i int) int) *Index {
		x := New("en")
		for i := range 240 {
			n := order(i)
			text := "sailor steers vessel harbour lighthouse gulls"
			if n%2 == 0 {
				text = "baker kneads dough oven loaves village"
			}
			put(x, map[wiki.PagePath]string{wiki.PagePath(fmt.Sprintf("P%03d", n)): fmt.Sprintf("%s %s day%d", text, text, n)})
		}
		s := x.Sample()
		m, err := Fit(context.Background(), s)
		if err != nil {
			t.Fatal(err)
		}
		x.Adopt(s, m)
		return x
	}
	a := build(func(i int) int { return i })
	b := build(func(i int) int { return 239 - i })
	if !bytes.Equal(a.rel.model.Append(nil), b.rel.model.Append(nil)) || !slices.Equal(a.rel.terms, b.rel.terms) {
		t.Error("the same pages in another order have other related terms")
	}
	r, err := a.Pages(context.Background(), Question{Query: query.Words("gulls"), Related: true}, 0, 300)
	if err != nil {
		t.Fatal(err)
	}
	if r.Arms != Terms || len(r.Pages) < 100 {
		t.Fatalf("arms %v, %d pages", r.Arms, len(r.Pages))
	}
	for i, p := range r.Pages[:100] {
		if p.Path[3] != '1' && p.Path[3] != '3' && p.Path[3] != '5' && p.Path[3] != '7' && p.Path[3] != '9' {
			t.Fatalf("result %d is %s", i, p.Path)
		}
	}
	// A page that comes later is placed by the words that are known.
	put(a, map[wiki.PagePath]string{"New": "vessel harbour"})
	if !a.rel.set.Has(a.pages[a.byPath["New"]].docs[0]) {
		t.Error("the new page has no place among the related ones")
	}
	a.Apply([]wiki.PagePath{"New"}, nil)
	if a.rel.set.Len() != 240 {
		t.Errorf("%d places for 240 chunks", a.rel.set.Len())
	}
}

func FuzzRead(f *testing.F) {
	x := New("en")
	put(x, map[wiki.PagePath]string{"A": "# A\n\nred green", "B/C": "---\ntags: x\n---\nblue"})
	b := x.Append(nil)
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Add([]byte(magic))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, in := range [][]byte{b, sealed(b)} { // with a right checksum too
			x, err := Read(in)
			if err != nil {
				continue
			}
			put(x, map[wiki.PagePath]string{"New": "red"})
			answers(t, x)
		}
	})
}

// sealed gives damaged bytes a checksum that fits.
func sealed(b []byte) []byte {
	if len(b) < len(magic)+5 {
		return b
	}
	b = slices.Clone(b)
	b = b[:len(b)-4]
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
}

// TestConditionsAreOfThePage: what must be there, or must not, may be in any chunk, and
// a run of characters without spaces counts as a whole.
func TestConditionsAreOfThePage(t *testing.T) {
	x := New("en")
	long := strings.Repeat("filler words here again. ", 80)
	put(x, map[wiki.PagePath]string{
		"Two":   "# Two\n\n" + long + "harbour\n\n## Other\n\n" + long + "lighthouse\n",
		"One":   "# One\n\nharbour\n",
		"Part":  "信息 alone, harbour",
		"Whole": "信息检索系统, harbour",
	})
	for q, want := range map[string]string{
		"harbour +lighthouse": "Two", "harbour -lighthouse": "One Part Whole", "harbour -信息检索系统": "One Part Two", "harbour +信息检索系统": "Whole",
		"-harbour": "", "-lighthouse path:One": "One", "+harbour +lighthouse": "Two",
	} {
		for _, mode := range []Question{{Lexical: true}, {Lexical: true, Related: true}} {
			mode.Query = parse(t, q)
			r, err := x.Pages(context.Background(), mode, 0, -1)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range r.Pages {
				got = append(got, string(p.Path))
			}
			slices.Sort(got)
			if strings.Join(got, " ") != want {
				t.Errorf("%q finds %q, want %q", q, got, want)
			}
		}
	}
}
