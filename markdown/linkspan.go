package markdown

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// linkSpans is goldmark's link parser, and notes where each link ends: the tree
// alone says only where it begins.
type linkSpans struct {
	parser.InlineParser
	parser.CloseBlocker
}

func newLinkSpans() linkSpans {
	p := parser.NewLinkParser()
	return linkSpans{p, p.(parser.CloseBlocker)}
}

// spanAttribute holds a span on a link or image of the tree.
var spanAttribute = []byte("span")

type span struct{ end, labelEnd int }

func (p linkSpans) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, segment := block.PeekLine()
	if len(line) > 2 && line[0] == ']' && line[1] == '(' {
		s := state(pc)
		if s.targets > maxTargets {
			return nil
		}
		s.targets += targetEnd(line[2:])
	}
	if line[0] == ']' {
		s := state(pc)
		if s.passed > maxLabelLines {
			return nil
		}
		if lines := blockLines(parent); lines != nil {
			s.passed += lines.Len()
		}
	}
	n := p.InlineParser.Parse(parent, block, pc)
	if line[0] != ']' || n == nil {
		return n
	}
	_, after := block.Position()
	n.SetAttribute(spanAttribute, span{end: after.Start, labelEnd: segment.Start})
	return n
}

// targetEnd is how far goldmark looks at most for the end of a link's target.
func targetEnd(line []byte) int {
	if i := bytes.IndexAny(line, " \t\n"); i >= 0 && line[0] != '<' {
		return i
	}
	return len(line)
}

// destination finds the raw bytes of a link's destination, which goldmark gives
// as a piece of the source, between two offsets.
func destination(src, dest []byte, from, to int) (start, end int) {
	if len(dest) == 0 || from < 0 || to > len(src) || from > to {
		return from, from
	}
	i := from
	for i < to && (util.IsSpace(src[i]) || src[i] == '<') {
		i++
	}
	if !bytes.HasPrefix(src[i:to], dest) {
		j := bytes.Index(src[from:to], dest)
		if j < 0 {
			return from, from
		}
		i = from + j
	}
	return i, i + len(dest)
}

// inlineLink reads the Link of a node of goldmark's. Offsets are within src.
func inlineLink(src []byte, n ast.Node, defs map[string]*ast.LinkReferenceDefinition) (Link, bool) {
	var dest []byte
	var ref *ast.ReferenceLink
	l := Link{Kind: Inline}
	switch n := n.(type) {
	case *ast.Link:
		dest, ref = n.Destination, n.Reference
	case *ast.Image:
		dest, ref = n.Destination, n.Reference
		l.Kind = Image
	}
	v, ok := n.Attribute(spanAttribute)
	if !ok {
		return Link{}, false
	}
	sp := v.(span)
	l.Start, l.End = n.Pos(), sp.end
	from, to := sp.labelEnd+2, sp.end
	if ref != nil {
		if l.Kind == Inline {
			l.Kind = Reference
		}
		from, to = definitionSpan(src, defs[linkLabel(ref.Value)])
	}
	start, end := destination(src, dest, from, to)
	raw := src[start:end]
	l.TargetStart, l.TargetEnd = start, end
	if i := splitURL(raw); i >= 0 {
		l.TargetEnd = start + i
		if hash := bytes.IndexByte(raw[i:], '#'); hash >= 0 {
			l.Anchor = unescape(raw[i+hash+1:])
		}
		raw = raw[:i]
	}
	l.Target = unescape(raw)
	return l, true
}

func linkLabel(label []byte) string { return util.ToLinkReference(label) }

// definitionSpan is where in the source the destination of a definition may be.
func definitionSpan(src []byte, def *ast.LinkReferenceDefinition) (from, to int) {
	if def == nil || def.Lines().Len() == 0 {
		return 0, 0
	}
	from = def.Lines().At(0).Start
	to = def.Lines().At(def.Lines().Len() - 1).Stop
	if i := bytes.Index(src[from:min(to, len(src))], []byte("]:")); i >= 0 {
		from += i + 2
	}
	return from, min(to, len(src))
}

// splitURL is where the path of a destination ends: the first "#" or "?" that
// Markdown's escapes did not make; -1 if there is none. URLs with a scheme are
// never split at "?".
func splitURL(raw []byte) int {
	external := scheme(string(raw)) != ""
	for i, c := range raw {
		switch {
		case c == '?' && !external:
			return i
		case c == '#' && (i == 0 || raw[i-1] != '&' && raw[i-1] != '\\'):
			return i
		}
	}
	return -1
}

// unescape undoes Markdown's backslashes and HTML's character references.
func unescape(b []byte) string {
	if bytes.IndexByte(b, '\\') >= 0 {
		b = util.UnescapePunctuations(b)
	}
	if bytes.IndexByte(b, '&') >= 0 {
		b = util.ResolveEntityNames(util.ResolveNumericReferences(b))
	}
	return string(b)
}

// scheme is the URL scheme (RFC 3986, section 3.1) that s begins with, in lower
// case, or "". White space and control characters within it, which browsers
// skip, do not hide it.
func scheme(s string) string {
	var b strings.Builder
	for i := 0; i < len(s) && b.Len() < 32; i++ {
		c := s[i]
		switch {
		case c <= ' ' || c == 0x7F:
		case c == ':':
			return b.String()
		case c >= 'A' && c <= 'Z':
			b.WriteByte(c + 'a' - 'A')
		case c >= 'a' && c <= 'z':
			b.WriteByte(c)
		case b.Len() > 0 && (c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.'):
			b.WriteByte(c)
		default:
			return ""
		}
	}
	return ""
}
