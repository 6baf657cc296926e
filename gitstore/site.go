package gitstore

import (
	"fmt"
	"maps"
	"strings"

	"wikibot/wiki"
)

// site is what admin.git's main says: who is known and which wikis exist. It is
// immutable; a new one is made from the one before and the difference of the
// trees, so one change among 10,000 people reads one file.
type site struct {
	name    string
	users   map[wiki.Username]*User
	deleted map[wiki.Username]bool // tombstones: the name is never given out again
	byDID   map[wiki.DID]wiki.Username
	byKey   map[string][]wiki.Username // fingerprint of an SSH key → in whose files it stands
	wikis   map[wiki.Slug]*registered
	tiers   tiers
	newer   error // not nil: written by a newer program
	faults  []error
}

// registered is a wiki's record in admin.git.
type registered struct {
	registryRecord
}

func loadSite(old *site, oldTip, newTip tip, r *repo) *site {
	next := &site{}
	if old == nil {
		old, oldTip = &site{}, tip{root: emptyFolder()}
	}
	*next = *old
	next.users, next.byDID, next.byKey = clone(old.users), clone(old.byDID), clone(old.byKey)
	next.wikis, next.deleted = clone(old.wikis), clone(old.deleted)
	next.faults = nil
	changes, err := diff(oldTip.root, newTip.root)
	if err != nil {
		next.faults = append(next.faults, err)
	}
	for _, c := range changes {
		if err := next.apply(c, r); err != nil {
			next.faults = append(next.faults, err)
			r.store.log.Error("a record of admin.git does not load and grants nothing; mend it with a push to admin.git", "file", c.path, "error", err)
		}
	}
	for _, err := range next.keyFaults(changes) {
		next.faults = append(next.faults, err)
		r.store.log.Error("an SSH key in admin.git signs in nobody; mend it with a push to admin.git", "error", err)
	}
	next.unknownTiers(changes, r)
	return next
}

func clone[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return maps.Clone(m)
}

// apply takes over one changed record. A record that does not load counts as
// absent, so that it grants nothing.
func (st *site) apply(c change, r *repo) error {
	kind, rest, _ := strings.Cut(c.path, "/")
	name, isRecord := strings.CutSuffix(lastOf(rest), ".toml")
	switch {
	case c.path == fileSite:
		return st.applySite(c, r)
	case kind == "users" && isRecord:
		return st.applyUser(wiki.Username(name), c, r)
	case kind == "wikis" && isRecord:
		return st.applyWiki(wiki.Slug(name), c, r)
	}
	return nil
}

func (st *site) applySite(c change, r *repo) error {
	st.newer = nil
	if c.new == nil {
		st.tiers = tiers{}
		return nil
	}
	data, err := r.blob(c.new.oid)
	if err != nil {
		return err
	}
	var rec siteRecord
	if faults := decode(c.path, data, &rec, func(x *siteRecord) int { return x.Schema }); len(faults) > 0 {
		if rec.Schema > schema {
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
	if u := st.users[name]; u != nil {
		delete(st.byDID, u.DID)
		st.dropKeys(u)
		delete(st.users, name)
	}
	if c.new == nil || c.path != userFile(name) {
		return nil
	}
	data, err := r.blob(c.new.oid)
	if err != nil {
		return err
	}
	var rec userRecord
	if faults := decode(c.path, data, &rec, func(x *userRecord) int { return x.Schema }); len(faults) > 0 {
		return faults
	}
	if rec.Deleted {
		st.deleted[name] = true
		return nil
	}
	u := &User{Name: name, Created: rec.CreatedAt, Admin: rec.Admin, Suspended: rec.Suspended, SSHKeys: rec.SSHKeys}
	if rec.DID != "" {
		if u.DID, err = wiki.ParseDID(rec.DID); err != nil {
			return err
		}
		if other := st.byDID[u.DID]; other != "" {
			return fmt.Errorf("%s: the DID %s is %s's already", c.path, u.DID, other)
		}
		st.byDID[u.DID] = name
	}
	st.users[name] = u
	st.addKeys(u)
	return nil
}

func (st *site) applyWiki(slug wiki.Slug, c change, r *repo) error {
	delete(st.wikis, slug)
	if c.new == nil || c.path != wikiFile(slug) {
		return nil
	}
	data, err := r.blob(c.new.oid)
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
		name = st.byDID[c.DID]
	}
	u := st.users[name]
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
	u := st.site.users[name]
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
