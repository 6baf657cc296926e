package merge

// A run of changed lines may often be slid up or down without changing what
// the diff says: of "a b a b c", either "a b" may be the one that is new. Runs
// are slid until they meet (and become one), then to where the other text has
// a change as well, else, for readers, to where blank lines and indentation
// suggest a border (git's "indent heuristic", on by default since 2.14).

// half is one of the two texts of a diff.
type half struct {
	ids     []int32
	changed []bool
	indent  func(line int) int // see indentOf; nil: leave runs at their lowest place
}

func (h *half) is(i int) bool { return i >= 0 && i < len(h.changed) && h.changed[i] }

// run is the lines from start to before end, all changed; it may be empty,
// and then it is the gap before an unchanged line.
type run struct{ start, end int }

func (r run) empty() bool { return r.start == r.end }

func (h *half) first() run {
	r := run{}
	for h.is(r.end) {
		r.end++
	}
	return r
}

func (h *half) next(r *run) bool {
	if r.end >= len(h.ids) {
		return false
	}
	r.start = r.end + 1
	for r.end = r.start; h.is(r.end); r.end++ {
	}
	return true
}

func (h *half) previous(r *run) bool {
	if r.start == 0 {
		return false
	}
	r.end = r.start - 1
	for r.start = r.end; h.is(r.start - 1); r.start-- {
	}
	return true
}

// down slides a run by one line, if it can, and joins it with one it meets.
func (h *half) down(r *run) bool {
	if r.end >= len(h.ids) || h.ids[r.start] != h.ids[r.end] {
		return false
	}
	h.changed[r.start], h.changed[r.end] = false, true
	r.start++
	r.end++
	for h.is(r.end) {
		r.end++
	}
	return true
}

func (h *half) up(r *run) bool {
	if r.start == 0 || h.ids[r.start-1] != h.ids[r.end-1] {
		return false
	}
	r.start--
	r.end--
	h.changed[r.start], h.changed[r.end] = true, false
	for h.is(r.start - 1) {
		r.start--
	}
	return true
}

// slide moves the runs of h; other stays as it is and is walked alongside, for
// between two neighbouring runs both have the same unchanged lines.
func (h *half) slide(other *half) {
	r, o := h.first(), other.first()
	for {
		if !r.empty() {
			h.slideRun(&r, other, &o)
		}
		if !h.next(&r) {
			return
		}
		other.next(&o)
	}
}

func (h *half) slideRun(r *run, other *half, o *run) {
	var size, highest, aligned int
	for again := true; again; again = size != r.end-r.start {
		size = r.end - r.start
		aligned = -1
		for h.up(r) {
			other.previous(o)
		}
		highest = r.end
		if !o.empty() {
			aligned = r.end
		}
		for h.down(r) {
			other.next(o)
			if !o.empty() {
				aligned = r.end
			}
		}
	}
	switch {
	case r.end == highest:
	case aligned != -1:
		for o.empty() && h.up(r) {
			other.previous(o)
		}
	case h.indent != nil:
		for best := h.border(*r, highest); r.end > best && h.up(r); {
			other.previous(o)
		}
	}
}

// maxSlide is how far a run is slid to find a better border.
const maxSlide = 100

// border is the best end for a run whose end may lie from highest to where it
// is now.
func (h *half) border(r run, highest int) int {
	size := r.end - r.start
	best, bestScore := -1, score{}
	for end := max(highest, r.end-size-1, r.end-maxSlide); end <= r.end; end++ {
		s := h.score(end).plus(h.score(end - size))
		if best == -1 || s.against(bestScore) <= 0 {
			best, bestScore = end, s
		}
	}
	return best
}

// score says how badly a border lies; the weights are those that git found by
// training on hand-made diffs (github.com/mhagger/diff-slider-tools).
type score struct{ indent, penalty int }

func (s score) plus(t score) score { return score{s.indent + t.indent, s.penalty + t.penalty} }

func (s score) against(t score) int {
	d := s.penalty - t.penalty
	switch {
	case s.indent > t.indent:
		d += 60
	case s.indent < t.indent:
		d -= 60
	}
	return d
}

const (
	blank     = -1  // the indent of a line with nothing on it
	maxIndent = 200 // columns
	maxBlanks = 20
)

// score rates the border before line i.
func (h *half) score(i int) score {
	indent, end := blank, i >= len(h.ids)
	if !end {
		indent = h.indent(i)
	}
	before, blanksBefore := h.nearest(i-1, -1)
	after, blanksAfter := h.nearest(i+1, 1)

	var s score
	if before == blank && blanksBefore == 0 {
		s.penalty++ // at the very top
	}
	if end {
		s.penalty += 21
	}
	below := 0
	if indent == blank {
		below = 1 + blanksAfter
		indent = after
	}
	blanks := blanksBefore + below
	s.penalty += -30*blanks + 6*below
	s.indent = indent
	if indent == blank || before == blank || indent == before {
		return s
	}
	plain, spaced := 23, 17 // the line is less deep than the one above
	switch {
	case indent > before:
		plain, spaced = -4, 10
	case after != blank && after > indent:
		plain, spaced = 24, 17
	}
	if blanks != 0 {
		s.penalty += spaced
	} else {
		s.penalty += plain
	}
	return s
}

// nearest is the indent of the first line with something on it, from i on in
// one direction, and the number of blank lines before it.
func (h *half) nearest(i, step int) (indent, blanks int) {
	for ; i >= 0 && i < len(h.ids); i += step {
		if in := h.indent(i); in != blank {
			return in, blanks
		}
		blanks++
		if blanks == maxBlanks {
			return 0, blanks
		}
	}
	return blank, blanks
}

func indentOf(line []byte) int {
	n := 0
	for _, c := range line {
		switch c {
		case ' ':
			n++
		case '\t':
			n += 8 - n%8
		case '\n', '\r', '\v', '\f':
		default:
			return n
		}
		if n >= maxIndent {
			return maxIndent
		}
	}
	return blank
}
