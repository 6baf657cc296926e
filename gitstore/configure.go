package gitstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/wiki"
)

// configure changes a wiki's configuration: edit gets the text of one file and
// returns the new one. The result is validated as a push of it would be, gets an
// audit entry, and is in force for the next request.
func (s *Store) configure(ctx context.Context, c wiki.Caller, slug wiki.Slug, file, what string, edit func([]byte) ([]byte, error)) error {
	r, err := s.wiki(slug)
	if err != nil {
		return err
	}
	return r.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		if err := b.allow(c, acl.Manage); err != nil {
			return err
		}
		head, err := b.head(refConfig)
		if err != nil {
			return err
		}
		text, err := r.blobAt(head.root, file)
		if err != nil {
			return err
		}
		next, err := edit(text)
		if err != nil {
			return err
		}
		if string(next) == string(text) {
			return nil
		}
		oid, err := b.addBlob(next)
		if err != nil {
			return err
		}
		root, err := head.root.with(file, &entry{mode: modeFile, oid: oid})
		if err != nil {
			return err
		}
		if b.config, err = r.checkConfiguration(b, head.root, root); err != nil {
			return err
		}
		commit, err := b.commit(refConfig, root, commitInfo{
			author:  signature{c.Name(), s.noreply(c)},
			message: message("["+string(viaOf(c))+"] "+what, c, ""),
			when:    s.now(),
		})
		if err != nil {
			return err
		}
		return b.audit(c, "config", refConfig, head.commit, commit)
	}})
}

// checkConfiguration validates the tree of refs/wikibot/config as a whole.
func (r *repo) checkConfiguration(src objectSource, old, new *folder) (*configuration, error) {
	var faults wiki.Faults
	if _, err := new.walk("", func(path string, e *entry) bool {
		if path != fileACL && path != fileWiki {
			faults = append(faults, wiki.Fault{File: path, Text: fmt.Sprintf("only %s and %s belong here", fileWiki, fileACL)})
		} else if !regular(e) {
			faults = append(faults, wiki.Fault{File: path, Text: "must be a plain file"})
		}
		return len(faults) < 100
	}); err != nil {
		return nil, err
	}
	aclText, err := fileText(src, new, fileACL)
	if err != nil {
		return nil, err
	}
	wikiText, err := fileText(src, new, fileWiki)
	if err != nil {
		return nil, err
	}
	policy, more := acl.Parse(fileACL, aclText)
	faults = append(faults, more...)
	settings, more := parseSettings(r.name, wikiText)
	if faults = append(faults, more...); len(faults) > 0 {
		return nil, faults
	}
	before, err := fileText(src, old, fileACL)
	if err != nil {
		return nil, err
	}
	was, _ := acl.Parse(fileACL, before)
	if err := r.checkPolicy(was, policy); err != nil {
		return nil, err
	}
	if err := r.checkAuthors(&was, &policy); err != nil {
		return nil, err
	}
	return &configuration{policy: &policy, settings: settings}, nil
}

func fileText(src objectSource, root *folder, path string) ([]byte, error) {
	e, ok, err := root.file(path)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, wiki.Faults{{File: path, Text: "is missing; it belongs to the configuration"}}
	}
	typ, data, err := src.Get(e.oid)
	if err != nil {
		return nil, err
	}
	if typ != plumbing.BlobObject || len(data) > 1<<20 {
		return nil, wiki.Faults{{File: path, Text: "must be a plain file of at most 1 MB"}}
	}
	return data, nil
}

// checkPolicy keeps a wiki from locking everybody out or changing its identity.
func (r *repo) checkPolicy(was, now acl.Policy) error {
	var faults wiki.Faults
	if was.Wiki != "" && now.Wiki != was.Wiki {
		faults = append(faults, wiki.Fault{File: fileACL, Text: fmt.Sprintf("wiki = %q must stay %q: tokens are bound to it", now.Wiki, was.Wiki)})
	}
	owners := 0
	st, err := r.store.admin.current()
	if err != nil {
		return err
	}
	for who, role := range now.Grants {
		if role == wiki.Owner {
			owners++
		}
		if _, had := was.Grants[who]; had || strings.HasPrefix(who, "did:") {
			continue
		}
		if st.site.users[wiki.Username(who)] == nil {
			faults = append(faults, wiki.Fault{File: fileACL, Text: fmt.Sprintf("%q is granted a role but is no user here; grant it to a DID if the person has not signed up yet", who)})
		}
	}
	if owners == 0 {
		faults = append(faults, wiki.Fault{File: fileACL, Text: "no owner is left; keep at least one grant = \"owner\", or nobody could manage the wiki"})
	}
	return faults.OrNil()
}

// SetGrant gives a person (user name or DID) a role in a wiki, or takes it away
// with wiki.NoRole. The last owner cannot be removed.
func (s *Store) SetGrant(ctx context.Context, c wiki.Caller, slug wiki.Slug, who string, role wiki.Role) error {
	if role == wiki.NoRole {
		return s.configure(ctx, c, slug, fileACL, "Revoke: "+who, func(text []byte) ([]byte, error) { return acl.Revoke(text, who) })
	}
	return s.configure(ctx, c, slug, fileACL, fmt.Sprintf("Grant: %s is %s", who, role), func(text []byte) ([]byte, error) { return acl.Grant(text, who, role) })
}

