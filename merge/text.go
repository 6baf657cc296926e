package merge

import (
	"bytes"
	"hash/maphash"
)

// text is a byte string cut into lines, each with its LF.
type text struct {
	bytes  []byte
	starts []int // of each line, and the length at the end
}

func split(b []byte) text {
	starts := make([]int, 1, bytes.Count(b, []byte{'\n'})+2)
	for i := 0; i < len(b); {
		n := bytes.IndexByte(b[i:], '\n')
		if n < 0 {
			i = len(b)
		} else {
			i += n + 1
		}
		starts = append(starts, i)
	}
	return text{b, starts}
}

func (t text) len() int { return len(t.starts) - 1 }

func (t text) line(i int) []byte { return t.bytes[t.starts[i]:t.starts[i+1]] }

// lines are the lines from i to before j as one string.
func (t text) lines(i, j int) []byte { return t.bytes[t.starts[i]:t.starts[j]] }

// classes numbers strings so that equal ones have equal numbers, 0, 1, 2 …
// The hash is seeded afresh each time: nobody can prepare a page whose lines
// all collide.
type classes struct {
	seed   maphash.Seed
	table  []int32 // open addressing; class + 1
	names  [][]byte
	hashes []uint64
}

func newClasses(capacity int) *classes {
	c := &classes{seed: maphash.MakeSeed(), names: make([][]byte, 0, capacity), hashes: make([]uint64, 0, capacity)}
	c.resize(capacity)
	return c
}

func (c *classes) resize(capacity int) {
	size := 16
	for size < 2*capacity {
		size *= 2
	}
	c.table = make([]int32, size)
	for n, h := range c.hashes {
		i := h & uint64(size-1)
		for c.table[i] != 0 {
			i = (i + 1) & uint64(size-1)
		}
		c.table[i] = int32(n + 1)
	}
}

// class is the number of s, which must stay unchanged.
func (c *classes) class(s []byte) int32 {
	if 2*len(c.names) >= len(c.table) {
		c.resize(2 * len(c.names))
	}
	h := maphash.Bytes(c.seed, s)
	mask := uint64(len(c.table) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		n := c.table[i]
		if n == 0 {
			c.names = append(c.names, s)
			c.hashes = append(c.hashes, h)
			c.table[i] = int32(len(c.names))
			return int32(len(c.names) - 1)
		}
		if c.hashes[n-1] == h && bytes.Equal(c.names[n-1], s) {
			return n - 1
		}
	}
}

func (c *classes) lines(t text) []int32 {
	ids := make([]int32, t.len())
	for i := range ids {
		ids[i] = c.class(t.line(i))
	}
	return ids
}
