// Package disk is the seam between the store and the file system: every file
// that the store writes, it writes through an FS. OS is the real one; Recorder
// keeps every operation so that a test can see the disk as a crash would have
// left it; Faulty fails chosen operations.
//
// What makes a change durable is the same on all of them, and is the weakest
// that POSIX promises: data of a file is durable after its Sync, a name
// (create, rename, link, remove, mkdir) after SyncDir of the folder it is in.
package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// FS is what the store needs of a file system. Names are paths as package os
// takes them. Errors are those of package os, so that errors.Is with
// fs.ErrNotExist, fs.ErrExist and syscall.ENOSPC works.
type FS interface {
	// OpenFile opens as os.OpenFile does; the file is closed on exec.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	Rename(from, to string) error
	Link(from, to string) error
	Remove(name string) error
	// MkdirAll makes a folder and those above it; it does not sync them.
	MkdirAll(dir string, perm fs.FileMode) error
	ReadDir(dir string) ([]fs.DirEntry, error)
	ReadFile(name string) ([]byte, error)
	Stat(name string) (fs.FileInfo, error)
	// Touch sets the times of a file to now. It need not be durable.
	Touch(name string) error
	// SyncDir makes the names in a folder durable. It costs an fsync.
	SyncDir(dir string) error
}

// File is an open file. Sync makes what was written durable (fsync).
type File interface {
	io.Reader
	io.Writer
	io.Closer
	Name() string
	Stat() (fs.FileInfo, error)
	Sync() error
}

// OS is the file system of the machine. The zero value is ready.
type OS struct{}

// OpenFile opens a file as os.OpenFile does. Package os sets O_CLOEXEC.
func (OS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err // not f: a nil *os.File in an interface is not nil
	}
	return f, nil
}

// Rename is os.Rename: atomic, replaces a file at to.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Link is os.Link.
func (OS) Link(from, to string) error { return os.Link(from, to) }

// Remove is os.Remove: a file or an empty folder.
func (OS) Remove(name string) error { return os.Remove(name) }

// MkdirAll is os.MkdirAll.
func (OS) MkdirAll(dir string, perm fs.FileMode) error { return os.MkdirAll(dir, perm) }

// ReadDir is os.ReadDir: sorted by name.
func (OS) ReadDir(dir string) ([]fs.DirEntry, error) { return os.ReadDir(dir) }

// ReadFile is os.ReadFile.
func (OS) ReadFile(name string) ([]byte, error) { return os.ReadFile(name) }

// Stat is os.Stat.
func (OS) Stat(name string) (fs.FileInfo, error) { return os.Stat(name) }

// Touch sets a file's times to now.
func (OS) Touch(name string) error {
	now := time.Now()
	return os.Chtimes(name, now, now)
}

// SyncDir is fsync(2) of a folder.
func (OS) SyncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = f.Sync()
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// MakeDirs makes a folder and those missing above it, and makes the names of
// the new ones durable. It costs nothing but a stat where the folder is there.
func MakeDirs(fsys FS, dir string, perm fs.FileMode) error {
	info, err := fsys.Stat(dir)
	if err == nil {
		if !info.IsDir() {
			return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := MakeDirs(fsys, parent, perm); err != nil {
			return err
		}
	}
	if err := fsys.MkdirAll(dir, perm); err != nil {
		return err
	}
	return fsys.SyncDir(parent)
}

// Stamp identifies a state of a file without reading it. Two equal stamps of
// one name mean the same content, unless both are racy.
type Stamp struct {
	Inode        uint64
	Size         int64
	Mtime, Ctime int64 // nanoseconds since 1970
	Exists       bool
}

// Granularity is the longest time for which a file system may give two
// different states the same time: one tick of the slowest kernel (100 Hz), and
// as much again.
const Granularity = 20 * time.Millisecond

// Racy reports that the file changed so shortly before now that another change
// could still bear the same stamp (inode numbers are used again at once).
func (s Stamp) Racy(now time.Time) bool {
	return s.Exists && now.UnixNano()-max(s.Mtime, s.Ctime) < int64(Granularity)
}
