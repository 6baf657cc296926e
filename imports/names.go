package imports

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"wikibot/wiki"
)

// Mapped is one file that could not stay as it was.
type Mapped struct {
	From string `json:"from"`         // its path in the source
	To   string `json:"to,omitempty"` // its path in the wiki's tree; empty: left out
	Why  string `json:"why"`
}

func (m Mapped) String() string {
	if m.To == "" {
		return fmt.Sprintf("left out %q: %s", m.From, m.Why)
	}
	return fmt.Sprintf("%q became %q: %s", m.From, m.To, m.Why)
}

// entry is one file of a source: its path there and its mode as in a git tree.
type entry struct {
	File string
	Mode string // "100644", "100755", "120000", "160000"
	OID  string // in a repository
}

// plan decides under which name each file of a source enters the wiki. Files
// whose names are canonical keep them; the others take what is free. The same
// source gives the same plan. names maps File → path in the tree, without the
// files that are left out.
func plan(entries []entry) (names map[string]string, mapped []Mapped) {
	t := taken{files: map[string]bool{}, folders: map[string]bool{}, pages: map[string]bool{}}
	names = make(map[string]string, len(entries))
	var later []entry
	entries = slices.Clone(entries)
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.File, b.File) })
	for _, e := range entries {
		switch why := refusal(e); {
		case why != "":
			mapped = append(mapped, Mapped{From: e.File, Why: why})
		case stays(e.File) && t.take(e.File):
			names[e.File] = e.File
		default:
			later = append(later, e)
		}
	}
	for _, e := range later {
		to, why := canonical(e.File)
		if to = t.free(to); to == "" {
			mapped = append(mapped, Mapped{From: e.File, Why: "no canonical name could be made of it"})
			continue
		}
		if to != e.File && why == "" {
			why = "another page has that name, apart from case or \"_\""
		}
		names[e.File] = to
		mapped = append(mapped, Mapped{From: e.File, To: to, Why: why})
	}
	return names, mapped
}

// refusal says why a file can be no part of a wiki, or "".
func refusal(e entry) string {
	switch {
	case e.Mode == "120000":
		return "a symbolic link"
	case e.Mode == "160000":
		return "a submodule"
	case e.File == ".redirects.toml":
		return ""
	case strings.HasPrefix(e.File, ".wikibot/") || e.File == ".wikibot":
		return "a wiki's configuration is kept in refs/wikibot/config"
	}
	for c := range strings.SplitSeq(e.File, "/") {
		// A page that is called so is worth keeping (".profile.md"); what
		// macOS adds beside each file is not ("._Home.md").
		page := c == path.Base(e.File) && strings.HasSuffix(c, wiki.PageSuffix) && !strings.HasPrefix(c, "._") && c != wiki.PageSuffix
		if strings.HasPrefix(c, ".") && !page {
			return "its name begins with a dot"
		}
	}
	return ""
}

// taken are the names that are given out.
type taken struct {
	files   map[string]bool // paths in the tree
	folders map[string]bool // every folder above one of them
	pages   map[string]bool // folded page paths
}

// take gives a name out, unless it is taken, is a folder, lies below a file, or
// is a page that would be found under another's name.
func (t taken) take(file string) bool {
	page, isPage := wiki.PageOfFile(file)
	if t.files[file] || t.folders[file] || isPage && t.pages[page.Fold()] {
		return false
	}
	for dir := path.Dir(file); dir != "."; dir = path.Dir(dir) {
		if t.files[dir] {
			return false
		}
	}
	t.files[file] = true
	if isPage {
		t.pages[page.Fold()] = true
	}
	for dir := path.Dir(file); dir != "." && !t.folders[dir]; dir = path.Dir(dir) {
		t.folders[dir] = true
	}
	return true
}

