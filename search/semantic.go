package search

import (
	"context"
	"strings"

	"wikibot/gitstore"
	"wikibot/search/internal/chunks"
	"wikibot/search/internal/index"
	"wikibot/search/internal/query"
	"wikibot/wiki"
)

// maxQuestion is the longest text that is asked for by meaning, in bytes.
const maxQuestion = 8192

// Semantic finds the chunks that are nearest to a text in meaning: by vectors, where
// there is a model, else by related terms. It reads min(2·n·MaxPerPage, 50) chunks,
// keeps the best MaxPerPage of each page, and returns N.
func (e *Engine) Semantic(ctx context.Context, v *gitstore.View, r SemanticRequest) (*SemanticAnswer, error) {
	text := strings.TrimSpace(r.Text)
	switch {
	case text == "":
		return nil, wiki.Invalid("query", "the query is empty; say in a sentence what you look for")
	case len(text) > maxQuestion:
		return nil, wiki.Invalid("query", "the query is %d bytes long; at most %d are possible", len(text), maxQuestion)
	case r.N < 0 || r.N > 50:
		return nil, wiki.Invalid("n", "n must be between 1 and 50")
	case r.MaxPerPage < 0 || r.MaxPerPage > 10:
		return nil, wiki.Invalid("max_chunks_per_page", "max_chunks_per_page must be between 1 and 10")
	}
	if r.N == 0 {
		r.N = 5
	}
	if r.MaxPerPage == 0 {
		r.MaxPerPage = 2
	}
	if r.Mode == "" {
		r.Mode = Hybrid
	}
	x, lag, err := e.site(v.Slug()).ready(ctx, v)
	if err != nil {
		return nil, err
	}
	a := &SemanticAnswer{Query: r.Text, Mode: r.Mode, Lag: lag}
	ask := index.Question{Query: query.Words(text)}
	a.Model = e.arms(ctx, x, r.Mode, text, &ask, &Answer{})
	found, err := x.Chunks(ctx, ask, r.N, r.MaxPerPage)
	if err != nil {
		return nil, err
	}
	if a.Arms = armNames(found.Arms); found.Arms&index.Vectors == 0 {
		a.Model = ""
	}
	for _, p := range found.Pages {
		if err := ctx.Err(); err != nil { // whoever asked has left
			return nil, err
		}
		hit, ok, err := e.hit(v, x, ask.Query, p)
		if err != nil {
			return nil, err
		}
		if ok {
			a.Hits = append(a.Hits, hit)
		}
	}
	return a, nil
}

// hit turns a chunk of the index into one that can be shown.
func (e *Engine) hit(v *gitstore.View, x *index.Index, q query.Query, p index.Ranked) (ChunkHit, bool, error) {
	src, c, ok, err := shown(v, p)
	if !ok || err != nil {
		return ChunkHit{}, false, err
	}
	marks := func(text string) [][2]int { return x.Highlight(q, text, p.Language) }
	h := ChunkHit{
		Page: p.Path, Title: p.Title, Text: chunks.Text(src, c), Distance: distance(p.Score),
		Snippet:  plain(spans(chunks.Snippet(src, c, marks, 148))),
		Sections: c.Section, Anchor: c.Anchor, Chunk: p.Chunk, Chunks: p.Chunks, PageWords: p.Words, Arms: armNames(p.Arms),
	}
	if n := len(c.Section); n > 0 {
		h.Section = c.Section[n-1]
	}
	return h, true, nil
}

// distance is that of a score; the cosine of a vector with itself may be a little over 1.
func distance(score float64) float64 { return max(0, 1-score) }
