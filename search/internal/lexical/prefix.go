package lexical

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"wikibot/search/internal/query"
	"wikibot/search/internal/words"
)

// order is the vocabulary in alphabetical order, made when somebody asks, under the
// read lock of the Index, so that writers need not care.
type order struct {
	mu     sync.Mutex
	sorted []uint32 // lexemes by word; guarded by mu, replaced and never changed
	seen   int      // lexemes that are in sorted; guarded by mu
}

// unsorted is how many new words are looked through one by one before they are
// sorted in.
const unsorted = 4096

// alphabetical gives the lexemes in order, and the number of the first that is not
// among them yet. x.mu is held.
func (x *Index) alphabetical() (sorted []uint32, fresh int) {
	o := &x.order
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(x.vocab.lexemes)-o.seen < unsorted {
		return o.sorted, o.seen
	}
	word := func(a, b uint32) int { return cmp.Compare(x.vocab.lexemes[a].word, x.vocab.lexemes[b].word) }
	added := make([]uint32, 0, len(x.vocab.lexemes)-o.seen)
	for n := o.seen; n < len(x.vocab.lexemes); n++ {
		added = append(added, uint32(n))
	}
	slices.SortFunc(added, word)
	all := make([]uint32, 0, len(o.sorted)+len(added))
	old := o.sorted
	for len(old) > 0 && len(added) > 0 {
		if word(old[0], added[0]) <= 0 {
			all, old = append(all, old[0]), old[1:]
		} else {
			all, added = append(all, added[0]), added[1:]
		}
	}
	o.sorted, o.seen = append(append(all, old...), added...), len(x.vocab.lexemes)
	return o.sorted, o.seen
}

// beginning calls fn for each lexeme that a document holds and whose word begins
// with prefix. x.mu is held.
func (x *Index) beginning(prefix string, fn func(n uint32, l *lexeme)) {
	sorted, fresh := x.alphabetical()
	at, _ := slices.BinarySearchFunc(sorted, prefix, func(n uint32, p string) int { return cmp.Compare(x.vocab.lexemes[n].word, p) })
	visit := func(n uint32) {
		if l := &x.vocab.lexemes[n]; l.count > 0 && strings.HasPrefix(l.word, prefix) {
			fn(n, l)
		}
	}
	for ; at < len(sorted) && strings.HasPrefix(x.vocab.lexemes[sorted[at]].word, prefix); at++ {
		visit(sorted[at])
	}
	for n := fresh; n < len(x.vocab.lexemes); n++ {
		visit(uint32(n))
	}
}

// Words are at most n words that begin with prefix and that a document holds: the
// most frequent first, then by alphabet. The work grows with the number of such
// words. Case and width of prefix do not matter.
func (x *Index) Words(prefix string, n int) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	prefix = x.foldPrefix(prefix)
	if prefix == "" || n <= 0 {
		return nil
	}
	counts := map[string]uint32{}
	x.beginning(prefix, func(_ uint32, l *lexeme) { counts[l.word] += l.count })
	all := make([]string, 0, len(counts))
	for w := range counts {
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b)) })
	return all[:min(n, len(all))]
}

// foldPrefix is the beginning of a word as the index has it: of "full-te" the
// beginning of the compound, fullte. It is "" where the text is no single word.
func (x *Index) foldPrefix(text string) string {
	tokens := x.home.analyzer.Tokens(text)
	if len(tokens) == 1 || len(tokens) > 1 && tokens[0].Parts == len(tokens)-1 {
		return tokens[0].Word
	}
	return ""
}

// expand adds the clause of a prefix, or of a single character of a script without
// spaces: it stands for all pairs with it. It is not ok for any other term.
func (p *plan) expand(t query.Term, g query.Group, bit uint32) (known, ok bool) {
	x := p.x
	word := x.foldPrefix(t.Text)
	var found []uint32
	c := clause{groups: bit}
	switch {
	case word == "":
		return false, false
	case words.IsPair(word) && utf8.RuneCountInString(word) == 1:
		chars := characters(word)
		for n := range x.vocab.lexemes {
			if l := &x.vocab.lexemes[n]; l.count > 0 && l.chars&chars == chars && strings.Contains(l.word, word) {
				found = append(found, uint32(n))
			}
		}
	case t.Kind == query.Prefix:
		c.prefix = word
		x.beginning(word, func(n uint32, _ *lexeme) { found = append(found, n) })
	default:
		return false, false
	}
	seen := map[uint32]bool{}
	for _, n := range p.frequent(found) {
		t := x.vocab.lexemes[n].term
		if seen[t] {
			continue
		}
		seen[t] = true
		c.terms = append(c.terms, t)
		partly := false
		x.vocab.of(t, func(_ uint32, l *lexeme) { partly = partly || !strings.HasPrefix(l.word, c.prefix) })
		c.partly = append(c.partly, partly && c.prefix != "")
	}
	p.add(c, !g.Not)
	return len(found) > 0, true
}

// frequent leaves the most frequent words.
func (p *plan) frequent(found []uint32) []uint32 {
	if len(found) <= p.x.bounds.expansion {
		return found
	}
	p.truncated = true
	l := p.x.vocab.lexemes
	slices.SortFunc(found, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(l[b].count, l[a].count), cmp.Compare(l[a].word, l[b].word))
	})
	return found[:p.x.bounds.expansion]
}

// begins reports whether a document holds a word of a term that begins with prefix.
func (s *scratch) begins(x *Index, id, t uint32, prefix string) bool {
	for _, n := range x.docs[id].tokens {
		if s.reads--; s.reads <= 0 {
			s.reads = 0
			return false
		}
		if l := &x.vocab.lexemes[n&lexemeMask]; l.term == t && strings.HasPrefix(l.word, prefix) {
			return true
		}
	}
	return false
}
