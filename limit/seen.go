package limit

import (
	"hash/maphash"
	"sync"
)

// seen is a set of texts of a fixed size that forgets the oldest of a few where
// it has no room. It keeps a keyed hash of each and nothing else. Only good
// credentials come in, so nobody can flush it with inventions.
type seen struct {
	seed maphash.Seed
	mask uint64
	sets []seenSet
}

type seenSet struct {
	mu    sync.Mutex
	hash  [ways]uint64 // guarded by mu, newest first
	taken int          // guarded by mu
}

func newSeen(n int) *seen {
	sets := 1
	for sets*ways < n {
		sets *= 2
	}
	return &seen{maphash.MakeSeed(), uint64(sets - 1), make([]seenSet, sets)}
}

func (s *seen) at(text string) (*seenSet, uint64) {
	h := maphash.String(s.seed, text)
	return &s.sets[h&s.mask], h
}

func (s *seen) has(text string) bool {
	set, h := s.at(text)
	set.mu.Lock()
	defer set.mu.Unlock()
	return set.find(h) >= 0
}

func (s *seen) add(text string) {
	set, h := s.at(text)
	set.mu.Lock()
	defer set.mu.Unlock()
	i := set.find(h)
	if i < 0 {
		set.taken = min(set.taken+1, ways)
		i = set.taken - 1
	}
	copy(set.hash[1:i+1], set.hash[:i])
	set.hash[0] = h
}

func (s *seen) remove(text string) {
	set, h := s.at(text)
	set.mu.Lock()
	defer set.mu.Unlock()
	if i := set.find(h); i >= 0 {
		copy(set.hash[i:set.taken], set.hash[i+1:set.taken])
		set.taken--
	}
}

func (s *seenSet) find(h uint64) int {
	for i := range s.taken {
		if s.hash[i] == h {
			return i
		}
	}
	return -1
}
