package gitstore

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/markdown"
	"wikibot/merge"
	"wikibot/wiki"
)

// Put creates a page or replaces its whole text. Unless Overwrite is set, an
// existing page needs the revision that the new text is based on. If the page
// has changed since then, Put merges where Merge is set and the changes do not
// touch the same lines, and fails with *wiki.Conflict otherwise. A page that was
// renamed since then is followed; one that was deleted is a conflict.
func (tx *Tx) Put(p wiki.PagePath, content []byte, o PutOptions) error {
	if err := tx.checkText(p, content); err != nil {
		return err
	}
	if content == nil {
		content = []byte{}
	}
	at, cur, exists, err := findPage(tx.root, p)
	if err != nil {
		return err
	}
	switch {
	case exists && o.Create:
		return &wiki.Error{Kind: wiki.ErrExists, Field: "path", Text: fmt.Sprintf("there is a page %q already: edit it, or choose another name", at)}
	case exists && o.Overwrite:
		return tx.save(p, at, cur, content, false)
	case exists && o.Expect == "":
		return tx.conflict(at, cur.oid, nil, content, "there is a page %q already; to replace its text give the revision that yours is based on", at)
	case exists:
		return tx.putOver(p, at, cur, content, o)
	case o.Expect != "" && !o.Create:
		return tx.putMoved(p, content, o)
	}
	return tx.create(p, content)
}

func (tx *Tx) create(p wiki.PagePath, content []byte) error {
	settled, err := settle(tx.root, string(p))
	if err != nil {
		return err
	}
	page := wiki.PagePath(settled)
	if err := tx.set(page.FileName(), content, modeFile); err != nil {
		return err
	}
	if err := tx.dropRedirect(page); err != nil {
		return err
	}
	tx.record("Create", PageResult{Path: page, Created: true, Content: content})
	return nil
}

// save writes the new text of the page at.
func (tx *Tx) save(asked, at wiki.PagePath, cur entry, content []byte, merged bool) error {
	if err := tx.set(at.FileName(), content, cur.mode); err != nil {
		return err
	}
	res := PageResult{Path: at, Content: content, Merged: merged}
	if asked != at {
		res.From = asked
	}
	tx.record("Update", res)
	return nil
}

// putOver replaces the text of a page that exists, if it is what the caller saw.
func (tx *Tx) putOver(asked, at wiki.PagePath, cur entry, content []byte, o PutOptions) error {
	base, known, err := tx.blobAtRevision(o.Expect, at, asked)
	if err != nil {
		return err
	}
	if known && base == cur.oid {
		return tx.save(asked, at, cur, content, false)
	}
	return tx.mergeOver(asked, at, cur, base, known, content, o.Merge)
}

func (tx *Tx) mergeOver(asked, at wiki.PagePath, cur entry, base plumbing.Hash, known bool, content []byte, wanted bool) error {
	ours, err := tx.blob(cur.oid)
	if err != nil {
		return err
	}
	if bytes.Equal(ours, content) {
		return tx.save(asked, at, cur, content, false)
	}
	var baseText []byte
	if known {
		if baseText, err = tx.blob(base); err != nil {
			return err
		}
	}
	if !wanted || !known {
		return tx.conflict(at, cur.oid, baseText, content, "")
	}
	res := merge.Diff3(baseText, ours, content, merge.Labels{Ours: "saved meanwhile", Theirs: "your text"})
	if res.Conflicts == 0 {
		if err := tx.checkText(at, res.Text); err != nil {
			return err
		}
		return tx.save(asked, at, cur, res.Text, true)
	}
	err = tx.conflict(at, cur.oid, baseText, content, "the page %q has changed since you read it, in the same lines: put the two texts together and save again", at)
	if c, ok := err.(*wiki.Conflict); ok {
		c.Merged = res.Text
	}
	return err
}

// putMoved saves to a page that was there at the expected revision and is not
// any more: it follows a rename.
func (tx *Tx) putMoved(p wiki.PagePath, content []byte, o PutOptions) error {
	base, known, err := tx.blobAtRevision(o.Expect, p)
	if err != nil {
		return err
	}
	if !known {
		return wiki.NotFound("there is no page %q, and there was none at revision %s: leave the revision out to create it", p, o.Expect.Short())
	}
	to, cur, ok, err := tx.follow(p, base)
	if err != nil {
		return err
	}
	if ok {
		if cur.oid == base {
			return tx.save(p, to, cur, content, false)
		}
		return tx.mergeOver(p, to, cur, base, true, content, o.Merge)
	}
	return tx.conflict(p, plumbing.ZeroHash, nil, content, "the page %q was deleted since you read it: save it without a revision to bring it back with your text", p)
}

