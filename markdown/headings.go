package markdown

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
)

// heading is one heading of a page's body, in the order in which Render gives
// out anchors.
type heading struct {
	level        int
	start, after int // its line, and the line after it; of no use where top is false
	text         string
	top          bool // not within a quote, a list or a footnote
}

// headings lists a body's headings. Most pages are read line by line, many times
// as fast as by the parser; the two agree (see FuzzHeadings).
func headings(body []byte, style Style) []heading {
	if all, ok := scanHeadings(body); ok {
		return all
	}
	return parseHeadings(nil, parse(body, style), body, true)
}

func parseHeadings(all []heading, n ast.Node, body []byte, top bool) []heading {
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if h, ok := c.(*ast.Heading); ok {
			start, after := headingLines(h, body)
			all = append(all, heading{h.Level, start, after, nodeText(h, body), top})
		} else if c.Type() == ast.TypeBlock && c.HasChildren() {
			all = parseHeadings(all, c, body, false)
		}
	}
	return all
}

// scanHeadings finds the headings of a body in which they are all plain: "# Title"
// at the beginning of a line, outside of fences. It gives up (ok is false) on
// whatever could make that line something else, or another line a heading: raw
// HTML, a block of TeX, a line of "-" or "=" under another, a "#" or a fence that
// is indented or in a container, brackets in a heading.
func scanHeadings(body []byte) (all []heading, ok bool) {
	for _, c := range [...]byte{'\r', '\v', '\f', 0} { // white space to some rules, not to others
		if bytes.IndexByte(body, c) >= 0 {
			return nil, false
		}
	}
	var fence []byte
	paragraph := false // the line above could be the text of a heading
	for at := 0; at < len(body); {
		line, n := cutLine(body[at:])
		start := at
		at += n
		switch {
		case fence != nil:
			if closesFence(line, fence) {
				fence = nil
			}
			continue
		case len(line) == 0:
			paragraph = false
			continue
		case line[0] == '#' && atxLevel(line) > 0:
			level := atxLevel(line)
			rest := line[level:]
			if bytes.IndexByte(rest, '[') >= 0 {
				return nil, false
			}
			all = append(all, heading{level, start, at, atxText(line, rest), true})
			paragraph = false
			continue
		case isFence(line):
			fence = line[:len(line)-len(bytes.TrimLeft(line, string(line[:1])))]
			paragraph = false
			continue
		case uncertain(line, paragraph):
			return nil, false
		}
		paragraph = true
	}
	return all, true
}

// closesFence reports whether a line ends the block that fence has opened.
func closesFence(line, fence []byte) bool {
	trimmed := bytes.TrimLeft(line, " ")
	return len(line)-len(trimmed) < 4 && bytes.HasPrefix(trimmed, fence) && len(bytes.Trim(trimmed, string(fence[:1]))) == 0
}

// atxLevel is the level of the ATX heading (CommonMark 0.31, section 4.2) that an
// unindented line is; 0 where it is none.
func atxLevel(line []byte) int {
	n := 0
	for n < len(line) && line[n] == '#' {
		n++
	}
	if n > 6 || n < len(line) && line[n] != ' ' && line[n] != '\t' {
		return 0
	}
	return n
}

func atxText(line, rest []byte) string {
	if !bytes.ContainsAny(rest, inlineMarkup) {
		return string(bytes.TrimSpace(rest))
	}
	if h, ok := parse(line, TargetFirst).FirstChild().(*ast.Heading); ok {
		return nodeText(h, line)
	}
	return ""
}

// inlineMarkup has a character of everything that reads otherwise than it is
// written within a line.
const inlineMarkup = "#*_`[]<>&\\~=$:/@"

// uncertain reports whether scanHeadings must leave a body to the parser because
// of a line outside of fences.
func uncertain(line []byte, paragraph bool) bool {
	trimmed := bytes.TrimLeft(line, " \t")
	if trimmed[0] == '<' || bytes.HasPrefix(trimmed, []byte("$$")) {
		return true
	}
	i := 0
	for i < len(line) && containerByte(line[i]) {
		i++
	}
	inner := line[i:]
	switch {
	case len(inner) == 0:
		return paragraph && bytes.ContainsAny(line, "-=")
	case bytes.HasPrefix(inner, []byte("[^")):
		return bytes.Contains(inner, []byte("]:"))
	case i == 0:
		return false // "#" and fences here were looked at
	}
	return inner[0] == '#' || isFence(inner)
}

// containerByte is true of what stands before a block in quotes, lists and
// definitions, and of what underlines a heading.
func containerByte(c byte) bool {
	switch c {
	case ' ', '\t', '>', '*', '+', '-', '=', ':', '.', ')':
		return true
	}
	return c >= '0' && c <= '9'
}
