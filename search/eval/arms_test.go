package eval

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// topics are words that keep each other's company.
var topics = []string{
	"ship harbour anchor sail mast tide rudder cargo sailor deck",
	"bread flour oven dough yeast baker crust loaf knead rye",
	"violin bow string melody orchestra tuning concert chord music rehearsal",
	"bee hive honey queen wax nectar swarm pollen keeper comb",
	"snow ski slope avalanche ice glacier frost winter sledge summit",
	"court judge verdict witness lawyer trial appeal evidence jury sentence",
}

// company is a collection of n documents about topics, and a query for each topic
// with half of its words; all documents of the topic are relevant.
func company(n int) collection {
	r := rand.New(rand.NewPCG(1, 1))
	c := collection{name: "company"}
	for _, topic := range topics {
		c.queries = append(c.queries, question{strings.Join(strings.Fields(topic)[:4], " "), map[int]float64{}})
	}
	for i := range n {
		words := strings.Fields(topics[i%len(topics)])
		var out []string
		for range 12 {
			out = append(out, words[r.IntN(len(words))], "and the")
		}
		c.documents = append(c.documents, document{text: strings.Join(out, " ")})
		c.queries[i%len(topics)].relevant[i] = 1
	}
	return c
}

// A collection that is large enough is measured with related terms as well, and they
// find documents that lack the query's words.
func TestArms(t *testing.T) {
	r, err := measure(context.Background(), company(240), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range r.Scores {
		names = append(names, s.Arm)
	}
	if fmt.Sprint(names) != "[lexical related fused]" {
		t.Fatalf("%v", names)
	}
	for _, s := range r.Scores[1:] {
		if s.NDCG < .99 || s.Recall < .99 {
			t.Errorf("%+v", s)
		}
	}
}

func TestPathsAreNumbers(t *testing.T) {
	for _, n := range []int{0, 7, 10, 99, 1180, 123456} {
		if p := path(n); number(p) != n {
			t.Errorf("%d became %s, then %d", n, p, number(p))
		}
	}
}

// A title counts, whatever signs stand in it.
func TestTitles(t *testing.T) {
	c := collection{
		documents: []document{{`Tea: "black" & #green`, "leaves in hot water"}, {"", "water"}},
		queries:   []question{{"green tea", map[int]float64{0: 1}}},
	}
	r, err := measure(context.Background(), c, Options{})
	if err != nil || r.Scores[0].NDCG != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// Who stops, stops.
func TestMeasureEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := measure(ctx, company(240), Options{}); err != context.Canceled {
		t.Errorf("%v", err)
	}
}
