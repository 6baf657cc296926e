package words

import (
	"unicode"
	"unicode/utf8"
)

// maxParts is how many parts a compound may have that is a word of its own as
// well; of a longer one, a slug for example, only the parts count.
const maxParts = 4

// part is a piece of a segment.
type part struct {
	start, end int
	unspaced   bool // in a script without spaces
}

// Analyze adds the tokens of one segment, as Segments finds them, to out; their
// offsets are those in the segment. The cost grows with the segment's length, and
// so does the number of tokens.
func (a *Analyzer) Analyze(segment string, out []Token) []Token {
	var room [8]part
	parts := a.lang.parts(segment, room[:0])
	for len(parts) > 0 {
		if parts[0].unspaced {
			out = a.pairs(segment, parts[0], out)
			parts = parts[1:]
			continue
		}
		n := 1
		for n < len(parts) && !parts[n].unspaced {
			n++
		}
		out = a.compound(segment, parts[:n], out)
		parts = parts[n:]
	}
	return out
}

// compound adds the tokens of parts that belong together.
func (a *Analyzer) compound(segment string, parts []part, out []Token) []Token {
	start, end := parts[0].start, parts[len(parts)-1].end
	whole := len(parts) > 1 && len(parts) <= maxParts && end-start <= MaxWord
	at := len(out)
	if whole {
		out = append(out, Token{Start: start, End: end})
	}
	for _, p := range parts {
		out = a.plain(segment, p, out)
	}
	if !whole {
		return out
	}
	pieces := out[at+1:]
	if len(pieces) < 2 { // the others held nothing
		return append(out[:at], pieces...)
	}
	t := &out[at]
	for _, p := range pieces {
		t.Word += p.Word
	}
	t.Word, t.Parts = truncated(t.Word), len(pieces)
	t.Term = a.lang.term(t.Word)
	return out
}

// plain adds the token of one part.
func (a *Analyzer) plain(segment string, p part, out []Token) []Token {
	w := a.lang.fold(segment[p.start:p.cut()])
	if w == "" {
		return out
	}
	return append(out, Token{Word: w, Term: a.lang.term(w), Start: p.start, End: p.end})
}

// cut is where to stop reading a part: folding a blob costs no more than a long
// word does. No folding makes a text shorter than a twentieth.
func (p part) cut() int { return min(p.end, p.start+20*MaxWord) }

// pairs adds the overlapping pairs of characters of a part, or its only character.
// A character is a letter with the marks that follow it.
func (a *Analyzer) pairs(segment string, p part, out []Token) []Token {
	first, second := p.start, -1
	emit := func(start, end int) {
		if w := a.lang.fold(segment[start:min(end, start+20*MaxWord)]); w != "" {
			out = append(out, Token{Word: w, Term: a.lang.term(w), Start: start, End: end})
		}
	}
	for i, r := range segment[p.start:p.end] {
		i += p.start
		if i == first || !isUnspaced(r) {
			continue
		}
		if second >= 0 {
			emit(first, i)
			first = second
		}
		second = i
	}
	emit(first, p.end)
	return out
}

// parts cuts a segment where a person would: at _ - : and hyphens, at points
// between letters, at apostrophes where the language elides, where a script
// without spaces begins or ends, and at the humps of camelCase.
func (d dialect) parts(s string, out []part) []part {
	var p part
	var prev rune
	letters := 0 // characters in p so far
	flush := func(end int) {
		if p.end = end; p.start < p.end && kindOf(s[p.start:p.end]) == word {
			out = append(out, p)
		}
		letters = 0
	}
	for i, r := range s {
		size := utf8.RuneLen(r)
		switch {
		case d.separates(s, i, r, prev):
			flush(i)
			p = part{start: i + size}
		case isUnspaced(r) != p.unspaced && !isMark(r), letters >= 2 && isHump(s[i:], r, prev):
			flush(i)
			p = part{start: i, unspaced: isUnspaced(r)}
			letters++
		default:
			letters++
		}
		prev = r
	}
	flush(len(s))
	return out
}

// separates reports whether r, which stands at i, stands between two parts.
func (d dialect) separates(s string, i int, r, prev rune) bool {
	switch r {
	case '_', ':', '‿', '⁀', '⁔', '﹍', '﹎', '﹏', '＿', '︳', '︴', '：':
		return true
	case '\'', '’', '＇':
		return d.elides
	case '.', '․', '﹒', '．':
		next, _ := utf8.DecodeRuneInString(s[i+utf8.RuneLen(r):])
		return !unicode.IsNumber(prev) || !unicode.IsNumber(next)
	}
	return isHyphen(r)
}

// isHump reports whether a part begins at r: gitStore, HTTPServer, but none of a
// single letter: iPhone, URLs, PhD.
func isHump(s string, r, prev rune) bool {
	if !unicode.IsUpper(r) {
		return false
	}
	n := utf8.RuneLen(r)
	second, m := utf8.DecodeRuneInString(s[n:])
	if unicode.IsLower(prev) {
		return unicode.IsLetter(second)
	}
	third, _ := utf8.DecodeRuneInString(s[n+m:])
	return unicode.IsUpper(prev) && unicode.IsLower(second) && unicode.IsLower(third)
}
