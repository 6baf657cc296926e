package gitstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/gitstore/internal/refs"
	"wikibot/wiki"
)

// refs/wikibot/good names the last commit of admin.git's main, or of a wiki's
// configuration, that was in force whole. It moves in one transaction with the
// ref itself. Where the two differ, somebody wrote without the server; what lies
// between them is then judged as a push would be:
//
//   - nothing is wrong with it: it is in force, and good follows;
//   - something is: what good says stays in force, the log and the people who can
//     mend it are told, and the server builds nothing on top. A push that puts
//     it right, or `wikibot admin rescue`, ends that.
//
// So a configuration is in force whole or not at all, before a restart and after
// it, and a bad one never keeps the server from starting: it could not be mended
// by a push then.

// trouble says why the newest configuration is not in force.
type trouble struct {
	ref    string
	commit plumbing.Hash // zero: the ref is gone or cannot be read
	author string        // as the commit claims
	good   plumbing.Hash // what is in force; zero: nothing is known
	newer  bool          // it was written by a newer program
	err    error         // wiki.Faults, or what cannot be read
}

// maxGoodBack bounds how far back a configuration that loads is looked for where
// no refs/wikibot/good says.
const maxGoodBack = 64

// goodTimeout bounds the wait for somebody else's lock on refs/wikibot/good, since
// whoever made the change waits for it as well.
const goodTimeout = time.Second

// followed is the ref that refs/wikibot/good follows.
func (r *repo) followed() string {
	if r.name == admin {
		return refMain
	}
	return refConfig
}

// good is what refs/wikibot/good says; zero where it says nothing.
func (r *repo) good() plumbing.Hash {
	oid, _, err := r.refs.Read(refGood)
	if err != nil {
		if r.once(err.Error()) {
			r.store.log.Error("refs/wikibot/good cannot be read", "repository", r.name, "error", err)
		}
		return plumbing.ZeroHash
	}
	return oid
}

// completeSite decides which records of admin.git are in force.
func (r *repo) completeSite(old, st *state) {
	main := st.heads[refMain]
	if old != nil && main.err == nil && old.heads[refMain].commit == main.commit && old.heads[refMain].err == nil {
		st.site, st.loaded, st.trouble = old.site, old.loaded, old.trouble
		return
	}
	var faults error
	st.site, st.loaded, faults = r.goodSite(old, main)
	newer := st.site.newer != nil
	if st.loaded.commit != main.commit || main.err != nil {
		next, err := r.siteOf(st, main)
		if err == nil {
			st.site, st.loaded = next, main
			return
		}
		faults, newer = err, next != nil && next.newer != nil
	}
	if faults != nil {
		st.trouble = r.troubled(main, st.loaded.commit, newer, faults)
	}
}

// siteOf is the site that main says, by its difference from the one that st has.
// What the server accepted itself is not judged again.
func (r *repo) siteOf(st *state, main tip) (*site, error) {
	if main.err != nil {
		return nil, main.err
	}
	if main.commit.IsZero() {
		return nil, wiki.Faults{{Text: "there is no " + refMain}}
	}
	if ok, err := r.accepted(refMain, main.commit); err != nil || !ok {
		return r.behindSite(st, main)
	}
	changes, err := diff(st.loaded.root, main.root)
	if err != nil {
		return nil, err
	}
	next, faults, err := st.site.after(changes, r)
	next.unknownTiers(changes, r)
	if len(faults) > 0 {
		r.logFaults("records of admin.git do not load and grant nothing; mend them with a push", faults)
	}
	return next, err
}

// behindSite is a site that somebody wrote without the server, judged as a push of
// it: nobody has confirmed what has to be, and no repository was made for a new
// wiki.
func (r *repo) behindSite(st *state, main tip) (*site, error) {
	next, err := st.site.followPush(st.loaded.root, main.root, r, nil)
	if err != nil {
		return next, err
	}
	var faults wiki.Faults
	for slug, rec := range next.wikis {
		if st.site.wikis[slug] != nil || rec.Deleted {
			continue
		}
		if _, err := r.store.fs.Stat(r.store.wikiDir(slug)); err != nil {
			faults = append(faults, wiki.Fault{File: wikiFile(slug), Text: "there is no repository of this wiki; make it by a push through the server, or with: wikibot admin wiki create"})
		}
	}
	return next, faults.OrNil()
}

