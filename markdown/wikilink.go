package markdown

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// maxWikiLink is the most bytes between the brackets: a path, an anchor and a
// display text. It also bounds the search for the closing brackets.
const maxWikiLink = 2048

var kindWikiLink = ast.NewNodeKind("WikiLink")

// wikiLink is [[…]] or ![[…]].
type wikiLink struct {
	ast.BaseInline
	link  Link // offsets within the parsed body; Line and Section are not set
	plain bool // within another link: shown as text
}

func (n *wikiLink) Kind() ast.NodeKind { return kindWikiLink }

func (n *wikiLink) Dump(source []byte, level int) {
	ast.DumpHelper(n, source, level, map[string]string{"Target": n.link.Target}, nil)
}

// label is what is shown: the text, or else the target as it was written.
func (n *wikiLink) label() string {
	l := n.link
	switch {
	case l.Text != "" && !(l.Kind == Embed && isSize(l.Text)):
		return l.Text
	case l.Target == "":
		return l.Anchor
	case l.Anchor != "":
		return l.Target + " > " + l.Anchor
	}
	return l.Target
}

type wikiLinkParser struct{}

func (wikiLinkParser) Trigger() []byte { return []byte{'[', '!'} }

func (wikiLinkParser) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, segment := block.PeekLine()
	open, kind := 2, Wiki
	if line[0] == '!' {
		open, kind = 3, Embed
	}
	if segment.Padding != 0 || len(line) < open+3 || line[open-1] != '[' || line[open-2] != '[' {
		return nil
	}
	inner := line[open:min(len(line), open+maxWikiLink)]
	n := bytes.Index(inner, []byte("]]"))
	if n < 0 {
		return nil
	}
	l, ok := splitWikiLink(string(inner[:n]), state(pc).style, kind)
	if !ok {
		return nil
	}
	l.Start, l.End = segment.Start, segment.Start+open+n+2
	l.TargetStart += segment.Start + open
	l.TargetEnd += segment.Start + open
	block.Advance(open + n + 2)
	return &wikiLink{link: l}
}

// splitWikiLink reads what stands between the brackets. Its offsets are within
// inner.
func splitWikiLink(inner string, style Style, kind Kind) (Link, bool) {
	if strings.ContainsAny(inner, "[\n\r\x00") || strings.TrimSpace(inner) == "" {
		return Link{}, false
	}
	l := Link{Kind: kind}
	tStart, tEnd := 0, len(inner)
	if bar := strings.IndexByte(inner, '|'); bar >= 0 {
		before := bar
		if before > 0 && inner[before-1] == '\\' {
			before--
		}
		l.Text = strings.TrimSpace(inner[bar+1:])
		tEnd = before
		if style == TextFirst && !(kind == Embed && isSize(l.Text)) {
			l.Text = strings.TrimSpace(inner[:before])
			tStart, tEnd = bar+1, len(inner)
		}
	}
	target := inner[tStart:tEnd]
	if hash := strings.IndexByte(target, '#'); hash >= 0 && strings.TrimSpace(target[hash+1:]) != "" {
		l.Anchor = strings.TrimSpace(target[hash+1:])
		target = target[:hash]
	}
	l.TargetStart = tStart + len(target) - len(strings.TrimLeft(target, " \t"))
	l.Target = strings.Trim(target, " \t")
	l.TargetEnd = l.TargetStart + len(l.Target)
	return l, l.Target != "" || l.Anchor != ""
}

// isSize is true of "300" and "300x200", which follow the bar of an image.
func isSize(s string) bool {
	_, _, ok := parseSize(s)
	return ok
}

func parseSize(s string) (width, height string, ok bool) {
	width, height, two := strings.Cut(s, "x")
	ok = digits(width) && (!two || digits(height))
	return width, height, ok
}

func digits(s string) bool {
	if s == "" || len(s) > 4 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
