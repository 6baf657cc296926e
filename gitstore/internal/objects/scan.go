package objects

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"wikibot/gitstore/internal/disk"
)

// Refresh reads the pack folder again and opens what is new. It is needed only
// to see a repack early: a look-up that misses does it by itself.
func (db *DB) Refresh() error {
	db.scan.Lock()
	defer db.scan.Unlock()
	_, err := db.scanLocked()
	return err
}

// rescan gives a set that has every pack which was there when it was called. A
// negative look-up thus costs one stat of the folder; reading it costs once for
// each change (and each time during the 20 ms after one, when its time cannot
// tell a second change).
func (db *DB) rescan() (*packSet, error) {
	if set := db.packs.Load(); set.current(db.packDir) {
		return set, nil
	}
	db.scan.Lock()
	defer db.scan.Unlock()
	if set := db.packs.Load(); set.current(db.packDir) { // another look-up was first
		return set, nil
	}
	return db.scanLocked()
}

// current reports that the folder has not changed since the set was read.
func (s *packSet) current(dir string) bool {
	if s.racy || !s.dir.Exists {
		return false
	}
	stamp, err := disk.StampOf(dir)
	return err == nil && stamp == s.dir
}

// scanLocked reads the folder and replaces the set. If a pack vanishes between
// reading its name and opening it, what replaced it may have come after that
// reading: so it reads again.
func (db *DB) scanLocked() (*packSet, error) {
	for try := 0; ; try++ {
		next, vanished, err := db.readFolder()
		if err != nil {
			return nil, err
		}
		if !vanished || try == 10 {
			db.packs.Store(next)
			return next, nil
		}
	}
}

func (db *DB) readFolder() (next *packSet, vanished bool, err error) {
	old := db.packs.Load()
	now := time.Now()
	stamp, err := disk.StampOf(db.packDir)
	if err != nil {
		return nil, false, err
	}
	list, err := db.fs.ReadDir(db.packDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, false, fmt.Errorf("reading the packs: %w", err)
	}
	next = &packSet{dir: stamp, racy: stamp.Racy(now)}
	vanished = db.openAll(next, old, list)
	return next, vanished, nil
}

// openAll opens the packs of a folder, those already open excepted. One that
// cannot be opened is noted as broken.
func (db *DB) openAll(next, old *packSet, list []fs.DirEntry) (vanished bool) {
	known := make(map[string]*pack, len(old.packs))
	for _, p := range old.packs {
		known[p.name()] = p
	}
	there := make(map[string]bool, len(list))
	for _, e := range list {
		there[e.Name()] = true
	}
	for _, e := range list {
		name, ok := strings.CutSuffix(e.Name(), ".idx")
		if !ok || !strings.HasPrefix(name, "pack-") || !there[name+".pack"] {
			continue
		}
		p := known[name]
		if p == nil || p.cruft != there[name+".mtimes"] {
			var err error
			p, err = db.open(name, there[name+".mtimes"])
			if errors.Is(err, fs.ErrNotExist) {
				vanished = true
				continue
			}
			if err != nil {
				next.broken = errors.Join(next.broken, err)
				continue
			}
		}
		next.packs = append(next.packs, p)
	}
	sortPacks(next.packs)
	return vanished
}

func (db *DB) open(name string, cruft bool) (*pack, error) {
	p, err := openPack(filepath.Join(db.packDir, name))
	if err != nil {
		return nil, err
	}
	p.cruft = cruft
	p.id = db.packID()
	return p, nil
}

func (db *DB) packID() uint64 {
	if db.cache == nil {
		return 0
	}
	return db.cache.packs.Add(1)
}

// sortPacks puts the largest first and garbage last.
func sortPacks(packs []*pack) {
	sort.SliceStable(packs, func(i, j int) bool {
		a, b := packs[i], packs[j]
		if a.cruft != b.cruft {
			return b.cruft
		}
		return a.idx.n > b.idx.n
	})
}

// register adds a pack that was just written.
func (db *DB) register(p *pack) {
	db.scan.Lock()
	defer db.scan.Unlock()
	old := db.packs.Load()
	for _, q := range old.packs {
		if q.name() == p.name() {
			return
		}
	}
	packs := make([]*pack, 0, len(old.packs)+1)
	packs = append(append(packs, old.packs...), p)
	sortPacks(packs)
	// The folder's stamp stays the old one: the next miss looks again, since
	// others may have written at the same time.
	db.packs.Store(&packSet{packs: packs, dir: old.dir, racy: old.racy, broken: old.broken})
}
