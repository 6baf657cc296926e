package refs

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/disk"
)

// The first line of packed-refs: as git writes it, and for a file whose tags may
// lack the line of what they lead to.
const (
	packedHeader   = "# pack-refs with: peeled fully-peeled sorted \n"
	unpeeledHeader = "# pack-refs with: sorted \n"
)

// packedRef is one line of packed-refs, and the "^" line after it.
type packedRef struct {
	name   string
	hash   plumbing.Hash
	peeled plumbing.Hash // of a tag object: what it leads to; else zero
}

// packed is the content of packed-refs, sorted by name. It never changes.
type packed struct {
	refs   []packedRef
	peeled bool // each tag object has the line of what it leads to
	stamp  disk.Stamp
	racy   bool
}

// parsePacked reads packed-refs (gitrepository-layout(5)). A file without the
// word "sorted" in its header is sorted here. peeled: the header says
// "fully-peeled", so that a ref without a line of what it leads to is no tag
// object.
func parsePacked(data []byte) (list []packedRef, peeled bool, err error) {
	for n := 1; len(data) > 0; n++ {
		line, rest, ok := bytes.Cut(data, []byte("\n"))
		if !ok {
			return nil, false, fmt.Errorf("packed-refs, line %d: no end of line: %w", n, ErrDamaged)
		}
		data = rest
		if len(line) > 0 && line[0] == '#' {
			peeled = peeled || slices.Contains(strings.Fields(string(line)), "fully-peeled")
			continue
		}
		if list, err = packedLine(list, line); err != nil {
			return nil, false, fmt.Errorf("packed-refs, line %d: %w", n, err)
		}
	}
	less := func(i, j int) bool { return list[i].name < list[j].name }
	if !sort.SliceIsSorted(list, less) {
		sort.SliceStable(list, less)
	}
	return list, peeled, nil
}

func packedLine(list []packedRef, line []byte) ([]packedRef, error) {
	if len(line) == 41 && line[0] == '^' && len(list) > 0 {
		h, ok := parseHash(line[1:])
		if !ok {
			return nil, ErrDamaged
		}
		list[len(list)-1].peeled = h
		return list, nil
	}
	if len(line) < 42 || line[40] != ' ' {
		return nil, ErrDamaged
	}
	h, ok := parseHash(line[:40])
	if !ok {
		return nil, ErrDamaged
	}
	name := string(line[41:])
	if CheckName(name) != nil {
		return list, nil // git ignores broken names with a warning
	}
	return append(list, packedRef{name: name, hash: h}), nil
}

func parseHash(b []byte) (h plumbing.Hash, ok bool) {
	if len(b) != 40 {
		return h, false
	}
	_, err := hex.Decode(h[:], b)
	return h, err == nil
}

func encodePacked(list []packedRef, peeled bool) []byte {
	b := []byte(packedHeader)
	if !peeled {
		b = []byte(unpeeledHeader)
	}
	for _, r := range list {
		b = append(b, r.hash.String()...)
		b = append(append(append(b, ' '), r.name...), '\n')
		if !r.peeled.IsZero() {
			b = append(append(append(b, '^'), r.peeled.String()...), '\n')
		}
	}
	return b
}

func (p *packed) find(name string) (packedRef, bool) {
	i := sort.Search(len(p.refs), func(i int) bool { return p.refs[i].name >= name })
	if i < len(p.refs) && p.refs[i].name == name {
		return p.refs[i], true
	}
	return packedRef{}, false
}

// under are the refs whose names begin with prefix.
func (p *packed) under(prefix string) []packedRef {
	from := sort.Search(len(p.refs), func(i int) bool { return p.refs[i].name >= prefix })
	to := from
	for to < len(p.refs) && strings.HasPrefix(p.refs[to].name, prefix) {
		to++
	}
	return p.refs[from:to]
}

// packed gives packed-refs as it is now: one stat, and a read if it changed.
func (d *DB) packed() (*packed, error) {
	file := filepath.Join(d.dir, "packed-refs")
	old := d.cached.Load()
	if old != nil && !old.racy {
		stamp, err := disk.StampOf(file)
		if err != nil {
			return nil, err
		}
		if stamp == old.stamp {
			return old, nil
		}
	}
	now := time.Now()
	stamp, err := disk.StampOf(file) // before the read: a later change shows
	if err != nil {
		return nil, err
	}
	data, err := d.fs.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	list, peeled, err := parsePacked(data)
	if err != nil {
		return nil, err
	}
	p := &packed{refs: list, peeled: peeled || len(list) == 0, stamp: stamp, racy: stamp.Racy(now)}
	d.cached.Store(p)
	return p, nil
}
