package record

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// value reads a value and adds it as the child p of parent; n carries what is
// known of the key.
func (s *scanner) value(parent int, p part, n node) *syntax {
	start := s.pos
	var err *syntax
	switch c := s.peek(); c {
	case '[':
		n.kind = Array
		return s.array(parent, p, n)
	case '{':
		n.kind = Table
		return s.inline(parent, p, n)
	case '"', '\'':
		n.kind = String
		if tripled(s.s[s.pos:], c) {
			n.text, err = s.multiLine(c)
		} else {
			n.text, err = s.oneLine(c)
		}
	default:
		n.kind, err = s.scalar()
	}
	if err != nil {
		return err
	}
	n.val = span{start, s.pos}
	s.add(parent, p, n)
	return nil
}

func (s *scanner) deeper() *syntax {
	if s.depth++; s.depth > maxDepth {
		return bad(s.pos, "arrays and tables are nested more than %d deep", maxDepth)
	}
	return nil
}

func (s *scanner) array(parent int, p part, n node) *syntax {
	if err := s.deeper(); err != nil {
		return err
	}
	start := s.pos
	id := s.add(parent, p, n)
	s.pos++
	for count := 0; ; count++ {
		s.blank()
		if s.peek() == ']' {
			break
		}
		e := node{origin: element, section: id, equals: s.pos}
		at := span{s.pos, s.pos}
		if err := s.value(id, part{strconv.Itoa(count), at}, e); err != nil {
			return err
		}
		s.blank()
		if s.peek() == ',' {
			s.pos++
		} else if s.peek() != ']' {
			return bad(s.pos, "expected \",\" or \"]\" in the array, found %s", s.found())
		}
	}
	s.pos++
	s.depth--
	s.d.nodes[id].val = span{start, s.pos}
	return nil
}

func (s *scanner) inline(parent int, p part, n node) *syntax {
	if err := s.deeper(); err != nil {
		return err
	}
	start := s.pos
	id := s.add(parent, p, n)
	s.pos++
	for {
		s.blank()
		if s.peek() == '}' {
			break
		}
		if err := s.statement(id); err != nil {
			return err
		}
		s.blank()
		if s.peek() == ',' {
			s.pos++
		} else if s.peek() != '}' {
			return bad(s.pos, "expected \",\" or \"}\" in the inline table, found %s", s.found())
		}
	}
	s.pos++
	s.depth--
	s.d.nodes[id].val = span{start, s.pos}
	return nil
}

func tripled(s string, c byte) bool {
	return len(s) > 2 && s[0] == c && s[1] == c && s[2] == c
}

// oneLine reads "…" or '…'.
func (s *scanner) oneLine(quote byte) (string, *syntax) {
	start := s.pos
	s.pos++
	escaped := false
	for ; s.pos < len(s.s) && s.s[s.pos] != '\n'; s.pos++ {
		switch c := s.s[s.pos]; {
		case c == quote:
			text := s.s[start+1 : s.pos]
			s.pos++
			if escaped {
				return unescape(text, start+1)
			}
			return text, nil
		case c == '\\' && quote == '"':
			escaped = true
			s.pos++
			if s.peek() == '\n' || s.pos == len(s.s) {
				s.pos--
			}
		}
	}
	return "", bad(start, "the string is not closed: it lacks its final %c", quote)
}

// multiLine reads a string between three quotes of either kind.
func (s *scanner) multiLine(quote byte) (string, *syntax) {
	start := s.pos
	s.pos += 3
	body := s.pos
	for s.pos < len(s.s) {
		switch c := s.s[s.pos]; {
		case c == '\\' && quote == '"':
			s.pos = min(s.pos+2, len(s.s))
		case c == quote:
			run := s.pos
			for s.pos < len(s.s) && s.s[s.pos] == quote {
				s.pos++
			}
			switch n := s.pos - run; {
			case n > 5:
				return "", bad(run, "too many quotes in a row: at most two may stand before the three that end the string")
			case n >= 3:
				text := s.s[body : s.pos-3]
				text = strings.TrimPrefix(strings.TrimPrefix(text, "\r"), "\n")
				if quote == '\'' || strings.IndexByte(text, '\\') < 0 {
					return text, nil
				}
				return unescape(text, s.pos-3-len(text))
			}
		default:
			s.pos++
		}
	}
	return "", bad(start, "the string is not closed: it lacks its final %s", strings.Repeat(string(quote), 3))
}

const escapes = "b\bt\tn\nf\fr\re\x1b\"\"\\\\"

// unescape decodes the inside of a basic string; at is where it begins. A
// backslash at a line's end swallows the space after it.
func unescape(s string, at int) (string, *syntax) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		if i+1 == len(s) {
			return "", bad(at+i, "the string ends in a lone backslash; write two")
		}
		c := s[i+1]
		if n := strings.IndexByte("xuU", c); n >= 0 {
			digits := 2 << n
			r, err := strconv.ParseUint(s[min(i+2, len(s)):min(i+2+digits, len(s))], 16, 32)
			if err != nil || i+2+digits > len(s) || !utf8.ValidRune(rune(r)) {
				return "", bad(at+i, "\\%c needs %d hexadecimal digits that name a character", c, digits)
			}
			b.WriteRune(rune(r))
			i += 1 + digits
			continue
		}
		if n := escapeIndex(c); n >= 0 {
			b.WriteByte(escapes[n+1])
			i++
			continue
		}
		rest := strings.TrimLeft(s[i+1:], " \t\r\n")
		if skipped := s[i+1 : len(s)-len(rest)]; strings.IndexByte(skipped, '\n') < 0 {
			return "", bad(at+i, "\\%c is no escape: write \\\\ for a backslash, or put the string in single quotes", rune(c))
		}
		i = len(s) - len(rest) - 1
	}
	return b.String(), nil
}

