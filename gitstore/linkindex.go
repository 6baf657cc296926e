package gitstore

import (
	"maps"
	"slices"

	"wikibot/markdown"
	"wikibot/wiki"
)

// linkIndex is what links where in one tree of a wiki. Besides each page's links
// as they are written it keeps what they lead to: that changes only when the page
// does, or when a page or file comes or goes whose name a link could mean
// (markdown.TargetKeys), so that moving along costs what has changed. It resolves
// with names of its own, since those of the repository may be ahead of its tree.
// Memory: about 400 bytes a link, its texts included, and 200 a file.
type linkIndex struct {
	seen   *folder
	style  markdown.Style // the order in which the links were read
	names  names          // of seen
	pages  map[wiki.PagePath]*pageLinks
	naming map[string]map[wiki.PagePath]bool  // folded last component → pages with a link that may mean it
	into   map[string]map[wiki.PagePath]int32 // folded path of a page, there or missing → other pages and how often they link to it
	broken map[wiki.PagePath]int32            // pages with links to files that are missing → how many
}

// pageLinks are the links of one page in the order of its text, and what each
// leads to. They are replaced as a whole, never changed.
type pageLinks struct {
	links []markdown.Link
	to    []markdown.Target
}

// newLinkIndex is an index with the names of a tree and none of its links yet: the
// first move is from the empty tree.
func newLinkIndex(style markdown.Style, root *folder) (*linkIndex, error) {
	x := &linkIndex{
		seen: emptyFolder(), style: style,
		pages: map[wiki.PagePath]*pageLinks{}, naming: map[string]map[wiki.PagePath]bool{},
		into: map[string]map[wiki.PagePath]int32{}, broken: map[wiki.PagePath]int32{},
	}
	return x, x.names.build(root)
}

// move takes the index to another tree, of which it has the names already: changes
// are the difference, texts the links of the page that each of them leaves.
func (x *linkIndex) move(root *folder, changes []change, texts [][]markdown.Link) {
	moved := map[wiki.PagePath]bool{} // pages whose own text is another
	keys := map[string]bool{}         // last components of names that came or went
	for i, c := range changes {
		p, isPage := wiki.PageOfFile(c.path)
		if c.old == nil || c.new == nil {
			if k, ok := lastKey(c.path); ok {
				keys[k] = true
			}
		}
		if !isPage {
			continue
		}
		moved[p] = true
		x.forget(p)
		if c.new != nil && len(texts[i]) > 0 {
			x.learn(p, texts[i])
		}
	}
	again := map[wiki.PagePath]bool{}
	for k := range keys {
		for p := range x.naming[k] {
			again[p] = true
		}
	}
	for p := range again {
		if l := x.pages[p]; l != nil && !moved[p] {
			x.count(p, l, -1)
			x.resolve(p, l.links)
		}
	}
	x.seen = root
}

// lastKey is the folded last component under which a file of a tree is named.
func lastKey(file string) (string, bool) {
	if p, ok := wiki.PageOfFile(file); ok {
		return lastOf(p.Fold()), true
	}
	f, ok := wiki.PathOfFile(file)
	return lastOf(wiki.Fold(string(f))), ok
}

func (x *linkIndex) forget(p wiki.PagePath) {
	l := x.pages[p]
	if l == nil {
		return
	}
	for _, one := range l.links {
		for _, k := range markdown.TargetKeys(p, one) {
			if delete(x.naming[k], p); len(x.naming[k]) == 0 {
				delete(x.naming, k)
			}
		}
	}
	x.count(p, l, -1)
	delete(x.pages, p)
}

func (x *linkIndex) learn(p wiki.PagePath, found []markdown.Link) {
	for _, one := range found {
		for _, k := range markdown.TargetKeys(p, one) {
			if x.naming[k] == nil {
				x.naming[k] = map[wiki.PagePath]bool{}
			}
			x.naming[k][p] = true
		}
	}
	x.resolve(p, found)
}

// resolve finds what the links of a page lead to now.
func (x *linkIndex) resolve(p wiki.PagePath, found []markdown.Link) {
	l := &pageLinks{links: found, to: make([]markdown.Target, len(found))}
	for i, one := range found {
		l.to[i] = markdown.Resolve(ownNames{&x.names}, p, one)
	}
	x.pages[p] = l
	x.count(p, l, 1)
}

// count adds a page's links to what is kept by target, or takes them away.
func (x *linkIndex) count(p wiki.PagePath, l *pageLinks, by int32) {
	for _, t := range l.to {
		switch {
		case t.Page != "" && t.Page != p:
			add(x.into, t.Page.Fold(), p, by)
		case t.File != "" && !t.Exists:
			if x.broken[p] += by; x.broken[p] == 0 {
				delete(x.broken, p)
			}
		}
	}
}

func add(into map[string]map[wiki.PagePath]int32, key string, p wiki.PagePath, by int32) {
	from := into[key]
	if from == nil {
		from = map[wiki.PagePath]int32{}
		into[key] = from
	}
	if from[p] += by; from[p] == 0 {
		delete(from, p)
	}
	if len(from) == 0 {
		delete(into, key)
	}
}

// sources are the other pages that link to a page, there or missing, by name.
func (x *linkIndex) sources(p wiki.PagePath) []wiki.PagePath {
	return slices.Sorted(maps.Keys(x.into[p.Fold()]))
}

// ownNames is markdown.Names over an index that nobody changes meanwhile.
type ownNames struct{ *names }

func (n ownNames) Page(p string) (wiki.PagePath, bool) {
	at, ok := n.pages[wiki.Fold(p)]
	return at, ok
}

func (n ownNames) PagesNamed(name string) []wiki.PagePath { return n.byName[wiki.Fold(name)] }

func (n ownNames) File(f string) (wiki.FilePath, bool) {
	at, ok := n.files[wiki.Fold(f)]
	return at, ok
}

func (n ownNames) FilesNamed(name string) []wiki.FilePath { return n.byFile[wiki.Fold(name)] }

func (n ownNames) Text(wiki.PagePath) ([]byte, bool) { return nil, false }