// follow finds where a page that held blob base has gone: by the wiki's
// redirects, else by a page with the same text that was added in its place.
func (tx *Tx) follow(p wiki.PagePath, base plumbing.Hash) (wiki.PagePath, entry, bool, error) {
	redirects, err := tx.redirects()
	if err != nil {
		return "", entry{}, false, err
	}
	if to, ok := redirects.lookup(p); ok {
		return findPage(tx.root, to)
	}
	var found wiki.PagePath
	var e entry
	// The same text under another name, in the folder where it was or in any
	// other: at most one look at each file's name, and only when a save
	// finds its page gone.
	_, err = tx.root.walk("", func(path string, x *entry) bool {
		if x.oid == base {
			if q, ok := wiki.PageOfFile(path); ok {
				found, e = q, *x
				return false
			}
		}
		return true
	})
	return found, e, found != "", err
}

// blobAtRevision is the page's blob at a revision, under the first of the names
// that existed then. A revision that the wiki does not have, or has no longer,
// knows no page: what was based on it is stale.
func (tx *Tx) blobAtRevision(rev wiki.Revision, names ...wiki.PagePath) (plumbing.Hash, bool, error) {
	commit, err := tx.resolve(rev)
	if errors.Is(err, wiki.ErrNotFound) {
		return plumbing.ZeroHash, false, nil
	}
	if err != nil {
		return plumbing.ZeroHash, false, err
	}
	root, err := tx.rootOf(commit)
	if err != nil {
		return plumbing.ZeroHash, false, err
	}
	for _, p := range names {
		if _, e, ok, err := findPage(root, p); err != nil || ok {
			return e.oid, ok, err
		}
		if was, moved := tx.came[p.Fold()]; moved {
			if _, e, ok, err := findPage(root, was); err != nil || ok {
				return e.oid, ok, err
			}
		}
	}
	return plumbing.ZeroHash, false, nil
}

// resolve turns a revision, perhaps a prefix, into a commit of main.
func (tx *Tx) resolve(rev wiki.Revision) (plumbing.Hash, error) {
	if rev == wiki.Head {
		t, err := tx.batch.head(refMain)
		return t.commit, err
	}
	if len(rev) == 40 {
		if oid := plumbing.NewHash(string(rev)); tx.batch.commitsUnwritten(oid) {
			return oid, nil
		}
	}
	return tx.repo.resolve(rev)
}

func (tx *Tx) rootOf(commit plumbing.Hash) (*folder, error) { return tx.batch.rootOf(commit) }

// conflict builds the answer to a write that found something else than it
// expected.
func (tx *Tx) conflict(p wiki.PagePath, ours plumbing.Hash, base, theirs []byte, format string, args ...any) error {
	c := &wiki.Conflict{Path: p, Base: base, Theirs: theirs}
	if format != "" {
		c.Text = fmt.Sprintf(format, args...)
	}
	if ours.IsZero() {
		return c
	}
	text, err := tx.blob(ours)
	if err != nil {
		return err
	}
	c.Ours = text
	c.Current = tx.repo.lastRevision(tx.caller, p)
	if c.Current == "" {
		t, err := tx.batch.head(refMain)
		if err != nil {
			return err
		}
		c.Current = revision(t.commit)
	}
	return c
}

// Replace changes the one place where old stands into new. The page must be as
// it was at expect; with merge a newer text is good too, as long as old stands
// in it exactly once.
func (tx *Tx) Replace(p wiki.PagePath, old, new string, expect wiki.Revision, merge bool) error {
	switch {
	case old == "":
		return wiki.Invalid("old_string", "old_string is empty; give the text to be replaced, with enough around it to be unique")
	case old == new:
		return wiki.Invalid("new_string", "old_string and new_string are the same; there is nothing to change")
	}
	return tx.edit(p, expect, merge, "Edit", func(text string) (string, error) {
		switch n := strings.Count(text, old); n {
		case 1:
			return strings.Replace(text, old, new, 1), nil
		case 0:
			return "", wiki.Invalid("old_string", "old_string was not found in %q; read the page again and copy the text exactly", p)
		default:
			return "", wiki.Invalid("old_string", "old_string was found %d times in %q; give more of the text around it, so that it is unique", n, p)
		}
	})
}

