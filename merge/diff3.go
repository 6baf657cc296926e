package merge

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// Labels are what stands behind the conflict markers; an empty one leaves the
// marker bare.
type Labels struct{ Ours, Theirs string }

// Result is a merged text. Where Conflicts is not 0, Text holds that many
// places of the form
//
//	<<<<<<< ours
//	…
//	=======
//	…
//	>>>>>>> theirs
type Result struct {
	Text      []byte
	Conflicts int
}

// Diff3 merges what was done to base on two sides, as `git merge-file ours base
// theirs` does: a change on one side is taken, the same change on both sides is
// taken once, changes that overlap or touch conflict. A conflict is narrowed
// to the lines in which the sides differ; conflicts with at most three lines
// between them, or only lines without a letter or digit, become one. Markers
// take the line end of the lines around them.
//
// Text may share memory with an argument. Cost: two line diffs.
func Diff3(base, ours, theirs []byte, labels Labels) Result {
	switch {
	case bytes.Equal(base, ours), bytes.Equal(ours, theirs):
		return Result{Text: theirs}
	case bytes.Equal(base, theirs):
		return Result{Text: ours}
	}
	m := merger{base: split(base), ours: split(ours), theirs: split(theirs)}
	c := newClasses(m.base.len() + m.ours.len() + m.theirs.len())
	ids := c.lines(m.base)
	m.oursIDs, m.theirsIDs = c.lines(m.ours), c.lines(m.theirs)
	m.compare = newComparer(len(c.names))
	m.join(editsPlain(m.compare, ids, m.oursIDs), editsPlain(m.compare, ids, m.theirsIDs))
	m.refine()
	m.simplify()
	return m.write(labels)
}

// merger works on one merge; places are ascending on all sides.
type merger struct {
	base, ours, theirs text
	oursIDs, theirsIDs []int32
	compare            *comparer
	places             []place
}

// place is a part of the result that is not simply ours: lines [a, a+na) of
// ours and [b, b+nb) of theirs stand against each other.
type place struct {
	from     source
	a, na    int
	b, nb    int
	sameText bool // both sides say the same: take ours, no conflict
}

type source byte

const (
	conflict source = iota
	fromOurs
	fromTheirs
)

// join walks both scripts along the base.
func (m *merger) join(x, y []Edit) {
	for len(x) > 0 && len(y) > 0 {
		e, f := x[0], y[0]
		switch {
		case e.OldEnd < f.OldStart:
			m.add(place{from: fromOurs, a: e.NewStart, na: e.NewEnd - e.NewStart,
				b: f.NewStart - f.OldStart + e.OldStart, nb: e.OldEnd - e.OldStart})
			x = x[1:]
			continue
		case f.OldEnd < e.OldStart:
			m.add(place{from: fromTheirs, a: e.NewStart - e.OldStart + f.OldStart, na: f.OldEnd - f.OldStart,
				b: f.NewStart, nb: f.NewEnd - f.NewStart})
			y = y[1:]
			continue
		}
		if !m.sameEdit(e, f) {
			m.add(overlap(e, f))
		}
		if e.OldEnd >= f.OldEnd {
			y = y[1:]
		}
		if f.OldEnd >= e.OldEnd {
			x = x[1:]
		}
	}
	for _, e := range x {
		m.add(place{from: fromOurs, a: e.NewStart, na: e.NewEnd - e.NewStart,
			b: e.OldStart + m.theirs.len() - m.base.len(), nb: e.OldEnd - e.OldStart})
	}
	for _, f := range y {
		m.add(place{from: fromTheirs, a: f.OldStart + m.ours.len() - m.base.len(), na: f.OldEnd - f.OldStart,
			b: f.NewStart, nb: f.NewEnd - f.NewStart})
	}
}

func (m *merger) sameEdit(e, f Edit) bool {
	if e.OldStart != f.OldStart || e.OldEnd != f.OldEnd || e.NewEnd-e.NewStart != f.NewEnd-f.NewStart {
		return false
	}
	for i := range e.NewEnd - e.NewStart {
		if m.oursIDs[e.NewStart+i] != m.theirsIDs[f.NewStart+i] {
			return false
		}
	}
	return true
}

// overlap is the conflict of two edits, widened on each side to the part of the
// base that either of them covers.
func overlap(e, f Edit) place {
	start, end := min(e.OldStart, f.OldStart), max(e.OldEnd, f.OldEnd)
	a, b := e.NewStart-(e.OldStart-start), f.NewStart-(f.OldStart-start)
	return place{from: conflict, a: a, na: e.NewEnd + end - e.OldEnd - a, b: b, nb: f.NewEnd + end - f.OldEnd - b}
}

