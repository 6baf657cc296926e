package lexical

import (
	"hash/maphash"
	"sync"

	"wikibot/search/internal/words"
)

// tongue analyses texts of one language. It remembers segments in two generations:
// when the younger is full, it becomes the older, and the older is forgotten.
type tongue struct {
	number   uint8
	analyzer *words.Analyzer
	seed     maphash.Seed // nobody can choose segments that collide

	mu         sync.RWMutex
	young, old memory // guarded by mu
}

const (
	generation  = 1 << 15 // segments
	longestKept = 32      // bytes of a segment that is remembered
	tokenBytes  = 96 + 16 // what a remembered segment takes, about
)

// memory finds tokens by segment: open addressing, at most half full.
type memory struct {
	slots []kept // a power of two of them
	taken int
}

type kept struct {
	hash  uint32
	first *token
}

// size is about how much memory is remembered.
func (t *tongue) size() int64 {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return int64(t.young.taken+t.old.taken)*tokenBytes + int64(len(t.young.slots)+len(t.old.slots))*16
}

func (t *tongue) hash(segment string) uint32 { return uint32(maphash.String(t.seed, segment)) }

// known is what is remembered of a segment, or nil. t.mu is held.
func (t *tongue) known(hash uint32, segment string) *token {
	if k := t.young.find(hash, segment); k != nil {
		return k
	}
	return t.old.find(hash, segment)
}

// remember keeps the segments that were not known.
func (t *tongue) remember(missing []span, out []*token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range missing {
		if out[m.at] == nil || m.end-m.start > longestKept || t.known(m.hash, out[m.at].segment) != nil {
			continue
		}
		if t.young.taken >= generation {
			t.old, t.young = t.young, memory{}
		}
		t.young.put(kept{m.hash, out[m.at]})
	}
}

func (m *memory) find(hash uint32, segment string) *token {
	if m.taken == 0 {
		return nil
	}
	mask := uint32(len(m.slots) - 1)
	for i := hash & mask; m.slots[i].first != nil; i = (i + 1) & mask {
		if s := &m.slots[i]; s.hash == hash && s.first.segment == segment {
			return s.first
		}
	}
	return nil
}

// put adds a segment that is not there.
func (m *memory) put(k kept) {
	if 2*(m.taken+1) > len(m.slots) {
		old := m.slots
		m.slots = make([]kept, max(64, 2*len(old)))
		for _, s := range old {
			if s.first != nil {
				m.place(s)
			}
		}
	}
	m.taken++
	m.place(k)
}

func (m *memory) place(k kept) {
	mask := uint32(len(m.slots) - 1)
	i := k.hash & mask
	for m.slots[i].first != nil {
		i = (i + 1) & mask
	}
	m.slots[i] = k
}
