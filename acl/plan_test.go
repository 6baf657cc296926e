package acl

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"wikibot/wiki"
)

// outcome is what a cell of the table says.
type outcome string

const (
	allowed      outcome = "allowed"
	hidden       outcome = "not found"
	signIn       outcome = "not signed in"
	refused      outcome = "forbidden"
	unpaid       outcome = "payment required"
	unclassified outcome = "an error of another kind"
)

func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return allowed
	case errors.Is(err, wiki.ErrNotFound):
		return hidden
	case errors.Is(err, wiki.ErrUnauthenticated):
		return signIn
	case errors.Is(err, wiki.ErrPayment):
		return unpaid
	case errors.Is(err, wiki.ErrForbidden):
		return refused
	}
	return unclassified
}

// asker is somebody who asks: base says in which row of the access table they
// stand ("-": in none), and no how they are refused what they have no right to.
type asker struct {
	name    string
	caller  wiki.Caller
	account Account
	base    string
	no      outcome
}

func askers() []asker {
	person := wiki.Caller{User: "alice"}
	token := func(role wiki.Role) wiki.Caller { return wiki.Caller{User: "alice", Narrowed: role} }
	site := func(role wiki.Role, id string) wiki.Caller {
		return wiki.Caller{Site: true, Narrowed: role, Only: "notes", OnlyID: id, Credential: "w-notes-00000001"}
	}
	return []asker{
		{"a visitor", wiki.Caller{}, Unknown, "visitor", signIn},
		{"somebody signed in", person, Active, "user", refused},
		{"a viewer", person, Active, "viewer", refused},
		{"an editor", person, Active, "editor", refused},
		{"an owner", person, Active, "owner", refused},
		{"an owner by DID", wiki.Caller{DID: someDID}, Active, "owner", refused},
		{"an owner with a viewer's token", token(wiki.Viewer), Active, "token viewer", refused},
		{"an owner with an editor's token", token(wiki.Editor), Active, "token editor", refused},
		{"an owner with an owner's token", token(wiki.Owner), Active, "owner", refused},
		{"an owner whose account is suspended", person, Suspended, "visitor", refused},
		{"an owner whose account is gone", person, Unknown, "visitor", signIn},
		{"a viewer's token of the site", site(wiki.Viewer, thisID), Unknown, "token viewer", refused},
		{"an editor's token of the site", site(wiki.Editor, thisID), Unknown, "token editor", refused},
		{"an owner's token of the site", site(wiki.Owner, thisID), Unknown, "owner", refused},
		{"a token of the site for another wiki", site(wiki.Owner, otherID), Unknown, "-", refused},
		{"the operator on the machine", wiki.Caller{User: "operator", Host: true}, Unknown, "host", refused},
	}
}

// letters is what the policy alone gives somebody in a column of the access table.
func (a asker) letters(column int) string {
	switch a.base {
	case "token viewer": // the token is for the role, whatever the access
		return "rp"
	case "token editor":
		return "rpw"
	case "host":
		return everything
	case "-":
		return "-"
	}
	return rows()[a.base][column]
}

// expected is the rule, said again as plainly as can be. may are the letters
// that the policy alone gives.
func expected(who asker, may string, letter byte, face wiki.Via, tier string, status Payment, archived bool) outcome {
	if who.base == "host" {
		return allowed
	}
	if !strings.Contains(may, "r") {
		return hidden // a stranger learns nothing, and nothing of the plan either
	}
	if !strings.Contains(may, string(letter)) {
		return who.no // the usual refusal
	}
	if status == PaymentLapsed && face == "mcp" {
		return unpaid // agents are shut out, from reading too
	}
	if letter == 'r' || letter == 'i' || letter == 'e' || letter == 'd' {
		return allowed // reading, inspecting, ending tokens, deleting go on
	}
	if status == PaymentLapsed {
		return unpaid
	}
	if archived || tier == "gone" {
		return refused
	}
	if tier == "without push" && (face == "https" || face == "ssh") {
		return unpaid
	}
	return allowed
}

// TestPlans is who may do what, every cell: caller × access × tier × payment ×
// archive × action × face.
func TestPlans(t *testing.T) {
	faces := []wiki.Via{wiki.ViaWeb, wiki.ViaAPI, wiki.ViaMCP, wiki.ViaHTTPS, wiki.ViaSSH, wiki.ViaCLI}
	statuses := []Payment{PaymentFree, PaymentActive, PaymentLapsed}
	tiers := map[string]Plan{
		"with push":    {Tier: "premium", Known: true, Push: true},
		"without push": {Tier: "free", Known: true},
		"gone":         {Tier: "gone", Push: true},
	}
	cells, count := 0, map[outcome]int{}
	for _, who := range askers() {
		for i, col := range columns() {
			p := &Policy{Schema: 1, Wiki: thisID, Read: col.read, Write: col.write, Propose: col.propose, Grants: map[string]wiki.Role{"olga": wiki.Owner}}
			p.Grants["alice"], p.Grants[someDID] = wiki.Owner, wiki.Owner
			if role, err := wiki.ParseRole(who.base); err == nil {
				p.Grants["alice"] = role
			} else if who.base == "user" {
				delete(p.Grants, "alice")
			}
			may := who.letters(i)
			for tier, plan := range tiers {
				for _, plan.Payment = range statuses {
					for _, plan.Archived = range []bool{false, true} {
						target := Target{Slug: "notes", Account: who.account, Plan: plan}
						for _, face := range faces {
							c := who.caller
							c.Via = face
							name := fmt.Sprintf("%s, read %s, write %s, propose %s, tier %s, %s, archived %v, through %s", who.name, col.read, col.write, col.propose, tier, plan.Payment, plan.Archived, face)
							can := ""
							for _, a := range actions {
								want := expected(who, may, a.letter, face, tier, plan.Payment, plan.Archived)
								if got := outcomeOf(p.Allow(c, a.action, target)); got != want {
									t.Errorf("%s: %s: got %s, want %s", name, a.action, got, want)
								}
								if want == allowed {
									can += string(a.letter)
								}
								count[want]++
								cells++
							}
							checkStanding(t, p.Standing(c, target), can, frozenFor(who, may, can, plan.Archived), name)
						}
					}
				}
			}
			if t.Failed() {
				t.FailNow() // one column says enough
			}
		}
	}
	t.Logf("%d cells: %v", cells, count)
	if want := 16 * 14 * 3 * 3 * 2 * 7 * 6; cells != want {
		t.Errorf("%d cells, want %d", cells, want)
	}
}

