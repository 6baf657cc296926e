package markdown

import (
	"strconv"
	"strings"
	"unicode"
)

// Slug is a heading's anchor as GitHub makes it: lower case; letters, marks,
// digits, "-" and "_" stay, spaces become "-", all else goes. Slug(Slug(s)) is
// Slug(s).
func Slug(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range strings.TrimSpace(s) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' || r == '_':
			b.WriteByte(byte(r))
		case r >= 'A' && r <= 'Z':
			b.WriteByte(byte(r) + 'a' - 'A')
		case r == ' ' || r == '\t' || r == '\n' || r == 0xA0:
			b.WriteByte('-')
		case r > 0x7F && (unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r) || unicode.Is(unicode.Pc, r)):
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// slugs hands out anchors, the second "intro" as "intro-1".
type slugs struct {
	used map[string]bool
	next map[string]int
}

func (s *slugs) take(title string) string {
	if s.used == nil {
		s.used, s.next = map[string]bool{}, map[string]int{}
	}
	base := Slug(title)
	if base == "" {
		base = "section"
	}
	id := base
	for n := s.next[base]; s.used[id]; {
		n++
		s.next[base] = n
		id = base + "-" + strconv.Itoa(n)
	}
	s.used[id] = true
	return id
}
