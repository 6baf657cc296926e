package lexical

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"wikibot/search/internal/words"
	"wikibot/wiki"
)

// Read takes a saved index from the beginning of b and gives back what follows it.
// It is ErrInvalid for bytes that Append did not write, or that an earlier analysis
// wrote: build the index anew. Damaged bytes never panic, and never take more memory
// than about a hundred times their length. It keeps nothing of b.
func Read(b []byte) (x *Index, rest []byte, err error) {
	r := &reader{all: b, b: b}
	x = r.index()
	if r.failed != "" {
		return nil, b, wiki.Invalid("index", "the saved word index cannot be used (%s at byte %d): build it anew", r.failed, len(b)-len(r.b))
	}
	x.countPostings()
	return x, r.b, nil
}

// reader takes values from the front of b; after a failure all are zero.
type reader struct {
	all, b []byte
	failed string
}

func (r *reader) fail(what string) {
	if r.failed == "" {
		r.failed = what
	}
}

func (r *reader) index() *Index {
	if !strings.HasPrefix(string(r.b[:min(len(r.b), len(magic))]), magic) {
		r.fail("not an index of this version")
		return nil
	}
	r.b = r.b[len(magic):]
	if r.number(math.MaxUint32) != words.Version {
		r.fail("another analysis of words")
		return nil
	}
	o := Options{Language: r.text(), K1: r.float(), B: r.float(), Head: int(r.number(maxFrequency))}
	if r.failed == "" && o != o.withDefaults() {
		r.fail("options that cannot be")
	}
	if r.failed != "" {
		return nil
	}
	x := New(o)
	if n := r.number(64); n != uint64(len(x.tongues)) {
		r.fail("other languages")
	}
	for _, t := range x.tongues {
		if r.text() != t.analyzer.Language() {
			r.fail("other languages")
		}
	}
	r.lexemes(x)
	r.documents(x)
	sum := crc32.Checksum(r.all[:len(r.all)-len(r.b)], castagnoli())
	if len(r.b) < 4 || binary.LittleEndian.Uint32(r.b) != sum {
		r.fail("wrong checksum")
		return nil
	}
	r.b = r.b[4:]
	return x
}

// number reads a number up to most.
func (r *reader) number(most uint64) uint64 {
	if len(r.b) > 0 && r.b[0] < 0x80 && uint64(r.b[0]) <= most { // nearly all
		n := r.b[0]
		r.b = r.b[1:]
		return uint64(n)
	}
	n, size := binary.Uvarint(r.b)
	if size <= 0 || n > most {
		r.fail("a number that cannot be")
		r.b = nil
		return 0
	}
	r.b = r.b[size:]
	return n
}

// room reads how many things follow that take at least size bytes each.
func (r *reader) room(size int) int { return int(r.number(uint64(len(r.b) / size))) }

func (r *reader) float() float32 {
	if len(r.b) < 4 {
		r.fail("too short")
		return 0
	}
	f := math.Float32frombits(binary.LittleEndian.Uint32(r.b))
	r.b = r.b[4:]
	return f
}

func (r *reader) bytes() []byte {
	n := r.room(1)
	if n > len(r.b) { // after a failure r.b is empty and n is 0
		r.fail("too short")
		return nil
	}
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}

func (r *reader) text() string { return string(r.bytes()) }

func (r *reader) lexemes(x *Index) {
	n := r.room(3)
	v := &x.vocab
	v.lexemes = make([]lexeme, 0, n)
	v.byWord.reserve(n)
	v.byTerm.reserve(n)
	for range n {
		word := r.text()
		common := r.number(uint64(len(word)))
		term := word[:common]
		if rest := r.bytes(); len(rest) > 0 {
			term += string(rest)
		}
		if r.failed == "" && (word == "" || term == "" || len(word) > words.MaxWord || len(term) > words.MaxWord || !utf8.ValidString(word) || !utf8.ValidString(term)) {
			r.fail("a word that cannot be")
		}
		if r.failed != "" {
			return
		}
		if before := len(v.lexemes); int(v.intern(word, term)) != before {
			r.fail("a word that comes twice")
			return
		}
	}
}

func (r *reader) documents(x *Index) {
	n := int(r.number(uint64(min(len(r.b), MaxDocuments))))
	x.docs, x.length = make([]document, n), make([]float32, n)
	var tokens []uint32
	for id := range x.docs {
		tongue := r.number(uint64(len(x.tongues)))
		if tongue == 0 {
			continue
		}
		body, head := r.room(1), r.room(1)
		if body+head > len(r.b) {
			r.fail("too many words")
		}
		tokens = tokens[:0]
		for range body + head {
			t := r.number(2*lexemeMask + 1)
			n := uint32(t >> 1)
			if t&1 == 1 {
				n |= uint32(r.number(15)) << partsShift
			}
			if int(n&lexemeMask) >= len(x.vocab.lexemes) {
				r.fail("a word that is not there")
			}
			if r.failed != "" {
				return
			}
			tokens = append(tokens, n)
		}
		x.docs[id] = document{tokens: slices.Clone(tokens), body: uint32(body), tongue: uint8(tongue)}
	}
}

// countPostings makes statistics and postings from the documents' tokens.
func (x *Index) countPostings() {
	w := &x.writer
	sizes := make([]uint32, len(x.vocab.terms))
	n := 0
	for _, d := range x.docs {
		n += len(d.tokens)
	}
	all := make([]change, 0, n) // in the order of the documents
	for id := range x.docs {
		if d := x.docs[id]; d.tongue != 0 {
			x.adopt(uint32(id), d)
			for _, t := range w.touched {
				sizes[t]++
				all = append(all, change{t, posting(uint32(id), w.counts[t])})
				w.counts[t] = 0
			}
		}
	}
	room := make([]uint32, len(all)) // one piece: a list that grows moves out of it
	for t, n := range sizes {
		x.vocab.terms[t].postings, room = room[:0:n], room[n:]
	}
	for _, c := range all {
		l := &x.vocab.terms[c.term].postings
		*l = append(*l, c.posting)
	}
	x.bytes += 4 * int64(len(all))
}
