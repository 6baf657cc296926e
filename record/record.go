// Package record reads and edits TOML files that people wrote.
//
// github.com/BurntSushi/toml decodes such files; it cannot say where an unknown
// key stands, stops at the first mistake, and cannot change a file without
// rewriting it. This package adds what is missing:
//
//   - Scan finds every key and value of a file with its place in the text. It
//     is a whole scanner of TOML 1.1 (https://toml.io/en/v1.1.0): what it
//     accepts, toml accepts with the same values; a few things that the
//     specification forbids and toml lets through are faults here.
//   - Decode fills a struct and names everything wrong at once: unknown keys
//     with the allowed ones and the nearest, values of a wrong type, values
//     that a type's UnmarshalText refuses; each with file, line and column.
//   - Set and Delete change one key and leave every other byte as it was:
//     comments, order, blank lines, indentation, line endings.
//
// A path names a key from the root: {"grants", "alice"}. An element of an array
// is its index in decimal: {"protect", "0", "path"}. In
//
//	schema = 1            # line 1
//	[grants]
//	alice = "owner"       # since the beginning
//	"did:plc:x" = "viewer"
//
// Set(data, {"grants", "bob"}, "editor") adds the line bob = "editor" below the
// last grant, Set(data, {"grants", "alice"}, "editor") replaces the seven bytes
// "owner" with its quotes, and Delete(data, {"grants", "alice"}) takes out line
// 3 with its comment.
package record

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"wikibot/wiki"
)

// Kind is what a path of a file holds.
type Kind uint8

// The kinds of TOML, all dates and times as one.
const (
	Table Kind = iota + 1
	Array
	String
	Integer
	Float
	Bool
	Time
)

var kindNames = [...]string{"nothing", "a table", "an array", "a string", "an integer", "a float", "a boolean", "a time"}

// String is the kind with its article: "an integer".
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// origin is how a node came to be; TOML allows different things after each.
type origin uint8

const (
	fromRoot    origin = iota
	fromHeader         // [a], [[a]] or an element of [[a]]
	implied            // the a of [a.b]
	dotted             // the a of a.b = 1
	written            // the value of a key
	element            // an element of a written array
	uncountable        // only where a fault was found: hangs nowhere
)

// span is a half-open range of bytes.
type span struct{ start, end int }

type node struct {
	kind    Kind
	origin  origin
	parent  int
	section int  // the header, inline table or root in whose body the key stands
	first   int  // child; 0 for none, since no node has the root below it
	last    int  // child; of an array of tables its newest element
	next    int  // sibling
	count   int  // of an array of tables: the elements so far
	name    span // this part of the key; of an element, its value
	key     span // the whole key as written, with all its dots; of a header, with its brackets
	equals  int  // where the "=" is
	val     span // the value; of a header, its line's brackets
	label   string
	text    string // decoded, of a string
}

// Doc is a scanned file. It is immutable and may be shared.
type Doc struct {
	file  string
	data  string
	nodes []node
	index map[nodeKey]int

	once sync.Once
	ends []int // where each line ends; made by the first question for a line
}

type nodeKey struct {
	parent int
	name   string
}

// Entry is one table, array or value in a Doc.
type Entry struct {
	doc *Doc
	id  int
}

// Root is the table of the whole file.
func (d *Doc) Root() Entry { return Entry{d, 0} }

// Lookup finds the entry at a path.
func (d *Doc) Lookup(path ...string) (Entry, bool) {
	id, rest := d.deepest(path)
	return Entry{d, id}, len(rest) == 0
}

// deepest follows a path as far as it exists.
func (d *Doc) deepest(path []string) (id int, rest []string) {
	for i, name := range path {
		c, ok := d.index[nodeKey{id, name}]
		if !ok {
			return id, path[i:]
		}
		id = c
	}
	return id, nil
}

func (e Entry) node() *node { return &e.doc.nodes[e.id] }

// Kind is what the entry holds.
func (e Entry) Kind() Kind { return e.node().kind }

// Name is the last part of the entry's path: a key, decoded, or an index.
func (e Entry) Name() string { return e.node().label }

// Path is the entry's path from the root.
func (e Entry) Path() []string {
	if e.id == 0 {
		return nil
	}
	return append(Entry{e.doc, e.node().parent}.Path(), e.Name())
}

