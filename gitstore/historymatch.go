package gitstore

import (
	"bytes"
	"context"
	"errors"
	"math"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"

	"wikibot/wiki"
)

// Bounds of what is looked for in history. A regular expression (RE2: its time is
// linear in the text) is matched line by line, a long line in pieces, so that the
// context is looked at after each some ten million steps.
const (
	maxHistoryText    = 500 // bytes of the text or the expression
	maxHistoryProgram = 150 // instructions of the expression
	maxHistoryPiece   = 2048
	maxPieceMatches   = 32 // matches counted in one piece
)

// textMatch counts a text, or the matches of a regular expression, in pages.
type textMatch struct {
	plain []byte         // in lower case unless exact; nil for an expression
	exact bool           // case counts
	expr  *regexp.Regexp // nil for a plain text
	must  []byte         // what every match begins with, where case counts
}

func newTextMatch(text string, isExpr, exact bool) (*textMatch, error) {
	switch {
	case text == "":
		return nil, wiki.Invalid("text", "nothing is looked for; give a text")
	case len(text) > maxHistoryText:
		return nil, wiki.Invalid("text", "the text has %d bytes; at most %d can be looked for", len(text), maxHistoryText)
	case !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x00"):
		return nil, wiki.Invalid("text", "the text must be one line of UTF-8")
	case !isExpr && exact:
		return &textMatch{plain: []byte(text), exact: true}, nil
	case !isExpr:
		return &textMatch{plain: bytes.ToLower([]byte(text))}, nil
	}
	return newExprMatch(text, exact)
}

func newExprMatch(text string, exact bool) (*textMatch, error) {
	source, flags := text, syntax.Perl
	if !exact {
		source, flags = "(?i:"+text+")", flags|syntax.FoldCase
	}
	tree, err := syntax.Parse(text, flags)
	if bad := (*syntax.Error)(nil); errors.As(err, &bad) {
		return nil, wiki.Invalid("text", "this is no regular expression (RE2 syntax): %s in %q", bad.Code, bad.Expr)
	} else if err != nil {
		return nil, wiki.Invalid("text", "this is no regular expression (RE2 syntax): %v", err)
	}
	prog, err := syntax.Compile(tree.Simplify())
	if err != nil || len(prog.Inst) > maxHistoryProgram {
		return nil, wiki.Invalid("text", "the regular expression is too large: use fewer or smaller repetitions")
	}
	expr, err := regexp.Compile(source)
	if err != nil {
		return nil, wiki.Invalid("text", "this is no regular expression (RE2 syntax): %v", err)
	}
	if expr.MatchString("") {
		return nil, wiki.Invalid("text", "the regular expression matches an empty text, so it would be found everywhere; make it match at least one character")
	}
	m := &textMatch{expr: expr, exact: exact}
	if must, _ := expr.LiteralPrefix(); exact {
		m.must = []byte(must)
	}
	return m, nil
}

// count is how often it stands in a text; the context's error where that ended first.
func (m *textMatch) count(ctx context.Context, text []byte) (n int, err error) {
	switch {
	case m.expr == nil && m.exact:
		return bytes.Count(text, m.plain), nil
	case m.expr == nil:
		return bytes.Count(bytes.ToLower(text), m.plain), nil
	case len(m.must) > 0 && !bytes.Contains(text, m.must):
		return 0, nil
	}
	for line, piece := range m.linePieces(text) {
		if (line%16 == 0 || len(piece) > 512) && ctx.Err() != nil {
			return 0, ctx.Err()
		}
		n += len(m.ranges(piece))
	}
	return n, nil
}

// maxMarks is how many matches of a plain text are marked in one line.
const maxMarks = 1000

// ranges are the matches within a line or a piece of one.
func (m *textMatch) ranges(line []byte) (out [][2]int) {
	if m.expr != nil {
		for _, r := range m.expr.FindAllIndex(line, maxPieceMatches) {
			if r[1] > r[0] {
				out = append(out, [2]int{r[0], r[1]})
			}
		}
		return out
	}
	if !m.exact {
		lower := bytes.ToLower(line)
		if len(lower) != len(line) {
			return nil // some letter's other case has another length: shown without marks
		}
		line = lower
	}
	for from := 0; len(out) < maxMarks; {
		i := bytes.Index(line[from:], m.plain)
		if i < 0 {
			break
		}
		out = append(out, [2]int{from + i, from + i + len(m.plain)})
		from += i + len(m.plain)
	}
	return out
}

