package objects

import (
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"sync"
)

// Reading zlib streams (RFC 1950 and 1951) from memory into memory of known
// size. Nearly all the time of reading an object is spent here, and this takes
// about half the time of the readers made for streams (BenchmarkInflate).
// FuzzInflate compares it with compress/zlib.

// scratch is memory that is used again.
type scratch struct{ b []byte }

var scratches = sync.Pool{New: func() any { return new(scratch) }}

func getScratch(n int) *scratch {
	s := scratches.Get().(*scratch)
	if cap(s.b) < n {
		s.b = make([]byte, n, n+n/4)
	}
	s.b = s.b[:n]
	return s
}

// putScratch gives memory back; the very large is left to the collector.
func putScratch(s *scratch) {
	if cap(s.b) <= 1<<20 {
		scratches.Put(s)
	}
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

func badStream(what string) error { return fmt.Errorf("inflating: %s: %w", what, ErrDamaged) }

// inflateZlib fills dst from the zlib stream at the beginning of src, which
// must have just so many bytes, and says how many bytes of src it took.
func inflateZlib(dst, src []byte) (int, error) {
	f := inflaters.Get().(*inflater)
	defer inflaters.Put(f)
	n, err := f.inflate(dst, src, false)
	if err != nil {
		return 0, err
	}
	if n < len(dst) {
		return 0, badStream("less than the size says")
	}
	f.align()
	used := f.pos + 4
	if used > len(src) || binary.BigEndian.Uint32(src[f.pos:]) != adler32.Checksum(dst) {
		return 0, badStream("a wrong checksum")
	}
	f.src = nil
	return used, nil
}

// inflateSome fills as much of dst as the stream has.
func inflateSome(dst, src []byte) ([]byte, error) {
	f := inflaters.Get().(*inflater)
	defer inflaters.Put(f)
	n, err := f.inflate(dst, src, true)
	f.src = nil
	return dst[:n], err
}

// inflatePrefix fills dst from the beginning of a zlib stream that may go on.
func inflatePrefix(dst, src []byte) error {
	got, err := inflateSome(dst, src)
	if err == nil && len(got) < len(dst) {
		return badStream("too short")
	}
	return err
}

// inflater is the state of reading one stream. Bits come from buf, which holds
// at least cnt of them (more may be there already); pos is the next byte.
type inflater struct {
	src      []byte
	pos      int
	buf      uint64
	cnt      int
	lit      litTable
	dist     distTable
	lens     [maxLit + maxDist]uint8
	lenCodes [19]uint8
}

const (
	maxLit   = 288
	maxDist  = 32
	litBits  = 10 // first level of the tables
	distBits = 8
	maxBits  = 15
)

// A table maps the next bits to an entry; where a code is longer than the first
// level, to a second level in the same array. An entry has the bits to take in
// its lowest byte; 0 is no code. Second levels: each has at least two codes, so
// there are at most 144 and 16.
type (
	litTable  [1<<litBits + 144<<(maxBits-litBits)]uint32
	distTable [1<<distBits + 16<<(maxBits-distBits)]uint32
)

// Entries: a literal has entryLiteral and its byte from bit 16; a length or a
// distance has its base from bit 16 and the number of extra bits from bit 8; a
// second level has entrySub, its place from bit 16 and its bits from bit 8.
const (
	entryLiteral = 1 << 31
	entrySub     = 1 << 15 // not among the bits of a base, which may be as high as 24,577
	entryEnd     = 1 << 29
)

// inflate reads the stream up to its checksum, or, if it may be partial, until
// dst is full. It returns how much of dst it filled.
func (f *inflater) inflate(dst, src []byte, partial bool) (int, error) {
	if len(src) < 2 || src[0]&15 != 8 || src[0]>>4 > 7 || src[1]&0x20 != 0 || (int(src[0])<<8|int(src[1]))%31 != 0 {
		return 0, badStream("not a zlib stream")
	}
	f.src, f.pos, f.buf, f.cnt = src, 2, 0, 0
	out := 0
	for {
		head, ok := f.bits(3)
		if !ok {
			return out, badStream("it ends early")
		}
		var err error
		switch head >> 1 {
		case 0:
			out, err = f.stored(dst, out, partial)
		case 1:
			t := fixedTables()
			out, err = f.codes(dst, out, &t.lit, &t.dist, partial)
		case 2:
			if err = f.readTables(); err == nil {
				out, err = f.codes(dst, out, &f.lit, &f.dist, partial)
			}
		default:
			err = badStream("an unknown kind of block")
		}
		if err != nil || head&1 != 0 || partial && out == len(dst) {
			return out, err
		}
	}
}

func (f *inflater) refill() {
	if f.pos+8 <= len(f.src) {
		f.buf |= binary.LittleEndian.Uint64(f.src[f.pos:]) << uint(f.cnt&63)
		f.pos += (63 - f.cnt) >> 3
		f.cnt |= 56
		return
	}
	for f.cnt <= 56 && f.pos < len(f.src) {
		f.buf |= uint64(f.src[f.pos]) << uint(f.cnt&63)
		f.pos++
		f.cnt += 8
	}
}

func (f *inflater) bits(n int) (int, bool) {
	if f.cnt < n {
		f.refill()
		if f.cnt < n {
			return 0, false
		}
	}
	v := int(f.buf & (1<<uint(n) - 1))
	f.buf >>= uint(n)
	f.cnt -= n
	return v, true
}

// align drops the rest of a byte and gives back the bytes not yet used.
func (f *inflater) align() {
	f.pos -= f.cnt >> 3
	f.buf, f.cnt = 0, 0
}

func (f *inflater) stored(dst []byte, out int, partial bool) (int, error) {
	f.align()
	if len(f.src)-f.pos < 4 {
		return out, badStream("it ends early")
	}
	n := int(binary.LittleEndian.Uint16(f.src[f.pos:]))
	if n != int(^binary.LittleEndian.Uint16(f.src[f.pos+2:])) {
		return out, badStream("a stored block of bad length")
	}
	f.pos += 4
	if n > len(dst)-out {
		if !partial {
			return out, badStream("more than the size says")
		}
		n = len(dst) - out
	}
	if n > len(f.src)-f.pos {
		return out, badStream("it ends early")
	}
	copy(dst[out:], f.src[f.pos:f.pos+n])
	f.pos += n
	return out + n, nil
}

// codes reads one block of literals and matches.
func (f *inflater) codes(dst []byte, out int, lit *litTable, dist *distTable, partial bool) (int, error) {
	src, pos, buf, cnt := f.src, f.pos, f.buf, f.cnt
	for {
		if cnt < 0 {
			return out, badStream("it ends early")
		}
		if pos+8 <= len(src) {
			buf |= binary.LittleEndian.Uint64(src[pos:]) << uint(cnt&63)
			pos += (63 - cnt) >> 3
			cnt |= 56
		} else {
			for cnt <= 56 && pos < len(src) {
				buf |= uint64(src[pos]) << uint(cnt&63)
				pos++
				cnt += 8
			}
		}
		e := lit[buf&(1<<litBits-1)]
		// Two literals of the first level: 20 of 56 bits at most, and what
		// follows needs 48, so a third look-up waits for more bits.
		if e&entryLiteral != 0 && out+2 <= len(dst) {
			buf >>= e & 63
			cnt -= int(e & 63)
			dst[out] = byte(e >> 16)
			out++
			if e = lit[buf&(1<<litBits-1)]; e&entryLiteral != 0 {
				buf >>= e & 63
				cnt -= int(e & 63)
				dst[out] = byte(e >> 16)
				out++
				if e = lit[buf&(1<<litBits-1)]; e&entryLiteral != 0 && out < len(dst) {
					buf >>= e & 63
					cnt -= int(e & 63)
					dst[out] = byte(e >> 16)
					out++
				}
			}
			continue
		}
		if e&entrySub != 0 {
			e = lit[(int(e>>16&0x3fff)+int(buf>>litBits)&(1<<(e>>8&15)-1))%len(lit)]
		}
		n := e & 31
		if n == 0 {
			return out, badStream("a code that means nothing")
		}
		buf >>= n
		cnt -= int(n)
		if e&(entryLiteral|entryEnd) != 0 {
			if e&entryEnd != 0 {
				break
			}
			if out == len(dst) {
				if partial {
					return out, nil
				}
				return out, badStream("more than the size says")
			}
			dst[out] = byte(e >> 16)
			out++
			continue
		}
		extra := e >> 8 & 15
		length := int(e>>16) + int(buf&(1<<extra-1))
		buf >>= extra
		cnt -= int(extra)

		e = dist[buf&(1<<distBits-1)]
		if e&entrySub != 0 {
			e = dist[(int(e>>16&0x3fff)+int(buf>>distBits)&(1<<(e>>8&15)-1))%len(dist)]
		}
		n = e & 31
		if n == 0 {
			return out, badStream("a code that means nothing")
		}
		buf >>= n
		extra = e >> 8 & 15
		back := int(e>>16) + int(buf&(1<<extra-1))
		buf >>= extra
		cnt -= int(n + extra)
		if back > out {
			return out, badStream("a match before the beginning")
		}
		end := out + length
		if end > len(dst) {
			if !partial {
				return out, badStream("more than the size says")
			}
			end = len(dst)
		}
		if back >= length {
			copy(dst[out:end], dst[out-back:])
			out = end
		} else {
			for ; out < end; out++ {
				dst[out] = dst[out-back]
			}
		}
		if partial && out == len(dst) {
			return out, nil
		}
	}
	if cnt < 0 {
		return out, badStream("it ends early")
	}
	f.pos, f.buf, f.cnt = pos, buf, cnt
	return out, nil
}
