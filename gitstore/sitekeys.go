package gitstore

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"wikibot/wiki"
)

// addKeys enters a person's SSH keys into the index. A key that cannot be used
// is left out; keyFaults names it.
func (st *site) addKeys(u *User) {
	for _, line := range u.SSHKeys {
		k, err := ParseSSHKey(line)
		if err != nil || slices.Contains(st.byKey[k.Fingerprint], u.Name) {
			continue
		}
		// A new slice, since the site before this one shares the old.
		st.byKey[k.Fingerprint] = append(slices.Clone(st.byKey[k.Fingerprint]), u.Name)
	}
}

// dropKeys takes a person's SSH keys out of the index.
func (st *site) dropKeys(u *User) {
	for _, line := range u.SSHKeys {
		k, err := ParseSSHKey(line)
		if err != nil {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(st.byKey[k.Fingerprint]), func(n wiki.Username) bool { return n == u.Name })
		if st.byKey[k.Fingerprint] = left; len(left) == 0 {
			delete(st.byKey, k.Fingerprint)
		}
	}
}

// keyFaults are the SSH keys in the changed files that sign in nobody, because
// they cannot be used or stand in the files of two people. The other keys of
// these people, and their rights, stay.
func (st *site) keyFaults(changes []change) (faults []error) {
	for _, c := range changes {
		u := st.users[wiki.Username(strings.TrimSuffix(path.Base(c.path), ".toml"))]
		if u == nil || c.path != userFile(u.Name) {
			continue
		}
		for i, line := range u.SSHKeys {
			k, err := ParseSSHKey(line)
			switch holders := st.byKey[k.Fingerprint]; {
			case err != nil:
				faults = append(faults, fmt.Errorf("%s: ssh_keys, entry %d: %w", c.path, i+1, err))
			case len(holders) > 1:
				faults = append(faults, fmt.Errorf("%s: ssh_keys, entry %d: the key %s stands in the files of %v", c.path, i+1, k.Fingerprint, holders))
			}
		}
	}
	return faults
}

// KeyOwner is whom an SSH key signs in, by the key's fingerprint ("SHA256:…"): the
// one person in whose file it stands. wiki.ErrNotFound where it stands in none or
// in two, and where its person is suspended or gone. It costs one look-up.
func (s *Store) KeyOwner(_ context.Context, fingerprint string) (wiki.Username, error) {
	st, err := s.admin.current()
	if err != nil {
		return "", err
	}
	if holders := st.site.byKey[fingerprint]; len(holders) == 1 {
		if u := st.site.account(wiki.Caller{User: holders[0]}); u != nil {
			return u.Name, nil
		}
	}
	return "", wiki.NotFound("this SSH key signs in nobody here")
}
