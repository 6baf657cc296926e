// Package refs reads and moves the refs of one bare repository in the files of
// stock git: loose refs, packed-refs, symbolic HEAD, and the lock protocol of
// <ref>.lock files, so that it may run beside any number of git processes.
//
// A transaction takes every lock, compares the old values under them, writes
// and syncs the new ones, and renames them in the order given; see Begin.
// Reflogs are not written (a bare repository has none by default).
//
// Stock git (2.39, built without USE_NSEC) knows packed-refs by inode, size and
// second: a process that waits for a lock while the file is replaced twice in one
// second takes an old value for the current one. So Pack lets two seconds pass, and
// what is replaced here stays open for a while, so that no new file gets its inode;
// `git pack-refs` is for nobody to run beside pushes. What is here goes by the
// nanosecond and is not deceived.
package refs

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/disk"
)

// ErrDamaged is wrapped by the error of a ref file that git would not write.
var ErrDamaged = errors.New("damaged ref")

// ErrNotFound is wrapped by the error of a ref that does not exist. It is
// go-git's.
var ErrNotFound = plumbing.ErrReferenceNotFound

// maxSymbolic bounds chains of symbolic refs, as git does.
const maxSymbolic = 5

// DB is the refs of one bare repository. Its methods may be called from any
// number of goroutines.
type DB struct {
	fs     disk.FS
	dir    string
	cached atomic.Pointer[packed]
	loose  sync.Map      // name → *looseRef, for Current
	pause  time.Duration // PackPause
}

// Ref is a ref and the object it names.
type Ref struct {
	Name string
	Hash plumbing.Hash
	// Peeled is what a tag object leads to, where packed-refs says it; else
	// zero.
	Peeled plumbing.Hash
}

// Open opens the refs of the bare repository in dir. It reads nothing yet.
func Open(fsys disk.FS, dir string) *DB { return &DB{fs: fsys, dir: dir, pause: PackPause} }

func (d *DB) path(name string) string { return d.dir + "/" + name }

// Read returns what a ref names, past every cache: one open and read of a loose
// ref (5 µs), or two stats for a packed one. A missing ref is an error that
// wraps ErrNotFound.
func (d *DB) Read(name string) (plumbing.Hash, error) {
	return d.follow(name, 0)
}

func (d *DB) follow(name string, depth int) (plumbing.Hash, error) {
	if depth > maxSymbolic {
		return plumbing.ZeroHash, fmt.Errorf("reading %s: more than %d symbolic refs: %w", name, maxSymbolic, ErrDamaged)
	}
	if name != "HEAD" {
		if err := CheckName(name); err != nil {
			return plumbing.ZeroHash, err
		}
	}
	h, target, found, err := d.readLoose(name)
	switch {
	case err != nil:
		return h, fmt.Errorf("reading %s: %w", name, err)
	case target != "":
		return d.follow(target, depth+1)
	case found:
		return h, nil
	}
	p, err := d.packed()
	if err != nil {
		return h, err
	}
	if r, ok := p.find(name); ok {
		return r.hash, nil
	}
	return h, fmt.Errorf("the ref %s: %w", name, ErrNotFound)
}

// readLoose reads a loose ref; target is set for a symbolic one.
func (d *DB) readLoose(name string) (h plumbing.Hash, target string, found bool, err error) {
	b, err := d.fs.ReadFile(d.path(name))
	if missing(err) {
		return h, "", false, nil
	}
	if err != nil {
		return h, "", false, err
	}
	h, target, err = parseLoose(b)
	return h, target, err == nil, err
}

// missing: there is no such file; a folder in its place, or a file in the place
// of a folder above it, say the same.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENOTDIR)
}

func parseLoose(b []byte) (h plumbing.Hash, target string, err error) {
	if rest, ok := bytes.CutPrefix(b, []byte("ref:")); ok {
		target = string(bytes.TrimSpace(rest))
		if err := CheckName(target); err != nil {
			return h, "", fmt.Errorf("a symbolic ref: %w: %w", err, ErrDamaged)
		}
		return h, target, nil
	}
	if len(b) < 40 || len(b) > 40 && !strings.ContainsRune(" \t\r\n", rune(b[40])) {
		return h, "", fmt.Errorf("%d bytes that are no object name: %w", len(b), ErrDamaged)
	}
	h, ok := parseHash(b[:40])
	if !ok {
		return h, "", fmt.Errorf("not an object name: %w", ErrDamaged)
	}
	return h, "", nil
}

