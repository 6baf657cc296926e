package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// A static token reads
//
//	wbt_<id>_<secret>
//
// where id is "w-<slug>-<8 hex>" for a token of one wiki and "u-<16 hex>" for
// a person's, and secret is 256 random bits in unpadded base64url. The id finds
// the record; the record has the SHA-256 of the secret's text. 256 random bits
// need no slow hash (notes on bcrypt: 56 ms a request against 78 ns, for
// nothing).
const tokenPrefix = "wbt_"

// Token is a token in its parts, well-formed but not yet known to be good.
type Token struct {
	ID     string
	Wiki   wiki.Slug // empty for a person's token
	Secret string
}

// idForm and secretForm are what the parts look like.
var (
	idForm     = regexp.MustCompile(`^(?:w-([a-z0-9][a-z0-9-]{1,28}[a-z0-9])-[0-9a-f]{8}|u-[0-9a-f]{16})$`)
	secretForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)
)

// ParseToken takes a token apart; what does not look like one is
// wiki.ErrUnauthenticated. Its twin is String.
func ParseToken(s string) (Token, error) {
	rest, ok := strings.CutPrefix(s, tokenPrefix)
	id, secret, cut := strings.Cut(rest, "_")
	m := idForm.FindStringSubmatch(id)
	if !ok || !cut || m == nil || !secretForm.MatchString(secret) {
		return Token{}, unauthenticated("this is not a token of this site: a token reads wbt_…; make one with: wikibot admin token create")
	}
	return Token{ID: id, Wiki: wiki.Slug(m[1]), Secret: secret}, nil
}

// String is the token as a client sends it.
func (t Token) String() string { return tokenPrefix + t.ID + "_" + t.Secret }

// byToken is the caller who sent a static token. What it may do is decided by
// the Store on every call: the lesser of the token's role and its maker's
// present standing.
func (a *Authority) byToken(ctx context.Context, text string) (wiki.Caller, error) {
	refused := unauthenticated("the token is not known here, has expired or was revoked; make another with: wikibot admin token create")
	t, err := ParseToken(text)
	if err != nil {
		return wiki.Caller{}, err
	}
	record, err := a.cfg.Token(ctx, t.ID)
	switch {
	case errors.Is(err, wiki.ErrNotFound):
		record = gitstore.Token{} // compared all the same, so that both answers take as long
	case err != nil:
		return wiki.Caller{}, fmt.Errorf("reading the token %s: %w", t.ID, err)
	}
	sum := sha256.Sum256([]byte(t.Secret))
	same := subtle.ConstantTimeCompare(sum[:], record.Hash[:]) == 1
	if err != nil || !same || record.ID != t.ID || record.Wiki != t.Wiki {
		return wiki.Caller{}, refused
	}
	if !record.Expires.IsZero() && !a.cfg.Now().Before(record.Expires) {
		return wiki.Caller{}, refused
	}
	c := wiki.Caller{User: record.User, Narrowed: record.Role, Only: record.Wiki, OnlyID: record.WikiID, Credential: record.ID}
	if record.User == "" {
		if record.Wiki == "" || record.Role == wiki.NoRole { // bound by nothing at all: damaged
			return wiki.Caller{}, refused
		}
		c.Site = true
		return c, nil
	}
	u, err := a.account(ctx, record.User)
	if err != nil {
		return wiki.Caller{}, err
	}
	c.DID = u.DID
	return c, nil
}