// free gives out file or the first "name (2)", "name (3)"… that is not taken;
// "" where there is none.
func (t taken) free(file string) string {
	if file == "" {
		return ""
	}
	dir, base := path.Split(file)
	ext := path.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	for n := 1; n < 10_000; n++ {
		try := file
		if n > 1 {
			try = fmt.Sprintf("%s%s (%d)%s", dir, stem, n, ext)
		}
		if wiki.CheckFile(try) == nil && t.take(try) {
			return try
		}
	}
	return ""
}

// canonical is the name that a file gets in a wiki, and why it needed one; why
// is empty where the name is canonical already.
func canonical(file string) (to, why string) {
	if stays(file) {
		return file, ""
	}
	parts := strings.Split(file, "/")
	for i, c := range parts {
		last := i == len(parts)-1
		fixed := component(c, last)
		if fixed != c && why == "" {
			why = reason(c)
		}
		parts[i] = fixed
	}
	to = strings.Join(parts, "/")
	if err := wiki.CheckFile(to); err != nil {
		return "", err.Error()
	}
	return to, why
}

// stays reports whether a file's name is canonical already.
func stays(file string) bool {
	return wiki.CheckFile(file) == nil && !markdownExt(strings.ToLower(path.Ext(file)))
}

// markdownExt is true of the other extensions that Markdown files have.
func markdownExt(ext string) bool { return ext == ".markdown" || ext == ".mdown" || ext == ".mkd" }

// reason says what was wrong with a component, in the words of the grammar.
func reason(c string) string {
	switch ext := strings.ToLower(path.Ext(c)); {
	case markdownExt(ext):
		return "the file of a page ends in .md"
	case ext == wiki.PageSuffix && wiki.CheckFile(c) == nil:
		return "a folder's name must not end in .md"
	}
	if err := wiki.CheckFile(c); err != nil {
		return err.Error()
	}
	return "the name has no place in a wiki"
}

// component makes a canonical file name of one part of a path.
func component(c string, last bool) string {
	if last && stays(c) || !last && wiki.CheckFile(c) == nil && !strings.HasSuffix(c, wiki.PageSuffix) {
		return c
	}
	name, page := readable(c), false
	for {
		ext := strings.ToLower(path.Ext(name))
		if ext != wiki.PageSuffix && !(last && markdownExt(ext)) {
			break
		}
		page = last
		name = name[:len(name)-len(ext)]
	}
	dotted := strings.HasPrefix(name, ".")
	if name = strings.TrimLeft(name, "."); name == "" {
		name = "unnamed"
		if dotted {
			name = "dot"
		}
	}
	if strings.EqualFold(name, "git~1") {
		name = "git-1"
	}
	for {
		encoded := wiki.FilePath(name).FileName()
		if len(encoded)+len(wiki.PageSuffix)+len(" (999)") <= wiki.MaxComponent {
			if page {
				return wiki.PagePath(name).FileName()
			}
			return encoded
		}
		name = shorten(name)
	}
}

// readable is a name in NFC, of characters that the grammar has. Bytes that are
// not UTF-8 are read as Latin-1, which old zips and repositories mean.
func readable(c string) string {
	if !utf8.ValidString(c) {
		runes := make([]rune, len(c))
		for i := range len(c) {
			runes[i] = rune(c[i])
		}
		c = string(runes)
	}
	c = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case unicode.IsControl(r):
			return -1
		case unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d': // joiners stay
			return -1
		case r == '\u2028' || r == '\u2029':
			return ' '
		case r&0xFFFE == 0xFFFE:
			return -1
		}
		return r
	}, c)
	return strings.TrimLeft(norm.NFC.String(c), "\u200c\u200d")
}

// shorten drops the last character before the extension.
func shorten(name string) string {
	ext := path.Ext(name)
	if len(ext) > 16 || len(ext) == len(name) {
		ext = ""
	}
	stem := strings.TrimSuffix(name, ext)
	_, size := utf8.DecodeLastRuneInString(stem)
	return stem[:len(stem)-size] + ext
}
