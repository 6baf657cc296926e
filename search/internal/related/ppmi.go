package related

import (
	"context"
	"slices"
)

// sparse is a symmetric matrix: row r has values[start[r]:start[r+1]] in the
// columns of the same places.
type sparse struct {
	start   []int
	columns []int32
	values  []float32
}

func (s *sparse) rows() int { return len(s.start) - 1 }

// ppmi counts which rows stand near each other and weighs the counts. A pair at a
// distance of d words counts window−d+1 (the dynamic window of word2vec), in whole
// numbers, so that the sum does not depend on an order.
//
// Smoothing takes the contexts' counts to the power of α and makes the matrix
// unsymmetric; the mean of both directions is as good, and half the work to
// factor: ln n(w,c) − (1+α)/2·(ln n(w) + ln n(c)) + ln Σ n^α − ln k.
func ppmi(ctx context.Context, v *terms, o Options) (*sparse, error) {
	near := make([]float64, len(v.seen)) // n(w)
	at := make([][]int32, len(v.seen))   // where each row stands in the stream
	for i, w := range v.stream {
		if w == gap {
			continue
		}
		at[w] = append(at[w], int32(i))
		around(v.stream, i, o.Window, func(_ int32, n uint32) { near[w] += float64(n) })
	}
	var sum float64
	minus := make([]float64, len(near))
	for w, n := range near {
		if n > 0 {
			sum += pow(n, o.Smooth)
			minus[w] = (1 + o.Smooth) / 2 * ln(n)
		}
	}
	plus := ln(max(sum, 1)) - ln(o.Shift)
	p := &sparse{start: make([]int, 1, len(v.seen)+1)}
	counts := make([]uint32, len(v.seen))
	var found []int32
	for w := range at {
		if w%64 == 0 {
			o.Yield()
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		found = found[:0]
		for _, i := range at[w] {
			around(v.stream, int(i), o.Window, func(c int32, n uint32) {
				if counts[c] == 0 {
					found = append(found, c)
				}
				counts[c] += n
			})
		}
		slices.Sort(found)
		for _, c := range found {
			if x := ln(float64(counts[c])) - minus[w] - minus[c] + plus; x > 0 {
				p.columns = append(p.columns, c)
				p.values = append(p.values, float32(x))
			}
			counts[c] = 0
		}
		p.start = append(p.start, len(p.columns))
	}
	return p, nil
}

// around calls fn with each row near place i of the stream and what it counts.
func around(stream []int32, i, window int, fn func(c int32, n uint32)) {
	for d := 1; d <= window && i-d >= 0 && stream[i-d] != gap; d++ {
		fn(stream[i-d], uint32(window-d+1))
	}
	for d := 1; d <= window && i+d < len(stream) && stream[i+d] != gap; d++ {
		fn(stream[i+d], uint32(window-d+1))
	}
}
