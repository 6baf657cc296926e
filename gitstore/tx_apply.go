package gitstore

import (
	"wikibot/markdown"
	"wikibot/wiki"
)

// What a change of several steps asks beside the steps themselves: whether a page
// is what its writer read, measured at the state that the change began from, and
// edits by text.

// Unchanged is nil if a page, as it was when this change began, is what it was at
// a revision, and *wiki.Conflict otherwise. Steps of the same change do not count,
// so a page can be changed twice on one revision. A page that was not there when
// the change began is the business of the step.
func (tx *Tx) Unchanged(p wiki.PagePath, rev wiki.Revision) error {
	at, cur, ok, err := findPage(tx.start, p)
	if err != nil || !ok {
		return err
	}
	return tx.unchanged(at, p, cur, rev)
}

// Began is the name that a page had when this change began, and whether steps of
// the change have made, changed, moved or removed it since; also where that was
// not the page that the step was about, as with links and sub-pages of a rename.
func (tx *Tx) Began(p wiki.PagePath) (was wiki.PagePath, own bool, err error) {
	at, cur, there, err := findPage(tx.root, p)
	if err != nil {
		return p, false, err
	}
	if !there {
		at = p
	}
	was = at
	if from, moved := tx.came[at.Fold()]; moved && there {
		was = from
	}
	first, old, then, err := findPage(tx.start, was)
	return was, there != then || there && (first != at || cur.oid != old.oid), err
}

// follows keeps the names in start of pages that a rename has moved.
func (tx *Tx) follows(m *moves) {
	next := make(map[string]wiki.PagePath, len(tx.came)+len(m.pages))
	for name, was := range tx.came {
		next[name] = was
	}
	for from := range m.pages {
		delete(next, from.Fold())
	}
	for from, to := range m.pages {
		was, moved := tx.came[from.Fold()]
		if !moved {
			was = from
		}
		next[to.Fold()] = was
	}
	tx.came = next
}

// Has is the page's true spelling in this change so far; ok is false where there
// is none.
func (tx *Tx) Has(p wiki.PagePath) (at wiki.PagePath, ok bool, err error) {
	at, _, ok, err = findPage(tx.root, p)
	return at, ok, err
}

// EditText gives a page the text that edit makes of the one at revision expect,
// and saves it as Put does: where the page has changed since, it merges or fails
// with *wiki.Conflict, which has both texts. With an empty expect, edit gets the
// newest text.
func (tx *Tx) EditText(p wiki.PagePath, expect wiki.Revision, merge bool, edit func(text string) (string, error)) error {
	mark := len(tx.did)
	err := tx.editText(p, expect, merge, edit)
	if err == nil && len(tx.did) > mark {
		tx.did[mark] = "Edit: " + string(tx.pages[len(tx.pages)-1].Path)
	}
	return err
}

func (tx *Tx) editText(p wiki.PagePath, expect wiki.Revision, merge bool, edit func(text string) (string, error)) error {
	if expect == "" {
		return tx.edit(p, "", true, "Edit", edit)
	}
	at, cur, exists, err := findPage(tx.root, p)
	if err != nil {
		return err
	}
	names := []wiki.PagePath{p}
	if exists {
		names = []wiki.PagePath{at, p}
	}
	base, known, err := tx.blobAtRevision(expect, names...)
	if err != nil {
		return err
	}
	if !known && exists { // the page is younger than the revision
		return tx.conflict(at, cur.oid, nil, nil, "")
	}
	if !known {
		return wiki.NotFound("there is no page %q", p)
	}
	text, err := tx.blob(base)
	if err != nil {
		return err
	}
	next, err := edit(string(text))
	if err != nil {
		return err
	}
	return tx.Put(p, []byte(next), PutOptions{Expect: expect, Merge: merge})
}

// PrependSection adds text below a section's heading, before what stands there.
func (tx *Tx) PrependSection(p wiki.PagePath, section, text string) error {
	return tx.editSection(p, section, "Prepend", func(page string, s markdown.Section) string {
		return joinLines(joinLines(page[:s.BodyStart], text), page[s.BodyStart:])
	})
}

// TypeOf is the media type that an attachment of this name is served with: by its
// ending, never by its content.
func TypeOf(name string) string { return typeOf(name) }

// Older reports whether the view is of another commit than the newest.
func (v *View) Older() bool { return v.old }
