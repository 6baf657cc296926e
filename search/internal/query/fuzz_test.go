package query_test

import (
	"testing"
	"time"
	"unicode/utf8"

	"wikibot/search/internal/query"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{`a "b c" d* -e +f g OR h`, `+a OR b AND c`, `tag:"x y" -path:/A/.md updated:>=2026-01..`, `/a b/i -/c\/d/ case:yes`, "“a \"b” «c", "/tag:x/y", "--+/OR", "/\"a", "tag:a\"b", "updated:..7d", "a OR +OR", "NOT NOT a", "tag:\"\u201cx\"", "//i", "/tag:*"} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		q, err := query.Parse(s)
		if err != nil {
			return
		}
		if !utf8.ValidString(q.Raw) || len(q.Groups) > query.MaxGroups || len(q.Regexps) > query.MaxRegexps {
			t.Fatalf("%q: %+v", s, q)
		}
		inside := func(from, to int) {
			if from < 0 || from >= to || to > len(q.Raw) || !utf8.ValidString(q.Raw[from:to]) {
				t.Fatalf("%q: %d–%d of %q", s, from, to, q.Raw)
			}
		}
		for _, g := range q.Groups {
			if len(g.Terms) == 0 || g.Not && g.Must {
				t.Fatalf("%q: %+v", s, g)
			}
			for _, t := range g.Terms {
				inside(t.From, t.To)
			}
		}
		for _, f := range q.Filters {
			inside(f.From, f.To)
			if from, until := f.Interval(now); f.Field == query.Updated && from.IsZero() && until.IsZero() {
				t.Fatalf("%q: %+v says nothing", s, f)
			}
		}
		for _, r := range q.Regexps {
			inside(r.From, r.To)
		}
		out := q.String()
		if len(out) > query.MaxBytes {
			return
		}
		again, err := query.Parse(out)
		if err != nil || show(again) != show(q) || again.String() != out {
			t.Fatalf("%q\n  as %q\n got %s, %v\nwant %s", s, out, show(again), err, show(q))
		}
	})
}
