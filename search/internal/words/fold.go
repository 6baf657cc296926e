package words

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// fold is NFKC and the case folding of Unicode, without whatever is no part of a
// word afterwards (a ligature may unfold into several words and spaces). Typed
// and printed apostrophes become one. It is "" where nothing is left.
func (d dialect) fold(s string) string {
	if isASCII(s) && !d.dotted {
		return truncated(kept(strings.ToLower(s)))
	}
	s = norm.NFKC.String(s)
	if d.dotted {
		s = cases.Lower(language.Turkish).String(s)
	} else {
		s = cases.Fold().String(s)
	}
	return truncated(kept(norm.NFKC.String(s)))
}

// kept drops whatever is neither letter, digit, mark nor apostrophe, nor a point
// within a number.
func kept(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '’' || r == '＇':
			return '\''
		case r == '\'' || r == '.' || inWord(r):
			return r
		}
		return -1
	}, s)
}

// truncated is the beginning of a word that is too long.
func truncated(s string) string {
	if len(s) <= MaxWord {
		return s
	}
	n := MaxWord
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func inWord(r rune) bool {
	if r < utf8.RuneSelf {
		return isAlnum(byte(r))
	}
	return unicode.IsLetter(r) || unicode.IsNumber(r) || unicode.IsMark(r)
}

// isMark counts the voicing marks of narrow Kana as what they are wide.
func isMark(r rune) bool { return unicode.IsMark(r) || r == 'ﾞ' || r == 'ﾟ' }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool { return isLetter(c) || isDigit(c) }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isLetter(c byte) bool {
	c |= 0x20
	return 'a' <= c && c <= 'z'
}

// wordlike reports whether a stemmer may see a word: letters, marks and
// apostrophes only.
func wordlike(s string) bool {
	for _, r := range s {
		if r != '\'' && !unicode.IsLetter(r) && !unicode.IsMark(r) || r == utf8.RuneError {
			return false
		}
	}
	return true
}

// withoutMarks drops the accents of Latin, Greek and Cyrillic letters, the vowel
// points of Hebrew and Arabic, and Arabic's tatweel. The й of Cyrillic stays, and
// so do the vowel signs of Indic scripts, which are letters in all but name.
func withoutMarks(s string) string {
	if isASCII(s) {
		return s
	}
	var b strings.Builder
	var before rune
	for _, r := range norm.NFD.String(s) {
		switch {
		case r == '\u0306' && (before == 'и' || before == 'И'):
		case r >= '\u0300' && r <= '\u036f', // accents
			r >= '\u0591' && r <= '\u05c7' && unicode.IsMark(r),          // Hebrew
			r >= '\u064b' && r <= '\u065f', r == '\u0670', r == '\u0640': // Arabic
			continue
		}
		b.WriteRune(r)
		before = r
	}
	if b.Len() == 0 {
		return s
	}
	return norm.NFC.String(b.String())
}
