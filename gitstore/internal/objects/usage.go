package objects

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// Usage is how many bytes the objects take on the disk: packs with their indexes
// and loose objects; in a quarantine, those of the push alone. Temporary files, and
// what other pushes are about to bring, do not count. It costs reading the folders
// and a stat for each file, about 2 ms for a thousand.
func (db *DB) Usage() (int64, error) {
	var total int64
	err := db.files(func(_ string, _ *plumbing.Hash, size int64) { total += size })
	return total, err
}

// Copies is how many bytes of the Usage hold only what is there once more, as
// while packs are being joined or loose objects packed: the new ones are there
// before the old ones go. It costs a look-up for each object.
func (db *DB) Copies() (int64, error) {
	set, err := db.rescan()
	if err != nil {
		return 0, err
	}
	twice := set.twice()
	var total int64
	err = db.files(func(pack string, loose *plumbing.Hash, size int64) {
		if loose == nil && slices.Contains(twice, pack) {
			total += size
		} else if loose != nil {
			if _, p := set.find(*loose); p != nil {
				total += size
			}
		}
	})
	return total, err
}

// twice are the names of packs that could go without a loss, the smallest first.
func (s *packSet) twice() (names []string) {
	left := slices.Clone(s.packs)
	slices.SortFunc(left, func(a, b *pack) int { return cmp.Compare(len(a.data), len(b.data)) })
	for i := 0; i < len(left); {
		p := left[i]
		others := slices.Delete(slices.Clone(left), i, i+1)
		if p.within(others) {
			names = append(names, p.name())
			left = others
			continue
		}
		i++
	}
	return names
}

// within reports whether all objects of a pack are in others.
func (p *pack) within(others []*pack) bool {
	defer runtime.KeepAlive(p.idxMap)
	for i := range p.idx.n {
		oid := p.idx.name(i)
		if !slices.ContainsFunc(others, func(o *pack) bool { return o.find(&oid) >= 0 }) {
			return false
		}
	}
	return true
}

// files calls fn for each file of objects: with the name of its pack, or with that
// of the loose object. Those that go meanwhile are left out.
func (db *DB) files(fn func(pack string, loose *plumbing.Hash, size int64)) error {
	folders, err := db.fs.ReadDir(db.dir)
	if err != nil {
		return fmt.Errorf("measuring %s: %w", db.dir, err)
	}
	for _, f := range folders {
		first, err := hex.DecodeString(f.Name())
		if packs := f.Name() == "pack"; !packs && (err != nil || len(first) != 1) {
			continue
		}
		list, err := db.fs.ReadDir(filepath.Join(db.dir, f.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("measuring %s: %w", db.dir, err)
		}
		for _, e := range list {
			info, err := e.Info()
			if err != nil {
				continue
			}
			if name, _, ok := strings.Cut(e.Name(), "."); len(first) == 0 && ok && strings.HasPrefix(name, "pack-") {
				fn(name, nil, info.Size())
			} else if len(first) == 1 {
				if oid, ok := looseName(first[0], e.Name()); ok {
					fn("", &oid, info.Size())
				}
			}
		}
	}
	return nil
}