// in reports whether a line holds a match.
func (m *textMatch) in(line []byte) bool {
	switch {
	case m.expr != nil:
		return m.expr.Match(line)
	case m.exact:
		return bytes.Contains(line, m.plain)
	}
	return bytes.Contains(bytes.ToLower(line), m.plain)
}

// linePieces goes through the lines of a text with their numbers, without their
// ends; for an expression a long one comes in pieces.
func (m *textMatch) linePieces(text []byte) func(yield func(int, []byte) bool) {
	return func(yield func(int, []byte) bool) {
		for line := 1; len(text) > 0; {
			end := bytes.IndexByte(text, '\n')
			next, more := end+1, 1
			if end < 0 {
				end, next = len(text), len(text)
			}
			if m.expr != nil && end > maxHistoryPiece {
				end = maxHistoryPiece
				for end > maxHistoryPiece-utf8.UTFMax && !utf8.RuneStart(text[end]) {
					end--
				}
				next, more = end, 0
			}
			if !yield(line, bytes.TrimSuffix(text[:end], []byte("\r"))) {
				return
			}
			text, line = text[next:], line+more
		}
	}
}

// freshLines counts the matches in the lines of text that all of also hold and that
// none of others does, or that stand there more often than in the one other where
// there is only that: what an edit or a merge added to others, or with the texts
// swapped removed. first is the first such line (or piece of one), with its number.
func (m *textMatch) freshLines(ctx context.Context, text []byte, also, others [][]byte) (n int, first []byte, line int, err error) {
	had := map[string]int{}
	for _, other := range others {
		one, err := m.lines(ctx, other)
		if err != nil {
			return 0, nil, 0, err
		}
		for p, k := range one {
			if had[p] += k; len(others) > 1 || len(also) > 0 {
				had[p] = math.MaxInt
			}
		}
	}
	for _, other := range also {
		one, err := m.lines(ctx, other)
		if err != nil {
			return 0, nil, 0, err
		}
		for _, p := range m.linePieces(text) {
			if one[string(p)] == 0 {
				had[string(p)] = math.MaxInt
			}
		}
	}
	for at, p := range m.linePieces(text) {
		if (at%16 == 0 || len(p) > 512) && ctx.Err() != nil {
			return 0, nil, 0, ctx.Err()
		}
		if !m.in(p) {
			continue
		}
		if had[string(p)]--; had[string(p)] >= 0 {
			continue
		}
		if n += len(m.ranges(p)); first == nil {
			first, line = p, at
		}
	}
	return n, first, line, nil
}

// lines are the lines with a match, and how often each stands there.
func (m *textMatch) lines(ctx context.Context, text []byte) (map[string]int, error) {
	out := map[string]int{}
	for at, p := range m.linePieces(text) {
		if (at%16 == 0 || len(p) > 512) && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if m.in(p) {
			out[string(p)]++
		}
	}
	return out, nil
}

// excerpt shortens a line around its first match and gives the matches' places in
// what is left, which has about 200 bytes.
func (m *textMatch) excerpt(piece []byte) (text string, marks [][2]int) {
	const before, whole = 60, 200
	all := m.ranges(piece)
	from, to := 0, len(piece)
	if len(all) > 0 && all[0][0] > before {
		from = all[0][0] - before
	}
	if to-from > whole {
		to = from + whole
	}
	for from < to && !utf8.RuneStart(piece[from]) {
		from++
	}
	for to < len(piece) && to > from && !utf8.RuneStart(piece[to]) {
		to--
	}
	head, tail := "", ""
	if from > 0 {
		head = "…"
	}
	if to < len(piece) {
		tail = "…"
	}
	for _, r := range all {
		a, b := max(r[0], from), min(r[1], to)
		if a < b {
			marks = append(marks, [2]int{a - from + len(head), b - from + len(head)})
		}
	}
	return head + string(piece[from:to]) + tail, marks
}
