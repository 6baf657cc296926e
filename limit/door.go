package limit

import (
	"fmt"
	"net/netip"
	"time"
)

// Config are the rates of a site; each may be off.
type Config struct {
	Reads, Writes                   Rate // of each credential
	AnonymousReads, AnonymousWrites Rate // of each address, without a credential
	Failures                        Rate // of credentials that do not hold, of each address
}

// Door is what every face of a site asks before it does something. It is safe
// for concurrent use; the nil Door refuses nobody.
//
// Whoever has shown a good credential is counted by that credential, wherever
// they come from: a hundred agents behind one address do not share a bucket.
// Everybody else is counted by address. Credentials that do not hold are counted
// by address as well, and an address that has sent too many is refused before
// the next one is looked at, so that guessing is bounded. A credential that was
// good before is looked at all the same: somebody who guesses does not lock out
// the others behind their address.
type Door struct {
	reads, writes, anonymousReads, anonymousWrites, failures *Limiter

	known *seen // credentials that were good before
}

// NewDoor makes the limits of a site, about 6 MB with all rates on.
func NewDoor(c Config) *Door {
	return &Door{
		reads: New(c.Reads, Buckets), writes: New(c.Writes, Buckets),
		anonymousReads: New(c.AnonymousReads, Buckets), anonymousWrites: New(c.AnonymousWrites, Buckets),
		failures: New(c.Failures, Buckets), known: newSeen(Buckets),
	}
}

// Action is what somebody wants to do, as far as limits tell things apart.
type Action int

// The actions.
const (
	Read  Action = iota
	Write        // whatever may change something, a push among it
)

// Allow lets a caller in to do something, or says in an *Exceeded when they may
// come again. credential is the id of the credential that was found good, the
// same over all faces (wiki.Caller.Credential); it is empty for anonymous
// visitors, who are counted by the address from.
func (d *Door) Allow(credential string, from netip.Addr, a Action, cost int) error {
	_, err := d.Take(credential, from, a, cost)
	return err
}

// Take is Allow that also says how much is left, for faces that tell their clients.
func (d *Door) Take(credential string, from netip.Addr, a Action, cost int) (State, error) {
	if d == nil {
		return State{}, nil
	}
	left, wait, ok := State{}, time.Duration(0), false
	l, why := d.rate(credential, a)
	if credential != "" {
		left, wait, ok = l.Take(credential, cost)
	} else {
		left, wait, ok = l.TakeFrom(from, cost)
	}
	if !ok {
		return left, &Exceeded{wait, why}
	}
	return left, nil
}

// Foresee is Allow without taking anything: it says early what would be refused
// later, before somebody sends much in vain.
func (d *Door) Foresee(credential string, from netip.Addr, a Action, cost int) error {
	if d == nil {
		return nil
	}
	wait, ok := time.Duration(0), false
	l, why := d.rate(credential, a)
	if credential != "" {
		wait, ok = l.Peek(credential, cost)
	} else {
		wait, ok = l.PeekFrom(from, cost)
	}
	if !ok {
		return &Exceeded{wait, why}
	}
	return nil
}

// rate is the limiter for what somebody wants to do, and what they are told when it
// refuses them.
func (d *Door) rate(credential string, a Action) (l *Limiter, why string) {
	switch {
	case credential != "" && a == Write:
		return d.writes, "too many changes with this credential"
	case credential != "":
		return d.reads, "too many requests with this credential"
	case a == Write:
		l, why = d.anonymousWrites, "changes"
	default:
		l, why = d.anonymousReads, "requests"
	}
	return l, "too many " + why + " from your network address without signing in; sign in, or slow down"
}

// Try is to be asked before a credential is looked at. secret is the credential
// as it was sent, whole, or empty for one that is good only once; a keyed hash
// of it is kept, in memory.
func (d *Door) Try(secret string, from netip.Addr) error {
	if d == nil || d.known.has(secret) {
		return nil
	}
	if wait, ok := d.failures.PeekFrom(from, 1); !ok {
		return &Exceeded{wait, "too many tokens, keys or sign-ins from your network address were wrong"}
	}
	return nil
}

// Tried says what came of it.
func (d *Door) Tried(secret string, from netip.Addr, good bool) {
	switch {
	case d == nil:
	case good && secret != "":
		d.known.add(secret)
	case !good:
		d.known.remove(secret)
		d.failures.ChargeFrom(from, 1)
	}
}

// Exceeded is the error of a limit that was met.
type Exceeded struct {
	Wait time.Duration // until the same would be allowed
	why  string
}

// Seconds is Wait, rounded up, as the header Retry-After has it (RFC 9110,
// 10.2.3).
func (e *Exceeded) Seconds() int { return max(1, int((e.Wait+time.Second-1)/time.Second)) }

// Error says what happened and the next step, in one line.
func (e *Exceeded) Error() string {
	unit := "seconds"
	if e.Seconds() == 1 {
		unit = "second"
	}
	return fmt.Sprintf("%s; try again in %d %s", e.why, e.Seconds(), unit)
}