// frozenFor reports whether somebody is to be told that the wiki is read-only:
// whoever lost a right to change it, and of the archive whoever may read.
func frozenFor(who asker, may, can string, archived bool) bool {
	for _, change := range "pwm" {
		if strings.ContainsRune(may, change) && !strings.ContainsRune(can, change) {
			return true
		}
	}
	return archived && strings.Contains(may, "r") && who.base != "host"
}

// checkStanding compares a Standing with the letters of what is allowed.
func checkStanding(t *testing.T, s wiki.Standing, can string, frozen bool, name string) {
	t.Helper()
	for letter, got := range map[string]bool{"r": s.Read, "p": s.Propose, "w": s.Write, "m": s.Manage, "d": s.Delete, "i": s.Inspect, "e": s.Revoke} {
		if want := strings.Contains(can, letter); got != want {
			t.Errorf("%s: Standing says %v of %s, want %v", name, got, letter, want)
		}
	}
	if (s.Frozen != "") != frozen {
		t.Errorf("%s: Standing says %q, want frozen %v", name, s.Frozen, frozen)
	}
}

// TestPlanTexts: a refusal says what happened, what goes on, and who can help.
func TestPlanTexts(t *testing.T) {
	p := &Policy{Wiki: thisID, Read: Anonymous, Grants: map[string]wiki.Role{"alice": wiki.Owner, "bob": wiki.Editor}}
	bob := func(face wiki.Via) wiki.Caller { return wiki.Caller{User: "bob", Via: face} }
	free := Plan{Tier: "free", Known: true, Owner: "alice"}
	late := Plan{Tier: "premium", Known: true, Push: true, Payment: PaymentLapsed, Owner: "alice"}
	for _, c := range []struct {
		caller wiki.Caller
		action Action
		plan   Plan
		want   string
	}{
		{bob(wiki.ViaWeb), Write, late, `you cannot change the wiki "notes" now: its payment has lapsed. Everything is kept, and reading and git fetch go on; to restore it, turn to alice, its billing owner, or the site's administrators`},
		{bob(wiki.ViaMCP), Read, late, `the wiki "notes" is closed to agents: its payment has lapsed. Everything is kept, and reading and git fetch go on; to restore it, turn to alice, its billing owner, or the site's administrators`},
		{bob(wiki.ViaHTTPS), Write, free, `nothing can be pushed to the wiki "notes": its tier "free" has no git push. Fetching goes on, and people edit it in the browser and agents through MCP; for another tier turn to alice, its billing owner, or the site's administrators`},
		{bob(wiki.ViaWeb), Write, Plan{Tier: "fre", Owner: "alice"}, `you cannot change the wiki "notes" now: its record names the tier "fre", which this site does not have. Reading and git fetch go on; to mend it, turn to the site's administrators`},
		{bob(wiki.ViaWeb), Write, Plan{Known: true, Push: true, Archived: true}, `you cannot change the wiki "notes" now: it is in the archive. Reading and git fetch go on; to take it out, turn to the site's administrators`},
	} {
		if err := p.Allow(c.caller, c.action, Target{"notes", Active, c.plan}); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
}

// TestNoPlan: a look-up that was forgotten, or a status of the future, lets nobody
// change anything.
func TestNoPlan(t *testing.T) {
	p := &Policy{Wiki: thisID, Grants: map[string]wiki.Role{"alice": wiki.Owner}}
	alice := wiki.Caller{User: "alice"}
	if err := p.Allow(alice, Write, Target{Slug: "notes", Account: Active}); !errors.Is(err, wiki.ErrForbidden) {
		t.Errorf("got %v, want ErrForbidden", err)
	}
	if err := p.Allow(alice, Read, Target{Slug: "notes", Account: Active}); err != nil {
		t.Error(err)
	}
	if err := p.Allow(alice, Write, Target{"notes", Active, Plan{Known: true, Push: true, Payment: 7}}); !errors.Is(err, wiki.ErrPayment) {
		t.Errorf("got %v, want ErrPayment", err)
	}
}

func TestParsePayment(t *testing.T) {
	for _, want := range []Payment{PaymentFree, PaymentActive, PaymentLapsed} {
		var got Payment
		if err := got.UnmarshalText([]byte(want.String())); err != nil || got != want {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	}
	if p, err := ParsePayment("laps"); p != PaymentLapsed || err == nil || err.Error() != `"laps" is not a payment status (did you mean "lapsed"?): use free, active or lapsed` {
		t.Errorf("got %v, %v", p, err)
	}
}
