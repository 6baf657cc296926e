package markdown

import (
	"net/url"
	"path"
	"strings"

	"wikibot/wiki"
)

// Resolve says what a link on the page from leads to. It is the one place of
// the rules.
//
// The target of a wikilink is tried, in this order,
//
//	/T           from the root, and nowhere else
//	./T ../T     relative to the page's folder, and nowhere else
//	T            beside the page; below the page; from the root; then as a name:
//	             without a slash, the nearest page of that name anywhere (most
//	             leading components shared with from, then the shortest path,
//	             then the first); with slashes, the one page whose path ends so
//
// first among pages, then among attachments. The target of an inline link is a
// relative URL: from the page's folder, then from the page's own folder, where
// its attachments live (attachments are looked for there first); or from the
// root if it begins with "/". A final ".md" is dropped; look-up folds case and
// "_" (wiki.Fold); percent-escapes are undone where the name as written does not
// exist (wikilinks) or always (inline links).
//
// What does not exist is a page to be created: beside from for a plain name, at
// the path from the root for a wikilink with slashes.
func Resolve(n Names, from wiki.PagePath, l Link) Target {
	if n == nil {
		n = nothing{}
	}
	r := resolver{Names: n, from: string(from), dir: string(from.Parent())}
	t := r.target(l)
	if t.Page != "" && !r.named {
		t.Anchor = anchorSlug(l.Anchor)
	}
	return t
}

// anchorSlug is the slug for an anchor as written. Of "A#B", Obsidian's way to a
// heading under a heading, the last counts.
func anchorSlug(a string) string {
	if a == "" {
		return ""
	}
	if i := strings.LastIndexByte(a, '#'); i >= 0 && i+1 < len(a) {
		a = a[i+1:]
	}
	if d, err := url.PathUnescape(a); err == nil {
		a = d
	}
	return Slug(a)
}

// nothing is the Names of an empty wiki.
type nothing struct{}

func (nothing) Page(string) (wiki.PagePath, bool) { return "", false }
func (nothing) PagesNamed(string) []wiki.PagePath { return nil }
func (nothing) File(string) (wiki.FilePath, bool) { return "", false }
func (nothing) FilesNamed(string) []wiki.FilePath { return nil }
func (nothing) Text(wiki.PagePath) ([]byte, bool) { return nil, false }

type resolver struct {
	Names
	from, dir string
	named     bool // what looked like an anchor was part of the name
}

func (r *resolver) target(l Link) Target {
	if l.Target == "" {
		if l.Anchor == "" && (l.Kind == Wiki || l.Kind == Embed || l.Kind == Image) {
			return Target{}
		}
		return Target{Page: wiki.PagePath(r.from), Exists: true}
	}
	if t, done := r.external(l); done {
		return t
	}
	if l.Kind == Wiki || l.Kind == Embed {
		return r.wiki(l)
	}
	return r.inline(l)
}

// external recognises links that leave the wiki, and refuses schemes that are
// not known to be harmless.
func (r *resolver) external(l Link) (Target, bool) {
	if strings.HasPrefix(l.Target, "//") && l.Kind != Wiki && l.Kind != Embed {
		return outside("https:"+l.Target, l.Anchor), true
	}
	s := scheme(l.Target)
	switch s {
	case "":
		return Target{}, false
	case "http", "https":
		if len(l.Target) > len(s)+3 && strings.EqualFold(l.Target[:len(s)+3], s+"://") {
			return outside(l.Target, l.Anchor), true
		}
	case "mailto", "tel":
		if strings.EqualFold(l.Target[:len(s)+1], s+":") {
			return outside(l.Target, l.Anchor), true
		}
	case "javascript", "data", "vbscript", "file", "about", "blob":
		return Target{}, true
	}
	if l.Kind == Wiki || l.Kind == Embed {
		return Target{}, false // a page's name may have a colon
	}
	if t := r.inline(l); t.Exists {
		return t, true
	}
	return Target{}, true
}

func outside(u, anchor string) Target {
	if anchor != "" {
		u += "#" + anchor
	}
	parsed, err := url.Parse(u)
	if err != nil || (parsed.Scheme == "http" || parsed.Scheme == "https") && parsed.Host == "" {
		return Target{}
	}
	return Target{URL: parsed.String(), External: true}
}

