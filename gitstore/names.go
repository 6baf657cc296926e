package gitstore

import (
	"sort"
	"strings"
	"sync"

	"wikibot/wiki"
)

// names is the index by which links are resolved: every page and attachment by
// its folded path and by its folded last component. It is built when the first
// link asks for it (about 1 µs a file) and then moved by tree differences.
// It costs about 200 bytes a file.
type names struct {
	mu     sync.RWMutex
	moves  uint64                     // how often a name came or went since the start
	built  bool                       // guarded by mu, as all below
	pages  map[string]wiki.PagePath   // folded path → page
	files  map[string]wiki.FilePath   // folded path → attachment
	byName map[string][]wiki.PagePath // folded last component → pages, sorted
	byFile map[string][]wiki.FilePath // folded last component → attachments, sorted
}

// read runs fn with the index built and at least as new as any published state.
func (r *repo) readNames(fn func(n *names)) error {
	n := &r.names
	n.mu.RLock()
	if n.built {
		defer n.mu.RUnlock()
		fn(n)
		return nil
	}
	n.mu.RUnlock()
	n.mu.Lock()
	if !n.built {
		st := r.state.Load()
		if err := n.build(st.main().root); err != nil {
			n.mu.Unlock()
			return err
		}
	}
	n.mu.Unlock()
	n.mu.RLock()
	defer n.mu.RUnlock()
	fn(n)
	return nil
}

func (n *names) build(root *folder) error {
	n.pages, n.files = map[string]wiki.PagePath{}, map[string]wiki.FilePath{}
	n.byName, n.byFile = map[string][]wiki.PagePath{}, map[string][]wiki.FilePath{}
	_, err := root.walk("", func(path string, e *entry) bool {
		if p, ok := wiki.PageOfFile(path); ok {
			f := p.Fold()
			n.pages[f] = p
			n.byName[lastOf(f)] = append(n.byName[lastOf(f)], p)
		} else if p, ok := wiki.PathOfFile(path); ok {
			f := wiki.Fold(string(p))
			n.files[f] = p
			n.byFile[lastOf(f)] = append(n.byFile[lastOf(f)], p)
		}
		return true
	})
	if err != nil {
		return err
	}
	for _, ps := range n.byName {
		sort.Slice(ps, func(i, j int) bool { return ps[i] < ps[j] })
	}
	for _, fs := range n.byFile {
		sort.Slice(fs, func(i, j int) bool { return fs[i] < fs[j] })
	}
	n.built = true
	return nil
}

// move takes the index from one tree to the next; the caller holds mu. An edit
// of a text changes no name and costs nothing here but the difference of trees.
func (n *names) move(old, new *folder) {
	changes, err := diff(old, new)
	if err != nil {
		n.moves, n.built = n.moves+1, false // built again at the next use
		return
	}
	n.apply(changes)
}

// apply takes over a difference of trees; the caller holds mu.
func (n *names) apply(changes []change) {
	for _, c := range changes {
		if c.old != nil && c.new != nil {
			continue
		}
		n.moves++
		if !n.built {
			continue
		}
		p, isPage := wiki.PageOfFile(c.path)
		f, isFile := wiki.FilePath(""), false
		if !isPage {
			f, isFile = wiki.PathOfFile(c.path)
		}
		switch {
		case isPage && c.new == nil:
			k := p.Fold()
			if n.pages[k] == p {
				delete(n.pages, k)
			}
			n.byName[lastOf(k)] = without(n.byName[lastOf(k)], p)
		case isPage:
			k := p.Fold()
			n.pages[k] = p
			n.byName[lastOf(k)] = with(n.byName[lastOf(k)], p)
		case isFile && c.new == nil:
			k := wiki.Fold(string(f))
			if n.files[k] == f {
				delete(n.files, k)
			}
			n.byFile[lastOf(k)] = without(n.byFile[lastOf(k)], f)
		case isFile:
			k := wiki.Fold(string(f))
			n.files[k] = f
			n.byFile[lastOf(k)] = with(n.byFile[lastOf(k)], f)
		}
	}
}

// drop forgets the index; the caller holds mu.
func (n *names) drop() {
	n.built, n.pages, n.files, n.byName, n.byFile = false, nil, nil, nil, nil
}

func lastOf(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// with and without copy, because readers may hold the old list.
func with[T ~string](list []T, x T) []T {
	i := sort.Search(len(list), func(i int) bool { return list[i] >= x })
	if i < len(list) && list[i] == x {
		return list
	}
	out := make([]T, 0, len(list)+1)
	return append(append(append(out, list[:i]...), x), list[i:]...)
}

func without[T ~string](list []T, x T) []T {
	out := make([]T, 0, len(list))
	for _, y := range list {
		if y != x {
			out = append(out, y)
		}
	}
	return out
}
