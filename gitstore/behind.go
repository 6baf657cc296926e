package gitstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/refs"
	"wikibot/wiki"
)

// Whoever has a shell on the machine can move refs without asking the server
// (git commit-tree and update-ref, a backup put back). The server sees it within
// 10 ms, or at the start. What is on main is served, since old faults do not stop a
// wiki; a configuration has to load, see good.go. Either way the audit gets an
// entry with the action "behind", so that the history explains itself, and the log
// says what a push of the same would have been told.

// nobody is the actor of what happened behind the server's back. No person can
// have the name.
const nobody = "nobody"

// maxAuditBack bounds how far back the audit and the first parents are looked
// through for what explains where a ref is.
const maxAuditBack = 20_000

// moved is a ref that may have been moved by somebody else.
type moved struct {
	ref     string
	old     tip
	unknown bool // the start: where it was is not known
}

// movedBehind lists the refs of a new state that this server has not moved. The
// caller holds load.
func (r *repo) movedBehind(old, st *state) (list []moved) {
	if old == st {
		return nil
	}
	for _, ref := range watched {
		now := st.heads[ref]
		if ours, ok := r.inflight[ref]; ok && ours == now.commit || now.err != nil {
			continue
		}
		switch {
		case old == nil && !now.commit.IsZero():
			list = append(list, moved{ref: ref, unknown: true})
		case old != nil && old.heads[ref].err == nil && old.heads[ref].commit != now.commit:
			list = append(list, moved{ref: ref, old: old.heads[ref]})
		}
	}
	return list
}

// expect tells refresh which refs the writer is about to move; nil: none.
func (r *repo) expect(updates []refs.Update) {
	r.load.Lock()
	defer r.load.Unlock()
	r.inflight = nil
	for _, u := range updates {
		if r.inflight == nil {
			r.inflight = make(map[string]plumbing.Hash, len(updates))
		}
		r.inflight[u.Name] = u.New
	}
}

// settleLater writes down in the background what somebody else has done.
func (r *repo) settleLater(st *state, list []moved) {
	if len(list) == 0 || r.name == admin && r.store.admin == nil {
		return // openAdmin settles it before anything is served
	}
	r.store.background(func(context.Context) {
		if err := r.settle(st, list); err != nil && r.store.ctx.Err() == nil {
			r.store.log.Warn("what was done behind the server's back could not be written down; the next start tries again", "repository", r.name, "error", err)
		}
	})
}

// settle gives the audit an entry for each ref that nothing explains, and moves
// refs/wikibot/good to what turned out to be in force.
func (r *repo) settle(st *state, list []moved) error {
	var open []moved
	for _, m := range list {
		known, err := r.explained(m.ref, m.old, st.heads[m.ref].commit)
		if err != nil {
			return err
		}
		if !known {
			open = append(open, m)
		}
	}
	good, _, _ := r.refs.Read(refGood) // one that cannot be read is not where it should be
	behind := st.trouble == nil && good != st.heads[r.followed()].commit
	if len(open) == 0 && !behind {
		return nil
	}
	host := wiki.Caller{Host: true, Via: wiki.ViaCLI}
	return r.do(&job{ctx: r.store.ctx, caller: host, run: func(b *batch) error {
		for _, m := range open {
			if err := b.noteBehind(host, m); err != nil {
				return err
			}
		}
		_, moving := b.base[r.followed()]
		if head := b.heads[r.followed()]; b.trouble == nil && head.err == nil && !moving {
			r.setGood(head.commit)
		}
		return nil
	}})
}

// explained reports whether what the server has done leads to a ref's commit: an
// entry of the audit names it, or it is a commit of the server's own, made on top
// of what was there.
func (r *repo) explained(ref string, old tip, now plumbing.Hash) (bool, error) {
	if now.IsZero() {
		return old.commit.IsZero(), nil
	}
	c, err := r.commit(now)
	if err != nil {
		return false, err
	}
	if strings.EqualFold(c.Committer.Email, ServerEmail) {
		return isAncestor(r.objects, old.commit, now, nil)
	}
	return r.told(ref, now, "void")
}

