package gitstore

import (
	"context"
	"sort"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/wiki"
)

// tokenFile is where a token's record is written: in one of 256 folders, by the
// first two digits of the id's random part, so that a site with 10,000 tokens
// has no tree of 10,000 entries to write with each change. Records of former
// versions lie in the folder above, and stay there until they are revoked.
func tokenFile(id string) string {
	shard := id[2:4]
	if strings.HasPrefix(id, "w-") {
		shard = id[len(id)-8 : len(id)-6]
	}
	return dirTokens + "/" + shard + "/" + id + ".toml"
}

func formerTokenFile(id string) string { return dirTokens + "/" + id + ".toml" }

// tokenOfFile is the id of the token whose record lies at path.
func tokenOfFile(path string) (id string, ok bool) {
	id, ok = strings.CutSuffix(lastOf(path), ".toml")
	if ok {
		_, ok = ParseTokenID(id)
	}
	return id, ok && (path == tokenFile(id) || path == formerTokenFile(id))
}

// findToken looks a token's record up in the tree of the ref. id is well-formed.
func findToken(root *folder, id string) (path string, e entry, ok bool, err error) {
	for _, path := range []string{tokenFile(id), formerTokenFile(id)} {
		if e, ok, err = root.file(path); ok || err != nil {
			return path, e, ok, err
		}
	}
	return "", entry{}, false, nil
}

// tokenKey names a record: what the file is called is part of what it says.
type tokenKey struct {
	id  string
	oid plumbing.Hash
}

// token is the record of a token in a state. A record that does not load (it was
// written behind the server's back) counts as absent.
func (r *repo) token(st *state, id string) (t Token, ok bool, err error) {
	_, e, ok, err := findToken(st.heads[refTokens].root, id)
	if err != nil || !ok {
		return Token{}, false, err
	}
	k := tokenKey{id, e.oid}
	t, ok = r.tokens.get(k)
	if !ok {
		data, err := r.blob(e.oid)
		if err != nil {
			return Token{}, false, err
		}
		if t, err = parseToken(id, data); err != nil {
			r.store.log.Error("a token does not load and is not accepted", "token", id, "error", err)
			t = Token{}
		}
		r.tokens.put(k, t)
	}
	if t.ID == "" {
		return Token{}, false, nil
	}
	if r.name != admin {
		t.Wiki, t.WikiID = r.name, st.config.policy.Wiki
	}
	return t, true, nil
}

// tokenIndex says whose tokens a repository has, for lists. It follows the ref by
// the difference of trees.
type tokenIndex struct {
	mu     sync.Mutex
	root   *folder                           // what the index shows; nil: nothing yet; guarded by mu, as below
	maker  map[string]wiki.Username          // by id
	byUser map[wiki.Username]map[string]bool // their ids
}

// ids lists the tokens of one maker in a state, or with "" all, in no order.
func (x *tokenIndex) ids(r *repo, st *state, maker wiki.Username) ([]string, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := x.follow(r, st); err != nil {
		return nil, err
	}
	var out []string
	if maker != "" {
		for id := range x.byUser[maker] {
			out = append(out, id)
		}
		return out, nil
	}
	for id := range x.maker {
		out = append(out, id)
	}
	return out, nil
}

func (x *tokenIndex) follow(r *repo, st *state) error {
	if x.root == nil {
		x.root, x.maker, x.byUser = emptyFolder(), map[string]wiki.Username{}, map[wiki.Username]map[string]bool{}
	}
	root := st.heads[refTokens].root
	changes, err := diff(x.root, root)
	if err != nil {
		return err
	}
	for _, c := range changes {
		id, ok := tokenOfFile(c.path)
		if !ok {
			continue
		}
		t, ok, err := r.token(st, id)
		if err != nil {
			x.root = nil // half done: from the beginning next time
			return err
		}
		x.set(id, t.User, ok)
	}
	x.root = root
	return nil
}

func (x *tokenIndex) set(id string, maker wiki.Username, there bool) {
	if before, ok := x.maker[id]; ok {
		delete(x.byUser[before], id)
		if len(x.byUser[before]) == 0 {
			delete(x.byUser, before)
		}
		delete(x.maker, id)
	}
	if !there {
		return
	}
	x.maker[id] = maker
	if x.byUser[maker] == nil {
		x.byUser[maker] = map[string]bool{}
	}
	x.byUser[maker][id] = true
}

// Tokens lists a wiki's tokens for its owners, or, with an empty slug, the
// caller's own (for the operator on the machine: everybody's), newest first. No
// secret is in them.
func (s *Store) Tokens(ctx context.Context, c wiki.Caller, slug wiki.Slug) ([]Token, error) {
	switch {
	case slug == "" && c.Host:
		return s.listTokens(s.admin, "")
	case slug == "":
		return s.TokensOf(ctx, c, c.User)
	}
	v, err := s.View(ctx, c, slug)
	if err != nil {
		return nil, err
	}
	if !v.Standing().Inspect {
		return nil, wiki.Forbidden("only owners see a wiki's tokens")
	}
	return s.listTokens(v.repo, "")
}

// TokensOf lists a person's tokens, newest first, for that person and for
// administrators of the site. A narrowed credential sees none.
func (s *Store) TokensOf(_ context.Context, c wiki.Caller, user wiki.Username) ([]Token, error) {
	own := user != "" && c.User == user && whole(c)
	if !own && s.allowAdmin(c) != nil {
		return nil, wiki.Forbidden("a person's tokens are listed for that person; sign in as %s", user)
	}
	if _, err := s.lookupUser(user); err != nil {
		return nil, err
	}
	return s.listTokens(s.admin, user)
}

func (s *Store) listTokens(r *repo, maker wiki.Username) ([]Token, error) {
	st, err := r.current()
	if err != nil {
		return nil, err
	}
	ids, err := r.tokenIndex.ids(r, st, maker)
	if err != nil {
		return nil, err
	}
	out := make([]Token, 0, len(ids))
	for _, id := range ids {
		t, ok, err := r.token(st, id)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, t)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if !out[i].Created.Equal(out[j].Created) {
			return out[i].Created.After(out[j].Created)
		}
		return out[i].ID < out[j].ID
	})
	return out, nil
}
