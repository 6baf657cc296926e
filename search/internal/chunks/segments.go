package chunks

import (
	"bytes"

	"wikibot/markdown"
)

// segment is what stands between two headings, with the first of them.
type segment struct {
	start, end int
	words      int
	path       []string // with the page's title
	anchor     string
}

// cutter makes the chunks of one page.
type cutter struct {
	src      []byte
	title    string
	chunks   []Chunk
	at, line int // a place and its line
}

// segments lists the segments of the body, which begins at off. There is at least
// one.
func (c *cutter) segments(off int, style markdown.Style) []segment {
	var sections []markdown.Section
	if len(c.src) <= maxFormatted {
		sections = markdown.SectionsIn(c.src, style)
	}
	first := len(c.src)
	if len(sections) > 0 {
		first = sections[0].Start
	}
	all := make([]segment, 0, len(sections)+1)
	top := segment{start: off, end: first, path: []string{c.title}}
	top.words = countUnits(c.src, off, first)
	if top.words > 0 || len(sections) == 0 {
		all = append(all, top)
	}
	for _, s := range sections {
		all = append(all, c.segment(s))
	}
	return all
}

func (c *cutter) segment(s markdown.Section) segment {
	g := segment{start: s.Start, end: s.BodyEnd, words: countUnits(c.src, s.Start, s.BodyEnd), anchor: s.ID}
	if len(g.anchor) > maxAnchor {
		g.anchor = ""
	}
	path := s.Path
	if oneLine(path[0]) == c.title {
		path = path[1:]
	}
	path = path[:min(len(path), 3)]
	g.path = make([]string, 1, 1+len(path))
	g.path[0] = c.title
	for _, t := range path {
		g.path = append(g.path, clip(oneLine(t), maxName))
	}
	return g
}

// groups joins small segments to their neighbours.
func groups(all []segment) (list [][]segment) {
	from, words := 0, 0
	for i, s := range all {
		words += s.words
		if words < minSection && i+1 < len(all) {
			continue
		}
		if n := len(list); words < minSection && n > 0 {
			from -= len(list[n-1]) // the last one joins those before it
			list = list[:n-1]
		}
		list = append(list, all[from:i+1])
		from, words = i+1, 0
	}
	return list
}

// add appends the chunk of [start, end), of which what is before fresh stands in
// the chunk before as well.
func (c *cutter) add(group []segment, start, fresh, end, words int) {
	of := largest(group, fresh, end)
	k := Chunk{Section: of.path, Anchor: of.anchor, Start: start, End: end, Line: c.lineOf(start), Words: words}
	k.Text = Text(c.src, k)
	c.chunks = append(c.chunks, k)
}

// largest is the segment that has most of [from, to); the first of equals.
func largest(group []segment, from, to int) *segment {
	best, most := &group[0], -1
	for i := range group {
		if n := min(to, group[i].end) - max(from, group[i].start); n > most {
			best, most = &group[i], n
		}
	}
	return best
}

// lineOf counts on from the place that was asked for last; an overlap goes back
// a little.
func (c *cutter) lineOf(at int) int {
	if at < c.at {
		c.line -= bytes.Count(c.src[at:c.at], []byte("\n"))
	} else {
		c.line += bytes.Count(c.src[c.at:at], []byte("\n"))
	}
	c.at = at
	return c.line + 1
}
