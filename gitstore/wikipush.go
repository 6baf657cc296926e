package gitstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"wikibot/wiki"
)

// Wikis by push: a push to admin.git's main that adds wikis/<xx>/<slug>.toml makes a
// wiki, one that writes deleted = true into it deletes the wiki. The repository of a
// new one is made before the ref moves, as AdoptWiki does it; if the push fails then,
// it is taken away again. A deletion follows the ref, see buryDeleted.

const (
	// maxNewWikis is the most wikis that one push makes: each takes some tens of
	// milliseconds, which others wait who change admin.git.
	maxNewWikis = 100
	// aheadOfUs is by how much the clock of whoever writes a record may be ahead.
	aheadOfUs = 24 * time.Hour
	// optionDelete is the push option that confirms a deletion: confirm-delete=<slug>.
	optionDelete = "confirm-delete="
)

// wikiFaults names what is wrong with the records of wikis that a push adds or
// changes, beside their plans: the id, the owner of a new wiki, what was deleted. The
// records in next have loaded.
func (st *site) wikiFaults(next *site, changes []change, src *repo) wiki.Faults {
	var faults wiki.Faults
	fresh := 0
	for _, c := range changes {
		slug, rec := next.wikiRecord(c)
		if rec == nil {
			continue
		}
		data, err := src.recordText(c)
		if err != nil {
			continue // it has loaded; a damaged object is told elsewhere
		}
		at := func(key, format string, args ...any) {
			faults = append(faults, faultAt(c.path, data, []string{key}, format, args...))
		}
		old := st.wikis[slug]
		if c.old == nil {
			if fresh++; fresh == maxNewWikis+1 {
				at("id", "one push makes at most %d wikis; push them in parts", maxNewWikis)
			}
			next.freshFaults(rec, src.store.now(), at)
		}
		if old == nil || old.ID != rec.ID {
			next.idFaults(slug, rec, at)
		}
		switch {
		case old == nil:
		case old.ID != rec.ID:
			at("id", "id = %q must stay %q: tokens and rights are bound to it", rec.ID, old.ID)
		case old.Deleted && !rec.Deleted:
			at("deleted", "the wiki was deleted and does not come back; import its bundle under another slug: wikibot import DATA/deleted/%s-….bundle NEWSLUG", slug)
		}
	}
	return faults
}

// wikiRecord is the record of a wiki that a change leads to; nil where the change is
// of something else, takes it away, or it does not load.
func (st *site) wikiRecord(c change) (wiki.Slug, *registered) {
	name, ok := recordOf(c.path, "wikis/")
	if !ok || c.new == nil {
		return "", nil
	}
	return wiki.Slug(name), st.wikis[wiki.Slug(name)]
}

// freshFaults are those of a new wiki's record.
func (st *site) freshFaults(rec *registered, now time.Time, at func(key, format string, args ...any)) {
	owner := st.users.get(wiki.Username(rec.Owner))
	switch {
	case rec.Deleted:
		at("deleted", "a new wiki cannot be deleted already; leave the line out")
	case rec.Owner == "":
		at("owner", "owner is missing: name the user who is to own the wiki, such as owner = \"alice\"")
	case owner != nil && owner.Suspended:
		at("owner", "owner: the account of %s is suspended; name somebody else", rec.Owner)
	}
	if rec.CreatedAt.After(now.Add(aheadOfUs)) {
		at("created_at", "created_at lies in the future; leave it out, or write when the wiki is made")
	}
}

// idFaults refuse an id that is none, or that another wiki has or had.
func (st *site) idFaults(slug wiki.Slug, rec *registered, at func(key, format string, args ...any)) {
	if !validWikiID(rec.ID) {
		at("id", "id must be 32 random hexadecimal digits, such as %q (openssl rand -hex 16)", randomHex(16))
		return
	}
	for other, r := range st.wikis {
		if other != slug && r.ID == rec.ID {
			at("id", "another wiki has or had this id; make a new one: %q", randomHex(16))
			return
		}
	}
}

// validWikiID: 32 lower-case hexadecimal digits.
func validWikiID(id string) bool {
	return len(id) == 32 && strings.Trim(id, "0123456789abcdef") == ""
}

// confirmDeletions refuses a push that deletes wikis without saying so.
func (st *site) confirmDeletions(next *site, changes []change, options []string) wiki.Faults {
	var faults wiki.Faults
	for _, c := range changes {
		slug, rec := next.wikiRecord(c)
		old := st.wikis[slug]
		if rec == nil || !rec.Deleted || old == nil || old.Deleted || slices.Contains(options, optionDelete+string(slug)) {
			continue
		}
		faults = append(faults, wiki.Fault{File: c.path, Text: fmt.Sprintf("the wiki %q would be deleted with all of its pages; if you mean that, push again with: git push -o %s%s", slug, optionDelete, slug)})
	}
	return faults
}

// applySite takes over what a push makes of admin.git's main.
func (b *batch) applySite(p *Push, to tip) error {
	changes, err := pushedWikis(b.loaded.root, to.root)
	if err != nil {
		return err
	}
	next, err := b.people.followPush(b.loaded.root, to.root, b.repo.reading(b), p.Options)
	if err != nil {
		return err
	}
	b.people, b.loaded, b.trouble = next, to, nil
	return b.adoptFresh(p, changes)
}

