package index

import (
	"wikibot/search/internal/lexical"
	"wikibot/search/internal/vectors"
	"wikibot/wiki"
)

// vectorArm is the vectors of one model, and while another model's are being made,
// those too.
type vectorArm struct {
	model string // whose vectors answer; empty: none yet
	set   *vectors.Set

	next    string // model whose vectors are being made; empty: none
	nextSet *vectors.Set
}

// serves reports whether there are vectors to answer with.
func (a *vectorArm) serves() bool { return a.set != nil && a.set.Len() > 0 }

func (a *vectorArm) bytes() (n int64) {
	for _, s := range a.sets() {
		n += s.Bytes()
	}
	return n
}

func (a *vectorArm) sets() (all []*vectors.Set) {
	for _, s := range []*vectors.Set{a.set, a.nextSet} {
		if s != nil {
			all = append(all, s)
		}
	}
	return all
}

// put follows the documents: a new one whose text was there already keeps its vector.
// was are those that went.
func (a *vectorArm) put(docs []document, was map[uint32]Hash, add []lexical.Entry) {
	for _, set := range a.sets() {
		kept := map[Hash][]float32{}
		for id, hash := range was {
			if v := set.Get(id); v != nil {
				kept[hash] = v
			}
			set.Delete(id)
		}
		for _, e := range add {
			if v := kept[docs[e.ID].hash]; v != nil {
				_ = set.Put(e.ID, v) // it was in a set of this length
			}
		}
	}
}

// Want is a chunk that has no vector yet.
type Want struct {
	Hash  Hash
	Path  wiki.PagePath
	Blob  string
	Chunk int
}

// UseModel says whose vectors are wanted. Where another model's are there, they
// answer until FinishModel.
func (x *Index) UseModel(model string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.vec == nil {
		x.vec = &vectorArm{}
	}
	switch a := x.vec; {
	case a.model == model:
		a.next, a.nextSet = "", nil
	case a.model == "":
		a.model = model
	case a.next != model:
		a.next, a.nextSet = model, nil
	}
}

// FinishModel has the vectors answer that were made last, where another model's
// did until now. The old ones are let go.
func (x *Index) FinishModel() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if a := x.vec; a != nil && a.next != "" {
		a.model, a.set, a.next, a.nextSet = a.next, a.nextSet, "", nil
	}
}

// DropVectors forgets those of a model, so that all are missing again.
func (x *Index) DropVectors(model string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if a := x.vec; a != nil && a.model == model {
		a.set = nil
	} else if a != nil && a.next == model {
		a.nextSet = nil
	}
}

// answerable is a question without the vector of a model that does not answer any more:
// another may have taken its place since the question was embedded.
func (x *Index) answerable(q Question) Question {
	if q.Vector != nil && (x.vec == nil || !x.vec.serves() || x.vec.model != q.Model || x.vec.set.Dim() != len(q.Vector)) {
		q.Vector, q.Related = nil, true
		q.Lexical = q.Lexical || x.rel == nil // somebody has to answer
	}
	return q
}

// Serving is the model whose vectors answer now, and how many chunks have one;
// empty for none.
func (x *Index) Serving() (model string, chunks int) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.vec == nil || !x.vec.serves() {
		return "", 0
	}
	return x.vec.model, x.vec.set.Len()
}

// wanted is the set that is being filled; the caller holds a lock.
func (a *vectorArm) wanted() (string, *vectors.Set) {
	if a.next != "" {
		return a.next, a.nextSet
	}
	return a.model, a.set
}

// Missing is up to n chunks without a vector of the wanted model, from a document on,
// and where to go on; after the last one that is 0. Embedded counts those that have
// one. skip leaves chunks out.
func (x *Index) Missing(from uint32, n int, skip func(Hash) bool) (out []Want, next uint32) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.vec == nil {
		return nil, 0
	}
	_, set := x.vec.wanted()
	for id := from; int(id) < len(x.docs); id++ {
		d := &x.docs[id]
		if d.hash == (Hash{}) || set != nil && set.Has(id) || skip(d.hash) {
			continue
		}
		p := x.pages[d.page]
		out = append(out, Want{d.hash, p.path, p.blob, int(d.n)})
		if len(out) == n {
			return out, id + 1
		}
	}
	return out, 0
}

// Embedded is how many chunks have a vector of the wanted model.
func (x *Index) Embedded() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.vec == nil {
		return 0
	}
	if _, set := x.vec.wanted(); set != nil {
		return set.Len()
	}
	return 0
}

// PutVectors gives the chunks of these texts their vectors; model is whose they are.
// Vectors of a model that is not wanted any more are dropped. The first error about a
// vector is returned, and the others are kept all the same. The cost grows with the
// number of documents.
func (x *Index) PutVectors(model string, made map[Hash][]float32) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.vec == nil || len(made) == 0 {
		return nil
	}
	want, set := x.vec.wanted()
	if want != model {
		return nil
	}
	var failed error
	for id := range x.docs {
		v := made[x.docs[id].hash]
		if v == nil || x.docs[id].hash == (Hash{}) {
			continue
		}
		if set == nil {
			set = vectors.New(len(v))
			x.vec.fill(set)
		}
		if err := set.Put(uint32(id), v); err != nil && failed == nil {
			failed = err
		}
	}
	return failed
}

func (a *vectorArm) fill(set *vectors.Set) {
	if a.next != "" {
		a.nextSet = set
	} else {
		a.set = set
	}
}

// Dim is the length of the vectors that answer now, 0 without them.
func (x *Index) Dim() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.vec == nil || x.vec.set == nil {
		return 0
	}
	return x.vec.set.Dim()
}

// Hashes are those of the chunks' texts.
func (x *Index) Hashes() map[Hash]bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	out := make(map[Hash]bool, x.count)
	for id := range x.docs {
		if h := x.docs[id].hash; h != (Hash{}) {
			out[h] = true
		}
	}
	return out
}
