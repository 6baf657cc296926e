package record

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"wikibot/wiki"
)

// Set returns the file with the key at path holding value (see FormatValue for
// what it may be). A key that exists has its value replaced where it stands. A
// new key goes below the last one of its table, in the manner of its
// neighbours; a table that does not exist is added at the end of the file.
//
// Every other byte stays, and the result is decoded and compared before it is
// returned. A path that leads through or to something else than it should (a
// table, an element of an array, a string) is an ErrInvalid, and so is a file
// that is no TOML.
func Set(data []byte, path []string, value any) ([]byte, error) {
	text, err := FormatValue(value)
	if err != nil {
		return nil, err
	}
	d, faults := Scan("", data)
	if faults != nil {
		return nil, faults
	}
	if len(path) == 0 || !utf8.ValidString(strings.Join(path, "")) {
		return nil, wiki.Invalid("key", "the key %q is empty or not UTF-8", path)
	}
	out, err := d.set(path, text)
	if err != nil {
		return nil, err
	}
	return out, checkSet(data, out, path, text)
}

// Delete returns the file without the key at path: its line goes, with the
// comment at its end; every other byte stays. A table or an element of an array
// is an ErrInvalid, a key that is not there an ErrNotFound.
func Delete(data []byte, path []string) ([]byte, error) {
	d, faults := Scan("", data)
	if faults != nil {
		return nil, faults
	}
	id, rest := d.deepest(path)
	if len(rest) > 0 {
		return nil, wiki.NotFound("the key %s is not in the file", FormatKey(path...))
	}
	n := &d.nodes[id]
	if n.origin != written {
		return nil, wiki.Invalid("key", "%s is %s that has no line of its own: edit the file by hand", FormatKey(path...), n.kind)
	}
	var out string
	if d.nodes[n.section].origin == written || d.nodes[n.section].origin == element {
		out = d.deleteInline(n)
	} else {
		start, end := d.line(n)
		out = d.data[:start] + d.data[end:]
	}
	return []byte(out), checkDelete(data, []byte(out), path)
}

func (d *Doc) set(path []string, text string) ([]byte, error) {
	id, rest := d.deepest(path)
	n := &d.nodes[id]
	if len(rest) == 0 {
		if n.kind == Table || n.origin == fromHeader {
			return nil, wiki.Invalid("key", "%s is %s and cannot be given a value: edit the file by hand", FormatKey(path...), n.kind)
		}
		return d.insert(n.val.start, n.val.end, text), nil
	}
	if n.kind != Table {
		done := path[:len(path)-len(rest)]
		return nil, wiki.Invalid("key", "%s is %s and has no key %s", FormatKey(done...), n.kind, FormatKey(rest...))
	}
	switch {
	case n.origin == written || n.origin == element:
		return d.addInline(id, FormatKey(rest...)+" = "+text), nil
	case n.origin == dotted:
		return d.addDotted(id, rest, text), nil
	case n.origin == implied && d.inList(id):
		return d.addBefore(id, path, text), nil
	case n.origin == implied || len(rest) > 1 && !d.inList(id):
		return d.addSection(path, text), nil
	}
	return d.addLine(id, rest, text), nil
}

// insert replaces the bytes from start to end.
func (d *Doc) insert(start, end int, text string) []byte {
	return []byte(d.data[:start] + text + d.data[end:])
}

// inList reports whether the table lies in an array of tables, where its
// header says which element only by its place in the file.
func (d *Doc) inList(id int) bool {
	for ; id > 0; id = d.nodes[id].parent {
		if d.nodes[id].kind == Array {
			return true
		}
	}
	return false
}

// headerPath is the path of a table as its header spells it, without indices.
func (d *Doc) headerPath(id int) []string {
	if id == 0 {
		return nil
	}
	parent := d.nodes[id].parent
	if d.nodes[parent].kind == Array {
		return d.headerPath(parent)
	}
	return append(d.headerPath(parent), d.nodes[id].label)
}

