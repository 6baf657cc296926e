package lexical

import (
	"slices"
	"strconv"

	"wikibot/search/internal/query"
	"wikibot/search/internal/words"
)

// plan is a query in terms of the index.
type plan struct {
	clauses                   []clause
	unknown                   []query.Term
	wanted, refused, demanded uint32 // groups; wanted includes demanded
	truncated                 bool

	x    *Index
	seen map[string]int // clauses by what they look for
}

// clause is one thing that documents hold or not.
type clause struct {
	// Exactly one of these is set.
	terms    []uint32   // any of these, which count as one term
	all      [][]uint32 // of each of these, one
	sequence [][]uint32 // of each of these one, next to one another

	prefix    string  // of terms, only tokens whose word begins so; "" for all
	partly    []bool  // with a prefix: this one of terms has other words as well
	groups    uint32  // that a document holds which holds this; may be none
	weight    float32 // how often the query has it, then its weight; 0 does not score
	frequency int     // of documents, at most
}

// plan makes the clauses of a query; x.mu is held.
func (x *Index) plan(q query.Query) plan {
	p := plan{x: x, seen: map[string]int{}}
	for i, g := range q.Groups {
		bit := uint32(1) << i
		switch {
		case g.Not:
			p.refused |= bit
		case g.Must:
			p.demanded |= bit
			p.wanted |= bit
		default:
			p.wanted |= bit
		}
		for _, t := range g.Terms {
			if !p.term(t, g, bit) && !g.Not {
				p.unknown = append(p.unknown, t)
			}
		}
	}
	return p
}

// term adds the clauses of one term of a group, and reports whether all of its
// words are known.
func (p *plan) term(t query.Term, g query.Group, bit uint32) bool {
	if known, ok := p.expand(t, g, bit); ok {
		return known
	}
	known := false
	for _, r := range p.x.readings(t.Text) {
		terms, ok := p.numbers(r)
		known = known || ok
		if t.Kind == query.Phrase {
			p.phrase(r, terms, g, bit)
		} else {
			p.word(r, terms, g, bit)
		}
	}
	return known
}

// readings analyses a query's text in each language that documents are in.
func (x *Index) readings(text string) (out [][]synonyms) {
	for i, n := range x.held {
		if n > 0 {
			out = merged(out, x.tongues[i].analyzer.Tokens(text))
		}
	}
	return out
}

// numbers finds the terms of a reading that documents hold, and reports whether
// each token but the whole of a compound has one, or the whole has.
func (p *plan) numbers(r []synonyms) (out [][]uint32, known bool) {
	known = len(r) > 0
	covered := 0 // tokens before this one are parts of a known whole
	for i, s := range r {
		var terms []uint32
		for _, text := range s.terms {
			if t, ok := p.x.vocab.findTerm(text); ok && len(p.x.vocab.terms[t].postings) > 0 {
				terms = append(terms, t)
			}
		}
		out = append(out, terms)
		switch {
		case s.parts > 0 && len(terms) > 0:
			covered = max(covered, i+1+s.parts)
		case s.parts == 0 && len(terms) == 0 && i >= covered:
			known = false
		}
	}
	return out, known
}

// word adds what a word asks for. Each of its tokens scores; the group is held by
// the whole or by all parts.
func (p *plan) word(r []synonyms, terms [][]uint32, g query.Group, bit uint32) {
	if len(r) == 1 {
		p.add(clause{terms: terms[0], groups: bit}, !g.Not)
		return
	}
	var plain [][]uint32
	sentence := !g.Not && !g.Must && len(r) > 4 && pairs(r)
	for i, s := range r {
		c := clause{terms: terms[i]}
		if s.parts == len(r)-1 || sentence {
			c.groups = bit
		}
		if s.parts == 0 {
			plain = append(plain, terms[i])
		}
		p.add(c, !g.Not)
	}
	if !sentence {
		p.add(clause{all: plain, groups: bit}, false)
	}
}

// pairs reports whether a reading is a run of characters of a script without
// spaces: such tokens overlap, and are two characters each.
func pairs(r []synonyms) bool {
	for _, s := range r {
		if s.parts > 0 || !words.IsPair(s.word) {
			return false
		}
	}
	return true
}

// phrase adds what a phrase asks for: its words in a row. One that is a single
// compound is also held by the whole.
func (p *plan) phrase(r []synonyms, terms [][]uint32, g query.Group, bit uint32) {
	var row [][]uint32
	for i, s := range r {
		if s.parts == 0 {
			row = append(row, terms[i])
		} else if s.parts == len(r)-1 {
			p.add(clause{terms: terms[i], groups: bit}, !g.Not)
		}
	}
	switch len(row) {
	case 0:
	case 1:
		p.add(clause{terms: row[0], groups: bit}, !g.Not)
	default:
		p.add(clause{sequence: row, groups: bit}, !g.Not)
	}
}

// add adds a clause, or joins it with an equal one, whose groups it then serves
// and which counts once more.
func (p *plan) add(c clause, scores bool) {
	if scores {
		c.weight = 1
	}
	if c.terms == nil && c.all == nil && c.sequence == nil || p.hopeless(c.all) || p.hopeless(c.sequence) {
		return
	}
	key := c.key()
	if i, ok := p.seen[key]; ok {
		p.clauses[i].groups |= c.groups
		p.clauses[i].weight += c.weight
		return
	}
	c.frequency = p.frequency(c)
	p.seen[key] = len(p.clauses)
	p.clauses = append(p.clauses, c)
}

// hopeless: a word of several that no document holds.
func (p *plan) hopeless(units [][]uint32) bool {
	return slices.ContainsFunc(units, func(ts []uint32) bool { return len(ts) == 0 })
}

// frequency is in how many documents a clause holds, at most.
func (p *plan) frequency(c clause) int {
	if c.terms != nil {
		return p.x.sum(c.terms)
	}
	least := p.x.n
	for _, ts := range append(c.all, c.sequence...) {
		least = min(least, p.x.sum(ts))
	}
	return least
}

// sum is in how many documents one of several terms is, at most.
func (x *Index) sum(terms []uint32) (n int) {
	for _, t := range terms {
		n += len(x.vocab.terms[t].postings)
	}
	return min(n, x.n)
}

// key tells clauses apart.
func (c *clause) key() string {
	b := []byte(c.prefix)
	for i, units := range [][][]uint32{{c.terms}, c.all, c.sequence} {
		for _, ts := range units {
			b = append(b, byte('\n'+i))
			for _, t := range ts {
				b = append(strconv.AppendUint(b, uint64(t), 36), ',')
			}
		}
	}
	return string(b)
}
