package limit

import (
	"context"
	"slices"
	"sync"
)

// Slots are how many dear things are done at once: so many together, and of them so
// many for one person. Who finds none waits in line, and others pass those who have
// their part already. It is safe for concurrent use; the nil Slots let everybody in.
type Slots struct {
	most, each, line int

	mu      sync.Mutex
	used    int            // guarded by mu, as all below
	of      map[string]int // by person, those that are used
	waiting []*waiter      // the first came first
	inLine  map[string]int // by person, those that wait
}

type waiter struct {
	who   string
	ready chan struct{} // closed when the slot is theirs
}

// NewSlots are so many slots, of them each for one person, for whom at most line may
// wait beside that. A wait costs some hundred bytes; leaving looks through the line.
func NewSlots(most, each, line int) *Slots {
	return &Slots{most: most, each: each, line: line, of: map[string]int{}, inLine: map[string]int{}}
}

// Enter waits for a slot until ctx ends. ErrFull is for a person who has too many in
// line. leave gives the slot back; it may be called again.
func (s *Slots) Enter(ctx context.Context, who string) (leave func(), err error) {
	if s == nil {
		return func() {}, nil
	}
	s.mu.Lock()
	if s.free(who) {
		s.take(who)
		s.mu.Unlock()
		return s.leaver(who), nil
	}
	if s.inLine[who] >= s.line {
		s.mu.Unlock()
		return nil, ErrFull
	}
	w := &waiter{who, make(chan struct{})}
	s.waiting = append(s.waiting, w)
	s.inLine[who]++
	s.mu.Unlock()
	select {
	case <-w.ready:
		return s.leaver(who), nil
	case <-ctx.Done():
		s.giveUp(w)
		return nil, ctx.Err()
	}
}

func (s *Slots) free(who string) bool { return s.used < s.most && s.of[who] < s.each }

func (s *Slots) take(who string) {
	s.used++
	s.of[who]++
}

func (s *Slots) leaver(who string) func() {
	var once sync.Once
	return func() { once.Do(func() { s.leave(who) }) }
}

func (s *Slots) leave(who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used--
	less(s.of, who)
	s.next()
}

// next lets in those who may.
func (s *Slots) next() {
	for i := 0; i < len(s.waiting) && s.used < s.most; {
		w := s.waiting[i]
		if !s.free(w.who) {
			i++
			continue
		}
		s.waiting = slices.Delete(s.waiting, i, i+1)
		less(s.inLine, w.who)
		s.take(w.who)
		close(w.ready)
	}
}

// giveUp takes one out of the line who does not wait any more; a slot that came at the
// same moment goes on to the next.
func (s *Slots) giveUp(w *waiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.Index(s.waiting, w); i >= 0 {
		s.waiting = slices.Delete(s.waiting, i, i+1)
		less(s.inLine, w.who)
		return
	}
	s.used--
	less(s.of, w.who)
	s.next()
}

func less(of map[string]int, who string) {
	if of[who]--; of[who] <= 0 {
		delete(of, who)
	}
}
