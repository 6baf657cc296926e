// Package index is the searchable state of one wiki: a table of its pages and of
// the chunks that they are cut into, and the arms that rank chunks by words, by
// related terms and by vectors. It is pure: it reads no git and no files.
//
// A document, here and in the arms below, is one chunk. Its id is dense, so that
// arms can score into arrays, and is used again once the document is gone.
package index

import (
	"maps"
	"slices"
	"sync"

	"wikibot/search/internal/chunks"
	"wikibot/search/internal/lexical"
	"wikibot/wiki"
)

// Index is one wiki's. One goroutine writes (Prepare may run on several), any
// number of them read. A reader that has begun sees one state to its end.
type Index struct {
	language string
	gathered sync.Pool // of *gathered

	mu     sync.RWMutex
	lex    *lexical.Index
	docs   []document               // by id; guarded by mu, as all below
	free   []uint32                 // ids without a document
	pages  []*page                  // by slot; nil: free
	gaps   []uint32                 // slots without a page
	byPath map[wiki.PagePath]uint32 // → slot
	byName map[string][]uint32      // folded title, path, last component or alias → slots
	size   int64                    // bytes of the tables, about
	count  int                      // documents
	moved  int                      // documents that came or went since related was fitted
	rel    *relatedArm              // nil: none
	vec    *vectorArm               // nil: none
}

// page is one page of the table.
type page struct {
	path               wiki.PagePath
	fold               string // of path
	blob               string
	title              string
	category, language string
	tags               []string
	names              []string // its keys in byName
	words              int
	docs               []uint32 // in the order of the text
}

// document is one chunk of the table.
type document struct {
	page       uint32 // slot
	n          uint32 // which chunk of the page, from 0
	start, end uint32 // bytes of the page's source
	line       uint32
	sections   []string
	anchor     string
	hash       Hash
}

// Hash names a chunk's text: chunks of equal texts have equal vectors.
type Hash = [16]byte

// New makes an empty index. language is that of pages which name none; see
// words.Languages.
func New(language string) *Index {
	return &Index{
		language: language, lex: lexical.New(lexical.Options{Language: language}),
		byPath: map[wiki.PagePath]uint32{}, byName: map[string][]uint32{},
	}
}

// Language is the one of pages that name none.
func (x *Index) Language() string { return x.language }

// Source is a page's text on its way into the index.
type Source struct {
	Path    wiki.PagePath
	Blob    string // object name (hex), kept to tell whether the text is still the same
	Content []byte
}

// Prepared is a page that was cut into chunks and analysed.
type Prepared struct {
	page page
	docs []document
	text []lexical.Prepared
}

// Len is how many chunks the page has.
func (p *Prepared) Len() int { return len(p.docs) }

// Prepare does the costly part of putting a page into the index, 20 to 40 µs a
// chunk. It holds up no reader and may run on several goroutines.
func (x *Index) Prepare(s Source) *Prepared {
	p := chunks.Split(s.Content, s.Path)
	out := &Prepared{
		page: page{path: s.Path, blob: s.Blob, title: p.Title, category: p.Category, language: p.Language, tags: p.Tags, words: p.Words},
		docs: make([]document, 0, len(p.Chunks)), text: make([]lexical.Prepared, 0, len(p.Chunks)),
	}
	out.page.names = names(s.Path, p)
	for i, c := range p.Chunks {
		out.docs = append(out.docs, document{
			n: uint32(i), start: uint32(c.Start), end: uint32(c.End), line: uint32(c.Line), sections: c.Section, anchor: c.Anchor, hash: chunks.Hash(c.Text),
		})
		out.text = append(out.text, x.lex.Prepare(lexical.Text{Language: p.Language, Head: head(s.Path, p, c), Body: string(s.Content[c.Start:c.End])}))
	}
	return out
}

