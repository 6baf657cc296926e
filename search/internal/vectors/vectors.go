// Package vectors keeps one vector for each document and finds the nearest ones
// to a query by looking at all of them.
//
// An exact scan reads n·dim·4 bytes: at 384 dimensions one core looks at 100,000
// vectors in about 10 ms where it has AVX2, so no approximate index (HNSW, IVF) is
// needed for a wiki, nothing must be tuned or trained, and an answer depends on
// the vectors alone, not on the way that led to them.
//
// Vectors are normalised when they are put in, so the dot product with a
// normalised query is the cosine.
package vectors

import (
	"math"
	"sync"

	"wikibot/search/internal/simd"
	"wikibot/wiki"
)

// MaxID is the largest id that a Set takes. Ids are meant to be dense: a Set
// holds four bytes for every id below its largest one.
const MaxID = 1<<24 - 1

// MaxDim is the most dimensions that a Set takes.
const MaxDim = 1 << 14

// Absent is the score of an id without a vector, below every cosine.
const Absent = -2

// Set is a set of vectors of one length, each under an id. One writer and any
// number of readers may use it at the same time; a scan sees the Set as it was
// at one moment, so a writer waits for the scans under way.
//
// Rows lie one after the other in one array, without gaps: removing one moves
// the last one into its place.
type Set struct {
	dim, stride int // stride: dim rounded up to a multiple of simd.Lanes; the rest is zero

	writing sync.Mutex   // held by the writer throughout
	mu      sync.RWMutex // guards what follows; the writer takes it only to change things
	rows    []float32    // len(ids)·stride
	ids     []uint32     // row → id
	row     []int32      // id → row, or -1
}

// New makes an empty Set for vectors of dim numbers, 0 ≤ dim ≤ MaxDim; it panics on
// another dim, which is a mistake of the program. With dim 0 it stays empty.
func New(dim int) *Set {
	if dim < 0 || dim > MaxDim {
		panic("vectors: impossible dimension")
	}
	return &Set{dim: dim, stride: (dim + simd.Lanes - 1) / simd.Lanes * simd.Lanes}
}

// Dim is the length of the vectors.
func (s *Set) Dim() int { return s.dim }

// Len is how many vectors there are.
func (s *Set) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.ids)
}

// Bytes is the memory that the Set holds, about 4·dim + 8 bytes for each vector
// and up to a quarter more as room to grow.
func (s *Set) Bytes() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return 4 * (int64(cap(s.rows)) + int64(cap(s.ids)) + int64(cap(s.row)))
}

// Has says whether there is a vector under id.
func (s *Set) Has(id uint32) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.find(id) >= 0
}

// Get is a copy of the vector under id as it is kept, normalised; nil if there is none.
func (s *Set) Get(id uint32) []float32 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.find(id)
	if r < 0 {
		return nil
	}
	return append([]float32(nil), s.rows[r*s.stride:r*s.stride+s.dim]...)
}

// Put keeps v, brought to length 1, under id, in place of a former one; v stays
// the caller's. It is an ErrInvalid, and nothing changes, if v has another length
// than the Set's, holds NaN or an infinity, or is all zero (it has no direction,
// so no cosine), or if id is over MaxID.
func (s *Set) Put(id uint32, v []float32) error {
	if id > MaxID {
		return wiki.Invalid("id", "vector id %d is over %d: ids must be dense", id, MaxID)
	}
	unit, err := s.normalised(v)
	if err != nil {
		return err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	s.reserve(int(id)+1, len(s.ids)+1)
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(id)
	if r < 0 {
		r = len(s.ids)
		s.ids = append(s.ids, id)
		s.rows = s.rows[:len(s.ids)*s.stride]
		for len(s.row) <= int(id) {
			s.row = append(s.row, -1)
		}
		s.row[id] = int32(r)
	}
	copy(s.rows[r*s.stride:(r+1)*s.stride], unit)
	return nil
}

// Delete removes the vector under id, if there is one.
func (s *Set) Delete(id uint32) {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.find(id)
	if r < 0 {
		return
	}
	last := len(s.ids) - 1
	copy(s.rows[r*s.stride:(r+1)*s.stride], s.rows[last*s.stride:])
	s.ids[r] = s.ids[last]
	s.row[s.ids[r]] = int32(r)
	s.row[id] = -1
	s.ids = s.ids[:last]
	s.rows = s.rows[:last*s.stride]
}

// find is the row of id or -1.
func (s *Set) find(id uint32) int {
	if int64(id) >= int64(len(s.row)) {
		return -1
	}
	return int(s.row[id])
}

// reserve makes room for ids below n and for rows vectors. The copy is made
// beside the readers, who wait for the exchange only.
func (s *Set) reserve(n, rows int) {
	bigRow, bigIDs, bigRows := s.row, s.ids, s.rows
	if n > cap(bigRow) {
		bigRow = append(make([]int32, 0, roomier(cap(bigRow), n)), bigRow...)
	}
	if rows > cap(bigIDs) || rows*s.stride > cap(bigRows) {
		room := roomier(cap(bigIDs), rows)
		bigIDs = append(make([]uint32, 0, room), bigIDs...)
		bigRows = append(make([]float32, 0, room*s.stride), bigRows...)
	}
	s.mu.Lock()
	s.row, s.ids, s.rows = bigRow, bigIDs, bigRows
	s.mu.Unlock()
}

func roomier(has, needs int) int { return max(needs, has+has/4, 16) }

// normalised is v at length 1, padded with zeros to a whole row, or an ErrInvalid.
func (s *Set) normalised(v []float32) ([]float32, error) {
	if len(v) != s.dim {
		return nil, wiki.Invalid("vector", "a vector has %d dimensions where the index has %d: the model has changed; embed everything again", len(v), s.dim)
	}
	var sum float64 // the square of any float32 fits
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if math.IsNaN(sum) || math.IsInf(sum, 0) {
		return nil, wiki.Invalid("vector", "a vector holds NaN or an infinity: the model or its endpoint is broken")
	}
	if sum == 0 {
		return nil, wiki.Invalid("vector", "a vector is all zero and so has no direction: the model or its endpoint is broken")
	}
	unit := make([]float32, s.stride)
	scale := 1 / math.Sqrt(sum)
	for i, x := range v {
		unit[i] = float32(float64(x) * scale)
	}
	return unit, nil
}
