package gitstore

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/wiki"
)

// A static token reads wbt_<id>_<secret>. The id says which store holds its
// record: "w-<slug>-<8 hex>" the wiki's refs/wikibot/tokens, "u-<16 hex>"
// admin.git's. The secret is 256 random bits in base64url; only its SHA-256 is
// kept, which is as good as any password hash for what cannot be guessed.

// TokenPrefix begins every static token, so that scanners for leaked secrets
// find them.
const TokenPrefix = "wbt_"

// tokenCache holds the parsed tokens of one repository at one commit of its
// tokens ref, so that a check costs a look-up.
type tokenCache struct {
	mu   sync.Mutex
	at   plumbing.Hash // guarded by mu, as below
	byID map[string]Token
}

func (c *tokenCache) init() { c.byID = map[string]Token{} }

// CreateToken makes a static token and returns its secret form, which is shown
// this once. A wiki's token needs the right to manage it; a person makes tokens
// of their own; the operator on the machine makes either.
func (s *Store) CreateToken(ctx context.Context, c wiki.Caller, n NewToken) (secret string, t Token, err error) {
	if len(n.Name) > 100 || strings.ContainsAny(n.Name, "\n\r\x00") {
		return "", Token{}, wiki.Invalid("name", "a token's name is one line of at most 100 bytes")
	}
	raw := make([]byte, 32)
	rand.Read(raw)
	text := base64.RawURLEncoding.EncodeToString(raw)
	t = Token{Hash: sha256.Sum256([]byte(text)), Name: n.Name, Role: n.Role, Created: s.now().UTC().Truncate(time.Second), Last4: text[len(text)-4:]}
	if !n.Expires.IsZero() {
		if !n.Expires.After(s.now()) {
			return "", Token{}, wiki.Invalid("expires_at", "the token would have expired already; choose a later time")
		}
		t.Expires = n.Expires.UTC().Truncate(time.Second)
	}
	r := s.admin
	if n.Wiki != "" {
		if r, err = s.wiki(n.Wiki); err != nil {
			return "", Token{}, err
		}
		t.ID, t.Wiki = fmt.Sprintf("w-%s-%s", n.Wiki, randomHex(4)), n.Wiki
		if n.Role == wiki.NoRole {
			return "", Token{}, wiki.Invalid("role", "a wiki's token needs a role: viewer, editor or owner")
		}
		if !c.Host {
			t.User = c.User
		}
	} else {
		t.ID, t.User = "u-"+randomHex(8), n.User
	}
	err = r.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		if err := s.allowToken(b, c, n); err != nil {
			return err
		}
		return b.writeToken(c, t.ID, formatToken(t), "Create token "+t.ID)
	}})
	return TokenPrefix + t.ID + "_" + text, t, err
}

func (s *Store) allowToken(b *batch, c wiki.Caller, n NewToken) error {
	if c.Site { // nobody's standing would bound what it made
		return wiki.Forbidden("a token that the operator made cannot make others; sign in, or ask the operator")
	}
	if n.Wiki != "" {
		return b.allow(c, acl.Manage)
	}
	if b.site().users[n.User] == nil {
		return wiki.NotFound("there is no user %q", n.User)
	}
	if c.Host || c.User == n.User && c.Narrowed == wiki.NoRole && c.Only == "" {
		return nil
	}
	return wiki.Forbidden("a person's tokens are made by that person")
}

// writeToken puts or, with nil data, removes a token's record. The ref is the
// server's own, so its commits are plain records of what the server did.
func (b *batch) writeToken(c wiki.Caller, id string, data []byte, what string) error {
	head, err := b.head(refTokens)
	if err != nil {
		return err
	}
	var e *entry
	if data != nil {
		oid, err := b.addBlob(data)
		if err != nil {
			return err
		}
		e = &entry{mode: modeFile, oid: oid}
	}
	root, err := head.root.with(tokenFile(id), e)
	if err != nil {
		return err
	}
	if root == head.root {
		return wiki.NotFound("there is no token %s", id)
	}
	info := commitInfo{author: signature{c.Name(), b.repo.store.noreply(c)}, message: message("["+string(viaOf(c))+"] "+what, c, ""), when: b.repo.store.now()}
	commit, err := b.commit(refTokens, root, info)
	if err != nil {
		return err
	}
	return b.audit(c, "config", refTokens, head.commit, commit)
}

