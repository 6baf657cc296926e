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
}

func (d *treeDiff) compare(old, new plumbing.Hash, folder string, depth int) error {
	if old == new {
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
	for len(a.raw) > 0 || len(b.raw) > 0 {
		if bytes.Equal(a.raw, b.raw) {
			a.advance()
			b.advance()
			continue
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
	rest   []byte
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
	c := cursor{rest: data}
	c.advance()
	return c, err
}

func (c *cursor) advance() {
	const oid = len(plumbing.Hash{})
	c.raw = nil
	if len(c.rest) == 0 {
		return
	}
	space := bytes.IndexByte(c.rest, ' ')
	end := bytes.IndexByte(c.rest, 0)
	if space < 5 || space > 6 || end <= space+1 || len(c.rest) < end+1+oid {
		c.bad, c.rest = true, nil
		return
	}
	c.raw, c.rest = c.rest[:end+1+oid], c.rest[end+1+oid:]
	c.name = c.raw[space+1 : end]
	mode := bytes.TrimPrefix(c.raw[:space], []byte{'0'})
	c.folder = string(mode) == "40000"
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
