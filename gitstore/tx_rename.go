package gitstore

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"wikibot/markdown"
	"wikibot/wiki"
)

// Rename moves a page, with what RenameOptions say: its attachments and
// sub-pages, the links of other pages to it (display text and #anchor kept),
// its own relative links, and a redirect from the old name. The cost grows with
// what moves and with the pages that link to it.
func (tx *Tx) Rename(from, to wiki.PagePath, o RenameOptions) error {
	at, cur, ok, err := findPage(tx.root, from)
	if err != nil {
		return err
	}
	if !ok {
		return wiki.NotFound("there is no page %q", from)
	}
	if err := tx.unchanged(at, from, cur, o.Expect); err != nil {
		return err
	}
	if to, err = tx.settleTarget(at, to); err != nil {
		return err
	}
	if at == to {
		return wiki.Invalid("new_path", "the page is called %q already", to)
	}
	if !o.NoFolder && strings.HasPrefix(string(to), string(at)+"/") {
		return wiki.Invalid("new_path", "%q cannot be moved below itself; move it alone, without its folder", at)
	}
	before := tx.names(tx.root)
	m := moves{pages: map[wiki.PagePath]wiki.PagePath{at: to}, files: map[wiki.FilePath]wiki.FilePath{}}
	if err := tx.moveFiles(at, to, cur, o, &m); err != nil {
		return err
	}
	after := tx.names(tx.root)
	if err := tx.fixOwnLinks(&m, before, after); err != nil {
		return err
	}
	if !o.KeepLinks {
		if err := tx.fixLinksTo(&m, before, after); err != nil {
			return err
		}
	}
	if err := tx.addRedirects(m.pages, !o.NoRedirect && tx.batch.config.settings.Redirects); err != nil {
		return err
	}
	text, err := tx.Read(to)
	if err != nil {
		return err
	}
	tx.pages = append(tx.pages, PageResult{Path: to, From: at, Content: text})
	tx.tellMoves(&m)
	tx.follows(&m)
	tx.did = append(tx.did, fmt.Sprintf("Rename: %s -> %s", at, to))
	return nil
}

// maxTold is the most renames that one commit names.
const maxTold = 100

// tellMoves names the renames in the commit, so that history need not guess
// which of two pages with the same text went where.
func (tx *Tx) tellMoves(m *moves) {
	for _, old := range slices.Sorted(keysOf(m.pages)) {
		if len(tx.moved) == maxTold {
			return
		}
		tx.moved = append(tx.moved, fmt.Sprintf("%s: %s -> %s", trailerRenamed, old.FileName(), m.pages[old].FileName()))
	}
}

// moves is what a rename carries: old path to new.
type moves struct {
	pages map[wiki.PagePath]wiki.PagePath
	files map[wiki.FilePath]wiki.FilePath
}

// settleTarget checks the new name and gives it the spelling of existing
// folders. A change of case of the page's own name is no collision.
func (tx *Tx) settleTarget(at, to wiki.PagePath) (wiki.PagePath, error) {
	if to.Fold() == at.Fold() {
		return to, nil
	}
	if there, _, exists, err := findPage(tx.root, to); err != nil {
		return "", err
	} else if exists {
		return "", &wiki.Error{Kind: wiki.ErrExists, Field: "new_path", Text: fmt.Sprintf("there is a page %q already: choose another name, or delete that page first", there)}
	}
	settled, err := settle(tx.root, string(to))
	return wiki.PagePath(settled), err
}

func (tx *Tx) moveFiles(at, to wiki.PagePath, cur entry, o RenameOptions, m *moves) error {
	if err := tx.place(at.FileName(), nil); err != nil {
		return err
	}
	if !o.NoFolder {
		oldDir, newDir := at.FolderName()+"/", to.FolderName()+"/"
		err := tx.below(at, func(file string, e entry) error {
			target := newDir + strings.TrimPrefix(file, oldDir)
			if _, taken, err := tx.root.file(target); err != nil {
				return err
			} else if taken && !strings.EqualFold(target, file) {
				return &wiki.Error{Kind: wiki.ErrExists, Field: "new_path", Text: fmt.Sprintf("%q is there already, so the folder of %q cannot move to %q: move the page alone, or choose another name", target, at, to)}
			}
			if p, ok := wiki.PageOfFile(file); ok {
				if q, ok := wiki.PageOfFile(target); ok {
					m.pages[p] = q
				}
			} else if f, ok := wiki.PathOfFile(file); ok {
				if g, ok := wiki.PathOfFile(target); ok {
					m.files[f] = g
				}
			}
			if err := tx.place(file, nil); err != nil {
				return err
			}
			return tx.place(target, &e)
		})
		if err != nil {
			return err
		}
	}
	return tx.place(to.FileName(), &cur)
}

