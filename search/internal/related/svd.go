package related

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"wikibot/search/internal/simd"
)

const (
	oversample = 16 // columns more than wanted, Halko et al. §4.3
	iterations = 2  // of the subspace, Halko et al. algorithm 4.4
)

// space is a truncated eigendecomposition U·Λ·Uᵀ of the core's symmetric matrix. Its
// singular values are |Λ|.
type space struct {
	dim     int
	u       dense     // core rows, dim columns
	scale   []float64 // |λ|^power, of each column
	inverse []float64 // |λ|^power ÷ λ: what takes a row of PPMI·U to its vector
}

// factor finds the largest eigenvalues, by amount, and their vectors by randomised
// subspace iteration (Halko, Martinsson and Tropp, "Finding structure with
// randomness", SIAM Review 2011) from a fixed seed. There are as many columns as
// wanted or as the matrix has rank, whichever is less.
func factor(w worker, m sparse, o Options) (*space, error) {
	width := min(o.Dim+oversample, len(m))
	q, y := newDense(len(m), width), newDense(len(m), width)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range len(m) {
		for j := range width {
			q.row(i)[j] = float32(r.NormFloat64())
		}
	}
	for range iterations + 1 {
		if err := m.times(w, q, y); err != nil {
			return nil, err
		}
		q, y = y, q
		if err := q.orthonormalise(w, y); err != nil {
			return nil, err
		}
	}
	if err := q.orthonormalise(w, y); err != nil { // again, for its precision
		return nil, err
	}
	if err := m.times(w, q, y); err != nil {
		return nil, err
	}
	g, err := gram(w, q, y)
	if err != nil {
		return nil, err
	}
	values, vectors, err := eigen(w, g, width)
	if err != nil {
		return nil, err
	}
	order := make([]int, width)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(math.Abs(values[b]), math.Abs(values[a]))
	})
	s := &space{}
	for s.dim < min(o.Dim, width) && math.Abs(values[order[s.dim]]) > 1e-3*math.Abs(values[order[0]]) {
		s.dim++
	}
	right := newDense(width, s.dim)
	for k, from := range order[:s.dim] {
		for i := range width {
			right.row(i)[k] = float32(vectors[i*width+from])
		}
		scale := math.Pow(math.Abs(values[from]), o.Power)
		s.scale = append(s.scale, scale)
		s.inverse = append(s.inverse, scale/values[from])
	}
	s.u = newDense(len(m), s.dim)
	return s, q.times(w, right, s.u, false)
}

// times sets y to m·x.
func (m sparse) times(w worker, x, y dense) error {
	for i, row := range m {
		if i%16 == 0 {
			if err := w.next(); err != nil {
				return err
			}
		}
		yi := y.row(i)
		clear(yi)
		for k, c := range row.columns {
			simd.Add(yi, row.values[k], x.row(int(c)))
		}
	}
	return nil
}
