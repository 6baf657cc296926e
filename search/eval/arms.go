package eval

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"wikibot/search/internal/lexical"
	"wikibot/search/internal/query"
)

// arm is one way of ranking: the numbers of at most k documents, best first.
type arm struct {
	name   string
	search func(ctx context.Context, text string, k int) ([]int, error)
}

// build indexes the documents and gives the arms that can be asked.
func build(_ context.Context, documents []document, o Options) ([]arm, error) {
	x := lexical.New(lexical.Options{Language: o.Language})
	add := make([]lexical.Entry, len(documents))
	for i, d := range documents {
		add[i] = lexical.Entry{ID: uint32(i), Prepared: x.Prepare(lexical.Text{Head: d.title, Body: d.text})}
	}
	x.Apply(nil, add)
	return []arm{{"lexical", func(ctx context.Context, text string, k int) ([]int, error) {
		return best(ctx, x, plain(text), k)
	}}}, nil
}

// plain is a query of words without operators: a quotation mark or a hyphen in a
// question means nothing more.
func plain(text string) (q query.Query) {
	for _, w := range strings.Fields(text) {
		t := query.Term{Kind: query.Word, Text: w}
		if n := len(q.Groups); n == query.MaxGroups {
			q.Groups[n-1].Terms = append(q.Groups[n-1].Terms, t)
			continue
		}
		q.Groups = append(q.Groups, query.Group{Terms: []query.Term{t}})
	}
	return q
}

// best gives the k documents with the highest scores; of equal ones the first.
func best(ctx context.Context, x *lexical.Index, q query.Query, k int) ([]int, error) {
	m, err := x.Match(ctx, q)
	if err != nil {
		return nil, err
	}
	defer m.Release()
	order := make([]int, len(m.IDs))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(m.Scores[b], m.Scores[a]), cmp.Compare(m.IDs[a], m.IDs[b]))
	})
	out := make([]int, 0, k)
	for _, i := range order[:min(k, len(order))] {
		out = append(out, int(m.IDs[i]))
	}
	return out, nil
}
