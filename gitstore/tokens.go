package gitstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"wikibot/acl"
	"wikibot/wiki"
)

// A static token reads wbt_<id>_<secret>. The id says which store holds its
// record: "w-<slug>-<8 hex>" the wiki's refs/wikibot/tokens, "u-<16 hex>"
// admin.git's. The secret is 256 random bits in base64url; only its SHA-256 is
// kept, which is as good as any password hash for what cannot be guessed.
//
// A check looks the id's file up in the tree of the present state, so that what
// a commit has taken away is gone with the next request, and nothing has to be
// loaded again when one token of ten thousand comes or goes.

// TokenPrefix begins every static token, so that scanners for leaked secrets
// find them.
const TokenPrefix = "wbt_"

// The most tokens that people may have at once. The operator on the machine may
// make more.
const (
	maxPersonTokens = 200
	maxWikiTokens   = 2000
)

// CreateToken makes a static token and returns its secret form, which is shown
// this once. A wiki's token needs the right to manage it; a person makes tokens
// of their own; the operator on the machine makes either. What leaked must not
// outlive its own end, so a token makes no person's tokens, and what a person's
// token makes for a wiki holds as long as that token does (Token.Parent).
func (s *Store) CreateToken(ctx context.Context, c wiki.Caller, n NewToken) (secret string, t Token, err error) {
	if len(n.Name) > 100 || strings.ContainsAny(n.Name, "\n\r\x00") {
		return "", Token{}, wiki.Invalid("name", "a token's name is one line of at most 100 bytes")
	}
	if n.Wiki != "" && n.Role == wiki.NoRole {
		return "", Token{}, wiki.Invalid("role", "a wiki's token needs a role: viewer, editor or owner")
	}
	raw := make([]byte, 32)
	rand.Read(raw)
	text := base64.RawURLEncoding.EncodeToString(raw)
	t = Token{Hash: sha256.Sum256([]byte(text)), Name: n.Name, Role: n.Role, Wiki: n.Wiki, Created: s.now().UTC().Truncate(time.Second), Last4: text[len(text)-4:]}
	if !n.Expires.IsZero() {
		if !n.Expires.After(s.now()) {
			return "", Token{}, wiki.Invalid("expires_at", "the token would have expired already; choose a later time")
		}
		t.Expires = n.Expires.UTC().Truncate(time.Second)
	}
	if err := s.inherit(ctx, c, &t); err != nil {
		return "", Token{}, err
	}
	r := s.admin
	switch {
	case n.Wiki == "":
		t.User = n.User
	case !c.Host:
		t.User = c.User
	}
	if n.Wiki != "" {
		if r, err = s.wiki(n.Wiki); err != nil {
			return "", Token{}, err
		}
	}
	err = r.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		if err := s.allowToken(b, c, n); err != nil {
			return err
		}
		var err error
		if t.ID, err = b.newTokenID(n.Wiki); err != nil {
			return err
		}
		return b.writeToken(c, t.ID, formatToken(t), "Create token "+t.ID)
	}})
	return TokenPrefix + t.ID + "_" + text, t, err
}

func (s *Store) allowToken(b *batch, c wiki.Caller, n NewToken) error {
	if n.Wiki != "" && !c.Host { // before anything that is said of wikis that exist
		if err := b.allow(c, acl.Read); err != nil {
			return err
		}
	}
	if c.Site { // nobody's standing would bound what it made
		return wiki.Forbidden("a token that the operator made cannot make others; sign in, or ask the operator")
	}
	if _, ok := ParseTokenID(c.Credential); ok && (n.Wiki == "" || !whole(c)) {
		return wiki.Forbidden("a token cannot make another one; sign in with the browser and make it there")
	}
	if n.Wiki != "" {
		if err := b.allow(c, acl.Manage); err != nil {
			return err
		}
		return b.roomForToken(c, "", maxWikiTokens, "the wiki has")
	}
	if b.site().users.get(n.User) == nil {
		return wiki.NotFound("there is no user %q", n.User)
	}
	if c.Host || c.User == n.User && whole(c) {
		return b.roomForToken(c, n.User, maxPersonTokens, "you have")
	}
	return wiki.Forbidden("a person's tokens are made by that person")
}

// inherit binds a token to the person's token that makes it.
func (s *Store) inherit(ctx context.Context, c wiki.Caller, t *Token) error {
	if slug, ok := ParseTokenID(c.Credential); !ok || slug != "" {
		return nil
	}
	parent, err := s.Token(ctx, c.Credential)
	if err != nil {
		return err
	}
	t.Parent = parent.ID
	if !parent.Expires.IsZero() && (t.Expires.IsZero() || t.Expires.After(parent.Expires)) {
		t.Expires = parent.Expires
	}
	return nil
}

// whole reports whether a credential stands for all that its person may do.
func whole(c wiki.Caller) bool { return c.Narrowed == wiki.NoRole && c.Only == "" && !c.Site }

