package gitstore

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5/plumbing"
)

// Modes of tree entries, as git writes them.
const (
	modeTree    = 0o040000
	modeFile    = 0o100644
	modeExec    = 0o100755
	modeSymlink = 0o120000
	modeGitlink = 0o160000
)

// folder is one tree of a snapshot. It is immutable once it can be reached from
// a published state: a change copies the folders on the way to the root and
// shares all others. The entries of a folder that came from git are read when
// they are first needed. A page costs about 100 bytes once its folder is read.
type folder struct {
	oid plumbing.Hash // zero until the folder is written

	once    sync.Once
	load    objectSource // nil for a folder made in memory
	err     error
	entries []entry // in git's order
}

// entry is one name in a folder.
type entry struct {
	name string
	mode uint32
	oid  plumbing.Hash // zero for a folder that is not yet written
	dir  *folder       // not nil for folders
}

// objectSource reads whole objects by name; *objects.DB and a push's quarantine
// are ones.
type objectSource interface {
	Get(oid plumbing.Hash) (plumbing.ObjectType, []byte, error)
}

// emptyFolder is the root of a wiki without files.
func emptyFolder() *folder { return &folder{} }

// gitFolder is the tree of that name in the source, read on first use.
func gitFolder(src objectSource, oid plumbing.Hash) *folder {
	return &folder{oid: oid, load: src}
}

// list returns the entries in git's order. They must not be changed.
func (f *folder) list() ([]entry, error) {
	f.once.Do(func() {
		if f.load == nil {
			return
		}
		f.entries, f.err = readFolder(f.load, f.oid)
	})
	return f.entries, f.err
}

func readFolder(src objectSource, oid plumbing.Hash) ([]entry, error) {
	typ, data, err := src.Get(oid)
	if err != nil {
		return nil, fmt.Errorf("reading tree %s: %w", oid, err)
	}
	if typ != plumbing.TreeObject {
		return nil, fmt.Errorf("object %s is a %s, not a tree", oid, typ)
	}
	n := bytes.Count(data, []byte{0}) // at least as many as there are entries
	entries := make([]entry, 0, min(n, len(data)/24+1))
	names := string(data) // one allocation that all names share
	for i := 0; i < len(data); {
		sp := strings.IndexByte(names[i:], ' ')
		if sp < 1 || sp > 6 {
			return nil, fmt.Errorf("tree %s is damaged at byte %d", oid, i)
		}
		var mode uint32
		for _, c := range data[i : i+sp] {
			if c < '0' || c > '7' {
				return nil, fmt.Errorf("tree %s is damaged at byte %d", oid, i)
			}
			mode = mode<<3 | uint32(c-'0')
		}
		i += sp + 1
		nul := strings.IndexByte(names[i:], 0)
		if nul < 1 || i+nul+21 > len(data) {
			return nil, fmt.Errorf("tree %s is damaged at byte %d", oid, i)
		}
		e := entry{name: names[i : i+nul], mode: mode}
		copy(e.oid[:], data[i+nul+1:])
		if mode == modeTree {
			e.dir = gitFolder(src, e.oid)
		}
		entries = append(entries, e)
		i += nul + 21
	}
	return entries, nil
}

// less is git's order of entries: names by bytes, a folder's as if it ended
// in "/".
func (e *entry) less(name string, isDir bool) bool {
	a, b := e.name, name
	n := min(len(a), len(b))
	if c := strings.Compare(a[:n], b[:n]); c != 0 {
		return c < 0
	}
	return endByte(a, n, e.mode == modeTree) < endByte(b, n, isDir)
}

func endByte(s string, n int, isDir bool) byte {
	switch {
	case n < len(s):
		return s[n]
	case isDir:
		return '/'
	}
	return 0
}

func position(entries []entry, name string, isDir bool) (int, bool) {
	i := sort.Search(len(entries), func(i int) bool { return !entries[i].less(name, isDir) })
	return i, i < len(entries) && entries[i].name == name && (entries[i].mode == modeTree) == isDir
}

