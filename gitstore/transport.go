package gitstore

import (
	"context"
	"fmt"

	"wikibot/acl"
	"wikibot/gitstore/internal/refs"
	"wikibot/wiki"
)

// Repository is a repository opened for one git transport.
type Repository struct {
	Dir     string
	Name    wiki.Slug // "admin" for admin.git
	Manage  bool      // the caller may see refs/wikibot/*
	Release func()    // to be called when the transport has ended

	refs refStore
}

// HasRef reports whether a ref is there, by its full name. It tells of hidden refs
// too.
func (r *Repository) HasRef(name string) (bool, error) {
	if refs.CheckName(name) != nil {
		return false, nil
	}
	_, exists, err := r.refs.Read(name)
	return exists, err
}

// Repository checks that a caller may fetch from (or, with write, push to) a
// wiki or, with an empty slug, admin.git, and that the repository's own
// configuration names the hooks. While it is held for writing, maintenance
// replaces no packs. wiki.ErrNotFound where it may not be read.
func (s *Store) Repository(ctx context.Context, c wiki.Caller, slug wiki.Slug, write bool) (*Repository, error) {
	var r *repo
	manage := false
	if slug == "" || slug == admin {
		r, manage = s.admin, true
		if err := s.allowAdminPush(c); err != nil {
			return nil, err
		}
	} else {
		v, err := s.View(ctx, c, slug)
		if err != nil {
			return nil, err
		}
		r, manage = v.repo, v.Standing().Inspect
		if write {
			if err := v.Policy().Allow(v.caller, acl.Write, r.target()); err != nil {
				return nil, err
			}
		}
	}
	if err := s.ensureConfig(ctx, r.dir); err != nil {
		return nil, fmt.Errorf("the configuration of %s: %w", r.dir, err)
	}
	release := func() {}
	if write {
		r.packing.RLock()
		if told := r.ended.Load(); told != nil { // while we waited
			r.packing.RUnlock()
			return nil, told
		}
		release = r.packing.RUnlock
	}
	return &Repository{Dir: r.dir, Name: r.name, Manage: manage, Release: release, refs: r.refs}, nil
}

func (s *Store) allowAdminPush(c wiki.Caller) error {
	who, err := s.identify(c)
	if err != nil {
		return err
	}
	return s.allowAdmin(who)
}

// SlugOf is the wiki whose repository lies in a folder, or "admin"; for hooks
// that git started without the server.
func (s *Store) SlugOf(dir string) (wiki.Slug, error) {
	if dir == s.adminDir() {
		return admin, nil
	}
	st, err := s.admin.current()
	if err != nil {
		return "", err
	}
	for slug := range st.site.wikis {
		if s.wikiDir(slug) == dir {
			return slug, nil
		}
	}
	return "", wiki.NotFound("%s is no repository of this site", dir)
}
