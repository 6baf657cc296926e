package vectors

import (
	"context"
	"slices"

	"wikibot/search/internal/simd"
)

// Scored is an id and its cosine with the query, in [-1, 1] up to rounding.
type Scored struct {
	ID    uint32
	Score float32
}

// block is how many rows are scored at a time: their scores fit on the stack,
// and a scan that nobody waits for any more ends within a block.
const block = 256

// Top is the k vectors nearest to q by cosine, best first, ties by the smaller
// id; fewer if there are fewer. allow, unless nil, says which ids may be among
// them; it is asked only about those that would be, and must not use the Set. q
// need not have length 1; a q that Put would refuse is an ErrInvalid. When ctx
// ends, so does the scan, with ctx's error.
//
// It takes len·dim multiplications and memory for k results, no more than there
// are vectors.
func (s *Set) Top(ctx context.Context, q []float32, k int, allow func(id uint32) bool) ([]Scored, error) {
	unit, err := s.normalised(q)
	if err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	best := worstFirst{k: min(k, len(s.ids))}
	if best.k <= 0 {
		return nil, ctx.Err()
	}
	var scores [block]float32
	for from := 0; from < len(s.ids); from += block {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		ids := s.ids[from:min(from+block, len(s.ids))]
		simd.Dots(unit, s.rows[from*s.stride:], scores[:len(ids)])
		for i, id := range ids {
			if c := (Scored{id, scores[i]}); best.wants(c) && (allow == nil || allow(id)) {
				best.push(c)
			}
		}
	}
	slices.SortFunc(best.heap, func(a, b Scored) int {
		if worse(b, a) {
			return -1
		}
		return 1
	})
	return best.heap, nil
}

// Scores is the cosine of q with every vector: Scores(q, out)[id], and Absent
// where there is none; ids past its end have none either. It uses out's memory
// if that is large enough. A q that Put would refuse gives an empty slice.
func (s *Set) Scores(q []float32, out []float32) []float32 {
	unit, err := s.normalised(q)
	if err != nil {
		return out[:0]
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	out = slices.Grow(out[:0], len(s.row))[:len(s.row)]
	for i := range out {
		out[i] = Absent
	}
	var scores [block]float32
	for from := 0; from < len(s.ids); from += block {
		ids := s.ids[from:min(from+block, len(s.ids))]
		simd.Dots(unit, s.rows[from*s.stride:], scores[:len(ids)])
		for i, id := range ids {
			out[id] = scores[i]
		}
	}
	return out
}

// worstFirst is a binary heap of the k best so far, the worst of them at the root.
type worstFirst struct {
	heap []Scored
	k    int
}

// worse orders by score, then by id, the larger one being worse.
func worse(a, b Scored) bool {
	return a.Score < b.Score || a.Score == b.Score && a.ID > b.ID
}

func (w *worstFirst) wants(c Scored) bool {
	return len(w.heap) < w.k || worse(w.heap[0], c)
}

// push takes in a c that is wanted.
func (w *worstFirst) push(c Scored) {
	if len(w.heap) < w.k {
		w.heap = append(w.heap, c)
		for i := len(w.heap) - 1; i > 0; {
			up := (i - 1) / 2
			if !worse(w.heap[i], w.heap[up]) {
				break
			}
			w.heap[i], w.heap[up] = w.heap[up], w.heap[i]
			i = up
		}
		return
	}
	w.heap[0] = c
	for i := 0; ; {
		down := 2*i + 1
		if down >= len(w.heap) {
			return
		}
		if down+1 < len(w.heap) && worse(w.heap[down+1], w.heap[down]) {
			down++
		}
		if !worse(w.heap[down], w.heap[i]) {
			return
		}
		w.heap[i], w.heap[down] = w.heap[down], w.heap[i]
		i = down
	}
}
