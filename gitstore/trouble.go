package gitstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/wiki"
)

// trouble says why the newest configuration is not in force.
type trouble struct {
	ref    string
	commit plumbing.Hash // zero: the ref is gone or cannot be read
	author string        // as the commit claims
	good   plumbing.Hash // what is in force; zero: nothing is known
	newer  bool          // it was written by a newer program
	err    error         // wiki.Faults, or what cannot be read
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
