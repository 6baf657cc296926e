package lexical

import "slices"

// intersect finds the documents that hold a term of each unit, in order. It goes
// through the unit that fewest documents hold.
func (s *scratch) intersect(x *Index, units [][]uint32) (docs []uint32, done bool) {
	done = true
	lists := make([][]uint32, 0, len(units))
	for _, terms := range units {
		list := x.vocab.terms[terms[0]].postings
		for _, t := range terms[1:] {
			list = union(list, x.vocab.terms[t].postings)
		}
		lists = append(lists, list)
	}
	slices.SortStableFunc(lists, func(a, b []uint32) int { return len(a) - len(b) })
	first, done := s.allowed(lists[0])
	docs = make([]uint32, len(first))
	for i, p := range first {
		docs[i] = p >> frequencyBits
	}
	for _, list := range lists[1:] {
		docs = within(docs, list)
		s.visits = max(0, s.visits-len(docs))
	}
	return docs, done
}

// within leaves of docs those that list has a posting of: for each a search that
// gallops from the one before, so the work grows with docs and not with list.
func within(docs, list []uint32) []uint32 {
	out := docs[:0]
	for _, id := range docs {
		step := 1
		for step < len(list) && list[step]>>frequencyBits < id {
			step *= 2
		}
		list = list[find(list[:min(step+1, len(list))], id<<frequencyBits):]
		if len(list) == 0 {
			break
		}
		if list[0]>>frequencyBits == id {
			out = append(out, id)
		}
	}
	return out
}

// union merges the postings of synonyms; the frequencies do not matter.
func union(a, b []uint32) []uint32 {
	out := make([]uint32, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch x, y := a[0]>>frequencyBits, b[0]>>frequencyBits; {
		case x < y:
			out, a = append(out, a[0]), a[1:]
		case x > y:
			out, b = append(out, b[0]), b[1:]
		default:
			out, a, b = append(out, a[0]), a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}

// row is the units of a phrase. A token is compared with the few words that a unit
// stands for, or by its term where those are many.
type row []unit

type unit struct{ terms, lexemes []uint32 }

// fewWords is how many words of a unit are compared one by one.
const fewWords = 8

func (x *Index) row(sequence [][]uint32) row {
	out := make(row, len(sequence))
	for i, terms := range sequence {
		u := unit{terms: terms}
		for _, t := range terms {
			x.vocab.of(t, func(n uint32, _ *lexeme) {
				if len(u.lexemes) <= fewWords {
					u.lexemes = append(u.lexemes, n)
				}
			})
		}
		out[i] = u
	}
	return out
}

func (u *unit) holds(x *Index, n uint32) bool {
	if len(u.lexemes) <= fewWords {
		for _, l := range u.lexemes {
			if l == n {
				return true
			}
		}
		return false
	}
	return slices.Contains(u.terms, x.vocab.lexemes[n].term)
}

// rows adds a phrase: the documents that hold all its words are read. A phrase
// counts as a term whose frequency is how often it occurs.
func (s *scratch) rows(x *Index, c *clause) (done bool) {
	docs, done := s.intersect(x, c.sequence)
	r, n := x.row(c.sequence), x.norm()
	for _, id := range docs {
		d := x.docs[id]
		s.reads -= len(d.tokens)
		if s.reads <= 0 {
			s.reads = 0
			return false
		}
		tf := s.occurrences(x, d.tokens[:d.body], r) + x.o.Head*s.occurrences(x, d.tokens[d.body:], r)
		if tf == 0 {
			continue
		}
		f := float32(min(tf, maxFrequency))
		s.cells[id].score += c.weight * n.gain * f / (f + n.fixed + n.each*n.length[id])
		s.cells[id].mask |= c.groups
	}
	return done
}

// occurrences counts the places where a row begins in tokens: at a word, at the
// whole of a compound or at a part.
func (s *scratch) occurrences(x *Index, tokens []uint32, r row) (n int) {
	for i, t := range tokens {
		if !r[0].holds(x, t&lexemeMask) {
			continue
		}
		if rest := i + 1 + int(t>>partsShift); rest <= len(tokens) && s.follows(x, tokens[rest:], r[1:]) {
			n++
		}
	}
	return n
}

// follows reports whether tokens begin with a row. The whole of a compound stands
// for its parts, so a row may go on after either. Each step takes from what may be
// read.
func (s *scratch) follows(x *Index, tokens []uint32, r row) bool {
	for len(r) > 0 {
		if s.reads--; len(tokens) == 0 || s.reads <= 0 {
			return false
		}
		t := tokens[0]
		hit := r[0].holds(x, t&lexemeMask)
		if parts := int(t >> partsShift); parts > 0 {
			if hit && len(tokens) > parts && s.follows(x, tokens[1+parts:], r[1:]) {
				return true
			}
			tokens = tokens[1:]
			continue
		}
		if !hit {
			return false
		}
		tokens, r = tokens[1:], r[1:]
	}
	return true
}
