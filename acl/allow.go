package acl

import (
	"fmt"

	"wikibot/wiki"
)

// Action is what somebody wants to do to a wiki.
type Action uint8

// The actions. Write covers creating, editing, renaming and deleting pages and
// attachments.
const (
	Read       Action = iota + 1
	Propose           // offer a change for review
	Write             // change pages
	Manage            // grants, tokens, settings, the configuration's refs
	DeleteWiki        // the whole wiki
	Inspect           // see the configuration and the tokens, without changing them
	EndTokens         // revoke them
)

var actionWords = [...]string{"", "read", "propose changes to", "change", "manage", "delete", "see the configuration of", "end tokens of"}

// String is the action as it fits into "you may not … this wiki".
func (a Action) String() string {
	if a > 0 && int(a) < len(actionWords) {
		return actionWords[a]
	}
	return fmt.Sprintf("Action(%d)", uint8(a))
}

// Account is the state of the caller's account on the site. The zero Account
// gives nothing, so that a forgotten look-up lets nobody in.
type Account uint8

// The states.
const (
	Unknown   Account = iota // nobody is signed in, or the account is gone
	Active                   // the record exists and is in force
	Suspended                // the person counts as anonymous, with nothing granted
)

// Target is what an action is done to, with what the site knows of the caller
// and of the wiki.
type Target struct {
	Slug    wiki.Slug
	Account Account // of the caller; ignored for callers without User and DID
	Plan    Plan
}

// Allow says whether a caller may do something to a wiki; nil means yes.
//
//   - ErrNotFound: the caller may not read the wiki, so it does not exist for
//     them. A credential that is bound to another wiki finds no other.
//   - ErrUnauthenticated: nobody is signed in (or the account is gone), the wiki
//     is readable, and there are people who may do this.
//   - ErrForbidden: readable, but not this; the text names the reason and the
//     next step. So is every change of a wiki in the archive.
//   - ErrPayment: the caller's role would do, but the wiki's payment has lapsed,
//     or its tier has no git push. See Plan.
//
// Whoever would be refused anyway is told nothing of the plan.
//
// Narrowing (Caller.Narrowed) caps what both the grant and [access] give: a
// viewer's token reads and proposes, an editor's writes, an owner's manages. A
// token that the operator made on the host (Caller.Site) has in the wiki that it
// is bound to the role that it was narrowed to, and nothing anywhere else. A
// Caller with Host set is the operator and may do everything.
//
// A nil result costs no allocation.
func (p *Policy) Allow(c wiki.Caller, a Action, t Target) error {
	may := p.rights(c, t)
	switch {
	case !may.has(Read):
		return wiki.NotFound("there is no wiki %q, or you may not see it: check the address, or sign in", t.Slug)
	case !may.has(a):
		return p.refuse(c, a, t)
	}
	if why := t.Plan.stops(c, a); why != goes {
		return t.stopped(c, a, why)
	}
	return nil
}

// Standing is all that Allow would answer, at once.
func (p *Policy) Standing(c wiki.Caller, t Target) wiki.Standing {
	may := p.rights(c, t)
	does := func(a Action) bool { return may.has(a) && t.Plan.stops(c, a) == goes }
	return wiki.Standing{
		Role:    may.role,
		Read:    does(Read),
		Write:   does(Write),
		Propose: does(Propose),
		Manage:  does(Manage),
		Inspect: does(Inspect),
		Revoke:  does(EndTokens),
		Delete:  does(DeleteWiki),
		Frozen:  t.frozen(c, may),
	}
}

// rights are a caller's actions in one wiki as a set of bits, and the role
// that the grant gives after narrowing.
type rights struct {
	role wiki.Role
	set  uint8
}

func (r rights) has(a Action) bool { return a >= Read && a <= EndTokens && r.set>>a&1 == 1 }

const (
	reads   = 1 << Read
	offers  = 1<<Read | 1<<Propose
	writes  = offers | 1<<Write
	manages = writes | 1<<Manage | 1<<DeleteWiki | 1<<Inspect | 1<<EndTokens
)

// byRole is what each role gives, and the most that a credential narrowed to
// that role leaves.
var byRole = [...]uint8{wiki.NoRole: 0, wiki.Viewer: offers, wiki.Editor: writes, wiki.Owner: manages}

func (p *Policy) rights(c wiki.Caller, t Target) rights {
	if c.Host {
		return rights{wiki.Owner, manages}
	}
	bound := c.Only != "" || c.OnlyID != ""
	if bound && (c.Only == "" || c.Only != t.Slug || c.OnlyID == "" || c.OnlyID != p.Wiki) {
		return rights{}
	}
	if c.Site {
		if !bound {
			return rights{}
		}
		return rights{c.Narrowed, byRole[min(c.Narrowed, wiki.Owner)]}
	}
	standing, role := Anonymous, wiki.NoRole
	if t.Account == Active && !c.Anonymous() {
		if role = p.Role(c.User, c.DID); role != wiki.NoRole {
			standing = Granted
		} else if c.User != "" {
			standing = Registered
		}
	}
	set := byRole[min(role, wiki.Owner)] | p.open(standing)
	if c.Narrowed != wiki.NoRole {
		role = min(role, c.Narrowed)
		set &= byRole[min(c.Narrowed, wiki.Owner)]
	}
	return rights{role, set}
}

// open is what [access] gives to everyone of a standing. A level is met by
// every standing that is no wider; by Granted itself only the role counts.
func (p *Policy) open(standing Level) uint8 {
	var set uint8
	if p.Read != Granted && standing <= p.Read {
		set |= reads
		if p.Propose != Granted && standing <= p.Propose {
			set |= offers
		}
		if p.Write != Granted && standing <= p.Write {
			set |= writes
		}
	}
	return set
}

// refuse tells somebody who may read why they may not do more.
func (p *Policy) refuse(c wiki.Caller, a Action, t Target) error {
	switch {
	case c.Site:
		return wiki.Forbidden("this token may not %s the wiki %q, since it was made for the role %s: use a token with a greater one", a, t.Slug, c.Narrowed)
	case t.Account == Suspended && !c.Anonymous():
		return wiki.Forbidden("the account %s is suspended, so you may read public wikis only: ask the site's administrators", c.Name())
	case c.Anonymous() || t.Account != Active:
		if !p.anybody(a) {
			return wiki.Forbidden("nobody may %s the wiki %q", a, t.Slug)
		}
		return &wiki.Error{Kind: wiki.ErrUnauthenticated, Text: fmt.Sprintf("sign in to %s the wiki %q", a, t.Slug)}
	}
	whole := c
	whole.Narrowed = wiki.NoRole
	if c.Narrowed != wiki.NoRole && p.rights(whole, t).has(a) {
		return wiki.Forbidden("this token may not %s the wiki %q, since it was made for the role %s: use a token with a greater one", a, t.Slug, c.Narrowed)
	}
	return wiki.Forbidden("you may read the wiki %[2]q but not %[1]s it: ask an owner for the role %[3]s", a, t.Slug, least(a))
}

// anybody reports whether there is anyone at all who may do this.
func (p *Policy) anybody(a Action) bool {
	if (rights{set: p.open(Registered)}).has(a) {
		return true
	}
	for _, role := range p.Grants {
		if (rights{set: byRole[min(role, wiki.Owner)]}).has(a) {
			return true
		}
	}
	return false
}

// least is the least role that may do something.
func least(a Action) wiki.Role {
	for role := wiki.Viewer; role < wiki.Owner; role++ {
		if (rights{set: byRole[role]}).has(a) {
			return role
		}
	}
	return wiki.Owner
}
