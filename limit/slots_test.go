package limit

import (
	"context"
	"errors"
	"sync"
	"testing"
)

func TestSlots(t *testing.T) {
	s := NewSlots(3, 2, 1)
	ctx, cancel := context.WithCancel(t.Context())
	enter := func(who string) func() {
		t.Helper()
		leave, err := s.Enter(ctx, who)
		if err != nil {
			t.Fatalf("%s: %v", who, err)
		}
		return leave
	}
	first, second := enter("mallory"), enter("mallory")
	got := make(chan func())
	go func() { leave, _ := s.Enter(t.Context(), "mallory"); got <- leave }() // waits
	for waits := false; !waits; {
		s.mu.Lock()
		waits = len(s.waiting) == 1
		s.mu.Unlock()
	}
	if _, err := s.Enter(ctx, "mallory"); !errors.Is(err, ErrFull) {
		t.Errorf("a line of two: %v", err)
	}
	bob := enter("bob") // passes her
	first()
	first() // gives back no second one
	third := <-got
	if s.used != 3 || s.of["mallory"] != 2 {
		t.Errorf("%d are used, %v", s.used, s.of)
	}
	cancel()
	if _, err := s.Enter(ctx, "alice"); !errors.Is(err, context.Canceled) {
		t.Errorf("who does not wait: %v", err)
	}
	for _, leave := range []func(){second, third, bob} {
		leave()
	}
	if s.used != 0 || len(s.of)+len(s.inLine)+len(s.waiting) != 0 {
		t.Errorf("left over: %d, %v, %v, %v", s.used, s.of, s.inLine, s.waiting)
	}
}

// Whoever leaves the line or the slots, in whatever order, no slot is lost and none is
// made.
func TestSlotsAreNeitherLostNorMade(t *testing.T) {
	s := NewSlots(4, 2, 100)
	var now, most int
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			ctx, cancel := context.WithCancel(t.Context())
			if i%3 == 0 {
				go cancel()
			}
			defer cancel()
			leave, err := s.Enter(ctx, []string{"alice", "bob", "carol"}[i%3])
			if err != nil {
				return
			}
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			mu.Lock()
			now--
			mu.Unlock()
			leave()
		})
	}
	all.Wait()
	if most > 4 || s.used != 0 || len(s.of)+len(s.inLine)+len(s.waiting) != 0 {
		t.Errorf("%d at once; left over: %d, %v, %v, %v", most, s.used, s.of, s.inLine, s.waiting)
	}
}
