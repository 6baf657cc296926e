package index

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"wikibot/search/internal/lexical"
	"wikibot/search/internal/related"
	"wikibot/search/internal/vectors"
)

// RelatedFrom is from how many chunks on related terms are fitted: a smaller text
// does not tell which words keep company.
const RelatedFrom = 200

// relatedArm is a model of related terms and each document's place in it. The model
// belongs to the state in which it was fitted; documents that come later are placed
// by the words that it knows.
type relatedArm struct {
	model *related.Model
	terms []string          // of the model, in its order
	ids   map[string]uint32 // term → its number in the model
	known []int32           // term of the lexical index → number in the model, -1: none; grows as terms come
	set   *vectors.Set

	mu    sync.Mutex
	nears map[uint32][]uint32 // guarded by mu
}

func newRelatedArm(m *related.Model, terms []string) *relatedArm {
	a := &relatedArm{model: m, terms: terms, ids: make(map[string]uint32, len(terms)), set: vectors.New(m.Dim()), nears: map[uint32][]uint32{}}
	for i, t := range terms {
		a.ids[t] = uint32(i)
	}
	return a
}

func (a *relatedArm) bytes() int64 {
	return a.model.Bytes() + a.set.Bytes() + int64(len(a.terms))*80 + int64(len(a.known))*4
}

// translate maps terms of the lexical index to those of the model. The caller holds
// the write lock, or is alone.
func (a *relatedArm) translate(lex *lexical.Index, tokens []uint32) []uint32 {
	out := make([]uint32, 0, len(tokens))
	for _, t := range tokens {
		for int(t) >= len(a.known) {
			n := int32(-1)
			if id, ok := a.ids[lex.Term(uint32(len(a.known)))]; ok {
				n = int32(id)
			}
			a.known = append(a.known, n)
		}
		if n := a.known[t]; n >= 0 {
			out = append(out, uint32(n))
		}
	}
	return out
}

func (a *relatedArm) put(lex *lexical.Index, gone []uint32, add []lexical.Entry) {
	for _, id := range gone {
		a.set.Delete(id)
	}
	for _, e := range add {
		a.place(lex, e.ID)
	}
}

// place gives a document its vector; one without known words has none.
func (a *relatedArm) place(lex *lexical.Index, id uint32) {
	if v := a.model.Embed(a.translate(lex, lex.Tokens(id))); v != nil {
		_ = a.set.Put(id, v) // Embed gives unit vectors of the right length
	} else {
		a.set.Delete(id)
	}
}

// query is the place of a text; nil where no word of it is known.
func (a *relatedArm) query(lex *lexical.Index, text, language string) []float32 {
	return a.model.Embed(a.numbers(lex.TermsOf(text, language)))
}

func (a *relatedArm) numbers(terms []string) []uint32 {
	var out []uint32
	for _, t := range terms {
		if n, ok := a.ids[t]; ok {
			out = append(out, n)
		}
	}
	return out
}

// nearest is how many terms near to a term are looked at.
const nearest = 24

// maxNear is of how many terms the nearest are kept.
const maxNear = 4096

// near is the terms nearest to one. They are kept, since finding them looks at every
// term of the model.
func (a *relatedArm) near(t uint32) []uint32 {
	a.mu.Lock()
	list, ok := a.nears[t]
	a.mu.Unlock()
	if ok {
		return list
	}
	list = a.model.Near(t, nearest)
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.nears) >= maxNear {
		clear(a.nears)
	}
	a.nears[t] = list
	return list
}

// Near is up to n words that keep the company of a text's words, none of them in the
// text itself; nil without the arm.
func (x *Index) Near(text string, n int) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if x.rel == nil {
		return nil
	}
	own := x.rel.numbers(x.lex.TermsOf(text, x.language))
	own = own[:min(len(own), 8)]
	var found []uint32
	near := make([][]uint32, len(own))
	for i, t := range own {
		near[i] = x.rel.near(t)
	}
	telling := func(t uint32) bool { // "the" keeps everybody's company, a colour's number nobody's
		df := x.lex.FrequencyOf(x.rel.terms[t])
		return df >= 3 && df*5 <= x.count && !strings.ContainsAny(x.rel.terms[t], "0123456789")
	}
	for k := range nearest { // in turn, so that each word has its share
		for _, all := range near {
			if k < len(all) && !slices.Contains(own, all[k]) && !slices.Contains(found, all[k]) && telling(all[k]) {
				found = append(found, all[k])
			}
		}
	}
	out := make([]string, 0, n)
	for _, t := range found {
		if w := x.lex.Spelt(x.rel.terms[t]); w != "" && len(out) < n {
			out = append(out, w)
		}
	}
	return out
}

