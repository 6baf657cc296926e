package gitstore

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"wikibot/wiki"
)

// addKeys enters a person's SSH keys into the index. A key that cannot be used
// is left out; keyFaults names it.
func (st *site) addKeys(u *User) {
	for _, line := range u.SSHKeys {
		k, err := ParseSSHKey(line)
		if err != nil || slices.Contains(st.byKey.get(k.Fingerprint), u.Name) {
			continue
		}
		// A new slice, since the site before this one shares the old.
		st.byKey.set(k.Fingerprint, append(slices.Clone(st.byKey.get(k.Fingerprint)), u.Name))
	}
}

// dropKeys takes a person's SSH keys out of the index.
func (st *site) dropKeys(u *User) {
	for _, line := range u.SSHKeys {
		k, err := ParseSSHKey(line)
		if err != nil {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(st.byKey.get(k.Fingerprint)), func(n wiki.Username) bool { return n == u.Name })
		if len(left) == 0 {
			st.byKey.drop(k.Fingerprint)
		} else {
			st.byKey.set(k.Fingerprint, left)
		}
	}
}

// keyFaults are the SSH keys in the changed files that sign in nobody, because
// they cannot be used or stand in the files of two people. The other keys of
// these people, and their rights, stay.
func (st *site) keyFaults(changes []change, r *repo) (wiki.Faults, error) {
	var faults wiki.Faults
	for _, c := range changes {
		name, ok := userOf(c.path)
		if !ok || st.users.get(name) == nil {
			continue
		}
		wrong := st.wrongKeys(st.users.get(name))
		if len(wrong) == 0 {
			continue
		}
		data, err := r.recordText(c)
		if err != nil {
			return faults, err
		}
		for _, k := range wrong {
			faults = append(faults, faultAt(c.path, data, []string{"ssh_keys", strconv.Itoa(k.index)}, "%s", k.text))
		}
	}
	return faults, nil
}

// wrongKey is a key of a person's that signs in nobody.
type wrongKey struct {
	index int // in the list, from 0
	text  string
}

func (st *site) wrongKeys(u *User) (wrong []wrongKey) {
	for i, line := range u.SSHKeys {
		k, err := ParseSSHKey(line)
		if err != nil {
			wrong = append(wrong, wrongKey{i, err.Error()})
			continue
		}
		others := slices.DeleteFunc(slices.Clone(st.byKey.get(k.Fingerprint)), func(n wiki.Username) bool { return n == u.Name })
		if len(others) > 0 {
			wrong = append(wrong, wrongKey{i, fmt.Sprintf("the key %s stands in %s as well, and a key signs in one person: take it out of one of the two", k.Fingerprint, userFile(others[0]))})
		}
	}
	return wrong
}

// KeyOwner is whom an SSH key signs in, by the key's fingerprint ("SHA256:…"): the
// one person in whose file it stands. wiki.ErrNotFound where it stands in none or
// in two, and where its person is suspended or gone. It costs one look-up.
func (s *Store) KeyOwner(_ context.Context, fingerprint string) (wiki.Username, error) {
	st, err := s.admin.current()
	if err != nil {
		return "", err
	}
	if holders := st.site.byKey.get(fingerprint); len(holders) == 1 {
		if u := st.site.account(wiki.Caller{User: holders[0]}); u != nil {
			return u.Name, nil
		}
	}
	return "", wiki.NotFound("this SSH key signs in nobody here")
}
