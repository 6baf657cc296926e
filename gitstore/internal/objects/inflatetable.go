package objects

import (
	"math/bits"
	"sync"
)

// fixed are the tables of blocks with fixed codes (RFC 1951, 3.2.6).
type fixed struct {
	lit  litTable
	dist distTable
}

// fixedTables makes them once; they never change.
var fixedTables = sync.OnceValue(func() *fixed {
	var lens [maxLit]uint8
	for i := range lens {
		switch {
		case i < 144:
			lens[i] = 8
		case i < 256:
			lens[i] = 9
		case i < 280:
			lens[i] = 7
		default:
			lens[i] = 8
		}
	}
	var dist [maxDist]uint8
	for i := range dist {
		dist[i] = 5
	}
	t := new(fixed)
	if !build(t.lit[:], litBits, lens[:], litEntry) || !build(t.dist[:], distBits, dist[:], distEntry) {
		panic("objects: the fixed codes of DEFLATE are not complete") // they are constants
	}
	return t
})

var (
	lengthBase  = [29]uint16{3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258}
	lengthExtra = [29]uint8{0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0}
	lengthOrder = [19]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}
)

// litEntry is a symbol's entry without its bits; false if it has no meaning.
func litEntry(sym int) (uint32, bool) {
	switch {
	case sym < 256:
		return entryLiteral | uint32(sym)<<16, true
	case sym == 256:
		return entryEnd, true
	case sym < 286:
		return uint32(lengthBase[sym-257])<<16 | uint32(lengthExtra[sym-257])<<8, true
	}
	return 0, false
}

func distEntry(sym int) (uint32, bool) {
	switch {
	case sym < 4:
		return uint32(sym+1) << 16, true
	case sym < 30:
		extra := uint32(sym/2 - 1)
		return ((2+uint32(sym&1))<<extra+1)<<16 | extra<<8, true
	}
	return 0, false
}

// build fills a table for canonical codes of these lengths. Codes that are too
// many or leave gaps are refused, except a single code of one bit, and none at
// all (RFC 1951, 3.2.7).
func build(table []uint32, first int, lens []uint8, entry func(int) (uint32, bool)) bool {
	var count, next [maxBits + 1]int
	for _, n := range lens {
		count[n]++
	}
	count[0] = 0
	code, longest := 0, 0
	for n := 1; n <= maxBits; n++ {
		code = (code + count[n-1]) << 1
		next[n] = code
		if count[n] > 0 {
			longest = n
		}
	}
	clear(table[:1<<first])
	if longest == 0 {
		return true
	}
	if end := next[longest] + count[longest]; end != 1<<longest && !(end == 1 && longest == 1) {
		return false
	}
	sub := 1 << first // where the next second level begins
	for sym, n := range lens {
		if n == 0 {
			continue
		}
		rev := int(bits.Reverse16(uint16(next[n])) >> (16 - n))
		next[n]++
		e, ok := entry(sym)
		if ok {
			e |= uint32(n)
		}
		if int(n) <= first {
			for i := rev; i < 1<<first; i += 1 << n {
				table[i] = e
			}
			continue
		}
		size := longest - first
		at := &table[rev&(1<<first-1)]
		if *at == 0 {
			if sub+1<<size > len(table) {
				return false
			}
			*at = entrySub | uint32(sub)<<16 | uint32(size)<<8
			clear(table[sub : sub+1<<size])
			sub += 1 << size
		}
		begin := int(*at >> 16 & 0x3fff)
		for i := rev >> first; i < 1<<size; i += 1 << (int(n) - first) {
			table[begin+i] = e
		}
	}
	return true
}

// readTables reads the codes of a block that brings its own (RFC 1951, 3.2.7).
func (f *inflater) readTables() error {
	head, ok := f.bits(14)
	nlit, ndist, nlen := head&31+257, head>>5&31+1, head>>10+4
	if !ok || nlit > 286 || ndist > 30 {
		return badStream("bad codes")
	}
	clear(f.lenCodes[:])
	for _, i := range lengthOrder[:nlen] {
		v, ok := f.bits(3)
		if !ok {
			return badStream("it ends early")
		}
		f.lenCodes[i] = uint8(v)
	}
	// The table of distances is free until the lengths have been read.
	if !build(f.dist[:], 7, f.lenCodes[:], func(sym int) (uint32, bool) { return uint32(sym) << 16, true }) {
		return badStream("bad codes")
	}
	if !f.readLengths(nlit + ndist) {
		return badStream("bad codes")
	}
	if !build(f.lit[:], litBits, f.lens[:nlit], litEntry) || !build(f.dist[:], distBits, f.lens[nlit:nlit+ndist], distEntry) {
		return badStream("bad codes")
	}
	return nil
}

// readLengths reads the lengths of both codes, which are run-length encoded.
func (f *inflater) readLengths(total int) bool {
	for i := 0; i < total; {
		if f.cnt < 14 {
			f.refill()
		}
		e := f.dist[f.buf&127]
		n := int(e & 15)
		if n == 0 || n > f.cnt {
			return false
		}
		f.buf >>= uint(n)
		f.cnt -= n
		sym := int(e >> 16)
		if sym < 16 {
			f.lens[i] = uint8(sym)
			i++
			continue
		}
		extra, least, value := 2, 3, uint8(0)
		switch sym {
		case 16:
			if i == 0 {
				return false
			}
			value = f.lens[i-1]
		case 17:
			extra = 3
		default:
			extra, least = 7, 11
		}
		more, ok := f.bits(extra)
		end := i + least + more
		if !ok || end > total {
			return false
		}
		for ; i < end; i++ {
			f.lens[i] = value
		}
	}
	return true
}
