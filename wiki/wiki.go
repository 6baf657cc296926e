// Package wiki holds the words that every other package speaks: names of
// wikis, pages and people, who is calling, what a page and a revision are, and
// the kinds of error. It depends on nothing but the standard library and
// golang.org/x/text, so every package may import it and none is imported here.
//
// A Parse function returns a value that cannot be invalid; its twin String
// (or FileName) gives the text back. Errors are *Error values, see errors.go.
package wiki

import (
	"regexp"
	"strings"
)

// Slug names a wiki in URLs and in the data folder: 3 to 30 characters of
// a-z, 0-9 and "-", neither first nor last a "-". It is never given out twice.
type Slug string

var slugForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,28}[a-z0-9]$`)

// reservedSlugs would be confused with hosts or paths of the site itself.
var reservedSlugs = words(`admin api app assets auth billing blog dev docs ftp git help imap mail mcp ns
	ns1 ns2 null pop smtp ssh static status support undefined user vpn wiki www`)

// ParseSlug checks the form of a slug and that it is not reserved. Whether it
// is free is the site's business.
func ParseSlug(s string) (Slug, error) {
	if !slugForm.MatchString(s) {
		return "", Invalid("slug", "%q is not a slug: use 3 to 30 characters a-z, 0-9 and \"-\", beginning and ending with a letter or a digit", s)
	}
	if reservedSlugs[s] {
		return "", Invalid("slug", "the slug %q is reserved; choose another", s)
	}
	return Slug(s), nil
}

// Shard is the two-letter folder in which the slug's record is kept.
func (s Slug) Shard() string { return string(s[:2]) }

// Username is a person's immutable name on the site: the same grammar as a
// slug, from 2 characters on, and never given out twice.
type Username string

var usernameForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9-]{0,28}[a-z0-9])$`)

var reservedUsernames = words(`anonymous everyone nobody root system server wikibot registered granted owner editor viewer`)

// ParseUsername checks the form of a user name.
func ParseUsername(s string) (Username, error) {
	if !usernameForm.MatchString(s) {
		return "", Invalid("username", "%q is not a user name: use 2 to 30 characters a-z, 0-9 and \"-\", beginning and ending with a letter or a digit", s)
	}
	if reservedUsernames[s] {
		return "", Invalid("username", "the user name %q is reserved; choose another", s)
	}
	return Username(s), nil
}

// Shard is the two-letter folder in which the person's record is kept.
func (u Username) Shard() string { return string(u[:2]) }

// DID is a decentralized identifier (W3C DID Core), the durable identity of a
// person who signs in with ATProto. Only did:plc and did:web are accepted,
// as in the AT Protocol's DID specification.
type DID string

var didForm = regexp.MustCompile(`^did:(?:plc:[a-z2-7]{24}|web:[a-zA-Z0-9.-]+(?:%3A[0-9]+)?)$`)

// ParseDID checks the form of a DID.
func ParseDID(s string) (DID, error) {
	if len(s) > 2048 || !didForm.MatchString(s) {
		return "", Invalid("did", "%q is not a DID that can sign in here: it reads did:plc:… (24 characters) or did:web:host", s)
	}
	return DID(s), nil
}

// Revision names a commit: the full lower-case hexadecimal object name, or, as
// input, a prefix of at least 7 digits. Empty means the present state of main.
type Revision string

// Head is the Revision that means "as it is now".
const Head Revision = ""

var revisionForm = regexp.MustCompile(`^[0-9a-f]{7,40}$`)

// ParseRevision accepts a full object name or a prefix of seven or more
// hexadecimal digits, in either case; "" and "HEAD" mean Head. Anything else is
// refused before it can reach git's own revision syntax (CWE-88).
func ParseRevision(s string) (Revision, error) {
	if s == "" || s == "HEAD" {
		return Head, nil
	}
	s = strings.ToLower(s)
	if !revisionForm.MatchString(s) {
		return "", Invalid("revision", "%q is not a revision: give 7 to 40 hexadecimal digits of a commit's name", s)
	}
	return Revision(s), nil
}

// Short is the first eight digits, for showing to people.
func (r Revision) Short() string {
	if len(r) > 8 {
		return string(r[:8])
	}
	return string(r)
}

// Matches reports whether r, perhaps a prefix, names the full revision full.
func (r Revision) Matches(full Revision) bool {
	return r != "" && strings.HasPrefix(string(full), string(r))
}

func words(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}
