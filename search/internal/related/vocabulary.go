package related

import (
	"cmp"
	"slices"

	"wikibot/wiki"
)

// terms are those of a corpus that get a vector, and its text in them. Rows below
// core are the core terms; within both parts, rows are in the order of the ids.
type terms struct {
	row    []int32 // term → row, or -1
	seen   []int   // row → how often
	core   int
	total  int     // tokens of the corpus
	stream []int32 // documents as rows, gap after each
}

// gap parts documents in a stream.
const gap = -1

func vocabulary(w worker, c Corpus, o Options) (*terms, error) {
	seen := make([]int, c.Terms)
	v := &terms{row: make([]int32, c.Terms)}
	for _, doc := range c.Docs {
		for _, t := range doc {
			if uint64(t) >= uint64(c.Terms) {
				return nil, wiki.Invalid("corpus", "term %d in a corpus of %d terms", t, c.Terms)
			}
			seen[t]++
		}
		v.total += len(doc)
	}
	if err := w.next(); err != nil {
		return nil, err
	}
	var some []uint32
	for t, n := range seen {
		v.row[t] = -1
		if n > 0 {
			some = append(some, uint32(t))
		}
	}
	slices.SortFunc(some, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(seen[b], seen[a]), cmp.Compare(a, b))
	})
	some = some[:min(len(some), o.Terms)]
	v.core = min(len(some), o.Core)
	slices.Sort(some[:v.core])
	slices.Sort(some[v.core:])
	for r, t := range some {
		v.row[t] = int32(r)
		v.seen = append(v.seen, seen[t])
	}
	every := 1 + v.total/max(o.Tokens, 1)
	v.stream = make([]int32, 0, v.total/every+len(c.Docs)/every+1)
	for d := 0; d < len(c.Docs); d += every {
		for _, t := range c.Docs[d] {
			if r := v.row[t]; r >= 0 {
				v.stream = append(v.stream, r)
			}
		}
		v.stream = append(v.stream, gap)
	}
	return v, w.next()
}
