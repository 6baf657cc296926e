package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
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

// ParseToken takes a token apart; what does not look like one is
// wiki.ErrUnauthenticated. Its twin is String.
func ParseToken(s string) (Token, error) {
	rest, ok := strings.CutPrefix(s, tokenPrefix)
	id, secret, cut := strings.Cut(rest, "_")
	slug, known := gitstore.ParseTokenID(id)
	if !ok || !cut || !known || !isSecret(secret) {
		return Token{}, unauthenticated("this is not a token of this site: a token reads wbt_… and is sent whole")
	}
	return Token{ID: id, Wiki: slug, Secret: secret}, nil
}

// isSecret reports whether s is 256 bits in unpadded base64url.
func isSecret(s string) bool {
	return len(s) == 43 && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

// String is the token as a client sends it.
func (t Token) String() string { return tokenPrefix + t.ID + "_" + t.Secret }

// byToken is the caller who sent a static token. What it may do is decided by
// the Store on every call: the lesser of the token's role and its maker's
// present standing.
func (a *Authority) byToken(ctx context.Context, text string) (wiki.Caller, error) {
	if strings.HasPrefix(text, oncePrefix) {
		return wiki.Caller{}, unauthenticated("a one-time token is the password of one git command and opens nothing else")
	}
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
	expired := !record.Expires.IsZero() && !a.cfg.Now().Before(record.Expires)
	if err != nil || !same || expired || record.ID != t.ID || record.Wiki != t.Wiki {
		return wiki.Caller{}, a.unknownToken()
	}
	c := wiki.Caller{User: record.User, Narrowed: record.Role, Only: record.Wiki, OnlyID: record.WikiID, Credential: record.ID}
	if record.User == "" {
		if record.Wiki == "" || record.Role == wiki.NoRole { // bound by nothing at all: damaged
			return wiki.Caller{}, a.unknownToken()
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

// unknownToken is one answer for every token that does not hold: nobody learns
// which part of it was wrong.
func (a *Authority) unknownToken() error {
	return unauthenticated("the token is not known here, has expired or was revoked; make another on the page of your account, %s", a.cfg.Addresses.Site("/-/account"))
}
