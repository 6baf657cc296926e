package notes

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// row is one page of a table. It belongs to one blob and is shared by the tables
// of all commits in which the page has it, so what is read of a page is read once.
type row struct {
	page wiki.PagePath
	file string
	blob [20]byte
	read atomic.Pointer[facts] // nil until somebody asked
}

// facts are what a table keeps of a page's text.
type facts struct {
	Meta
	size int64
}

// table is the pages of one commit in the order of their file names. It does not
// change, except that rows and counts are filled when they are first asked for.
type table struct {
	head  wiki.Revision
	rows  []*row
	size  *atomic.Int64 // bytes of memory, nearly
	one   chan struct{} // held by who reads all pages
	full  atomic.Bool   // every row has its facts
	dates atomic.Pointer[map[wiki.PagePath]gitstore.Touched]

	tags, categories atomic.Pointer[[]Count]
}

// Costs of a row and of its facts beside their texts, for the bound on memory.
const (
	rowBytes   = 128
	factsBytes = 160
	dateBytes  = 120
)

func newTable(head wiki.Revision, rows []*row) *table {
	t := &table{head: head, rows: rows, size: new(atomic.Int64), one: make(chan struct{}, 1)}
	n := int64(0)
	for _, r := range rows {
		n += rowBytes + int64(len(r.file))
		if f := r.read.Load(); f != nil {
			n += f.bytes()
		}
	}
	t.size.Store(n)
	return t
}

func (f *facts) bytes() int64 {
	n := factsBytes + len(f.Name) + len(f.Category) + len(f.Lang)
	for _, tag := range f.Tags {
		n += 16 + len(tag)
	}
	return int64(n)
}

// facts reads a row's page, once.
func (t *table) facts(v *gitstore.View, r *row) (*facts, error) {
	if f := r.read.Load(); f != nil {
		return f, nil
	}
	page, err := v.ReadPage(r.page)
	if err != nil {
		return nil, err
	}
	f := &facts{Meta: MetaOf(page.Content, r.page), size: int64(len(page.Content))}
	f.own()
	if r.read.CompareAndSwap(nil, f) {
		t.size.Add(f.bytes())
	}
	return f, nil
}

// own lets go of the page's text, of which the strings may be parts.
func (f *facts) own() {
	f.Name, f.Category, f.Lang = strings.Clone(f.Name), strings.Clone(f.Category), strings.Clone(f.Lang)
	for i, tag := range f.Tags {
		f.Tags[i] = strings.Clone(tag)
	}
}

// fill reads every page that was not read yet. Whoever comes meanwhile waits for
// it instead of doing the same.
func (t *table) fill(ctx context.Context, v *gitstore.View) error {
	if t.full.Load() {
		return nil
	}
	select {
	case t.one <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-t.one }()
	for _, r := range t.rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := t.facts(v, r); err != nil {
			return err
		}
	}
	t.full.Store(true)
	return nil
}

// tables keeps the newest table of each wiki that was asked for lately.
type tables struct {
	mu   sync.Mutex
	most int64                // bytes
	kept map[wiki.Slug]*table // guarded by mu
	used []wiki.Slug          // the last one was used last; guarded by mu
}

func (ts *tables) get(slug wiki.Slug) *table {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	t := ts.kept[slug]
	if t != nil {
		ts.touch(slug)
	}
	return t
}

// put keeps a table and forgets others, those first that were not used for the
// longest time, until the rest fits.
func (ts *tables) put(slug wiki.Slug, t *table) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	if ts.kept == nil {
		ts.kept = map[wiki.Slug]*table{}
	}
	ts.kept[slug] = t
	ts.touch(slug)
	ts.trim()
}

// trim is called again after tables were filled, which makes them larger.
func (ts *tables) trim() {
	total := int64(0)
	for _, t := range ts.kept {
		total += t.size.Load()
	}
	for total > ts.most && len(ts.used) > 0 {
		oldest := ts.used[0]
		total -= ts.kept[oldest].size.Load()
		ts.drop(oldest)
	}
}

func (ts *tables) touch(slug wiki.Slug) {
	if n := len(ts.used); n > 0 && ts.used[n-1] == slug {
		return
	}
	if i := slices.Index(ts.used, slug); i >= 0 {
		ts.used = slices.Delete(ts.used, i, i+1)
	}
	ts.used = append(ts.used, slug)
}

func (ts *tables) drop(slug wiki.Slug) {
	delete(ts.kept, slug)
	if i := slices.Index(ts.used, slug); i >= 0 {
		ts.used = slices.Delete(ts.used, i, i+1)
	}
}

// forget drops what is known of a wiki whose history was rewritten: what was taken
// out must not be listed any more.
func (ts *tables) forget(slug wiki.Slug) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	ts.drop(slug)
}

// table is the table of a view's commit. The newest one of a wiki is kept and
// moved by the difference of trees; that of an older commit is made from it and
// not kept. The first one of a wiki costs one walk of its tree.
func (s *Service) table(ctx context.Context, v *gitstore.View) (*table, error) {
	kept := s.tables.get(v.Slug())
	if kept != nil && kept.head == v.Head() {
		return kept, nil
	}
	var t *table
	if kept != nil {
		t = kept.moved(v)
	}
	if t == nil {
		entries, _, err := v.List(gitstore.ListOptions{})
		if err != nil {
			return nil, err
		}
		rows := make([]*row, len(entries))
		for i, e := range entries {
			rows[i] = newRow(e.Page, e.File, e.Blob)
		}
		t = newTable(v.Head(), rows)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !v.Older() {
		s.tables.put(v.Slug(), t)
	}
	return t, nil
}

func newRow(p wiki.PagePath, file, blob string) *row {
	r := &row{page: p, file: file}
	hex.Decode(r.blob[:], []byte(blob)) // the Store's own spelling of an object name
	return r
}

// moved is the table of a view's commit, made from another commit's: nil where the
// two cannot be compared.
func (t *table) moved(v *gitstore.View) *table {
	changes, err := v.Changed(t.head)
	if err != nil {
		return nil
	}
	next := make([]*row, 0, len(t.rows)+len(changes))
	rest := t.rows
	for _, c := range changes { // in the order of the files
		if c.Page == "" {
			continue
		}
		i, found := slices.BinarySearchFunc(rest, c.File, func(r *row, file string) int { return strings.Compare(r.file, file) })
		next = append(next, rest[:i]...)
		rest = rest[i:]
		if found {
			rest = rest[1:]
		}
		if c.Kind != wiki.Deleted {
			next = append(next, newRow(c.Page, c.File, c.New))
		}
	}
	return newTable(v.Head(), append(next, rest...))
}
