package wiki

import "fmt"

// Role is a person's or a token's standing in one wiki. Each role may do all
// that the ones before it may.
type Role uint8

// The roles, from least to most.
const (
	NoRole Role = iota
	Viewer      // reads
	Editor      // reads, writes, deletes, attaches
	Owner       // all that, and grants, tokens, settings, deleting the wiki
)

var roleNames = [...]string{"none", "viewer", "editor", "owner"}

func (r Role) String() string {
	if int(r) < len(roleNames) {
		return roleNames[r]
	}
	return fmt.Sprintf("Role(%d)", uint8(r))
}

// ParseRole accepts viewer, editor and owner.
func ParseRole(s string) (Role, error) {
	for i, n := range roleNames[1:] {
		if s == n {
			return Role(i + 1), nil
		}
	}
	return NoRole, Invalid("role", "%q is not a role: use owner, editor or viewer", s)
}

// Via is the face through which a call came; it is written into history as the
// trailer Wikibot-Via.
type Via string

// The faces.
const (
	ViaWeb   Via = "web"
	ViaAPI   Via = "api"
	ViaMCP   Via = "mcp"
	ViaHTTPS Via = "https"
	ViaSSH   Via = "ssh"
	ViaCLI   Via = "cli"
)

// Caller says who is calling, how they came, and to what their credential was
// narrowed. It is an argument of every method that reads or writes data and is
// never carried in a context. The zero Caller is an anonymous visitor.
//
// A token's right is the lesser of its own (Narrowed) and its maker's present
// standing, which the store looks up on every call.
type Caller struct {
	User Username // empty: anonymous
	DID  DID      // empty where the person has none linked yet
	Via  Via

	// Agent is the program that speaks for the person ("Claude Code 2.1"),
	// as it names itself; it goes into the trailer Wikibot-Agent.
	Agent string

	// Credential is the id of the session, token or key, for the audit. It is
	// not secret and reveals nothing about the wiki.
	Credential string

	// Narrowed is the most that the credential may do; NoRole means that it
	// was not narrowed (a browser session, an SSH key).
	Narrowed Role

	// Only is the one wiki that the credential is for; empty means every
	// wiki that the person may use. OnlyID is that wiki's random id: a token
	// is bound to it and not to the name.
	Only   Slug
	OnlyID string

	// Site is true for a token that the operator made on the machine for one
	// wiki: it has no maker, and its right is Narrowed in the wiki Only.
	Site bool

	// Host is true for commands that the operator runs on the machine itself:
	// whoever can read the data folder needs no further permission. No
	// request from the network ever sets it.
	Host bool
}

// Anonymous reports whether nobody is signed in.
func (c Caller) Anonymous() bool { return c.User == "" && c.DID == "" && !c.Host && !c.Site }

// Name is how the caller appears in history and on pages.
func (c Caller) Name() string {
	switch {
	case c.User != "":
		return string(c.User)
	case c.DID != "":
		return string(c.DID)
	case c.Host:
		return "operator"
	case c.Site:
		return c.Credential
	}
	return "anonymous"
}