func escapeIndex(c byte) int {
	for i := 0; i < len(escapes); i += 2 {
		if escapes[i] == c {
			return i
		}
	}
	return -1
}

// scalar reads a boolean, a number or a time.
func (s *scanner) scalar() (Kind, *syntax) {
	start := s.pos
	for s.pos < len(s.s) && (bareByte(s.s[s.pos]) || strings.IndexByte("+.:", s.s[s.pos]) >= 0) {
		s.pos++
	}
	word := s.s[start:s.pos]
	if localDate(word) && s.pos+1 < len(s.s) && s.s[s.pos] == ' ' && digit(s.s[s.pos+1]) {
		for s.pos++; s.pos < len(s.s) && (bareByte(s.s[s.pos]) || strings.IndexByte("+.:", s.s[s.pos]) >= 0); s.pos++ {
		}
		word = s.s[start:s.pos]
	}
	switch {
	case word == "true" || word == "false":
		return Bool, nil
	case word == "":
		return 0, bad(start, "expected a value, found %s", s.found())
	case isTime(word):
		return Time, nil
	case isInteger(word):
		if _, err := strconv.ParseInt(word, 0, 64); err != nil {
			return 0, bad(start, "the integer %s does not fit into 64 bits", word)
		}
		return Integer, nil
	case isFloat(word):
		if _, err := strconv.ParseFloat(strings.ReplaceAll(sign(word), "_", ""), 64); err != nil {
			return 0, bad(start, "the number %s is too large", word)
		}
		return Float, nil
	}
	return 0, bad(start, "%q is not a value: text stands in quotes, numbers have no leading zero, a time reads 2026-01-31T12:00:00Z", word)
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// digits eats digits of a base with single "_" between them; the rest is
// returned, ok is false where there are none.
func digits(s string, in string) (rest string, ok bool) {
	for i := 0; ; i++ {
		switch {
		case i < len(s) && strings.IndexByte(in, s[i]) >= 0:
			ok = true
		case i+1 < len(s) && s[i] == '_' && ok && strings.IndexByte(in, s[i+1]) >= 0:
		default:
			return s[i:], ok
		}
	}
}

const decimal = "0123456789"

func sign(s string) string {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		return s[1:]
	}
	return s
}

// whole eats a decimal integer without sign and without a leading zero.
func whole(s string) (rest string, ok bool) {
	rest, ok = digits(s, decimal)
	if len(s)-len(rest) > 1 && s[0] == '0' {
		return s, false
	}
	return rest, ok
}

func isInteger(s string) bool {
	in := ""
	if len(s) > 2 && s[0] == '0' {
		in = map[byte]string{'x': "0123456789abcdefABCDEF", 'o': "01234567", 'b': "01"}[s[1]]
	}
	if in != "" {
		rest, ok := digits(s[2:], in)
		return ok && rest == ""
	}
	rest, ok := whole(sign(s))
	return ok && rest == ""
}

func isFloat(s string) bool {
	s = sign(s)
	if s == "inf" || s == "nan" {
		return true
	}
	s, ok := whole(s)
	if ok && strings.HasPrefix(s, ".") {
		s, ok = digits(s[1:], decimal)
	}
	if ok && s != "" && (s[0] == 'e' || s[0] == 'E') {
		s, ok = digits(sign(s[1:]), decimal)
	}
	return ok && s == ""
}

// shaped reports whether s has the digits ("0") and marks of form.
func shaped(s, form string) bool {
	if len(s) != len(form) {
		return false
	}
	for i := 0; i < len(s); i++ {
		if form[i] == '0' && !digit(s[i]) || form[i] != '0' && form[i] != s[i] {
			return false
		}
	}
	return true
}

func localDate(s string) bool {
	if !shaped(s, "0000-00-00") {
		return false
	}
	_, err := time.Parse(time.DateOnly, s)
	return err == nil
}

// localTime accepts 15:04, 15:04:05 and fractions of a second.
func localTime(s string) bool {
	if len(s) == 5 {
		s += ":00"
	}
	clock, fraction, found := strings.Cut(s, ".")
	if found {
		rest, ok := digits(fraction, decimal)
		if !ok || rest != "" || strings.Contains(fraction, "_") {
			return false
		}
	}
	if !shaped(clock, "00:00:00") {
		return false
	}
	_, err := time.Parse(time.TimeOnly, clock)
	return err == nil
}

func isTime(s string) bool {
	if len(s) < 5 || !digit(s[0]) {
		return false
	}
	if len(s) <= 10 || s[2] == ':' {
		return localDate(s) || localTime(s)
	}
	if !localDate(s[:10]) || strings.IndexByte("Tt ", s[10]) < 0 {
		return false
	}
	clock := s[11:]
	switch n := len(clock); {
	case clock != "" && (clock[n-1] == 'Z' || clock[n-1] == 'z'):
		clock = clock[:n-1]
	case n > 6 && (shaped(clock[n-6:], "+00:00") || shaped(clock[n-6:], "-00:00")):
		if _, err := time.Parse("15:04", clock[n-5:]); err != nil {
			return false
		}
		clock = clock[:n-6]
	}
	return localTime(clock)
}
