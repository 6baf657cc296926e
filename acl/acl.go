// Package acl holds the policy of a wiki: who may read, write, propose and
// manage it. It is pure: it reads and writes bytes, not files, and knows no
// store.
//
// # The format, schema 1
//
// A wiki's policy is the file .wikibot/acl.toml on refs/wikibot/config, written
// by its owners, in the browser or by push:
//
//	schema = 1
//	wiki   = "3f0c5a1e9b7d42c8a6e1f0d35b7c9a24"
//
//	[access]
//	read    = "registered"
//	write   = "granted"
//	propose = "registered"
//
//	[grants]
//	alice = "owner"
//	bob   = "editor"
//	"did:plc:ewvi7nxzyoun6zhxrhs64oiz" = "viewer"
//
// wiki is the wiki's random id, 32 hexadecimal digits; the server checks that
// it stays. [access] says how little somebody needs to be to read, write and
// propose; each is "granted" where it is left out:
//
//	anonymous    everyone, signed in or not
//	registered   everyone who is signed in
//	granted      those in [grants], by their role
//
// Nobody may write or propose who may not read, so a level of write or propose
// that is wider than read's is an error. [grants] gives roles to people, by user
// name or by DID (also before the person has signed up); whoever has both has
// the greater:
//
//	             read   propose   write   manage, delete the wiki
//	viewer       yes    yes
//	editor       yes    yes       yes
//	owner        yes    yes       yes     yes
//
// A role adds to what [access] gives everyone and takes nothing away: in a wiki
// with write = "registered" a viewer writes as well. At least one grant is an
// owner's. In the example alice does everything, bob reads and writes, the
// person with the DID reads and proposes, and so does carol, who is signed in
// and not listed; a visitor is told that there is no such wiki.
//
// [[protect]] (path, write, approvals) and [groups] are reserved: schema 1
// refuses them. Reading cannot differ by folder, since a clone brings
// everything.
//
// What the site says of a wiki (its tier, whether it is paid for, whether it is in
// the archive) is no part of this file: see Plan. It takes away, and never gives.
//
// The server reads this schema and the one before it. Unknown keys, roles and
// levels are faults with line, column and the nearest right word: a policy that
// is partly understood would be a hole.
package acl

import (
	"fmt"
	"slices"
	"strings"

	"wikibot/record"
	"wikibot/wiki"
)

const (
	// Schema is the version of the format that Format writes.
	Schema = 1
	// oldest is the oldest that Parse reads: N−1, once there is one.
	oldest = max(1, Schema-1)
)

// Level is how little somebody needs to be; the zero Level is the narrowest.
type Level uint8

// The levels, from narrow to wide.
const (
	Granted    Level = iota // those in [grants], by their role
	Registered              // everyone who is signed in
	Anonymous               // everyone
)

var levelNames = []string{"granted", "registered", "anonymous"}

func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

// ParseLevel accepts anonymous, registered and granted.
func ParseLevel(s string) (Level, error) {
	if i := slices.Index(levelNames, s); i >= 0 {
		return Level(i), nil
	}
	return Granted, wiki.Invalid("level", "%q is not a level of access%s: use anonymous, registered or granted", s, record.DidYouMean(s, levelNames))
}

// Policy is a parsed acl.toml. The zero Policy lets nobody in. A Policy is
// shared by readers and must not be modified.
type Policy struct {
	Schema int
	Wiki   string // the wiki's id, 32 lower-case hexadecimal digits

	Read, Write, Propose Level

	// Grants are the roles by user name or DID. A name whose account is gone
	// grants nothing.
	Grants map[string]wiki.Role
}

// Role is what the policy grants a person by name or by DID, the greater of the
// two; either may be empty.
func (p *Policy) Role(user wiki.Username, did wiki.DID) wiki.Role {
	role := wiki.NoRole
	if user != "" {
		role = p.Grants[string(user)]
	}
	if did != "" {
		role = max(role, p.Grants[string(did)])
	}
	return role
}

// Owners are the names and DIDs of the owners, sorted.
func (p *Policy) Owners() []string {
	var owners []string
	for who, role := range p.Grants {
		if role == wiki.Owner {
			owners = append(owners, who)
		}
	}
	slices.Sort(owners)
	return owners
}

// Format writes a policy as a new file, with its keys explained; grants are
// sorted, owners first. Parse(Format(p)) is p.
func Format(p Policy) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "schema = %d\nwiki = %s # the wiki's id: it stays as it is\n\n", Schema, text(p.Wiki))
	b.WriteString("# The least that somebody needs to be: anonymous, registered or granted.\n[access]\n")
	fmt.Fprintf(&b, "read = %s\nwrite = %s\npropose = %s\n\n", text(p.Read.String()), text(p.Write.String()), text(p.Propose.String()))
	b.WriteString("# owner, editor or viewer, by user name or DID.\n[grants]\n")
	people := make([]string, 0, len(p.Grants))
	for who := range p.Grants {
		people = append(people, who)
	}
	slices.SortFunc(people, func(a, c string) int {
		if d := int(p.Grants[c]) - int(p.Grants[a]); d != 0 {
			return d
		}
		return strings.Compare(a, c)
	})
	for _, who := range people {
		fmt.Fprintf(&b, "%s = %s\n", record.FormatKey(who), text(p.Grants[who].String()))
	}
	return []byte(b.String())
}

// text quotes a word that needs no escapes.
func text(s string) string { return `"` + s + `"` }
