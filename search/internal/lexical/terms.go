package lexical

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
	if t, ok := x.vocab.findTerm(text); ok {
		return len(x.vocab.terms[t].postings)
	}
	return 0
}

// Spelt is the word by which documents mean a term most often, "" where none does:
// what a person can read in the place of a stem.
func (x *Index) Spelt(text string) (word string) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	t, ok := x.vocab.findTerm(text)
	if !ok {
		return ""
	}
	best := uint32(0)
	for n := x.vocab.terms[t].first; n != 0; {
		l := &x.vocab.lexemes[n-1]
		if l.count > best || l.count == best && best > 0 && l.word < word {
			word, best = l.word, l.count
		}
		n = l.next
	}
	return word
}
