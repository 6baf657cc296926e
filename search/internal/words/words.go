// Package words turns text into the terms that an index counts.
//
// Text is cut into segments at the word boundaries of Unicode (UAX #29), and each
// segment becomes one or more tokens, each with a word, as a person would see it
// (NFKC, case folded), and a term, what the index counts (the word's stem):
//
//	running          one token: word "running", term "run"
//	GitStore         "gitstore", then its parts "git" and "store"
//	snake_case       "snakecase", then "snake" and "case"
//	full-text        "fulltext", then "full" and "text"
//	main.go          "maingo", then "main" and "go"
//	1,000  3.14      "1000" and "3.14": a number is one word
//	l’amour          in French "l" and "amour"; elsewhere one word
//	信息检索         overlapping pairs: "信息", "息检", "检索"
//
// So whoever looks for gitstore, git store, git-store or GitStore finds all of
// them. Pairs stand for words in the scripts that write none of their boundaries:
// Han, Kana, Hangul, Thai, Lao, Khmer and Burmese.
//
// No word is left out: BM25 gives a word that is everywhere next to no weight, and
// a phrase needs it.
package words

import (
	"slices"
	"strings"

	"golang.org/x/text/language"

	"wikibot/wiki"
)

// Version names this analysis. It changes whenever the same text could give other
// tokens, so that a saved index of an earlier analysis is not believed.
const Version = 1

// MaxWord is the longest word in bytes. A longer one, a blob in base64 for
// example, is known by its beginning.
const MaxWord = 100

// Token is one word of a text.
type Token struct {
	Word       string // NFKC and case folded, with its marks
	Term       string // the stem of Word
	Start, End int    // bytes in the text; on character boundaries, Start < End
	// Parts is 0 for a plain word. A compound has a token for the whole first,
	// with the number of its parts here, and then a plain token for each part.
	Parts int
}

// Analyzer analyses texts of one language. It is safe for concurrent use.
type Analyzer struct{ lang dialect }

// Languages gives the codes that New accepts, sorted; "none" stems nothing.
func Languages() []string {
	all := make([]string, 0, 24)
	for _, d := range dialects() {
		all = append(all, d.code)
	}
	slices.Sort(all)
	return all
}

// New makes the analyzer of a language, given by its code (BCP 47); of a code with
// more than a language in it, such as en-GB, the language counts. "" is "none".
// It is ErrInvalid for a language without a stemmer.
func New(code string) (*Analyzer, error) {
	base := base(code)
	for _, d := range dialects() {
		if d.code == base {
			return &Analyzer{d}, nil
		}
	}
	return nil, wiki.Invalid("language", "no stemming for the language %q: use one of %s", code, strings.Join(Languages(), ", "))
}

// base is the language of a code: en of en-GB. Bokmål and Nynorsk share the
// stemmer of Norwegian.
func base(code string) string {
	if code == "" || code == "none" {
		return "none"
	}
	tag, err := language.Parse(code)
	if err != nil {
		return code
	}
	b, _ := tag.Base()
	if s := b.String(); s != "nb" && s != "nn" {
		return s
	}
	return "no"
}

// Language is the code of the analyzer's language.
func (a *Analyzer) Language() string { return a.lang.code }

// Each calls fn for every word of a text, in order: the word as folded for
// display, the term, and the bytes of text that it covers. A compound comes as a
// whole first and then in its parts, which lie within the same bytes.
func (a *Analyzer) Each(text string, fn func(word, term string, start, end int)) {
	var tokens []Token
	Segments(text, func(start, end int) {
		tokens = a.Analyze(text[start:end], tokens[:0])
		for _, t := range tokens {
			fn(t.Word, t.Term, start+t.Start, start+t.End)
		}
	})
}

// Tokens gives all tokens of a text.
func (a *Analyzer) Tokens(text string) []Token {
	var tokens []Token
	Segments(text, func(start, end int) {
		n := len(tokens)
		tokens = a.Analyze(text[start:end], tokens)
		for i := range tokens[n:] {
			tokens[n+i].Start += start
			tokens[n+i].End += start
		}
	})
	return tokens
}

// IsPair reports whether a word is one or two characters of a script without
// spaces, as such scripts are cut.
func IsPair(word string) bool {
	n := 0
	for _, r := range word {
		switch {
		case isUnspaced(r):
			n++
		case !isMark(r):
			return false
		}
	}
	return n == 1 || n == 2
}
