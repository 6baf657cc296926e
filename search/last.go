package search

import (
	"context"
	"strings"

	"wikibot/gitstore"
	"wikibot/search/internal/query"
	"wikibot/wiki"
)

// lasts is when and by whom each page was last changed, as of one commit: what the
// filters author: and updated: look at.
type lasts struct {
	at    wiki.Revision
	pages map[wiki.PagePath]gitstore.Touched
}

// lastChanges are those of a view, kept until the wiki moves. The cost of the first
// call for a commit grows with the number of pages.
func (s *site) lastChanges(ctx context.Context, v *gitstore.View) (map[wiki.PagePath]gitstore.Touched, error) {
	s.mu.Lock()
	l := s.lasts
	s.mu.Unlock()
	if l.pages != nil && l.at == v.Head() {
		return l.pages, nil
	}
	all, err := v.LastAll(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.gone {
		s.lasts = lasts{v.Head(), all}
	}
	return all, nil
}

// keep is what the filters of a query that need history let through; nil: there are
// none.
func (s *site) keep(ctx context.Context, v *gitstore.View, q query.Query) (func(wiki.PagePath) bool, error) {
	var tests []func(gitstore.Touched) bool
	for _, f := range q.Filters {
		var test func(gitstore.Touched) bool
		switch f.Field {
		case query.Author:
			want := wiki.Fold(f.Value)
			test = func(t gitstore.Touched) bool { return strings.Contains(wiki.Fold(t.Author), want) }
		case query.Updated:
			from, until := f.Interval(s.e.Now())
			test = func(t gitstore.Touched) bool {
				return !t.Date.Before(from) && (until.IsZero() || t.Date.Before(until))
			}
		default:
			continue
		}
		not := f.Not
		tests = append(tests, func(t gitstore.Touched) bool { return test(t) != not })
	}
	if len(tests) == 0 {
		return nil, nil
	}
	all, err := s.lastChanges(ctx, v)
	if err != nil {
		return nil, err
	}
	return func(p wiki.PagePath) bool {
		t, ok := all[p]
		for _, test := range tests {
			if !ok || !test(t) {
				return false
			}
		}
		return true
	}, nil
}
