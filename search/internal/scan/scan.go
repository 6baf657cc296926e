// Package scan reads pages for what an index of words cannot answer: regular
// expressions, and words in their very case.
//
// # Bounds
//
// Package regexp is RE2: one pass costs the text's length times the expression's
// instructions at most, and query.Compile has bounded these. A Scanner counts the
// bytes of all its passes against a Budget. The other bound is time: the context
// is asked for every 4,096 bytes, or before each page where all passes over it
// together cost less than about 20 million steps, a fraction of a second.
package scan

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"regexp"
	"regexp/syntax"
	"slices"
	"unicode/utf8"

	"wikibot/search/internal/query"
)

const (
	// MaxMatches is how many matches of one page are given.
	MaxMatches = 20
	// direct is the most bytes times instructions of a pass that is repeated to
	// find several matches and does not ask the context.
	direct = 1 << 20
	// stride is how many bytes are read between two looks at the context.
	stride = 4096
)

// ErrSpent is the error of a page beyond the budget.
var ErrSpent = errors.New("the budget of the search is spent")

// Budget is how much a Scanner may read. Bytes count for each pass over a page.
type Budget struct{ Pages, Bytes int }

// Scanner looks for the regular expressions of a query, and for its words if their
// case counts, in one page after another. It is not safe for concurrent use.
type Scanner struct {
	Used Budget // what was read so far

	most    Budget
	exprs   []expr
	groups  []group // nil: case does not count
	refused bool    // all groups are refused ones
}

// expr is a regular expression made ready.
type expr struct {
	re      *regexp.Regexp
	not     bool
	literal []byte // every match holds this; nil: none is known
	size    int    // instructions
}

// New makes a Scanner. Its cost depends on the query alone.
func New(q query.Query, most Budget) *Scanner {
	s := &Scanner{most: most}
	for _, r := range q.Regexps {
		s.exprs = append(s.exprs, prepare(r))
	}
	if q.Case {
		s.groups, s.refused = groupsOf(q.Groups)
	}
	return s
}

// Page is a Scanner's Page without a budget.
func Page(src []byte, q query.Query) (matches [][2]int, ok bool) {
	matches, ok, _ = New(q, Budget{1, 1 << 62}).Page(context.Background(), src)
	return matches, ok
}

// Page reports whether a text holds what the query demands: every regular
// expression, none of the refused ones and, where case counts, one wanted group
// of words at least, every demanded and no refused one. matches are the bytes
// [start, end) of what was found, in order and apart, MaxMatches of each expression and
// word at most; of an expression that is dear for the length of the page there is only
// the first. No match is empty. The error is ErrSpent or the context's.
func (s *Scanner) Page(ctx context.Context, src []byte) (matches [][2]int, ok bool, err error) {
	if s.Used.Pages >= s.most.Pages {
		return nil, false, ErrSpent
	}
	s.Used.Pages++
	for _, e := range s.exprs {
		found, err := s.find(ctx, e, src)
		if err != nil {
			return nil, false, err
		}
		if (len(found) > 0) == e.not {
			return nil, false, nil
		}
		matches = append(matches, found...)
	}
	if s.groups != nil {
		found, ok, err := s.words(ctx, src)
		if err != nil || !ok {
			return nil, false, err
		}
		matches = append(matches, found...)
	}
	return apart(matches), true, nil
}

// pass counts one pass over a text.
func (s *Scanner) pass(ctx context.Context, src []byte) error {
	if s.Used.Bytes >= s.most.Bytes {
		return ErrSpent
	}
	s.Used.Bytes += len(src)
	return ctx.Err()
}

// find gives matches of one expression.
func (s *Scanner) find(ctx context.Context, e expr, src []byte) ([][2]int, error) {
	if err := s.pass(ctx, src); err != nil {
		return nil, err
	}
	if e.literal != nil && !bytes.Contains(src, e.literal) {
		return nil, nil
	}
	if len(src)*e.size > direct {
		r := reader{ctx: ctx, src: src}
		m := e.re.FindReaderIndex(&r)
		if r.err != nil || m == nil {
			return nil, r.err
		}
		return [][2]int{{m[0], m[1]}}, nil
	}
	most := MaxMatches
	if e.not {
		most = 1
	}
	var found [][2]int
	for _, m := range e.re.FindAllIndex(src, most) {
		found = append(found, [2]int{m[0], m[1]})
	}
	s.Used.Bytes += len(found) * len(src) // each match can have cost a pass
	return found, nil
}

// reader gives a text rune by rune until its context ends.
type reader struct {
	ctx  context.Context
	src  []byte
	at   int
	next int // where the context is asked again
	err  error
}

// ReadRune implements io.RuneReader.
func (r *reader) ReadRune() (rune, int, error) {
	if r.at >= r.next {
		if r.err = r.ctx.Err(); r.err != nil {
			return 0, 0, io.EOF
		}
		r.next = r.at + stride
	}
	if r.at >= len(r.src) {
		return 0, 0, io.EOF
	}
	c, n := utf8.DecodeRune(r.src[r.at:])
	r.at += n
	return c, n, nil
}

// apart puts matches in order and joins those that overlap.
func apart(all [][2]int) [][2]int {
	slices.SortFunc(all, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) })
	n := 0
	for _, m := range all {
		if n > 0 && m[0] < all[n-1][1] {
			all[n-1][1] = max(all[n-1][1], m[1])
			continue
		}
		all[n] = m
		n++
	}
	return all[:n]
}

func prepare(r query.Regexp) expr {
	e := expr{re: r.Expr, not: r.Not, size: query.MaxProgram}
	tree, err := syntax.Parse(r.Expr.String(), syntax.Perl)
	if err != nil {
		return e
	}
	tree = tree.Simplify()
	if prog, err := syntax.Compile(tree); err == nil {
		e.size = len(prog.Inst)
	}
	if l := literal(tree); l != "" {
		e.literal = []byte(l)
	}
	return e
}

// literal is a text that every match of an expression holds, the longest that is
// plain to see.
func literal(re *syntax.Regexp) (best string) {
	switch re.Op {
	case syntax.OpLiteral:
		if re.Flags&syntax.FoldCase == 0 && !slices.Contains(re.Rune, utf8.RuneError) { // which matches bytes that are no UTF-8
			return string(re.Rune)
		}
	case syntax.OpCapture, syntax.OpPlus:
		return literal(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if l := literal(sub); len(l) > len(best) {
				best = l
			}
		}
	}
	return best
}
