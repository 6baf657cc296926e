package related

import (
	"math"

	"wikibot/search/internal/simd"
)

// newModel has the core's vectors, without weights, and zeros for the others.
func newModel(v *terms, s *space) *Model {
	m := &Model{row: v.row, vectors: newDense(len(v.seen), s.dim)}
	for r := range v.core {
		u, to := s.u.row(r), m.vectors.row(r)
		for i, f := range s.scale {
			to[i] = u[i] * float32(f)
		}
	}
	return m
}

// foldIn gives the terms beyond the core the place that the core's would have had
// with their neighbours: since M·U = U·Λ, a row of M times U·Λ⁻¹ is a row of U.
func (m *Model) foldIn(w worker, n *counter, s *space) error {
	if s.dim == 0 {
		return nil
	}
	for r := n.core; r < len(n.seen); r++ {
		if r%64 == 0 {
			if err := w.next(); err != nil {
				return err
			}
		}
		to := m.vectors.row(r)
		n.count(r, func(c uint16, _ uint32, ppmi float64) {
			simd.Add(to, float32(ppmi), s.u.row(int(c)))
		})
		for i, f := range s.inverse {
			to[i] *= float32(f)
		}
	}
	return nil
}

// weigh multiplies each term's vector with its weight in a document, smooth inverse
// frequency.
func (m *Model) weigh(v *terms, o Options) {
	for r, n := range v.seen {
		p := float64(n) / float64(v.total)
		f := float32(o.Weight / (o.Weight + p))
		row := m.vectors.row(r)
		for i := range row {
			row[i] *= f
		}
	}
}

// center takes the direction that all documents have in common out of every vector:
// it tells nothing apart. (Arora et al. take the first principal component, which is
// nearly the same direction.)
func (m *Model) center(w worker, c Corpus) error {
	if m.Dim() == 0 {
		return nil
	}
	mean := make([]float64, m.vectors.stride)
	sum := make([]float32, m.vectors.stride)
	for d, doc := range c.Docs {
		if d%256 == 0 {
			if err := w.next(); err != nil {
				return err
			}
		}
		if m.embed(doc, sum) {
			for i, x := range sum {
				mean[i] += float64(x)
			}
		}
	}
	for i, x := range mean {
		sum[i] = float32(x)
	}
	if !normalise(sum) {
		return nil
	}
	for r := range m.vectors.rows() {
		row := m.vectors.row(r)
		simd.Add(row, -dot(row, sum), sum)
	}
	return nil
}

// normalise brings v to length 1; false if it has no direction.
func normalise(v []float32) bool {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if !(sum > 1e-24) || math.IsInf(sum, 0) {
		return false
	}
	scale := float32(1 / math.Sqrt(sum))
	for i := range v {
		v[i] *= scale
	}
	return true
}

// dot is the dot product, in float64 and in one order, so that every machine gets
// the same bits.
func dot(a, b []float32) float32 {
	var s float64
	for i, x := range a {
		s += float64(x) * float64(b[i])
	}
	return float32(s)
}
