// Package limit bounds how often somebody may ask. It knows nothing of HTTP,
// SSH or wikis; all faces of a site share one Door.
//
// A Limiter is one rate with a token bucket for each key. A bucket is one
// number, the time at which it will be full again (the generic cell rate
// algorithm, ITU-T I.371, turned into words of buckets): to take n events moves
// that time n intervals on, and is allowed while it is at most a burst away.
//
// The memory is fixed. Buckets live in a table of small sets, and a key may lie
// in one set only, chosen by a hash that nobody outside can compute. Where the
// set has no room, the newcomer takes the place of the fullest bucket, and what
// is missing in that bucket with it (the space-saving algorithm of Metwally,
// Agrawal and El Abbadi, ICDT 2005). So a key that was pushed out and comes back
// finds a bucket that is at most as full as its own would be: nobody gets a
// fresh burst by filling the table with other keys. What newcomers pay for it is
// small, because the fullest of eight buckets is nearly full unless somebody
// keeps the whole table busy.
//
// The limiter of golang.org/x/time/rate is one bucket without a way to hand its
// state on, so such a table cannot be made of it.
package limit

import (
	"hash/maphash"
	"math/bits"
	"net/netip"
	"sync"
	"time"
)

// Buckets is the usual size of a Limiter: 1.1 MB.
const Buckets = 1 << 16

// ways is how many buckets a set has.
const ways = 8

// Limiter is one rate, for any number of keys. It is safe for concurrent use;
// keys of different sets do not wait for each other. The nil Limiter allows
// everything.
type Limiter struct {
	interval int64 // ns after which one event comes back
	burst    int   // the most events that a bucket holds
	span     int64 // ns after which an empty bucket is full
	seed     maphash.Seed
	mask     uint64
	sets     []set
	now      func() int64 // ns since some moment; never goes back
}

type set struct {
	mu   sync.Mutex
	key  [ways]uint64 // hashes; guarded by mu, as below
	full [ways]int64  // when the bucket is full again; 0 of one never used
}

// New makes a limiter with at least so many buckets. A rate that is off gives
// nil.
func New(r Rate, buckets int) *Limiter {
	began := time.Now()
	return newLimiter(r, buckets, func() int64 { return int64(time.Since(began)) })
}

func newLimiter(r Rate, buckets int, now func() int64) *Limiter {
	if r.Off() {
		return nil
	}
	sets := 1 << bits.Len(uint(max(buckets/ways, 1)-1))
	interval := max(int64(r.Per)/int64(r.Events), 1)
	return &Limiter{
		interval: interval, burst: r.Burst, span: interval * int64(r.Burst),
		seed: maphash.MakeSeed(), mask: uint64(sets - 1), sets: make([]set, sets), now: now,
	}
}

// Allow takes cost events from the key's bucket. Where they are not there it
// takes nothing and says when they will be. A cost above the burst counts as the
// burst, else it would never be allowed.
func (l *Limiter) Allow(key string, cost int) (wait time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	_, wait, ok = l.take(maphash.String(l.seed, key), cost, mayRefuse)
	return wait, ok
}

// Take is Allow that also says how much is left.
func (l *Limiter) Take(key string, cost int) (State, time.Duration, bool) {
	if l == nil {
		return State{}, 0, true
	}
	return l.take(maphash.String(l.seed, key), cost, mayRefuse)
}

// TakeFrom is Take for an address.
func (l *Limiter) TakeFrom(a netip.Addr, cost int) (State, time.Duration, bool) {
	if l == nil {
		return State{}, 0, true
	}
	return l.take(l.address(a), cost, mayRefuse)
}

// Peek is Allow without taking anything.
func (l *Limiter) Peek(key string, cost int) (wait time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	_, wait, ok = l.take(maphash.String(l.seed, key), cost, onlyLook)
	return wait, ok
}

// AllowFrom is Allow for an address; the hosts of one IPv6 network of 64 bits
// share a bucket, since one customer has at least that much.
func (l *Limiter) AllowFrom(a netip.Addr, cost int) (wait time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	_, wait, ok = l.take(l.address(a), cost, mayRefuse)
	return wait, ok
}

// PeekFrom is Peek for an address.
func (l *Limiter) PeekFrom(a netip.Addr, cost int) (wait time.Duration, ok bool) {
	if l == nil {
		return 0, true
	}
	_, wait, ok = l.take(l.address(a), cost, onlyLook)
	return wait, ok
}

// ChargeFrom takes cost events from an address in any case: for what has
// happened already. The bucket goes down to minus a burst at most.
func (l *Limiter) ChargeFrom(a netip.Addr, cost int) {
	if l != nil {
		l.take(l.address(a), cost, inAnyCase)
	}
}

// address is the hash of an address's network.
func (l *Limiter) address(a netip.Addr) uint64 {
	b := Network(a).As16()
	return maphash.Bytes(l.seed, b[:])
}

// Network is what stands for an address wherever addresses are told apart: an
// IPv4 address itself, and of IPv6 the first 64 bits, since a host chooses the
// others as it likes (RFC 8981).
func Network(a netip.Addr) netip.Addr {
	if a = a.Unmap().WithZone(""); !a.Is6() {
		return a
	}
	b := a.As16()
	clear(b[8:])
	return netip.AddrFrom16(b)
}

type how int

const (
	mayRefuse how = iota
	onlyLook
	inAnyCase
)

func (l *Limiter) take(key uint64, cost int, how how) (left State, wait time.Duration, ok bool) {
	now := l.now()
	s := &l.sets[key&l.mask]
	s.mu.Lock()
	defer s.mu.Unlock()
	i := s.find(key)
	full := max(s.full[i], now) + int64(min(cost, l.burst))*l.interval
	switch over := full - now - l.span; {
	case how == inAnyCase:
		full = min(full, now+2*l.span)
	case over > 0:
		return l.state(max(s.full[i], now) - now), time.Duration(over), false
	case how == onlyLook:
		return State{}, 0, true
	}
	s.key[i], s.full[i] = key, full
	return l.state(full - now), 0, true
}

// state is that of a bucket which will be full after so many ns.
func (l *Limiter) state(full int64) State {
	used := int((full + l.interval - 1) / l.interval)
	return State{Limit: l.burst, Remaining: max(l.burst-used, 0), Window: time.Duration(l.span), Reset: time.Duration(max(full, 0))}
}

// find is the key's own bucket, or else the fullest one of the set, which the
// key would take over as it is.
func (s *set) find(key uint64) int {
	fullest := 0
	for i := range s.key {
		if s.key[i] == key {
			return i
		}
		if s.full[i] < s.full[fullest] {
			fullest = i
		}
	}
	return fullest
}
