package gitstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/record"
	"wikibot/wiki"
)

// What administrators do with people's records. Each is one commit of admin.git's
// main with its entry in the audit, an edit in place, and acts on the next request
// of every face: sessions, tokens and SSH keys all ask the record of their person.

// SetSuspended takes a person's rights away for as long as it lasts: sessions,
// tokens and keys of theirs are refused, grants to them grant nothing. The last
// administrator cannot be suspended.
func (s *Store) SetSuspended(ctx context.Context, c wiki.Caller, name wiki.Username, suspended bool) error {
	what := "Suspend "
	if !suspended {
		what = "Resume "
	}
	return s.editUser(ctx, c, name, what+string(name), func(b *batch, _ *User, text []byte) ([]byte, error) {
		return setFlag(text, "suspended", suspended)
	})
}

// SetAdmin makes a person an administrator of the site, or no longer one. One
// administrator stays.
func (s *Store) SetAdmin(ctx context.Context, c wiki.Caller, name wiki.Username, admin bool) error {
	what := "Make %s an administrator"
	if !admin {
		what = "Make %s no administrator"
	}
	return s.editUser(ctx, c, name, fmt.Sprintf(what, name), func(b *batch, _ *User, text []byte) ([]byte, error) {
		return setFlag(text, "admin", admin)
	})
}

// DeleteUser ends an account for ever: the record stays as a tombstone, because a
// name is never given out again, without the DID and the keys; the person's
// tokens are revoked. Grants to the name stay and grant nothing. The last
// administrator cannot be deleted.
func (s *Store) DeleteUser(ctx context.Context, c wiki.Caller, name wiki.Username) error {
	return s.editUser(ctx, c, name, "Delete user "+string(name), func(b *batch, _ *User, text []byte) ([]byte, error) {
		if err := b.revokeAll(c, name); err != nil {
			return nil, err
		}
		var err error
		for _, key := range []string{"did", "ssh_keys", "admin", "suspended"} {
			if text, err = dropKey(text, key); err != nil {
				return nil, err
			}
		}
		return record.Set(text, []string{"deleted"}, true)
	})
}

// RemoveKey takes an SSH key, by its fingerprint ("SHA256:…"), out of a person's
// file, for that person and for administrators. wiki.ErrNotFound where it is not
// there.
func (s *Store) RemoveKey(ctx context.Context, c wiki.Caller, name wiki.Username, fingerprint string) error {
	own := c.User == name && whole(c)
	if err := s.allowAdmin(c); err != nil && !own {
		return err
	}
	return s.admin.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		if !c.Host && b.site().account(c) == nil {
			return wiki.NotFound("there is no user %q", name) // suspended while the change was queued
		}
		return b.editUser(c, name, "Remove an SSH key of "+string(name), func(u *User, text []byte) ([]byte, error) {
			left := slices.DeleteFunc(slices.Clone(u.SSHKeys), func(line string) bool {
				k, err := ParseSSHKey(line)
				return err == nil && k.Fingerprint == fingerprint
			})
			switch len(left) {
			case len(u.SSHKeys):
				return nil, wiki.NotFound("%s has no SSH key %s", name, fingerprint)
			case 0:
				return dropKey(text, "ssh_keys")
			}
			return setKeys(text, left)
		})
	}})
}

// Keys lists a person's SSH keys in the order of the file, for that person and for
// administrators. Lines that are no usable keys are left out: they sign in nobody.
func (s *Store) Keys(_ context.Context, c wiki.Caller, name wiki.Username) ([]SSHKey, error) {
	if own := c.User == name && whole(c); !own && s.allowAdmin(c) != nil {
		return nil, wiki.NotFound("there is no user %q", name)
	}
	u, err := s.lookupUser(name)
	if err != nil {
		return nil, err
	}
	var keys []SSHKey
	for _, line := range u.SSHKeys {
		if k, err := ParseSSHKey(line); err == nil {
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// editUser changes a person's record for an administrator.
func (s *Store) editUser(ctx context.Context, c wiki.Caller, name wiki.Username, what string, edit func(*batch, *User, []byte) ([]byte, error)) error {
	if err := s.allowAdmin(c); err != nil {
		return wiki.Forbidden("only administrators of the site change people's accounts; ask one of them")
	}
	return s.admin.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		if !c.Host && !b.site().administers(c) {
			return wiki.Forbidden("only administrators of the site change people's accounts; ask one of them")
		}
		return b.editUser(c, name, what, func(u *User, text []byte) ([]byte, error) { return edit(b, u, text) })
	}})
}

// editUser changes a person's file in place; one that stays as it is makes no
// commit.
func (b *batch) editUser(c wiki.Caller, name wiki.Username, what string, edit func(u *User, text []byte) ([]byte, error)) error {
	if err := b.mayBuild(); err != nil {
		return err
	}
	u := b.site().users.get(name)
	switch {
	case u == nil && b.site().deleted.has(name):
		return wiki.NotFound("the user %q was deleted", name)
	case u == nil:
		return wiki.NotFound("there is no user %q", name)
	}
	head, err := b.head(refMain)
	if err != nil {
		return err
	}
	text, err := fileText(b, head.root, userFile(name))
	if err != nil {
		return err
	}
	next, err := edit(u, text)
	if err != nil || string(next) == string(text) {
		return err
	}
	err = b.writeRecord(c, userFile(name), next, what)
	if b.site().lastAdmin(u) && errors.Is(err, wiki.ErrInvalid) {
		return wiki.Forbidden("%s is the only administrator who is left: make somebody else one first, with `wikibot admin admin add NAME`", name)
	}
	return err
}

// administers reports whether a caller administers the site as it is in this
// state. A narrowed credential never does.
func (st *site) administers(c wiki.Caller) bool {
	u := st.account(c)
	return u != nil && u.Admin && whole(c)
}

// lastAdmin reports whether nobody else administers.
func (st *site) lastAdmin(u *User) bool { return st.admins == 1 && u.Admin && !u.Suspended }

// revokeAll removes the records of a person's tokens in one commit.
func (b *batch) revokeAll(c wiki.Caller, name wiki.Username) error {
	ids, err := b.repo.tokenIndex.ids(b.repo, b.repo.state.Load(), name)
	if err != nil || len(ids) == 0 {
		return err
	}
	head, err := b.head(refTokens)
	if err != nil {
		return err
	}
	root := head.root
	for _, id := range ids {
		path, _, ok, err := findToken(root, id)
		if err == nil && ok {
			root, err = root.with(path, nil)
		}
		if err != nil {
			return err
		}
	}
	return b.commitTokens(c, head.commit, root, fmt.Sprintf("Revoke %d tokens of %s", len(ids), name))
}

func (b *batch) commitTokens(c wiki.Caller, old plumbing.Hash, root *folder, what string) error {
	info := commitInfo{author: signature{c.Name(), b.repo.store.noreply(c)}, message: message("["+string(viaOf(c))+"] "+what, c, ""), when: b.repo.store.now()}
	commit, err := b.commit(refTokens, root, info)
	if err != nil {
		return err
	}
	return b.audit(c, "config", refTokens, old, commit)
}

// setFlag writes a switch of a record; one that is off and was never there stays
// away.
func setFlag(text []byte, key string, on bool) ([]byte, error) {
	if _, _, there := record.Position(text, []string{key}); !there && !on {
		return text, nil
	}
	return record.Set(text, []string{key}, on)
}

func dropKey(text []byte, key string) ([]byte, error) {
	next, err := record.Delete(text, []string{key})
	if errors.Is(err, wiki.ErrNotFound) {
		return text, nil
	}
	return next, err
}
