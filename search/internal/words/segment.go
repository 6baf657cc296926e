package words

import (
	"unicode"
	"unicode/utf8"

	uax29 "github.com/clipperhouse/uax29/v2/words"
)

// Segments calls fn for each stretch of a text that can be analysed by itself,
// whatever stands around it: a word of UAX #29, several of them joined by hyphens
// (full-text), or a run of a script without spaces. So what Analyze makes of a
// segment may be kept and used again. Bytes that are no UTF-8 are boundaries.
//
// Most text is ASCII between spaces, where the rules are a few lines; whatever
// touches another character goes through the tables of Unicode.
func Segments(text string, fn func(start, end int)) {
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf && !isAlnum(c) && c != '_' {
			i++
			continue
		}
		end, plain := len(text), false
		if c < utf8.RuneSelf {
			end, plain = asciiSegment(text, i)
		}
		if plain {
			fn(i, end)
			i = end
			continue
		}
		end = i
		for end < len(text) && text[end] != ' ' && text[end] != '\n' {
			end++
		}
		unicodeSegments(text, i, end, fn)
		i = end
	}
}

// asciiSegment finds the end of the segment that begins at i, and whether it
// could: not where a character beyond ASCII may have a say.
//
// The rules are WB5 to WB13b of UAX #29 for ASCII: . ' : join letters, and
// . ' , ; join digits, and _ joins everything; and - joins words to a segment.
func asciiSegment(text string, i int) (end int, plain bool) {
	for {
		for i < len(text) && (isAlnum(text[i]) || text[i] == '_') {
			i++
		}
		if i == len(text) {
			return i, true
		}
		if text[i] >= utf8.RuneSelf {
			return 0, false
		}
		if i+1 == len(text) {
			return i, true
		}
		last, next := text[i-1], text[i+1]
		var joins bool
		switch text[i] {
		case '.', '\'':
			joins = isLetter(last) && isLetter(next) || isDigit(last) && isDigit(next)
		case ':':
			joins = isLetter(last) && isLetter(next)
		case ',', ';':
			joins = isDigit(last) && isDigit(next)
		case '-':
			joins = isAlnum(next) || next == '_'
		default:
			return i, true
		}
		if next >= utf8.RuneSelf {
			return 0, false
		}
		if !joins {
			return i, true
		}
		i++
	}
}

// unicodeSegments does the same for text[i:end], by the tables of UAX #29.
func unicodeSegments(text string, i, end int, fn func(start, end int)) {
	for i < end {
		n := i
		for n < end {
			r, size := utf8.DecodeRuneInString(text[n:end])
			if r == utf8.RuneError && size == 1 {
				break
			}
			n += size
		}
		if n > i {
			joinWords(text, i, n, fn)
		}
		i = n + 1
	}
}

// joinWords goes through the words of UAX #29 in text[from:to], which is UTF-8,
// and joins those with one hyphen between them and those with nothing between
// them: of a script without spaces, each character is a word to UAX #29.
func joinWords(text string, from, to int, fn func(start, end int)) {
	start, end := from, from // the segment so far; empty where there is none
	hyphen := false          // text[end:] begins with a hyphen that may join
	it := uax29.FromString(text[from:to])
	for it.Next() {
		s, e := from+it.Start(), from+it.End()
		r, size := utf8.DecodeRuneInString(text[s:])
		kind := kindOf(text[s:e])
		switch {
		case kind == other && start < end && !hyphen && size == e-s && isHyphen(r):
			hyphen = true
			continue
		case kind == other:
		case start < end && (hyphen || s == end):
			end, hyphen = e, false
			continue
		}
		if start < end {
			fn(start, end)
		}
		start, end, hyphen = s, e, false
		if kind == other {
			start = end
		}
	}
	if start < end {
		fn(start, end)
	}
}

// kind is what a word of UAX #29 is to us.
type kind uint8

const (
	other kind = iota // spaces, signs
	word              // letters, digits, _
)

func kindOf(s string) kind {
	for _, r := range s {
		if r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) {
			return word
		}
	}
	return other
}

// isHyphen: the hyphens of keyboards, of Unicode, and the one that does not break.
func isHyphen(r rune) bool { return r == '-' || r == '\u2010' || r == '\u2011' }

// isUnspaced reports whether a letter's script writes no spaces between words, or,
// as Korean does, none before particles.
func isUnspaced(r rune) bool {
	if r < 0x0e00 || r >= 0x1a00 && r < 0x2e80 { // most letters and signs
		return false
	}
	if r >= 0x4e00 && r <= 0x9fff || r >= 0xac00 && r <= 0xd7a3 {
		return true
	}
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) &&
		unicode.IsLetter(r) || r == 'ー' || r == 'ｰ'
}
