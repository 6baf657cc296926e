package lexical

import "hash/maphash"

// table finds numbers by text in a tenth of the memory that a map takes: open
// addressing, at most three quarters full, with the texts kept by the caller. The
// hash is keyed, so nobody can choose texts that collide. The zero table is empty.
type table struct {
	seed  maphash.Seed
	slots []slot // a power of two of them
	taken int
}

// slot is a hash and 1 + a number, or empty.
type slot struct{ hash, number uint32 }

func (t *table) hash(s string) uint32 {
	if t.slots == nil {
		t.grow(64)
	}
	return uint32(maphash.String(t.seed, s))
}

// reserve makes room for n numbers in an empty table.
func (t *table) reserve(n int) {
	size := 64
	for size/4*3 < n {
		size *= 2
	}
	t.grow(size)
}

// find gives the number under a hash that is the one.
func (t *table) find(hash uint32, is func(n uint32) bool) (n uint32, ok bool) {
	mask := uint32(len(t.slots) - 1)
	for i := hash & mask; t.slots[i].number != 0; i = (i + 1) & mask {
		if s := t.slots[i]; s.hash == hash && is(s.number-1) {
			return s.number - 1, true
		}
	}
	return 0, false
}

// put adds a number that is not there.
func (t *table) put(hash, n uint32) {
	if t.taken >= len(t.slots)/4*3 {
		t.grow(2 * len(t.slots))
	}
	t.taken++
	t.place(slot{hash, n + 1})
}

func (t *table) place(s slot) {
	mask := uint32(len(t.slots) - 1)
	i := s.hash & mask
	for t.slots[i].number != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = s
}

// grow makes room for size slots, a power of two.
func (t *table) grow(size int) {
	old := t.slots
	if old == nil {
		t.seed = maphash.MakeSeed()
	}
	t.slots = make([]slot, size)
	for _, s := range old {
		if s.number != 0 {
			t.place(s)
		}
	}
}

func (t *table) bytes() int64 { return int64(len(t.slots)) * 8 }
