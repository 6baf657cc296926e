package refs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"wikibot/gitstore/internal/disk"
)

// inodeHold is how long a packed-refs that was replaced stays open. Stock git
// (2.39, built without USE_NSEC) takes the file for unchanged if inode, size and
// second are; while the old file is open no new one can get its inode.
const inodeHold = 3 * time.Second

// packedEdit is packed-refs under its lock. As in git, packed-refs.lock is the lock
// alone and the content goes into packed-refs.new, so that the lock can be held
// beyond the moment at which the new content shows.
type packedEdit struct {
	db      *DB
	lock    string // the lock file, "" when it is no longer ours
	next    string // the new content's file; "" where there is none
	written bool   // next is to replace packed-refs
}

// editPacked takes the lock, for which it waits as Begin does.
func (d *DB) editPacked(ctx context.Context) (*packedEdit, error) {
	f, err := d.takeLock(ctx, d.path("packed-refs"))
	if err != nil {
		return nil, fmt.Errorf("locking packed-refs: %w", err)
	}
	e := &packedEdit{db: d, lock: f.Name()}
	if err := f.Close(); err != nil {
		e.unlock()
		return nil, err
	}
	return e, nil
}

// write puts the new content on the disk, beside the old.
func (e *packedEdit) write(text []byte) error {
	e.next = e.db.path("packed-refs.new")
	f, err := e.db.fs.OpenFile(e.next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	err = writeSync(f, string(text))
	if e := f.Close(); err == nil {
		err = e
	}
	e.written = err == nil
	return err
}

// commit makes the new content packed-refs, durably; the lock stays. Where nothing
// was written it does nothing.
func (e *packedEdit) commit() error {
	if !e.written {
		return nil
	}
	file := filepath.Join(e.db.dir, "packed-refs")
	old, err := e.db.fs.OpenFile(file, os.O_RDONLY, 0)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := e.db.fs.Rename(e.next, file); err != nil {
		if old != nil {
			_ = old.Close() // nothing was written to it
		}
		return err
	}
	if old != nil {
		hold(old)
	}
	e.next, e.written = "", false
	return e.db.fs.SyncDir(e.db.dir)
}

// hold keeps a file's inode from being given to another one for a while.
func hold(f disk.File) {
	time.AfterFunc(inodeHold, func() { _ = f.Close() }) // it was only read
}

// unlock gives the lock up, and drops what was not committed. A file that cannot be
// removed is swept at the next start.
func (e *packedEdit) unlock() {
	if e.next != "" {
		_ = e.db.fs.Remove(e.next)
		e.next = ""
	}
	if e.lock != "" {
		_ = e.db.fs.Remove(e.lock)
		e.lock = ""
	}
}
