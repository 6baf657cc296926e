package index

import (
	"cmp"
	"context"
	"slices"

	"wikibot/search/internal/lexical"
	"wikibot/search/internal/query"
	"wikibot/search/internal/vectors"
)

// scored is the documents that were found, with the groups of the query that they
// hold and the arms that found them. The arrays are parallel.
type scored struct {
	ids    []uint32
	scores []float32
	masks  []uint32
	by     []Arms // nil: Words for all that hold a group

	matches   *lexical.Matches // what ids, scores and masks belong to; nil: to nobody else
	groups    int              // parts of the query that are looked for
	all, must uint32           // groups that are looked for, and of them those that a page must hold
	demanded  [][]bool         // for each group that was demanded, the pages that hold it, by slot
	refused   []bool           // pages that hold what they must not, by slot; nil: none
	unknown   []query.Term
	arms      Arms
	partial   bool
}

// holds reports whether a page that holds these groups may be shown.
func (s *scored) holds(slot, mask uint32) bool {
	for _, pages := range s.demanded {
		if !pages[slot] {
			return false
		}
	}
	return mask&s.must == s.must && (s.refused == nil || !s.refused[slot])
}

// every reports whether a page holds all that is looked for.
func (s *scored) every(mask uint32) bool { return s.all != 0 && mask&s.all == s.all }

// pool is how many documents an arm beside words may add to an answer.
const pool = 200

// score asks the arms; the caller holds the read lock.
func (x *Index) score(ctx context.Context, q Question) (*scored, error) {
	s := &scored{}
	wanted := s.parts(q.Query)
	if err := x.conditions(ctx, q.Query, s); err != nil {
		return nil, err
	}
	if s.all != 0 && (q.Lexical || s.must != 0) {
		if err := x.words(ctx, q, wanted, s); err != nil {
			return nil, err
		}
	}
	if s.all == 0 {
		x.everything(s)
		return s, ctx.Err()
	}
	switch {
	case q.Vector != nil:
		s.arms |= Vectors
		if err := x.near(ctx, q, s, x.vec.set, q.Vector, vectorWeight, Vectors); err != nil {
			return nil, err
		}
	case q.Related && x.rel != nil:
		if v := x.rel.query(x.lex, q.Query.Text(), x.language); v != nil {
			s.arms |= Terms
			if err := x.near(ctx, q, s, x.rel.set, v, relatedWeight, Terms); err != nil {
				return nil, err
			}
		}
	}
	return s, ctx.Err()
}

// parts is the groups of a query that are looked for. Each is as good as the others:
// what must be there may be in another chunk of the page, which the arm of words does
// not know.
func (s *scored) parts(q query.Query) (wanted query.Query) {
	for _, g := range q.Groups {
		if g.Not {
			continue
		}
		bit := uint32(1) << len(wanted.Groups)
		s.all |= bit
		s.groups++
		if !slices.ContainsFunc(g.Terms, func(t query.Term) bool { return t.Kind != query.Phrase }) {
			s.must |= bit // a phrase says what it means
		}
		g.Must = false
		wanted.Groups = append(wanted.Groups, g)
	}
	return wanted
}

// conditions finds the pages that hold what they must and what they must not.
func (x *Index) conditions(ctx context.Context, q query.Query, s *scored) error {
	for _, g := range q.Groups {
		switch {
		case g.Not:
			if s.refused == nil {
				s.refused = make([]bool, len(x.pages))
			}
			if err := x.holders(ctx, g, s.refused, s); err != nil {
				return err
			}
		case g.Must:
			pages := make([]bool, len(x.pages))
			if err := x.holders(ctx, g, pages, s); err != nil {
				return err
			}
			s.demanded = append(s.demanded, pages)
		}
	}
	return nil
}

// holders marks the pages that hold a group as a whole in one of their chunks.
func (x *Index) holders(ctx context.Context, g query.Group, pages []bool, s *scored) error {
	g.Must, g.Not = true, false
	m, err := x.lex.Match(ctx, query.Query{Groups: []query.Group{g}})
	if err != nil {
		return err
	}
	defer m.Release()
	for _, id := range m.IDs {
		pages[x.docs[id].page] = true
	}
	s.partial = s.partial || m.Truncated
	return nil
}

