package related

import (
	"bytes"
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"wikibot/wiki"
)

// topics makes documents of which each is about one topic: its words come from the
// topic's terms, and some from the terms that every topic uses. Term t belongs to
// topic t/each; the last `each` terms are common.
func topics(topics, each, docs, words int) Corpus {
	r := rand.New(rand.NewPCG(5, 5))
	c := Corpus{Terms: (topics + 1) * each}
	for d := range docs {
		doc := make([]uint32, words)
		for i := range doc {
			topic := d % topics
			if r.IntN(3) == 0 {
				topic = topics
			}
			doc[i] = uint32(topic*each + r.IntN(each))
		}
		c.Docs = append(c.Docs, doc)
	}
	return c
}

func fit(t *testing.T, c Corpus, o Options) *Model {
	t.Helper()
	m, err := Fit(context.Background(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTopicsAreFound(t *testing.T) {
	const n, each = 8, 20
	m := fit(t, topics(n, each, 400, 30), Options{Dim: 30})
	if m.Dim() != 30 || m.Len() != (n+1)*each {
		t.Fatalf("got %d terms of %d dimensions", m.Len(), m.Dim())
	}
	wrong := 0
	for term := range uint32(n * each) {
		near := m.Near(term, 5)
		if len(near) != 5 || slices.Contains(near, term) {
			t.Fatalf("term %d: got %v", term, near)
		}
		for _, o := range near {
			if o/each != term/each {
				wrong++
			}
		}
	}
	if wrong > n*each*5/20 {
		t.Errorf("%d of %d neighbours are of another topic", wrong, n*each*5)
	}
	// Two documents without a common word, of one topic and of two.
	a, b, c := m.Embed([]uint32{0, 1, 2}), m.Embed([]uint32{10, 11, 12}), m.Embed([]uint32{30, 31, 32})
	if same, other := dot(a, b), dot(a, c); same < .5 || other > .3 {
		t.Errorf("got cosine %.2f within a topic, %.2f beyond", same, other)
	}
}

func TestEqualOnAnyNumberOfCores(t *testing.T) {
	c := topics(5, 40, 200, 40)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	want := fit(t, c, Options{Dim: 20}).Append(nil)
	for _, cores := range []int{1, 4} {
		runtime.GOMAXPROCS(cores)
		if !bytes.Equal(fit(t, c, Options{Dim: 20}).Append(nil), want) {
			t.Errorf("another model with %d cores", cores)
		}
	}
	c.Docs[7][3]++ // what is compared can differ
	if bytes.Equal(fit(t, c, Options{Dim: 20}).Append(nil), want) {
		t.Error("another corpus gave the same model")
	}
}

func TestSmallCorpora(t *testing.T) {
	for name, c := range map[string]Corpus{
		"nothing":         {},
		"no words":        {Terms: 10, Docs: [][]uint32{nil, {}, nil}},
		"one word":        {Terms: 1, Docs: [][]uint32{{0}}},
		"the same word":   {Terms: 1, Docs: [][]uint32{{0, 0, 0, 0}}},
		"words seen once": {Terms: 9, Docs: [][]uint32{{0, 1, 2, 3}, {4, 5, 6}}},
		"alone":           {Terms: 3, Docs: [][]uint32{{0}, {0}, {1}, {1}, {2}}},
		"two":             {Terms: 2, Docs: [][]uint32{{0, 1}, {1, 0}}},
	} {
		m := fit(t, c, Options{})
		v := m.Embed([]uint32{0, 1, 2, 3, 1 << 31})
		if v != nil && (len(v) != m.Dim() || math.Abs(float64(dot(v, v))-1) > 1e-5) {
			t.Errorf("%s: got %v", name, v)
		}
		m.Near(0, 3)
		back, _, err := Read(m.Append(nil))
		if err != nil || back.Dim() != m.Dim() || back.Len() != m.Len() {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Fit(context.Background(), Corpus{Terms: 3, Docs: [][]uint32{{1, 3}}}, Options{}); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

func TestUnknownTerms(t *testing.T) {
	m := fit(t, topics(3, 10, 60, 20), Options{Dim: 8})
	if v := m.Embed([]uint32{4000, math.MaxUint32}); v != nil {
		t.Errorf("got %v", v)
	}
	if v := m.Embed(nil); v != nil {
		t.Errorf("got %v", v)
	}
	if n := m.Near(4000, 3); n != nil {
		t.Errorf("got %v", n)
	}
	if a, b := m.Embed([]uint32{1, 4000}), m.Embed([]uint32{1}); !slices.Equal(a, b) {
		t.Error("an unknown term changed the direction")
	}
	if n := m.Near(1, 1000); len(n) < 25 || len(n) > m.Len()-1 || slices.Contains(n, 1) {
		t.Errorf("got %d of %d", len(n), m.Len())
	}
}

func TestFitEndsWithContext(t *testing.T) {
	c := topics(5, 100, 300, 50)
	yields := 0
	fit(t, c, Options{Yield: func() { yields++ }})
	for stop := 1; stop < yields; stop += 1 + yields/10 { // in every phase
		ctx, cancel := context.WithCancel(context.Background())
		n := 0
		_, err := Fit(ctx, c, Options{Yield: func() {
			if n++; n == stop {
				cancel()
			}
		}})
		if !errors.Is(err, context.Canceled) || n > stop+1 {
			t.Errorf("cancelled at %d of %d: went on to %d, %v", stop, yields, n, err)
		}
	}
}

func TestSaved(t *testing.T) {
	c := topics(3, 10, 60, 20)
	c.Terms += 5 // unknown ones at the end
	m := fit(t, c, Options{Dim: 8})
	back, rest, err := Read(append(m.Append(nil), "after"...))
	if err != nil || string(rest) != "after" {
		t.Fatal(err, rest)
	}
	doc := []uint32{3, 4, 29, 33}
	if !slices.Equal(back.Embed(doc), m.Embed(doc)) || !slices.Equal(back.Near(3, 9), m.Near(3, 9)) || back.Len() != m.Len() {
		t.Error("what was read is not what was saved")
	}
}

func TestNearKeepsTheBest(t *testing.T) {
	m := fit(t, topics(4, 12, 80, 20), Options{Dim: 8})
	all := m.Near(3, 1000)
	for n := range len(all) + 2 {
		if got := m.Near(3, n); !slices.Equal(got, all[:min(n, len(all))]) {
			t.Errorf("%d: got %v, want the first of %v", n, got, all)
		}
	}
	for i := 1; i < len(all); i++ {
		if cosine(m, 3, all[i]) > cosine(m, 3, all[i-1])+1e-6 {
			t.Errorf("%d is nearer than the one before it", all[i])
		}
	}
}

func cosine(m *Model, a, b uint32) float64 {
	v, w := m.Embed([]uint32{a}), m.Embed([]uint32{b})
	return float64(dot(v, w))
}

// A rare word says more about a document than one that is everywhere.
func TestRareTermsCountMore(t *testing.T) {
	c := topics(6, 20, 200, 30)
	for i := range c.Docs { // term 0 a hundred times as often as the others
		c.Docs[i] = append(c.Docs[i], slices.Repeat([]uint32{0}, 30)...)
	}
	share := func(weight float64) float32 {
		m := fit(t, c, Options{Dim: 20, Weight: weight})
		return dot(m.Embed([]uint32{0, 25}), m.Embed([]uint32{25}))
	}
	if even, got := share(1e9), share(0); got < .99 || got <= even {
		t.Errorf("got cosine %.3f with the rare word, %.3f where all words count the same", got, even)
	}
}

// Documents have no direction in common.
func TestCentered(t *testing.T) {
	c := topics(6, 20, 200, 30)
	m := fit(t, c, Options{Dim: 20})
	mean := make([]float32, m.Dim())
	for _, doc := range c.Docs {
		for i, x := range m.Embed(doc) {
			mean[i] += x / float32(len(c.Docs))
		}
	}
	if d := dot(mean, mean); d > .01 {
		t.Errorf("the mean of the directions has length %.2f", math.Sqrt(float64(d)))
	}
}
