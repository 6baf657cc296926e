package markdown

import (
	"cmp"
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
	switch {
	case l.raw:
		return percent(target, " \t\r\n\x00#?<>\"'&`")
	case l.Kind != Wiki && l.Kind != Embed:
		return percent(target, " \t\r\n\x00#?()<>[]\\\"'&`*_|!$=~")
	}
	inner := strings.Trim(target, ` \`) // at an end they would be trimmed, or escape the bar
	start := strings.Index(target, inner)
	return percent(target[:start], ` \`) + percent(inner, "|#[]\r\n\x00") + percent(target[start+len(inner):], ` \`)
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
	return linkTo(from, string(to), suffix, l, n, func(t Target) bool { return t.Page == to && t.Exists })
}

// LinkToFile is LinkTo for an attachment. A bare name for a file in the page's
// own folder stays one.
func LinkToFile(from wiki.PagePath, to wiki.FilePath, l Link, n Names) string {
	own, ok := strings.CutPrefix(string(to), string(from)+"/")
	if ok && l.Kind != Wiki && l.Kind != Embed && !strings.Contains(l.Target, "/") {
		return escapeRelative(own)
	}
	return linkTo(from, string(to), "", l, n, func(t Target) bool { return t.File == to && t.Exists })
}

// linkTo gives the first spelling, in the manner of l, that leads where it should;
// the path from the root always does.
func linkTo(from wiki.PagePath, to, suffix string, l Link, n Names, leads func(Target) bool) string {
	tries := wikiSpellings(from, to, suffix, l.Target)
	if l.Kind != Wiki && l.Kind != Embed {
		tries = urlSpellings(from, to, suffix, l.Target)
	}
	for _, t := range tries {
		if leads(Resolve(n, from, Link{Kind: l.Kind, Target: spell(l, t)})) {
			return t
		}
	}
	return tries[len(tries)-1]
}

// urlSpellings are relative URLs, or the one from the root, percent-encoded.
func urlSpellings(from wiki.PagePath, to, suffix, old string) []string {
	root := "/" + escapeRelative(to) + suffix
	if strings.HasPrefix(old, "/") {
		return []string{root}
	}
	return []string{relative(string(from.Parent()), to, suffix), root}
}

// wikiSpellings are targets of wikilinks. A "%" that could be read as an escape
// is tried as it is first, then escaped.
func wikiSpellings(from wiki.PagePath, to, suffix, old string) []string {
	full := to + suffix
	var tries []string
	switch {
	case strings.HasPrefix(old, "/"):
	case dotted(old):
		rel := relativePath(string(from.Parent()), to) + suffix
		if !dotted(rel) {
			rel = "./" + rel
		}
		tries = []string{rel}
	case strings.Contains(old, "/"):
		tries = []string{full}
	default:
		tries = []string{path.Base(to) + suffix, full}
	}
	tries = append(tries, "/"+full)
	if strings.Contains(full, "%") {
		for _, t := range tries {
			tries = append(tries, strings.ReplaceAll(t, "%", "%25"))
		}
	}
	return tries
}

// relativePath is the way from a folder to a path, with "..".
func relativePath(dir, to string) string {
	var a []string
	if dir != "" {
		a = strings.Split(dir, "/")
	}
	b := strings.Split(to, "/")
	n := 0
	for n < len(a) && n < len(b)-1 && a[n] == b[n] {
		n++
	}
	return strings.Repeat("../", len(a)-n) + strings.Join(b[n:], "/")
}

// relative is that way as a URL, percent-encoded where a URL or Markdown needs it.
func relative(dir, to, suffix string) string {
	rel := escapeRelative(relativePath(dir, to)) + suffix
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
