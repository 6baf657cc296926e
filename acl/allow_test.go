package acl

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"wikibot/wiki"
)

const (
	thisID  = "3f0c5a1e9b7d42c8a6e1f0d35b7c9a24"
	otherID = "00000000000000000000000000000000"
	someDID = "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
)

// actions in the order of the table's letters.
var actions = []struct {
	letter byte
	action Action
}{{'r', Read}, {'p', Propose}, {'w', Write}, {'m', Manage}, {'d', DeleteWiki}, {'i', Inspect}, {'e', EndTokens}}

// everything is what owners may.
const everything = "rpwmdie"

// columns are the ways in which read, write and propose can be set; those where
// write or propose is wider than read cannot exist.
func columns() []struct{ read, write, propose Level } {
	const g, r, a = Granted, Registered, Anonymous
	return []struct{ read, write, propose Level }{
		{g, g, g},
		{r, g, g}, {r, g, r}, {r, r, g}, {r, r, r},
		{a, g, g}, {a, g, r}, {a, g, a}, {a, r, g}, {a, r, r}, {a, r, a}, {a, a, g}, {a, a, r}, {a, a, a},
	}
}

// rows are what is allowed for each standing (a role, or signed in without one, or
// a visitor), one word for each column: r read, p propose, w write, and all for
// that and m manage, d delete the wiki, i inspect, e end tokens.
func rows() map[string][]string {
	table := map[string]string{
		//          ggg  rgg  rgr  rrg  rrr  agg  agr  aga  arg  arr  ara  aag  aar  aaa
		"visitor": "-    -    -    -    -    r    r    rp   r    r    rp   rpw  rpw  rpw",
		"user":    "-    r    rp   rpw  rpw  r    rp   rp   rpw  rpw  rpw  rpw  rpw  rpw",
		"viewer":  "rp   rp   rp   rpw  rpw  rp   rp   rp   rpw  rpw  rpw  rpw  rpw  rpw",
		"editor":  "rpw  rpw  rpw  rpw  rpw  rpw  rpw  rpw  rpw  rpw  rpw  rpw  rpw  rpw",
		"owner":   "all  all  all  all  all  all  all  all  all  all  all  all  all  all",
	}
	out := map[string][]string{}
	for who, line := range table {
		out[who] = strings.Fields(strings.ReplaceAll(line, "all", everything))
	}
	return out
}

// TestTable is the policy's whole rule as a table: what each standing may in each
// [access], for every account, narrowing and binding of the credential. The wiki's
// plan takes nothing away here; TestPlans has it.
func TestTable(t *testing.T) {
	narrowings := []struct {
		role wiki.Role
		most string
	}{{wiki.NoRole, everything}, {wiki.Viewer, "rp"}, {wiki.Editor, "rpw"}, {wiki.Owner, everything}}
	checked := 0
	for who, words := range rows() {
		if len(words) != len(columns()) {
			t.Fatalf("the row %s has %d columns, want %d", who, len(words), len(columns()))
		}
		for i, col := range columns() {
			p := &Policy{Schema: 1, Wiki: thisID, Read: col.read, Write: col.write, Propose: col.propose, Grants: map[string]wiki.Role{"olga": wiki.Owner}}
			c := wiki.Caller{}
			if who != "visitor" {
				c.User = "alice"
			}
			if role, err := wiki.ParseRole(who); err == nil {
				p.Grants["alice"] = role
			}
			for _, account := range []Account{Active, Suspended, Unknown} {
				want := words[i]
				if account != Active && who != "visitor" {
					want = rows()["visitor"][i]
				}
				for _, n := range narrowings {
					c.Narrowed = n.role
					for _, b := range bindings(c) {
						name := fmt.Sprintf("%s, read %s, write %s, propose %s, account %d, narrowed to %s, bound to %q %q, host %v", who, col.read, col.write, col.propose, account, n.role, b.Only, b.OnlyID, b.Host)
						checkAll(t, p, b, at(account), bound(b, both(want, n.most)), name)
						checked++
					}
				}
			}
		}
	}
	if want := len(rows()) * len(columns()) * 3 * 4 * 8; checked != want {
		t.Errorf("checked %d combinations, want %d", checked, want)
	}
}

