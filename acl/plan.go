package acl

import (
	"fmt"
	"slices"

	"wikibot/record"
	"wikibot/wiki"
)

// Payment is whether a wiki is paid for, as its record in admin.git says.
type Payment uint8

// The states.
const (
	PaymentFree   Payment = iota // there is nothing to pay
	PaymentActive                // paid
	PaymentLapsed                // was to be paid and is not: nothing may be changed
)

var paymentNames = []string{"free", "active", "lapsed"}

func (p Payment) String() string {
	if int(p) < len(paymentNames) {
		return paymentNames[p]
	}
	return fmt.Sprintf("Payment(%d)", uint8(p))
}

// ParsePayment accepts free, active and lapsed.
func ParsePayment(s string) (Payment, error) {
	if i := slices.Index(paymentNames, s); i >= 0 {
		return Payment(i), nil
	}
	return PaymentLapsed, wiki.Invalid("payment_status", "%q is not a payment status%s: use free, active or lapsed", s, record.DidYouMean(s, paymentNames))
}

// UnmarshalText is ParsePayment.
func (p *Payment) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePayment(string(text))
	return err
}

// MarshalText is String.
func (p Payment) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Plan is what the site says of a wiki, beside what the wiki says of itself. It
// takes rights away from whoever has them, the operator on the machine (Host)
// excepted:
//
//	                          read     propose, write, manage   inspect, end tokens, delete
//	lapsed                    not mcp  –  (ErrPayment)          not mcp
//	archived                  yes      –  (ErrForbidden)        yes
//	the tier is not known     yes      –  (ErrForbidden)        yes
//	the tier has no git push  yes      not https, ssh           yes
//
// "not mcp" is an ErrPayment through that face, and so is "not https, ssh". The
// first line that applies gives the reason. The zero Plan has a tier that is not
// known, so that a forgotten look-up lets nobody change anything.
type Plan struct {
	Tier     string // as the wiki's record names it
	Known    bool   // the site has this tier
	Push     bool   // the tier has git push
	Payment  Payment
	Archived bool
	Owner    wiki.Username // who pays; empty where the record names nobody
}

// stop is why a plan stops an action.
type stop uint8

const (
	goes stop = iota // it does not
	lapsed
	archived
	unknownTier
	noPush
)

// stops says whether a plan takes an action from a caller who has the right.
func (p *Plan) stops(c wiki.Caller, a Action) stop {
	paid := p.Payment == PaymentFree || p.Payment == PaymentActive
	changes := a == Propose || a == Write || a == Manage
	switch {
	case c.Host:
		return goes
	case !paid && (changes || c.Via == wiki.ViaMCP):
		return lapsed
	case !changes:
		return goes
	case p.Archived:
		return archived
	case !p.Known:
		return unknownTier
	case !p.Push && (c.Via == wiki.ViaHTTPS || c.Via == wiki.ViaSSH):
		return noPush
	}
	return goes
}

// stopped is the refusal.
func (t *Target) stopped(c wiki.Caller, a Action, why stop) error {
	reason := t.reason(why)
	switch {
	case why == lapsed && c.Via == wiki.ViaMCP:
		return wiki.PaymentRequired("the wiki %q is closed to agents: %s", t.Slug, reason)
	case why == lapsed:
		return wiki.PaymentRequired("you cannot %s the wiki %q now: %s", a, t.Slug, reason)
	case why == noPush:
		return wiki.PaymentRequired("nothing can be pushed to the wiki %q: %s", t.Slug, reason)
	}
	return wiki.Forbidden("you cannot %s the wiki %q now: %s", a, t.Slug, reason)
}

// reason is why, with the next step, as it follows a colon.
func (t *Target) reason(why stop) string {
	payer := ""
	if t.Plan.Owner != "" {
		payer = string(t.Plan.Owner) + ", its billing owner, or "
	}
	switch why {
	case lapsed:
		return "its payment has lapsed. Everything is kept, and reading and git fetch go on; to restore it, turn to " + payer + "the site's administrators"
	case archived:
		return "it is in the archive. Reading and git fetch go on; to take it out, turn to the site's administrators"
	case unknownTier:
		return fmt.Sprintf("its record names the tier %q, which this site does not have. Reading and git fetch go on; to mend it, turn to the site's administrators", t.Plan.Tier)
	}
	return fmt.Sprintf("its tier %q has no git push. Fetching goes on, and people edit it in the browser and agents through MCP; for another tier turn to %sthe site's administrators", t.Plan.Tier, payer)
}

// frozen is Standing.Frozen. Whoever could change nothing anyway learns only of
// the archive.
func (t *Target) frozen(c wiki.Caller, may rights) string {
	for _, a := range [...]Action{Write, Propose, Manage} {
		if why := t.Plan.stops(c, a); why != goes && may.has(a) {
			return t.reason(why)
		}
	}
	if t.Plan.Archived && may.has(Read) && !c.Host {
		return t.reason(archived)
	}
	return ""
}
