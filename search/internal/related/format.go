package related

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"wikibot/wiki"
)

// The format of a saved Model, numbers little-endian:
//
//	"wbrel\x01"             the name and the version
//	uvarint dim             0 … 4096
//	uvarint terms           of the corpus
//	⌈terms/8⌉ bytes         bit t%8 of byte t/8: term t has a vector
//	dim float32 for each    in the order of the terms, weighted
//	uint32                  CRC-32C of everything above
const magic = "wbrel\x01"

// maxDim bounds Options.Dim.
const maxDim = 4096

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// Append appends the saved form of the Model to b.
func (m *Model) Append(b []byte) []byte {
	start := len(b)
	b = append(b, magic...)
	b = binary.AppendUvarint(b, uint64(m.Dim()))
	b = binary.AppendUvarint(b, uint64(len(m.row)))
	known := make([]byte, (len(m.row)+7)/8)
	for t, r := range m.row {
		if r >= 0 {
			known[t/8] |= 1 << (t % 8)
		}
	}
	b = append(b, known...)
	for _, r := range m.row {
		if r < 0 {
			continue
		}
		for _, x := range m.vectors.row(int(r))[:m.Dim()] {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli()))
}

// Read takes a saved Model from the beginning of b and gives back what follows it.
// Damaged input is an ErrInvalid. It takes memory in proportion to the bytes that
// are there, not to the numbers that they claim.
func Read(b []byte) (m *Model, rest []byte, err error) {
	damaged := func(what string) (*Model, []byte, error) {
		return nil, nil, wiki.Invalid("related", "the saved model of related terms is damaged (%s): delete the file and it is made again", what)
	}
	all := b
	if len(b) < len(magic) || string(b[:len(magic)]) != magic {
		return damaged("not of this version")
	}
	b = b[len(magic):]
	dim, k := binary.Uvarint(b)
	if k <= 0 || dim > maxDim {
		return damaged("dimension")
	}
	b = b[k:]
	terms, k := binary.Uvarint(b)
	if k <= 0 || terms > 8*uint64(len(b)-k) {
		return damaged("size")
	}
	known := b[k : k+(int(terms)+7)/8]
	b = b[k+len(known):]
	if terms%8 != 0 && known[len(known)-1]>>(terms%8) != 0 {
		return damaged("terms")
	}
	count := 0
	for t := range int(terms) {
		count += int(known[t/8] >> (t % 8) & 1)
	}
	size := count * int(dim) * 4
	if size+4 > len(b) {
		return damaged("cut short")
	}
	if binary.LittleEndian.Uint32(b[size:]) != crc32.Checksum(all[:len(all)-len(b)+size], castagnoli()) {
		return damaged("checksum")
	}
	m = &Model{row: make([]int32, terms), vectors: newDense(count, int(dim))}
	r := int32(0)
	for t := range m.row {
		m.row[t] = -1
		if known[t/8]>>(t%8)&1 == 1 {
			m.row[t] = r
			r++
		}
	}
	for i := range count * int(dim) {
		x := math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		if !(math.Abs(float64(x)) < 1e12) { // NaN among it
			return damaged("a number that no model has")
		}
		m.vectors.row(i / int(dim))[i%int(dim)] = x
	}
	return m, b[size+4:], nil
}
