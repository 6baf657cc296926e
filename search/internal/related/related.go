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
	"cmp"
	"math"
	"slices"

	"wikibot/search/internal/simd"
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
	row     []int32 // term → row of vectors, or -1; as long as the corpus had terms
	vectors dense   // a term's vector, times its weight in a document
}

// Dim is the length of the vectors.
func (m *Model) Dim() int { return m.vectors.width }

// Len is how many terms have a vector.
func (m *Model) Len() int { return m.vectors.rows() }

// Bytes is the memory that the Model holds: 4·Dim for each term with a vector and
// 4 for each term of the corpus.
func (m *Model) Bytes() int64 { return 4 * int64(cap(m.row)+cap(m.vectors.data)) }

// find is the row of a term, or -1.
func (m *Model) find(t uint32) int {
	if uint64(t) >= uint64(len(m.row)) {
		return -1
	}
	return int(m.row[t])
}

// Embed is the direction of a document or a query, of length 1: the weighted sum
// of the vectors of its terms, a repeated term counting repeatedly. It is nil when
// no term has a vector, or when they cancel out. It costs Dim additions a token.
func (m *Model) Embed(tokens []uint32) []float32 {
	out := make([]float32, m.vectors.stride)
	if !m.embed(tokens, out) {
		return nil
	}
	return out[:m.Dim()]
}

// embed is Embed into out, which has room for a row.
func (m *Model) embed(tokens []uint32, out []float32) bool {
	clear(out)
	for _, t := range tokens {
		if r := m.find(t); r >= 0 {
			simd.Add(out, 1, m.vectors.row(r))
		}
	}
	return normalise(out)
}

// Near is the n terms nearest to a term by cosine, nearest first, without itself;
// none if the term has no vector. It looks at every term:
// 2·Len·Dim multiplications, about 3 ms for 50,000 terms, and memory for Len scores.
func (m *Model) Near(term uint32, n int) []uint32 {
	self := m.find(term)
	if self < 0 || n <= 0 || m.Dim() == 0 {
		return nil
	}
	type scored struct {
		term uint32
		cos  float32
	}
	compare := func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.cos, a.cos), cmp.Compare(a.term, b.term))
	}
	var near []scored // the best n so far, in order
	cos, size := make([]float32, m.Len()), make([]float32, 1)
	simd.Dots(m.vectors.row(self), m.vectors.data, cos)
	for t, r := range m.row {
		if r < 0 || int(r) == self {
			continue
		}
		row := m.vectors.row(int(r))
		if simd.Dots(row, row, size); size[0] == 0 {
			continue
		}
		s := scored{uint32(t), cos[r] / float32(math.Sqrt(float64(size[0])))}
		at, _ := slices.BinarySearchFunc(near, s, compare)
		if at == n {
			continue
		}
		if len(near) == n {
			near = near[:n-1]
		}
		near = slices.Insert(near, at, s)
	}
	terms := make([]uint32, len(near))
	for i := range terms {
		terms[i] = near[i].term
	}
	return terms
}
