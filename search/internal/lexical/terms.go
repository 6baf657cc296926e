package lexical

import "slices"

// TermsOf gives the terms of a text, in order and as often as they stand in it: what Tokens has for a
// document, for a text that is none, such as a query. A language that no document
// could have is the index's own.
func (x *Index) TermsOf(text, language string) []string {
	var out []string
	for _, t := range x.tongue(language).analyzer.Tokens(text) {
		if t.Parts == 0 {
			out = append(out, t.Term)
		}
	}
	return out
}

// FrequencyOf is in how many documents a term occurs.
func (x *Index) FrequencyOf(text string) int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if t, ok := x.vocab.byTerm[text]; ok {
		return len(x.vocab.terms[t].postings)
	}
	return 0
}

// Spelt gives for each term the word by which most documents mean it, "" where none
// does: what a person can read in the place of a stem. It looks at each word of the
// vocabulary once.
func (x *Index) Spelt(terms []string) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	wanted := make(map[uint32]int, len(terms)) // number → place
	for i, t := range terms {
		if n, ok := x.vocab.byTerm[t]; ok {
			wanted[n] = i
		}
	}
	out, best := make([]string, len(terms)), make([]uint32, len(terms))
	for i := range x.vocab.lexemes {
		l := &x.vocab.lexemes[i]
		at, ok := wanted[l.term]
		if ok && (l.count > best[at] || l.count == best[at] && l.count > 0 && l.word < out[at]) {
			out[at], best[at] = l.word, l.count
		}
	}
	return slices.Clip(out)
}
