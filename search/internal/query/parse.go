package query

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"wikibot/wiki"
)

// Parse reads a query. Its errors are wiki.ErrInvalid and say where the fault is
// and what to type instead. It takes time in proportion to the length of s.
func Parse(s string) (Query, error) {
	if len(s) > MaxBytes {
		return Query{}, wiki.Invalid("query", "the query is %d bytes long; at most %d are possible: leave words out", len(s), MaxBytes)
	}
	p := parser{q: Query{Raw: strings.ToValidUTF8(s, "\ufffd")}, last: nothing}
	for p.skipSpace(); p.at < len(p.q.Raw); p.skipSpace() {
		if err := p.item(); err != nil {
			return Query{}, err
		}
	}
	return p.q, nil
}

// Words is text as a query of plain words, without operators: a question, or a
// query of a collection of judgements. Only the first 8,192 bytes are read.
func Words(text string) Query {
	const most = 8192
	if len(text) > most {
		text = text[:most]
	}
	p := parser{q: Query{Raw: strings.ToValidUTF8(text, "\ufffd")}, last: nothing}
	for p.skipSpace(); p.at < len(p.q.Raw); p.skipSpace() {
		from := p.at
		p.at = wordEnd(p.q.Raw, from)
		if w := p.q.Raw[from:p.at]; wordy(w) {
			// A group that is neither demanded nor refused never fails.
			_ = p.term(Term{Word, w, from, p.at}, 0, false)
		}
	}
	return p.q
}

// side is what stood last, to the left of an OR or AND.
type side uint8

const (
	nothing side = iota
	group        // the last of q.Groups
	other        // a filter, a regular expression, case
)

type parser struct {
	q    Query
	at   int
	last side
	or   bool // an OR waits for its right side
	and  bool
	not  bool
}

func (p *parser) skipSpace() {
	for p.at < len(p.q.Raw) {
		r, n := utf8.DecodeRuneInString(p.q.Raw[p.at:])
		if !space(r) {
			return
		}
		p.at += n
	}
}

// item reads one word, phrase, filter, regular expression or operator with its
// signs. The first sign counts.
func (p *parser) item() error {
	from := p.at
	if p.operator() {
		return nil
	}
	rest := strings.TrimLeft(p.q.Raw[from:], "+-")
	start := len(p.q.Raw) - len(rest)
	sign := byte(0)
	if start > from {
		sign = p.q.Raw[from]
	}
	if p.not {
		sign, p.not = '-', false
	}
	if rest == "" {
		p.at = start
		return nil
	}
	if n, ok := regexpEnd(rest); ok {
		p.at = start + n
		return p.regexp(from, start, sign == '-')
	}
	if f, n, ok := fieldName(rest); ok {
		return p.filter(f, from, start+n, sign == '-')
	}
	if closing(rest) != "" {
		text := p.quoted(start)
		if !wordy(text) {
			return nil
		}
		return p.term(Term{Phrase, text, start, p.at}, sign, true)
	}
	return p.word(start, sign)
}

// operator takes OR, AND and NOT. Where one has nothing to its left or right it
// says nothing.
func (p *parser) operator() bool {
	w := p.q.Raw[p.at:wordEnd(p.q.Raw, p.at)]
	switch w {
	case "OR":
		p.or, p.and = p.last != nothing, false
	case "AND":
		p.and, p.or = p.last != nothing, false
	case "NOT":
		p.not = true
	default:
		return false
	}
	p.at += len(w)
	return true
}

// isOperator reports whether a word alone is one.
func isOperator(w string) bool { return w == "OR" || w == "AND" || w == "NOT" }

// word reads a word or prefix and leaves out what String could not spell: leading
// slashes, signs and quotes.
func (p *parser) word(start int, sign byte) error {
	end := wordEnd(p.q.Raw, start)
	p.at = end
	text := p.q.Raw[start:end]
	kind := Word
	if stem := strings.TrimRight(text, "*"); stem != text && wordy(stem) {
		kind, text = Prefix, stem
	}
	for text != "" && (strings.IndexByte("+-/", text[0]) >= 0 || closing(text) != "") {
		_, n := utf8.DecodeRuneInString(text)
		text, start = text[n:], start+n
	}
	if _, _, ok := fieldName(text); ok || isOperator(text) {
		kind, text = Phrase, plainSpaces(strings.ReplaceAll(text, `"`, " ")) // "-OR" and "/tag:x" mean no operator and no filter
	}
	if !wordy(text) {
		return nil
	}
	return p.term(Term{kind, text, start, end}, sign, true)
}