// Head is the branch that HEAD names, whether it exists or not. A detached HEAD
// is an error.
func (d *DB) Head() (string, error) {
	_, target, _, err := d.readLoose("HEAD")
	if err != nil {
		return "", fmt.Errorf("reading HEAD: %w", err)
	}
	if target == "" {
		return "", fmt.Errorf("HEAD of %s names no branch; run `git symbolic-ref HEAD refs/heads/main` there", d.dir)
	}
	return target, nil
}

// List returns the refs whose names begin with prefix ("" for all), sorted. It
// reads each loose one, and no folder but those that hold some. A damaged loose
// ref is an error.
func (d *DB) List(prefix string) ([]Ref, error) {
	found := map[string]Ref{}
	// Loose before packed: pack-refs writes packed-refs before it removes the
	// loose ones, so that a ref is seen in one of them.
	if err := d.walk(folderOf(prefix), prefix, found); err != nil {
		return nil, err
	}
	p, err := d.packed()
	if err != nil {
		return nil, err
	}
	for _, r := range p.under(prefix) {
		if _, loose := found[r.name]; !loose {
			found[r.name] = Ref{r.name, r.hash, r.peeled}
		}
	}
	list := make([]Ref, 0, len(found))
	for _, r := range found {
		list = append(list, r)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list, nil
}

// folderOf is the deepest folder that holds every ref whose name begins with
// prefix. A new ref is looked up as a prefix: reading the folders above its own
// would make a push of many tags cost the square of their number.
func folderOf(prefix string) string {
	if i := strings.LastIndexByte(prefix, '/'); i > len("refs/") && CheckName(prefix[:i]) == nil {
		return prefix[:i]
	}
	return "refs"
}

// walk adds the loose refs under a folder that begin with prefix.
func (d *DB) walk(dir, prefix string, found map[string]Ref) error {
	list, err := d.fs.ReadDir(d.path(dir))
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range list {
		name := dir + "/" + e.Name()
		if e.IsDir() {
			if overlaps(name+"/", prefix) {
				if err := d.walk(name, prefix, found); err != nil {
					return err
				}
			}
			continue
		}
		if !strings.HasPrefix(name, prefix) || CheckName(name) != nil {
			continue
		}
		h, err := d.Read(name)
		if errors.Is(err, ErrNotFound) {
			continue // gone meanwhile, or symbolic to a branch not yet born
		}
		if err != nil {
			return err
		}
		found[name] = Ref{Name: name, Hash: h}
	}
	return nil
}

func overlaps(dir, prefix string) bool {
	return strings.HasPrefix(dir, prefix) || strings.HasPrefix(prefix, dir)
}

// looseRef is what Current knows of a loose ref.
type looseRef struct {
	stamp disk.Stamp
	hash  plumbing.Hash
}

// Current is Read with a cache that sees every change, by stock git too: it
// costs one stat of the loose file (below 1 µs; two stats for a packed ref), and
// a read as well while the file is younger than disk.Granularity.
func (d *DB) Current(name string) (plumbing.Hash, error) {
	file := d.path(name)
	stamp, err := disk.StampOf(file)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	if v, ok := d.loose.Load(name); ok && stamp.Exists {
		if l := v.(*looseRef); l.stamp == stamp {
			return l.hash, nil
		}
	}
	now := time.Now()
	h, err := d.Read(name)
	if err == nil && stamp.Exists && !stamp.Racy(now) {
		d.remember(name, stamp, h)
	}
	return h, err
}

// remember keeps what a loose ref held under a stamp. A symbolic ref or a file
// that changed between stat and read must not be kept, so that looks again.
func (d *DB) remember(name string, stamp disk.Stamp, h plumbing.Hash) {
	again, err := disk.StampOf(d.path(name))
	if err != nil || again != stamp || stamp.Size != 41 {
		return
	}
	d.loose.Store(name, &looseRef{stamp, h})
}

// Stamp identifies a state of some refs: two equal ones mean the same values.
type Stamp [32]byte

// Stamp takes the state of some refs, a missing one included; it costs a
// Current for each.
func (d *DB) Stamp(names ...string) (Stamp, error) {
	sum := newStamp()
	for _, name := range names {
		h, err := d.Current(name)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return Stamp{}, err
		}
		sum.Write(h[:])
	}
	return Stamp(sum.Sum(nil)), nil
}

// lockName is the lock of a file, as git names it.
func lockName(file string) string { return file + ".lock" }

// folder is the folder of a ref's loose file.
func (d *DB) folder(name string) string { return filepath.Dir(d.path(name)) }