// newline is how the line around a place ends, and else the file's first.
func (d *Doc) newline(at int) string {
	end := strings.IndexByte(d.data[at:], '\n')
	if end < 0 {
		at, end = 0, strings.IndexByte(d.data, '\n')
	}
	if end > 0 && d.data[at+end-1] == '\r' || end == 0 && at > 0 && d.data[at-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// lineStart is where the line around a place begins.
func (d *Doc) lineStart(at int) int {
	start := strings.LastIndexByte(d.data[:at], '\n') + 1
	if start == 0 && strings.HasPrefix(d.data, "\ufeff") {
		return len("\ufeff")
	}
	return start
}

// lineEnd is where the next line begins.
func (d *Doc) lineEnd(at int) int {
	if n := strings.IndexByte(d.data[at:], '\n'); n >= 0 {
		return at + n + 1
	}
	return len(d.data)
}

// line is the lines that a statement or a header takes up.
func (d *Doc) line(n *node) (start, end int) {
	return d.lineStart(n.key.start), d.lineEnd(n.val.end)
}

func (d *Doc) indent(at int) string {
	start := d.lineStart(at)
	return d.data[start : start+len(d.data[start:at])-len(strings.TrimLeft(d.data[start:at], " \t"))]
}

// statements are the keys that stand in the body of a section, in order.
func (d *Doc) statements(section int) []*node {
	var list []*node
	for i := range d.nodes {
		if n := &d.nodes[i]; n.origin == written && n.section == section {
			list = append(list, n)
		}
	}
	return list
}

// addLine adds a key to the body of a section that has a header, or to the
// top of the file.
func (d *Doc) addLine(section int, key []string, text string) []byte {
	list := d.statements(section)
	if len(list) > 0 {
		return d.addBelow(list[len(list)-1], list, FormatKey(key...), text)
	}
	line := FormatKey(key...) + " = " + text
	if section > 0 {
		n := &d.nodes[section]
		return d.lineAfter(n.val.end, d.indent(n.key.start)+line)
	}
	first := d.firstHeader()
	if first < 0 {
		return d.lineAfter(len(d.data), line)
	}
	at := d.commentsAbove(d.lineStart(first))
	nl := d.newline(at)
	return d.insert(at, at, line+nl+nl)
}

func (d *Doc) firstHeader() int {
	first := -1
	for i := range d.nodes {
		if n := &d.nodes[i]; n.origin == fromHeader && (first < 0 || n.key.start < first) {
			first = n.key.start
		}
	}
	return first
}

// commentsAbove is where the comment lines directly above a line begin.
func (d *Doc) commentsAbove(at int) int {
	for at > 0 {
		start := d.lineStart(at - 1)
		if !strings.HasPrefix(strings.TrimLeft(d.data[start:at], " \t"), "#") || start >= at {
			break
		}
		at = start
	}
	return at
}

// lineAfter adds a line below the one in which a place is.
func (d *Doc) lineAfter(at int, line string) []byte {
	nl, end := d.newline(at), d.lineEnd(at)
	if end == len(d.data) && end > 0 && d.data[end-1] != '\n' && d.data != "\ufeff" {
		line = nl + line
	}
	return d.insert(end, end, line+nl)
}

// addBelow adds a key below another of its section; where the section's "="
// stand in one column, the new one joins them.
func (d *Doc) addBelow(above *node, section []*node, key, text string) []byte {
	pad := " "
	if column := d.aligned(section); column > len(key) {
		pad = strings.Repeat(" ", column-len(key))
	}
	return d.lineAfter(above.val.end, d.indent(above.key.start)+key+pad+"= "+text)
}

// aligned is the column, counted from the key, in which all "=" of a section
// stand; 0 where they do not, or where that says nothing.
func (d *Doc) aligned(list []*node) int {
	column, differ := 0, false
	for i, n := range list {
		c := n.equals - n.key.start
		if i > 0 && c != column {
			return 0
		}
		differ = differ || n.key.end-n.key.start != list[0].key.end-list[0].key.start
		column = c
	}
	if !differ {
		return 0
	}
	return column
}

// addDotted adds a key to a table that dotted keys made: below its last key.
func (d *Doc) addDotted(id int, rest []string, text string) []byte {
	table := &d.nodes[id]
	var key []string
	for i := id; i != table.section; i = d.nodes[i].parent {
		key = append([]string{d.nodes[i].label}, key...)
	}
	key = append(key, rest...)
	list := d.statements(table.section)
	var last *node
	for _, n := range list {
		if d.below(n.parent, id) {
			last = n
		}
	}
	if o := d.nodes[table.section].origin; o == written || o == element {
		return d.insert(last.val.end, last.val.end, ", "+FormatKey(key...)+" = "+text)
	}
	return d.addBelow(last, list, FormatKey(key...), text)
}

func (d *Doc) below(id, ancestor int) bool {
	for ; id > 0; id = d.nodes[id].parent {
		if id == ancestor {
			return true
		}
	}
	return false
}

// addSection adds a table with its first key at the end of the file.
func (d *Doc) addSection(path []string, text string) []byte {
	nl := d.newline(0)
	var b strings.Builder
	b.WriteString(d.data)
	body := strings.TrimPrefix(d.data, "\ufeff")
	if body != "" && !strings.HasSuffix(body, "\n") {
		b.WriteString(nl)
	}
	if body != "" && !strings.HasSuffix(body, "\n\n") && !strings.HasSuffix(body, "\n\r\n") {
		b.WriteString(nl)
	}
	b.WriteString("[" + FormatKey(path[:len(path)-1]...) + "]" + nl)
	b.WriteString(FormatKey(path[len(path)-1]) + " = " + text + nl)
	return []byte(b.String())
}

// addBefore opens a table in an element of an array of tables, in front of the
// first table below it: only there does its header mean this element.
func (d *Doc) addBefore(id int, path []string, text string) []byte {
	at := d.lineStart(d.nodes[id].key.start)
	_, rest := d.deepest(path)
	header := append(d.headerPath(id), rest[:len(rest)-1]...)
	nl := d.newline(at)
	return d.insert(at, at, "["+FormatKey(header...)+"]"+nl+FormatKey(rest[len(rest)-1])+" = "+text+nl+nl)
}

// addInline adds a key to an inline table: after its last one.
func (d *Doc) addInline(id int, statement string) []byte {
	if list := d.statements(id); len(list) > 0 {
		at := list[len(list)-1].val.end
		return d.insert(at, at, ", "+statement)
	}
	at := d.nodes[id].val.start + 1
	if d.data[at] == '}' {
		statement += " "
	}
	return d.insert(at, at, " "+statement)
}

// deleteInline takes a key out of an inline table, with one comma.
func (d *Doc) deleteInline(n *node) string {
	text := d.data
	if comma := skipBlank(text, n.val.end); text[comma] == ',' {
		end := comma + 1
		for text[end] == ' ' || text[end] == '\t' {
			end++
		}
		return text[:n.key.start] + text[n.val.end:comma] + text[end:]
	}
	list := d.statements(n.section)
	if len(list) == 1 {
		return text[:n.key.start] + text[n.val.end:]
	}
	comma := skipBlank(text, list[len(list)-2].val.end)
	between := strings.TrimRight(text[comma+1:n.key.start], " \t")
	if strings.HasPrefix(strings.TrimLeft(between, " \t"), "#") || !strings.Contains(between, "#") {
		return text[:comma] + between + text[n.val.end:]
	}
	return text[:comma] + text[comma+1:n.key.start] + text[n.val.end:]
}

// index reads the decimal index of an array's element.
func index(name string, n int) (int, bool) {
	i, err := strconv.Atoi(name)
	return i, err == nil && i >= 0 && i < n
}
