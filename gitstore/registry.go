package gitstore

import (
	"time"

	"wikibot/wiki"
)

// What admin.git's record of a wiki says to others than administrators.

// registered is the record of a wiki that is served; nil where there is none.
func (s *Store) registered(slug wiki.Slug) *registered {
	st, err := s.admin.current()
	if err != nil {
		return nil
	}
	rec := st.site.wikis[slug]
	if rec == nil || rec.Deleted || rec.Suspended {
		return nil
	}
	return rec
}

// Ready is nil where the site's records can be read, so that somebody can be served.
// It costs a look-up, however many wikis there are: it is asked often, by anybody.
func (s *Store) Ready() error {
	_, err := s.admin.current()
	return err
}

// Exists reports whether a wiki of that name is served, whoever may read it. It is
// for the site's own housekeeping, such as certificates; no visitor is told. It
// costs a look-up.
func (s *Store) Exists(slug wiki.Slug) bool { return s.registered(slug) != nil }

// Created is when the wiki was made.
func (v *View) Created() time.Time {
	rec := v.repo.store.registered(v.repo.name)
	if rec == nil {
		return time.Time{} // a repository that is being filled
	}
	return rec.CreatedAt
}
