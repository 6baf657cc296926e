package gitstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/objects"
	"wikibot/gitstore/internal/refs"
	"wikibot/gitstore/internal/rewrite"
	"wikibot/wiki"
)

// fill gives the fresh repository its refs and, from the old one, the objects that
// did not change, so that it holds all that its refs reach and nothing else. have are
// its refs so far, nil at first: then everything becomes one pack with a bitmap, later
// what is new becomes another one.
func (p *purge) fill(ctx context.Context, have, want map[string]plumbing.Hash) error {
	var updates []refs.Update
	var tips strings.Builder
	for name, oid := range want {
		if have[name] != oid {
			updates = append(updates, refs.Update{Name: name, Old: have[name], New: oid})
			fmt.Fprintln(&tips, oid)
		}
	}
	for name, oid := range have {
		if _, stays := want[name]; !stays {
			updates = append(updates, refs.Update{Name: name, Old: oid})
		}
		fmt.Fprintf(&tips, "^%s\n", oid)
	}
	if len(updates) == 0 {
		return nil
	}
	alternates := filepath.Join(p.fresh.dir, "objects", "info", "alternates")
	if err := os.WriteFile(alternates, []byte(filepath.Join(p.r.dir, "objects")+"\n"), 0o600); err != nil {
		return err
	}
	err := p.fresh.refs.Set(ctx, updates...)
	switch {
	case err != nil:
	case have == nil:
		_, err = p.s.git(ctx, p.fresh.dir, "repack", "-a", "-d", "-q", "--write-bitmap-index")
	default:
		_, err = p.fresh.packObjects(ctx, tips.String(), "--revs")
	}
	return errors.Join(err, os.Remove(alternates), p.fresh.objects.Refresh())
}

// verify looks at the fresh repository by itself: every object that its refs reach is
// there, what was to go is nowhere, and its configuration loads.
func (p *purge) verify(ctx context.Context) error {
	if _, err := p.s.git(ctx, p.fresh.dir, "fsck", "--connectivity-only", "--no-dangling", "--no-progress"); err != nil {
		return fmt.Errorf("the new history is not whole: %w", err)
	}
	db, err := objects.Open(p.s.fs, p.fresh.dir, nil)
	if err != nil {
		return err
	}
	defer db.Close()
	again := rewrite.New(db, func(t plumbing.ObjectType, data []byte) (plumbing.Hash, error) { return objects.Hash(t, data) }, p.rules)
	list, err := p.fresh.refs.List("")
	if err != nil {
		return err
	}
	for _, ref := range list {
		to, err := again.Ref(ref.Hash, kindOfRef(ref.Name))
		if err != nil {
			return err
		}
		if to != ref.Hash {
			return wiki.Invalid("purge", "%s would still hold it: what stands beside the mark %s makes the text again. Give another part of the text", ref.Name, rewrite.Mark)
		}
	}
	return p.verifyRecords()
}

// verifyRecords makes sure that the wiki stays what it is.
func (p *purge) verifyRecords() error {
	head, _, err := p.fresh.refs.Read(refConfig)
	if err != nil || head.IsZero() {
		return err
	}
	was, err := p.r.refs.DB.Read(refConfig)
	if err != nil {
		return err
	}
	old, err := p.r.configAt(was)
	if err != nil {
		return nil // it does not load as it is; a purge mends nothing
	}
	now, err := p.fresh.configAt(head)
	if err != nil {
		return fmt.Errorf("the text is part of the wiki's configuration, which would not load any more; change it there first: %w", err)
	}
	if old.policy.Wiki != now.policy.Wiki {
		return wiki.Invalid("text", "the text is part of the wiki's id, to which its tokens are bound")
	}
	return nil
}

// refPurged lists what was taken out of the history, see purgeguard.go.
const refPurged = "refs/wikibot/purged"

