// Package related learns from a wiki's own text which words are related, so that a
// search finds a document that says "car" when it is asked for "automobile". It
// needs no model from elsewhere and nothing leaves the machine.
//
// Words that stand near the same words get near vectors: the counts of
// co-occurrence within a window are turned into positive pointwise mutual
// information (PPMI) and that matrix is factored by a truncated singular value
// decomposition. Levy, Goldberg and Dagan, "Improving Distributional Similarity
// with Lessons Learned from Word Embeddings" (TACL 2015) is the source of the
// method and of its settings; Levy and Goldberg, "Neural Word Embedding as Implicit
// Matrix Factorization" (NIPS 2014) of the shift. A document or a query is the mean
// of its words' vectors, rare words counting more (Arora, Liang and Ma, "A Simple
// but Tough-to-Beat Baseline for Sentence Embeddings", ICLR 2017).
//
// It finds related terms. It is not paraphrase search, and an answer that used it
// should call it what it is.
package related

import (
	"math"
	"slices"
)

// Corpus is what a Model is fitted to: the documents as term ids in the order of
// the text, every id below Terms. The model depends on the ids, on the order of
// words within a document and on the order of the documents, so equal wikis give
// equal models if the ids and the documents are in a canonical order.
type Corpus struct {
	Terms int
	Docs  [][]uint32
}

// Model holds a vector for each term that the corpus had often enough. It does not
// change any more and may be used by any number of goroutines.
type Model struct {
	dim     int
	row     []int32   // term → row, or -1; as long as the corpus had terms
	vectors []float32 // rows·dim; a term's vector, times its weight in a document
}

// Dim is the length of the vectors.
func (m *Model) Dim() int { return m.dim }

// Len is how many terms have a vector.
func (m *Model) Len() int {
	if m.dim == 0 {
		return 0
	}
	return len(m.vectors) / m.dim
}

// Bytes is the memory that the Model holds: 4·Dim for each term with a vector and
// 4 for each term of the corpus.
func (m *Model) Bytes() int64 { return 4 * int64(cap(m.row)+cap(m.vectors)) }

// vector is the weighted vector of a term, or nil.
func (m *Model) vector(t uint32) []float32 {
	if uint64(t) >= uint64(len(m.row)) || m.row[t] < 0 {
		return nil
	}
	r := int(m.row[t])
	return m.vectors[r*m.dim : (r+1)*m.dim]
}

// Embed is the direction of a document or a query, of length 1: the weighted sum
// of the vectors of its terms, a repeated term counting repeatedly. It is nil when
// no term has a vector, or when they cancel out. It costs Dim additions a token.
func (m *Model) Embed(tokens []uint32) []float32 {
	out := make([]float32, m.dim)
	for _, t := range tokens {
		for i, x := range m.vector(t) {
			out[i] += x
		}
	}
	if !normalise(out) {
		return nil
	}
	return out
}

// Near is the n terms nearest to a term by cosine, nearest first, without itself;
// none if the term has no vector. It looks at every term: Len·Dim multiplications.
func (m *Model) Near(term uint32, n int) []uint32 {
	v := m.vector(term)
	if v == nil || n <= 0 {
		return nil
	}
	type scored struct {
		term uint32
		cos  float32
	}
	near := make([]scored, 0, m.Len())
	for t, r := range m.row {
		if r < 0 || uint32(t) == term {
			continue
		}
		w := m.vector(uint32(t))
		if d := dot(w, w); d > 0 {
			near = append(near, scored{uint32(t), dot(v, w) / float32(math.Sqrt(float64(d)))})
		}
	}
	slices.SortFunc(near, func(a, b scored) int {
		switch {
		case a.cos > b.cos || a.cos == b.cos && a.term < b.term:
			return -1
		}
		return 1
	})
	terms := make([]uint32, min(n, len(near)))
	for i := range terms {
		terms[i] = near[i].term
	}
	return terms
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

// dot is the dot product, in four sums side by side, because each addition waits
// for the one before it.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + (s2 + s3)
}
