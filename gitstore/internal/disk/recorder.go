package disk

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Recorder is an FS over one folder that keeps every operation, so that Crashes
// can show what a crash at any moment could leave on the disk. Operations
// through it are done one after the other. Files outside the folder, and what
// others do inside it, are not recorded.
type Recorder struct {
	fs   FS
	root string

	mu    sync.Mutex
	ops   []op   // guarded by mu, as all below
	base  *state // the folder when the recording began
	names *tree  // names → files as they are now
	files int    // numbers given to files
}

// op is one recorded operation. Names are relative to the root.
type op struct {
	kind     Op
	name, to string // to: of rename and link
	file     int    // of create, write, sync
	data     []byte // of write
	at       int64  // of write: the offset
	mark     string // of a mark
}

const opMark Op = "mark"

func (o op) String() string {
	switch {
	case o.kind == opMark:
		return "mark " + o.mark
	case o.to != "":
		return fmt.Sprintf("%s %s → %s", o.kind, o.name, o.to)
	case o.kind == OpWrite:
		return fmt.Sprintf("%s %s (%d bytes)", o.kind, o.name, len(o.data))
	}
	return fmt.Sprintf("%s %s", o.kind, o.name)
}

// NewRecorder begins to record what happens in the folder root. What is there
// already counts as durable.
func NewRecorder(root string) (*Recorder, error) {
	r := &Recorder{fs: OS{}, root: filepath.Clean(root), base: newState(), names: newTree()}
	err := filepath.WalkDir(r.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == r.root {
			return err
		}
		name := r.rel(path)
		if d.IsDir() {
			r.names.folders[name] = true
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		r.files++
		r.names.names[name] = r.files
		r.base.files[r.files] = &content{data: data, perm: info.Mode().Perm()}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("recording %s: %w", root, err)
	}
	r.base.tree = r.names.clone()
	return r, nil
}

// Mark puts a mark into the recording: what it names has been acknowledged, so
// every later state must hold it.
func (r *Recorder) Mark(mark string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ops = append(r.ops, op{kind: opMark, mark: mark})
}

// Operations lists what was recorded, one line each, for a test's log.
func (r *Recorder) Operations() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lines := make([]string, len(r.ops))
	for i, o := range r.ops {
		lines[i] = o.String()
	}
	return lines
}

func (r *Recorder) rel(name string) string {
	rel, err := filepath.Rel(r.root, name)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		panic(fmt.Sprintf("disk.Recorder: %s is outside %s", name, r.root)) // a fault of the test
	}
	return rel
}

// do runs an operation and records it if it succeeded.
func (r *Recorder) do(o op, run func() error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := run(); err != nil {
		return err
	}
	r.record(o)
	return nil
}

func (r *Recorder) record(o op) {
	r.names.apply(o)
	r.ops = append(r.ops, o)
}

// OpenFile records the creation or the truncation of a file. O_APPEND is not
// supported: the store does not use it.
func (r *Recorder) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	if flag&os.O_APPEND != 0 {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rel := r.rel(name)
	id, known := r.names.names[rel]
	f, err := r.fs.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	if !known {
		r.files++
		id = r.files
		r.base.files[id] = &content{perm: perm}
		r.record(op{kind: OpCreate, name: rel, file: id})
	} else if flag&os.O_TRUNC != 0 {
		r.record(op{kind: OpWrite, name: rel, file: id, at: -1})
	}
	return &recorded{File: f, r: r, name: rel, id: id}, nil
}

// Rename is recorded.
func (r *Recorder) Rename(from, to string) error {
	return r.do(op{kind: OpRename, name: r.rel(from), to: r.rel(to)}, func() error { return r.fs.Rename(from, to) })
}

// Link is recorded.
func (r *Recorder) Link(from, to string) error {
	return r.do(op{kind: OpLink, name: r.rel(from), to: r.rel(to)}, func() error { return r.fs.Link(from, to) })
}

// Remove is recorded.
func (r *Recorder) Remove(name string) error {
	return r.do(op{kind: OpRemove, name: r.rel(name)}, func() error { return r.fs.Remove(name) })
}

// MkdirAll records each folder that it makes.
func (r *Recorder) MkdirAll(dir string, perm fs.FileMode) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.fs.MkdirAll(dir, perm); err != nil {
		return err
	}
	parts := strings.Split(r.rel(dir), "/")
	for i := range parts {
		if name := strings.Join(parts[:i+1], "/"); name != "." && !r.names.folders[name] {
			r.record(op{kind: OpMkdir, name: name})
		}
	}
	return nil
}

// ReadDir is not recorded.
func (r *Recorder) ReadDir(dir string) ([]fs.DirEntry, error) { return r.fs.ReadDir(dir) }

// ReadFile is not recorded.
func (r *Recorder) ReadFile(name string) ([]byte, error) { return r.fs.ReadFile(name) }

// Stat is not recorded.
func (r *Recorder) Stat(name string) (fs.FileInfo, error) { return r.fs.Stat(name) }

// Touch is not recorded.
func (r *Recorder) Touch(name string) error { return r.fs.Touch(name) }

// SyncDir is recorded; the real folder is not synced.
func (r *Recorder) SyncDir(dir string) error {
	return r.do(op{kind: OpSyncDir, name: r.rel(dir)}, func() error { return nil })
}

// recorded is an open file of a Recorder.
type recorded struct {
	File
	r    *Recorder
	name string
	id   int
	at   int64
}

func (f *recorded) Write(b []byte) (int, error) {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	n, err := f.File.Write(b)
	f.r.record(op{kind: OpWrite, name: f.name, file: f.id, at: f.at, data: append([]byte(nil), b[:n]...)})
	f.at += int64(n)
	return n, err
}

// Sync is recorded; the real file is not synced.
func (f *recorded) Sync() error {
	return f.r.do(op{kind: OpSync, name: f.name, file: f.id}, func() error { return nil })
}
