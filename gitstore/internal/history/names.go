package history

import (
	"container/list"
	"encoding/binary"
	"math/bits"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// names numbers strings.
type names struct {
	list  []string
	ids   map[string]uint32
	bytes int
}

func (t *names) id(s string) uint32 {
	if id, ok := t.ids[s]; ok {
		return id
	}
	if t.ids == nil {
		t.ids = map[string]uint32{}
	}
	s = strings.Clone(s)
	id := uint32(len(t.list))
	t.list = append(t.list, s)
	t.ids[s] = id
	t.bytes += len(s)
	return id
}

func (x *Index) person(id uint32) (name, email string) {
	name, email, _ = strings.Cut(x.people.list[id], "\x00")
	return name, email
}

func timeIn(sec int64, minutes int16) time.Time {
	if minutes == 0 {
		return time.Unix(sec, 0).UTC()
	}
	return time.Unix(sec, 0).In(time.FixedZone("", int(minutes)*60))
}

// oidTable finds a commit's number by its name, or by the beginning of it. It
// is a hash table with open addressing whose hash is the name's first bits, so
// that names with one beginning lie together.
type oidTable struct {
	slots []int32 // number + 1
	shift int     // 32 - log2(len(slots))
	n     int
}

func (t *oidTable) home(oid plumbing.Hash) int {
	return int(binary.BigEndian.Uint32(oid[:]) >> t.shift)
}

func (t *oidTable) find(commits []commitRow, oid plumbing.Hash) (int32, bool) {
	if len(t.slots) == 0 {
		return 0, false
	}
	for i := t.home(oid); t.slots[i] != 0; i = (i + 1) & (len(t.slots) - 1) {
		if n := t.slots[i] - 1; commits[n].oid == oid {
			return n, true
		}
	}
	return 0, false
}

// prefixed are the numbers of up to two commits that begin like that; low is
// the prefix filled up with zeros, digits (hexadecimal) at least 7.
func (t *oidTable) prefixed(commits []commitRow, low plumbing.Hash, digits int) []int32 {
	if len(t.slots) == 0 {
		return nil
	}
	var out []int32
	for i := t.home(low); t.slots[i] != 0 && len(out) < 2; i = (i + 1) & (len(t.slots) - 1) {
		if n := t.slots[i] - 1; sameDigits(commits[n].oid, low, digits) {
			out = append(out, n)
		}
	}
	return out
}

func sameDigits(a, b plumbing.Hash, digits int) bool {
	whole := digits / 2
	if string(a[:whole]) != string(b[:whole]) {
		return false
	}
	return digits%2 == 0 || a[whole]>>4 == b[whole]>>4
}

func (t *oidTable) add(commits []commitRow, n int32) {
	if 2*(t.n+1) > len(t.slots) {
		t.grow(commits[:n], 2*(t.n+1))
	}
	t.n++
	t.put(commits[n].oid, n)
}

func (t *oidTable) put(oid plumbing.Hash, n int32) {
	i := t.home(oid)
	for t.slots[i] != 0 {
		i = (i + 1) & (len(t.slots) - 1)
	}
	t.slots[i] = n + 1
}

// grow keeps the table at most half full. It never has more than 2^28 slots'
// worth of bits, for a prefix of 7 digits must lead to one slot.
func (t *oidTable) grow(commits []commitRow, least int) {
	size := 1 << max(6, bits.Len(uint(least)))
	t.slots, t.shift = make([]int32, size), 32-bits.Len(uint(size-1))
	for n := range commits {
		t.put(commits[n].oid, int32(n))
	}
}

// remove closes the gap, so that every name is reached from its home.
func (t *oidTable) remove(commits []commitRow, n int32) {
	mask := len(t.slots) - 1
	i := t.home(commits[n].oid)
	for t.slots[i] != n+1 {
		i = (i + 1) & mask
	}
	t.n--
	for j := (i + 1) & mask; t.slots[j] != 0; j = (j + 1) & mask {
		home := t.home(commits[t.slots[j]-1].oid)
		if (j-home)&mask >= (j-i)&mask {
			t.slots[i] = t.slots[j]
			i = j
		}
	}
	t.slots[i] = 0
}

// lru keeps the values used last, up to a weight.
type lru[K comparable, V any] struct {
	mu     sync.Mutex
	most   int
	weight int
	order  *list.List // of *lruItem, newest first
	items  map[K]*list.Element
}

type lruItem[K comparable, V any] struct {
	key    K
	value  V
	weight int
}

func newLRU[K comparable, V any](most int) *lru[K, V] {
	return &lru[K, V]{most: most, order: list.New(), items: map[K]*list.Element{}}
}

func (l *lru[K, V]) get(k K) (v V, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.items[k]
	if !ok {
		return v, false
	}
	l.order.MoveToFront(e)
	return e.Value.(*lruItem[K, V]).value, true
}

func (l *lru[K, V]) put(k K, v V, weight int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e, ok := l.items[k]; ok {
		l.drop(e)
	}
	l.items[k] = l.order.PushFront(&lruItem[K, V]{k, v, weight})
	l.weight += weight
	for l.weight > l.most && l.order.Len() > 1 {
		l.drop(l.order.Back())
	}
}

func (l *lru[K, V]) drop(e *list.Element) {
	item := l.order.Remove(e).(*lruItem[K, V])
	delete(l.items, item.key)
	l.weight -= item.weight
}