// tokenHome is the repository that a token's id points to.
func (s *Store) tokenHome(id string) (*repo, error) {
	unknown := wiki.NotFound("there is no such token")
	if rest, ok := strings.CutPrefix(id, "w-"); ok {
		i := strings.LastIndexByte(rest, '-')
		if i < 0 || len(rest)-i != 9 {
			return nil, unknown
		}
		slug, err := wiki.ParseSlug(rest[:i])
		if err != nil {
			return nil, unknown
		}
		return s.wiki(slug)
	}
	if rest, ok := strings.CutPrefix(id, "u-"); ok && len(rest) == 16 {
		return s.admin, nil
	}
	return nil, unknown
}

// Token is the record of a static token, for whoever checks credentials. It
// says nothing about its maker's present standing, which the policy decides.
func (s *Store) Token(_ context.Context, id string) (Token, error) {
	r, err := s.tokenHome(id)
	if err != nil {
		return Token{}, err
	}
	st, err := r.current()
	if err != nil {
		return Token{}, err
	}
	all, err := r.tokensAt(st)
	if err != nil {
		return Token{}, err
	}
	t, ok := all[id]
	if !ok {
		return Token{}, wiki.NotFound("there is no such token")
	}
	return t, nil
}

// tokensAt parses the tokens of a state, once for each commit of their ref.
func (r *repo) tokensAt(st *state) (map[string]Token, error) {
	head := st.heads[refTokens]
	c := &r.tokenCache
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at == head.commit {
		return c.byID, nil
	}
	all := map[string]Token{}
	dir, err := head.root.at(dirTokens)
	if err != nil {
		return nil, err
	}
	if dir != nil {
		entries, err := dir.list()
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			id := strings.TrimSuffix(e.name, ".toml")
			data, err := r.blob(e.oid)
			if err != nil {
				return nil, err
			}
			t, err := parseToken(id, data)
			if err != nil {
				r.store.log.Error("a token does not load and is not accepted", "token", id, "error", err)
				continue
			}
			if r.name != admin {
				t.Wiki, t.WikiID = r.name, st.config.policy.Wiki
			}
			all[id] = t
		}
	}
	c.at, c.byID = head.commit, all
	return all, nil
}

// Tokens lists a wiki's tokens for its owners, or, with an empty slug, the
// caller's own. No secret is in them.
func (s *Store) Tokens(ctx context.Context, c wiki.Caller, slug wiki.Slug) ([]Token, error) {
	r := s.admin
	if slug != "" {
		v, err := s.View(ctx, c, slug)
		if err != nil {
			return nil, err
		}
		if !v.Standing().Inspect {
			return nil, wiki.Forbidden("only owners see a wiki's tokens")
		}
		r = v.repo
	}
	st, err := r.current()
	if err != nil {
		return nil, err
	}
	all, err := r.tokensAt(st)
	if err != nil {
		return nil, err
	}
	var out []Token
	for _, t := range all {
		if slug != "" || c.Host || t.User != "" && t.User == c.User {
			out = append(out, t)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out, nil
}

// RevokeToken ends a token; it is refused from the next request on.
func (s *Store) RevokeToken(ctx context.Context, c wiki.Caller, id string) error {
	r, err := s.tokenHome(id)
	if err != nil {
		return err
	}
	t, err := s.Token(ctx, id)
	if err != nil {
		return err
	}
	return r.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		if r.name != admin {
			if err := b.allow(c, acl.EndTokens); err != nil {
				return err
			}
		} else if own := c.User == t.User && c.User != ""; !own && s.allowAdmin(c) != nil {
			return wiki.NotFound("there is no such token")
		}
		return b.writeToken(c, id, nil, "Revoke token "+id)
	}})
}
