package gitstore

import (
	"errors"
	"maps"
	"slices"
	"strings"

	"wikibot/wiki"
)

// site is what admin.git's main says: who is known and which wikis exist. It is
// immutable; a new one is made from the one before and the difference of the
// trees, so one change among 10,000 people reads one file.
type site struct {
	name    string
	users   table[wiki.Username, *User]
	deleted table[wiki.Username, bool] // tombstones: the name is never given out again
	admins  int                        // administrators who are not suspended
	byDID   table[wiki.DID, wiki.Username]
	byKey   table[string, []wiki.Username] // fingerprint of an SSH key → in whose files it stands
	wikis   map[wiki.Slug]*registered
	tiers   tiers
	files   int   // in the tree
	newer   error // not nil: written by a newer program
}

// registered is a wiki's record in admin.git.
type registered struct {
	registryRecord
}

// after is the site with changed records taken over. A record that does not
// load counts as absent, so that it grants nothing, and is among the faults. An
// object that cannot be read is one as well, and the error.
func (st *site) after(changes []change, r *repo) (*site, wiki.Faults, error) {
	next := st.copy()
	if slices.ContainsFunc(changes, func(c change) bool { return strings.HasPrefix(c.path, "wikis/") }) {
		next.wikis = clone(st.wikis)
	}
	for _, c := range changes { // a DID or a key may go from one file to another
		next.forget(c)
	}
	var faults wiki.Faults
	var failed error
	for _, c := range changes {
		var told wiki.Faults
		switch err := next.apply(c, r); {
		case errors.As(err, &told):
			faults = append(faults, told...)
		case err != nil:
			failed = errors.Join(failed, err)
			faults = append(faults, wiki.Fault{File: c.path, Text: "cannot be read: an object is missing or damaged"})
		}
	}
	more, err := next.keyFaults(changes, r)
	return next, append(faults, more...), errors.Join(failed, err)
}

// copy is a site to be changed; its wikis are the old one's until they are cloned.
func (st *site) copy() *site {
	next := *st
	next.users, next.byDID, next.byKey, next.deleted = st.users.next(), st.byDID.next(), st.byKey.next(), st.deleted.next()
	return &next
}

func clone[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}

// forget drops what a changed file said, and counts the files.
func (st *site) forget(c change) {
	if c.old == nil {
		st.files++
	}
	if c.new == nil {
		st.files--
	}
	name, ok := userOf(c.path)
	if !ok {
		return
	}
	st.deleted.drop(name)
	if u := st.users.get(name); u != nil {
		st.drop(u)
	}
}

// userOf is whose record a file is, if it is one at its place.
func userOf(path string) (wiki.Username, bool) {
	name, ok := recordOf(path, "users/")
	return wiki.Username(name), ok
}

// recordOf is the name in <folder><first two letters>/<name>.toml.
func recordOf(path, folder string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(path, folder)
	if !ok || len(rest) < len("xx/") || rest[2] != '/' {
		return "", false
	}
	name, ok = strings.CutSuffix(rest[3:], ".toml")
	return name, ok && strings.HasPrefix(name, rest[:2]) && !strings.Contains(name, "/")
}

// apply takes over one changed record, of which nothing is known any more.
func (st *site) apply(c change, r *repo) error {
	if c.path == fileSite {
		return st.applySite(c, r)
	}
	if name, ok := userOf(c.path); ok {
		return st.applyUser(name, c, r)
	}
	if slug, ok := recordOf(c.path, "wikis/"); ok {
		return st.applyWiki(wiki.Slug(slug), c, r)
	}
	return nil
}

func (st *site) applySite(c change, r *repo) error {
	st.newer = nil
	if c.new == nil {
		st.tiers = tiers{}
		return nil
	}
	data, err := r.recordText(c)
	if err != nil {
		return err
	}
	var rec siteRecord
	if faults := decode(c.path, data, &rec, func(x *siteRecord) int { return x.Schema }); len(faults) > 0 {
		if schemaOf(data) > schema {
			st.newer = faults
		}
		return faults
	}
	known, faults := parseTiers(data, rec)
	if len(faults) > 0 {
		return faults
	}
	st.name, st.tiers = rec.Name, known
	return nil
}

func (st *site) applyUser(name wiki.Username, c change, r *repo) error {
	if c.new == nil {
		return nil
	}
	data, err := r.recordText(c)
	if err != nil {
		return err
	}
	var rec userRecord
	if faults := decode(c.path, data, &rec, func(x *userRecord) int { return x.Schema }); len(faults) > 0 {
		return append(faults, st.identityFaults(c.path, data)...)
	}
	if rec.Deleted {
		st.deleted.set(name, true)
		return nil
	}
	if text := st.didFault(rec.DID); text != "" {
		return wiki.Faults{faultAt(c.path, data, []string{"did"}, "%s", text)}
	}
	st.put(&User{Name: name, DID: wiki.DID(rec.DID), Created: rec.CreatedAt, Admin: rec.Admin, Suspended: rec.Suspended, SSHKeys: rec.SSHKeys})
	return nil
}

// put takes a person in whose name, DID and file nobody else has.
func (st *site) put(u *User) {
	st.users.set(u.Name, u)
	if u.DID != "" {
		st.byDID.set(u.DID, u.Name)
	}
	st.addKeys(u)
	if u.Admin && !u.Suspended {
		st.admins++
	}
}

func (st *site) drop(u *User) {
	st.users.drop(u.Name)
	if u.DID != "" {
		st.byDID.drop(u.DID)
	}
	st.dropKeys(u)
	if u.Admin && !u.Suspended {
		st.admins--
	}
}

func (st *site) applyWiki(slug wiki.Slug, c change, r *repo) error {
	delete(st.wikis, slug)
	if c.new == nil {
		return nil
	}
	data, err := r.recordText(c)
	if err != nil {
		return err
	}
	rec := &registered{}
	if faults := decode(c.path, data, &rec.registryRecord, func(x *registryRecord) int { return x.Schema }); len(faults) > 0 {
		return faults
	}
	st.wikis[slug] = rec
	return nil
}

// account is the person behind a caller as the site knows them now: nil for
// anonymous visitors and for people who are unknown, deleted or suspended.
func (st *site) account(c wiki.Caller) *User {
	name := c.User
	if name == "" && c.DID != "" {
		name = st.byDID.get(c.DID)
	}
	u := st.users.get(name)
	if u == nil || u.Suspended {
		return nil
	}
	return u
}

// User is a person's record. ErrNotFound where there is none.
func (s *Store) lookupUser(name wiki.Username) (User, error) {
	st, err := s.admin.current()
	if err != nil {
		return User{}, err
	}
	u := st.site.users.get(name)
	if u == nil {
		return User{}, wiki.NotFound("there is no user %q", name)
	}
	return *u, nil
}

// identify replaces what the caller says of itself by what the site knows: the
// DID of a named user, the name of a known DID. Someone who is unknown or
// suspended becomes anonymous, so that grants and tokens of theirs give nothing.
func (s *Store) identify(c wiki.Caller) (wiki.Caller, error) {
	if c.Host || c.User == "" && c.DID == "" {
		return c, nil
	}
	st, err := s.admin.current()
	if err != nil {
		return wiki.Caller{}, err
	}
	if u := st.site.account(c); u != nil {
		c.User, c.DID = u.Name, u.DID
		return c, nil
	}
	if c.User == "" {
		return c, nil // a DID that was granted something before its owner signed up
	}
	return wiki.Caller{Via: c.Via, Agent: c.Agent, Credential: c.Credential}, nil
}
