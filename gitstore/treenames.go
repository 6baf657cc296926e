package gitstore

import (
	"slices"

	"wikibot/wiki"
)

// treeNames are the names of a tree that is not published yet: the repository's
// index, corrected by what differs. It implements markdown.Names.
type treeNames struct {
	tx    *Tx
	root  *folder
	gone  map[string]bool            // files of the published tree that are not in this one
	pages map[string][]wiki.PagePath // folded last component → pages only here
	files map[string][]wiki.FilePath
}

func (tx *Tx) names(root *folder) *treeNames {
	n := &treeNames{tx: tx, root: root, gone: map[string]bool{}, pages: map[string][]wiki.PagePath{}, files: map[string][]wiki.FilePath{}}
	changes, err := diff(tx.repo.state.Load().main().root, root)
	if err != nil {
		return n // the tree cannot be read: the write itself will fail on it
	}
	for _, c := range changes {
		switch {
		case c.new == nil:
			n.gone[c.path] = true
		case c.old == nil:
			if p, ok := wiki.PageOfFile(c.path); ok {
				k := lastOf(p.Fold())
				n.pages[k] = append(n.pages[k], p)
			} else if f, ok := wiki.PathOfFile(c.path); ok {
				k := lastOf(wiki.Fold(string(f)))
				n.files[k] = append(n.files[k], f)
			}
		}
	}
	return n
}

func (n *treeNames) Page(path string) (wiki.PagePath, bool) {
	p, err := wiki.ParsePagePath(path)
	if err != nil {
		return "", false
	}
	at, _, ok, err := findPage(n.root, p)
	return at, ok && err == nil
}

func (n *treeNames) PagesNamed(name string) (out []wiki.PagePath) {
	k := wiki.Fold(name)
	if err := n.tx.repo.readNames(func(x *names) {
		for _, p := range x.byName[k] {
			if !n.gone[p.FileName()] {
				out = append(out, p)
			}
		}
	}); err != nil {
		return nil
	}
	out = append(out, n.pages[k]...)
	slices.Sort(out)
	return out
}

func (n *treeNames) File(path string) (wiki.FilePath, bool) {
	f, err := wiki.ParseFilePath(path)
	if err != nil {
		return "", false
	}
	at, _, ok, err := findFile(n.root, f)
	return at, ok && err == nil
}

func (n *treeNames) FilesNamed(name string) (out []wiki.FilePath) {
	k := wiki.Fold(name)
	if err := n.tx.repo.readNames(func(x *names) {
		for _, f := range x.byFile[k] {
			if !n.gone[f.FileName()] {
				out = append(out, f)
			}
		}
	}); err != nil {
		return nil
	}
	out = append(out, n.files[k]...)
	slices.Sort(out)
	return out
}

func (n *treeNames) Text(p wiki.PagePath) ([]byte, bool) {
	e, ok, err := n.root.file(p.FileName())
	if err != nil || !ok {
		return nil, false
	}
	data, err := n.tx.blob(e.oid)
	return data, err == nil
}