// Text is a string's value; other kinds give false.
func (e Entry) Text() (string, bool) { return e.node().text, e.node().kind == String }

// Int is an integer's value; other kinds give false.
func (e Entry) Int() (int64, bool) {
	if e.node().kind != Integer {
		return 0, false
	}
	n, err := strconv.ParseInt(e.Raw(), 0, 64)
	return n, err == nil
}

// Raw is the value as it is written.
func (e Entry) Raw() string { return e.doc.data[e.node().val.start:e.node().val.end] }

// Children are the entries directly below a table or an array, in the order in
// which they first appear.
func (e Entry) Children() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for i := e.node().first; i > 0; i = e.doc.nodes[i].next {
			if !yield(Entry{e.doc, i}) {
				return
			}
		}
	}
}

// Position is the line and column, both from 1, columns in bytes, at which the
// entry's key stands.
func (e Entry) Position() (line, column int) { return e.doc.position(e.node().name.start) }

// Fault is a fault of the file at the entry's key.
func (e Entry) Fault(format string, args ...any) wiki.Fault {
	return e.doc.fault(e.node().name.start, format, args...)
}

// FaultAtValue is a fault of the file at the entry's value.
func (e Entry) FaultAtValue(format string, args ...any) wiki.Fault {
	return e.doc.fault(e.node().val.start, format, args...)
}

func (d *Doc) fault(at int, format string, args ...any) wiki.Fault {
	line, column := d.position(at)
	return wiki.Fault{File: d.file, Line: line, Column: column, Text: fmt.Sprintf(format, args...)}
}

// position turns an offset into a line and a column. A hostile file can have as
// many faults as lines, so the lines are counted once.
func (d *Doc) position(at int) (line, column int) {
	d.once.Do(func() {
		for i := range len(d.data) {
			if d.data[i] == '\n' {
				d.ends = append(d.ends, i)
			}
		}
	})
	line, _ = slices.BinarySearch(d.ends, at)
	start := 0
	if line > 0 {
		start = d.ends[line-1] + 1
	}
	return line + 1, at - start + 1
}

// Position is the line and column, both from 1, columns in bytes, of the key at
// a path; ok is false where the file has no such key or is no TOML.
func Position(data []byte, path []string) (line, column int, ok bool) {
	d, faults := Scan("", data)
	if faults != nil {
		return 0, 0, false
	}
	e, ok := d.Lookup(path...)
	if !ok {
		return 0, 0, false
	}
	line, column = e.Position()
	return line, column, true
}

// FormatKey writes a path as a TOML key: bare where it can be, else quoted.
func FormatKey(path ...string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		if parts[i] = p; !bare(p) {
			parts[i] = quote(p)
		}
	}
	return strings.Join(parts, ".")
}

func bare(s string) bool {
	for i := 0; i < len(s); i++ {
		if !bareByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// FormatValue writes a Go value as TOML: string, bool, int, int64, float64,
// time.Time (RFC 3339), []string, []any of these, and strings' named types
// through fmt.Stringer. Anything else, and text that is not UTF-8, is an
// ErrInvalid.
func FormatValue(v any) (string, error) {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return "", wiki.Invalid("value", "%q is not UTF-8", v)
		}
		return quote(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return formatFloat(v), nil
	case time.Time:
		return v.Format(time.RFC3339Nano), nil
	case []string:
		return formatList(v)
	case []any:
		return formatList(v)
	case fmt.Stringer:
		return FormatValue(v.String())
	}
	return "", wiki.Invalid("value", "a value of type %T has no form in TOML here", v)
}

func formatList[T any](list []T) (string, error) {
	parts := make([]string, len(list))
	for i, v := range list {
		s, err := FormatValue(v)
		if err != nil {
			return "", err
		}
		parts[i] = s
	}
	return "[" + strings.Join(parts, ", ") + "]", nil
}

func formatFloat(f float64) string {
	s := strconv.FormatFloat(f, 'g', -1, 64)
	switch s {
	case "+Inf":
		return "inf"
	case "-Inf":
		return "-inf"
	case "NaN":
		return "nan"
	}
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// quote writes a basic string; bytes that are not UTF-8 become U+FFFD, since
// TOML cannot hold them.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