// add appends a place, or joins it with the one before where they touch.
func (m *merger) add(p place) {
	if n := len(m.places); n > 0 {
		last := &m.places[n-1]
		if p.a <= last.a+last.na || p.b <= last.b+last.nb {
			if p.from != last.from {
				last.from = conflict
			}
			last.na, last.nb = p.a+p.na-last.a, p.b+p.nb-last.b
			return
		}
	}
	m.places = append(m.places, p)
}

// refine narrows each conflict to where the two sides differ.
func (m *merger) refine() {
	var out []place
	for _, p := range m.places {
		if p.from != conflict || p.na == 0 || p.nb == 0 {
			out = append(out, p)
			continue
		}
		es := editsPlain(m.compare, m.oursIDs[p.a:p.a+p.na], m.theirsIDs[p.b:p.b+p.nb])
		if len(es) == 0 {
			p.sameText = true
			out = append(out, p)
		}
		for _, e := range es {
			out = append(out, place{from: conflict, a: p.a + e.OldStart, na: e.OldEnd - e.OldStart,
				b: p.b + e.NewStart, nb: e.NewEnd - e.NewStart})
		}
	}
	m.places = out
}

func (p place) isConflict() bool { return p.from == conflict && !p.sameText }

// simplify joins conflicts that are so near to each other that a person reads
// them more easily as one.
func (m *merger) simplify() {
	var out []place
	for _, p := range m.places {
		if n := len(out); n > 0 && p.isConflict() && out[n-1].isConflict() {
			last := &out[n-1]
			from := last.a + last.na
			if p.a-from <= 3 || !alphanumeric(m.ours.lines(from, p.a)) {
				last.na, last.nb = p.a+p.na-last.a, p.b+p.nb-last.b
				continue
			}
		}
		out = append(out, p)
	}
	m.places = out
}

// alphanumeric reports a letter or digit of any script: git looks for ASCII
// ones only.
func alphanumeric(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return true
		}
		b = b[n:]
	}
	return false
}

func (m *merger) write(labels Labels) Result {
	var r Result
	out := make([]byte, 0, len(m.ours.bytes)+len(m.theirs.bytes)-min(len(m.base.bytes), len(m.theirs.bytes))+256)
	done := 0
	for _, p := range m.places {
		switch {
		case p.sameText:
			continue
		case p.from == fromOurs:
			out = append(out, m.ours.lines(done, p.a+p.na)...)
		case p.from == fromTheirs:
			out = append(out, m.ours.lines(done, p.a)...)
			out = append(out, m.theirs.lines(p.b, p.b+p.nb)...)
		default:
			r.Conflicts++
			eol := m.lineEnd(p)
			out = append(out, m.ours.lines(done, p.a)...)
			out = marker(out, "<<<<<<<", labels.Ours, eol)
			out = whole(append(out, m.ours.lines(p.a, p.a+p.na)...), eol)
			out = marker(out, "=======", "", eol)
			out = whole(append(out, m.theirs.lines(p.b, p.b+p.nb)...), eol)
			out = marker(out, ">>>>>>>", labels.Theirs, eol)
		}
		done = p.a + p.na
	}
	r.Text = append(out, m.ours.lines(done, m.ours.len())...)
	return r
}

func marker(out []byte, mark, label, eol string) []byte {
	out = append(out, mark...)
	if label != "" {
		out = append(append(out, ' '), label...)
	}
	return append(out, eol...)
}

// whole ends a last line that has no end, so that the marker begins a line.
func whole(out []byte, eol string) []byte {
	if len(out) > 0 && out[len(out)-1] != '\n' {
		out = append(out, eol...)
	}
	return out
}

// lineEnd is CRLF where the lines before a conflict, on both sides, and the
// first line of the base say so, as far as they can say anything.
func (m *merger) lineEnd(p place) string {
	says := m.ours.crlf(max(p.a-1, 0))
	if says != no {
		says = m.theirs.crlf(max(p.b-1, 0))
	}
	if says != no {
		says = m.base.crlf(0)
	}
	if says == yes {
		return "\r\n"
	}
	return "\n"
}

type answer byte

const (
	unknown answer = iota
	yes
	no
)

// crlf says whether line i ends with CRLF; a line without an end leaves it to
// the line before.
func (t text) crlf(i int) answer {
	if i >= t.len() {
		return unknown
	}
	line := t.line(i)
	if !bytes.HasSuffix(line, []byte{'\n'}) {
		if i == 0 {
			return unknown
		}
		line = t.line(i - 1)
	}
	if bytes.HasSuffix(line, []byte("\r\n")) {
		return yes
	}
	return no
}
