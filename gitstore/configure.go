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
		if head.err != nil {
			return wiki.Unavailable("the newest configuration of the wiki cannot be read, so nothing can be built on it; whoever runs this site mends %s with git update-ref", refConfig)
		}
		text, err := r.configFile(head.root, file)
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
		if b.config, err = r.checkConfiguration(b, b.config, root); err != nil {
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
		b.config.at, b.trouble = commit, nil
		return b.audit(c, "config", refConfig, head.commit, commit)
	}})
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
	to, err := treeOf(c.src, new)
	if err != nil {
		return err
	}
	if c.repo.name == admin {
		_, err = c.state.site.followPush(c.state.loaded.root, to, c.repo.reading(c.src), c.push.Options)
	} else {
		_, err = c.repo.pushedConfiguration(c.src, c.state.config, to, c.push.Options)
	}
	if err := c.collect(err); err != nil {
		return err
	}
	return c.secrets(c.state.heads[cmd.Ref].commit, new)
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
		err = b.applySite(p, tip{commit: new, root: root})
	} else if b.config, err = b.repo.pushedConfiguration(b, b.config, root, p.Options); err == nil {
		err = b.checkGrowth(nil, b.heads[refMain].root, p)
	}
	if err != nil {
		return err
	}
	if err := b.audit(p.Caller, "push", ref, head.commit, new); err != nil {
		return err
	}
	if b.repo.name != admin {
		b.config.at, b.trouble = new, nil
	}
	return b.move(ref, tip{commit: new, root: root})
}

// siteFile says why a file may not change in admin.git by push, or "".
func siteFile(c change) string {
	kind, rest, _ := strings.Cut(c.path, "/")
	name, isRecord := strings.CutSuffix(lastOf(rest), ".toml")
	if c.new != nil && c.new.mode != modeFile {
		return kindFault(c.new.mode)
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
		slug, err := wiki.ParseSlug(name)
		if err != nil && c.old == nil {
			return err.Error()
		}
		if err == nil && c.path != wikiFile(slug) {
			return "belongs at " + wikiFile(slug)
		}
		if c.new == nil {
			return "a wiki's record cannot be removed, because the slug is never given out again; write deleted = true into it"
		}
	case strings.HasSuffix(c.path, ".md"):
		if err := wiki.CheckFile(c.path); err != nil {
			return err.Error()
		}
	default:
		return "is no record of the site; people are users/<xx>/<name>.toml, wikis are wikis/<xx>/<slug>.toml"
	}
	return ""
}
