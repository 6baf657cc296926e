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
	byWord  table // lexemes by word and term
	byTerm  table
	live    int   // lexemes that a document holds
	text    int64 // bytes of words and terms, about
}

// lexeme is a word and the term that counts it.
type lexeme struct {
	word  string
	term  uint32
	count uint32 // tokens of it in all documents
	chars uint32 // the set of its characters, for Spellings
	next  uint32 // 1 + another lexeme of the same term, or 0
}

// term is what is counted, with its postings in the order of the documents.
type term struct {
	text     string
	postings []uint32
	first    uint32 // 1 + its youngest lexeme; the others hang on that
}

// bytes is about how much memory it takes.
func (v *vocabulary) bytes() int64 {
	return v.text + int64(cap(v.lexemes))*32 + int64(cap(v.terms))*48 + v.byWord.bytes() + v.byTerm.bytes()
}

// findTerm gives the number of a term.
func (v *vocabulary) findTerm(text string) (t uint32, ok bool) {
	if len(v.terms) == 0 {
		return 0, false
	}
	return v.byTerm.find(v.byTerm.hash(text), func(n uint32) bool { return v.terms[n].text == text })
}

// intern gives the number of a lexeme, a new one where the word is new. It keeps
// the texts.
func (v *vocabulary) intern(word, text string) uint32 {
	hash := v.byTerm.hash(text)
	t, ok := v.byTerm.find(hash, func(n uint32) bool { return v.terms[n].text == text })
	if !ok {
		t = uint32(len(v.terms))
		v.terms = append(v.terms, term{text: text})
		v.byTerm.put(hash, t)
		v.text += int64(len(text))
	}
	hash = v.byWord.hash(word) ^ t*0x9e3779b1
	n, ok := v.byWord.find(hash, func(n uint32) bool { return v.lexemes[n].term == t && v.lexemes[n].word == word })
	if ok {
		return n
	}
	if len(v.lexemes) > lexemeMask {
		return lexemeMask // 268 million words: the last ones share a number
	}
	n = uint32(len(v.lexemes))
	v.lexemes = append(v.lexemes, lexeme{word: word, term: t, chars: characters(word), next: v.terms[t].first})
	v.terms[t].first = n + 1
	v.byWord.put(hash, n)
	v.text += int64(len(word))
	return n
}

// of calls fn for each lexeme of a term that a document holds.
func (v *vocabulary) of(t uint32, fn func(n uint32, l *lexeme)) {
	for n := v.terms[t].first; n != 0; n = v.lexemes[n-1].next {
		if l := &v.lexemes[n-1]; l.count > 0 {
			fn(n-1, l)
		}
	}
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
