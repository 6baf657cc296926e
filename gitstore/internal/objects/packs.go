package objects

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// PackInfo is a pack as whoever tidies up sees it.
type PackInfo struct {
	Name    string // "pack-" and 40 hex digits
	Objects int
	Bytes   int64
	Garbage bool      // what no ref reached when it was written (a cruft pack)
	Bitmap  bool      // has a bitmap, and so all that its commits reach
	Kept    bool      // marked so that nobody removes it
	Changed time.Time // when it was written, or an object in it was written again
}

// Packs lists the packs that are there now. It costs reading the folder, and a stat
// for each.
func (db *DB) Packs() ([]PackInfo, error) {
	if err := db.Refresh(); err != nil {
		return nil, err
	}
	list, err := db.fs.ReadDir(db.packDir)
	if err != nil {
		return nil, err
	}
	beside := map[string]bool{}
	for _, e := range list {
		beside[e.Name()] = true
	}
	var out []PackInfo
	for _, p := range db.packs.Load().packs {
		info, err := db.fs.Stat(p.path + ".pack")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		n := p.name()
		out = append(out, PackInfo{
			Name: n, Objects: p.idx.n, Bytes: int64(len(p.data)), Garbage: p.cruft, Changed: info.ModTime(),
			Bitmap: beside[n+".bitmap"], Kept: beside[n+".keep"] || beside[n+".promisor"],
		})
	}
	return out, nil
}

// Only lists the objects that are in the named packs and in no other one. Loose
// copies do not count. It costs a look-up for each object.
func (db *DB) Only(names []string) []plumbing.Hash {
	var in, others []*pack
	for _, p := range db.packs.Load().packs {
		if slices.Contains(names, p.name()) {
			in = append(in, p)
		} else {
			others = append(others, p)
		}
	}
	var only []plumbing.Hash
	for _, p := range in {
		for i := range p.idx.n {
			oid := p.idx.name(i)
			if !slices.ContainsFunc(others, func(o *pack) bool { return o.find(&oid) >= 0 }) {
				only = append(only, oid)
			}
		}
		p.keepAlive()
	}
	return only
}

// endings of a pack's files. The index goes first, without which the rest is nothing
// to anybody.
var endings = [...]string{".idx", ".bitmap", ".rev", ".mtimes", ".pack"}

// Retire removes packs. The caller has made sure that nobody needs an object that
// is in them alone, and that what the others hold is on the disk; nobody else may
// remove packs meanwhile. Readers that are in them stay there.
func (db *DB) Retire(names []string) error {
	db.scan.Lock()
	defer db.scan.Unlock()
	old := db.packs.Load()
	next := &packSet{dir: old.dir, racy: old.racy, broken: old.broken}
	for _, p := range old.packs {
		if !slices.Contains(names, p.name()) {
			next.packs = append(next.packs, p)
		}
	}
	db.packs.Store(next)
	for _, n := range names {
		for _, ending := range endings {
			if err := db.fs.Remove(filepath.Join(db.packDir, n+ending)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("removing the pack %s: %w", n, err)
			}
		}
	}
	return db.fs.SyncDir(db.packDir)
}

// Sync makes the names in the pack folder durable: git syncs the packs that it
// writes, and never their folder.
func (db *DB) Sync() error { return db.fs.SyncDir(db.packDir) }

// SweepLoose removes loose objects: the copies of what is in a pack; where packed is
// not zero, also those that are in a pack of garbage, if they are older than that;
// and all that are older than garbage. The caller has made sure that nobody needs
// what goes beside the copies, and that a pack of garbage knows its age.
func (db *DB) SweepLoose(packed, garbage time.Time) error {
	set, err := db.rescan()
	if err != nil {
		return err
	}
	for first := range 256 {
		dir := filepath.Join(db.dir, hex.EncodeToString([]byte{byte(first)}))
		list, err := db.fs.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, e := range list {
			oid, ok := looseName(byte(first), e.Name())
			if !ok {
				continue
			}
			whole, inGarbage := set.keeps(&oid)
			if !whole && !(inGarbage && olderThan(e, packed)) && !olderThan(e, garbage) {
				continue
			}
			if err := db.fs.Remove(filepath.Join(dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

func olderThan(e fs.DirEntry, t time.Time) bool {
	if t.IsZero() {
		return false
	}
	info, err := e.Info()
	return err == nil && info.ModTime().Before(t)
}

// keeps tells whether an object is in a pack, and whether in one of garbage.
func (s *packSet) keeps(oid *plumbing.Hash) (whole, garbage bool) {
	for _, p := range s.packs {
		if p.find(oid) >= 0 {
			whole, garbage = whole || !p.cruft, garbage || p.cruft
		}
	}
	return whole, garbage
}
