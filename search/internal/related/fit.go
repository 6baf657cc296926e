package related

import (
	"cmp"
	"context"
	"math"
	"slices"

	"wikibot/wiki"
)

// Options are the settings of a fit; the zero value of each means its default.
type Options struct {
	Dim     int     // dimensions, 200
	Window  int     // words on either side that count as near, 5; the nearest count most
	Smooth  float64 // context distribution smoothing, .75
	Shift   float64 // the k of the shifted PPMI, ln k taken off, 1
	Power   float64 // of the singular values in the vectors, .5
	Weight  float64 // a in the weight a/(a+p) of a term of probability p, .001
	MinSeen int     // terms seen less often have no vector, 2
	MaxRows int     // the most terms with a vector, the most frequent ones, 50,000

	// Yield, unless nil, is called between pieces of work of about a millisecond,
	// so that a fit in the background can stand back for others.
	Yield func()
}

func (o Options) withDefaults() Options {
	o.Dim, o.Window = cmp.Or(o.Dim, 200), cmp.Or(o.Window, 5)
	o.Smooth, o.Shift = cmp.Or(o.Smooth, .75), cmp.Or(o.Shift, 1)
	o.Power, o.Weight = cmp.Or(o.Power, .5), cmp.Or(o.Weight, .001)
	o.MinSeen, o.MaxRows = cmp.Or(o.MinSeen, 2), cmp.Or(o.MaxRows, 50_000)
	if o.Yield == nil {
		o.Yield = func() {}
	}
	return o
}

// Fit makes the Model of a corpus. When ctx ends it ends soon after, with ctx's
// error. A corpus with ids that are not below Terms is an ErrInvalid. A corpus that
// has too little text gives a Model that knows nothing, or has fewer dimensions.
func Fit(ctx context.Context, c Corpus, o Options) (*Model, error) {
	o = o.withDefaults()
	v, err := vocabulary(c, o)
	if err != nil {
		return nil, err
	}
	p, err := ppmi(ctx, v, o)
	if err != nil {
		return nil, err
	}
	vectors, dim, err := factor(ctx, p, o)
	if err != nil {
		return nil, err
	}
	m := &Model{dim: dim, row: v.row, vectors: vectors}
	m.weigh(v, o)
	return m, nil
}

// terms are those of a corpus that get a vector, and its text in them.
type terms struct {
	row    []int32 // term → row, or -1
	seen   []int   // row → how often
	total  int     // tokens of the corpus
	stream []int32 // the documents as rows, gap after each
}

// gap parts documents in a stream.
const gap = -1

func vocabulary(c Corpus, o Options) (*terms, error) {
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
	var often []uint32
	for t, n := range seen {
		v.row[t] = -1
		if n >= o.MinSeen {
			often = append(often, uint32(t))
		}
	}
	if len(often) > o.MaxRows {
		slices.SortFunc(often, func(a, b uint32) int {
			return cmp.Or(cmp.Compare(seen[b], seen[a]), cmp.Compare(a, b))
		})
		often = often[:o.MaxRows]
		slices.Sort(often)
	}
	for r, t := range often {
		v.row[t] = int32(r)
		v.seen = append(v.seen, seen[t])
	}
	v.stream = make([]int32, 0, v.total+len(c.Docs))
	for _, doc := range c.Docs {
		for _, t := range doc {
			if r := v.row[t]; r >= 0 {
				v.stream = append(v.stream, r)
			}
		}
		v.stream = append(v.stream, gap)
	}
	return v, nil
}

// weigh multiplies each term's vector with its weight in a document.
func (m *Model) weigh(v *terms, o Options) {
	for r, n := range v.seen {
		p := float64(n) / float64(v.total)
		w := float32(o.Weight / (o.Weight + p))
		row := m.vectors[r*m.dim : (r+1)*m.dim]
		for i := range row {
			row[i] *= w
		}
	}
}

func ln(x float64) float64 { return math.Log(x) }