// file finds the blob at a path of the tree. ok is false where nothing, or
// something that is no file, is there.
func (f *folder) file(path string) (e entry, ok bool, err error) {
	dir := f
	for {
		i := strings.IndexByte(path, '/')
		if i < 0 {
			break
		}
		if dir, err = dir.sub(path[:i]); dir == nil || err != nil {
			return entry{}, false, err
		}
		path = path[i+1:]
	}
	entries, err := dir.list()
	if err != nil {
		return entry{}, false, err
	}
	at, found := position(entries, path, false)
	if !found {
		return entry{}, false, nil
	}
	return entries[at], true, nil
}

// sub is the folder directly below of that name, nil if there is none.
func (f *folder) sub(name string) (*folder, error) {
	entries, err := f.list()
	if err != nil {
		return nil, err
	}
	if i, ok := position(entries, name, true); ok {
		return entries[i].dir, nil
	}
	return nil, nil
}

// at is the folder at a path ("" is f itself), nil if there is none.
func (f *folder) at(path string) (*folder, error) {
	if path == "" {
		return f, nil
	}
	var err error
	for _, c := range strings.Split(path, "/") {
		if f, err = f.sub(c); f == nil || err != nil {
			return nil, err
		}
	}
	return f, nil
}

// with is the tree with the file at path set to e, or removed where e is nil;
// folders that become empty go. The cost is that of copying the folders on the
// path. It fails where a file stands in the place of a folder or the reverse.
func (f *folder) with(path string, e *entry) (*folder, error) {
	entries, err := f.list()
	if err != nil {
		return nil, err
	}
	name, rest, deeper := strings.Cut(path, "/")
	if !deeper {
		return f.replace(entries, name, e)
	}
	i, found := position(entries, name, true)
	var child *folder
	switch {
	case found:
		child = entries[i].dir
	case e == nil:
		return f, nil
	default:
		if _, taken := position(entries, name, false); taken {
			return nil, fmt.Errorf("%q is a file, so nothing can be below it", name)
		}
		child = emptyFolder()
	}
	below, err := child.with(rest, e)
	if err != nil {
		return nil, err
	}
	if below == child {
		return f, nil
	}
	if len(below.entries) == 0 {
		return &folder{entries: removed(entries, i)}, nil
	}
	fresh := entry{name: name, mode: modeTree, dir: below}
	if found {
		return &folder{entries: replaced(entries, i, fresh)}, nil
	}
	return &folder{entries: inserted(entries, i, fresh)}, nil
}

func (f *folder) replace(entries []entry, name string, e *entry) (*folder, error) {
	i, found := position(entries, name, false)
	switch {
	case e == nil && !found:
		return f, nil
	case e == nil:
		return &folder{entries: removed(entries, i)}, nil
	}
	fresh := entry{name: name, mode: e.mode, oid: e.oid}
	if found {
		if entries[i].oid == e.oid && entries[i].mode == e.mode {
			return f, nil
		}
		return &folder{entries: replaced(entries, i, fresh)}, nil
	}
	if _, taken := position(entries, name, true); taken {
		return nil, fmt.Errorf("%q is a folder, so no file can have its name", name)
	}
	return &folder{entries: inserted(entries, i, fresh)}, nil
}

func replaced(entries []entry, i int, e entry) []entry {
	out := make([]entry, len(entries))
	copy(out, entries)
	out[i] = e
	return out
}

func inserted(entries []entry, i int, e entry) []entry {
	out := make([]entry, len(entries)+1)
	copy(out, entries[:i])
	out[i] = e
	copy(out[i+1:], entries[i:])
	return out
}

func removed(entries []entry, i int) []entry {
	out := make([]entry, 0, len(entries)-1)
	return append(append(out, entries[:i]...), entries[i+1:]...)
}

