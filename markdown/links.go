package markdown

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
)

// Links lists a page's links in the order of the text. It reads the page with
// Render's own parser, so the two agree; a page without brackets or tags costs
// next to nothing. Code, TeX and frontmatter hold no links, nor does the text of
// another link. Bare URLs and <URLs> are not listed.
func Links(src []byte, style Style) []Link {
	_, off := frontmatter(src)
	body := src[off:]
	if bytes.IndexByte(body, '[') < 0 && bytes.IndexByte(body, '<') < 0 {
		return nil
	}
	var links []Link
	p := pass{src: body, link: func(l Link) { links = append(links, l) }}
	p.run(parseWith(linkGrammar, body, style))
	place(links, src, off)
	return links
}

// place turns offsets within the body into offsets within the page and counts
// lines.
func place(links []Link, src []byte, off int) {
	at, line := 0, 1
	for i := range links {
		l := &links[i]
		l.Start, l.End = l.Start+off, l.End+off
		l.TargetStart, l.TargetEnd = l.TargetStart+off, l.TargetEnd+off
		if l.Start < at {
			at, line = 0, 1
		}
		line += bytes.Count(src[at:l.Start], []byte("\n"))
		at = l.Start
		l.Line = line
	}
}

// pass is one walk over a parsed body that makes it fit to be rendered and tells
// of what it meets. Links and Render share it, so that they cannot disagree.
type pass struct {
	src     []byte
	link    func(Link)                  // each link that Render would show as one; nil: not asked
	heading func(*ast.Heading, string)  // each heading with its text; nil: not asked
	attr    func(Link) (string, string) // raw HTML's href or src: its new value and class; nil: dropped
	raw     map[ast.Node][]byte         // cleaned raw HTML; nil: not wanted
	ids     map[string]bool             // ids in raw HTML; nil: not wanted
	defs    map[string]*ast.LinkReferenceDefinition
	section string
}

const (
	// maxDepth bounds the depth of the tree that is rendered, since browsers
	// give up on 512 open elements. What is deeper loses its markup.
	maxDepth = 200
	// maxTextDepth bounds the search for text; an alternative text can be
	// nested deeper than anything else.
	maxTextDepth = 2000
)

func (p *pass) run(doc ast.Node) {
	p.define(doc, 0)
	p.children(doc, 0, false)
}

// define finds the link reference definitions; the first of a label counts, as
// in CommonMark.
func (p *pass) define(n ast.Node, depth int) {
	for c := n.FirstChild(); c != nil && depth < maxDepth; c = c.NextSibling() {
		if d, ok := c.(*ast.LinkReferenceDefinition); ok {
			key := linkLabel(d.Label)
			if _, dup := p.defs[key]; !dup {
				if p.defs == nil {
					p.defs = map[string]*ast.LinkReferenceDefinition{}
				}
				p.defs[key] = d
			}
		} else if c.Type() == ast.TypeBlock {
			p.define(c, depth+1)
		}
	}
}

func (p *pass) children(n ast.Node, depth int, inLink bool) {
	var open []string // raw elements left open among these children
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		if depth >= maxDepth && c.HasChildren() {
			flat := ast.NewString([]byte(nodeText(c, p.src)))
			flat.SetRaw(true)
			c.RemoveChildren(c)
			c.AppendChild(c, flat)
		}
		switch c := c.(type) {
		case *ast.Link:
			p.inline(c)
			p.children(c, depth+1, true)
			continue
		case *ast.Image:
			p.inline(c)
			continue // its children are an alternative text
		case *wikiLink:
			if !inLink && p.link != nil {
				l := c.link
				l.Section = p.section
				p.link(l)
			}
			c.plain = inLink
			continue
		case *ast.Blockquote:
			p.alert(c)
		case *ast.Heading:
			p.section = nodeText(c, p.src)
			if p.heading != nil {
				p.heading(c, p.section)
			}
		case *ast.HTMLBlock, *ast.RawHTML:
			p.clean(c, &open, inLink)
			continue
		}
		if c.HasChildren() {
			p.children(c, depth+1, inLink)
		}
	}
	if len(open) > 0 && p.raw != nil {
		end := &rawEnd{}
		if last := n.LastChild(); last.Kind() == footnoteList {
			n.InsertBefore(n, last, end) // the notes belong to the page, not to the open element
		} else {
			n.AppendChild(n, end)
		}
		p.raw[end] = closeTags(nil, open)
	}
}

func (p *pass) inline(n ast.Node) {
	if p.link == nil {
		return
	}
	if l, ok := inlineLink(p.src, n, p.defs); ok {
		l.Text, l.Section = nodeText(n, p.src), p.section
		p.link(l)
	}
}

// nodeText is the text of a node without its markup.
func nodeText(n ast.Node, src []byte) string {
	b := appendText(nil, n, src, 0)
	return string(bytes.TrimSpace(b))
}

func appendText(b []byte, n ast.Node, src []byte, depth int) []byte {
	for c := n.FirstChild(); c != nil && depth < maxTextDepth; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			if c.IsRaw() {
				b = append(b, c.Segment.Value(src)...)
			} else {
				b = append(b, unescape(c.Segment.Value(src))...)
			}
			if c.SoftLineBreak() || c.HardLineBreak() {
				b = append(b, ' ')
			}
		case *ast.String:
			b = append(b, c.Value...)
		case *ast.AutoLink:
			b = append(b, c.Label(src)...)
		case *wikiLink:
			b = append(b, c.label()...)
		case *mathSpan:
			b = append(b, c.tex.Value(src)...)
		default:
			b = appendText(b, c, src, depth+1)
		}
	}
	return b
}