// SetAccess sets the least standing that may read, write and propose.
func (s *Store) SetAccess(ctx context.Context, c wiki.Caller, slug wiki.Slug, read, write, propose acl.Level) error {
	what := fmt.Sprintf("Access: read %s, write %s, propose %s", read, write, propose)
	return s.configure(ctx, c, slug, fileACL, what, func(text []byte) ([]byte, error) { return acl.SetAccess(text, read, write, propose) })
}

// SetSettings replaces a wiki's settings. Comments in the file stay.
func (s *Store) SetSettings(ctx context.Context, c wiki.Caller, slug wiki.Slug, set Settings) error {
	return s.configure(ctx, c, slug, fileWiki, "Settings", func(text []byte) ([]byte, error) { return editSettings(text, set) })
}

// configPush checks a pushed configuration, in quarantine or after it.
func (c *pushCheck) config(cmd RefCommand, old, new plumbing.Hash) error {
	if err := c.repo.configMoves(c.src, c.state.heads[cmd.Ref].commit, old, new); err != nil {
		return c.collect(err)
	}
	from, err := treeOf(c.src, old)
	if err != nil {
		return err
	}
	to, err := treeOf(c.src, new)
	if err != nil {
		return err
	}
	if c.repo.name == admin {
		return c.collect(c.repo.checkSite(c.src, from, to))
	}
	_, err = c.repo.checkConfiguration(c.src, from, to)
	return c.collect(err)
}

// collect turns an error about the content into faults of the push.
func (c *pushCheck) collect(err error) error {
	var faults wiki.Faults
	var known *wiki.Error
	switch {
	case errors.As(err, &faults):
		c.faults = append(c.faults, faults...)
		return nil
	case errors.As(err, &known):
		c.fault("", "%s", known.Text)
		return nil
	}
	return err
}

// configMoves refuses a push to a configuration that has moved meanwhile or
// that would drop commits: configurations are never merged by a machine.
func (r *repo) configMoves(src objectSource, head, old, new plumbing.Hash) error {
	if head != old {
		return wiki.Invalid("ref", "the configuration has changed meanwhile: fetch it, put your change on top and push again")
	}
	ok, err := isAncestor(src, head, new, nil)
	if err != nil {
		return err
	}
	if !ok {
		return wiki.Invalid("ref", "the configuration can only move forward: fetch it and commit on top of it")
	}
	return nil
}

// applyConfig moves a pushed configuration into place.
func (b *batch) applyConfig(p *Push, ref string, old, new plumbing.Hash, res *RefResult) error {
	head, err := b.head(ref)
	if err != nil {
		return err
	}
	if err := b.repo.configMoves(b, head.commit, old, new); err != nil {
		return err
	}
	root, err := b.rootOf(new)
	if err != nil {
		return err
	}
	if b.repo.name == admin {
		if err := b.repo.checkSite(b, head.root, root); err != nil {
			return err
		}
	} else if b.config, err = b.repo.checkConfiguration(b, head.root, root); err != nil {
		return err
	} else if err := b.checkGrowth(nil, b.heads[refMain].root, p); err != nil {
		return err
	}
	if err := b.audit(p.Caller, "push", ref, head.commit, new); err != nil {
		return err
	}
	return b.move(ref, tip{new, root})
}

// checkSite validates what a push changes in admin.git.
func (r *repo) checkSite(src objectSource, old, new *folder) error {
	changes, err := diff(old, new)
	if err != nil {
		return err
	}
	st, err := r.current()
	if err != nil {
		return err
	}
	var faults wiki.Faults
	next := *st.site
	next.users, next.byDID = clone(st.site.users), clone(st.site.byDID)
	next.wikis, next.deleted = clone(st.site.wikis), clone(st.site.deleted)
	reader := &repo{name: r.name, store: r.store, source: src}
	for _, c := range changes {
		if f := siteFile(c); f != "" {
			faults = append(faults, wiki.Fault{File: c.path, Text: f})
			continue
		}
		if err := next.apply(c, reader); err != nil {
			var fs wiki.Faults
			if errors.As(err, &fs) {
				faults = append(faults, fs...)
			} else {
				faults = append(faults, wiki.Fault{File: c.path, Text: err.Error()})
			}
		}
	}
	faults = append(faults, checkPlans(st.site, &next, changes, src)...)
	admins := 0
	for _, u := range next.users {
		if u.Admin && !u.Suspended {
			admins++
		}
	}
	if admins == 0 {
		faults = append(faults, wiki.Fault{File: "users/", Text: "no administrator is left; keep admin = true in at least one person's file"})
	}
	return faults.OrNil()
}

// siteFile says why a file may not change in admin.git by push, or "".
func siteFile(c change) string {
	kind, rest, _ := strings.Cut(c.path, "/")
	name, isRecord := strings.CutSuffix(lastOf(rest), ".toml")
	if c.new != nil && c.new.mode != modeFile {
		return "must be a plain file"
	}
	switch {
	case c.path == fileSite && c.new == nil:
		return "is the site's own record and cannot be removed"
	case c.path == fileSite:
	case kind == "users" && isRecord:
		u, err := wiki.ParseUsername(name)
		if err != nil {
			return err.Error()
		}
		if c.path != userFile(u) {
			return "belongs at " + userFile(u)
		}
		if c.new == nil {
			return "a person's file cannot be removed, because the name is never given out again; write deleted = true into it"
		}
	case kind == "wikis" && isRecord:
		if c.old == nil || c.new == nil {
			return "wikis are created and deleted by the server; use the browser or `wikibot admin wiki`"
		}
	case strings.HasSuffix(c.path, ".md"):
	default:
		return "is no record of the site; people are users/<xx>/<name>.toml"
	}
	return ""
}