// fixOwnLinks keeps the relative links of the pages that moved leading where
// they led.
func (tx *Tx) fixOwnLinks(m *moves, before, after markdown.Names) error {
	for _, old := range slices.Sorted(keysOf(m.pages)) {
		err := tx.relink(m.pages[old], func(l markdown.Link) (string, bool) {
			was := markdown.Resolve(before, old, l)
			if !was.Exists {
				return "", false
			}
			return tx.redirected(m.pages[old], l, was, m, after)
		}, false)
		if err != nil {
			return err
		}
	}
	return nil
}

// maxRelooked is how many pages several renames of one commit look through for links.
const maxRelooked = 20_000

// fixLinksTo rewrites the links of all other pages to what has moved.
func (tx *Tx) fixLinksTo(m *moves, before, after markdown.Names) error {
	movedTo := make(map[wiki.PagePath]bool, len(m.pages))
	for _, p := range m.pages {
		movedTo[p] = true
	}
	names := make(map[string]bool)
	for p := range m.pages {
		names[lastOf(p.Fold())] = true
	}
	for f := range m.files {
		names[lastOf(wiki.Fold(string(f)))] = true
	}
	sources, err := tx.linkSources(names)
	if err != nil {
		return err
	}
	// One rename is done whatever it takes; a commit of many that each go through much
	// of a wiki would keep its writer for minutes.
	if tx.relooked > 0 && tx.relooked+len(sources) > cmp.Or(tx.repo.store.mostRelooked, maxRelooked) {
		return &wiki.Error{Kind: wiki.ErrTooLarge, Field: "operations", Text: "too many pages link to what these renames move: do them one after the other, in a request each"}
	}
	tx.relooked += len(sources)
	for _, p := range sources {
		if _, own := m.pages[p]; own || movedTo[p] {
			continue
		}
		err := tx.relink(p, func(l markdown.Link) (string, bool) {
			was := markdown.Resolve(before, p, l)
			if !was.Exists {
				return "", false
			}
			return tx.redirected(p, l, was, m, after)
		}, true)
		if err != nil {
			return err
		}
	}
	return nil
}

// redirected says how a link that led to was must be spelt now, standing on the
// page from; false where it leads there as it is.
func (tx *Tx) redirected(from wiki.PagePath, l markdown.Link, was markdown.Target, m *moves, after markdown.Names) (string, bool) {
	now := markdown.Resolve(after, from, l)
	switch {
	case was.Page != "":
		want := was.Page
		if q, ok := m.pages[want]; ok {
			want = q
		}
		if now.Exists && now.Page == want {
			return "", false
		}
		return markdown.LinkTo(from, want, l, after), true
	case was.File != "":
		want := was.File
		if q, ok := m.files[want]; ok {
			want = q
		}
		if now.Exists && now.File == want {
			return "", false
		}
		return markdown.LinkToFile(from, want, l, after), true
	}
	return "", false
}

// relink rewrites the links of one page.
func (tx *Tx) relink(p wiki.PagePath, f func(markdown.Link) (string, bool), tell bool) error {
	e, ok, err := tx.root.file(p.FileName())
	if err != nil || !ok {
		return err
	}
	text, err := tx.blob(e.oid)
	if err != nil {
		return err
	}
	next := markdown.RewriteLinks(text, tx.batch.config.settings.LinkStyle, f)
	if string(next) == string(text) {
		return nil
	}
	if tell {
		tx.also = append(tx.also, p)
	}
	return tx.set(p.FileName(), next, e.mode)
}

// RenameFile moves an attachment and rewrites the links to it.
func (tx *Tx) RenameFile(from, to wiki.FilePath) error {
	at, cur, ok, err := findFile(tx.root, from)
	if err != nil {
		return err
	}
	if !ok {
		return wiki.NotFound("there is no file %q", from)
	}
	if there, _, exists, err := findFile(tx.root, to); err != nil {
		return err
	} else if exists && there != at {
		return &wiki.Error{Kind: wiki.ErrExists, Field: "new_path", Text: fmt.Sprintf("there is a file %q already: choose another name", there)}
	}
	settled, err := settle(tx.root, string(to))
	if err != nil {
		return err
	}
	to = wiki.FilePath(settled)
	if at == to {
		return wiki.Invalid("new_path", "the file is called %q already", to)
	}
	before := tx.names(tx.root)
	if err := tx.place(at.FileName(), nil); err != nil {
		return err
	}
	if err := tx.place(to.FileName(), &cur); err != nil {
		return err
	}
	tx.did = append(tx.did, fmt.Sprintf("Rename: %s -> %s", at, to))
	m := moves{files: map[wiki.FilePath]wiki.FilePath{at: to}}
	return tx.fixLinksTo(&m, before, tx.names(tx.root))
}

func keysOf(m map[wiki.PagePath]wiki.PagePath) func(func(wiki.PagePath) bool) {
	return func(yield func(wiki.PagePath) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
