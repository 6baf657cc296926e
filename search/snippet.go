package search

import (
	"strings"
	"unicode/utf8"

	"wikibot/markdown"
	"wikibot/search/internal/chunks"
)

// snippet is a readable excerpt of a chunk, at most max bytes around its first match.
func snippet(src []byte, c chunks.Chunk, marks func(string) [][2]int, max int) []Span {
	text := strings.Join(strings.Fields(markdown.PlainText(src[c.Body:c.End])), " ")
	at := marks(text)
	from := 0
	if len(at) > 0 && at[0][0] > max/3 {
		from = at[0][0] - max/3
		if i := strings.IndexByte(text[from:], ' '); i >= 0 && from+i < at[0][0] {
			from += i + 1
		}
	}
	to := min(len(text), from+max)
	if i := strings.LastIndexByte(text[from:to], ' '); to < len(text) && i > 0 {
		to = from + i
	}
	for from < to && !utf8.RuneStart(text[from]) {
		from++
	}
	for to < len(text) && to > from && !utf8.RuneStart(text[to]) {
		to--
	}
	var inside [][2]int
	for _, m := range at {
		if m[0] >= from && m[1] <= to {
			inside = append(inside, [2]int{m[0] - from, m[1] - from})
		}
	}
	out := marked(text[from:to], inside)
	if from > 0 {
		out = append([]Span{{Text: "… "}}, out...)
	}
	if to < len(text) {
		out = append(out, Span{Text: " …"})
	}
	return out
}

// marked splits a text at its marks.
func marked(text string, at [][2]int) (out []Span) {
	end := 0
	for _, m := range at {
		if m[0] > end {
			out = append(out, Span{Text: text[end:m[0]]})
		}
		out = append(out, Span{Text: text[m[0]:m[1]], Match: true})
		end = m[1]
	}
	if end < len(text) {
		out = append(out, Span{Text: text[end:]})
	}
	return out
}
