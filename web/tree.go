package web

import (
	"html"
	"html/template"
	"sort"
	"strings"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// treeKey names the tree of a wiki's pages in one state.
type treeKey struct {
	slug  wiki.Slug
	names uint64
}

// tree is a wiki's pages by folder. It is shared and never changes.
type tree struct {
	root  *node
	pages int
	bytes int64
}

func (t *tree) size() int64 { return t.bytes }

// node is a page, a folder, an attachment, or a page that is a folder as well.
type node struct {
	Name     string
	Path     string // as people read it
	Page     wiki.PagePath
	File     wiki.FilePath
	Children []*node
	below    int              // pages below
	index    map[string]*node // children by name, while the tree is built
}

// IsFolder reports whether pages lie below; attachments alone make no folder.
func (n *node) IsFolder() bool { return n.below > 0 }

// Below counts the pages below.
func (n *node) Below() int { return n.below }

// tree returns the wiki's tree, from the cache while the wiki has not changed.
// Building it costs about a microsecond a page.
func (q *request) tree(v *gitstore.View) (*tree, error) {
	key := treeKey{q.slug, v.NamesKey()}
	if t, ok := q.trees.get(key); ok {
		return t, nil
	}
	entries, _, err := v.List(gitstore.ListOptions{Files: true})
	if err != nil {
		return nil, err
	}
	t := buildTree(entries)
	q.trees.put(key, t)
	return t, nil
}

func buildTree(entries []wiki.Entry) *tree {
	t := &tree{root: &node{}}
	for _, e := range entries {
		if e.Page != "" {
			if special(e.Page) {
				continue
			}
			n := t.at(string(e.Page))
			n.Page = e.Page
			t.pages++
		} else if f, ok := wiki.PathOfFile(e.File); ok {
			n := t.at(string(f))
			n.File = f
		}
	}
	t.root.finish()
	return t
}

// special pages shape others and are no content of their own: "_Sidebar",
// "_Template".
func special(p wiki.PagePath) bool { return p.Special() }

func (t *tree) at(path string) *node {
	n := t.root
	for i := 0; i < len(path); {
		end := strings.IndexByte(path[i:], '/')
		if end < 0 {
			end = len(path)
		} else {
			end += i
		}
		name := path[i:end]
		child, ok := n.index[name]
		if !ok {
			child = &node{Name: name, Path: path[:end]}
			if n.index == nil {
				n.index = map[string]*node{}
			}
			n.index[name] = child
			n.Children = append(n.Children, child)
			t.bytes += int64(len(name)) + 200
		}
		n, i = child, end+1
	}
	return n
}

// finish sorts folders before pages, each by folded name.
func (n *node) finish() {
	n.index = nil
	keys := make(map[*node]string, len(n.Children))
	for _, c := range n.Children {
		c.finish()
		n.below += c.below
		if c.Page != "" {
			n.below++
		}
		keys[c] = wiki.Fold(c.Name)
	}
	sort.SliceStable(n.Children, func(i, j int) bool {
		a, b := n.Children[i], n.Children[j]
		if a.IsFolder() != b.IsFolder() {
			return a.IsFolder()
		}
		return keys[a] < keys[b]
	})
}

// find is the node of a path, or nil.
func (t *tree) find(path string) *node {
	n := t.root
	if path == "" {
		return n
	}
next:
	for part := range strings.SplitSeq(path, "/") {
		for _, c := range n.Children {
			if c.Name == part {
				n = c
				continue next
			}
		}
		return nil
	}
	return n
}

// Bounds of the tree beside each page: what would be more is left to the index.
const (
	sidebarWhole  = 150 // up to so many pages, closed folders are filled as well
	sidebarFolder = 60  // entries of one folder
)

// sidebar is the column on the left: the page _Sidebar, or the tree around the
// present page.
type sidebar struct {
	Custom *rendered
	Tree   template.HTML
}

// sidebar makes the left column of the page p.
func (q *request) sidebar(v *gitstore.View, p wiki.PagePath) (*sidebar, error) {
	custom, err := q.special(v, "_Sidebar", p)
	if err != nil || custom != nil {
		return &sidebar{Custom: custom}, err
	}
	t, err := q.tree(v)
	if err != nil {
		return nil, err
	}
	w := treeWriter{links: q.links(), texts: q.texts, here: string(p), whole: t.pages <= sidebarWhole}
	w.list(t.root, w.links.To("index"))
	return &sidebar{Tree: template.HTML(w.String())}, nil
}

// treeWriter writes the tree beside each page. It is the largest part of many
// pages and made anew after each commit, and a template takes ten times as long.
type treeWriter struct {
	strings.Builder
	links links
	texts *catalogue
	here  string // the present page
	whole bool   // closed folders are filled as well
}

// list writes what lies below n; more is where what is left out is found.
func (w *treeWriter) list(n *node, more string) {
	w.WriteString("<ul>")
	shown, left := 0, 0
	for _, c := range n.Children {
		if c.Page == "" && !c.IsFolder() {
			continue
		}
		open := c.Path == w.here || strings.HasPrefix(w.here, c.Path) && w.here[len(c.Path)] == '/'
		if shown >= sidebarFolder && !open {
			left++
			continue
		}
		shown++
		w.WriteString("<li>")
		switch {
		case !c.IsFolder():
			w.link("leaf", c)
		case open || w.whole:
			w.folder(c, open)
		default:
			w.link("closed", c)
		}
		w.WriteString("</li>\n")
	}
	w.WriteString("</ul>")
	if left > 0 {
		w.WriteString(`<a class="more" href="` + html.EscapeString(more) + `">` + html.EscapeString(w.texts.get("frame.more_pages", left)) + "</a>")
	}
}

func (w *treeWriter) folder(n *node, open bool) {
	w.WriteString("<details")
	if open {
		w.WriteString(" open")
	}
	w.WriteString(` data-path="` + html.EscapeString(n.Path) + `"><summary>`)
	if n.Page != "" {
		w.link("", n)
	} else {
		w.WriteString("<span>" + html.EscapeString(n.Name) + "</span>")
	}
	w.WriteString("</summary>")
	w.list(n, w.links.Folder(n.Path))
	w.WriteString("</details>")
}

func (w *treeWriter) link(class string, n *node) {
	u := w.links.Folder(n.Path)
	if n.Page != "" {
		u = w.links.Page(n.Page)
	}
	w.WriteString("<a")
	if class != "" {
		w.WriteString(` class="` + class + `"`)
	}
	w.WriteString(` href="` + html.EscapeString(u) + `"`)
	if n.Path == w.here {
		w.WriteString(` aria-current="page"`)
	}
	w.WriteString(">" + html.EscapeString(n.Name) + "</a>")
}