// names are the keys under which a page's name is found as a whole.
func names(path wiki.PagePath, p chunks.Page) []string {
	all := []string{path.Fold(), wiki.Fold(path.Name()), wiki.Fold(p.Title)}
	for _, a := range p.Aliases {
		all = append(all, wiki.Fold(a))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// head is what counts more than a chunk's body: what the page and its sections are
// called, where it lies, and how it is tagged.
func head(path wiki.PagePath, p chunks.Page, c chunks.Chunk) string {
	b := make([]byte, 0, 128)
	add := func(s string) {
		if s != "" {
			b = append(append(b, s...), " \n"...)
		}
	}
	for _, s := range c.Section {
		add(s)
	}
	if wiki.Fold(p.Title) != path.Fold() {
		add(string(path))
	}
	for _, s := range p.Tags {
		add(s)
	}
	for _, s := range p.Aliases {
		add(s)
	}
	add(p.Category)
	return string(b)
}

// Apply takes pages out and puts pages in, which replaces those of the same paths.
// Readers wait for it, about 10 µs a chunk; so large changes come in parts.
func (x *Index) Apply(gone []wiki.PagePath, put []*Prepared) {
	x.mu.Lock()
	defer x.mu.Unlock()
	was := map[uint32]Hash{}
	for _, p := range gone {
		x.drop(p, was)
	}
	for _, p := range put {
		x.drop(p.page.path, was)
	}
	out := slices.Sorted(maps.Keys(was))
	add := make([]lexical.Entry, 0, len(put))
	for _, p := range put {
		add = x.insert(p, add)
	}
	x.lex.Apply(out, add)
	if x.rel != nil {
		x.rel.put(x.lex, out, add)
	}
	if x.vec != nil {
		x.vec.put(x.docs, was, add)
	}
	x.count += len(add) - len(out)
	x.moved += len(add) + len(out)
}

// drop takes a page off the table and adds its documents to was. Their ids may be
// given away in the same Apply: the arms take out before they put in.
func (x *Index) drop(path wiki.PagePath, was map[uint32]Hash) {
	slot, ok := x.byPath[path]
	if !ok {
		return
	}
	p := x.pages[slot]
	for _, n := range p.names {
		if left := slices.DeleteFunc(x.byName[n], func(s uint32) bool { return s == slot }); len(left) > 0 {
			x.byName[n] = left
		} else {
			delete(x.byName, n)
		}
	}
	for _, id := range p.docs {
		was[id] = x.docs[id].hash
		x.size -= x.docs[id].bytes()
		x.docs[id] = document{}
	}
	x.size -= p.bytes()
	delete(x.byPath, path)
	x.pages[slot] = nil
	x.gaps = append(x.gaps, slot)
	x.free = append(x.free, p.docs...)
}

func (x *Index) insert(p *Prepared, add []lexical.Entry) []lexical.Entry {
	pg := p.page
	slot := uint32(len(x.pages))
	if n := len(x.gaps); n > 0 {
		slot, x.gaps = x.gaps[n-1], x.gaps[:n-1]
	} else {
		x.pages = append(x.pages, nil)
	}
	pg.docs = make([]uint32, len(p.docs))
	for i, d := range p.docs {
		id := uint32(len(x.docs))
		if n := len(x.free); n > 0 {
			id, x.free = x.free[n-1], x.free[:n-1]
		} else {
			x.docs = append(x.docs, document{})
		}
		d.page = slot
		x.docs[id], pg.docs[i] = d, id
		x.size += d.bytes()
		add = append(add, lexical.Entry{ID: id, Prepared: p.text[i]})
	}
	x.enter(slot, &pg)
	return add
}

// enter puts a page, whose documents are there, into the table.
func (x *Index) enter(slot uint32, p *page) {
	x.pages[slot], x.byPath[p.path] = p, slot
	p.fold = p.path.Fold()
	for _, n := range p.names {
		x.byName[n] = append(x.byName[n], slot)
	}
	x.size += p.bytes()
}

// What an entry of a table takes, in bytes, beside its texts.
const (
	documentBytes = 96
	pageBytes     = 400
)

func (d *document) bytes() int64 {
	n := int64(documentBytes + len(d.anchor))
	for _, s := range d.sections {
		n += int64(len(s)) + 16
	}
	return n
}

func (p *page) bytes() int64 {
	n := int64(pageBytes + 2*len(p.path) + len(p.title) + len(p.category) + len(p.blob) + 4*len(p.docs) + 16*cap(p.tags) + 16*cap(p.names))
	for _, s := range p.tags {
		n += int64(len(s))
	}
	for _, s := range p.names {
		n += int64(len(s)) + 24
	}
	return n
}

// Counts are how many pages and chunks there are.
func (x *Index) Counts() (pages, documents int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.byPath), x.count
}

// Bytes is the memory that the index takes, about.
func (x *Index) Bytes() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n := x.size + x.lex.Bytes()
	if x.rel != nil {
		n += x.rel.bytes()
	}
	if x.vec != nil {
		n += x.vec.bytes()
	}
	return n
}

// Blobs are the object names of the pages' texts, by their paths: what a reader
// compares with a tree.
func (x *Index) Blobs() map[wiki.PagePath]string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	out := make(map[wiki.PagePath]string, len(x.byPath))
	for p, slot := range x.byPath {
		out[p] = x.pages[slot].blob
	}
	return out
}
