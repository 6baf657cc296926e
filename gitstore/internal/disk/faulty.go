package disk

import (
	"io/fs"
	"os"
	"sync"
)

// Op is a kind of operation on a file system.
type Op string

// The kinds of operation.
const (
	OpCreate  Op = "create"
	OpWrite   Op = "write"
	OpSync    Op = "sync"
	OpRename  Op = "rename"
	OpLink    Op = "link"
	OpRemove  Op = "remove"
	OpMkdir   Op = "mkdir"
	OpSyncDir Op = "syncdir"
	OpRead    Op = "read" // ReadFile and ReadDir
)

// Fault is one failure: the N-th operation of a kind (from 1) fails with Err.
// With Stays, every later one does too, as on a disk that is full.
type Fault struct {
	Op    Op
	N     int
	Err   error
	Stays bool
}

// Faulty is an FS on which chosen operations fail. A write that fails with it
// has written half of its bytes.
type Faulty struct {
	fs     FS
	mu     sync.Mutex
	faults []Fault    // guarded by mu
	counts map[Op]int // guarded by mu
}

// NewFaulty wraps a file system.
func NewFaulty(fsys FS, faults ...Fault) *Faulty {
	return &Faulty{fs: fsys, faults: faults, counts: map[Op]int{}}
}

// Set replaces the faults and begins to count anew.
func (f *Faulty) Set(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults, f.counts = faults, map[Op]int{}
}

// Count is how many operations of a kind there were.
func (f *Faulty) Count(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[op]
}

func (f *Faulty) fail(op Op, name string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.counts[op]++
	for _, x := range f.faults {
		if n := f.counts[op]; x.Op == op && (n == x.N || x.Stays && n > x.N) {
			return &fs.PathError{Op: string(op), Path: name, Err: x.Err}
		}
	}
	return nil
}

// OpenFile fails as OpCreate when it may create.
func (f *Faulty) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	if flag&os.O_CREATE != 0 {
		if err := f.fail(OpCreate, name); err != nil {
			return nil, err
		}
	}
	file, err := f.fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f}, nil
}

// Rename fails as OpRename.
func (f *Faulty) Rename(from, to string) error {
	if err := f.fail(OpRename, to); err != nil {
		return err
	}
	return f.fs.Rename(from, to)
}

// Link fails as OpLink.
func (f *Faulty) Link(from, to string) error {
	if err := f.fail(OpLink, to); err != nil {
		return err
	}
	return f.fs.Link(from, to)
}

// Remove fails as OpRemove.
func (f *Faulty) Remove(name string) error {
	if err := f.fail(OpRemove, name); err != nil {
		return err
	}
	return f.fs.Remove(name)
}

// MkdirAll fails as OpMkdir.
func (f *Faulty) MkdirAll(dir string, perm fs.FileMode) error {
	if err := f.fail(OpMkdir, dir); err != nil {
		return err
	}
	return f.fs.MkdirAll(dir, perm)
}

// ReadDir fails as OpRead.
func (f *Faulty) ReadDir(dir string) ([]fs.DirEntry, error) {
	if err := f.fail(OpRead, dir); err != nil {
		return nil, err
	}
	return f.fs.ReadDir(dir)
}

// ReadFile fails as OpRead.
func (f *Faulty) ReadFile(name string) ([]byte, error) {
	if err := f.fail(OpRead, name); err != nil {
		return nil, err
	}
	return f.fs.ReadFile(name)
}

// Stat never fails by itself.
func (f *Faulty) Stat(name string) (fs.FileInfo, error) { return f.fs.Stat(name) }

// Touch never fails by itself.
func (f *Faulty) Touch(name string) error { return f.fs.Touch(name) }

// SyncDir fails as OpSyncDir.
func (f *Faulty) SyncDir(dir string) error {
	if err := f.fail(OpSyncDir, dir); err != nil {
		return err
	}
	return f.fs.SyncDir(dir)
}

type faultyFile struct {
	File
	f *Faulty
}

func (x *faultyFile) Write(b []byte) (int, error) {
	if err := x.f.fail(OpWrite, x.Name()); err != nil {
		n, werr := x.File.Write(b[:len(b)/2])
		if werr != nil {
			return n, werr
		}
		return n, err
	}
	return x.File.Write(b)
}

func (x *faultyFile) Sync() error {
	if err := x.f.fail(OpSync, x.Name()); err != nil {
		return err
	}
	return x.File.Sync()
}
