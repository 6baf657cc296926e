package lexical

import (
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"math"
	"slices"

	"wikibot/search/internal/words"
)

// The format of a saved Index. Numbers are uvarints unless a width is given, a text
// is its length in bytes and then its bytes:
//
//	"wblex\x01"      the name and the version of the format
//	words.Version    of the analysis: tokens of another one are of no use
//	language text, k1 float32, b float32, head    the Options
//	n, then n texts  the languages, in the order that documents name them
//	n, then n times  the lexemes, the most frequent first: the word as a text; how many
//	                 bytes the term has in common with it; the rest of the term as a text
//	n, then n times  the documents by number: 0 where there is none, else 1 + the language,
//	                 how many tokens the body has and how many the head has, and the
//	                 tokens: 2·lexeme, or 2·lexeme+1 and the number of its parts for the
//	                 whole of a compound
//	uint32           CRC-32C of everything above, little-endian
//
// The lexemes of "The cat, the cats" are for example the/the, cat/cat and cats/cat,
// and its tokens 0, 2, 0, 4. Postings and statistics are counted again on reading.
// Indexes with the same documents under the same numbers are saved as the same bytes.
const magic = "wblex\x01"

// Append appends the saved form of the index to b: about 2 bytes for each word, and
// the vocabulary.
func (x *Index) Append(b []byte) []byte {
	x.mu.RLock()
	defer x.mu.RUnlock()
	start := len(b)
	b = append(b, magic...)
	b = binary.AppendUvarint(b, words.Version)
	b = appendText(b, x.o.Language)
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x.o.K1))
	b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x.o.B))
	b = binary.AppendUvarint(b, uint64(x.o.Head))
	b = binary.AppendUvarint(b, uint64(len(x.tongues)))
	for _, t := range x.tongues {
		b = appendText(b, t.analyzer.Language())
	}
	b, place := x.appendLexemes(b)
	n := len(x.docs)
	for n > 0 && x.docs[n-1].tongue == 0 {
		n--
	}
	b = binary.AppendUvarint(b, uint64(n))
	for _, d := range x.docs[:n] {
		b = appendDocument(b, d, place)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli()))
}

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendLexemes appends the lexemes that documents hold; place is where each comes.
func (x *Index) appendLexemes(b []byte) (_ []byte, place []uint32) {
	v := &x.vocab
	order := make([]uint32, 0, v.live)
	for n := range v.lexemes {
		if v.lexemes[n].count > 0 {
			order = append(order, uint32(n))
		}
	}
	slices.SortFunc(order, func(a, b uint32) int {
		p, q := &v.lexemes[a], &v.lexemes[b]
		switch {
		case p.count != q.count:
			return cmp.Compare(q.count, p.count)
		case p.word != q.word:
			return cmp.Compare(p.word, q.word)
		}
		return cmp.Compare(v.terms[p.term].text, v.terms[q.term].text)
	})
	place = make([]uint32, len(v.lexemes))
	b = binary.AppendUvarint(b, uint64(len(order)))
	for i, n := range order {
		place[n] = uint32(i)
		word, term := v.lexemes[n].word, v.terms[v.lexemes[n].term].text
		common := 0
		for common < min(len(word), len(term)) && word[common] == term[common] {
			common++
		}
		b = appendText(b, word)
		b = binary.AppendUvarint(b, uint64(common))
		b = appendText(b, term[common:])
	}
	return b, place
}

func appendDocument(b []byte, d document, place []uint32) []byte {
	b = binary.AppendUvarint(b, uint64(d.tongue))
	if d.tongue == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(d.body))
	b = binary.AppendUvarint(b, uint64(len(d.tokens))-uint64(d.body))
	for _, t := range d.tokens {
		n := uint64(place[t&lexemeMask]) << 1
		if parts := t >> partsShift; parts > 0 {
			b = binary.AppendUvarint(b, n|1)
			b = append(b, byte(parts))
			continue
		}
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// Compact gives an equal index without the words that no document holds any more.
// It costs what saving and reading do, about 10 µs for each document.
func (x *Index) Compact() (*Index, error) {
	y, _, err := Read(x.Append(nil))
	return y, err
}
