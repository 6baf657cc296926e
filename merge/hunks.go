package merge

import "strings"

// Hunk is a part of a diff: changed lines with the unchanged ones around them.
type Hunk struct {
	OldStart, OldLines int // first line, from 1, and how many; as git, the line before where there are none
	NewStart, NewLines int
	Heading            string // the Markdown heading under which the hunk begins, or empty
	Lines              []Line
}

// Line is one line of a hunk.
type Line struct {
	Kind     byte   // ' ' in both, '-' only in the old text, '+' only in the new one
	Old, New int    // its number in each text, from 1; 0 where it is not in that text
	Text     string // without LF; a CR stays
	NoEOL    bool   // it is the last line and has no LF
	Words    []Span // of a '-' line and the '+' line that took its place; else nil
}

// Span is a part of a line. The spans of a line, joined, are its Text.
type Span struct {
	Text    string
	Changed bool
}

// Lines is the line diff of two texts with that many unchanged lines around
// each change (git's is 3; negative counts as 0); hunks whose context touches
// are one. In a run of changes the old lines come before the new ones, and
// lines that resemble each other are paired and compared by words. nil means
// that the texts are equal.
func Lines(old, new []byte, context int) []Hunk {
	es := Edits(old, new)
	if len(es) == 0 {
		return nil
	}
	o, n := split(old), split(new)
	context = max(context, 0)
	var hunks []Hunk
	heads := headings{text: o}
	words := wordBudget
	for first := 0; first < len(es); {
		last := first
		for last+1 < len(es) && es[last+1].OldStart-es[last].OldEnd <= 2*context {
			last++
		}
		h := hunk(o, n, es[first:last+1], context, &words)
		h.Heading = heads.before(es[first].OldStart - context)
		hunks = append(hunks, h)
		first = last + 1
	}
	return hunks
}

func hunk(o, n text, es []Edit, context int, words *int) Hunk {
	first, last := es[0], es[len(es)-1]
	before := min(context, first.OldStart)
	after := min(context, o.len()-last.OldEnd)
	i, j := first.OldStart-before, first.NewStart-before
	h := Hunk{OldStart: i + 1, OldLines: last.OldEnd + after - i, NewStart: j + 1, NewLines: last.NewEnd + after - j}
	if h.OldLines == 0 {
		h.OldStart--
	}
	if h.NewLines == 0 {
		h.NewStart--
	}
	h.Lines = make([]Line, 0, h.OldLines+h.NewLines)
	same := func(end int) {
		for ; i < end; i, j = i+1, j+1 {
			h.Lines = append(h.Lines, newLine(' ', o, i, i+1, j+1))
		}
	}
	for _, e := range es {
		same(e.OldStart)
		olds := len(h.Lines)
		for ; i < e.OldEnd; i++ {
			h.Lines = append(h.Lines, newLine('-', o, i, i+1, 0))
		}
		news := len(h.Lines)
		for ; j < e.NewEnd; j++ {
			h.Lines = append(h.Lines, newLine('+', n, j, 0, j+1))
		}
		pairWords(h.Lines[olds:news], h.Lines[news:], words)
	}
	same(last.OldEnd + after)
	return h
}

func newLine(kind byte, t text, i, old, new int) Line {
	s, eol := strings.CutSuffix(string(t.line(i)), "\n")
	return Line{Kind: kind, Old: old, New: new, Text: s, NoEOL: !eol}
}

// headings finds the nearest ATX heading above a line (CommonMark 0.31,
// section 4.2), passing over fenced code; asked in ascending order it reads
// the text once.
type headings struct {
	text  text
	at    int
	fence string
	last  string
}

func (h *headings) before(line int) string {
	for ; h.at < line && h.at < h.text.len(); h.at++ {
		s := strings.TrimRight(string(h.text.line(h.at)), "\r\n")
		s = strings.TrimLeft(s, " ")
		switch {
		case h.fence != "":
			if strings.HasPrefix(s, h.fence) && strings.Trim(s, h.fence[:1]+" \t") == "" {
				h.fence = ""
			}
		case strings.HasPrefix(s, "```"), strings.HasPrefix(s, "~~~"):
			h.fence = s[:len(s)-len(strings.TrimLeft(s, s[:1]))]
		case strings.HasPrefix(s, "#"):
			title := strings.TrimLeft(s, "#")
			if len(s)-len(title) <= 6 && (title == "" || title[0] == ' ' || title[0] == '\t') {
				h.last = s
			}
		}
	}
	return h.last
}
