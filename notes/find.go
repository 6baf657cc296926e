package notes

import (
	"context"

	"wikibot/gitstore"
	"wikibot/search"
	"wikibot/wiki"
)

// Search finds pages by a query as people type it (docs/search.md). Scores are
// from 0 to 1. See search.Engine.Search for errors and cost.
func (s *Service) Search(ctx context.Context, v *gitstore.View, q string, mode search.Mode, offset, limit int) (*search.Answer, error) {
	if s.Find == nil {
		return nil, noIndex()
	}
	a, err := s.Find.Search(ctx, v, search.Request{Text: q, Mode: mode, Offset: offset, Limit: limit})
	if err != nil {
		return nil, err
	}
	for i := range a.Results {
		a.Results[i].Score = min(max(a.Results[i].Score, 0), 1)
	}
	return a, nil
}

// Semantic finds the pieces of pages that are nearest to a text in meaning. See
// search.Engine.Semantic for bounds, errors and cost.
func (s *Service) Semantic(ctx context.Context, v *gitstore.View, r search.SemanticRequest) (*search.SemanticAnswer, error) {
	if s.Find == nil {
		return nil, noIndex()
	}
	return s.Find.Semantic(ctx, v, r)
}

func noIndex() error {
	return wiki.Unavailable("this site has no search index; list the pages instead")
}
