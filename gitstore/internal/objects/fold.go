package objects

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// FoldOptions say how Fold works. Zero values have the defaults.
type FoldOptions struct {
	// FanIn is how many packs of one size class become one; default 8.
	FanIn int
	// MaxBytes is the size from which a pack is left alone; default 1 GiB.
	MaxBytes int64
	// Leave is true of packs that somebody else is working on; nil: of none.
	Leave func(name string) bool
}

func (o *FoldOptions) complete() {
	if o.FanIn < 2 {
		o.FanIn = defaultFanIn
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 1 << 30
	}
}

// takes reports whether a pack may be folded, as far as the pack itself tells.
func (o *FoldOptions) takes(p *pack) bool {
	return !p.cruft && !p.byName.Load() && int64(len(p.data)) < o.MaxBytes && (o.Leave == nil || !o.Leave(p.name()))
}

// FoldResult says what Fold did.
type FoldResult struct {
	Folded int   // packs that are gone
	Made   int   // packs that took their place
	Bytes  int64 // written
}

const (
	defaultFanIn = 8
	// classBase is the size in bytes up to which a pack is of class 0; each
	// further class is eight times as large. A pack of one edit has 2 to 8 kB.
	classBase = 16 << 10
	// maxFold bounds the packs that are combined at once.
	maxFold = 512
)

// Fold combines small packs into larger ones: as soon as FanIn of them are of
// one size class, they become one of the next. So a byte is copied about once a
// class, and there are at most FanIn-1 packs of each of some seven classes. The
// bodies are copied as they are, deltas included; nothing is inflated.
//
// Old packs are removed when the new one is on the disk; readers that are in
// them stay there. Packs that git marked (.keep, .promisor, .bitmap, .mtimes)
// and packs with deltas by name are left alone, and with a multi-pack-index
// everything is.
//
// The caller holds the repository's maintenance lock: nobody else may remove
// packs meanwhile (a native repack, another Fold). Batches may be written.
func (db *DB) Fold(ctx context.Context, o FoldOptions) (FoldResult, error) {
	o.complete()
	var res FoldResult
	for {
		group, err := db.foldable(o)
		if err != nil || group == nil {
			return res, err
		}
		made, err := db.combine(ctx, group)
		if errors.Is(err, errNotFoldable) {
			continue // it is marked now
		}
		if err != nil {
			return res, fmt.Errorf("folding %d packs: %w", len(group), err)
		}
		res.Folded += len(group)
		res.Made++
		res.Bytes += int64(len(made.data))
	}
}

// FoldDue reports whether Fold would find enough packs among those that the DB
// knows. It costs a look at each, and nothing on the disk.
func (db *DB) FoldDue(o FoldOptions) bool {
	o.complete()
	var classes [64]int
	for _, p := range db.packs.Load().packs {
		if c := class(int64(len(p.data))); o.takes(p) {
			if classes[c]++; classes[c] >= o.FanIn {
				return true
			}
		}
	}
	return false
}

// foldable chooses the packs of the smallest class that is full; nil if none.
func (db *DB) foldable(o FoldOptions) ([]*pack, error) {
	if err := db.Refresh(); err != nil {
		return nil, err
	}
	marked, err := db.marked()
	if err != nil || marked["multi-pack-index"] {
		return nil, err
	}
	classes := map[int][]*pack{}
	for _, p := range db.packs.Load().packs {
		if c := class(int64(len(p.data))); o.takes(p) && !marked[p.name()] {
			classes[c] = append(classes[c], p)
		}
	}
	for c := range 64 {
		if group := classes[c]; len(group) >= o.FanIn {
			slices.SortFunc(group, func(a, b *pack) int { return cmp.Compare(len(a.data), len(b.data)) })
			return group[:min(len(group), maxFold)], nil
		}
	}
	return nil, nil
}

func class(size int64) int {
	c := 0
	for limit := int64(classBase); size >= limit; limit *= 8 {
		c++
	}
	return c
}

// marked lists the packs that have a file beside them which says that they are
// special, and the multi-pack-index.
func (db *DB) marked() (map[string]bool, error) {
	list, err := db.fs.ReadDir(db.packDir)
	if err != nil {
		return nil, err
	}
	marked := map[string]bool{}
	for _, e := range list {
		name, ending, _ := strings.Cut(e.Name(), ".")
		switch ending {
		case "idx", "pack", "rev":
		default:
			marked[name] = true
		}
	}
	return marked, nil
}

// combine writes one pack of several and takes these away.
func (db *DB) combine(ctx context.Context, group []*pack) (*pack, error) {
	f, err := planFold(group)
	if err != nil {
		return nil, err
	}
	p, err := f.write(ctx, db)
	if err != nil {
		return nil, err
	}
	db.replace(group, p)
	return p, nil
}

// replace puts one pack in the place of others, and removes their files. While
// it does, no rescan can find them again.
func (db *DB) replace(gone []*pack, p *pack) {
	db.scan.Lock()
	defer db.scan.Unlock()
	old := db.packs.Load()
	next := &packSet{dir: old.dir, racy: old.racy, broken: old.broken, packs: []*pack{p}}
	for _, q := range old.packs {
		if !slices.ContainsFunc(gone, func(g *pack) bool { return g.name() == q.name() }) && q.name() != p.name() {
			next.packs = append(next.packs, q)
		}
	}
	sortPacks(next.packs)
	db.packs.Store(next)
	for _, q := range gone {
		if q.name() == p.name() {
			continue
		}
		for _, ending := range []string{".idx", ".rev", ".pack"} {
			// One that cannot be removed is only a copy.
			_ = db.fs.Remove(q.path + ending)
		}
	}
}
