package index

import (
	"cmp"
	"container/heap"
	"context"
	"slices"

	"wikibot/search/internal/query"
	"wikibot/wiki"
)

// Question is what is looked for.
type Question struct {
	Query   query.Query
	Lexical bool      // rank by words
	Related bool      // rank by related terms
	Vector  []float32 // rank by the nearness to this vector; nil: do not
	Model   string    // that made Vector; where another answers now, Vector is left out

	// Keep narrows the pages beyond the query's own filters; nil: all. It is called
	// with the index locked, so it must be quick and must not call back.
	Keep func(wiki.PagePath) bool
}

// Weights of the arms in a fused score. Words weigh more than related terms, which
// find pages that the words miss and are no measure of meaning; equal weights make
// results worse. A model of meaning weighs as much as the words.
const (
	relatedWeight = 0.2
	vectorWeight  = 0.5
)

// Arms is a set of arms that had a part in an answer.
type Arms uint8

// The arms.
const (
	Words Arms = 1 << iota
	Terms
	Vectors
)

// Ranked is one page that was found, with its best chunk.
type Ranked struct {
	Path     wiki.PagePath
	Blob     string
	Title    string
	Category string
	Language string
	Tags     []string
	Words    int
	Chunk    int // of the page, from 0
	Chunks   int
	Start    int // bytes of the chunk in the page's source
	End      int
	Line     int
	Sections []string
	Anchor   string
	Score    float64 // 0 to 1; orders one answer
	Every    bool    // the page holds every part of the query
	Named    bool    // the query is the page's name
	Arms     Arms
}

// Ranking is the pages that were found, best first.
type Ranking struct {
	Pages   []Ranked // as many as were asked for
	Total   int
	Every   int          // of Total, those with every part of the query
	Unknown []query.Term // words without a hit
	Arms    Arms         // that answered
	Partial bool         // the work was bounded: something may be missing
}

// everyAtMost is up to how many parts of a query pages that hold all of them come
// before pages that hold some. Longer queries are questions, and rank by score alone.
const everyAtMost = 4

// found is a page on its way into a ranking.
type found struct {
	slot, doc uint32
	tier      uint8
	score     float32
}

// Pages ranks pages, each by its best chunk, and returns those from offset on, limit
// at most; a negative limit returns all. Pages whose name is the query come first,
// then those that hold all of its words, then the others. The cost grows with the
// number of chunks that hold one of the words, and for the arms beside words with
// the number of chunks.
func (x *Index) Pages(ctx context.Context, q Question, offset, limit int) (*Ranking, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	q = x.answerable(q)
	s, err := x.score(ctx, q)
	if err != nil {
		return nil, err
	}
	defer s.release()
	out := &Ranking{Unknown: s.unknown, Arms: s.arms, Partial: s.partial}
	a := x.gather(s, x.filter(q))
	defer x.release(a)
	tiered := s.groups > 1 && s.groups <= everyAtMost && q.Lexical
	named := x.named(q)
	list := a.list[:0]
	var best float32
	for _, slot := range a.touched {
		if !s.holds(slot, a.masks[slot]) {
			continue
		}
		f := found{slot: slot, doc: a.doc[slot], score: a.score[slot]}
		if s.every(a.masks[slot]) {
			out.Every++
			if tiered {
				f.tier = 1
			}
		}
		if named[slot] {
			f.tier = 2
		}
		best = max(best, f.score)
		list = append(list, f)
	}
	a.list = list
	out.Total = len(list)
	for _, f := range x.top(list, offset, limit) {
		r := x.ranked(f)
		r.Every, r.Named, r.Arms = s.every(a.masks[f.slot]), named[f.slot], a.arms[f.slot]
		r.Score = score(f, best, tiered)
		out.Pages = append(out.Pages, r)
	}
	return out, nil
}

// score maps a page's rank to 0 … 1 so that a better place never has a lower score:
// a name is 1, all words 0.5 to 1, some words below 0.5; without tiers it is the share
// of the best score.
func score(f found, best float32, tiered bool) float64 {
	share := 0.0
	if best > 0 {
		share = float64(f.score / best)
	}
	switch {
	case f.tier == 2:
		return 1
	case !tiered:
		return share
	case f.tier == 1:
		return 0.5 + share/2
	}
	return share / 2
}