// Sample is what a fitting reads: the documents in the order of their pages, with
// terms numbered in their own order, so that equal wikis give equal models.
type Sample struct {
	corpus related.Corpus
	terms  []string
	docs   []sampled
}

type sampled struct {
	id   uint32
	hash Hash
}

// NeedsRelated reports whether the related terms should be fitted: for the first
// time, or again since a tenth of the documents is others now.
func (x *Index) NeedsRelated() bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.count >= RelatedFrom && (x.rel == nil || x.moved*10 > x.count)
}

// HasRelated reports whether the arm of related terms answers.
func (x *Index) HasRelated() bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.rel != nil
}

// Sample copies what Fit needs; the cost grows with the number of words.
func (x *Index) Sample() *Sample {
	x.mu.RLock()
	defer x.mu.RUnlock()
	s := &Sample{docs: make([]sampled, 0, x.count)}
	slots := make([]uint32, 0, len(x.byPath))
	for _, slot := range x.byPath {
		slots = append(slots, slot)
	}
	slices.SortFunc(slots, func(a, b uint32) int { return cmp.Compare(x.pages[a].path, x.pages[b].path) })
	number := map[uint32]uint32{} // term of the lexical index → place in seen
	var seen []uint32
	for _, slot := range slots {
		for _, id := range x.pages[slot].docs {
			tokens := slices.Clone(x.lex.Tokens(id))
			for i, t := range tokens {
				n, ok := number[t]
				if !ok {
					n = uint32(len(seen))
					number[t] = n
					seen = append(seen, t)
				}
				tokens[i] = n
			}
			s.corpus.Docs = append(s.corpus.Docs, tokens)
			s.docs = append(s.docs, sampled{id, x.docs[id].hash})
		}
	}
	s.sortTerms(x.lex, seen)
	return s
}

// sortTerms gives terms their numbers in the order of their texts.
func (s *Sample) sortTerms(lex *lexical.Index, seen []uint32) {
	texts, order := make([]string, len(seen)), make([]uint32, len(seen))
	for i, t := range seen {
		texts[i], order[i] = lex.Term(t), uint32(i)
	}
	slices.SortFunc(order, func(a, b uint32) int { return cmp.Compare(texts[a], texts[b]) })
	rank := make([]uint32, len(seen))
	s.terms = make([]string, len(seen))
	for i, n := range order {
		rank[n], s.terms[i] = uint32(i), texts[n]
	}
	for _, d := range s.corpus.Docs {
		for i, n := range d {
			d[i] = rank[n]
		}
	}
	s.corpus.Terms = len(s.terms)
}

// Fit learns related terms from a sample: seconds of one processor, without any
// lock. It ends early when ctx ends.
func Fit(ctx context.Context, s *Sample) (*related.Model, error) {
	return related.Fit(ctx, s.corpus, related.Options{})
}

// Adopt puts a fitted model into force. Documents that came since the sample was
// taken are placed too.
func (x *Index) Adopt(s *Sample, m *related.Model) {
	a := newRelatedArm(m, s.terms)
	for i, d := range s.docs {
		if v := m.Embed(s.corpus.Docs[i]); v != nil {
			_ = a.set.Put(d.id, v) // Embed gives unit vectors of the right length
		}
	}
	at := make(map[uint32]Hash, len(s.docs))
	for _, d := range s.docs {
		at[d.id] = d.hash
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.moved = 0
	for _, p := range x.pages {
		if p == nil {
			continue
		}
		for _, id := range p.docs {
			if hash, ok := at[id]; !ok || hash != x.docs[id].hash {
				a.place(x.lex, id)
				x.moved++
			}
			delete(at, id)
		}
	}
	for id := range at { // gone since
		a.set.Delete(id)
	}
	x.rel = a
}
