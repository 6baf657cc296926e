package record

import (
	"slices"

	"wikibot/wiki"
)

// DeleteTable returns the file without the table at path, which stands below a
// header of its own: the header, the comments directly above it and all lines up to
// the next header go (and the comments directly above that one stay); every other byte
// stays, and the result is decoded and compared. A table that has tables with headers
// below it, is written inline, in dotted keys or as an element of an array is an
// ErrInvalid, one that is not there an ErrNotFound.
func DeleteTable(data []byte, path []string) ([]byte, error) {
	d, faults := Scan("", data)
	if faults != nil {
		return nil, faults
	}
	id, rest := d.deepest(path)
	if len(rest) > 0 || id == 0 {
		return nil, wiki.NotFound("the table %s is not in the file", FormatKey(path...))
	}
	n := &d.nodes[id]
	if n.kind != Table || n.origin != fromHeader || d.inList(id) || d.hasSections(id) {
		return nil, wiki.Invalid("key", "%s is no table with a header of its own: edit the file by hand", FormatKey(path...))
	}
	start, end := d.commentsAbove(d.lineStart(n.key.start)), len(d.data)
	for _, at := range d.headers() {
		if at > n.key.start {
			end = d.commentsAbove(d.lineStart(at))
			break
		}
	}
	out := []byte(d.data[:start] + d.data[end:])
	return out, checkDelete(data, out, path)
}

// headers are the places of all headers, in order.
func (d *Doc) headers() []int {
	var list []int
	for i := range d.nodes {
		if n := &d.nodes[i]; n.origin == fromHeader {
			list = append(list, n.key.start)
		}
	}
	slices.Sort(list)
	return list
}

// hasSections reports whether other headers stand for something below a table.
func (d *Doc) hasSections(id int) bool {
	for i := range d.nodes {
		if n := &d.nodes[i]; i != id && n.origin == fromHeader && d.below(n.parent, id) {
			return true
		}
	}
	return false
}
