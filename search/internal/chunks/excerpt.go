package chunks

import (
	"strings"
	"unicode/utf8"
)

// maxWordBack is how many bytes are given up at most for a word to stay whole.
const maxWordBack = 40

// excerpt chooses the part [from, to) of a text, of at most max characters, that
// holds the best marks and what stands around them.
func excerpt(text string, marks [][2]int, max int) (from, to int) {
	if utf8.RuneCountInString(text) <= max {
		return 0, len(text)
	}
	low, high := densest(text, marks, max)
	room := max - utf8.RuneCountInString(text[low:high])
	from = sentenceStart(text, back(text, low, room*2/3), low)
	if from < 0 {
		from = wordStart(text, back(text, low, room/3), low)
	}
	to = forward(text, from, max)
	if to == len(text) {
		from = min(from, wordStart(text, back(text, to, max), low))
		return from, to
	}
	return from, wordEnd(text, to, high)
}

// densest is from the first to the last of those marks, within max characters,
// that are the most different ones, and then the most.
func densest(text string, marks [][2]int, max int) (low, high int) {
	best, first, width := 0, 0, 0
	seen := map[string]int{}
	different := 0
	for i, m := range marks {
		key := strings.ToLower(text[m[0]:m[1]])
		if i > 0 {
			width += utf8.RuneCountInString(text[marks[i-1][1]:m[0]])
		}
		width += utf8.RuneCountInString(text[m[0]:m[1]])
		if seen[key]++; seen[key] == 1 {
			different++
		}
		for width > max && first < i {
			out := marks[first]
			key := strings.ToLower(text[out[0]:out[1]])
			if seen[key]--; seen[key] == 0 {
				different--
			}
			width -= utf8.RuneCountInString(text[out[0]:marks[first+1][0]])
			first++
		}
		if score := maxMarks*different + i - first + 1; score > best {
			best, low, high = score, marks[first][0], m[1]
		}
	}
	return low, min(high, forward(text, low, max))
}

// back and forward are the place so many characters before or after another.
func back(text string, at, n int) int {
	for ; n > 0 && at > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(text[:at])
		at -= size
	}
	return at
}

func forward(text string, at, n int) int {
	for ; n > 0 && at < len(text); n-- {
		_, size := utf8.DecodeRuneInString(text[at:])
		at += size
	}
	return at
}

// sentenceStart is the beginning of a sentence nearest before high, not before
// low; -1 if there is none.
func sentenceStart(text string, low, high int) int {
	for at := high; at >= low; at-- {
		switch {
		case at == 0:
			return 0
		case text[at-1] == ' ' && endsSentence([]byte(text[max(0, at-8):at])):
			return at
		}
	}
	return -1
}

// wordStart is the beginning of a word at or after a place, at most high.
func wordStart(text string, at, high int) int {
	if at == 0 || text[at-1] == ' ' {
		return at
	}
	if i := strings.IndexByte(text[at:min(high, at+maxWordBack)], ' '); i >= 0 {
		return at + i + 1
	}
	return at
}

// wordEnd is the end of a word at or before a place, at least low.
func wordEnd(text string, at, low int) int {
	if at == len(text) || text[at] == ' ' {
		return at
	}
	low = max(low, at-maxWordBack)
	if i := strings.LastIndexByte(text[low:at], ' '); i >= 0 {
		return low + i
	}
	return at
}