// pushedWikis are the changes of a push to admin.git that concern the wikis'
// records.
func pushedWikis(from, to *folder) ([]change, error) {
	changes, err := diffUpTo(from, to, maxSiteChanges)
	if errors.Is(err, errManyChanges) {
		return nil, nil // refused as such
	}
	return slices.DeleteFunc(changes, func(c change) bool {
		_, ok := recordOf(c.path, "wikis/")
		return !ok
	}), err
}

// freshWiki is a repository that waits for the push that makes it a wiki.
type freshWiki struct {
	id, owner string
	tmp       string // where it was made
	moved     bool   // it is in its place now
}

// prepareWikis makes the repositories of the wikis that an approved push to admin.git
// will make, where nobody sees them yet. What is wrong with the push is told when it
// is applied; then there is none to move.
func (s *Store) prepareWikis(ctx context.Context, p *Push) error {
	st, err := s.admin.current()
	if err != nil {
		return err
	}
	for _, cmd := range p.Commands {
		oid, err := parseOid(cmd.New)
		if cmd.Ref != refMain || err != nil || oid.IsZero() {
			continue
		}
		root, err := s.admin.rootOf(oid)
		if err != nil {
			return err
		}
		changes, err := pushedWikis(st.loaded.root, root)
		if err != nil {
			return err
		}
		next, _, err := st.site.after(changes, s.admin)
		if err != nil {
			return err
		}
		for _, c := range changes {
			slug, rec := next.wikiRecord(c)
			if rec == nil || c.old != nil || rec.Deleted || p.fresh[slug] != nil || len(p.fresh) >= maxNewWikis {
				continue
			}
			f, err := s.prepareWiki(ctx, p.Caller, slug, rec)
			if err != nil {
				return fmt.Errorf("making the wiki %s: %w", slug, err)
			}
			if p.fresh == nil {
				p.fresh = map[wiki.Slug]*freshWiki{}
			}
			p.fresh[slug] = f
		}
	}
	return nil
}

// prepareWiki makes one repository, whole and on the disk.
func (s *Store) prepareWiki(ctx context.Context, c wiki.Caller, slug wiki.Slug, rec *registered) (_ *freshWiki, err error) {
	f := &freshWiki{id: rec.ID, owner: rec.Owner, tmp: filepath.Join(s.cfg.Dir, "wikis", tmpPrefix+string(slug)+"-"+randomHex(6))}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(f.tmp))
		}
	}()
	n := NewWiki{Slug: slug, Owner: wiki.Username(rec.Owner), Tier: rec.Tier}
	if s.cfg.Seed != nil {
		if n.Pages, err = s.cfg.Seed(n); err != nil {
			return nil, err
		}
	}
	if err := s.initRepository(ctx, f.tmp); err != nil {
		return nil, err
	}
	r, err := s.openRepo(slug, f.tmp)
	if err != nil {
		return nil, err
	}
	defer r.objects.Close()
	in := &Incoming{Dir: f.tmp, store: s, repo: r, id: rec.ID}
	if len(n.Pages) > 0 {
		if err := in.Seed(n.Pages, "Begin the wiki "+string(slug)); err != nil {
			return nil, err
		}
	}
	_, err = s.settleIncoming(ctx, c, in, n)
	return f, err
}

// adoptFresh moves the repositories of new wikis into place; the ref that makes them
// wikis moves after it. It may run again on a newer batch.
func (b *batch) adoptFresh(p *Push, changes []change) error {
	s := b.repo.store
	for _, c := range changes {
		slug, rec := b.people.wikiRecord(c)
		if rec == nil || c.old != nil {
			continue
		}
		f := p.fresh[slug]
		if f == nil || f.id != rec.ID || f.owner != rec.Owner {
			return wiki.Unavailable("admin.git has changed while the wiki %q was made; push again", slug)
		}
		if f.moved {
			continue
		}
		if _, err := os.Lstat(s.wikiDir(slug)); err == nil {
			return wiki.Unavailable("there is a folder %s.git already, of which no record knows; the next start of the server sets it aside", slug)
		}
		if err := s.fs.Rename(f.tmp, s.wikiDir(slug)); err != nil {
			return folderError(s.wikiDir(slug), err)
		}
		f.moved = true
		if err := s.fs.SyncDir(filepath.Dir(f.tmp)); err != nil {
			return err
		}
	}
	return nil
}

// dropUnborn takes away the repositories that no record has made wikis in the end.
func (s *Store) dropUnborn(p *Push) {
	for slug, f := range p.fresh {
		if f.moved {
			st, err := s.admin.refresh(true)
			if err != nil || st.site.wikis[slug] != nil {
				continue // it is a wiki, or the next start decides by the record
			}
			if err := s.fs.Rename(s.wikiDir(slug), f.tmp); err != nil {
				s.log.Error("the repository of a wiki that was not made stays in its place; the next start sets it aside", "wiki", slug, "error", err)
				continue
			}
		}
		if err := os.RemoveAll(f.tmp); err != nil {
			s.log.Warn("the repository of a wiki that was not made stays; the next start removes it", "wiki", slug, "error", err)
		}
	}
}
