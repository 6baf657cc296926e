package markdown

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"wikibot/wiki"
)

// TargetKeys are the folded last components under which what a link leads to may
// be filed: a link on the page from can lead to a page or an attachment only if
// one of its keys is the fold of that one's own last component. An index of
// links finds by them the pages that may link to a page without resolving every
// link; what a link leads to in the end is Resolve's to say.
func TargetKeys(from wiki.PagePath, l Link) []string {
	if l.Target == "" {
		return []string{wiki.Fold(from.Name())}
	}
	var keys []string
	add := func(s string) {
		s = strings.TrimRight(s, "/")
		names := []string{trimMD(s), s}
		if p, ok := wiki.PageOfFile(trimMD(s) + wiki.PageSuffix); ok { // spelt as its file is
			names = append(names, string(p))
		} else if f, ok := wiki.PathOfFile(s); ok {
			names = append(names, string(f))
		}
		if base := path.Base(s); base == "." || base == ".." { // names a folder by the way to it
			names = append(names, path.Join(string(from.Parent()), s), path.Join(string(from), s))
		}
		for _, t := range names {
			k := wiki.Fold(t[strings.LastIndexByte(t, '/')+1:])
			if !slices.Contains(keys, k) {
				keys = append(keys, k)
			}
		}
	}
	spellings := []string{l.Target}
	if l.Anchor != "" { // a name may have a "#" in it
		spellings = append(spellings, l.Target+"#"+l.Anchor, l.Target+"# "+l.Anchor)
	}
	for _, s := range spellings {
		add(s)
		if d, err := url.PathUnescape(s); err == nil && d != s {
			add(d)
		}
	}
	return keys
}