// term adds a term to the group that it belongs to. With operators, OR and AND
// before it count.
func (p *parser) term(t Term, sign byte, operators bool) error {
	g := Group{Terms: []Term{t}, Not: sign == '-', Must: sign == '+'}
	or, and := p.or, p.and
	p.or, p.and = false, false
	if or && operators {
		if p.last != group {
			return p.mixed(t.From)
		}
		left := &p.q.Groups[len(p.q.Groups)-1]
		if left.Not || g.Not {
			return p.invalid(t.From, "OR and \"-\" cannot be mixed; to leave out both, write -a -b")
		}
		left.Terms = append(left.Terms, t)
		left.Must = left.Must || g.Must
		return nil
	}
	if and {
		g.Must = !g.Not
		if p.last == group {
			left := &p.q.Groups[len(p.q.Groups)-1]
			left.Must = !left.Not
		}
	}
	p.last = group
	if len(p.q.Groups) == MaxGroups {
		left := &p.q.Groups[MaxGroups-1]
		if g.Not || g.Must || left.Not || left.Must {
			return p.invalid(t.From, "there are more than %d words; leave some out", MaxGroups)
		}
		left.Terms = append(left.Terms, t)
		return nil
	}
	p.q.Groups = append(p.q.Groups, g)
	return nil
}

// single is called for each item that cannot be an alternative.
func (p *parser) single(from int) error {
	or := p.or
	p.or = false
	if or {
		return p.mixed(from)
	}
	if p.and && p.last == group {
		left := &p.q.Groups[len(p.q.Groups)-1]
		left.Must = !left.Not
	}
	p.and, p.last = false, other
	return nil
}

func (p *parser) mixed(from int) error {
	return p.invalid(from, "OR stands between words and phrases only; search twice, or leave the OR out: filters and regular expressions must all hold")
}

// quoted reads the quoted text that begins at a place, to the closing quote or
// the end, and gives it with single spaces.
func (p *parser) quoted(from int) string {
	_, size := utf8.DecodeRuneInString(p.q.Raw[from:])
	inner := p.q.Raw[from+size:]
	p.at = len(p.q.Raw)
	if i := strings.IndexAny(inner, closing(p.q.Raw[from:])); i >= 0 {
		_, n := utf8.DecodeRuneInString(inner[i:])
		p.at = from + size + i + n
		inner = inner[:i]
	}
	return plainSpaces(strings.ReplaceAll(inner, `"`, " "))
}

// closing is the quotes that end a quotation which s begins; "" if it begins
// none.
func closing(s string) string {
	for _, q := range [...]struct{ open, close string }{{`"`, `"`}, {"“", "“”"}, {"”", "“”"}, {"„", "“”"}, {"‟", "“”"}, {"«", "»"}} {
		if strings.HasPrefix(s, q.open) {
			return q.close
		}
	}
	return ""
}

func plainSpaces(s string) string { return strings.Join(strings.FieldsFunc(s, space), " ") }

func space(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// wordEnd is where the characters that are no space end.
func wordEnd(s string, from int) int {
	if i := strings.IndexFunc(s[from:], space); i >= 0 {
		return from + i
	}
	return len(s)
}

// wordy tells what may hold a word from mere punctuation.
func wordy(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= utf8.RuneSelf || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' {
			return true
		}
	}
	return false
}

// invalid is a wiki.ErrInvalid about a place in the query.
func (p *parser) invalid(at int, format string, args ...any) error {
	return wiki.Invalid("query", "at character %d of the query: "+format, append([]any{utf8.RuneCountInString(p.q.Raw[:at]) + 1}, args...)...)
}