// roomForToken refuses a token more where somebody, or the wiki, has the most
// already.
func (b *batch) roomForToken(c wiki.Caller, maker wiki.Username, most int, who string) error {
	if c.Host {
		return nil
	}
	ids, err := b.repo.tokenIndex.ids(b.repo, b.repo.state.Load(), maker)
	if err == nil && len(ids) >= most {
		return wiki.Invalid("token", "%s %d tokens, the most there may be; revoke one that is not needed any more", who, len(ids))
	}
	return err
}

// newTokenID draws an id that no token of the repository has.
func (b *batch) newTokenID(slug wiki.Slug) (string, error) {
	head, err := b.head(refTokens)
	if err != nil {
		return "", err
	}
	for {
		id := "u-" + randomHex(8)
		if slug != "" {
			id = fmt.Sprintf("w-%s-%s", slug, randomHex(4))
		}
		if _, _, taken, err := findToken(head.root, id); err != nil || !taken {
			return id, err
		}
	}
}

// writeToken puts or, with nil data, removes a token's record. The ref is the
// server's own, so its commits are plain records of what the server did.
func (b *batch) writeToken(c wiki.Caller, id string, data []byte, what string) error {
	head, err := b.head(refTokens)
	if err != nil {
		return err
	}
	path, e := tokenFile(id), (*entry)(nil)
	if data != nil {
		oid, err := b.addBlob(data)
		if err != nil {
			return err
		}
		e = &entry{mode: modeFile, oid: oid}
	} else if found, _, ok, err := findToken(head.root, id); err != nil {
		return err
	} else if ok {
		path = found
	}
	root, err := head.root.with(path, e)
	if err != nil {
		return err
	}
	if root == head.root {
		return wiki.NotFound("there is no token %s", id)
	}
	return b.commitTokens(c, head.commit, root, what)
}

// ParseTokenID takes a token's id apart: the wiki whose repository holds the record,
// or none for a person's token, whose record is in admin.git.
func ParseTokenID(id string) (slug wiki.Slug, ok bool) {
	if rest, found := strings.CutPrefix(id, "u-"); found {
		return "", len(rest) == 16 && isHex(rest)
	}
	rest, found := strings.CutPrefix(id, "w-")
	i := strings.LastIndexByte(rest, '-')
	if !found || i < 0 || len(rest)-i != 9 || !isHex(rest[i+1:]) {
		return "", false
	}
	slug, err := wiki.ParseSlug(rest[:i])
	return slug, err == nil
}

func isHex(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return (r < '0' || r > '9') && (r < 'a' || r > 'f') })
}

// tokenHome is the repository that a token's id points to.
func (s *Store) tokenHome(id string) (*repo, error) {
	slug, ok := ParseTokenID(id)
	switch {
	case !ok:
		return nil, wiki.NotFound("there is no such token")
	case slug == "":
		return s.admin, nil
	}
	return s.wiki(slug)
}

// Token is the record of a static token, for whoever checks credentials. It
// says nothing about its maker's present standing, which the policy decides. A
// token whose parent is gone is no token any more: wiki.ErrNotFound.
func (s *Store) Token(_ context.Context, id string) (Token, error) {
	t, err := s.tokenRecord(id)
	if err != nil || t.Parent == "" {
		return t, err
	}
	parent, err := s.tokenRecord(t.Parent)
	switch {
	case errors.Is(err, wiki.ErrNotFound):
		return Token{}, wiki.NotFound("the token that made this one was revoked")
	case err != nil:
		return Token{}, err
	case parent.Wiki != "" || parent.Parent != "" || parent.User != t.User || !parent.Expires.IsZero() && !s.now().Before(parent.Expires):
		return Token{}, wiki.NotFound("the token that made this one does not hold any more")
	}
	return t, nil
}

func (s *Store) tokenRecord(id string) (Token, error) {
	r, err := s.tokenHome(id)
	if err != nil {
		return Token{}, err
	}
	st, err := r.current()
	if err != nil {
		return Token{}, err
	}
	t, ok, err := r.token(st, id)
	if err == nil && !ok {
		err = wiki.NotFound("there is no such token")
	}
	return t, err
}

// RevokeToken ends a token; it is refused from the next request on. Owners end
// their wiki's tokens, people their own, administrators those of anybody, and a
// token itself.
func (s *Store) RevokeToken(ctx context.Context, c wiki.Caller, id string) error {
	r, err := s.tokenHome(id)
	if err != nil {
		return err
	}
	if slug, ok := ParseTokenID(id); ok && slug != "" && c.Credential != id {
		// Whether there is such a token is told to those alone who may see the wiki.
		if _, err := s.Standing(ctx, c, slug); err != nil && s.allowAdmin(c) != nil {
			return err
		}
	}
	t, err := s.tokenRecord(id)
	if err != nil {
		return err
	}
	return r.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		own := c.User == t.User && c.User != "" && whole(c)
		switch {
		case c.Credential == id:
		case r.name != admin:
			if err := b.allow(c, acl.EndTokens); err != nil {
				return err
			}
		case !own && s.allowAdmin(c) != nil:
			return wiki.NotFound("there is no such token")
		}
		return b.writeToken(c, id, nil, "Revoke token "+id)
	}})
}
