package lexical

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"wikibot/search/internal/words"
)

// byTheBook is BM25 as the package's docstring has it, counted from the texts.
func byTheBook(t *testing.T, o Options, texts map[uint32]Text, q string) map[uint32]float64 {
	o = o.withDefaults()
	a, err := words.New(o.Language)
	if err != nil {
		t.Fatal(err)
	}
	tf, length, df := map[uint32]map[string]float64{}, map[uint32]float64{}, map[string]float64{}
	total := 0.0
	for id, text := range texts {
		tf[id] = map[string]float64{}
		for i, part := range []string{text.Body, text.Head} {
			weight := []float64{1, float64(o.Head)}[i]
			for _, tok := range a.Tokens(part) {
				tf[id][tok.Term] += weight
				if tok.Parts == 0 {
					length[id] += weight
				}
			}
		}
		total += length[id]
		for term := range tf[id] {
			df[term]++
		}
	}
	n, k1, b := float64(len(texts)), float64(o.K1), float64(o.B)
	scores := map[uint32]float64{}
	for _, tok := range a.Tokens(q) {
		idf := math.Log(1 + (n-df[tok.Term]+.5)/(df[tok.Term]+.5))
		for id := range texts {
			if f := tf[id][tok.Term]; f > 0 {
				scores[id] += idf * f * (k1 + 1) / (f + k1*(1-b+b*length[id]/(total/n)))
			}
		}
	}
	return scores
}

// sentence is n words of a small vocabulary, some of them compounds.
func sentence(r *rand.Rand, n int) string {
	vocabulary := strings.Fields("river rivers running run house houses GitStore git store full-text text snake_case the the the of of and a")
	var out []string
	for range n {
		out = append(out, vocabulary[r.IntN(len(vocabulary))])
	}
	return strings.Join(out, " ")
}

func TestScoresAreBM25(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, o := range []Options{{}, {K1: 2, B: .3, Head: 5, Language: "none"}} {
		x, texts := New(o), map[uint32]Text{}
		var add []Entry
		for id := range uint32(60) {
			texts[id] = Text{Head: sentence(r, r.IntN(4)), Body: sentence(r, r.IntN(30))}
			add = append(add, Entry{id, x.Prepare(texts[id])})
		}
		x.Apply(nil, add)
		for _, q := range []string{"river", "the", "running houses", "the river the house the", "git text snake", "nothing"} {
			got, want := match(t, x, q), byTheBook(t, o, texts, q)
			if len(got.IDs) != len(want) {
				t.Fatalf("%q: %d documents, want %d", q, len(got.IDs), len(want))
			}
			for i, id := range got.IDs {
				if math.Abs(float64(got.Scores[i])-want[id]) > 1e-5*(1+want[id]) {
					t.Errorf("%q: document %d has %v, want %v", q, id, got.Scores[i], want[id])
				}
			}
		}
	}
}

// Whatever way led to a set of documents, their scores are the same to the bit, and
// so are the saved bytes.
func TestAnyOrder(t *testing.T) {
	queries := []string{"river", "the", "running house git", `"full text"`, `"the river"`, "GitStore", "ri*", "-the", "snakeCase OR river of", "+git -house", "maison*", "corriendo"}
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 9))
		x, live := New(Options{}), map[uint32]Text{}
		for range 1 + r.IntN(12) {
			var remove []uint32
			var add []Entry
			for range r.IntN(6) {
				id := uint32(r.IntN(40))
				remove = append(remove, id)
				delete(live, id)
			}
			for range r.IntN(12) {
				id := uint32(r.IntN(40))
				text := Text{Head: sentence(r, r.IntN(3)), Body: sentence(r, r.IntN(20)), Language: []string{"", "", "en", "es", "none"}[r.IntN(5)]}
				add = append(add, Entry{id, x.Prepare(text)})
				live[id] = text
			}
			x.Apply(remove, add)
		}
		y := New(Options{})
		var add []Entry
		for id, text := range live { // in the order of the map
			add = append(add, Entry{id, y.Prepare(text)})
		}
		y.Apply(nil, add)
		z, err := x.Compact()
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range queries {
			want := fmt.Sprint(match(t, y, q))
			if got := fmt.Sprint(match(t, x, q)); got != want {
				t.Fatalf("seed %d, %q: %s, at once %s", seed, q, got, want)
			}
			if got := fmt.Sprint(match(t, z, q)); got != want {
				t.Fatalf("seed %d, %q: %s read back, at once %s", seed, q, got, want)
			}
		}
		if a, b := x.Append(nil), y.Append(nil); !slices.Equal(a, b) {
			t.Fatalf("seed %d: saved as %d and %d bytes that differ", seed, len(a), len(b))
		}
		if x.Len() != len(live) || z.Dead() != 0 {
			t.Errorf("seed %d: %d documents of %d, %d dead words", seed, x.Len(), len(live), z.Dead())
		}
		check(t, x)
		check(t, z)
	}
}

// check looks through an index for postings and counts that do not belong together.
func check(t *testing.T, x *Index) {
	t.Helper()
	counts, live := make([]uint32, len(x.vocab.lexemes)), 0
	holds := map[[2]uint32]bool{}
	for id, d := range x.docs {
		for _, n := range d.tokens {
			if counts[n&lexemeMask]++; counts[n&lexemeMask] == 1 {
				live++
			}
			holds[[2]uint32{x.vocab.lexemes[n&lexemeMask].term, uint32(id)}] = true
		}
	}
	for i, l := range x.vocab.lexemes {
		if l.count != counts[i] {
			t.Errorf("%q is counted %d times, there are %d", l.word, l.count, counts[i])
		}
	}
	postings := 0
	for n, term := range x.vocab.terms {
		if !slices.IsSorted(term.postings) {
			t.Errorf("postings of %q are not in order: %x", term.text, term.postings)
		}
		for _, p := range term.postings {
			postings++
			if !holds[[2]uint32{uint32(n), p >> frequencyBits}] {
				t.Errorf("document %d does not hold %q", p>>frequencyBits, term.text)
			}
		}
	}
	if postings != len(holds) || live != x.vocab.live {
		t.Errorf("%d postings for %d, %d live words, counted %d", postings, len(holds), live, x.vocab.live)
	}
}

// A Prepared may go to another index than the one that made it, and to several.
func TestPreparedElsewhere(t *testing.T) {
	x, y := New(Options{}), New(Options{})
	x.Apply(nil, []Entry{{0, x.Prepare(Text{Body: "one two three"})}})
	y.Apply(nil, []Entry{{0, y.Prepare(Text{Body: "three four"})}})
	p := x.Prepare(Text{Body: "one three"})
	x.Apply(nil, []Entry{{1, p}})
	y.Apply(nil, []Entry{{1, p}, {2, Prepared{}}})
	if got := match(t, y, "three"); !slices.Equal(got.IDs, []uint32{0, 1}) {
		t.Errorf("three: %v", got.IDs)
	}
	if got := match(t, y, "one"); !slices.Equal(got.IDs, []uint32{1}) || y.Len() != 3 {
		t.Errorf("one: %v of %d", got.IDs, y.Len())
	}
	check(t, x)
	check(t, y)
}

func TestNumbersAreDense(t *testing.T) {
	defer func() {
		if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "dense") {
			t.Errorf("%v", r)
		}
	}()
	x := New(Options{})
	x.Apply(nil, []Entry{{MaxDocuments, x.Prepare(Text{})}})
}
