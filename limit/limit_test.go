package limit

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a time that only moves when it is told to.
type clock struct{ ns int64 }

func (c *clock) now() int64           { return c.ns }
func (c *clock) wait(d time.Duration) { c.ns += int64(d) }

func limiter(t *testing.T, rate string, buckets int) (*Limiter, *clock) {
	t.Helper()
	r, err := ParseRate(rate)
	if err != nil {
		t.Fatal(err)
	}
	c := &clock{ns: int64(time.Hour)}
	return newLimiter(r, buckets, c.now), c
}

// allowed is how many events of a key go through at once.
func allowed(l *Limiter, key string, tries int) (n int) {
	for range tries {
		if _, ok := l.Allow(key, 1); ok {
			n++
		}
	}
	return n
}

func TestBucket(t *testing.T) {
	l, c := limiter(t, "10/s burst 5", 64)
	if got := allowed(l, "a", 20); got != 5 {
		t.Errorf("at once: %d events, want the burst of 5", got)
	}
	if wait, ok := l.Allow("a", 1); ok || wait != 100*time.Millisecond {
		t.Errorf("an empty bucket: %v, %t, want 100ms", wait, ok)
	}
	if wait, ok := l.Allow("a", 3); ok || wait != 300*time.Millisecond {
		t.Errorf("three events: %v, %t, want 300ms", wait, ok)
	}
	if _, ok := l.Allow("b", 5); !ok {
		t.Error("another key shares the bucket")
	}
	c.wait(99 * time.Millisecond)
	if wait, ok := l.Peek("a", 1); ok || wait != time.Millisecond {
		t.Errorf("a moment too early: %v, %t", wait, ok)
	}
	c.wait(time.Millisecond)
	if _, ok := l.Peek("a", 1); !ok {
		t.Error("what was waited for is not there")
	}
	if got := allowed(l, "a", 9); got != 1 {
		t.Errorf("after 100ms: %d events, want 1", got)
	}
	c.wait(time.Hour)
	if got := allowed(l, "a", 20); got != 5 {
		t.Errorf("after a rest: %d events, want the burst and no more", got)
	}
	c.wait(time.Hour)
	if _, ok := l.Allow("a", 1000); !ok {
		t.Error("a cost above the burst is never allowed")
	}
	if got := allowed(l, "a", 5); got != 0 {
		t.Errorf("after a cost above the burst: %d events", got)
	}
}

func TestOffAllowsEverything(t *testing.T) {
	l := New(Rate{}, Buckets)
	if got := allowed(l, "a", 10_000); got != 10_000 {
		t.Errorf("%d of 10000", got)
	}
	if _, ok := l.AllowFrom(netip.Addr{}, 1); !ok {
		t.Error("an address was refused")
	}
	l.ChargeFrom(netip.Addr{}, 1)
}

// TestNobodyGetsAFreshBurst: whatever else goes on in a table that is far too
// small, no key takes more than its burst and what time has brought.
func TestNobodyGetsAFreshBurst(t *testing.T) {
	for _, pace := range []time.Duration{0, 2 * time.Millisecond, 200 * time.Millisecond} {
		l, c := limiter(t, "1/s burst 20", 16)
		const keys = 400
		random := rand.New(rand.NewPCG(1, 2))
		taken := [keys]int{}
		began := c.ns
		for range 100_000 {
			k := random.IntN(keys)
			cost := 1 + random.IntN(3)
			if _, ok := l.Allow(strconv.Itoa(k), cost); ok {
				taken[k] += cost
			}
			c.wait(pace)
		}
		most, all := 20+int(time.Duration(c.ns-began).Seconds())+1, 0
		for k, n := range taken {
			all += n
			if n > most {
				t.Errorf("pace %v: key %d took %d events, at most %d are right", pace, k, n, most)
			}
		}
		if all < 16*20 {
			t.Errorf("pace %v: %d events were allowed at all", pace, all)
		}
	}
}

// TestAFullTableIsNoFullStop: many who each ask a little do not lock a newcomer
// out.
func TestAFullTableIsNoFullStop(t *testing.T) {
	l, c := limiter(t, "10/s burst 20", 1024)
	for i := range 100_000 {
		l.Allow(fmt.Sprint("flood", i), 1)
		c.wait(250 * time.Microsecond) // 40 % of what the table can hold
	}
	refused := 0
	for i := range 100 {
		if allowed(l, fmt.Sprint("newcomer", i), 1) == 0 {
			refused++
		}
	}
	if refused > 0 {
		t.Errorf("%d of 100 newcomers were refused", refused)
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		a, b string
		same bool
	}{
		{"192.0.2.1", "192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true},
		{"2001:db8:1:2::1", "2001:db8:1:3::1", false},
		{"fe80::1%eth0", "fe80::1", true},
		{"::", "0.0.0.0", false},
	} {
		l, _ := limiter(t, "1/h burst 1", 64)
		l.AllowFrom(netip.MustParseAddr(c.a), 1)
		if _, ok := l.AllowFrom(netip.MustParseAddr(c.b), 1); ok == c.same {
			t.Errorf("%s and %s: share a bucket: %t, want %t", c.a, c.b, !ok, c.same)
		}
	}
}

// TestChargeIsBounded: what happened all at once is paid for, and not for ever.
func TestChargeIsBounded(t *testing.T) {
	l, c := limiter(t, "1/s burst 10", 64)
	a := netip.MustParseAddr("192.0.2.1")
	for range 1000 {
		l.ChargeFrom(a, 1)
	}
	if wait, ok := l.PeekFrom(a, 1); ok || wait != 11*time.Second {
		t.Errorf("after 1000 at once: %v, %t, want 11s", wait, ok)
	}
	c.wait(11 * time.Second)
	if _, ok := l.PeekFrom(a, 1); !ok {
		t.Error("the address stays locked out")
	}
}

// TestManyAtOnce: what goes through is exact when everybody asks at once.
func TestManyAtOnce(t *testing.T) {
	l, _ := limiter(t, "1/h burst 1000", 64)
	var ok atomic.Int64
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() { ok.Add(int64(allowed(l, "a", 500))) })
	}
	all.Wait()
	if ok.Load() != 1000 {
		t.Errorf("%d events, want 1000", ok.Load())
	}
}

