package lexical

import (
	"context"
	"math"
	"slices"

	"wikibot/search/internal/query"
	"wikibot/wiki"
)

// bounds of one Match. Where one of the last three is met, the answer says
// Truncated, and lacks documents that were not come to.
type bounds struct {
	scored    int // words, phrases and prefixes that score, the rarest
	expansion int // words that a prefix stands for, the most frequent
	postings  int // postings visited
	read      int // tokens read for phrases and prefixes
}

// usualBounds: the postings take about 0.1 s, the reading about 30 ms.
func usualBounds() bounds {
	return bounds{scored: 32, expansion: 256, postings: 1 << 26, read: 1 << 23}
}

// Matches are the documents that match, in the order of their numbers. The slices
// are the index's own: call Release when done, and do not touch them afterwards.
type Matches struct {
	IDs    []uint32
	Scores []float32 // BM25, at least 0; comparable within one answer only
	// Masks has bit i where the document holds group i of the query.
	Masks  []uint32
	Groups int
	// Unknown are the wanted words and prefixes that no document holds.
	Unknown []query.Term
	// Truncated: the query was too costly, and documents may be missing.
	Truncated bool

	x *Index
}

// Release gives the memory back for another Match.
func (m *Matches) Release() {
	if m.x == nil {
		return
	}
	x := m.x
	*m = Matches{IDs: m.IDs[:0], Scores: m.Scores[:0], Masks: m.Masks[:0]}
	x.answers.Put(m)
}

// Match finds the documents that hold at least one wanted or demanded group of a
// query, all demanded ones (Must) and no refused one (Not). A query without a
// wanted or demanded group matches every document that none of its refused groups
// holds, with a score of 0. Filters and regular expressions are not looked at.
//
// A document holds a group that it holds one term of. It holds a word of several
// parts (full-text) when it holds the whole or all parts, and a run of a script
// without spaces when it holds all its pairs, or one of them if there are more than
// four and the group is only wanted: that is a sentence, not a word. It holds a
// phrase where the words follow one another in its body or in its head.
//
// The work is about 2 ns for each document that holds a word, for each word, and
// one pass over all documents' numbers; for phrases, and for prefixes that cut
// through a stem, it reads the tokens of those that hold all words. It is bounded
// by 67 million postings and 8 million tokens. It is ErrInvalid for more than 32 groups, and the
// context's error when that ends.
func (x *Index) Match(ctx context.Context, q query.Query) (*Matches, error) {
	if len(q.Groups) > query.MaxGroups {
		return nil, wiki.Invalid("q", "%d words are too many: search for at most %d", len(q.Groups), query.MaxGroups)
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := x.scratch()
	defer x.pool.Put(s)
	p := x.plan(q)
	m := x.answer()
	m.Groups, m.Unknown = len(q.Groups), p.unknown
	x.weigh(p.clauses)
	for i := range p.clauses {
		if err := ctx.Err(); err != nil {
			clear(s.cells)
			m.Release()
			return nil, err
		}
		if !s.run(x, &p.clauses[i]) {
			m.Truncated = true
		}
	}
	m.Truncated = m.Truncated || p.truncated
	x.collect(s, p, m)
	return m, nil
}

// weigh gives each clause that scores its idf, times how often the query has it,
// and leaves the rarest.
func (x *Index) weigh(clauses []clause) {
	scored := make([]*clause, 0, len(clauses))
	for i := range clauses {
		if clauses[i].weight > 0 {
			scored = append(scored, &clauses[i])
		}
	}
	slices.SortStableFunc(scored, func(a, b *clause) int { return a.frequency - b.frequency })
	for i, c := range scored {
		if i >= x.bounds.scored {
			c.weight = 0
			continue
		}
		if c.sequence == nil {
			c.weight *= x.idf(c.frequency)
			continue
		}
		var sum float32 // a phrase weighs what its words do
		for _, terms := range c.sequence {
			sum += x.idf(x.sum(terms))
		}
		c.weight *= sum
	}
}

// idf is how much a term that frequency documents hold tells.
func (x *Index) idf(frequency int) float32 {
	n, df := float64(x.n), float64(frequency)
	return float32(math.Log1p((n - df + .5) / (df + .5)))
}

// collect moves the matches from the cells to m and empties the cells.
func (x *Index) collect(s *scratch, p plan, m *Matches) {
	if p.wanted == 0 {
		for id := range s.cells {
			if x.docs[id].tongue != 0 && s.cells[id].mask&p.refused == 0 {
				m.IDs, m.Scores, m.Masks = append(m.IDs, uint32(id)), append(m.Scores, 0), append(m.Masks, 0)
			}
		}
		clear(s.cells)
		return
	}
	for id, c := range s.cells {
		if c.mask&p.wanted != 0 && c.mask&p.refused == 0 && c.mask&p.demanded == p.demanded {
			m.IDs, m.Scores, m.Masks = append(m.IDs, uint32(id)), append(m.Scores, c.score), append(m.Masks, c.mask)
		}
	}
	clear(s.cells)
}

func (x *Index) answer() *Matches {
	m, _ := x.answers.Get().(*Matches)
	if m == nil {
		m = &Matches{}
	}
	m.x = x
	return m
}
