package limit

import (
	"errors"
	"net/netip"
	"testing"
	"time"
)

// What a client is told is left is what it can take: as many as that, and no more.
func TestTakeTellsWhatIsLeft(t *testing.T) {
	var now int64
	l := newLimiter(Rate{Events: 10, Per: time.Second, Burst: 20}, 64, func() int64 { return now })
	left, _, ok := l.Take("a", 3)
	if want := (State{Limit: 20, Remaining: 17, Window: 2 * time.Second, Reset: 300 * time.Millisecond}); !ok || left != want {
		t.Fatalf("after 3 of 20: %+v, %v, want %+v", left, ok, want)
	}
	now += int64(50 * time.Millisecond) // half an event
	left, _, _ = l.Take("a", 1)
	if left.Remaining != 16 {
		t.Errorf("half an event counts as one that is there: %+v", left)
	}
	for i := left.Remaining; i > 0; i-- {
		if left, _, ok = l.Take("a", 1); !ok || left.Remaining != i-1 {
			t.Fatalf("with %d left: %+v, %v", i, left, ok)
		}
	}
	left, wait, ok := l.Take("a", 1)
	if ok || wait <= 0 || left.Remaining != 0 || left.Limit != 20 {
		t.Errorf("an empty bucket: %+v, %v, %v", left, wait, ok)
	}
	if other, _, _ := l.TakeFrom(netip.MustParseAddr("192.0.2.1"), 1); other.Remaining != 19 {
		t.Errorf("another key: %+v", other)
	}
}

func TestDoorTake(t *testing.T) {
	d := NewDoor(Config{Writes: Rate{Events: 1, Per: time.Hour, Burst: 2}})
	from := netip.MustParseAddr("192.0.2.1")
	for want := 1; want >= 0; want-- {
		left, err := d.Take("token", from, Write, 1)
		if err != nil || left.Remaining != want || left.Limit != 2 {
			t.Fatalf("%+v, %v, want %d left of 2", left, err, want)
		}
	}
	left, err := d.Take("token", from, Write, 1)
	if over := (*Exceeded)(nil); !errors.As(err, &over) || over.Seconds() < 1 || left.Remaining != 0 {
		t.Errorf("over the limit: %+v, %v", left, err)
	}
	if left, err := d.Take("token", from, Read, 1); err != nil || left != (State{}) {
		t.Errorf("a rate that is off: %+v, %v", left, err)
	}
}
