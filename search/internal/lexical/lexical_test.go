package lexical

import (
	"context"
	"testing"

	"wikibot/search/internal/query"
)

// index makes an index of bodies, numbered from 0.
func index(t testing.TB, o Options, bodies ...string) *Index {
	t.Helper()
	x := New(o)
	var add []Entry
	for i, b := range bodies {
		add = append(add, Entry{uint32(i), x.Prepare(Text{Body: b})})
	}
	x.Apply(nil, add)
	return x
}

// match gives copies of what a query finds.
func match(t testing.TB, x *Index, q string) Matches {
	t.Helper()
	parsed, err := query.Parse(q)
	if err != nil {
		t.Fatalf("%q: %v", q, err)
	}
	m, err := x.Match(context.Background(), parsed)
	if err != nil {
		t.Fatalf("%q: %v", q, err)
	}
	defer m.Release()
	return Matches{append([]uint32{}, m.IDs...), append([]float32{}, m.Scores...), append([]uint32{}, m.Masks...), m.Groups, m.Unknown, m.Truncated, nil}
}