// at is the wiki notes with a plan that takes nothing away.
func at(account Account) Target {
	return Target{Slug: "notes", Account: account, Plan: Plan{Tier: "self", Known: true, Push: true}}
}

// bindings are a caller free, bound to this wiki, to others, by halves, and as
// the operator.
func bindings(c wiki.Caller) []wiki.Caller {
	with := func(f func(*wiki.Caller)) wiki.Caller { d := c; f(&d); return d }
	return []wiki.Caller{
		c,
		with(func(c *wiki.Caller) { c.Only, c.OnlyID = "notes", thisID }),
		with(func(c *wiki.Caller) { c.Only, c.OnlyID = "other", otherID }),
		with(func(c *wiki.Caller) { c.Only, c.OnlyID = "notes", otherID }), // the name was given to another wiki
		with(func(c *wiki.Caller) { c.Only, c.OnlyID = "other", thisID }),
		with(func(c *wiki.Caller) { c.Only = "notes" }),
		with(func(c *wiki.Caller) { c.OnlyID = thisID }),
		with(func(c *wiki.Caller) { c.Host = true }),
	}
}

func bound(c wiki.Caller, want string) string {
	switch {
	case c.Host:
		return everything
	case c.Only == "" && c.OnlyID == "", c.Only == "notes" && c.OnlyID == thisID:
		return want
	}
	return "-"
}

// both are the letters that are in a and in b.
func both(a, b string) string {
	out := ""
	for _, r := range a {
		if strings.ContainsRune(b, r) {
			out += string(r)
		}
	}
	return out
}

// checkAll compares Allow and Standing with the allowed letters, and the kind
// of each refusal with what the refused may know.
func checkAll(t *testing.T, p *Policy, c wiki.Caller, target Target, want, name string) {
	t.Helper()
	for _, a := range actions {
		err := p.Allow(c, a.action, target)
		switch allowed := strings.IndexByte(want, a.letter) >= 0; {
		case allowed && err != nil:
			t.Errorf("%s: %s is refused: %v", name, a.action, err)
		case allowed:
		case err == nil:
			t.Errorf("%s: %s is allowed", name, a.action)
		case !strings.Contains(want, "r"):
			if !errors.Is(err, wiki.ErrNotFound) {
				t.Errorf("%s: %s: got %v, want ErrNotFound", name, a.action, err)
			}
		case !c.Site && (c.Anonymous() || target.Account == Unknown):
			if !errors.Is(err, wiki.ErrUnauthenticated) {
				t.Errorf("%s: %s: got %v, want ErrUnauthenticated", name, a.action, err)
			}
		case !errors.Is(err, wiki.ErrForbidden):
			t.Errorf("%s: %s: got %v, want ErrForbidden", name, a.action, err)
		}
	}
	s := p.Standing(c, target)
	got := ""
	for _, f := range []struct {
		yes    bool
		letter string
	}{{s.Read, "r"}, {s.Propose, "p"}, {s.Write, "w"}, {s.Manage, "m"}, {s.Delete, "d"}, {s.Inspect, "i"}, {s.Revoke, "e"}} {
		if f.yes {
			got += f.letter
		}
	}
	if got != strings.Trim(want, "-") || s.Frozen != "" {
		t.Errorf("%s: Standing says %q and %q, want %q", name, got, s.Frozen, want)
	}
}

func TestRole(t *testing.T) {
	p := &Policy{Grants: map[string]wiki.Role{"alice": wiki.Viewer, someDID: wiki.Editor, "bob": wiki.Owner}}
	for _, c := range []struct {
		user wiki.Username
		did  wiki.DID
		want wiki.Role
	}{
		{"alice", "", wiki.Viewer}, {"alice", someDID, wiki.Editor}, {"bob", someDID, wiki.Owner}, {"", someDID, wiki.Editor},
		{"carol", "", wiki.NoRole}, {"", "", wiki.NoRole}, {"carol", "did:web:example.org", wiki.NoRole},
	} {
		if got := p.Role(c.user, c.did); got != c.want {
			t.Errorf("Role(%q, %q): got %s, want %s", c.user, c.did, got, c.want)
		}
	}
}

