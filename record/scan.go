package record

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"wikibot/wiki"
)

// maxDepth bounds arrays in arrays, so that a hostile file cannot exhaust the
// stack.
const maxDepth = 100

// Scan finds every key and value of a TOML file. A mistake of syntax ends the
// scan; keys defined twice are all named. With faults the Doc is not usable.
// Cost: linear in the bytes; memory about 50 times a file of short keys.
func Scan(file string, data []byte) (*Doc, wiki.Faults) {
	text := string(data)
	lines := strings.Count(text, "\n") + 4
	d := &Doc{file: file, data: text, nodes: make([]node, 1, lines), index: make(map[nodeKey]int, lines)}
	d.nodes[0] = node{kind: Table, origin: fromRoot, parent: -1}
	s := &scanner{d: d, s: text}
	if err := s.characters(); err != nil {
		return d, wiki.Faults{d.fault(err.at, "%s", err.text)}
	}
	if err := s.top(); err != nil {
		return d, append(s.faults, d.fault(err.at, "%s", err.text))
	}
	return d, s.faults
}

type syntax struct {
	at   int
	text string
}

func bad(at int, format string, args ...any) *syntax {
	return &syntax{at, fmt.Sprintf(format, args...)}
}

type scanner struct {
	d      *Doc
	s      string
	pos    int
	depth  int
	parts  []part // the key read last; reused
	faults wiki.Faults
}

// part is one component of a dotted key.
type part struct {
	name string
	at   span
}

// characters refuses what TOML forbids everywhere: bytes that are not UTF-8,
// control characters, a carriage return without its line feed.
func (s *scanner) characters() *syntax {
	ascii := true
	for i := 0; i < len(s.s); i++ {
		c := s.s[i]
		switch {
		case c >= utf8.RuneSelf:
			ascii = false
		case c >= 0x20 && c != 0x7f || c == '\n' || c == '\t':
		case c == '\r' && i+1 < len(s.s) && s.s[i+1] == '\n':
		default:
			return bad(i, "the control character U+%04X may not be in a TOML file: remove it, or write it as an escape in a string", c)
		}
	}
	if !ascii && !utf8.ValidString(s.s) {
		i := 0
		for i < len(s.s) {
			r, w := utf8.DecodeRuneInString(s.s[i:])
			if r == utf8.RuneError && w == 1 {
				break
			}
			i += w
		}
		return bad(i, "the byte 0x%02x is not UTF-8: save the file as UTF-8", s.s[min(i, len(s.s)-1)])
	}
	return nil
}

// top reads the whole file, statement by statement.
func (s *scanner) top() *syntax {
	if strings.HasPrefix(s.s, "\ufeff") {
		s.pos = len("\ufeff")
	}
	section := 0
	for {
		s.blank()
		if s.pos == len(s.s) {
			return nil
		}
		var err *syntax
		if s.s[s.pos] == '[' {
			section, err = s.header()
		} else {
			err = s.statement(section)
		}
		if err == nil {
			err = s.lineEnd()
		}
		if err != nil {
			return err
		}
	}
}

func (s *scanner) peek() byte {
	if s.pos < len(s.s) {
		return s.s[s.pos]
	}
	return 0
}

// space skips spaces and tabs.
func (s *scanner) space() {
	for s.pos < len(s.s) && (s.s[s.pos] == ' ' || s.s[s.pos] == '\t') {
		s.pos++
	}
}

// blank skips spaces, line ends and comments.
func (s *scanner) blank() { s.pos = skipBlank(s.s, s.pos) }

func skipBlank(text string, pos int) int {
	for pos < len(text) {
		switch text[pos] {
		case ' ', '\t', '\n', '\r':
			pos++
		case '#':
			if n := strings.IndexByte(text[pos:], '\n'); n >= 0 {
				pos += n
			} else {
				pos = len(text)
			}
		default:
			return pos
		}
	}
	return pos
}

// lineEnd demands that nothing but a comment follows on the line.
func (s *scanner) lineEnd() *syntax {
	s.space()
	switch c := s.peek(); {
	case s.pos == len(s.s), c == '#', c == '\n', c == '\r':
		return nil
	default:
		return bad(s.pos, "expected the end of the line, found %s: one key stands on each line", s.found())
	}
}

// found describes what stands at the position, for a message.
func (s *scanner) found() string {
	if s.pos >= len(s.s) {
		return "the end of the file"
	}
	r, _ := utf8.DecodeRuneInString(s.s[s.pos:])
	if r == '\n' || r == '\r' {
		return "the end of the line"
	}
	return strconv.QuoteRune(r)
}

// header reads [a.b] or [[a.b]] and returns the table that it opens.
func (s *scanner) header() (int, *syntax) {
	start, list := s.pos, false
	if s.pos++; s.peek() == '[' {
		list = true
		s.pos++
	}
	if err := s.key(); err != nil {
		return 0, err
	}
	if s.peek() != ']' || list && !strings.HasPrefix(s.s[s.pos:], "]]") {
		return 0, bad(s.pos, "expected %q at the end of the table's name, found %s", map[bool]string{false: "]", true: "]]"}[list], s.found())
	}
	if s.pos++; list {
		s.pos++
	}
	n := node{origin: fromHeader, key: span{start, s.pos}, val: span{start, s.pos}}
	at := 0
	for _, p := range s.parts[:len(s.parts)-1] {
		at = s.descend(at, p, n)
	}
	last := s.parts[len(s.parts)-1]
	if list {
		return s.openElement(at, last, n), nil
	}
	return s.openTable(at, last, n), nil
}