// named are the slots of the pages whose path, name, title or alias is the query.
func (x *Index) named(q Question) map[uint32]bool {
	if !q.Lexical || len(q.Query.Groups) == 0 {
		return nil
	}
	out := map[uint32]bool{}
	for _, slot := range x.byName[wiki.Fold(q.Query.Text())] {
		out[slot] = true
	}
	return out
}

func (x *Index) ranked(f found) Ranked {
	p, d := x.pages[f.slot], &x.docs[f.doc]
	return Ranked{
		Path: p.path, Blob: p.blob, Title: p.title, Category: p.category, Language: p.language, Tags: p.tags, Words: p.words,
		Chunk: int(d.n), Chunks: len(p.docs), Start: int(d.start), End: int(d.end), Line: int(d.line), Sections: d.sections, Anchor: d.anchor,
	}
}

// better orders pages: tier, score, path.
func (x *Index) better(a, b found) int {
	if a.tier != b.tier {
		return cmp.Compare(b.tier, a.tier)
	}
	if a.score != b.score {
		return cmp.Compare(b.score, a.score)
	}
	return cmp.Compare(x.pages[a.slot].path, x.pages[b.slot].path)
}

// top is list[offset:offset+limit] of the sorted list, without sorting all of it.
func (x *Index) top(list []found, offset, limit int) []found {
	if offset >= len(list) {
		return nil
	}
	n := len(list)
	if limit >= 0 {
		n = min(n, offset+limit)
	}
	if n < len(list) {
		h := worst{x, list[:n:n]}
		heap.Init(&h)
		for _, f := range list[n:] {
			if x.better(f, h.list[0]) < 0 {
				h.list[0] = f
				heap.Fix(&h, 0)
			}
		}
		list = h.list
	}
	slices.SortFunc(list, x.better)
	return list[offset:n]
}

// worst is a heap with the worst page on top.
type worst struct {
	x    *Index
	list []found
}

func (h *worst) Len() int           { return len(h.list) }
func (h *worst) Less(i, j int) bool { return h.x.better(h.list[i], h.list[j]) > 0 }
func (h *worst) Swap(i, j int)      { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *worst) Push(any)           {} // its size never changes
func (h *worst) Pop() any           { return nil }

// gathered is scores of documents taken together by page.
type gathered struct {
	score   []float32 // by slot
	doc     []uint32  // the best document, by slot
	masks   []uint32  // groups that the page holds, by slot
	arms    []Arms    // that found it, by slot
	seen    []bool
	touched []uint32 // slots
	list    []found
}

func (x *Index) gather(s *scored, keep func(slot uint32) bool) *gathered {
	a, ok := x.gathered.Get().(*gathered)
	if !ok {
		a = &gathered{}
	}
	a.resize(len(x.pages))
	for i, id := range s.ids {
		slot, score := x.docs[id].page, s.scores[i]
		if !a.seen[slot] {
			if keep != nil && !keep(slot) {
				continue
			}
			a.seen[slot] = true
			a.touched = append(a.touched, slot)
			a.score[slot], a.doc[slot], a.masks[slot], a.arms[slot] = score, id, s.masks[i], s.byOf(i)
			continue
		}
		a.masks[slot] |= s.masks[i]
		a.arms[slot] |= s.byOf(i)
		if score > a.score[slot] || score == a.score[slot] && x.docs[id].n < x.docs[a.doc[slot]].n {
			a.score[slot], a.doc[slot] = score, id
		}
	}
	return a
}

func (a *gathered) resize(n int) {
	a.touched = a.touched[:0]
	if cap(a.seen) < n {
		n += n / 8 // a wiki that grows does not make it anew each time
		a.score, a.doc, a.masks, a.arms, a.seen = make([]float32, n), make([]uint32, n), make([]uint32, n), make([]Arms, n), make([]bool, n)
		return
	}
	n = cap(a.seen)
	a.score, a.doc, a.masks, a.arms, a.seen = a.score[:n], a.doc[:n], a.masks[:n], a.arms[:n], a.seen[:n]
}

func (x *Index) release(a *gathered) {
	for _, slot := range a.touched {
		a.seen[slot] = false
	}
	x.gathered.Put(a)
}