// accepted reports whether one of the newest entries of the audit says that the
// server itself moved a ref to a commit.
func (r *repo) accepted(ref string, oid plumbing.Hash) (bool, error) {
	return r.told(ref, oid, "void", "behind")
}

// told reports whether the newest entries of the audit have one of a ref at a
// commit, with another action than these.
func (r *repo) told(ref string, oid plumbing.Hash, but ...string) (found bool, err error) {
	err = r.auditBack(func(a audited) bool {
		found = a.Ref == ref && a.New == oid.String() && !slices.Contains(but, a.Action)
		return !found
	})
	return found, err
}

// auditBack reads the newest entries of the audit, newest first, until fn returns
// false.
func (r *repo) auditBack(fn func(audited) bool) error {
	at, _, err := r.refs.Read(refAudit)
	if err != nil {
		return err
	}
	for range maxAuditBack {
		if at.IsZero() {
			break
		}
		a, err := r.readAudit(at)
		if err != nil {
			return err
		}
		if !fn(a) {
			break
		}
		at = a.parent
	}
	return nil
}

// noteBehind writes the entry for one ref, and tells what is wrong with what is
// on main now. A ref that has moved on meanwhile counts as it is now.
func (b *batch) noteBehind(host wiki.Caller, m moved) error {
	r := b.repo
	now, err := b.head(m.ref)
	if err != nil || now.err != nil {
		return err
	}
	if known, err := r.explained(m.ref, m.old, now.commit); err != nil || known || now.commit == m.old.commit {
		return err
	}
	if m.unknown {
		if m.old, err = r.lastKnown(m.ref, now.commit); err != nil {
			return err
		}
	}
	if err := b.behindEntry(host, m.ref, m.old.commit.String(), now.commit); err != nil {
		return err
	}
	if m.ref != refMain || r.name == admin || m.old.root == nil {
		return nil
	}
	faults, err := r.checkContent(r.objects, m.old.root, now.root)
	if err == nil {
		err = faults.OrNil()
	}
	if err != nil {
		r.logFaults("a push of this would have been refused; it is served as it is", err, "commit", now.commit.String())
	}
	return nil
}

// behindEntry writes an entry and says it in the log.
func (b *batch) behindEntry(host wiki.Caller, ref, old string, now plumbing.Hash) error {
	r := b.repo
	e := auditEntry{Schema: schema, Action: "behind", Actor: nobody, Ref: ref, Old: old, New: now.String()}
	args := []any{"repository", r.name, "ref", ref, "old", old, "new", e.New}
	if c, err := r.commit(now); err == nil {
		args = append(args, "author", c.Author.Name+" <"+c.Author.Email+">")
	}
	r.store.log.Error("somebody has moved a ref without the server; the audit says so now", args...)
	return b.addAudit(host, e, fmt.Sprintf("behind %s: moved without the server", ref))
}

// strayed is the change that writes down where refs are now that are not where the
// audit ends.
func (r *repo) strayed(entries []audited) *job {
	host := wiki.Caller{Host: true, Via: wiki.ViaCLI}
	return &job{ctx: r.store.ctx, caller: host, run: func(b *batch) error {
		done := map[string]bool{}
		for _, a := range entries { // newest first
			if done[a.Ref] {
				continue
			}
			done[a.Ref] = true
			now, _, err := r.refs.Read(a.Ref)
			if err == nil {
				err = b.behindEntry(host, a.Ref, a.New, now)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}}
}

// lastKnown is the newest first parent of a commit that the server knew to be on
// a ref; nothing where none is near.
func (r *repo) lastKnown(ref string, oid plumbing.Hash) (tip, error) {
	named := map[string]bool{}
	err := r.auditBack(func(a audited) bool {
		if a.Ref == ref && a.Action != "void" {
			named[a.New] = true
		}
		return true
	})
	if err != nil {
		return tip{}, err
	}
	for range maxAuditBack {
		if oid, err = r.firstParent(oid); err != nil || oid.IsZero() {
			break
		}
		c, err := r.commit(oid)
		if err != nil {
			return tip{}, err
		}
		if named[oid.String()] || strings.EqualFold(c.Committer.Email, ServerEmail) {
			return r.tipAt(oid, nil), nil
		}
	}
	return tip{root: emptyFolder()}, err
}
