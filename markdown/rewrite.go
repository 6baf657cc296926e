package markdown

import (
	"cmp"
	"net/url"
	"path"
	"slices"
	"strings"

	"wikibot/wiki"
)

// RewriteLinks gives links new targets. f is asked for each link; what it returns
// is spelt as Link.Target is (LinkTo spells it so). Everything else, the display
// text and the anchor included, stays byte for byte; code and TeX are never
// touched. Links whose target cannot be found in the source in one piece (raw HTML
// over several quoted lines) are not asked for. If nothing changes, src itself
// is returned.
func RewriteLinks(src []byte, style Style, f func(Link) (newTarget string, change bool)) []byte {
	type edit struct {
		start, end int
		text       string
	}
	var edits []edit
	for _, l := range Links(src, style) {
		if l.TargetStart == l.TargetEnd {
			continue
		}
		target, change := f(l)
		if !change || target == l.Target {
			continue
		}
		edits = append(edits, edit{l.TargetStart, l.TargetEnd, spell(l, target)})
	}
	if len(edits) == 0 {
		return src
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return cmp.Compare(a.start, b.start) })
	var out []byte
	at := 0
	for _, e := range edits {
		if e.start < at {
			continue // another link through the same definition
		}
		out = append(append(out, src[at:e.start]...), e.text...)
		at = e.end
	}
	return append(out, src[at:]...)
}

// spell makes a target fit for the place where it is written. What it escapes,
// Resolve undoes.
func spell(l Link, target string) string {
	special := "|#[]\r\n\x00"
	if l.Kind != Wiki && l.Kind != Embed {
		special = " \t\r\n\x00#?()<>[]\\\"'&`*_|!$=~"
		if l.raw {
			special = " \t\r\n\x00#?<>\"'&`"
		}
	}
	return percent(target, special)
}

// percent percent-encodes the given ASCII characters.
func percent(s, special string) string {
	if !strings.ContainsAny(s, special) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(special, s[i]) >= 0 {
			const hex = "0123456789ABCDEF"
			b.WriteByte('%')
			b.WriteByte(hex[s[i]>>4])
			b.WriteByte(hex[s[i]&15])
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// LinkTo spells a target for the link l, standing on the page from, so that it
// leads to the page to. It keeps the manner of l's present target: from the root,
// relative, a bare name where that is enough, with ".md" or without. n is the
// wiki in which the link will be read (after the rename).
func LinkTo(from, to wiki.PagePath, l Link, n Names) string {
	suffix := ""
	if trimMD(l.Target) != l.Target {
		suffix = wiki.PageSuffix
	}
	return spellAs(from, string(to), suffix, l, func(t Target) bool { return t.Page == to && t.Exists }, n)
}

// LinkToFile is LinkTo for a link that is to lead to an attachment.
func LinkToFile(from wiki.PagePath, to wiki.FilePath, l Link, n Names) string {
	return spellAs(from, string(to), "", l, func(t Target) bool { return t.File == to && t.Exists }, n)
}

// spellAs finds the first spelling in l's manner that leads there.
func spellAs(from wiki.PagePath, to, suffix string, l Link, there func(Target) bool, n Names) string {
	var tries []string
	full := to + suffix
	rel := relative(from.Parent(), wiki.PagePath(to), suffix)
	switch inline := l.Kind != Wiki && l.Kind != Embed; {
	case inline && strings.HasPrefix(l.Target, "/"):
		return "/" + escapeRelative(to) + suffix
	case inline:
		for _, s := range []string{rel, "/" + escapeRelative(to) + suffix} {
			if there(Resolve(n, from, Link{Kind: l.Kind, Target: s})) {
				return s
			}
		}
		return rel
	case strings.HasPrefix(l.Target, "/"):
		tries = []string{"/" + full}
	case dotted(l.Target):
		near := unescaped(rel)
		if !dotted(near) {
			near = "./" + near
		}
		tries = []string{near, "/" + full}
	case strings.Contains(l.Target, "/"):
		tries = []string{full, "/" + full}
	default:
		tries = []string{lastPart(to) + suffix, full, "/" + full}
	}
	for _, t := range tries {
		for _, s := range [...]string{t, strings.ReplaceAll(t, "%", "%25")} {
			if there(Resolve(n, from, Link{Kind: l.Kind, Target: percent(s, "|#[]")})) {
				return s
			}
		}
	}
	return tries[len(tries)-1]
}

func lastPart(p string) string { return p[strings.LastIndexByte(p, '/')+1:] }

// TargetKeys are the folded last components under which what a link leads to may
// be filed: a link can lead to a page only if one of its keys is the fold of the
// page's own last component. An index of links uses them to find the pages that
// may link to a page without resolving every link.
func TargetKeys(from wiki.PagePath, l Link) []string {
	if l.Target == "" {
		return []string{wiki.Fold(from.Name())}
	}
	var keys []string
	add := func(s string) {
		s = strings.TrimRight(s, "/")
		k := wiki.Fold(lastPart(trimMD(s)))
		for _, have := range keys {
			if have == k {
				return
			}
		}
		keys = append(keys, k)
		if k2 := wiki.Fold(lastPart(s)); k2 != k {
			keys = append(keys, k2)
		}
	}
	spellings := []string{l.Target}
	if l.Anchor != "" {
		spellings = append(spellings, l.Target+"#"+l.Anchor)
	}
	for _, s := range spellings {
		add(s)
		if d, err := url.PathUnescape(s); err == nil && d != s {
			add(d)
		}
	}
	return keys
}

// relative is the URL of a page relative to a folder, percent-encoded where a
// URL or Markdown needs it.
func relative(dir, to wiki.PagePath, suffix string) string {
	var a []string
	if dir != "" {
		a = dir.Components()
	}
	b := to.Components()
	n := 0
	for n < len(a) && n < len(b)-1 && a[n] == b[n] {
		n++
	}
	rel := strings.Repeat("../", len(a)-n) + strings.Join(b[n:], "/")
	rel = escapeRelative(rel) + suffix
	if scheme(rel) != "" {
		rel = "./" + rel
	}
	return rel
}

// escapeRelative percent-encodes what would end or change a URL's path. Letters
// of all scripts stay readable.
func escapeRelative(p string) string {
	return percent(p, "% \t#?()<>[]\\\"'&`*|$=~!")
}

func unescaped(s string) string {
	if d, err := url.PathUnescape(s); err == nil {
		return d
	}
	return path.Clean(s)
}