// words asks the arm of words.
func (x *Index) words(ctx context.Context, q Question, wanted query.Query, s *scored) error {
	m, err := x.lex.Match(ctx, wanted)
	if err != nil {
		return err
	}
	s.matches, s.unknown, s.partial = m, m.Unknown, m.Truncated
	s.ids, s.scores, s.masks = m.IDs, m.Scores, m.Masks
	if q.Lexical {
		s.arms |= Words
		return nil
	}
	s.own() // only to know what must be there
	clear(s.scores)
	clear(s.by)
	return nil
}

// own makes the arrays the caller's, so that they can grow.
func (s *scored) own() {
	if s.by != nil {
		return
	}
	by := make([]Arms, len(s.ids), len(s.ids)+pool)
	for i := range by {
		by[i] = s.byOf(i)
	}
	s.by = by
	s.ids, s.scores, s.masks = slices.Clone(s.ids), slices.Clone(s.scores), slices.Clone(s.masks)
}

func (s *scored) byOf(i int) Arms {
	switch {
	case s.by != nil:
		return s.by[i]
	case s.masks[i] != 0:
		return Words
	}
	return 0
}

func (s *scored) release() {
	if s.matches != nil {
		s.matches.Release()
	}
}

// everything is every page, for a query of filters alone.
func (x *Index) everything(s *scored) {
	s.own()
	for _, p := range x.pages {
		if p != nil && len(p.docs) > 0 {
			s.ids = append(s.ids, p.docs[0])
			s.scores, s.masks, s.by = append(s.scores, 0), append(s.masks, 0), append(s.by, 0)
		}
	}
}

// leastTerms is the cosine of related terms from which on the best one counts fully: a
// question that is far from everything says little.
const leastTerms = 0.2

// near adds an arm that knows the nearness of every document: to the scores of what
// the words have found, and the nearest documents that they have not.
func (x *Index) near(ctx context.Context, q Question, s *scored, set *vectors.Set, v []float32, weight float32, arm Arms) error {
	cos := set.Scores(v, nil)
	if err := ctx.Err(); err != nil {
		return err
	}
	s.own()
	words := float32(0)
	if q.Lexical {
		words = 1 - weight
		if best := slices.Max(append(s.scores, 0)); best > 0 {
			words /= best
		}
		if arm == Terms { // both arms are measured by their best
			weight /= max(slices.Max(append(cos, 0)), leastTerms)
		}
	} else {
		weight = 1
	}
	top := x.nearest(cos, x.filter(q))
	least := float32(1)
	if n := len(top); n > 0 {
		least = cos[top[n-1]]
	}
	for i, id := range s.ids {
		s.scores[i] *= words
		if int(id) >= len(cos) || cos[id] <= 0 {
			continue
		}
		s.scores[i] += weight * cos[id]
		if cos[id] >= least {
			s.by[i] |= arm
		}
		cos[id] = vectors.Absent // it is there
	}
	for _, id := range top {
		if cos[id] != vectors.Absent {
			s.ids, s.scores = append(s.ids, id), append(s.scores, weight*cos[id])
			s.masks, s.by = append(s.masks, 0), append(s.by, arm)
		}
	}
	return nil
}

// nearest are up to pool documents with the highest positive cosines, best first.
func (x *Index) nearest(cos []float32, keep func(slot uint32) bool) []uint32 {
	least := float32(0) // what the pool begins at, once twice as many were seen
	var top []uint32
	cut := func() {
		slices.SortFunc(top, func(a, b uint32) int { return cmp.Or(cmp.Compare(cos[b], cos[a]), cmp.Compare(a, b)) })
		if len(top) >= pool {
			top = top[:pool]
			least = cos[top[pool-1]]
		}
	}
	for id, c := range cos {
		if c > least && (keep == nil || keep(x.docs[id].page)) {
			if top = append(top, uint32(id)); len(top) == 2*pool {
				cut()
			}
		}
	}
	cut()
	return top
}
