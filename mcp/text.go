package mcp

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// maxHeader is the most characters of one value in a header line.
const maxHeader = 1000

// line makes a text fit into one line of a result: whatever breaks a line,
// changes the direction of text or cannot be seen becomes a space, runs of white
// space become one, and what is longer than maxHeader characters is cut. Names,
// authors and frontmatter go through it, so that none of them begins a line of its
// own in a result.
func line(s string) string { return lineOf(s, maxHeader) }

func lineOf(s string, limit int) string {
	if len(s) <= limit && clean(s) {
		return s
	}
	var b strings.Builder
	n, space := 0, false
	for _, r := range s {
		if blank(r) {
			space = b.Len() > 0
			continue
		}
		if n >= limit {
			b.WriteString("…")
			break
		}
		if space {
			b.WriteByte(' ')
			n, space = n+1, false
		}
		b.WriteRune(r)
		n++
	}
	return b.String()
}

// clean is true of most texts: printable ASCII in which no space stands at an end or
// beside another.
func clean(s string) bool {
	last := byte(' ')
	for i := range len(s) {
		c := s[i]
		if c < ' ' || c > '~' || c == ' ' && last == ' ' {
			return false
		}
		last = c
	}
	return s == "" || last != ' '
}

// blank is true of white space, control and format characters (Unicode's
// categories Z and C). The joiners that scripts and emoji need stay.
func blank(r rune) bool {
	switch {
	case r == '\u200c' || r == '\u200d':
		return false
	case r == utf8.RuneError:
		return false
	}
	return unicode.IsSpace(r) || unicode.In(r, unicode.Z, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs)
}

// lines is line for each of several texts.
func lines(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = line(s)
	}
	return out
}

// indent puts n spaces in front of every line that holds something, so that what
// comes from a page never begins at a result's margin.
func indent(s string, n int) string {
	pad := strings.Repeat(" ", n)
	var b strings.Builder
	b.Grow(len(s) + n)
	for part := range strings.Lines(breaks(s)) {
		if part != "\n" {
			b.WriteString(pad)
		}
		b.WriteString(part)
	}
	return b.String()
}

// breaks turns whatever a reader may take for a line's end into "\n".
func breaks(s string) string {
	if !strings.ContainsAny(s, "\r\v\f\u0085\u2028\u2029") {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch r {
		case '\r', '\v', '\f', '\u0085', '\u2028', '\u2029':
			return '\n'
		}
		return r
	}, s)
}

// cut is at most limit characters of a text, and how many it has.
func cut(s string, limit int) (part string, all int) {
	if len(s) <= limit {
		return s, utf8.RuneCountInString(s)
	}
	for i := range s {
		if all == limit {
			part = s[:i]
		}
		all++
	}
	if all <= limit {
		part = s
	}
	return part, all
}

// timeText is a time as history shows it: ISO 8601 with the zone.
func timeText(t time.Time) string {
	if t.IsZero() {
		return "unknown"
	}
	return t.Format(time.RFC3339)
}

// or is the first text that is not empty.
func or(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}