// goodSite is the site of refs/wikibot/good, or, where nothing says what was good,
// the newest of main that loads. faults are only given with main itself: nothing
// better is known than its records that load.
func (r *repo) goodSite(old *state, main tip) (st *site, at tip, faults error) {
	before, from := &site{}, tip{root: emptyFolder()}
	if old != nil {
		before, from = old.site, old.loaded
	}
	oid := r.good()
	if old != nil && (oid.IsZero() || oid == from.commit) {
		return before, from, nil
	}
	if !oid.IsZero() {
		st, at, faults, err := r.siteAt(before, from, oid)
		if err == nil {
			if faults != nil { // an older program took them; they grant nothing
				r.logFaults("records of admin.git do not load and grant nothing; mend them with a push", faults)
			}
			return st, at, nil
		}
		if r.once(err.Error()) {
			r.store.log.Error("the site of refs/wikibot/good cannot be read", "commit", oid.String(), "error", err)
		}
		if old != nil {
			return before, from, nil
		}
	}
	return r.firstSite(main)
}

// siteAt is the site of a commit. Records that do not load are faults and count
// as absent; err is an object that cannot be read.
func (r *repo) siteAt(before *site, from tip, oid plumbing.Hash) (*site, tip, error, error) {
	at := r.tipAt(oid, nil)
	if at.err != nil {
		return nil, tip{}, nil, at.err
	}
	changes, err := diff(from.root, at.root)
	if err != nil {
		return nil, tip{}, nil, err
	}
	next, faults, err := before.after(changes, r)
	next.unknownTiers(changes, r)
	return next, at, faults.OrNil(), err
}

// past goes through the commits that a ref was at, newest first: its first parents,
// and then, where they cannot be read, what the audit says that the server moved it
// to.
func (r *repo) past(ref string, from plumbing.Hash) iter.Seq[plumbing.Hash] {
	return func(yield func(plumbing.Hash) bool) {
		oid := from
		for range maxGoodBack {
			if oid.IsZero() {
				break
			}
			if !yield(oid) {
				return
			}
			var err error
			if oid, err = r.firstParent(oid); err != nil {
				break
			}
		}
		left := maxGoodBack
		_ = r.auditBack(func(a audited) bool { // what cannot be read of it is told when it is settled
			if a.Ref != ref || a.Action == "void" || a.Action == "behind" {
				return true
			}
			left--
			return yield(plumbing.NewHash(a.New)) && left > 0
		})
	}
}

// firstSite is the newest site that loads whole of all that main was.
func (r *repo) firstSite(main tip) (*site, tip, error) {
	var first *site
	var told error
	for oid := range r.past(refMain, main.commit) {
		st, at, faults, err := r.siteAt(&site{}, tip{root: emptyFolder()}, oid)
		if err == nil && (faults == nil || st.newer != nil) {
			return st, at, faults
		}
		if first == nil && err == nil && oid == main.commit {
			first, told = st, faults
		}
	}
	if first != nil {
		return first, main, told
	}
	return (&site{}).copy(), tip{root: emptyFolder()}, nil
}

func (r *repo) firstParent(oid plumbing.Hash) (plumbing.Hash, error) {
	c, err := r.commit(oid)
	if err != nil || len(c.Parents) == 0 {
		return plumbing.ZeroHash, err
	}
	return c.Parents[0], nil
}

// completeConfig decides which configuration of a wiki is in force.
func (r *repo) completeConfig(old, st *state) error {
	head := st.heads[refConfig]
	if old != nil && head.err == nil && old.heads[refConfig].err == nil && old.heads[refConfig].commit == head.commit {
		st.config, st.trouble = old.config, old.trouble
		return nil
	}
	cfg, err := r.newestConfig(old, head)
	if err == nil {
		st.config = cfg
		return nil
	}
	if cfg == nil {
		// Nothing good is known: nobody may do anything but repair it.
		cfg = &configuration{policy: &acl.Policy{Read: acl.Granted, Write: acl.Granted, Propose: acl.Granted}, settings: defaultSettings(r.name)}
	}
	st.config, st.trouble = cfg, r.troubled(head, cfg.at, false, err)
	return nil
}

