package vectors

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/bits"

	"wikibot/wiki"
)

// The format of a saved Set, numbers little-endian:
//
//	"wbvec\x01"             the name and the version
//	uvarint dim             0 … MaxDim
//	uvarint n               one more than the largest id; 0 for an empty Set
//	⌈n/8⌉ bytes             bit id%8 of byte id/8: there is a vector under id
//	dim float32 for each    in the order of the ids
//	uint32                  CRC-32C of everything above
//
// Two Sets with the same vectors under the same ids are saved as the same bytes.
const magic = "wbvec\x01"

// Append appends the saved form of the Set to b: about 4·dim bytes for each vector.
func (s *Set) Append(b []byte) []byte {
	s.mu.RLock()
	defer s.mu.RUnlock()
	start := len(b)
	n := len(s.row)
	for n > 0 && s.row[n-1] < 0 {
		n--
	}
	b = append(b, magic...)
	b = binary.AppendUvarint(b, uint64(s.dim))
	b = binary.AppendUvarint(b, uint64(n))
	set := make([]byte, (n+7)/8)
	for _, id := range s.ids {
		set[id/8] |= 1 << (id % 8)
	}
	b = append(b, set...)
	for _, r := range s.row[:n] {
		if r < 0 {
			continue
		}
		for _, x := range s.rows[int(r)*s.stride : int(r)*s.stride+s.dim] {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli()))
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// Read takes a saved Set from the beginning of b and gives back what follows it.
// Damaged input is an ErrInvalid. It takes memory in proportion to the bytes that
// are there, not to the numbers that they claim.
func Read(b []byte) (s *Set, rest []byte, err error) {
	damaged := func(what string) (*Set, []byte, error) {
		return nil, nil, wiki.Invalid("vectors", "the saved vectors are damaged (%s): delete the file and they are made again", what)
	}
	all := b
	if len(b) < len(magic) || string(b[:len(magic)]) != magic {
		return damaged("not of this version")
	}
	b = b[len(magic):]
	dim, k := binary.Uvarint(b)
	if k <= 0 || dim > MaxDim {
		return damaged("dimension")
	}
	b = b[k:]
	n, k := binary.Uvarint(b)
	if k <= 0 || n > MaxID+1 || (n+7)/8 > uint64(len(b)-k) {
		return damaged("size")
	}
	set := b[k : k+int(n+7)/8]
	b = b[k+len(set):]
	count := 0
	for _, x := range set {
		count += bits.OnesCount8(x)
	}
	if n > 0 && n != uint64((len(set)-1)*8+bits.Len8(set[len(set)-1])) {
		return damaged("ids")
	}
	size := count * int(dim) * 4
	if size+4 > len(b) {
		return damaged("cut short")
	}
	body := all[:len(all)-len(b)+size]
	if binary.LittleEndian.Uint32(b[size:]) != crc32.Checksum(body, castagnoli()) {
		return damaged("checksum")
	}
	s = New(int(dim))
	if !s.fill(set, int(n), count, b[:size]) {
		return damaged("a vector of another length than 1")
	}
	return s, b[size+4:], nil
}

// fill sets the ids of set to the vectors in b; false if one is not normalised.
func (s *Set) fill(set []byte, n, count int, b []byte) bool {
	s.row = make([]int32, n)
	s.ids = make([]uint32, 0, count)
	s.rows = make([]float32, count*s.stride)
	for id := range s.row {
		if set[id/8]&(1<<(id%8)) == 0 {
			s.row[id] = -1
			continue
		}
		r := len(s.ids)
		s.row[id] = int32(r)
		s.ids = append(s.ids, uint32(id))
		var sum float64
		for i := range s.dim {
			x := math.Float32frombits(binary.LittleEndian.Uint32(b[(r*s.dim+i)*4:]))
			s.rows[r*s.stride+i] = x
			sum += float64(x) * float64(x)
		}
		if !(math.Abs(sum-1) < 1e-3) { // NaN among it
			return false
		}
	}
	return true
}