// wiki resolves [[T]].
func (r *resolver) wiki(l Link) Target {
	if t, ok := r.wikiName(l.Target); ok {
		return t
	}
	if l.Anchor != "" { // a page's name may have a "#"
		for _, gap := range [...]string{"#", "# "} {
			if t, ok := r.wikiName(l.Target + gap + l.Anchor); ok {
				r.named = true
				return t
			}
		}
	}
	name := l.Target
	if d, err := url.PathUnescape(name); err == nil && d != name {
		if t, ok := r.wikiName(d); ok {
			return t
		}
		name = d
	}
	return r.missing(r.wikiPlace(name))
}

func (r *resolver) wikiName(t string) (Target, bool) {
	name := trimMD(t)
	switch {
	case strings.HasPrefix(t, "/"):
		return r.first(t[1:])
	case dotted(t):
		p, ok := join(r.dir, t)
		if !ok {
			return Target{}, false
		}
		return r.first(p)
	}
	for _, c := range [...]string{under(r.dir, name), under(r.from, name), name} {
		if p, ok := r.Page(c); ok {
			return Target{Page: p, Exists: true}, true
		}
	}
	if p, ok := nearest(r.PagesNamed(path.Base(name)), name, r.dir); ok {
		return Target{Page: p, Exists: true}, true
	}
	if !strings.Contains(path.Base(t), ".") {
		return Target{}, false
	}
	for _, c := range [...]string{under(r.dir, t), under(r.from, t), t} {
		if f, ok := r.File(c); ok {
			return Target{File: f, Exists: true}, true
		}
	}
	f, ok := nearest(r.FilesNamed(path.Base(t)), t, r.dir)
	return Target{File: f, Exists: ok}, ok
}

// first looks for a page, then for an attachment, at one path from the root.
func (r *resolver) first(p string) (Target, bool) {
	if page, ok := r.Page(trimMD(p)); ok {
		return Target{Page: page, Exists: true}, true
	}
	if f, ok := r.File(p); ok {
		return Target{File: f, Exists: true}, true
	}
	return Target{}, false
}

// wikiPlace is the path that a wikilink to nothing would create.
func (r *resolver) wikiPlace(t string) string {
	switch {
	case strings.HasPrefix(t, "/"):
		return t[1:]
	case dotted(t):
		p, ok := join(r.dir, t)
		if !ok {
			return ""
		}
		return p
	case strings.Contains(t, "/"):
		return t
	}
	return under(r.dir, t)
}

// missing is the target of a link to nothing: a page to be created, an
// attachment that is not there, or, where the name cannot be, nothing.
func (r *resolver) missing(p string) Target {
	if attachment(p) {
		if f, err := wiki.ParseFilePath(p); err == nil {
			return Target{File: f}
		}
		return Target{}
	}
	page, err := wiki.ParsePagePath(trimMD(p))
	if err != nil {
		return Target{}
	}
	return Target{Page: page}
}

// inline resolves the path of a relative URL.
func (r *resolver) inline(l Link) Target {
	t := l.Target
	if d, err := url.PathUnescape(t); err == nil {
		t = d
	}
	t = strings.TrimSuffix(t, "/")
	if t == "" || t == "." {
		return Target{Page: wiki.PagePath(r.from), Exists: r.from != ""}
	}
	if strings.HasPrefix(t, "/") {
		if found, ok := r.first(t[1:]); ok {
			return found
		}
		return r.missing(t[1:])
	}
	beside, okBeside := join(r.dir, t)
	below, okBelow := join(r.from, t)
	if l.Kind != Image {
		for _, c := range [...]string{beside, below} {
			if p, ok := r.inlinePage(c); ok {
				return Target{Page: p, Exists: true}
			}
		}
	}
	for _, c := range [...]string{below, beside} {
		if f, ok := r.inlineFile(c); ok {
			return Target{File: f, Exists: true}
		}
	}
	switch {
	case okBeside:
		return r.missing(beside)
	case okBelow:
		return r.missing(below)
	}
	return Target{}
}

