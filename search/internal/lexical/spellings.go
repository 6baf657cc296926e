package lexical

import (
	"cmp"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of Spellings.
const (
	longestSpelt = 40      // characters of a word that suggestions are sought for
	maxCompared  = 1 << 13 // words that are compared letter by letter, the most frequent
)

// Spellings are at most n words that a document holds and that a person may have
// meant by word: within two changes of it (a letter more, less or other, or two
// neighbours the other way round: the distance of Damerau and Levenshtein in its
// restricted form), one for words under five letters. Nearer ones come first, then
// those with the same first letter, then more frequent ones. A suggestion is never
// the word itself.
//
// The work is one look at each word of the vocabulary, about 1 ns, and at most
// maxCompared comparisons.
func (x *Index) Spellings(word string, n int) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	word = x.foldPrefix(word)
	letters := []rune(word)
	if n <= 0 || len(letters) < 2 || len(letters) > longestSpelt {
		return nil
	}
	most := 2
	if len(letters) < 5 {
		most = 1
	}
	near := x.near(word, letters, most)
	slices.SortFunc(near, func(a, b neighbour) int { return a.compare(b) })
	var out []string
	for _, s := range near {
		if len(out) < n && !slices.Contains(out, s.word) {
			out = append(out, s.word)
		}
	}
	return out
}

// neighbour is a word near to another.
type neighbour struct {
	word     string
	distance int
	first    bool // with the same first letter
	count    uint32
}

func (a neighbour) compare(b neighbour) int {
	if a.first != b.first && a.distance == b.distance {
		if a.first {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(b.count, a.count), cmp.Compare(a.word, b.word))
}

// near finds the words within a distance of most. x.mu is held.
func (x *Index) near(word string, letters []rune, most int) (out []neighbour) {
	chars := characters(word)
	shortest, longest := len(letters)-most, (len(letters)+most)*utf8.UTFMax
	var candidates []uint32
	for i := range x.vocab.lexemes {
		l := &x.vocab.lexemes[i]
		if l.count > 0 && len(l.word) >= shortest && len(l.word) <= longest && bits.OnesCount32(l.chars^chars) <= 2*most && l.word != word {
			candidates = append(candidates, uint32(i))
		}
	}
	if len(candidates) > maxCompared {
		slices.SortFunc(candidates, func(a, b uint32) int {
			return cmp.Compare(x.vocab.lexemes[b].count, x.vocab.lexemes[a].count)
		})
		candidates = candidates[:maxCompared]
	}
	first, _ := utf8.DecodeRuneInString(word)
	var d editor
	for _, n := range candidates {
		l := &x.vocab.lexemes[n]
		if dist := d.distance(letters, l.word, most); dist <= most {
			out = append(out, neighbour{l.word, dist, strings.HasPrefix(l.word, string(first)), l.count})
		}
	}
	return out
}

// characters is a set of the characters of a word, in 32 bits: words within d
// changes differ in at most 2d of them.
func characters(word string) (set uint32) {
	for _, r := range word {
		set |= 1 << (uint32(r) * 0x9e3779b1 >> 27)
	}
	return set
}

// editor computes distances; it keeps its rows.
type editor struct {
	b    [longestSpelt + 3]rune
	rows [3][longestSpelt + 4]uint8
}

// distance is how many changes lead from a to b; some number above most where it
// is above most. Both are at most longestSpelt+2 letters, or the answer is so.
func (e *editor) distance(a []rune, b string, most int) int {
	n := 0
	for _, r := range b {
		if n >= len(a)+most || n == len(e.b)-1 {
			return most + 1
		}
		e.b[n] = r
		n++
	}
	if n < len(a)-most {
		return most + 1
	}
	before, last, at := &e.rows[0], &e.rows[1], &e.rows[2]
	for j := range n + 1 {
		last[j] = uint8(j)
	}
	for i := range a {
		at[0] = uint8(i + 1)
		least := at[0]
		for j := range n {
			d := last[j]
			if a[i] != e.b[j] {
				d++
			}
			d = min(d, last[j+1]+1, at[j]+1)
			if i > 0 && j > 0 && a[i] == e.b[j-1] && a[i-1] == e.b[j] {
				d = min(d, before[j-1]+1)
			}
			at[j+1] = d
			least = min(least, d)
		}
		if int(least) > most {
			return most + 1
		}
		before, last, at = last, at, before
	}
	return int(last[n])
}