func TestDoor(t *testing.T) {
	one := Rate{Events: 1, Per: time.Hour, Burst: 1}
	d := NewDoor(Config{one, one, one, one, one})
	here, there := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	for _, c := range []struct {
		what, credential string
		from             netip.Addr
		a                Action
		ok               bool
	}{
		{"the first", "t1", here, Read, true},
		{"the bucket is empty", "t1", here, Read, false},
		{"from elsewhere it is the same bucket", "t1", there, Read, false},
		{"writes are counted apart", "t1", here, Write, true},
		{"another credential behind the same address", "t2", here, Read, true},
		{"a visitor behind the same address", "", here, Read, true},
		{"the next visitor there", "", here, Read, false},
		{"a visitor elsewhere", "", there, Read, true},
		{"an anonymous change", "", here, Write, true},
		{"another", "", here, Write, false},
	} {
		early := d.Foresee(c.credential, c.from, c.a, 1)
		err := d.Allow(c.credential, c.from, c.a, 1)
		if (err == nil) != c.ok || (early == nil) != c.ok {
			t.Errorf("%s: %v, foreseen %v", c.what, err, early)
		}
		var told *Exceeded
		if err != nil && (!errors.As(err, &told) || told.Seconds() != 3600) {
			t.Errorf("%s: %v says %+v", c.what, err, told)
		}
	}
}

// TestGuessing: an address that guessed too often may not guess on, and does not
// lock out who was here before.
func TestGuessing(t *testing.T) {
	d := NewDoor(Config{Failures: Rate{Events: 1, Per: time.Hour, Burst: 3}})
	here, there := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	d.Tried("bob's", here, true)
	d.Tried("lost", here, true)
	for i := range 3 {
		guess := fmt.Sprint("guess ", i)
		if err := d.Try(guess, here); err != nil {
			t.Fatalf("guess %d: %v", i, err)
		}
		d.Tried(guess, here, false)
	}
	for secret, ok := range map[string]bool{"guess 4": false, "carol's": false, "bob's": true, "": false} {
		if err := d.Try(secret, here); (err == nil) != ok {
			t.Errorf("%q behind that address: %v", secret, err)
		}
	}
	if err := d.Try("carol's", there); err != nil {
		t.Errorf("elsewhere: %v", err)
	}
	if d.Tried("lost", here, false); d.Try("lost", here) == nil {
		t.Error("a credential that was revoked is still looked at")
	}
	if err := (*Door)(nil).Try("x", here); err != nil {
		t.Error(err)
	}
}

// TestSeenForgetsTheOldest: the memory is fixed.
func TestSeenForgetsTheOldest(t *testing.T) {
	s := newSeen(ways)
	for i := range ways {
		s.add(fmt.Sprint(i))
	}
	s.add("0") // used again
	s.add("new")
	for text, want := range map[string]bool{"0": true, "1": false, "2": true, "new": true} {
		if s.has(text) != want {
			t.Errorf("has %q: %t", text, !want)
		}
	}
	s.remove("2")
	s.remove("2")
	if s.has("2") || !s.has("3") || !s.has("7") {
		t.Error("removing one text took another")
	}
}

func TestSeconds(t *testing.T) {
	for wait, want := range map[time.Duration]int{0: 1, time.Millisecond: 1, time.Second: 1, time.Second + 1: 2, time.Minute: 60} {
		if got := (&Exceeded{Wait: wait}).Seconds(); got != want {
			t.Errorf("%v: %d, want %d", wait, got, want)
		}
	}
}

func BenchmarkAllow(b *testing.B) {
	l := New(Rate{1_000_000, time.Second, 1_000_000}, Buckets)
	keys := make([]string, 1024)
	for i := range keys {
		keys[i] = fmt.Sprintf("w-research-%08x", i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.Allow(keys[i&1023], 1)
	}
}

func BenchmarkAllowParallel(b *testing.B) {
	l := New(Rate{1_000_000, time.Second, 1_000_000}, Buckets)
	b.ReportAllocs()
	b.RunParallel(func(p *testing.PB) {
		key := fmt.Sprint(rand.Int())
		for p.Next() {
			l.Allow(key, 1)
		}
	})
}

func BenchmarkDoor(b *testing.B) {
	r := Rate{1_000_000, time.Second, 1_000_000}
	d := NewDoor(Config{r, r, r, r, r})
	from := netip.MustParseAddr("2001:db8::1")
	d.Tried("Bearer wbt_u-0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", from, true)
	b.ReportAllocs()
	for b.Loop() {
		secret := "Bearer wbt_u-0123456789abcdef_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		if d.Try(secret, from) != nil {
			b.Fatal("refused")
		}
		d.Tried(secret, from, true)
		d.Allow("w-research-01234567", from, Read, 0) // 0: faster than any rate
	}
}
