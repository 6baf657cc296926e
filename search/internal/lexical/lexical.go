// Package lexical is the inverted index: which documents hold which words, and how
// well they answer a query (BM25).
//
// A document is one chunk of a page, known by a dense number that the caller
// assigns and may use again after a removal. For each document the index keeps its
// tokens in order, and for each term its postings, the documents that hold it with
// the term's frequency in each. Everything else follows from the tokens, so they are
// what is saved.
//
// # Scores
//
// A document's score is the sum over the query's terms of
//
//	idf · tf·(k1+1) ÷ (tf + k1·(1−b+b·length÷mean length)),  idf = ln(1 + (N−df+½)÷(df+½))
//
// (Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and Beyond,
// 2009; the idf that is never negative is Lucene's). The document's head, its title
// for example, counts as if it were written Options.Head times, in tf and in length:
// the weighted frequency of BM25F with one length for all fields. A word that a query
// repeats counts as often; of a long query, the 32 rarest words count.
//
// All statistics are exact after each Apply, sums of whole numbers, so the same
// documents under the same numbers have the same scores, bit by bit, whatever way
// led to them.
//
// # Who may do what when
//
// There is one writer (Apply) and any number of readers beside it. Prepare, the
// costly part of writing, may run in any goroutine.
package lexical

import (
	"hash/maphash"
	"sync"

	"wikibot/search/internal/words"
)

// Options of an Index. The zero Options is what is measured to be best.
type Options struct {
	// Language of documents that name none, or one without a stemmer; "none" does
	// not stem. The default is "en".
	Language string
	// K1 and B are BM25's constants: how much a second occurrence of a term adds,
	// and how much a document's length takes off (0 to 1). 0 is the default.
	K1, B float32
	// Head is how often a word of the head counts; 0 is the default, 3.
	Head int
}

func (o Options) withDefaults() Options {
	if o.Language == "" {
		o.Language = "en"
	}
	if _, err := words.New(o.Language); err != nil {
		o.Language = "none"
	}
	if o.K1 <= 0 {
		o.K1 = 0.9
	}
	if o.B <= 0 || o.B > 1 {
		o.B = 0.75
	}
	if o.Head <= 0 || o.Head > maxFrequency {
		o.Head = 3
	}
	return o
}

// MaxDocuments is one more than the largest number of a document.
const MaxDocuments = 1 << 24

// Index is an inverted index in memory: about 0.65 MB for each 1,000 documents of
// 60 words, 150 bytes for each word of the vocabulary, and up to 10 MB of remembered
// spellings for each language that is written, which a saved index does not have. It is safe for one writer and many readers.
type Index struct {
	o       Options
	tongues []*tongue // one for each language; fixed
	byCode  map[string]*tongue
	home    *tongue // of Options.Language
	bounds  bounds  // fixed

	mu     sync.RWMutex // guards all below
	vocab  vocabulary
	docs   []document // by number
	length []float32  // by number: weighted length in words
	n      int        // documents
	total  int64      // weighted words in all of them
	held   []int      // documents of each tongue
	bytes  int64      // of documents and postings

	writer writer    // scratch of Apply
	pool   sync.Pool // *scratch of readers

	answers sync.Pool // *Matches

	order order // the vocabulary in alphabetical order
}

// document is the tokens of one document; the zero document is none.
type document struct {
	tokens []uint32 // body, then head; see vocabulary.go
	body   uint32   // how many of them are the body's
	tongue uint8    // 1 + its index in tongues
}

// New makes an empty index. A language without a stemmer is taken as "none".
func New(o Options) *Index {
	x := &Index{o: o.withDefaults(), byCode: map[string]*tongue{}, bounds: usualBounds()}
	for i, code := range words.Languages() {
		a, err := words.New(code)
		if err != nil {
			continue // cannot be: Languages lists what New accepts
		}
		t := &tongue{number: uint8(i), analyzer: a, seed: maphash.MakeSeed()}
		x.tongues = append(x.tongues, t)
		x.byCode[code] = t
	}
	x.home = x.tongue(x.o.Language)
	x.held = make([]int, len(x.tongues))
	return x
}

// tongue finds the language of a text.
func (x *Index) tongue(code string) *tongue {
	if t := x.byCode[code]; t != nil {
		return t
	}
	if code == "" {
		return x.home
	}
	a, err := words.New(code)
	if err != nil {
		return x.home
	}
	return x.byCode[a.Language()]
}

// Len is how many documents there are.
func (x *Index) Len() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.n
}

// Has reports whether there is a document under a number.
func (x *Index) Has(id uint32) bool {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.has(id)
}

func (x *Index) has(id uint32) bool { return int(id) < len(x.docs) && x.docs[id].tongue != 0 }

// Bytes is about how much memory the index takes.
func (x *Index) Bytes() int64 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	n := x.bytes + x.vocab.bytes() + int64(cap(x.docs))*documentBytes + int64(cap(x.length))*4
	for _, t := range x.tongues {
		n += t.size()
	}
	return n
}

// documentBytes is what a document takes besides its tokens.
const documentBytes = 32

// Dead is how many words are known that no document holds any more. They take
// memory until the index is saved and read, or Compact is called: numbers of terms
// never change their meaning while an Index lives.
func (x *Index) Dead() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.vocab.lexemes) - x.vocab.live
}

// Terms is one more than the largest number of a term.
func (x *Index) Terms() int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return len(x.vocab.terms)
}

// Term is the term with a number; "" where there is none.
func (x *Index) Term(t uint32) string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if int(t) >= len(x.vocab.terms) {
		return ""
	}
	return x.vocab.terms[t].text
}

// Frequency is in how many documents a term occurs.
func (x *Index) Frequency(t uint32) int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if int(t) >= len(x.vocab.terms) {
		return 0
	}
	return len(x.vocab.terms[t].postings)
}

// Tokens are the terms of a document's body in order, those of a compound's parts
// without the whole. It is nil where there is no such document.
func (x *Index) Tokens(id uint32) []uint32 {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if !x.has(id) {
		return nil
	}
	d := x.docs[id]
	out := make([]uint32, 0, d.body)
	for _, t := range d.tokens[:d.body] {
		if t>>partsShift == 0 {
			out = append(out, x.vocab.lexemes[t].term)
		}
	}
	return out
}
