package refs

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/disk"
)

func newStamp() hash.Hash { return sha256.New() }

// Update moves one ref from Old to New. A zero Old means that the ref must not
// exist, a zero New that it is deleted.
type Update struct {
	Name     string
	Old, New plumbing.Hash
	// Verify makes no change: the ref must be at Old, and stays locked until
	// the transaction ends. New is not looked at.
	Verify bool
	// First makes the move durable before the next ref of the transaction
	// moves, even where one sync of their folder would do for both: a crash
	// then never shows the next one without this one.
	First bool
}

// StaleError is the refusal of an Update whose ref is not at Old. Found is zero
// where the ref does not exist.
type StaleError struct {
	Ref         string
	Want, Found plumbing.Hash
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("%s is at %s and not at %s", e.Ref, describe(e.Found), describe(e.Want))
}

func describe(h plumbing.Hash) string {
	if h.IsZero() {
		return "nothing"
	}
	return h.String()
}

// Is makes errors.Is(err, ErrStale) true.
func (e *StaleError) Is(target error) bool { return target == ErrStale }

// ErrStale is wrapped by every StaleError.
var ErrStale = errors.New("stale ref")

// NameConflictError is the refusal of a ref that cannot be beside another one:
// refs/heads/a and refs/heads/a/b.
type NameConflictError struct{ Ref, Other string }

func (e *NameConflictError) Error() string {
	return fmt.Sprintf("cannot create %s: %s exists", e.Ref, e.Other)
}

// LockedError says which lock could not be had in time.
type LockedError struct{ File string }

func (e *LockedError) Error() string {
	return fmt.Sprintf("another git process seems to hold %s; if none runs in this repository, remove that file", e.File)
}

// lockTimeout is how long Begin waits for a lock, unless its context ends
// before. It must outlast `git pack-refs` and the hooks of a push.
const lockTimeout = 10 * time.Second

// Tx holds the locks of some refs. It belongs to one goroutine and must be
// ended by Commit or Abort; Abort after Commit does nothing.
type Tx struct {
	db      *DB
	updates []*locked       // in the order given
	gone    map[string]bool // the refs that it deletes
	packed  *packedEdit
	done    bool
}

type locked struct {
	Update
	lock  string // the lock file, "" when it is no longer ours
	moved bool
}

// Begin locks all refs (in the order of their names, so that two transactions
// cannot wait for each other), compares their values, and writes and syncs the
// new values into the lock files. A ref that is elsewhere is a StaleError, and
// nothing stays locked. Symbolic refs are refused. It waits for locks up to 10
// seconds, or until the context ends.
func (d *DB) Begin(ctx context.Context, updates []Update) (*Tx, error) {
	tx := &Tx{db: d, gone: map[string]bool{}}
	for _, u := range updates {
		if err := CheckName(u.Name); err != nil {
			return nil, err
		}
		tx.updates = append(tx.updates, &locked{Update: u})
		if u.New.IsZero() && !u.Verify {
			tx.gone[u.Name] = true
		}
	}
	sorted := append([]*locked(nil), tx.updates...)
	sort.Slice(sorted, func(i, j int) bool { return sorted[i].Name < sorted[j].Name })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].Name == sorted[i-1].Name {
			return nil, fmt.Errorf("%s is twice in one transaction", sorted[i].Name)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	if err := tx.prepare(ctx, sorted); err != nil {
		tx.Abort()
		return nil, err
	}
	return tx, nil
}

func (tx *Tx) prepare(ctx context.Context, sorted []*locked) error {
	for _, l := range sorted {
		if err := tx.lock(ctx, l); err != nil {
			return err
		}
	}
	return tx.preparePacked(ctx)
}

