package objects

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sort"

	"github.com/go-git/go-git/v5/plumbing"
)

// index reads a pack index of version 2 (gitformat-pack(5)):
//
//	"\377tOc" 2 | fanout 256×4 | names n×20 | crc32 n×4 | offsets n×4 |
//	large offsets m×8 | name of the pack 20 | checksum 20
type index struct {
	data    []byte
	n       int
	names   []byte
	crcs    []byte
	offsets []byte
	large   []byte
}

const (
	idxHeader  = 8
	idxFanout  = 256 * 4
	idxTrailer = 40
	oidSize    = 20
)

// parseIndex checks the frame of an index: sizes, version, an ascending fanout.
// It does not read the whole file (a look-up checks what it touches).
func parseIndex(data []byte) (*index, error) {
	if len(data) < idxHeader+idxFanout+idxTrailer || string(data[:8]) != "\xfftOc\x00\x00\x00\x02" {
		return nil, fmt.Errorf("not a pack index of version 2: %w", ErrDamaged)
	}
	x := &index{data: data}
	last := uint32(0)
	for i := range 256 {
		v := binary.BigEndian.Uint32(data[idxHeader+4*i:])
		if v < last {
			return nil, fmt.Errorf("pack index: the fanout descends: %w", ErrDamaged)
		}
		last = v
	}
	x.n = int(last)
	body := int64(len(data)) - idxHeader - idxFanout - idxTrailer
	rest := body - int64(x.n)*(oidSize+4+4)
	if rest < 0 || rest%8 != 0 || rest/8 > int64(x.n) {
		return nil, fmt.Errorf("pack index: %d bytes do not fit %d objects: %w", len(data), x.n, ErrDamaged)
	}
	at := idxHeader + idxFanout
	cut := func(size int) []byte {
		b := data[at : at+size : at+size]
		at += size
		return b
	}
	x.names, x.crcs, x.offsets, x.large = cut(x.n*oidSize), cut(x.n*4), cut(x.n*4), cut(int(rest))
	return x, nil
}

// fan is the range of positions whose names begin with byte b.
func (x *index) fan(b byte) (lo, hi int) {
	at := idxHeader + 4*int(b)
	hi = int(binary.BigEndian.Uint32(x.data[at:]))
	if b > 0 {
		lo = int(binary.BigEndian.Uint32(x.data[at-4:]))
	}
	return lo, hi
}

// find returns an object's position, or -1.
func (x *index) find(oid *plumbing.Hash) int {
	lo, hi := x.fan(oid[0])
	if lo == hi {
		return -1
	}
	want := binary.BigEndian.Uint64(oid[1:])
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		name := x.names[mid*oidSize : mid*oidSize+oidSize]
		got := binary.BigEndian.Uint64(name[1:])
		c := 0
		switch {
		case got < want:
			c = -1
		case got > want:
			c = 1
		default:
			c = bytes.Compare(name, oid[:])
		}
		switch {
		case c == 0:
			return mid
		case c < 0:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return -1
}

// offset is where the object at a position begins in the pack, or -1 if the
// index is damaged there.
func (x *index) offset(pos int) int64 {
	v := binary.BigEndian.Uint32(x.offsets[4*pos:])
	if v&(1<<31) == 0 {
		return int64(v)
	}
	i := int(v &^ (1 << 31))
	if i >= len(x.large)/8 {
		return -1
	}
	big := binary.BigEndian.Uint64(x.large[8*i:])
	if big > 1<<62 {
		return -1
	}
	return int64(big)
}

func (x *index) name(pos int) (h plumbing.Hash) {
	copy(h[:], x.names[pos*oidSize:])
	return h
}

func (x *index) crc(pos int) uint32 { return binary.BigEndian.Uint32(x.crcs[4*pos:]) }

// packSum is the trailer that the pack must have.
func (x *index) packSum() []byte { return x.data[len(x.data)-idxTrailer : len(x.data)-20] }

// between adds the names from lo to hi, both included.
func (x *index) between(lo, hi plumbing.Hash, found map[plumbing.Hash]bool) {
	first := sort.Search(x.n, func(i int) bool { return bytes.Compare(x.names[i*oidSize:(i+1)*oidSize], lo[:]) >= 0 })
	for i := first; i < x.n && bytes.Compare(x.names[i*oidSize:(i+1)*oidSize], hi[:]) <= 0; i++ {
		found[x.name(i)] = true
	}
}
