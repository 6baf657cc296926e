package markdown

import (
	"bytes"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"

	"wikibot/wiki"
)

// Section is a heading with what follows it, up to the next heading of its level
// or above. Offsets are bytes in the page's source.
type Section struct {
	Path  []string // the titles above it and its own, without markup
	ID    string   // the heading's anchor as Render gives it, without "#"
	Level int      // 1–6

	Start     int // where the heading's line begins
	BodyStart int // the line after the heading
	BodyEnd   int // where the first sub-section begins; End if there is none
	End       int
}

// Name is the path as people write it: "Design > Storage".
func (s Section) Name() string { return strings.Join(s.Path, " > ") }

// Sections lists the sections of a page in the order of their headings. Headings
// within fences, quotes and lists are none.
func Sections(src []byte) []Section { return SectionsIn(src, TargetFirst) }

// SectionsIn is Sections in a wiki of a style, which matters to a heading that is
// a wikilink.
func SectionsIn(src []byte, style Style) []Section {
	_, off := frontmatter(src)
	body := src[off:]
	if bytes.IndexByte(body, '#') < 0 && bytes.IndexByte(body, '=') < 0 && bytes.IndexByte(body, '-') < 0 {
		return nil
	}
	var all []Section
	var above []int // indices of the open sections
	var taken slugs
	for _, h := range headings(body, style) {
		id := taken.take(h.text)
		if !h.top {
			continue
		}
		start, bodyStart := h.start+off, h.after+off
		for len(above) > 0 && all[above[len(above)-1]].Level >= h.level {
			all[above[len(above)-1]].End = start
			above = above[:len(above)-1]
		}
		var path []string
		if len(above) > 0 {
			path = all[above[len(above)-1]].Path
		}
		if n := len(all); n > 0 && all[n-1].BodyEnd < 0 {
			all[n-1].BodyEnd = start
		}
		above = append(above, len(all))
		all = append(all, Section{Path: append(slices.Clip(path), h.text), ID: id, Level: h.level,
			Start: start, BodyStart: bodyStart, BodyEnd: -1, End: len(src)})
	}
	if n := len(all); n > 0 {
		all[n-1].BodyEnd = len(src)
	}
	return all
}

// headingLines is where a heading's first line begins and where the line after
// its last begins. A heading's text does not hold the line under a setext one.
func headingLines(h *ast.Heading, src []byte) (start, after int) {
	start, last := h.Pos(), h.Pos()
	if n := h.Lines().Len(); n > 0 {
		start = min(start, h.Lines().At(0).Start)
		last = max(h.Lines().At(n-1).Stop-1, start)
	}
	start = bytes.LastIndexByte(src[:start], '\n') + 1
	after = nextLine(src, last)
	if first := bytes.TrimLeft(src[start:], " "); len(first) == 0 || first[0] != '#' || setext(h, src, after) {
		after = nextLine(src, after)
	}
	return start, after
}

// setext tells a setext heading whose text begins with "#" ("#hash\n===") from an
// ATX one, which lies in its first line and has a space after its "#"s.
func setext(h *ast.Heading, src []byte, after int) bool {
	if h.Level > 2 || h.Lines().Len() == 0 {
		return false
	}
	first := h.Lines().At(0)
	lineStart := bytes.LastIndexByte(src[:first.Start], '\n') + 1
	if bytes.IndexByte(src[lineStart:first.Start], '#') >= 0 {
		return false
	}
	under, _ := cutLine(src[after:])
	under = bytes.TrimLeft(under, " ")
	return len(under) > 0 && len(bytes.Trim(under, "=-")) == 0
}

func nextLine(src []byte, from int) int {
	if from >= len(src) {
		return len(src)
	}
	if i := bytes.IndexByte(src[from:], '\n'); i >= 0 {
		return from + i + 1
	}
	return len(src)
}

// FindSection finds a section by its full path ("Design > Storage"), ignoring
// case, or else by the end of one, or else by its title. A miss (ErrNotFound) or
// an ambiguous name (ErrInvalid) lists the paths to choose from.
func FindSection(src []byte, name string) (Section, error) {
	all := Sections(src)
	want := sectionKey(strings.Split(name, ">"))
	suffix := " > " + want
	matches := [...]func(Section) bool{
		func(s Section) bool { return sectionKey(s.Path) == want },
		func(s Section) bool { return strings.HasSuffix(sectionKey(s.Path), suffix) },
		func(s Section) bool { return sectionKey(s.Path[len(s.Path)-1:]) == sectionKey([]string{name}) },
	}
	for _, match := range matches {
		var found []Section
		for _, s := range all {
			if match(s) {
				found = append(found, s)
			}
		}
		switch {
		case len(found) == 1:
			return found[0], nil
		case len(found) > 1:
			return Section{}, wiki.Invalid("section", "the section %q is ambiguous; choose one of: %s", name, sectionNames(found))
		}
	}
	if len(all) == 0 {
		return Section{}, wiki.NotFound("there is no section %q: the page has no headings", name)
	}
	return Section{}, wiki.NotFound("there is no section %q; the page has: %s", name, sectionNames(all))
}

func sectionKey(path []string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = wiki.Fold(strings.Join(strings.Fields(strings.TrimLeft(strings.TrimSpace(p), "#")), " "))
	}
	return strings.Join(parts, " > ")
}

// maxSectionNames bounds how many sections an error lists.
const maxSectionNames = 50

func sectionNames(all []Section) string {
	var names []string
	for i, s := range all {
		if i == maxSectionNames {
			names = append(names, "…")
			break
		}
		names = append(names, s.Name())
	}
	return strings.Join(names, "; ")
}
