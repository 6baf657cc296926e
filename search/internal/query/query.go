// Package query reads what a person or an agent types into the search box.
//
// A query is words and a few operators, in any order:
//
//	design storage          words: what holds more of them, and rarer ones, comes first
//	"group commit"          a phrase: these words next to one another
//	stor*                   words that begin so
//	-draft  NOT draft       not with this
//	+storage                only with this;  a AND b is +a +b
//	merge OR rebase         alternatives
//	path:Design  tag:git  category:event  title:plan  author:bob
//	updated:>2026-01-01  updated:2026-01  updated:2026-01..2026-03  updated:7d
//	/v[0-9]+\.[0-9]+/  /colou?r/i  a regular expression (RE2); "i" ignores case
//	case:yes                words must have this case
//
// "-" goes before a phrase, a filter or a regular expression as well, and a value
// may be quoted: title:"the plan". Curly quotes are quotes. A field that is not
// known is part of a word (a URL, "note:"); a known one with a value that cannot
// be is an error that says what can.
//
// What is half typed still parses: an unclosed quote ends with the query, an
// operator or a field with nothing behind it is left out, and an unclosed regular
// expression is words.
package query

import (
	"regexp"
	"strings"
	"time"
)

// Bounds of a query. Beyond them it is an error, except that words beyond the
// last possible group join that group as alternatives, so that a pasted sentence
// is a query.
const (
	MaxBytes   = 500
	MaxGroups  = 32 // a document's groups are a mask of 32 bits
	MaxFilters = 32
	MaxRegexps = 8

	MaxRegexp  = 200  // bytes of a regular expression
	MaxProgram = 1000 // instructions of one, about: repeats count as often as they repeat
)

// Query is a query as it was understood. The zero Query asks for nothing.
type Query struct {
	Raw     string // as typed; bytes that are no UTF-8 are replaced
	Groups  []Group
	Filters []Filter // all of them must hold
	Regexps []Regexp // all of them must match
	Case    bool     // case:yes
}

// Group is alternatives (a OR b) of which one is wanted, demanded (Must) or
// refused (Not). At most one of Must and Not is set. Terms is not empty.
type Group struct {
	Terms     []Term
	Not, Must bool
}

// Kind says what a Term is.
type Kind uint8

// The kinds of a Term.
const (
	Word   Kind = iota // one word as it was typed, which may be several to an analyser ("foo-bar", Chinese)
	Phrase             // words next to one another, in this order
	Prefix             // the beginning of a word
)

// Term is one thing to look for.
type Term struct {
	Kind     Kind
	Text     string // without quotes and "*"; a phrase's words with one space between them
	From, To int    // bytes in Raw, with the quotes and "*", without "-" and "+"
}

// Field is what a Filter looks at.
type Field uint8

// The fields.
const (
	Path Field = iota
	Tag
	Category
	Title
	Author
	Updated
)

// fieldNames are the fields as they are typed.
var fieldNames = [...]string{Path: "path", Tag: "tag", Category: "category", Title: "title", Author: "author", Updated: "updated"}

func (f Field) String() string { return fieldNames[f] }

// Op is how a Filter compares.
type Op uint8

// The comparisons. Is is the only one of text, and for a time it means "within":
// within that day, month or year, or since that long ago.
const (
	Is Op = iota
	Less
	LessEqual
	Greater
	GreaterEqual
	Range // "a..b", both included
)

// opNames are the comparisons as they are typed before a value.
var opNames = [...]string{Is: "", Less: "<", LessEqual: "<=", Greater: ">", GreaterEqual: ">=", Range: ""}

// Filter is a condition on a page.
type Filter struct {
	Field    Field
	Op       Op
	Value    string    // without the operator
	Time     time.Time // Updated: where the (first) date of Value begins, in UTC; zero where that is relative ("7d", "..2026")
	Not      bool
	From, To int // bytes in Raw, with "-", the field's name and quotes
}

// Regexp is a condition on a page's text. "^" and "$" match at lines.
type Regexp struct {
	Source   string // between the slashes
	Fold     bool   // the flag "i"
	Expr     *regexp.Regexp
	Not      bool
	From, To int // bytes in Raw, with "-", slashes and flag
}

// Empty reports whether the query asks for nothing.
func (q Query) Empty() bool {
	return len(q.Groups) == 0 && len(q.Filters) == 0 && len(q.Regexps) == 0
}

// Text is the wanted words and phrases as plain text, for a search by meaning.
func (q Query) Text() string {
	var parts []string
	for _, g := range q.Groups {
		for _, t := range g.Terms {
			if !g.Not {
				parts = append(parts, t.Text)
			}
		}
	}
	return strings.Join(parts, " ")
}

// String is the query in one spelling: groups, filters, regular expressions, case.
// Parse reads it as an equal query (but for Raw and the places), unless it has
// become longer than MaxBytes.
func (q Query) String() string {
	var parts []string
	for _, g := range q.Groups {
		parts = append(parts, g.String())
	}
	for _, f := range q.Filters {
		parts = append(parts, f.String())
	}
	for _, r := range q.Regexps {
		parts = append(parts, r.String())
	}
	if q.Case {
		parts = append(parts, "case:yes")
	}
	return strings.Join(parts, " ")
}

func (g Group) String() string {
	sign := ""
	switch {
	case g.Not:
		sign = "-"
	case g.Must:
		sign = "+"
	}
	parts := make([]string, len(g.Terms))
	for i, t := range g.Terms {
		parts[i] = sign + t.String()
	}
	return strings.Join(parts, " OR ")
}

func (t Term) String() string {
	switch t.Kind {
	case Phrase:
		return `"` + t.Text + `"`
	case Prefix:
		return t.Text + "*"
	}
	return t.Text
}

func (f Filter) String() string {
	v := opNames[f.Op] + f.Value
	if !strings.Contains(v, `"`) && (strings.Contains(v, " ") || closing(v) != "") {
		v = `"` + v + `"`
	}
	return minus(f.Not) + f.Field.String() + ":" + v
}

func (r Regexp) String() string {
	s := minus(r.Not) + "/" + r.Source + "/"
	if r.Fold {
		s += "i"
	}
	return s
}

func minus(not bool) string {
	if not {
		return "-"
	}
	return ""
}
