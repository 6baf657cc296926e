package index

import (
	"encoding/binary"
	"hash/crc32"

	"wikibot/search/internal/lexical"
	"wikibot/search/internal/related"
	"wikibot/search/internal/vectors"
	"wikibot/search/internal/words"
	"wikibot/wiki"
)

// An index as bytes:
//
//	"wbidx" version         of this format, one byte
//	uvarint                 words.Version: another analysis gives other terms
//	language                a string: its length (uvarint), its bytes
//	pages                   their number; each page's strings, words and chunks
//	moved                   documents since the related terms were fitted
//	lexical                 see package lexical
//	0, or 1 and             the related terms: model, terms, vectors
//	CRC-32C                 of all that is above, four bytes, big-endian
//
// Vectors of an embedding model are not in it: they have a life of their own, see
// package search.
const (
	magic   = "wbidx"
	version = 1
)

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// Append writes the index to the end of b; about 500 bytes a chunk.
func (x *Index) Append(b []byte) []byte {
	x.mu.RLock()
	defer x.mu.RUnlock()
	from := len(b)
	b = append(append(b, magic...), version)
	b = binary.AppendUvarint(b, words.Version)
	b = appendString(b, x.language)
	b = binary.AppendUvarint(b, uint64(len(x.byPath)))
	for _, p := range x.pages {
		if p != nil {
			b = x.appendPage(b, p)
		}
	}
	b = binary.AppendUvarint(b, uint64(x.moved))
	b = x.lex.Append(b)
	if x.rel == nil {
		b = append(b, 0)
	} else {
		b = x.rel.model.Append(append(b, 1))
		b = appendStrings(b, x.rel.terms)
		b = x.rel.set.Append(b)
	}
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli()))
}

