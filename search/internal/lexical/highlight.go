package lexical

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"wikibot/search/internal/query"
	"wikibot/search/internal/words"
)

// Highlight gives the stretches of a text, as bytes [start, end), that a query's
// wanted and demanded terms match: in order, none touching another. lang is the
// text's language. It needs no document; the work grows with the text and, for
// phrases, with their length.
func (x *Index) Highlight(q query.Query, text, lang string) [][2]int {
	t := x.tongue(lang)
	m := marker{terms: map[string]bool{}}
	for _, g := range q.Groups {
		for _, term := range g.Terms {
			if !g.Not {
				m.want(term, t.analyzer.Tokens(term.Text))
			}
		}
	}
	if len(m.terms) == 0 && m.prefixes == nil && m.rows == nil {
		return nil
	}
	m.read(t, text)
	return joined(m.marks)
}

// marker finds terms in a text.
type marker struct {
	terms    map[string]bool
	prefixes []string
	chars    []string // single characters of scripts without spaces
	rows     [][]string
	marks    [][2]int

	plain []placed // the text's words in order, without the wholes of compounds
}

// placed is a token and where it is.
type placed struct {
	term       string
	start, end int
}

// want adds a term of the query.
func (m *marker) want(t query.Term, tokens []words.Token) {
	compound := len(tokens) > 1 && tokens[0].Parts == len(tokens)-1
	switch {
	case t.Kind == query.Prefix && (len(tokens) == 1 || compound):
		m.prefixes = append(m.prefixes, tokens[0].Word)
		return
	case len(tokens) == 1 && words.IsPair(tokens[0].Word) && utf8.RuneCountInString(tokens[0].Word) == 1:
		m.chars = append(m.chars, tokens[0].Word)
	}
	var row []string
	for _, tok := range tokens {
		if tok.Parts == 0 {
			row = append(row, tok.Term)
		}
		if t.Kind != query.Phrase || len(tokens) == 1 || compound && tok.Parts > 0 {
			m.terms[tok.Term] = true
		}
	}
	if t.Kind == query.Phrase && len(row) > 1 {
		m.rows = append(m.rows, row)
	}
}

// read marks what matches in a text.
func (m *marker) read(t *tongue, text string) {
	var tokens []words.Token
	words.Segments(text, func(start, end int) {
		tokens = t.segment(text[start:end], tokens[:0])
		for _, tok := range tokens {
			if tok.Parts == 0 {
				m.plain = append(m.plain, placed{tok.Term, start + tok.Start, start + tok.End})
			}
			if m.hits(tok) {
				m.marks = append(m.marks, [2]int{start + tok.Start, start + tok.End})
			}
		}
	})
	for _, row := range m.rows {
		m.markRow(row)
	}
}

func (m *marker) hits(tok words.Token) bool {
	if m.terms[tok.Term] {
		return true
	}
	for _, p := range m.prefixes {
		if strings.HasPrefix(tok.Word, p) {
			return true
		}
	}
	for _, c := range m.chars {
		if words.IsPair(tok.Word) && strings.Contains(tok.Word, c) {
			return true
		}
	}
	return false
}

// markRow marks the words of a phrase where they follow one another.
func (m *marker) markRow(row []string) {
	for i := range m.plain {
		if len(m.plain)-i < len(row) {
			return
		}
		if slices.EqualFunc(m.plain[i:i+len(row)], row, func(p placed, term string) bool { return p.term == term }) {
			m.marks = append(m.marks, [2]int{m.plain[i].start, m.plain[i+len(row)-1].end})
		}
	}
}

// joined sorts marks and joins those that overlap or touch.
func joined(marks [][2]int) [][2]int {
	slices.SortFunc(marks, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(b[1], a[1])) })
	out := marks[:0]
	for _, m := range marks {
		if n := len(out); n > 0 && m[0] <= out[n-1][1] {
			out[n-1][1] = max(out[n-1][1], m[1])
			continue
		}
		out = append(out, m)
	}
	return out
}