// note writes, into the fresh repository, the list of what is gone and the entry of
// the audit.
func (p *purge) note(old []plumbing.Hash) error {
	r := p.fresh
	b := r.newBatch(&state{heads: map[string]tip{}})
	head, err := b.head(refPurged)
	if err != nil {
		return err
	}
	oid, err := b.addBlob(formatPurged(old))
	if err != nil {
		return err
	}
	root, err := head.root.with(purgedFile(p.now), &entry{mode: modeFile, oid: oid})
	if err != nil {
		return err
	}
	info := commitInfo{author: signature{p.caller.Name(), p.s.noreply(p.caller)}, message: message("["+string(viaOf(p.caller))+"] Purge", p.caller, ""), when: p.now}
	if _, err := b.commit(refPurged, root, info); err != nil {
		return err
	}
	main, err := b.head(refMain)
	if err != nil {
		return err
	}
	e := auditEntry{
		Schema: schema, Action: "purge", Actor: p.caller.Name(), Credential: p.caller.Credential, Via: string(viaOf(p.caller)), Agent: p.caller.Agent,
		Ref: refMain, Old: plumbing.ZeroHash.String(), New: main.commit.String(),
	}
	if err := b.addAudit(p.caller, e, "purge by "+p.caller.Name()+": the history was rewritten"); err != nil {
		return err
	}
	if err := r.Commit(Commit{Refs: b.updates(), Objects: b.objs}); err != nil {
		return err
	}
	return p.s.syncTree(r.dir)
}

// holders names what else on this machine may hold what was taken out: other wikis
// with the same history, bundles of deleted ones, folders that were set aside.
func (p *purge) holders(ctx context.Context, old []plumbing.Hash) []string {
	const most = 2000 // objects that are looked for
	old = old[:min(len(old), most)]
	var out []string
	st, err := p.s.admin.current()
	if err != nil {
		return nil
	}
	for slug, rec := range st.site.wikis {
		if slug != p.r.name && !rec.Deleted && p.holds(p.s.wikiDir(slug), old) {
			out = append(out, fmt.Sprintf("the wiki %s has the same history; purge it too", slug))
		}
	}
	aside, err := filepath.Glob(filepath.Join(p.s.cfg.Dir, "wikis", ".aside-*"))
	if err != nil {
		return out
	}
	for _, dir := range aside {
		if p.holds(dir, old) {
			out = append(out, fmt.Sprintf("the folder %s, which the server has set aside; remove it", dir))
		}
	}
	bundles, err := filepath.Glob(filepath.Join(p.s.DeletedDir(), "*.bundle"))
	if err != nil {
		return out
	}
	for _, file := range bundles {
		held, err := p.bundleHolds(ctx, file, old)
		if err != nil {
			out = append(out, fmt.Sprintf("the bundle %s cannot be read; look into it", file))
		} else if held {
			out = append(out, fmt.Sprintf("the bundle %s of a deleted wiki; remove it", file))
		}
	}
	return out
}

// holds reports whether a repository has one of some objects.
func (p *purge) holds(dir string, old []plumbing.Hash) bool {
	db, err := objects.Open(p.s.fs, dir, nil)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			p.s.log.Warn("a repository cannot be looked into", "folder", dir, "error", err)
		}
		return false
	}
	defer db.Close()
	for _, oid := range old {
		if db.Has(oid) {
			return true
		}
	}
	return false
}

func (p *purge) bundleHolds(ctx context.Context, file string, old []plumbing.Hash) (bool, error) {
	scratch := filepath.Join(p.s.DeletedDir(), tmpPrefix+"check-"+randomHex(6))
	defer os.RemoveAll(scratch)
	if err := p.s.initRepository(ctx, scratch); err != nil {
		return false, err
	}
	if _, err := p.s.git(ctx, scratch, "bundle", "unbundle", file); err != nil {
		return false, err
	}
	return p.holds(scratch, old), nil
}

// inAdmin reports whether the text is in the site's own repository.
func (p *purge) inAdmin(ctx context.Context) bool {
	db, err := objects.Open(p.s.fs, p.s.adminDir(), nil)
	if err != nil || p.rules.Text == "" && len(p.rules.People) == 0 {
		return false
	}
	defer db.Close()
	rules := p.rules
	rules.Drop = nil
	w := rewrite.New(db, func(t plumbing.ObjectType, data []byte) (plumbing.Hash, error) { return objects.Hash(t, data) }, rules)
	list, err := p.s.admin.refs.List("")
	if err != nil {
		return false
	}
	for _, ref := range list {
		if to, err := w.Ref(ref.Hash, rewrite.Records); ctx.Err() == nil && err == nil && to != ref.Hash {
			return true
		}
	}
	return false
}
