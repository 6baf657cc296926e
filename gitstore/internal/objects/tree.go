package objects

import (
	"bytes"
	"fmt"
	"iter"
	"sort"
	"strings"
	"unsafe"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
)

// TreeEntry is one line of a tree.
type TreeEntry struct {
	Mode filemode.FileMode
	Name string // one component; any bytes but "/" and NUL
	Hash plumbing.Hash
}

// ParseTree goes through the entries of a tree object in its own order. After
// an error (which wraps ErrDamaged) it ends. The names share memory with data,
// which must stay unchanged; strings.Clone a name that is to outlive it. It
// allocates nothing.
func ParseTree(data []byte) iter.Seq2[TreeEntry, error] {
	return func(yield func(TreeEntry, error) bool) {
		for len(data) > 0 {
			e, n := treeEntry(data)
			if n == 0 {
				yield(TreeEntry{}, fmt.Errorf("bad tree entry: %w", ErrDamaged))
				return
			}
			if !yield(e, nil) {
				return
			}
			data = data[n:]
		}
	}
}

// treeEntry reads "100644 name\0" and 20 bytes; n is 0 if it is damaged.
func treeEntry(b []byte) (e TreeEntry, n int) {
	mode, i := uint32(0), 0
	for ; i < len(b) && b[i] != ' '; i++ {
		d := b[i] - '0'
		if d > 7 || i > 6 {
			return e, 0
		}
		mode = mode<<3 | uint32(d)
	}
	if i == 0 || i == len(b) {
		return e, 0
	}
	i++
	end := bytes.IndexByte(b[i:], 0)
	if end <= 0 || len(b)-i-end-1 < oidSize {
		return e, 0
	}
	name := b[i : i+end]
	e.Mode = filemode.FileMode(mode)
	e.Name = unsafe.String(&name[0], len(name))
	i += end + 1
	copy(e.Hash[:], b[i:])
	return e, i + oidSize
}

// FindInTree looks one name up in a tree object. A tree that is damaged before
// that name is an error.
func FindInTree(data []byte, name string) (e TreeEntry, found bool, err error) {
	for e, err := range ParseTree(data) {
		if err != nil {
			return TreeEntry{}, false, err
		}
		if e.Name == name {
			return e, true, nil
		}
	}
	return TreeEntry{}, false, nil
}

// EncodeTree makes a tree object of entries, sorted as git sorts (a folder as
// if its name ended in "/"). It sorts the slice in place. Names that
// `git fsck --strict` refuses (empty, ".", "..", ".git", with "/" or NUL, the
// same one twice) and unknown modes are errors.
func EncodeTree(entries []TreeEntry) ([]byte, error) {
	sort.Slice(entries, func(i, j int) bool { return treeLess(&entries[i], &entries[j]) })
	size := 0
	for i := range entries {
		size += len(entries[i].Name) + 6 + 2 + oidSize
	}
	b := make([]byte, 0, size)
	seen := make(map[string]bool, len(entries))
	for i := range entries {
		e := &entries[i]
		if err := checkTreeEntry(e); err != nil {
			return nil, err
		}
		if seen[e.Name] {
			return nil, fmt.Errorf("the tree would have %q twice", e.Name)
		}
		seen[e.Name] = true
		b = appendMode(b, e.Mode)
		b = append(append(b, ' '), e.Name...)
		b = append(append(b, 0), e.Hash[:]...)
	}
	return b, nil
}

func treeLess(a, b *TreeEntry) bool {
	n := min(len(a.Name), len(b.Name))
	if c := strings.Compare(a.Name[:n], b.Name[:n]); c != 0 {
		return c < 0
	}
	return treeNext(a, n) < treeNext(b, n)
}

// treeNext is the byte that decides where one name begins with the other.
func treeNext(e *TreeEntry, n int) byte {
	switch {
	case len(e.Name) > n:
		return e.Name[n]
	case e.Mode == filemode.Dir:
		return '/'
	}
	return 0
}

func checkTreeEntry(e *TreeEntry) error {
	switch e.Mode {
	case filemode.Regular, filemode.Executable, filemode.Symlink, filemode.Dir, filemode.Submodule:
	default:
		return fmt.Errorf("the tree entry %q has the unknown mode %o", e.Name, uint32(e.Mode))
	}
	if e.Name == "" || e.Name == "." || e.Name == ".." || strings.EqualFold(e.Name, ".git") || strings.ContainsAny(e.Name, "/\x00") {
		return fmt.Errorf("git cannot keep a file named %q", e.Name)
	}
	if e.Hash.IsZero() {
		return fmt.Errorf("the tree entry %q has no object", e.Name)
	}
	return nil
}

// appendMode writes an octal mode without a leading zero, as git does.
func appendMode(b []byte, m filemode.FileMode) []byte {
	if m == filemode.Dir {
		return append(b, "40000"...)
	}
	for shift := 15; shift >= 0; shift -= 3 {
		b = append(b, '0'+byte(m>>shift&7))
	}
	return b
}