func (x *Index) appendPage(b []byte, p *page) []byte {
	for _, s := range []string{string(p.path), p.blob, p.title, p.category, p.language} {
		b = appendString(b, s)
	}
	b = appendStrings(b, p.tags)
	b = appendStrings(b, p.names)
	b = binary.AppendUvarint(b, uint64(p.words))
	b = binary.AppendUvarint(b, uint64(len(p.docs)))
	var above []string
	for _, id := range p.docs {
		d := &x.docs[id]
		for _, n := range []uint32{id, d.start, d.end, d.line} {
			b = binary.AppendUvarint(b, uint64(n))
		}
		shared := 0 // titles that the chunk before has too
		for shared < len(above) && shared < len(d.sections) && above[shared] == d.sections[shared] {
			shared++
		}
		b = binary.AppendUvarint(b, uint64(shared))
		b = appendStrings(b, d.sections[shared:])
		b = appendString(b, d.anchor)
		b = append(b, d.hash[:]...)
		above = d.sections
	}
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendStrings(b []byte, all []string) []byte {
	b = binary.AppendUvarint(b, uint64(len(all)))
	for _, s := range all {
		b = appendString(b, s)
	}
	return b
}

// Read makes an index of what Append wrote. Whatever else b holds, the answer is an
// error (wiki.ErrInvalid) and the memory that was used is in proportion to b.
func Read(b []byte) (*Index, error) {
	if len(b) < len(magic)+5 || string(b[:len(magic)]) != magic || b[len(magic)] != version {
		return nil, damaged("it is of another version")
	}
	end := len(b) - 4
	if crc32.Checksum(b[:end], castagnoli()) != binary.BigEndian.Uint32(b[end:]) {
		return nil, damaged("its checksum differs")
	}
	r := reader{b: b[len(magic)+1 : end]}
	if r.number() != words.Version {
		return nil, damaged("its words were analysed in another way")
	}
	x := New(r.text())
	r.pages(x)
	x.moved = r.int()
	if r.failed {
		return nil, damaged("its table of pages is cut short")
	}
	var err error
	if x.lex, r.b, err = lexical.Read(r.b); err != nil {
		return nil, err
	}
	if x.rel, err = r.related(); err != nil {
		return nil, err
	}
	if r.failed || len(r.b) > 0 {
		return nil, damaged("it does not end where it should")
	}
	return x, x.check()
}

func damaged(how string) error {
	return wiki.Invalid("index", "the saved index cannot be used: %s; it is made anew", how)
}

// check compares the table with the arms.
func (x *Index) check() error {
	if x.lex.Len() != x.count {
		return damaged("its parts belong to different states")
	}
	for id := range x.docs {
		if x.docs[id].hash != (Hash{}) != x.lex.Has(uint32(id)) {
			return damaged("its parts belong to different states")
		}
	}
	return nil
}

// reader takes values from the front of b; after one that is not there failed is set
// and the others are empty.
type reader struct {
	b      []byte
	failed bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.b)
	if size <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

// int is a number that counts things of at least a byte each, or an offset.
func (r *reader) int() int {
	n := r.number()
	if n > 1<<31 {
		r.failed, r.b = true, nil
		return 0
	}
	return int(n)
}

// some is the number of things that follow, each of at least a byte.
func (r *reader) some() int {
	n := r.int()
	if n > len(r.b) {
		r.failed, r.b = true, nil
		return 0
	}
	return n
}

func (r *reader) bytes(n int) []byte {
	if n > len(r.b) {
		r.failed, r.b = true, nil
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) text() string { return string(r.bytes(r.some())) }

func (r *reader) texts() []string {
	n := r.some()
	if n == 0 {
		return nil
	}
	out := make([]string, 0, min(n, 1024))
	for range n {
		if r.failed {
			return nil
		}
		out = append(out, r.text())
	}
	return out
}

func (r *reader) pages(x *Index) {
	for n := r.some(); n > 0 && !r.failed; n-- {
		p := &page{path: wiki.PagePath(r.text()), blob: r.text(), title: r.text(), category: r.text(), language: r.text(), tags: r.texts(), names: r.texts()}
		p.words = r.int()
		slot := uint32(len(x.pages))
		if _, twice := x.byPath[p.path]; twice {
			r.failed = true
			return
		}
		r.documents(x, p, slot)
		x.pages = append(x.pages, nil)
		x.enter(slot, p)
	}
	for id := range x.docs {
		if x.docs[id].hash == (Hash{}) {
			x.free = append(x.free, uint32(id))
		}
	}
}

func (r *reader) documents(x *Index, p *page, slot uint32) {
	var above []string
	for n, i := r.some(), 0; i < n && !r.failed; i++ {
		id := r.int()
		d := document{page: slot, n: uint32(i), start: uint32(r.int()), end: uint32(r.int()), line: uint32(r.int())}
		shared := r.int()
		own := r.texts()
		if shared > len(above) {
			r.failed = true
			return
		}
		if d.sections = above; shared < len(above) || len(own) > 0 {
			d.sections = append(append(make([]string, 0, shared+len(own)), above[:shared]...), own...)
		}
		d.anchor = r.text()
		copy(d.hash[:], r.bytes(len(d.hash)))
		// A saved index has as many ids as it ever had documents at once; a number far
		// above the bytes that are there is a lie.
		if id > x.count+len(r.b)+1024 || d.start > d.end || r.failed {
			r.failed = true
			return
		}
		for len(x.docs) <= id {
			x.docs = append(x.docs, document{})
		}
		if x.docs[id].hash != (Hash{}) || d.hash == (Hash{}) {
			r.failed = true
			return
		}
		x.docs[id] = d
		p.docs = append(p.docs, uint32(id))
		x.size += d.bytes()
		x.count++
		above = d.sections
	}
}

func (r *reader) related() (*relatedArm, error) {
	if kind := r.bytes(1); r.failed || kind[0] == 0 {
		return nil, nil
	}
	m, rest, err := related.Read(r.b)
	if err != nil {
		return nil, err
	}
	r.b = rest
	terms := r.texts()
	if m.Dim() < 1 {
		return nil, damaged("its related terms have no dimension")
	}
	a := newRelatedArm(m, terms)
	set, rest, err := vectors.Read(r.b)
	if err != nil {
		return nil, err
	}
	if set.Dim() != m.Dim() {
		return nil, damaged("its related terms are of two models")
	}
	a.set, r.b = set, rest
	return a, nil
}