// encode is the tree as git stores it. Every sub-folder must be written.
func encodeFolder(entries []entry) []byte {
	n := 0
	for i := range entries {
		n += len(entries[i].name) + 28
	}
	b := make([]byte, 0, n)
	for i := range entries {
		e := &entries[i]
		switch e.mode {
		case modeFile: // nearly all
			b = append(b, "100644 "...)
		case modeTree:
			b = append(b, "40000 "...)
		default:
			b = fmt.Appendf(b, "%o ", e.mode)
		}
		b = append(b, e.name...)
		b = append(b, 0)
		b = append(b, e.oid[:]...)
	}
	return b
}

// walk calls fn for each file of the tree below prefix in git's order until fn
// returns false.
func (f *folder) walk(prefix string, fn func(path string, e *entry) bool) (more bool, err error) {
	entries, err := f.list()
	if err != nil {
		return false, err
	}
	for i := range entries {
		e := &entries[i]
		path := prefix + e.name
		if e.dir != nil {
			if more, err = e.dir.walk(path+"/", fn); !more || err != nil {
				return more, err
			}
			continue
		}
		if !fn(path, e) {
			return false, nil
		}
	}
	return true, nil
}

// change is one file that differs between two trees.
type change struct {
	path     string
	old, new *entry // nil: not there
}

// diff lists the files that differ from a to b, in git's order. Folders that
// the two share are not read, so the cost grows with what changed and not with
// the wiki.
// It ends with errManyChanges where more than twice maxFiles differ.
func diff(a, b *folder) ([]change, error) { return diffUpTo(a, b, 2*maxFiles) }

// diffUpTo is diff that ends with errManyChanges where more than most files or
// folders differ. A tree of a few objects can name the same folder so often that it
// has more files than memory.
func diffUpTo(a, b *folder, most int) ([]change, error) {
	d := differ{most: most}
	err := d.folders(a, b, "")
	return d.out, err
}

// Bounds of diffUpTo on paths, in bytes: of a folder that it enters, and of the
// files together, for each that may differ.
const (
	maxTreePath  = 4096
	meanTreePath = 256
)

// differ compares trees.
type differ struct {
	out   []change
	seen  int // folders that were compared
	bytes int // of the paths in out
	most  int
}

func same(a, b *folder) bool {
	return a == b || a != nil && b != nil && !a.oid.IsZero() && a.oid == b.oid
}

func (d *differ) folders(a, b *folder, prefix string) error {
	if same(a, b) {
		return nil
	}
	if d.seen++; d.seen > d.most || len(prefix) > maxTreePath {
		return errManyChanges
	}
	var as, bs []entry
	var err error
	if a != nil {
		if as, err = a.list(); err != nil {
			return err
		}
	}
	if b != nil {
		if bs, err = b.list(); err != nil {
			return err
		}
	}
	for len(as) > 0 || len(bs) > 0 {
		var x, y *entry
		switch {
		case len(bs) == 0:
			x, as = &as[0], as[1:]
		case len(as) == 0:
			y, bs = &bs[0], bs[1:]
		case as[0].name == bs[0].name && (as[0].mode == modeTree) == (bs[0].mode == modeTree):
			x, as = &as[0], as[1:]
			y, bs = &bs[0], bs[1:]
		case as[0].less(bs[0].name, bs[0].mode == modeTree):
			x, as = &as[0], as[1:]
		default:
			y, bs = &bs[0], bs[1:]
		}
		if err := d.entry(x, y, prefix); err != nil {
			return err
		}
	}
	return nil
}

func (d *differ) entry(x, y *entry, prefix string) error {
	e := x
	if e == nil {
		e = y
	}
	if e.dir == nil {
		if x != nil && y != nil && x.oid == y.oid && x.mode == y.mode {
			return nil
		}
		if d.bytes += len(prefix) + len(e.name); len(d.out) == d.most || d.bytes > d.most*meanTreePath {
			return errManyChanges
		}
		d.out = append(d.out, change{prefix + e.name, x, y})
		return nil
	}
	var a, b *folder
	if x != nil {
		a = x.dir
	}
	if y != nil {
		b = y.dir
	}
	return d.folders(a, b, prefix+e.name+"/")
}
