package related

import (
	"math"
	"slices"
)

// counter counts which terms stand near each other and weighs the counts: positive
// pointwise mutual information. A pair at a distance of d words counts window−d+1
// (the dynamic window of word2vec), in whole numbers, so that a sum does not depend on
// its order. Contexts are core terms only.
//
// Smoothing takes the contexts' counts to the power of α and makes the matrix
// unsymmetric. The mean of both directions is as good, and symmetric, so half the work
// to factor: ln n(w,c) − (1+α)/2·(ln n(w) + ln n(c)) + ln Σ n^α − ln k.
type counter struct {
	*terms
	window int
	pairs  int
	at     []int32   // places in the stream, row after row
	start  []int     // row → the first of its places; one more at the end
	minus  []float64 // row → (1+α)/2·ln n
	plus   float64   // ln Σ n^α − ln k

	counts []uint32 // core row → pairs with the row that is being counted; zero between
	found  []uint16 // the core rows that are not zero, ascending
}

func newCounter(w worker, v *terms, o Options) (*counter, error) {
	n := &counter{terms: v, window: o.Window, pairs: o.Pairs, counts: make([]uint32, v.core)}
	n.start = make([]int, len(v.seen)+1)
	for _, r := range v.stream {
		if r != gap {
			n.start[r+1]++
		}
	}
	for r := range v.seen {
		n.start[r+1] += n.start[r]
	}
	n.at = make([]int32, n.start[len(v.seen)])
	next := slices.Clone(n.start)
	near := make([]float64, len(v.seen))
	for i, r := range v.stream {
		if i%10_000 == 0 {
			if err := w.next(); err != nil {
				return nil, err
			}
		}
		if r == gap {
			continue
		}
		n.at[next[r]] = int32(i)
		next[r]++
		n.around(i, func(_ int32, weight uint32) { near[r] += float64(weight) })
	}
	var sum float64
	n.minus = make([]float64, len(near))
	for r, x := range near {
		if x > 0 {
			sum += math.Pow(x, o.Smooth)
			n.minus[r] = (1 + o.Smooth) / 2 * math.Log(x)
		}
	}
	n.plus = math.Log(max(sum, 1)) - math.Log(o.Shift)
	return n, nil
}

// around calls fn with each row near place i of the stream and what it counts.
func (n *counter) around(i int, fn func(c int32, weight uint32)) {
	for d := 1; d <= n.window && i-d >= 0 && n.stream[i-d] != gap; d++ {
		fn(n.stream[i-d], uint32(n.window-d+1))
	}
	for d := 1; d <= n.window && i+d < len(n.stream) && n.stream[i+d] != gap; d++ {
		fn(n.stream[i+d], uint32(n.window-d+1))
	}
}

// count calls fn with each core row that stands near row r, ascending, with the
// count and the PPMI, where that is positive.
func (n *counter) count(r int, fn func(c uint16, count uint32, ppmi float64)) {
	n.found = n.found[:0]
	core := int32(n.core)
	for _, i := range n.at[n.start[r]:n.start[r+1]] {
		n.around(int(i), func(c int32, weight uint32) {
			if c >= core {
				return
			}
			if n.counts[c] == 0 {
				n.found = append(n.found, uint16(c))
			}
			n.counts[c] += weight
		})
	}
	slices.Sort(n.found)
	for _, c := range n.found {
		if x := math.Log(float64(n.counts[c])) - n.minus[r] - n.minus[c] + n.plus; x > 0 {
			fn(c, n.counts[c], x)
		}
		n.counts[c] = 0
	}
}

// sparse is a matrix of core rows.
type sparse []sparseRow

type sparseRow struct {
	columns []uint16
	values  []float32
}

// matrix is the PPMI of the core rows with one another, a symmetric matrix of about
// counter.pairs values at most: where there would be more, pairs that were counted
// too seldom are left out.
func (n *counter) matrix(w worker) (sparse, error) {
	least, err := n.least(w)
	if err != nil {
		return nil, err
	}
	m := make(sparse, n.core)
	var row sparseRow
	for r := range m {
		if err := w.next(); err != nil {
			return nil, err
		}
		row.columns, row.values = row.columns[:0], row.values[:0]
		n.count(r, func(c uint16, count uint32, ppmi float64) {
			if count >= least {
				row.columns = append(row.columns, c)
				row.values = append(row.values, float32(ppmi))
			}
		})
		m[r] = sparseRow{slices.Clone(row.columns), slices.Clone(row.values)}
	}
	return m, nil
}

// least is the smallest count with which about counter.pairs pairs are left, judged
// by about a thousand rows.
func (n *counter) least(w worker) (uint32, error) {
	if len(n.at)*min(2*n.window, n.core) <= n.pairs {
		return 1, nil
	}
	const top = 1 << 12 // more pairs than Options.Pairs cannot be that frequent
	step := max(1, n.core/1024)
	pairs := make([]int, top) // by count
	for r := 0; r < n.core; r += step {
		if err := w.next(); err != nil {
			return 0, err
		}
		n.count(r, func(_ uint16, count uint32, _ float64) { pairs[min(count, top-1)]++ })
	}
	left := 0
	for count := top - 1; count > 0; count-- {
		if left += pairs[count] * step; left > n.pairs {
			return uint32(count + 1), nil
		}
	}
	return 1, nil
}