// lock takes one ref's lock, compares under it, and writes the new value.
func (tx *Tx) lock(ctx context.Context, l *locked) error {
	f, err := tx.db.takeLock(ctx, tx.db.path(l.Name))
	if err != nil {
		return tx.explain(l.Name, err)
	}
	l.lock = f.Name()
	err = tx.check(l)
	if err == nil && !l.New.IsZero() && !l.Verify {
		err = writeSync(f, l.New.String()+"\n")
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

func writeSync(f disk.File, text string) error {
	if _, err := f.Write([]byte(text)); err != nil {
		return err
	}
	return f.Sync()
}

// check compares the value under the lock, and that the name is free.
func (tx *Tx) check(l *locked) error {
	h, target, found, err := tx.db.readLoose(l.Name)
	if err != nil {
		return fmt.Errorf("reading %s: %w", l.Name, err)
	}
	if target != "" {
		return fmt.Errorf("%s is a symbolic ref to %s: move that one", l.Name, target)
	}
	if !found {
		p, err := tx.db.packed()
		if err != nil {
			return err
		}
		r, _ := p.find(l.Name)
		h = r.hash
	}
	if h != l.Old {
		return &StaleError{l.Name, l.Old, h}
	}
	if l.Old.IsZero() && !l.New.IsZero() && !l.Verify {
		return tx.nameFree(l.Name)
	}
	return nil
}

// nameFree refuses a new ref that is a folder of others, or is under another.
func (tx *Tx) nameFree(name string) error {
	other, err := tx.db.beside(name, tx.deletes)
	if err == nil && other != "" {
		err = &NameConflictError{name, other}
	}
	return err
}

// Beside is a ref that a new one cannot be beside, because one of the two would be
// a folder of the other; "" where there is none.
func (d *DB) Beside(name string) (other string, err error) {
	return d.beside(name, func(string) bool { return false })
}

func (d *DB) beside(name string, gone func(string) bool) (other string, err error) {
	below, err := d.List(name + "/")
	if err != nil {
		return "", err
	}
	for _, r := range below {
		if !gone(r.Name) {
			return r.Name, nil
		}
	}
	for i := len("refs/"); i < len(name); i++ {
		if name[i] != '/' {
			continue
		}
		_, err := d.Read(name[:i])
		if err == nil && !gone(name[:i]) {
			return name[:i], nil
		}
		if err != nil && !errors.Is(err, ErrNotFound) && CheckName(name[:i]) == nil {
			return "", err
		}
	}
	return "", nil
}

// deletes reports that the same transaction deletes the ref.
func (tx *Tx) deletes(name string) bool { return tx.gone[name] }

// explain turns a file in the place of a folder into a conflict of names.
func (tx *Tx) explain(name string, err error) error {
	if !errors.Is(err, syscall.ENOTDIR) && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("locking %s: %w", name, err)
	}
	if e := tx.nameFree(name); e != nil {
		return e
	}
	return fmt.Errorf("locking %s: %w", name, err)
}

// takeLock makes file.lock, waiting while another has it, and makes the
// folders above it, which git removes when they become empty.
func (d *DB) takeLock(ctx context.Context, file string) (disk.File, error) {
	wait := time.Millisecond
	for {
		f, err := d.fs.OpenFile(lockName(file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		switch {
		case err == nil:
			return f, nil
		case errors.Is(err, fs.ErrNotExist):
			if err := disk.MakeDirs(d.fs, filepath.Dir(file), 0o777); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			wait = time.Millisecond
		case !errors.Is(err, fs.ErrExist):
			return nil, err
		}
		if err := sleep(ctx, wait/2+rand.N(wait)); err != nil {
			return nil, errors.Join(&LockedError{lockName(file)}, err)
		}
		wait = min(wait*2, 50*time.Millisecond)
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Abort gives the locks up and changes nothing.
func (tx *Tx) Abort() {
	if tx.done {
		return
	}
	tx.done = true
	tx.unlock()
}

// unlock removes the lock files that are still ours. One that cannot be removed
// is swept at the next start.
func (tx *Tx) unlock() {
	for _, l := range tx.updates {
		if l.lock != "" {
			_ = tx.db.fs.Remove(l.lock)
			l.lock = ""
		}
	}
	if tx.packed != nil {
		tx.packed.unlock()
		tx.packed = nil
	}
}

// Commit moves the refs, in the order in which they were given to Begin, and
// makes each durable before it moves one in another folder. If it fails, refs that
// had moved are moved back as far as the disk allows, and the error wraps the
// disk's.
func (tx *Tx) Commit() error {
	if tx.done {
		return errors.New("committing a transaction that has ended")
	}
	tx.done = true
	defer tx.unlock()
	if err := tx.move(); err != nil {
		return errors.Join(fmt.Errorf("moving refs: %w", err), tx.rollback())
	}
	return nil
}

func (tx *Tx) move() error {
	if tx.packed != nil {
		// Before the loose files, so that a packed value does not show again.
		if err := tx.packed.commit(); err != nil {
			return err
		}
	}
	for i, l := range tx.updates {
		if l.Verify {
			continue
		}
		if err := tx.moveOne(l); err != nil {
			return fmt.Errorf("%s: %w", l.Name, err)
		}
		if !l.First && i+1 < len(tx.updates) && !tx.updates[i+1].Verify && tx.db.folder(tx.updates[i+1].Name) == tx.db.folder(l.Name) {
			continue // one sync for both
		}
		if err := tx.db.fs.SyncDir(tx.db.folder(l.Name)); err != nil {
			return fmt.Errorf("%s: %w", l.Name, err)
		}
	}
	return nil
}

func (tx *Tx) moveOne(l *locked) error {
	file := tx.db.path(l.Name)
	if l.New.IsZero() {
		err := tx.db.fs.Remove(file)
		if err != nil && !missing(err) && !errors.Is(err, syscall.ENOTEMPTY) { // a packed ref, empty folders in its place
			return err
		}
		l.moved = true
		return nil
	}
	err := tx.db.fs.Rename(l.lock, file)
	if errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENOTEMPTY) || errors.Is(err, fs.ErrExist) {
		if err = tx.db.removeEmpty(file, 0); err == nil {
			err = tx.db.fs.Rename(l.lock, file)
		}
	}
	if err != nil {
		return err
	}
	l.lock, l.moved = "", true
	return nil
}

// removeEmpty removes a folder that has only empty folders in it: git leaves
// them behind.
func (d *DB) removeEmpty(dir string, depth int) error {
	if depth > 64 {
		return &fs.PathError{Op: "remove", Path: dir, Err: syscall.ELOOP}
	}
	list, err := d.fs.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		if !e.IsDir() {
			return &fs.PathError{Op: "remove", Path: dir, Err: syscall.ENOTEMPTY}
		}
		if err := d.removeEmpty(filepath.Join(dir, e.Name()), depth+1); err != nil {
			return err
		}
	}
	return d.fs.Remove(dir)
}

// rollback moves refs back that had moved when a later step failed. A ref that
// somebody else has moved since stays where that one put it.
func (tx *Tx) rollback() error {
	var errs []error
	for i := len(tx.updates) - 1; i >= 0; i-- {
		l := tx.updates[i]
		if !l.moved {
			continue
		}
		if err := tx.db.restore(l); err != nil && !errors.Is(err, ErrStale) {
			errs = append(errs, fmt.Errorf("moving %s back to %s: %w", l.Name, describe(l.Old), err))
		}
	}
	return errors.Join(errs...)
}

// restore brings one ref back. It does not wait for its sync to succeed: the
// disk has just refused one.
func (d *DB) restore(l *locked) error {
	if l.lock == "" {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		f, err := d.takeLock(ctx, d.path(l.Name))
		if err != nil {
			return err
		}
		l.lock = f.Name()
		if err := errors.Join(f.Close()); err != nil {
			return err
		}
	}
	now, err := d.Read(l.Name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	if now != l.New {
		return ErrStale
	}
	return d.put(l)
}

// put writes the old value through the lock that l holds.
func (d *DB) put(l *locked) error {
	if l.Old.IsZero() {
		return d.fs.Remove(d.path(l.Name))
	}
	f, err := d.fs.OpenFile(l.lock, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(l.Old.String() + "\n"))
	_ = f.Sync() // the rename below is what readers see
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	if err := d.fs.Rename(l.lock, d.path(l.Name)); err != nil {
		return err
	}
	l.lock = ""
	return d.fs.SyncDir(d.folder(l.Name))
}

// preparePacked takes packed-refs.lock where something is deleted, and writes the
// content without it. The lock is kept until the loose files are gone, even where
// nothing deleted is packed, so that nobody packs a ref meanwhile that is about to
// go (git does the same).
func (tx *Tx) preparePacked(ctx context.Context) (err error) {
	if len(tx.gone) == 0 {
		return nil
	}
	if tx.packed, err = tx.db.editPacked(ctx); err != nil {
		return err
	}
	p, err := tx.db.packed()
	if err != nil {
		return err
	}
	var rest []packedRef
	for _, r := range p.refs {
		if !tx.deletes(r.name) {
			rest = append(rest, r)
		}
	}
	if len(rest) == len(p.refs) {
		return nil
	}
	return tx.packed.write(encodePacked(rest, p.peeled))
}

// Set moves some refs at once: Begin and Commit.
func (d *DB) Set(ctx context.Context, updates ...Update) error {
	tx, err := d.Begin(ctx, updates)
	if err != nil {
		return err
	}
	return tx.Commit()
}

// SetHead makes HEAD name a branch, durably.
func (d *DB) SetHead(ctx context.Context, branch string) error {
	if err := CheckName(branch); err != nil || !strings.HasPrefix(branch, "refs/heads/") {
		return errors.Join(fmt.Errorf("HEAD cannot name %q: it must be a branch", branch), err)
	}
	f, err := d.takeLock(ctx, d.path("HEAD"))
	if err != nil {
		return fmt.Errorf("locking HEAD: %w", err)
	}
	err = writeSync(f, "ref: "+branch+"\n")
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = d.fs.Rename(f.Name(), d.path("HEAD"))
	}
	if err != nil {
		_ = d.fs.Remove(f.Name()) // else it is swept at the next start
		return fmt.Errorf("setting HEAD: %w", err)
	}
	return d.fs.SyncDir(d.dir)
}
