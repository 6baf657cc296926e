package index

import (
	"cmp"
	"context"
	"slices"
)

// Chunks ranks chunks instead of pages: the n best, at most perPage of one page. As
// many as 50 are looked at before those of one page are cut down. Total is how many
// were found.
func (x *Index) Chunks(ctx context.Context, q Question, n, perPage int) (*Ranking, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	q = x.answerable(q)
	s, err := x.score(ctx, q)
	if err != nil {
		return nil, err
	}
	defer s.release()
	out := &Ranking{Unknown: s.unknown, Arms: s.arms, Partial: s.partial}
	keep := x.filter(q)
	pages := x.pageMasks(s)
	var list []int // places in s
	for i, id := range s.ids {
		if s.scores[i] > 0 && s.holds(x.docs[id].page, pages(x.docs[id].page)) && (keep == nil || keep(x.docs[id].page)) {
			list = append(list, i)
		}
	}
	out.Total = len(list)
	slices.SortFunc(list, func(a, b int) int {
		if s.scores[a] != s.scores[b] {
			return cmp.Compare(s.scores[b], s.scores[a])
		}
		return x.before(s.ids[a], s.ids[b])
	})
	of := map[uint32]int{}
	for _, i := range list[:min(len(list), 2*n*perPage, 50)] {
		slot := x.docs[s.ids[i]].page
		if of[slot] == perPage {
			continue
		}
		of[slot]++
		r := x.ranked(found{slot: slot, doc: s.ids[i]})
		r.Arms, r.Score, r.Every = s.byOf(i), float64(s.scores[i]), s.every(s.masks[i])
		if s.arms&^Words == 0 && s.scores[list[0]] > 0 { // BM25 has no upper bound of its own
			r.Score /= float64(s.scores[list[0]])
		}
		if out.Pages = append(out.Pages, r); len(out.Pages) == n {
			break
		}
	}
	return out, nil
}

// pageMasks is what groups a page holds in any of its chunks; only a query that must have
// some asks for it.
func (x *Index) pageMasks(s *scored) func(slot uint32) uint32 {
	if s.must == 0 {
		return func(uint32) uint32 { return 0 }
	}
	of := map[uint32]uint32{}
	for i, id := range s.ids {
		of[x.docs[id].page] |= s.masks[i]
	}
	return func(slot uint32) uint32 { return of[slot] }
}

// before orders documents by page and place.
func (x *Index) before(a, b uint32) int {
	if c := cmp.Compare(x.pages[x.docs[a].page].path, x.pages[x.docs[b].page].path); c != 0 {
		return c
	}
	return cmp.Compare(x.docs[a].n, x.docs[b].n)
}
