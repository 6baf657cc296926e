package words

import (
	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/arabic"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/irish"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/tamil"
	"github.com/blevesearch/snowballstem/turkish"
)

// marks says what becomes of accents and points.
type marks uint8

const (
	dropMarks  marks = iota // before stemming: the stemmer knows none
	stemMarks               // after stemming, which needs them: é in French
	alphabetic              // never: å is a letter of Swedish, not an accented a
)

// dialect is what is particular to a language.
type dialect struct {
	code   string
	stem   func(*snowballstem.Env) bool // Snowball's algorithm; nil for none
	marks  marks
	elides bool // an apostrophe separates words: l'amour, dell'arte
	dotted bool // I and ı, İ and i are pairs of letters
}

// dialects are the languages for which Snowball (snowballstem.org) has a stemmer.
func dialects() []dialect {
	return []dialect{
		{code: "none"},
		{code: "ar", stem: arabic.Stem},
		{code: "da", stem: danish.Stem, marks: alphabetic},
		{code: "de", stem: german.Stem, marks: stemMarks},
		{code: "en", stem: english.Stem},
		{code: "es", stem: spanish.Stem, marks: stemMarks},
		{code: "fi", stem: finnish.Stem, marks: alphabetic},
		{code: "fr", stem: french.Stem, marks: stemMarks, elides: true},
		{code: "ga", stem: irish.Stem, marks: stemMarks},
		{code: "hu", stem: hungarian.Stem, marks: alphabetic},
		{code: "it", stem: italian.Stem, marks: stemMarks, elides: true},
		{code: "nl", stem: dutch.Stem, marks: stemMarks},
		{code: "no", stem: norwegian.Stem, marks: alphabetic},
		{code: "pt", stem: portuguese.Stem, marks: stemMarks},
		{code: "ro", stem: romanian.Stem, marks: stemMarks},
		{code: "ru", stem: russian.Stem},
		{code: "sv", stem: swedish.Stem, marks: alphabetic},
		{code: "ta", stem: tamil.Stem, marks: alphabetic},
		{code: "tr", stem: turkish.Stem, marks: alphabetic, dotted: true},
	}
}

// longestStem keeps the work on one word small: the stemmers rewrite a word
// several times, and nothing longer than this is a word of a language.
const longestStem = 64

// term is what the index counts for a folded word.
func (d dialect) term(word string) string {
	if d.marks == dropMarks {
		word = withoutMarks(word)
	}
	if d.stem != nil && len(word) <= longestStem && wordlike(word) {
		env := snowballstem.NewEnv(word)
		d.stem(env)
		if s := env.Current(); s != "" {
			word = s
		}
	}
	if d.marks == stemMarks {
		word = withoutMarks(word)
	}
	return word
}
