package query

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// regexpEnd is the length of the regular expression that s begins with, flag
// included. It ends at the first "/" that is followed by a space, the end, or a
// flag and one of these, and that no "\" precedes; so it may hold spaces and
// slashes. Without an end there is none.
func regexpEnd(s string) (int, bool) {
	if s[0] != '/' {
		return 0, false
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '/':
			after := i + 1
			if after < len(s) && s[after] == 'i' {
				after++
			}
			r, n := utf8.DecodeRuneInString(s[after:])
			if (n == 0 || space(r)) && i > 1 {
				return after, true
			}
			if n == 0 || space(r) {
				return 0, false // "//" and "//i" are no expressions
			}
		}
	}
	return 0, false
}

// regexp reads the expression that lies between start and p.at.
func (p *parser) regexp(from, start int, not bool) error {
	if err := p.single(from); err != nil {
		return err
	}
	if len(p.q.Regexps) == MaxRegexps {
		return p.invalid(start, "there are more than %d regular expressions; leave some out", MaxRegexps)
	}
	source, fold := strings.CutSuffix(p.q.Raw[start+1:p.at], "/i")
	if !fold {
		source = source[:len(source)-1]
	}
	expr, err := Compile(source, fold)
	if err != nil {
		return p.invalid(start, "the regular expression cannot be used: %s", err)
	}
	p.q.Regexps = append(p.q.Regexps, Regexp{Source: source, Fold: fold, Expr: expr, Not: not, From: from, To: p.at})
	return nil
}

// Compile makes a regular expression fit to be run on other people's behalf: RE2
// syntax, "^" and "$" match at lines, at most MaxRegexp bytes and about MaxProgram
// instructions, which is measured before it is compiled. No match is empty. Matching takes time in
// proportion to the text's length times the instructions. The error completes a
// sentence.
func Compile(source string, fold bool) (*regexp.Regexp, error) {
	if len(source) > MaxRegexp {
		return nil, errors.New("it is too long; shorten it to " + itoa(MaxRegexp) + " bytes")
	}
	flags := "(?m)"
	if fold {
		flags = "(?mi)"
	}
	tree, err := syntax.Parse(flags+source, syntax.Perl)
	if err != nil {
		var e *syntax.Error
		if errors.As(err, &e) {
			return nil, errors.New(string(e.Code) + " in " + strings.TrimPrefix(e.Expr, flags) + "; the syntax is RE2's")
		}
		return nil, err
	}
	if size(tree) > MaxProgram {
		return nil, errors.New("it is too large once its repeats are written out; use smaller counts, or * and +")
	}
	if least(tree) == 0 {
		return nil, errors.New("it matches the empty text, and so every page; add what must be there (+ in place of *)")
	}
	return regexp.Compile(flags + source)
}

// size is about how many instructions an expression becomes.
func size(re *syntax.Regexp) int {
	n := 1
	if re.Op == syntax.OpLiteral {
		n = len(re.Rune)
	}
	for _, sub := range re.Sub {
		n += size(sub)
	}
	if re.Op == syntax.OpRepeat {
		n = min(n, MaxProgram+1) * max(re.Max, re.Min+1, 1)
	}
	return min(n, MaxProgram+1)
}

// least is the length of an expression's shortest match in characters, 1 standing
// for all that are longer.
func least(re *syntax.Regexp) int {
	switch re.Op {
	case syntax.OpEmptyMatch, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpBeginText, syntax.OpEndText,
		syntax.OpWordBoundary, syntax.OpNoWordBoundary, syntax.OpStar, syntax.OpQuest:
		return 0
	case syntax.OpRepeat:
		if re.Min == 0 {
			return 0
		}
		return least(re.Sub[0])
	case syntax.OpCapture, syntax.OpPlus:
		return least(re.Sub[0])
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			if least(sub) > 0 {
				return 1
			}
		}
		return 0
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if least(sub) == 0 {
				return 0
			}
		}
	}
	return 1
}