// descend goes from a table to the one below it on the way of a header.
func (s *scanner) descend(at int, p part, n node) int {
	id, ok := s.child(at, p.name)
	if !ok {
		n.kind, n.origin = Table, implied
		return s.add(at, p, n)
	}
	switch c := s.d.nodes[id]; {
	case c.kind == Array && c.origin == fromHeader:
		return c.last
	case c.kind == Table && c.origin <= dotted:
		return id
	}
	return s.twice(p, id, n)
}

func (s *scanner) openTable(at int, p part, n node) int {
	n.kind = Table
	id, ok := s.child(at, p.name)
	if !ok {
		return s.add(at, p, n)
	}
	c := &s.d.nodes[id]
	if c.kind != Table || c.origin != implied {
		return s.twice(p, id, n)
	}
	c.origin, c.key, c.val, c.name = fromHeader, n.key, n.val, p.at
	return id
}

func (s *scanner) openElement(at int, p part, n node) int {
	id, ok := s.child(at, p.name)
	if !ok {
		list := n
		list.kind = Array
		id = s.add(at, p, list)
	} else if c := s.d.nodes[id]; c.kind != Array || c.origin != fromHeader {
		return s.twice(p, id, n)
	}
	n.kind = Table
	list := &s.d.nodes[id]
	p.name = strconv.Itoa(list.count)
	list.count++
	return s.add(id, p, n)
}

// statement reads key = value in the body of a table.
func (s *scanner) statement(section int) *syntax {
	start := s.pos
	if err := s.key(); err != nil {
		return err
	}
	n := node{origin: written, section: section, key: span{start, s.keyEnd()}, equals: s.pos}
	if s.peek() != '=' {
		return bad(s.pos, "expected \"=\" after the key, found %s", s.found())
	}
	s.pos++
	s.space()
	at := section
	for _, p := range s.parts[:len(s.parts)-1] {
		at = s.dot(at, p, n)
	}
	last := s.parts[len(s.parts)-1]
	if id, ok := s.child(at, last.name); ok {
		at = s.twice(last, id, n)
	}
	return s.value(at, last, n)
}

func (s *scanner) keyEnd() int { return s.parts[len(s.parts)-1].at.end }

// dot goes from a table to the one below it on the way of a dotted key, which
// may extend only tables that dotted keys have made.
func (s *scanner) dot(at int, p part, n node) int {
	id, ok := s.child(at, p.name)
	if !ok {
		n.kind, n.origin = Table, dotted
		return s.add(at, p, n)
	}
	if c := s.d.nodes[id]; c.kind != Table || c.origin != dotted {
		return s.twice(p, id, n)
	}
	return id
}

// key reads a dotted key into s.parts and the space after it.
func (s *scanner) key() *syntax {
	s.parts = s.parts[:0]
	for {
		s.space()
		p, err := s.keyPart()
		if err != nil {
			return err
		}
		s.parts = append(s.parts, p)
		if s.space(); s.peek() != '.' {
			return nil
		}
		s.pos++
	}
}

func (s *scanner) keyPart() (part, *syntax) {
	start := s.pos
	if c := s.peek(); c == '"' || c == '\'' {
		text, err := s.oneLine(c)
		return part{text, span{start, s.pos}}, err
	}
	for s.pos < len(s.s) && bareByte(s.s[s.pos]) {
		s.pos++
	}
	if s.pos == start {
		return part{}, bad(s.pos, "expected a key, found %s: a key has letters, digits, \"-\" and \"_\", or stands in quotes", s.found())
	}
	return part{s.s[start:s.pos], span{start, s.pos}}, nil
}

func bareByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

func (s *scanner) child(parent int, name string) (int, bool) {
	id, ok := s.d.index[nodeKey{parent, name}]
	return id, ok
}

func (s *scanner) add(parent int, p part, n node) int {
	id := len(s.d.nodes)
	n.parent, n.label, n.name = parent, p.name, p.at
	s.d.nodes = append(s.d.nodes, n)
	s.d.index[nodeKey{parent, p.name}] = id
	above := &s.d.nodes[parent]
	if above.first == 0 {
		above.first = id
	} else {
		s.d.nodes[above.last].next = id
	}
	above.last = id
	return id
}

// twice notes that a key is defined again and returns a table that hangs
// nowhere, so that the scan can go on.
func (s *scanner) twice(p part, first int, n node) int {
	line, _ := s.d.position(s.d.nodes[first].name.start)
	s.faults = append(s.faults, s.d.fault(p.at.start, "the key %s is defined already on line %d: remove one of the two", FormatKey(p.name), line))
	n.kind, n.origin, n.parent, n.label, n.name = Table, uncountable, -1, p.name, p.at
	s.d.nodes = append(s.d.nodes, n)
	return len(s.d.nodes) - 1
}