// TestSiteToken: a token of the operator's has its role in its wiki, and in no
// other; without a binding it has nothing.
func TestSiteToken(t *testing.T) {
	p := &Policy{Wiki: thisID, Read: Anonymous, Grants: map[string]wiki.Role{"olga": wiki.Owner}}
	target := at(Unknown)
	for role, want := range map[wiki.Role]string{wiki.Viewer: "rp", wiki.Editor: "rpw", wiki.Owner: everything, wiki.NoRole: "-"} {
		c := wiki.Caller{Site: true, Narrowed: role, Only: "notes", OnlyID: thisID, Credential: "w-notes-00000001"}
		checkAll(t, p, c, target, want, "site token "+role.String())
		c.OnlyID = otherID
		checkAll(t, p, c, target, "-", "site token of another wiki")
		c.Only, c.OnlyID = "", ""
		checkAll(t, p, c, target, "-", "site token without a wiki")
	}
}

// TestDIDAlone: a person without a user name has what is granted to the DID,
// and does not count as registered.
func TestDIDAlone(t *testing.T) {
	c := wiki.Caller{DID: someDID}
	p := &Policy{Wiki: thisID, Read: Registered, Write: Registered, Grants: map[string]wiki.Role{"olga": wiki.Owner}}
	checkAll(t, p, c, at(Active), "-", "DID without a grant")
	p.Grants[someDID] = wiki.Viewer
	checkAll(t, p, c, at(Active), "rpw", "DID with a grant")
	checkAll(t, p, c, at(Suspended), "-", "DID suspended")
}

// TestClosed: what is zero, damaged or of the future lets nobody in.
func TestClosed(t *testing.T) {
	alice := wiki.Caller{User: "alice"}
	checkAll(t, &Policy{}, alice, at(Active), "-", "zero policy")
	checkAll(t, &Policy{}, wiki.Caller{User: "alice", Only: "notes"}, at(Active), "-", "token without an id, policy without an id")
	p := &Policy{Wiki: thisID, Grants: map[string]wiki.Role{"alice": wiki.Owner}}
	checkAll(t, p, alice, at(Unknown), "-", "account not looked up")
	for _, a := range []Action{0, EndTokens + 1, 200} {
		for _, c := range []wiki.Caller{alice, {Host: true}} {
			if err := p.Allow(c, a, at(Active)); err == nil {
				t.Errorf("action %d is allowed", a)
			}
		}
	}
}

// TestTexts: a refusal says why and what to do.
func TestTexts(t *testing.T) {
	p := &Policy{Wiki: thisID, Read: Anonymous, Grants: map[string]wiki.Role{"olga": wiki.Owner, "bob": wiki.Viewer}}
	for _, c := range []struct {
		caller wiki.Caller
		action Action
		state  Account
		want   string
	}{
		{wiki.Caller{}, Write, Unknown, `sign in to change the wiki "notes"`},
		{wiki.Caller{User: "bob"}, Write, Active, `you may read the wiki "notes" but not change it: ask an owner for the role editor`},
		{wiki.Caller{User: "bob"}, Manage, Active, `you may read the wiki "notes" but not manage it: ask an owner for the role owner`},
		{wiki.Caller{User: "olga", Narrowed: wiki.Viewer}, Write, Active, `this token may not change the wiki "notes", since it was made for the role viewer: use a token with a greater one`},
		{wiki.Caller{User: "olga"}, Write, Suspended, `the account olga is suspended, so you may read public wikis only: ask the site's administrators`},
		{wiki.Caller{User: "eve", Only: "other", OnlyID: otherID}, Read, Active, `there is no wiki "notes", or you may not see it: check the address, or sign in`},
	} {
		if err := p.Allow(c.caller, c.action, at(c.state)); err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
	}
	if err := (&Policy{Read: Anonymous}).Allow(wiki.Caller{}, Write, at(Unknown)); !errors.Is(err, wiki.ErrForbidden) {
		t.Errorf("signing in cannot help: got %v, want ErrForbidden", err)
	}
}

func TestAllowDoesNotAllocate(t *testing.T) {
	p, faults := Parse("acl.toml", tenGrants)
	if faults != nil {
		t.Fatal(faults)
	}
	c := wiki.Caller{User: "heidi", DID: "did:web:example.org"}
	if n := testing.AllocsPerRun(100, func() {
		if p.Allow(c, Write, at(Active)) != nil || !p.Standing(c, at(Active)).Read {
			t.Error("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}
