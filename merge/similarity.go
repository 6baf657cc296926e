package merge

import (
	"bytes"
	"cmp"
	"slices"
)

// Similarity is how much of two texts is the same, from 0 to 100, as git scores
// a rename: both are cut into lines (or 64 bytes of a longer line), and the
// bytes of the pieces that both have are set against the size of the larger.
// CRLF and LF are equal here. Equal texts are 100; an empty text resembles only
// another empty one. Cost O(n log n).
func Similarity(a, b []byte) int {
	if bytes.Equal(a, b) {
		return 100
	}
	return NewFingerprint(a).Similarity(NewFingerprint(b))
}

// Fingerprint is what Similarity needs to know of a text, so that one text can
// be compared with many.
type Fingerprint struct {
	size   int
	pieces []piece // ascending by hash, each once
}

type piece struct {
	hash uint64
	size int
}

const maxPiece = 64

// NewFingerprint takes 16 bytes of memory for each line, or 64 bytes of one.
func NewFingerprint(text []byte) Fingerprint {
	var pieces []piece
	for i := 0; i < len(text); {
		p := piece{hash: fnvOffset}
		for p.size < maxPiece && i < len(text) {
			c := text[i]
			i++
			if c == '\r' && i < len(text) && text[i] == '\n' {
				continue
			}
			p.add(c)
			if c == '\n' {
				break
			}
		}
		pieces = append(pieces, p)
	}
	f := fingerprint(pieces)
	f.size = len(text)
	return f
}

// FNV-1a, 64 bits.
const fnvOffset, fnvPrime = 14695981039346656037, 1099511628211

func (p *piece) add(c byte) {
	p.hash = (p.hash ^ uint64(c)) * fnvPrime
	p.size++
}

func newPiece(s string) piece {
	p := piece{hash: fnvOffset}
	for i := range len(s) {
		p.add(s[i])
	}
	return p
}

func fingerprint(pieces []piece) Fingerprint {
	slices.SortFunc(pieces, func(a, b piece) int { return cmp.Compare(a.hash, b.hash) })
	f := Fingerprint{pieces: pieces[:0]}
	for _, p := range pieces {
		f.size += p.size
		if n := len(f.pieces); n > 0 && f.pieces[n-1].hash == p.hash {
			f.pieces[n-1].size += p.size
		} else {
			f.pieces = append(f.pieces, p)
		}
	}
	return f
}

// Similarity is the score of two fingerprints; see the function of that name.
func (f Fingerprint) Similarity(g Fingerprint) int {
	largest := max(f.size, g.size)
	if f.size == 0 || g.size == 0 {
		return 0
	}
	same := 0
	for i, j := 0, 0; i < len(f.pieces) && j < len(g.pieces); {
		switch a, b := f.pieces[i], g.pieces[j]; {
		case a.hash < b.hash:
			i++
		case a.hash > b.hash:
			j++
		default:
			same += min(a.size, b.size)
			i++
			j++
		}
	}
	return same * 100 / largest
}
