package gitstore

import (
	"context"
	"fmt"
	"slices"

	"wikibot/wiki"
)

// NewUser is a person to be added.
type NewUser struct {
	Name  wiki.Username
	DID   wiki.DID
	Admin bool
}

// AddUser makes a person's record. wiki.ErrExists where the name is or was
// taken, or the DID is another person's.
func (s *Store) AddUser(ctx context.Context, c wiki.Caller, n NewUser) error {
	if _, err := wiki.ParseUsername(string(n.Name)); err != nil {
		return err
	}
	if err := s.allowAdmin(c); err != nil {
		return wiki.Forbidden("only administrators of the site add people; ask one of them")
	}
	return s.admin.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		st := b.site()
		if st.users.has(n.Name) || st.deleted.has(n.Name) {
			return &wiki.Error{Kind: wiki.ErrExists, Field: "username", Text: fmt.Sprintf("the name %q is or was somebody's and is not given out again; choose another", n.Name)}
		}
		if other := st.byDID.get(n.DID); n.DID != "" && other != "" {
			return &wiki.Error{Kind: wiki.ErrExists, Field: "did", Text: fmt.Sprintf("the DID %s belongs to %s already", n.DID, other)}
		}
		rec := userRecord{Schema: schema, DID: string(n.DID), CreatedAt: s.now().UTC().Truncate(1e9), Admin: n.Admin}
		return b.writeRecord(c, userFile(n.Name), formatUser(rec), "Add user "+string(n.Name))
	}})
}

// site is admin.git as this batch has it so far; nil for a wiki.
func (b *batch) site() *site { return b.people }

// User is a person's record. wiki.ErrNotFound where there is none.
func (s *Store) User(_ context.Context, name wiki.Username) (User, error) { return s.lookupUser(name) }

// Began reports whether the site has, or ever had, a wiki.
func (s *Store) Began() (bool, error) {
	st, err := s.admin.current()
	return err == nil && len(st.site.wikis) > 0, err
}

// Users lists everybody, for administrators.
func (s *Store) Users(_ context.Context, c wiki.Caller) ([]User, error) {
	if err := s.allowAdmin(c); err != nil {
		return nil, err
	}
	st, err := s.admin.current()
	if err != nil {
		return nil, err
	}
	out := make([]User, 0, st.site.users.len())
	for _, u := range st.site.users.all() {
		out = append(out, *u)
	}
	return out, nil
}

// AddKey adds an SSH public key, one line as ParseSSHKey takes it, to a person's
// file, in place. wiki.ErrExists where it stands in another person's: it would
// sign in neither. A narrowed credential adds none: the key would not be
// narrowed; and neither does a token: the key would outlive it.
func (s *Store) AddKey(ctx context.Context, c wiki.Caller, name wiki.Username, line string) error {
	own := c.User == name && c.Narrowed == wiki.NoRole && c.Only == "" && !c.Site
	if err := s.allowAdmin(c); err != nil && !own {
		return err
	}
	if _, isToken := ParseTokenID(c.Credential); isToken {
		return wiki.Forbidden("a token adds no SSH key, which would outlive it; sign in with the browser and add it there")
	}
	key, err := ParseSSHKey(line)
	if err != nil {
		return err
	}
	return s.admin.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		if !c.Host && b.site().account(c) == nil {
			return wiki.NotFound("there is no user %q", name) // suspended while the change was queued
		}
		holders := b.site().byKey.get(key.Fingerprint)
		if len(holders) > 0 && !slices.Contains(holders, name) {
			return &wiki.Error{Kind: wiki.ErrExists, Field: "key", Text: "this key is in another account already, and a key signs in one person; " + makeKey}
		}
		return b.editUser(c, name, "Add an SSH key of "+string(name), func(u *User, text []byte) ([]byte, error) {
			if slices.Contains(holders, name) {
				return text, nil
			}
			return setKeys(text, append(slices.Clone(u.SSHKeys), key.Line))
		})
	}})
}
