package limit

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestBytes(t *testing.T) {
	const kilo = 1 << 10
	b := NewBytes(300*kilo, 100*kilo)
	read := func(who string, n int) (end func(), err error) {
		r, end := b.Reader(who, io.NopCloser(strings.NewReader(strings.Repeat("x", n))))
		got, err := io.ReadAll(r)
		if err == nil && len(got) != n {
			t.Errorf("%d bytes of %d", len(got), n)
		}
		return end, err
	}
	for range 1000 { // small ones are free
		if _, err := read("mallory", freeBytes); err != nil || b.Used() != 0 {
			t.Fatalf("%d bytes are used, %v", b.Used(), err)
		}
	}
	first, err := read("mallory", 90*kilo)
	if err != nil || b.Used() != 90*kilo {
		t.Errorf("%d bytes are used, %v", b.Used(), err)
	}
	second, err := read("mallory", 90*kilo)
	if !errors.Is(err, ErrFull) || b.Used() > 100*kilo {
		t.Errorf("mallory takes more than her part: %d bytes, %v", b.Used(), err)
	}
	second()
	var others []func()
	for _, who := range []string{"alice", "bob"} {
		end, err := read(who, 100*kilo)
		if err != nil {
			t.Errorf("%s has no room: %v", who, err)
		}
		others = append(others, end)
	}
	end, err := read("carol", 100*kilo)
	if !errors.Is(err, ErrFull) || b.Used() > 300*kilo {
		t.Errorf("%d bytes are used, %v", b.Used(), err)
	}
	end()
	first()
	for _, end := range others {
		end()
	}
	if b.Used() != 0 || len(b.of) != 0 {
		t.Errorf("%d bytes of %d people are left over", b.Used(), len(b.of))
	}
	if end, ok := b.Take("mallory", 100*kilo); !ok || b.Used() != 100*kilo {
		t.Errorf("%d bytes are used, %v", b.Used(), ok)
	} else if _, ok := b.Take("mallory", 1); ok {
		t.Error("mallory takes more than her part")
	} else if end(); b.Used() != 0 {
		t.Errorf("%d bytes are left over", b.Used())
	}
	var none *Bytes
	if r, end := none.Reader("x", io.NopCloser(strings.NewReader("a"))); r == nil || end == nil {
		t.Error("without a bound nothing is read")
	}
}

// Announcing takes nothing: a body that does not come keeps no room.
func TestBytesThatDoNotCome(t *testing.T) {
	b := NewBytes(100<<10, 100<<10)
	slow, feed := io.Pipe()
	r, end := b.Reader("mallory", slow)
	defer end()
	done := make(chan struct{})
	go func() { _, _ = io.ReadAll(r); close(done) }()
	if _, err := feed.Write([]byte("{")); err != nil {
		t.Fatal(err)
	}
	other, giveBack := b.Reader("mallory", io.NopCloser(strings.NewReader(strings.Repeat("x", 100<<10))))
	defer giveBack()
	if _, err := io.ReadAll(other); err != nil {
		t.Error(err)
	}
	feed.Close()
	<-done
}
