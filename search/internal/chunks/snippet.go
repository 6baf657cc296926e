package chunks

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"wikibot/markdown"
)

// Span is a piece of text; Match marks what was looked for.
type Span struct {
	Text  string
	Match bool
}

// maxMarks is how many marks of a text are looked at.
const maxMarks = 1000

// Snippet is an excerpt of a chunk for people: one line without markup, of at most
// max characters and an ellipsis at each end where something is left out, words
// whole, around the place with most of what was looked for. marks gives the
// stretches [start, end) of a text, in bytes, to be marked; nil marks none. Without
// a mark it is the beginning. The chunk needs Section, Start and End. It costs about
// what rendering the chunk does.
func Snippet(src []byte, c Chunk, marks func(plain string) [][2]int, max int) []Span {
	text := plain(src, c)
	var all [][2]int
	if marks != nil {
		all = apart(text, marks(text))
	}
	from, to := excerpt(text, all, max)
	spans := spansOf(text, all, from, to)
	if from > 0 {
		spans = slices.Insert(spans, 0, Span{Text: "…"})
	}
	if to < len(text) {
		spans = append(spans, Span{Text: "…"})
	}
	return spans
}

// Mark is a text with some stretches [start, end) of it, in bytes, marked.
func Mark(text string, marks [][2]int) []Span {
	return spansOf(text, apart(text, marks), 0, len(text))
}

// plain is the text of a chunk as a reader reads it, on one line.
func plain(src []byte, c Chunk) string {
	from := body(src, c)
	if text := plainPart(src, from, c.End); text != "" || from == c.Start {
		return text
	}
	return plainPart(src, c.Start, c.End) // a heading is better than nothing
}

// plainPart reads a part that may begin within a fence.
func plainPart(src []byte, from, to int) string {
	part := make([]byte, 0, to-from+8)
	part = append(part, openFence(src[:from])...)
	part = append(part, '\n') // what follows is no frontmatter
	part = append(part, src[from:to]...)
	text := markdown.PlainText(bytes.ToValidUTF8(part, []byte("\ufffd")))
	return strings.Join(strings.Fields(text), " ")
}

// openFence is the fence within which a text ends, or nothing. It looks at each line
// once, and at the first bytes of most.
func openFence(src []byte) string {
	fence := ""
	for len(src) > 0 {
		line := src
		if i := bytes.IndexByte(src, '\n'); i >= 0 {
			line = src[:i]
		}
		src = src[min(len(line)+1, len(src)):]
		if line = bytes.TrimLeft(line, " \t"); len(line) > 0 && (line[0] == '`' || line[0] == '~') {
			lineBreak(line, &fence)
		}
	}
	return fence
}

// apart puts marks in order, joins those that overlap and drops what lies outside
// of the text or splits a character.
func apart(text string, marks [][2]int) [][2]int {
	boundary := func(i int) bool { return i == len(text) || i >= 0 && i < len(text) && utf8.RuneStart(text[i]) }
	all := slices.DeleteFunc(slices.Clone(marks[:min(len(marks), maxMarks)]), func(m [2]int) bool {
		return m[0] >= m[1] || !boundary(m[0]) || !boundary(m[1])
	})
	slices.SortFunc(all, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) })
	n := 0
	for _, m := range all {
		if n > 0 && m[0] < all[n-1][1] {
			all[n-1][1] = max(all[n-1][1], m[1])
			continue
		}
		all[n] = m
		n++
	}
	return all[:n]
}

// spansOf is the part [from, to) of a text, cut at marks.
func spansOf(text string, marks [][2]int, from, to int) (spans []Span) {
	add := func(a, b int, match bool) {
		if a < b {
			spans = append(spans, Span{text[a:b], match})
		}
	}
	at := from
	for _, m := range marks {
		if a, b := max(m[0], from), min(m[1], to); a < b {
			add(at, a, false)
			add(a, b, true)
			at = b
		}
	}
	add(at, to, false)
	return spans
}