// Append adds text at the end of a page, on a line of its own; it is applied to
// whatever the page holds now.
func (tx *Tx) Append(p wiki.PagePath, text string) error {
	return tx.edit(p, "", true, "Append", func(page string) (string, error) { return joinLines(page, text), nil })
}

// Prepend adds text before the page's body, after its frontmatter.
func (tx *Tx) Prepend(p wiki.PagePath, text string) error {
	return tx.edit(p, "", true, "Prepend", func(page string) (string, error) {
		_, body, err := markdown.Frontmatter([]byte(page))
		if err != nil {
			return joinLines(text, page), nil // it is shown as text, so it is text
		}
		head := page[:len(page)-len(body)]
		return head + joinLines(text, string(body)), nil
	})
}

// AppendSection adds text at the end of a section, before its sub-sections'
// next sibling. See markdown.FindSection for how sections are named.
func (tx *Tx) AppendSection(p wiki.PagePath, section, text string) error {
	return tx.editSection(p, section, "Append", func(page string, s markdown.Section) string {
		return joinLines(joinLines(page[:s.End], text), page[s.End:])
	})
}

// ReplaceSection replaces what stands below a section's heading.
func (tx *Tx) ReplaceSection(p wiki.PagePath, section, text string) error {
	return tx.editSection(p, section, "Edit", func(page string, s markdown.Section) string {
		return joinLines(joinLines(page[:s.BodyStart], text), page[s.End:])
	})
}

// InsertBefore puts text in front of a section's heading.
func (tx *Tx) InsertBefore(p wiki.PagePath, section, text string) error {
	return tx.editSection(p, section, "Insert", func(page string, s markdown.Section) string {
		return joinLines(joinLines(page[:s.Start], text), page[s.Start:])
	})
}

// InsertAfter puts text behind a section and its sub-sections.
func (tx *Tx) InsertAfter(p wiki.PagePath, section, text string) error {
	return tx.editSection(p, section, "Insert", func(page string, s markdown.Section) string {
		return joinLines(joinLines(page[:s.End], text), page[s.End:])
	})
}

func (tx *Tx) editSection(p wiki.PagePath, name, action string, f func(string, markdown.Section) string) error {
	return tx.edit(p, "", true, action, func(page string) (string, error) {
		s, err := markdown.FindSection([]byte(page), name)
		if err != nil {
			return "", err
		}
		return f(page, s), nil
	})
}

// edit applies an operation to the newest text of a page. Where expect is given
// and the page has changed since, it needs newer to be true.
func (tx *Tx) edit(p wiki.PagePath, expect wiki.Revision, newer bool, action string, f func(string) (string, error)) error {
	at, cur, ok, err := findPage(tx.root, p)
	if err != nil {
		return err
	}
	if !ok {
		if at, cur, _, err = tx.gone(p, expect); err != nil {
			return err
		}
	}
	text, err := tx.blob(cur.oid)
	if err != nil {
		return err
	}
	merged := false
	if expect != "" {
		base, known, err := tx.blobAtRevision(expect, at, p)
		if err != nil {
			return err
		}
		if merged = !known || base != cur.oid; merged && !newer {
			return tx.conflict(at, cur.oid, nil, nil, "")
		}
	}
	next, err := f(string(text))
	if err != nil {
		return err
	}
	if err := tx.checkText(at, []byte(next)); err != nil {
		return err
	}
	if err := tx.set(at.FileName(), []byte(next), cur.mode); err != nil {
		return err
	}
	res := PageResult{Path: at, Content: []byte(next), Merged: merged}
	if at != p {
		res.From = p
	}
	tx.record(action, res)
	return nil
}

// gone looks for a page that is not where it is asked for, by redirect.
func (tx *Tx) gone(p wiki.PagePath, expect wiki.Revision) (wiki.PagePath, entry, bool, error) {
	redirects, err := tx.redirects()
	if err != nil {
		return "", entry{}, false, err
	}
	if to, ok := redirects.lookup(p); ok {
		if at, e, ok, err := findPage(tx.root, to); ok || err != nil {
			return at, e, ok, err
		}
	}
	if expect != "" {
		if base, known, err := tx.blobAtRevision(expect, p); err == nil && known {
			if at, e, ok, err := tx.follow(p, base); ok || err != nil {
				return at, e, ok, err
			}
		}
	}
	return "", entry{}, false, wiki.NotFound("there is no page %q; create it first", p)
}

// joinLines puts b behind a, on a line of its own.
func joinLines(a, b string) string {
	if a == "" || b == "" || strings.HasSuffix(a, "\n") {
		return ended(a) + b
	}
	return a + "\n" + b
}

