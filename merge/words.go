package merge

import (
	"unicode"
	"unicode/utf8"
)

// The bounds of the word diff. What goes beyond is shown without Words.
const (
	maxWords   = 1000    // words in a line
	maxPairs   = 400     // old × new lines of one run of changes that are paired by likeness
	wordBudget = 1 << 20 // words compared in one diff
	alike      = 30      // per cent of a line that must be the same for it to be paired
)

// words cuts a line: a run of letters, marks and digits is one word, a run of
// white space another, every other character one by itself; and so is each
// character of the scripts that are written without spaces (simpler than
// Unicode UAX 29, and the same for what people write on pages).
func words(s string) []string {
	var out []string
	start, kind := 0, other
	for i, r := range s {
		k := kindOf(r)
		if i > start && (k != kind || k == other) {
			out = append(out, s[start:i])
			start = i
		}
		kind = k
	}
	if start < len(s) {
		out = append(out, s[start:])
	}
	return out
}

type kind byte

const (
	other kind = iota
	word
	space
)

func kindOf(r rune) kind {
	switch {
	case r < utf8.RuneSelf:
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_':
			return word
		case r == ' ', r >= '\t' && r <= '\r':
			return space
		}
		return other
	case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
		return other
	case unicode.IsLetter(r), unicode.IsMark(r), unicode.IsDigit(r):
		return word
	case unicode.IsSpace(r):
		return space
	}
	return other
}

// pairWords pairs the old and new lines of one run of changes and fills in the
// Words of those that are alike.
func pairWords(olds, news []Line, budget *int) {
	if len(olds) == 0 || len(news) == 0 {
		return
	}
	if len(olds)*len(news) > maxPairs {
		if len(olds) == len(news) {
			for i := range olds {
				diffWords(&olds[i], &news[i], budget)
			}
		}
		return
	}
	for _, p := range pairs(olds, news) {
		diffWords(&olds[p[0]], &news[p[1]], budget)
	}
}

// pairs chooses, in order on both sides, the pairs of lines with the greatest
// sum of likeness.
func pairs(olds, news []Line) [][2]int {
	if len(olds) == 1 && len(news) == 1 {
		return [][2]int{{0, 0}}
	}
	n := len(news) + 1
	fa, fb := wordPrints(olds), wordPrints(news)
	like := make([]int, len(olds)*len(news))
	sum := make([]int, (len(olds)+1)*n) // best from (i, j) on
	for i := len(olds) - 1; i >= 0; i-- {
		for j := len(news) - 1; j >= 0; j-- {
			s := fa[i].Similarity(fb[j])
			if s < alike {
				s = 0
			}
			like[i*len(news)+j] = s
			sum[i*n+j] = max(sum[(i+1)*n+j], sum[i*n+j+1], sum[(i+1)*n+j+1]+s)
		}
	}
	var out [][2]int
	for i, j := 0, 0; i < len(olds) && j < len(news); {
		s := like[i*len(news)+j]
		switch {
		case s > 0 && sum[i*n+j] == sum[(i+1)*n+j+1]+s:
			out = append(out, [2]int{i, j})
			i, j = i+1, j+1
		case sum[i*n+j] == sum[(i+1)*n+j]:
			i++
		default:
			j++
		}
	}
	return out
}

// wordPrints are fingerprints whose pieces are words.
func wordPrints(lines []Line) []Fingerprint {
	out := make([]Fingerprint, len(lines))
	for i, l := range lines {
		s := l.Text
		if len(s) > 4*maxWords {
			s = s[:4*maxWords]
		}
		ws := words(s)
		pieces := make([]piece, 0, len(ws))
		for _, w := range ws {
			if kindOf(firstRune(w)) != space {
				pieces = append(pieces, newPiece(w))
			}
		}
		out[i] = fingerprint(pieces)
	}
	return out
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

// diffWords compares two lines word by word.
func diffWords(old, new *Line, budget *int) {
	if len(old.Text) > 64*maxWords || len(new.Text) > 64*maxWords {
		return
	}
	a, b := words(old.Text), words(new.Text)
	if len(a) > maxWords || len(b) > maxWords || len(a)+len(b) > *budget {
		return
	}
	*budget -= len(a) + len(b)
	c := newClasses(len(a) + len(b))
	ids, jds := make([]int32, len(a)), make([]int32, len(b))
	for i, w := range a {
		ids[i] = c.class([]byte(w))
	}
	for i, w := range b {
		jds[i] = c.class([]byte(w))
	}
	es := editsPlain(newComparer(len(c.names)), ids, jds)
	es = bridge(es, a)
	same := 0
	for i, at := 0, 0; i <= len(es); i++ {
		end := len(a)
		if i < len(es) {
			end = es[i].OldStart
		}
		for ; at < end; at++ {
			same += len(a[at])
		}
		if i < len(es) {
			at = es[i].OldEnd
		}
	}
	if same*100 < alike*max(len(old.Text), len(new.Text)) {
		return
	}
	old.Words = spans(a, es, func(e Edit) (int, int) { return e.OldStart, e.OldEnd })
	new.Words = spans(b, es, func(e Edit) (int, int) { return e.NewStart, e.NewEnd })
}

// bridge joins changes with nothing but white space between them.
func bridge(es []Edit, a []string) []Edit {
	var out []Edit
	for _, e := range es {
		if n := len(out); n > 0 && e.OldStart-out[n-1].OldEnd == 1 && kindOf(firstRune(a[out[n-1].OldEnd])) == space {
			out[n-1].OldEnd, out[n-1].NewEnd = e.OldEnd, e.NewEnd
			continue
		}
		out = append(out, e)
	}
	return out
}

func spans(ws []string, es []Edit, of func(Edit) (int, int)) []Span {
	var out []Span
	add := func(from, to int, changed bool) {
		if from == to {
			return
		}
		var s string
		for _, w := range ws[from:to] {
			s += w
		}
		out = append(out, Span{s, changed})
	}
	at := 0
	for _, e := range es {
		from, to := of(e)
		add(at, from, false)
		add(from, to, true)
		at = to
	}
	add(at, len(ws), false)
	return out
}
