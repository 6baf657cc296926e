package gitstore

import (
	"context"
	"iter"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/refs"
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

func (r *repo) firstParent(oid plumbing.Hash) (plumbing.Hash, error) {
	c, err := r.commit(oid)
	if err != nil || len(c.Parents) == 0 {
		return plumbing.ZeroHash, err
	}
	return c.Parents[0], nil
}