func ended(a string) string {
	if a == "" || strings.HasSuffix(a, "\n") {
		return a
	}
	return a + "\n"
}

// Delete removes a page; with Folder, its attachments and sub-pages too.
func (tx *Tx) Delete(p wiki.PagePath, o DeleteOptions) error {
	at, cur, ok, err := findPage(tx.root, p)
	if err != nil {
		return err
	}
	if !ok {
		return wiki.NotFound("there is no page %q", p)
	}
	if err := tx.unchanged(at, p, cur, o.Expect); err != nil {
		return err
	}
	if err := tx.place(at.FileName(), nil); err != nil {
		return err
	}
	tx.record("Delete", PageResult{Path: at, Deleted: true})
	if !o.Folder {
		return nil
	}
	return tx.below(at, func(file string, e entry) error {
		if q, isPage := wiki.PageOfFile(file); isPage {
			tx.record("Delete", PageResult{Path: q, Deleted: true})
		}
		return tx.place(file, nil)
	})
}

// unchanged is nil if the page is as it was at the expected revision, or none
// was given.
func (tx *Tx) unchanged(at, asked wiki.PagePath, cur entry, expect wiki.Revision) error {
	if expect == "" {
		return nil
	}
	base, known, err := tx.blobAtRevision(expect, at, asked)
	if err != nil {
		return err
	}
	if !known || base != cur.oid {
		return tx.conflict(at, cur.oid, nil, nil, "")
	}
	return nil
}

// below calls fn for every file in the page's folder, as it was when the call
// began.
func (tx *Tx) below(p wiki.PagePath, fn func(file string, e entry) error) error {
	dir, err := tx.root.at(p.FolderName())
	if err != nil || dir == nil {
		return err
	}
	type item struct {
		file string
		e    entry
	}
	var items []item
	if _, err := dir.walk(p.FolderName()+"/", func(path string, e *entry) bool {
		items = append(items, item{path, *e})
		return true
	}); err != nil {
		return err
	}
	for _, it := range items {
		if err := fn(it.file, it.e); err != nil {
			return err
		}
	}
	return nil
}

// Restore gives a page the text that it had at a revision, also if it is gone.
func (tx *Tx) Restore(p wiki.PagePath, from wiki.Revision) error {
	if _, err := tx.resolve(from); err != nil {
		return err
	}
	oid, ok, err := tx.blobAtRevision(from, p)
	if err != nil {
		return err
	}
	if !ok {
		return wiki.NotFound("there was no page %q at revision %s", p, from.Short())
	}
	text, err := tx.blob(oid)
	if err != nil {
		return err
	}
	at, cur, exists, err := findPage(tx.root, p)
	if err != nil {
		return err
	}
	mark := len(tx.did)
	if exists {
		err = tx.save(p, at, cur, text, false)
	} else {
		err = tx.create(p, text)
	}
	if err == nil && len(tx.did) > mark {
		tx.did[mark] = "Restore: " + string(p) + " as of " + from.Short()
	}
	return err
}

// Attach stores a file that is not a page.
func (tx *Tx) Attach(f wiki.FilePath, content []byte, o AttachOptions) error {
	if limit := tx.repo.store.cfg.MaxFile; int64(len(content)) > limit {
		return &wiki.Error{Kind: wiki.ErrTooLarge, Field: "content", Text: fmt.Sprintf("the file %q has %d bytes; at most %d are allowed here", f.Name(), len(content), limit)}
	}
	at, _, exists, err := findFile(tx.root, f)
	if err != nil {
		return err
	}
	if exists && !o.Replace {
		return &wiki.Error{Kind: wiki.ErrExists, Field: "filename", Text: fmt.Sprintf("there is a file %q already: replace it, or choose another name", at)}
	}
	action := "Replace"
	if !exists {
		settled, err := settle(tx.root, string(f))
		if err != nil {
			return err
		}
		at, action = wiki.FilePath(settled), "Attach"
	}
	if content == nil {
		content = []byte{}
	}
	tx.did = append(tx.did, action+": "+string(at))
	return tx.set(at.FileName(), content, modeFile)
}

// Detach removes an attachment.
func (tx *Tx) Detach(f wiki.FilePath) error {
	at, _, ok, err := findFile(tx.root, f)
	if err != nil {
		return err
	}
	if !ok {
		return wiki.NotFound("there is no file %q", f)
	}
	tx.did = append(tx.did, "Detach: "+string(at))
	return tx.place(at.FileName(), nil)
}
