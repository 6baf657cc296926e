package lexical

import (
	"wikibot/search/internal/words"
)

// A token of a document is the number of a lexeme, a word together with its term,
// in the lower 28 bits, and in the upper four the number of parts that follow it,
// where it is the whole of a compound, or 0.
const (
	partsShift = 28
	lexemeMask = 1<<partsShift - 1
)

// vocabulary is all words and terms of an index. Numbers are given in the order of
// first use, and never again.
type vocabulary struct {
	lexemes []lexeme
	terms   []term
	byWord  map[wordTerm]uint32
	byTerm  map[string]uint32
	live    int   // lexemes that a document holds
	bytes   int64 // about
}

// lexeme is a word and the term that counts it.
type lexeme struct {
	word  string
	term  uint32
	count uint32 // tokens of it in all documents
	chars uint32 // the set of its characters, for Spellings
}

// term is what is counted, with its postings in the order of the documents.
type term struct {
	text     string
	count    uint32 // tokens of it in all documents
	postings []uint32
}

type wordTerm struct{ word, term string }

// lexemeBytes and termBytes are what one takes besides its text, maps included.
const (
	lexemeBytes = 32 + 48
	termBytes   = 48 + 32
)

func newVocabulary() vocabulary {
	return vocabulary{byWord: map[wordTerm]uint32{}, byTerm: map[string]uint32{}}
}

// intern gives the number of a lexeme, a new one where the word is new.
func (v *vocabulary) intern(word, text string) uint32 {
	if n, ok := v.byWord[wordTerm{word, text}]; ok {
		return n
	}
	t, ok := v.byTerm[text]
	if !ok {
		t = uint32(len(v.terms))
		v.terms = append(v.terms, term{text: text})
		v.byTerm[text] = t
		v.bytes += int64(len(text)) + termBytes
	}
	n := uint32(len(v.lexemes))
	if n > lexemeMask {
		return lexemeMask // 268 million words: the last ones share a number
	}
	v.lexemes = append(v.lexemes, lexeme{word: word, term: t, chars: characters(word)})
	v.byWord[wordTerm{word, text}] = n
	v.bytes += int64(len(word)) + lexemeBytes
	return n
}

// count notes one more or one less token of a lexeme.
func (v *vocabulary) add(n uint32) {
	l := &v.lexemes[n]
	if l.count == 0 {
		v.live++
	}
	l.count++
	v.terms[l.term].count++
}

func (v *vocabulary) remove(n uint32) {
	l := &v.lexemes[n]
	l.count--
	if l.count == 0 {
		v.live--
	}
	v.terms[l.term].count--
}

// synonyms are the terms of a token in the languages that an index holds.
type synonyms struct {
	word  string
	parts int
	terms []string
}

// merged adds tokens of one more language to readings of a text: languages that see
// the same words in it share one reading, and their terms are synonyms in it.
func merged(readings [][]synonyms, tokens []words.Token) [][]synonyms {
	for _, r := range readings {
		if sameWords(r, tokens) {
			for i, t := range tokens {
				r[i].add(t.Term)
			}
			return readings
		}
	}
	r := make([]synonyms, len(tokens))
	for i, t := range tokens {
		r[i] = synonyms{t.Word, t.Parts, []string{t.Term}}
	}
	return append(readings, r)
}

func sameWords(r []synonyms, tokens []words.Token) bool {
	if len(r) != len(tokens) {
		return false
	}
	for i, t := range tokens {
		if r[i].word != t.Word || r[i].parts != t.Parts {
			return false
		}
	}
	return true
}

func (s *synonyms) add(term string) {
	for _, t := range s.terms {
		if t == term {
			return
		}
	}
	s.terms = append(s.terms, term)
}
