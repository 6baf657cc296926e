package history

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/text/encoding/htmlindex"
	"wikibot/wiki"
)

// maxDepth is the deepest nesting of folders that is followed.
const maxDepth = 4096

var errTree = errors.New("the tree object is damaged")

// treeDiff compares two trees as `git diff-tree -r --no-renames` does, in the
// same order, and reads only the folders that differ.
type treeDiff struct {
	source  Source
	changes []Change
	seen    int // folders that were compared
	paths   int // bytes of the changes' paths
}

// The most that one commit's changes are listed of. A tree of a few objects can name
// the same folder so often that it has more files than memory. Pushes of such
// commits are refused; of one that came otherwise, the rest is left out.
const (
	maxChanges = 1_000_000
	maxPaths   = 256 << 20
)

func (d *treeDiff) full() bool {
	return len(d.changes) >= maxChanges || d.seen > maxChanges || d.paths > maxPaths
}

func (d *treeDiff) compare(old, new plumbing.Hash, folder string, depth int) error {
	if d.seen++; old == new || d.full() {
		return nil
	}
	if depth > maxDepth {
		return fmt.Errorf("folders are nested more than %d deep", maxDepth)
	}
	a, err := d.open(old)
	if err != nil {
		return err
	}
	b, err := d.open(new)
	if err != nil {
		return err
	}
	for {
		skipEqual(&a, &b)
		if len(a.raw) == 0 && len(b.raw) == 0 || d.full() {
			break
		}
		switch c := a.order(&b); {
		case c < 0:
			err = d.entry(&a, nil, folder, depth)
			a.advance()
		case c > 0:
			err = d.entry(nil, &b, folder, depth)
			b.advance()
		default:
			err = d.entry(&a, &b, folder, depth)
			a.advance()
			b.advance()
		}
		if err != nil {
			return err
		}
	}
	if a.bad || b.bad {
		return fmt.Errorf("the folder %q: %w", folder, errTree)
	}
	return nil
}

// skipEqual moves both cursors past the entries that they have in common from
// here on. Of a folder with thousands of entries mostly all are, so they are
// compared as bytes, and only one of the two is taken apart.
func skipEqual(a, b *cursor) {
	x := a.data[a.at:]
	x = x[:commonPrefix(x, b.data[b.at:])]
	n := 0
	for {
		size := entrySize(x[n:])
		if size == 0 { // it differs, or is the end
			break
		}
		n += size
	}
	if n > 0 {
		a.seek(a.at + n)
		b.seek(b.at + n)
	}
}

// commonPrefix is how many bytes a and b begin with alike.
func commonPrefix(a, b []byte) int {
	const block = 256
	n, most := 0, min(len(a), len(b))
	for n+block <= most && bytes.Equal(a[n:n+block], b[n:n+block]) {
		n += block
	}
	for n < most && a[n] == b[n] {
		n++
	}
	return n
}

func (d *treeDiff) entry(o, n *cursor, folder string, depth int) error {
	var c Change
	var oldTree, newTree plumbing.Hash
	var name []byte
	if o != nil {
		name = o.name
		if o.folder {
			oldTree = o.hash()
		} else {
			c.Old, c.Kind = o.hash(), wiki.Deleted
		}
	}
	if n != nil {
		name = n.name
		switch {
		case n.folder:
			newTree = n.hash()
		case c.Kind == wiki.Deleted:
			c.New, c.Kind = n.hash(), wiki.Modified
		default:
			c.New, c.Kind = n.hash(), wiki.Added
		}
	}
	if c.Kind != 0 {
		c.File = folder + string(name)
		d.paths += len(c.File)
		d.changes = append(d.changes, c)
	}
	if oldTree != newTree {
		return d.compare(oldTree, newTree, folder+string(name)+"/", depth+1)
	}
	return nil
}

// cursor goes through one tree object: "100644 name\0" and 20 bytes, again and
// again. It is at the end when raw is empty.
type cursor struct {
	data   []byte // the whole object
	at     int    // where raw begins in it
	raw    []byte // the entry that it stands at
	name   []byte
	folder bool
	bad    bool
}

func (d *treeDiff) open(tree plumbing.Hash) (cursor, error) {
	if tree.IsZero() {
		return cursor{}, nil
	}
	data, err := get(d.source, tree, plumbing.TreeObject)
	c := cursor{data: data}
	c.seek(0)
	return c, err
}

func (c *cursor) advance() { c.seek(c.at + len(c.raw)) }

// seek goes to the entry that begins at a byte of the object.
func (c *cursor) seek(at int) {
	c.at, c.raw = at, nil
	rest := c.data[at:]
	if len(rest) == 0 {
		return
	}
	size := entrySize(rest)
	space := bytes.IndexByte(rest[:size], ' ')
	if size == 0 || space < 5 || space > 6 || space+2 > size-len(plumbing.Hash{})-1 {
		c.bad, c.at = true, len(c.data)
		return
	}
	c.raw = rest[:size]
	c.name = c.raw[space+1 : size-len(plumbing.Hash{})-1]
	if bytes.IndexByte(c.name, 0) >= 0 { // it began with the end of a name
		c.bad, c.at, c.raw = true, len(c.data), nil
		return
	}
	mode := bytes.TrimPrefix(c.raw[:space], []byte{'0'})
	c.folder = string(mode) == "40000"
}

// entrySize is the length of the entry that b begins with, 0 if it has no end.
func entrySize(b []byte) int {
	const oid, least = len(plumbing.Hash{}), 7 // "40000 a"
	if len(b) < least {
		return 0
	}
	size := bytes.IndexByte(b[least:], 0) + least + 1 + oid
	if size <= least+oid || size > len(b) {
		return 0
	}
	return size
}

func (c *cursor) hash() (h plumbing.Hash) {
	copy(h[:], c.raw[len(c.raw)-len(h):])
	return h
}

// order says which of two cursors stands first: as git sorts, a folder as if
// its name ended in "/". A file and a folder of one name are two entries.
func (c *cursor) order(d *cursor) int {
	switch {
	case len(c.raw) == 0:
		return 1
	case len(d.raw) == 0:
		return -1
	}
	n := min(len(c.name), len(d.name))
	if o := bytes.Compare(c.name[:n], d.name[:n]); o != 0 {
		return o
	}
	return c.after(n) - d.after(n)
}

// after is the byte that decides where one name begins with the other.
func (c *cursor) after(n int) int {
	switch {
	case n < len(c.name):
		return int(c.name[n])
	case c.folder:
		return '/'
	}
	return 0
}

// decode turns a text of a commit with another encoding into UTF-8, as git log
// does; an unknown one is left alone.
func decode(s, encoding string) string {
	if encoding == "" || strings.EqualFold(encoding, "utf-8") || strings.EqualFold(encoding, "utf8") {
		return s
	}
	e, err := htmlindex.Get(encoding)
	if err != nil {
		return s
	}
	out, err := e.NewDecoder().String(s)
	if err != nil {
		return s
	}
	return out
}
