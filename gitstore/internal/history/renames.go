package history

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/merge"
	"wikibot/wiki"
)

// The bounds of looking for renames with a changed text.
const (
	minSimilarity  = 50      // per cent, git's default
	maxRenamePairs = 10_000  // added × deleted pages compared by text; above that only those of one name
	maxRenameSize  = 1 << 20 // bytes of a page
)

// renames are the files that one commit moved, by path number: an addition and
// a deletion that belong together.
type renames struct {
	from map[uint32]side // by the new path
	gone map[uint32]bool // old paths
}

// side is one half of a rename.
type side struct {
	path uint32
	file string
	blob plumbing.Hash
}

func (r *renames) add(from, to side) {
	if r.from == nil {
		r.from, r.gone = map[uint32]side{}, map[uint32]bool{}
	}
	r.from[to.path] = from
	r.gone[from.path] = true
}

// mayRename reports whether a commit both added and deleted files.
func (x *Index) mayRename(n int32) bool {
	from, to := x.changesOf(n)
	added, deleted := false, false
	for i := from; i < to && !(added && deleted); i++ {
		if c := &x.changes[i]; c.via == 0 {
			added = added || c.kind == wiki.Added
			deleted = deleted || c.kind == wiki.Deleted
		}
	}
	return added && deleted
}

// renamesOf finds a commit's renames, or remembers them. What the server wrote
// into its own commit (trailer "Wikibot-Renamed: old -> new", paths in the tree)
// goes first, then files with one blob, then pages that resemble each other. No
// lock may be held.
func (x *Index) renamesOf(oid plumbing.Hash) renames {
	x.mu.RLock()
	n, ok := x.number(oid)
	if !ok || !x.mayRename(n) {
		x.mu.RUnlock()
		return renames{}
	}
	if r, ok := x.renames.get(oid); ok {
		x.mu.RUnlock()
		return r
	}
	var f finder
	from, to := x.changesOf(n)
	for _, c := range x.changes[from:to] {
		switch s := (side{path: c.path, file: x.paths.list[c.path]}); {
		case c.via != 0:
		case c.kind == wiki.Added:
			s.blob = c.new
			f.added = append(f.added, s)
		case c.kind == wiki.Deleted:
			s.blob = c.old
			f.deleted = append(f.deleted, s)
		}
	}
	var said [][2]string
	if x.commits[n].flags&flagServer != 0 {
		said = parseTrailers(x.message(n)).renamed
	}
	x.mu.RUnlock()

	f.said(said)
	f.exact()
	f.similar(x.source)
	x.renames.put(oid, f.found, 1+len(f.found.from))
	return f.found
}

// finder pairs what is left of a commit's additions and deletions.
type finder struct {
	added, deleted []side
	found          renames
}

func (f *finder) pair(from, to side) {
	f.found.add(from, to)
	f.added = slices.DeleteFunc(f.added, func(s side) bool { return s.path == to.path })
	f.deleted = slices.DeleteFunc(f.deleted, func(s side) bool { return s.path == from.path })
}

func (f *finder) said(pairs [][2]string) {
	for _, p := range pairs[:min(len(pairs), maxRenamePairs/100)] {
		i := slices.IndexFunc(f.deleted, func(s side) bool { return s.file == p[0] })
		j := slices.IndexFunc(f.added, func(s side) bool { return s.file == p[1] })
		if i >= 0 && j >= 0 {
			f.pair(f.deleted[i], f.added[j])
		}
	}
}

// exact pairs files with the same blob; of several, those with the same last
// component first.
func (f *finder) exact() {
	byBlob := map[plumbing.Hash][]side{}
	for _, s := range f.deleted {
		byBlob[s.blob] = append(byBlob[s.blob], s)
	}
	for _, sameName := range [...]bool{true, false} {
		f.added = slices.DeleteFunc(f.added, func(to side) bool {
			from := byBlob[to.blob]
			for i, s := range from {
				if !sameName || path.Base(s.file) == path.Base(to.file) {
					byBlob[to.blob] = slices.Delete(from, i, i+1)
					f.found.add(s, to)
					return true
				}
			}
			return false
		})
	}
	f.deleted = slices.DeleteFunc(f.deleted, func(s side) bool { return f.found.gone[s.path] })
}

// scored is a possible rename.
type scored struct {
	from, to side
	score    int
}

// similar pairs pages by their texts, the most alike first.
func (f *finder) similar(source Source) {
	if source == nil {
		return
	}
	notPage := func(s side) bool { return !strings.HasSuffix(s.file, wiki.PageSuffix) }
	added, deleted := slices.DeleteFunc(f.added, notPage), slices.DeleteFunc(f.deleted, notPage)
	namesOnly := len(added)*len(deleted) > maxRenamePairs
	byName := map[string][]side{}
	for _, s := range deleted {
		byName[path.Base(s.file)] = append(byName[path.Base(s.file)], s)
	}
	prints := fingerprints{source: source, known: map[plumbing.Hash]merge.Fingerprint{}}
	var pairs []scored
	for _, to := range added {
		candidates := deleted
		if namesOnly {
			candidates = byName[path.Base(to.file)]
			candidates = candidates[:min(len(candidates), 100)]
		}
		for _, from := range candidates {
			if s := prints.of(from.blob).Similarity(prints.of(to.blob)); s >= minSimilarity {
				pairs = append(pairs, scored{from, to, s})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b scored) int {
		if c := cmp.Compare(b.score, a.score); c != 0 {
			return c
		}
		return cmp.Compare(b.sameName(), a.sameName())
	})
	for _, p := range pairs {
		if _, taken := f.found.from[p.to.path]; !taken && !f.found.gone[p.from.path] {
			f.found.add(p.from, p.to)
		}
	}
}

func (s scored) sameName() int {
	if path.Base(s.from.file) == path.Base(s.to.file) {
		return 1
	}
	return 0
}

// fingerprints are made once for each blob; one that cannot be read, or is too
// large, resembles nothing.
type fingerprints struct {
	source Source
	known  map[plumbing.Hash]merge.Fingerprint
}

func (p *fingerprints) of(blob plumbing.Hash) merge.Fingerprint {
	f, ok := p.known[blob]
	if !ok {
		if text, err := get(p.source, blob, plumbing.BlobObject); err == nil && len(text) <= maxRenameSize {
			f = merge.NewFingerprint(text)
		}
		p.known[blob] = f
	}
	return f
}