// newestConfig is the configuration of head, or an error and the last good one;
// nil where none is known.
func (r *repo) newestConfig(old *state, head tip) (*configuration, error) {
	good := r.good()
	if head.err == nil && good == head.commit {
		cfg, err := r.configAt(good)
		if err == nil {
			return cfg, nil
		}
		return r.configBefore(old, plumbing.ZeroHash, head), err
	}
	was := r.configBefore(old, good, head)
	switch {
	case head.err != nil:
		return was, head.err
	case head.commit.IsZero():
		return was, wiki.Faults{{Text: "there is no " + refConfig}}
	case was != nil && was.at == head.commit:
		return was, nil // no good was named, and the newest loads
	}
	if ok, err := r.accepted(refConfig, head.commit); ok && err == nil {
		if cfg, err := r.configAt(head.commit); err == nil {
			return cfg, nil
		}
	}
	cfg, err := r.checkConfiguration(r.source, was, head.root)
	if err != nil {
		return was, err
	}
	cfg.at = head.commit
	return cfg, nil
}

// configBefore is the last good configuration: what refs/wikibot/good names, the
// one in memory, or the newest of the first parents that loads.
func (r *repo) configBefore(old *state, good plumbing.Hash, head tip) *configuration {
	if old != nil && old.config != nil && !old.config.at.IsZero() && (good.IsZero() || old.config.at == good) {
		return old.config
	}
	if !good.IsZero() {
		cfg, err := r.configAt(good)
		if err == nil {
			return cfg
		}
		if r.once(err.Error()) {
			r.store.log.Error("the configuration of refs/wikibot/good cannot be read", "wiki", r.name, "commit", good.String(), "error", err)
		}
		if old != nil && old.config != nil && !old.config.at.IsZero() {
			return old.config
		}
	}
	for oid := range r.past(refConfig, head.commit) {
		if cfg, err := r.configAt(oid); err == nil {
			return cfg
		}
	}
	return nil
}

// configAt is the configuration of a commit by itself.
func (r *repo) configAt(oid plumbing.Hash) (*configuration, error) {
	at := r.tipAt(oid, nil)
	if at.err != nil {
		return nil, at.err
	}
	settings, faults, err := r.checkSettings(r.source, at.root)
	if err != nil {
		return nil, err
	}
	text, more, err := configText(r.source, at.root, fileACL, maxPolicy)
	if err != nil {
		return nil, err
	}
	if faults = append(faults, more...); len(more) == 0 {
		policy, more := acl.Parse(fileACL, text)
		if faults = append(faults, more...); len(faults) == 0 {
			return &configuration{policy: &policy, settings: settings, at: oid}, nil
		}
	}
	return nil, faults
}

// troubled says loudly that the newest configuration is not in force.
func (r *repo) troubled(head tip, good plumbing.Hash, newer bool, err error) *trouble {
	t := &trouble{ref: r.followed(), commit: head.commit, good: good, newer: newer, err: err}
	if c, err := r.commit(head.commit); err == nil {
		t.author = c.Author.Name + " <" + c.Author.Email + ">"
	}
	if !r.once(t.commit.String() + err.Error()) {
		return t
	}
	force := "the configuration before it stays in force"
	if good.IsZero() {
		force = "nothing before it loads either, so only what can be read of it is in force"
	}
	r.store.log.Error("the newest "+t.ref+" does not load; "+force+". Mend it with a push on top of it, or with: wikibot admin rescue",
		"repository", r.name, "commit", t.commit.String(), "author", t.author, "good", good.String())
	r.logFaults("why "+t.ref+" does not load", err, "commit", t.commit.String())
	return t
}

// maxSaid bounds what is remembered of what the log was told.
const maxSaid = 100

// once is true of what the log has not been told since all was well: a damaged ref
// is looked at again and again. The caller holds load.
func (r *repo) once(text string) bool {
	if r.said[text] || len(r.said) >= maxSaid {
		return false
	}
	if r.said == nil {
		r.said = map[string]bool{}
	}
	r.said[text] = true
	return true
}

// logFaults writes each fault as one line of the log.
func (r *repo) logFaults(what string, err error, args ...any) {
	var faults wiki.Faults
	args = append([]any{"repository", r.name}, args...)
	if !errors.As(err, &faults) {
		r.store.log.Error(what, append(args, "error", err)...)
		return
	}
	for i, f := range faults {
		if i == 50 {
			r.store.log.Error(what, append(args, "fault", fmt.Sprintf("and %d more", len(faults)-i))...)
			return
		}
		r.store.log.Error(what, append(args, "fault", f.String())...)
	}
}

