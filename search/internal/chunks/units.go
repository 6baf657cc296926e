package chunks

import (
	"unicode"
	"unicode/utf8"
)

// maxUnit is the most bytes of a unit, and of what stands between two.
const maxUnit = 64

// units reads a text word by word.
type units struct {
	src     []byte
	at, end int
	gap     int // where the last word ended
}

// Classes of bytes.
const (
	isSpace = iota
	isMark  // punctuation and symbols
	isWord
	isWide // part of a character beyond ASCII
)

// next gives the bytes [start, stop) of the next word, with the punctuation that
// touches it. Every 64 bytes without a word are given as one.
func (u *units) next() (start, stop int, ok bool) {
	start = u.at
	for u.at < u.end {
		if u.at-u.gap >= maxUnit {
			start, u.gap = u.gap, u.at
			return start, u.at, true
		}
		class, _, n := u.class()
		if class == isWord {
			u.gap = u.word(start)
			return start, u.gap, true
		}
		u.at += n
		if class == isSpace {
			start = u.at
		}
	}
	return 0, 0, false
}

// word goes to the end, and tells it, of the word that began at start.
func (u *units) word(start int) int {
	quarters := 0
	for u.at < u.end {
		class, weight, n := u.class()
		if class == isSpace || u.at+n-start > maxUnit && u.at > start {
			break
		}
		if weight > 0 {
			if quarters+weight > 4 {
				break
			}
			quarters += weight
		}
		u.at += n
	}
	return u.at
}

// class is the class of the present character, how many quarters of a word it is
// in a script without spaces, and its length.
func (u *units) class() (class, weight, size int) {
	c := u.src[u.at]
	if class := classes[c]; class != isWide {
		return int(class), 0, 1
	}
	r, n := utf8.DecodeRune(u.src[u.at:u.end])
	if r >= 0x0E00 {
		weight = spaceless(r)
	}
	switch {
	case weight > 0 || r >= 0xC0 && r < 0x1680:
		return isWord, weight, n
	case unicode.IsSpace(r):
		return isSpace, 0, n
	case unicode.IsPunct(r) || r == utf8.RuneError && n == 1:
		return isMark, 0, n
	}
	return isWord, 0, n
}

// spaceless is how many quarters of a word a letter is in a script that does not
// put spaces between words; 0 in others.
func spaceless(r rune) int {
	switch {
	case r >= 0x0E00 && r < 0x0F00, r >= 0x1000 && r < 0x10A0, r >= 0x1780 && r < 0x1800:
		return 1
	case r >= 0x3040 && r < 0x3100, r >= 0x3400 && r < 0xA000, r >= 0xF900 && r < 0xFB00, r >= 0x20000 && r < 0x40000:
		return 2
	}
	return 0
}

var classes = func() (t [256]byte) {
	for c := range t {
		switch {
		case c == ' ' || c >= '\t' && c <= '\r':
			t[c] = isSpace
		case c >= utf8.RuneSelf:
			t[c] = isWide
		case c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z':
			t[c] = isWord
		default:
			t[c] = isMark
		}
	}
	return t
}()

func countUnits(src []byte, from, to int) (n int) {
	u := units{src, from, to, from}
	for {
		if _, _, ok := u.next(); !ok {
			return n
		}
		n++
	}
}
