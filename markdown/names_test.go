package markdown_test

import (
	"path"
	"slices"
	"strings"
	"testing"

	"wikibot/markdown"
	"wikibot/wiki"
)

// names is a wiki made of a map from file names to texts: "A/B.md" is a page,
// all else is an attachment. It keeps indexes, as a store does.
type names struct {
	pages  map[string]wiki.PagePath // by fold
	files  map[string]wiki.FilePath
	pNames map[string][]wiki.PagePath
	fNames map[string][]wiki.FilePath
	texts  map[wiki.PagePath]string
}

func newNames(texts map[string]string) *names {
	n := &names{map[string]wiki.PagePath{}, map[string]wiki.FilePath{}, map[string][]wiki.PagePath{}, map[string][]wiki.FilePath{}, map[wiki.PagePath]string{}}
	for f, text := range texts {
		if stem, ok := strings.CutSuffix(f, ".md"); ok {
			p := wiki.PagePath(stem)
			n.pages[p.Fold()] = p
			n.texts[p] = text
			k := wiki.Fold(p.Name())
			n.pNames[k] = append(n.pNames[k], p)
			continue
		}
		n.files[wiki.Fold(f)] = wiki.FilePath(f)
		k := wiki.Fold(path.Base(f))
		n.fNames[k] = append(n.fNames[k], wiki.FilePath(f))
	}
	for _, ps := range n.pNames {
		slices.Sort(ps)
	}
	for _, fs := range n.fNames {
		slices.Sort(fs)
	}
	return n
}

// pagesOf is a wiki of empty pages and files.
func pagesOf(files ...string) *names {
	m := map[string]string{}
	for _, f := range files {
		m[f] = ""
	}
	return newNames(m)
}

func (n *names) Page(p string) (wiki.PagePath, bool)    { v, ok := n.pages[wiki.Fold(p)]; return v, ok }
func (n *names) PagesNamed(name string) []wiki.PagePath { return n.pNames[wiki.Fold(name)] }
func (n *names) File(p string) (wiki.FilePath, bool)    { v, ok := n.files[wiki.Fold(p)]; return v, ok }
func (n *names) FilesNamed(name string) []wiki.FilePath { return n.fNames[wiki.Fold(name)] }
func (n *names) Text(p wiki.PagePath) ([]byte, bool)    { t, ok := n.texts[p]; return []byte(t), ok }

type urls struct{}

func (urls) Page(p wiki.PagePath) string   { return "/w/x/" + wiki.EscapePath(string(p)) }
func (urls) File(f wiki.FilePath) string   { return "/w/x/" + wiki.EscapePath(string(f)) }
func (urls) Create(p wiki.PagePath) string { return "/w/x/-/edit/" + wiki.EscapePath(string(p)) }

func render(t testing.TB, src string, n markdown.Names) *markdown.Rendered {
	t.Helper()
	r, err := markdown.Render([]byte(src), markdown.Options{Path: "A/B", Names: n, URLs: urls{}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