// tipAt is a ref's commit and tree; err is what reading the ref gave.
func (r *repo) tipAt(oid plumbing.Hash, err error) tip {
	var root *folder
	if err == nil {
		root, err = r.rootOf(oid)
	}
	if err == nil {
		_, err = root.list()
	}
	if err != nil {
		return tip{commit: oid, root: brokenFolder(err), err: err}
	}
	return tip{commit: oid, root: root}
}

// brokenFolder is a tree that cannot be read.
func brokenFolder(err error) *folder {
	f := &folder{err: err}
	f.once.Do(func() {})
	return f
}

// damaged reports whether a ref of the state cannot be read; it is then looked at
// again even where its file has not changed.
func (st *state) damaged() bool {
	for _, t := range st.heads {
		if t.err != nil {
			return true
		}
	}
	return false
}

// damaged is what people are told where a repository cannot be read.
func (r *repo) damaged(err error) error {
	if told := r.ended.Load(); told != nil {
		return told
	}
	if r.store.ctx.Err() == nil && r.once(err.Error()) {
		r.store.log.Error("a repository cannot be read; put it back from a backup, or mend its refs with git update-ref", "repository", r.name, "folder", r.dir, "error", err)
	}
	if told := diskTrouble(err); told != nil {
		return told
	}
	return wiki.Unavailable("the wiki %q cannot be read, because its repository is damaged. Other wikis are not concerned. Whoever runs this site finds the cause in the server's log", r.name)
}

// mayBuild refuses changes of admin.git's main while the newest is not in force:
// they would be on top of what nobody has accepted.
func (b *batch) mayBuild() error {
	if b.trouble == nil {
		return nil
	}
	return wiki.Unavailable("admin.git's main does not load (commit %.10s), so the site before it is served and nothing can be changed: push a commit on top of it that mends it, or run on the host: wikibot admin rescue --rewind", b.trouble.commit)
}

// followSite takes over what a change of the server's own makes of main of
// admin.git in this batch.
func (b *batch) followSite(root *folder) error {
	next, err := b.people.follow(b.loaded.root, root, b.repo.reading(b), true)
	if err != nil {
		return err
	}
	b.people, b.loaded, b.trouble = next, tip{root: root}, nil
	return nil
}

// reading is the repository with its objects as src has them.
func (r *repo) reading(src objectSource) *repo {
	return &repo{name: r.name, store: r.store, source: src}
}

// keepGood moves refs/wikibot/good after the ref that it follows: what the batch
// has moved was validated.
func (r *repo) keepGood(b *batch) {
	if _, moved := b.base[r.followed()]; moved {
		r.setGood(b.heads[r.followed()].commit)
	}
}

// setGood moves refs/wikibot/good; only the writer calls it. It is a transaction
// of its own, since a change that is on the disk has happened, whatever becomes of
// this: the audit says that it was accepted, and the next start makes up for it.
func (r *repo) setGood(to plumbing.Hash) {
	oid, _, err := r.refs.Read(refGood)
	if err == nil && oid != to && !to.IsZero() {
		ctx, cancel := context.WithTimeout(context.Background(), goodTimeout)
		defer cancel()
		err = r.refs.Set(ctx, refs.Update{Name: refGood, Old: oid, New: to})
	}
	if err != nil {
		r.store.log.Warn("refs/wikibot/good was not moved; the next start tries again", "repository", r.name, "error", err)
	}
}

// Trouble says why the newest main of admin.git is not in force, for
// administrators; nil where it is, and for everybody else.
func (s *Store) Trouble(_ context.Context, c wiki.Caller) error {
	st, err := s.admin.current()
	if err != nil || st.trouble == nil || s.allowAdmin(c) != nil {
		return nil
	}
	return fmt.Errorf("commit %.10s by %s: %w", st.trouble.commit, st.trouble.author, st.trouble.err)
}

// Degraded reports whether something is served from refs/wikibot/good, or not at
// all: admin.git, or a wiki that is open.
func (s *Store) Degraded() bool {
	for _, r := range s.opened() {
		if st, err := r.current(); err != nil || st.trouble != nil || st.damaged() {
			return true
		}
	}
	return false
}