// inlinePage finds a page by its path or by its file's name, in which some
// characters are percent-encoded.
func (r *resolver) inlinePage(p string) (wiki.PagePath, bool) {
	if p == "" {
		return "", false
	}
	name := trimMD(p)
	if page, ok := r.Page(name); ok {
		return page, true
	}
	if strings.Contains(name, "%") {
		if page, ok := wiki.PageOfFile(name + wiki.PageSuffix); ok {
			return r.Page(string(page))
		}
	}
	return "", false
}

func (r *resolver) inlineFile(p string) (wiki.FilePath, bool) {
	if p == "" {
		return "", false
	}
	if f, ok := r.File(p); ok {
		return f, true
	}
	if strings.Contains(p, "%") {
		if f, ok := wiki.PathOfFile(p); ok {
			return r.File(string(f))
		}
	}
	return "", false
}

// nearest picks the path that a bare name means: of all that end in name, the
// one with the most leading components of dir, then the shortest, then the
// first. A name with slashes must be unambiguous.
func nearest[P ~string](all []P, name, dir string) (best P, ok bool) {
	suffix, score := "", -1
	if strings.Contains(name, "/") {
		suffix = "/" + wiki.Fold(name)
	}
	for _, p := range all {
		if suffix != "" && !strings.HasSuffix(wiki.Fold(string(p)), suffix) {
			continue
		}
		if suffix != "" && ok {
			return "", false
		}
		s := shared(string(p), dir)
		if s > score || s == score && depth(p) < depth(best) {
			best, score, ok = p, s, true
		}
	}
	return best, ok
}

func depth[P ~string](p P) int { return strings.Count(string(p), "/") }

// shared counts the leading components that a path has in common with a folder.
func shared(p, dir string) int {
	n := 0
	for dir != "" {
		var a, b string
		var more bool
		a, p, more = strings.Cut(p, "/")
		b, dir, _ = strings.Cut(dir, "/")
		if a != b || !more {
			break
		}
		n++
	}
	return n
}

func trimMD(s string) string {
	if n := len(s) - len(wiki.PageSuffix); n > 0 && strings.EqualFold(s[n:], wiki.PageSuffix) {
		return s[:n]
	}
	return s
}

func dotted(s string) bool {
	return s == "." || s == ".." || strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../")
}

func under(dir, name string) string {
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// join resolves "." and ".." of a relative path; false where it leaves the wiki
// or names no page.
func join(dir, rel string) (string, bool) {
	p := path.Join(dir, rel)
	if dir == "" {
		p = path.Clean(rel)
	}
	if p == "." || p == ".." || strings.HasPrefix(p, "../") || strings.HasPrefix(p, "/") {
		return "", false
	}
	if dir != "" && escapes(dir, rel) {
		return "", false
	}
	return p, true
}

// escapes is true where a relative path climbs above the root: path.Join stops
// there without a word.
func escapes(dir, rel string) bool {
	level := strings.Count(dir, "/") + 1
	for c := range strings.SplitSeq(rel, "/") {
		switch c {
		case "", ".":
		case "..":
			if level--; level < 0 {
				return true
			}
		default:
			level++
		}
	}
	return false
}

// attachmentTypes are the extensions by which a link to nothing is known to mean
// a file, not a page.
const attachmentTypes = " avif bmp csv doc docx gif gz ico jpeg jpg json m4a mkv mov mp3 mp4 odp ods odt ogg pdf png ppt pptx svg tar tif tiff txt wav webm webp xls xlsx xml yaml yml zip "

func attachment(p string) bool {
	i := strings.LastIndexByte(p, '.')
	return i >= 0 && i+1 < len(p) && !strings.ContainsAny(p[i:], " /") && strings.Contains(attachmentTypes, " "+strings.ToLower(p[i+1:])+" ")
}

// isImage is true of the attachments that an <img> can show.
func isImage(f wiki.FilePath) bool {
	i := strings.LastIndexByte(string(f), '.')
	if i < 0 {
		return false
	}
	switch strings.ToLower(string(f[i+1:])) {
	case "avif", "bmp", "gif", "ico", "jpeg", "jpg", "png", "svg", "webp":
		return true
	}
	return false
}
