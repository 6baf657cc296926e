package gitstore

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/merge"
	"wikibot/wiki"
)

// Revert takes back what a commit of main changed, and keeps what has come
// since; a merge is taken back against its first parent. Where later changes
// touch the same lines it fails with *wiki.Conflict and changes nothing.
func (tx *Tx) Revert(rev wiki.Revision) error {
	oid, err := tx.resolve(rev)
	if err != nil {
		return err
	}
	head, err := tx.batch.head(refMain)
	if err != nil {
		return err
	}
	if ok, err := isAncestor(tx.batch, oid, head.commit, tx.repo.ranking(tx.repo.state.Load())); err != nil {
		return err
	} else if !ok || oid.IsZero() {
		return wiki.NotFound("there is no revision %s in this wiki", rev.Short())
	}
	c, err := readCommit(tx.batch, oid)
	if err != nil {
		return err
	}
	parent := plumbing.ZeroHash
	if len(c.Parents) > 0 {
		parent = c.Parents[0]
	}
	after, err := tx.rootOf(oid)
	if err != nil {
		return err
	}
	before, err := tx.rootOf(parent)
	if err != nil {
		return err
	}
	m := treeMerge{blob: tx.blob, add: tx.batch.addBlob, labels: merge.Labels{Ours: "now", Theirs: "before " + wiki.Revision(oid.String()).Short()}}
	if err := m.run(after, tx.root, before); err != nil {
		return err
	}
	if len(m.conflicts) > 0 {
		first := m.conflicts[0]
		first.Text = fmt.Sprintf("%s cannot be taken back by itself: %s since then. Edit the page by hand, or restore an older revision", rev.Short(), first.Text)
		return &first
	}
	if err := tx.adoptTree(m.root); err != nil {
		return err
	}
	tx.did = append(tx.did, fmt.Sprintf("Revert: %s %q", rev.Short(), firstLine(c.Message)))
	return nil
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// adoptTree makes another tree the result of this change and records what it
// does to pages.
func (tx *Tx) adoptTree(root *folder) error {
	changes, err := diff(tx.root, root)
	if err != nil {
		return err
	}
	faults, err := tx.repo.checkContent(tx.batch, tx.root, root)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return faults
	}
	tx.root = root
	for _, c := range changes {
		p, ok := wiki.PageOfFile(c.path)
		if !ok {
			continue
		}
		res := PageResult{Path: p, Created: c.old == nil, Deleted: c.new == nil}
		if c.new != nil {
			if res.Content, err = tx.blob(c.new.oid); err != nil {
				return err
			}
		}
		tx.pages = append(tx.pages, res)
	}
	return nil
}
