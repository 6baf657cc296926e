package lexical

import (
	"cmp"
	"fmt"
	"slices"
)

// writer is the scratch of Apply.
type writer struct {
	counts  []uint32 // by term: its frequency in the document at hand
	touched []uint32 // terms with a count
	tokens  []uint32 // of the document at hand
	changes []change
	tail    []uint32
}

// change is one posting to take out or to put in.
type change struct{ term, posting uint32 }

// Apply takes documents out and puts others in, as one step to readers. A document
// in both is replaced; a number in add that is taken is replaced as well; of two
// entries under one number the last counts. Numbers of documents that are not there
// may be removed.
//
// Readers wait meanwhile: about 5 µs for each document, and for each term of a
// removed or inserted document one move of the postings behind it. A writer with a
// hundred thousand documents to add to an index in use calls it several times.
//
// It panics at a number of MaxDocuments or more: callers keep numbers dense.
func (x *Index) Apply(remove []uint32, add []Entry) {
	for _, e := range add {
		if e.ID >= MaxDocuments {
			panic(fmt.Sprintf("lexical: document %d; numbers are dense and below %d", e.ID, MaxDocuments))
		}
	}
	if !slices.IsSortedFunc(add, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) }) {
		add = slices.Clone(add)
		slices.SortStableFunc(add, func(a, b Entry) int { return cmp.Compare(a.ID, b.ID) })
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	w := &x.writer
	w.changes = w.changes[:0]
	for _, id := range remove {
		x.drop(id)
	}
	for _, e := range add {
		x.drop(e.ID)
	}
	x.post(func(t *term, cs []change) { t.postings = x.cutOut(t.postings, cs) })
	for i, e := range add {
		if i+1 == len(add) || add[i+1].ID != e.ID {
			x.put(e)
		}
	}
	x.post(func(t *term, cs []change) { t.postings = x.putIn(t.postings, cs) })
	if cap(w.changes) > 1<<16 {
		w.changes = nil
	}
	if cap(w.tail) > 1<<16 {
		w.tail = nil
	}
}

// post hands the changes to fn, term by term, in the order of the documents.
func (x *Index) post(fn func(t *term, cs []change)) {
	w := &x.writer
	slices.SortFunc(w.changes, func(a, b change) int {
		return cmp.Or(cmp.Compare(a.term, b.term), cmp.Compare(a.posting, b.posting))
	})
	for cs := w.changes; len(cs) > 0; {
		n := 1
		for n < len(cs) && cs[n].term == cs[0].term {
			n++
		}
		t := &x.vocab.terms[cs[0].term]
		before := cap(t.postings)
		fn(t, cs[:n])
		x.bytes += 4 * int64(cap(t.postings)-before)
		cs = cs[n:]
	}
	w.changes = w.changes[:0]
}

// drop takes a document out of everything but the postings, and notes those.
func (x *Index) drop(id uint32) {
	if !x.has(id) {
		return
	}
	d := x.docs[id]
	length := x.tally(d, ^uint32(0))
	w := &x.writer
	for _, t := range w.touched {
		w.changes = append(w.changes, change{t, posting(id, w.counts[t])})
		w.counts[t] = 0
	}
	x.n--
	x.total -= int64(length)
	x.held[d.tongue-1]--
	x.bytes -= int64(cap(d.tokens)) * 4
	x.docs[id], x.length[id] = document{}, 0
}

// put adds a document. Its postings follow at once where they belong at the end,
// otherwise they are noted.
func (x *Index) put(e Entry) {
	p := e.Prepared
	if p.tongue == nil { // the zero Prepared: a document without a word
		p.owner, p.tongue = x, x.home
	}
	w := &x.writer
	d := document{tongue: p.tongue.number + 1}
	w.tokens = x.numbers(p.owner, p.body, w.tokens[:0])
	d.body = uint32(len(w.tokens))
	w.tokens = x.numbers(p.owner, p.head, w.tokens)
	d.tokens = slices.Clone(w.tokens)
	for int(e.ID) >= len(x.docs) {
		x.docs, x.length = append(x.docs, document{}), append(x.length, 0)
	}
	x.adopt(e.ID, d)
	for _, t := range w.touched {
		p, terms := posting(e.ID, w.counts[t]), x.vocab.terms
		w.counts[t] = 0
		if l := terms[t].postings; len(l) > 0 && l[len(l)-1] >= p {
			w.changes = append(w.changes, change{t, p})
			continue
		}
		before := cap(terms[t].postings)
		terms[t].postings = append(terms[t].postings, p)
		x.bytes += 4 * int64(cap(terms[t].postings)-before)
	}
}

// adopt enters a document under a free number, but for its postings, and leaves its
// terms' frequencies in the writer's scratch.
func (x *Index) adopt(id uint32, d document) {
	length := x.tally(d, 1)
	x.n++
	x.total += int64(length)
	x.held[d.tongue-1]++
	x.bytes += int64(cap(d.tokens)) * 4
	x.docs[id], x.length[id] = d, float32(length)
}

// numbers adds the lexemes of a text to out.
func (x *Index) numbers(owner *Index, tokens []*token, out []uint32) []uint32 {
	for _, t := range tokens {
		for ; t != nil; t = t.next {
			n := t.id - 1
			if t.id == 0 || owner != x {
				n = x.vocab.intern(t.word, t.term)
				if owner == x {
					t.id = n + 1
				}
			}
			out = append(out, n|uint32(t.parts)<<partsShift)
		}
	}
	return out
}

// tally counts the terms of a document in the writer's scratch, which the caller
// empties, adds change to the number of tokens of each lexeme, and gives the weighted
// length in words. The whole of a compound is not a word more.
func (x *Index) tally(d document, change uint32) (length int) {
	w := &x.writer
	if n := len(x.vocab.terms); len(w.counts) < n {
		w.counts = append(w.counts, make([]uint32, n-len(w.counts))...)
	}
	w.touched = w.touched[:0]
	return x.tallyAs(d.tokens[:d.body], 1, change) + x.tallyAs(d.tokens[d.body:], x.o.Head, change)
}

// tallyAs is tally for tokens of one weight.
func (x *Index) tallyAs(tokens []uint32, weight int, change uint32) (length int) {
	w, lexemes := &x.writer, x.vocab.lexemes
	for _, n := range tokens {
		if n>>partsShift == 0 {
			length += weight
		}
		l := &lexemes[n&lexemeMask]
		if l.count == 0 {
			x.vocab.live++
		}
		l.count += change
		if l.count == 0 {
			x.vocab.live--
		}
		if w.counts[l.term] == 0 {
			w.touched = append(w.touched, l.term)
		}
		w.counts[l.term] += uint32(weight)
	}
	return length
}
