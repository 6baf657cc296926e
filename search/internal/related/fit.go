package related

import (
	"cmp"
	"context"
)

// Options are the settings of a fit; the zero value of each means its default.
type Options struct {
	Dim    int     // dimensions, 200
	Window int     // words on either side that count as near, 30; the nearest count most
	Smooth float64 // context distribution smoothing, .75
	Shift  float64 // the k of the shifted PPMI, ln k taken off, 2
	Power  float64 // of the singular values in the vectors, .5
	Weight float64 // a in the weight a/(a+p) of a term of probability p, .0001

	// The bounds of time and memory. The Core most frequent terms make the
	// space; the Terms most frequent ones get a place in it.
	Core   int // 20,000
	Terms  int // 50,000
	Pairs  int // of core terms that occur together, about 12 million
	Tokens int // of text that is counted, 8 million; of a larger corpus every second document, or every third …

	// Yield, unless nil, is called between pieces of work of about a millisecond,
	// so that a fit in the background can stand back for others.
	Yield func()
	Flat  bool
}

func (o Options) withDefaults() Options {
	o.Dim, o.Window = min(cmp.Or(o.Dim, 200), maxDim), cmp.Or(o.Window, 30)
	o.Smooth, o.Shift = cmp.Or(o.Smooth, .75), cmp.Or(o.Shift, 2)
	o.Power, o.Weight = cmp.Or(o.Power, .5), cmp.Or(o.Weight, .0001)
	o.Core, o.Terms = min(cmp.Or(o.Core, 20_000), 1<<16), cmp.Or(o.Terms, 50_000)
	o.Pairs, o.Tokens = cmp.Or(o.Pairs, 12_000_000), cmp.Or(o.Tokens, 8_000_000)
	return o
}

// worker is what a fit asks, between pieces of work, whether to go on.
type worker struct {
	ctx   context.Context
	yield func()
}

func (w worker) next() error {
	if w.yield != nil {
		w.yield()
	}
	return w.ctx.Err()
}

// Fit makes the Model of a corpus. It works in one goroutine and its result does not
// depend on the machine's load or cores: equal corpora and Options give models equal
// bit by bit. When ctx ends it ends within about a millisecond of work, with ctx's
// error. A corpus with ids that are not below Terms is an ErrInvalid. A corpus that
// has too little text gives a Model that knows nothing, or has fewer dimensions.
//
// On one core it takes about 1 s for 1,000 documents of 60 words and 5 s for 10,000;
// Options bound the time beyond that, and the memory at its peak to about 300 MB.
func Fit(ctx context.Context, c Corpus, o Options) (*Model, error) {
	o = o.withDefaults()
	w := worker{ctx, o.Yield}
	v, err := vocabulary(w, c, o)
	if err != nil {
		return nil, err
	}
	counts, err := newCounter(w, v, o)
	if err != nil {
		return nil, err
	}
	core, err := counts.matrix(w)
	if err != nil {
		return nil, err
	}
	space, err := factor(w, core, o)
	if err != nil {
		return nil, err
	}
	m := newModel(v, space)
	if err := m.foldIn(w, counts, space); err != nil {
		return nil, err
	}
	m.weigh(v, o)
	return m, m.center(w, c)
}
