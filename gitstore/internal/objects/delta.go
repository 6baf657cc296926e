package objects

import (
	"bytes"
	"fmt"
)

// A delta (gitformat-pack(5), "Deltified representation") is the size of the
// base, the size of the result, and instructions: copy a range of the base, or
// insert bytes that follow.

// deltaVarint reads a size; n is 0 if it is damaged.
func deltaVarint(b []byte) (v int64, n int) {
	for shift := 0; n < len(b) && shift < 56; shift += 7 {
		c := b[n]
		n++
		v |= int64(c&0x7f) << shift
		if c&0x80 == 0 {
			return v, n
		}
	}
	return 0, 0
}

func badDelta(what string) error { return fmt.Errorf("bad delta: %s: %w", what, ErrDamaged) }

// applyDelta makes the object that delta describes from its base, in new
// memory.
func applyDelta(base, delta []byte) ([]byte, error) {
	from, n := deltaVarint(delta)
	to, m := deltaVarint(delta[n:])
	if n == 0 || m == 0 || from != int64(len(base)) {
		return nil, badDelta("it is for a base of another size")
	}
	delta = delta[n+m:]
	if err := checkResult(to, delta); err != nil {
		return nil, err
	}
	out := make([]byte, to)
	at := 0
	for i := 0; i < len(delta); {
		op := delta[i]
		i++
		if op&0x80 == 0 {
			size := int(op)
			if size == 0 || size > len(delta)-i || size > len(out)-at {
				return nil, badDelta("an insertion")
			}
			at += copy(out[at:], delta[i:i+size])
			i += size
			continue
		}
		off, size, used, ok := copyOp(op, delta[i:])
		if !ok || off+size > len(base) || size > len(out)-at {
			return nil, badDelta("a copy")
		}
		i += used
		at += copy(out[at:], base[off:off+size])
	}
	if at != len(out) {
		return nil, badDelta("it makes too little")
	}
	return out, nil
}

// checkResult refuses a size that the instructions cannot make, before memory
// is taken for it: one makes at most 16 MiB.
func checkResult(to int64, ops []byte) error {
	if to > MaxObject {
		return fmt.Errorf("%d bytes: %w", to, ErrTooLarge)
	}
	if to > int64(len(ops))<<24 {
		return badDelta("it cannot make so much")
	}
	if to < 1<<20 {
		return nil
	}
	sum := int64(0)
	for i := 0; i < len(ops); {
		op := ops[i]
		i++
		if op&0x80 == 0 {
			sum += int64(op)
			i += int(op)
			continue
		}
		_, size, used, ok := copyOp(op, ops[i:])
		if !ok {
			return badDelta("a copy")
		}
		sum += int64(size)
		i += used
	}
	if sum != to {
		return badDelta("it makes another size than it says")
	}
	return nil
}

// copyOp reads the operands of a copy instruction.
func copyOp(op byte, b []byte) (off, size, used int, ok bool) {
	for bit := 0; bit < 7; bit++ {
		if op&(1<<bit) == 0 {
			continue
		}
		if used == len(b) {
			return 0, 0, 0, false
		}
		v := int(b[used])
		used++
		if bit < 4 {
			off |= v << (8 * bit)
		} else {
			size |= v << (8 * (bit - 4))
		}
	}
	if size == 0 {
		size = 0x10000
	}
	return off, size, used, true
}

// makeDelta describes target by what it has in common with base at its
// beginning and its end. For two versions of a tree that differ in one entry
// that is as small as can be. The result is appended to dst.
func makeDelta(dst, base, target []byte) []byte {
	dst = appendDeltaVarint(dst, len(base))
	dst = appendDeltaVarint(dst, len(target))
	head := commonPrefix(base, target)
	tail := commonSuffix(base[head:], target[head:])
	dst = appendCopy(dst, 0, head)
	for middle := target[head : len(target)-tail]; len(middle) > 0; {
		n := min(len(middle), 127)
		dst = append(dst, byte(n))
		dst = append(dst, middle[:n]...)
		middle = middle[n:]
	}
	return appendCopy(dst, len(base)-tail, tail)
}

func commonPrefix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+64 <= n && bytes.Equal(a[i:i+64], b[i:i+64]) {
		i += 64
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

func commonSuffix(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for i+64 <= n && bytes.Equal(a[len(a)-i-64:len(a)-i], b[len(b)-i-64:len(b)-i]) {
		i += 64
	}
	for i < n && a[len(a)-1-i] == b[len(b)-1-i] {
		i++
	}
	return i
}

func appendDeltaVarint(dst []byte, v int) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

// appendCopy copies in pieces of at most 64 KiB: git's own limit in packs.
func appendCopy(dst []byte, off, size int) []byte {
	for size > 0 {
		n := min(size, 0x10000)
		dst = appendCopyOp(dst, off, n)
		off += n
		size -= n
	}
	return dst
}

func appendCopyOp(dst []byte, off, n int) []byte {
	at := len(dst)
	dst = append(dst, 0x80)
	for bit := range 4 {
		if v := byte(off >> (8 * bit)); v != 0 {
			dst = append(dst, v)
			dst[at] |= 1 << bit
		}
	}
	if n == 0x10000 {
		return dst
	}
	for bit := range 2 {
		if v := byte(n >> (8 * bit)); v != 0 {
			dst = append(dst, v)
			dst[at] |= 1 << (4 + bit)
		}
	}
	return dst
}
