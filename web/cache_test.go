package web

import "testing"

type sized int64

func (s sized) size() int64 { return int64(s) }

func TestCacheIsBounded(t *testing.T) {
	c := newLRU[int, sized](10_000)
	for i := range 1000 {
		c.put(i, 700)
		if _, ok := c.get(0); i < 9 && !ok {
			t.Fatalf("after %d entries the first is gone", i)
		}
	}
	if c.used > 10_000 || c.order.Len() != len(c.items) || len(c.items) != 10 {
		t.Fatalf("%d bytes, %d entries, %d in order", c.used, len(c.items), c.order.Len())
	}
	if _, ok := c.get(999); !ok {
		t.Error("the newest is gone")
	}
	if c.put(5, 5000); c.used > 10_000 {
		t.Error("over the limit")
	}
	if _, ok := c.get(5); ok {
		t.Error("a value that would push out all others is kept")
	}
	c.put(999, 100)
	if v, _ := c.get(999); v != 100 {
		t.Errorf("got %d, want the newer value", v)
	}
}
