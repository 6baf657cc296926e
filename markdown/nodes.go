package markdown

import (
	"bytes"
	"html"
	"strconv"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/renderer"
	ghtml "github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
)

// output writes the tree as HTML. It is not modified after this and safe for
// concurrent use.
var output = renderer.NewRenderer(renderer.WithNodeRenderers(
	util.Prioritized(nodes{}, 100),
	util.Prioritized(extension.NewTableHTMLRenderer(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute)), 500),
	util.Prioritized(extension.NewStrikethroughHTMLRenderer(), 500),
	util.Prioritized(extension.NewDefinitionListHTMLRenderer(), 500),
	util.Prioritized(extension.NewTaskCheckBoxHTMLRenderer(), 500),
	util.Prioritized(ghtml.NewRenderer(), 1000),
))

const externalRel = "nofollow noopener noreferrer"

var footnoteList = east.KindFootnoteList

// nodes writes what differs from goldmark's own HTML.
type nodes struct{}

// nodeFunc writes a node on its sheet, once when it begins and once at its end.
type nodeFunc[N ast.Node] func(s *sheet, n N, entering bool) ast.WalkStatus

func on[N ast.Node](reg renderer.NodeRendererFuncRegisterer, kind ast.NodeKind, f nodeFunc[N]) {
	reg.Register(kind, func(w util.BufWriter, _ []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		return f(w.(*sheet), n.(N), entering), nil
	})
}

// RegisterFuncs implements goldmark's renderer.NodeRenderer.
func (nodes) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	on(reg, ast.KindHeading, (*sheet).heading)
	on(reg, ast.KindParagraph, (*sheet).paragraph)
	on(reg, ast.KindBlockquote, (*sheet).blockquote)
	on(reg, kindAlertTitle, (*sheet).alertTitle)
	on(reg, ast.KindListItem, (*sheet).listItem)
	on(reg, ast.KindFencedCodeBlock, (*sheet).fence)
	on(reg, ast.KindLink, (*sheet).link)
	on(reg, ast.KindImage, (*sheet).image)
	on(reg, ast.KindAutoLink, (*sheet).autoLink)
	on(reg, kindWikiLink, (*sheet).wikiLink)
	on(reg, kindMath, (*sheet).math)
	on(reg, kindMathBlock, (*sheet).mathBlock)
	on(reg, kindMark, (*sheet).mark)
	on(reg, ast.KindHTMLBlock, (*sheet).rawHTML)
	on(reg, ast.KindRawHTML, (*sheet).rawHTML)
	on(reg, kindRawEnd, (*sheet).rawHTML)
	on(reg, east.KindFootnoteLink, (*sheet).footnoteLink)
	on(reg, east.KindFootnoteBacklink, (*sheet).footnoteBacklink)
	on(reg, east.KindFootnote, (*sheet).footnote)
	on(reg, footnoteList, (*sheet).footnotes)
}

func (s *sheet) heading(n *ast.Heading, entering bool) ast.WalkStatus {
	tag := "h" + itoa(n.Level)
	id := s.ids[n]
	switch {
	case !entering:
		if id != "" && !s.o.Plain {
			s.WriteString(` <a class="anchor"`)
			s.attr("href", "#"+fragment(id))
			s.attr("aria-label", s.o.Texts.HeadingLink)
			s.WriteString("></a>")
		}
		s.WriteString("</" + tag + ">\n")
	case id != "":
		s.WriteString("<" + tag)
		s.attr("id", id)
		s.WriteByte('>')
	default:
		s.WriteString("<" + tag + ">")
	}
	return ast.WalkContinue
}

// paragraph leaves the <p> out around an embedded page.
func (s *sheet) paragraph(n *ast.Paragraph, entering bool) ast.WalkStatus {
	if w, ok := n.FirstChild().(*wikiLink); ok && s.block(w) {
		return ast.WalkContinue
	}
	if entering {
		s.WriteString("<p>")
	} else {
		s.WriteString("</p>\n")
	}
	return ast.WalkContinue
}

func (s *sheet) blockquote(n *ast.Blockquote, entering bool) ast.WalkStatus {
	kind, alert := n.Attribute(alertAttribute)
	switch {
	case alert && entering:
		s.WriteString(`<div class="alert alert-` + kind.(string) + "\">\n")
	case alert:
		s.WriteString("</div>\n")
	case entering:
		s.WriteString("<blockquote>\n")
	default:
		s.WriteString("</blockquote>\n")
	}
	return ast.WalkContinue
}

func (s *sheet) alertTitle(n *alertTitle, entering bool) ast.WalkStatus {
	if entering {
		s.WriteString(`<p class="alert-title">`)
		if !n.HasChildren() {
			escape(s.Buffer, []byte(s.o.Texts.alert(n.alert)))
		}
	} else {
		s.WriteString("</p>\n")
	}
	return ast.WalkContinue
}

func (s *sheet) listItem(n *ast.ListItem, entering bool) ast.WalkStatus {
	if !entering {
		s.WriteString("</li>\n")
		return ast.WalkContinue
	}
	first := n.FirstChild()
	if first != nil && first.FirstChild() != nil && first.FirstChild().Kind() == east.KindTaskCheckBox {
		s.WriteString(`<li class="task">`)
	} else {
		s.WriteString("<li>")
	}
	if first != nil && first.Kind() != ast.KindTextBlock {
		s.WriteByte('\n')
	}
	return ast.WalkContinue
}

func (s *sheet) fence(n *ast.FencedCodeBlock, entering bool) ast.WalkStatus {
	if !entering {
		return ast.WalkContinue
	}
	code := n.Lines().Value(s.src)
	switch lang := strings.ToLower(string(n.Language(s.src))); lang {
	case "mermaid":
		s.result.Mermaid = true
		s.WriteString(`<pre class="mermaid">`)
		escape(s.Buffer, code)
		s.WriteString("</pre>\n")
	case "math":
		s.display(bytes.TrimSpace(code))
	default:
		s.code(lang, code)
	}
	return ast.WalkSkipChildren
}

func (s *sheet) math(n *mathSpan, entering bool) ast.WalkStatus {
	if entering {
		s.result.Math = true
		class := "math inline"
		if n.display {
			class = "math display"
		}
		s.WriteString(`<span class="` + class + `">`)
		escape(s.Buffer, n.tex.Value(s.src))
		s.WriteString("</span>")
	}
	return ast.WalkContinue
}

func (s *sheet) mathBlock(n *mathBlock, entering bool) ast.WalkStatus {
	if entering {
		s.display(bytes.TrimSpace(n.Lines().Value(s.src)))
	}
	return ast.WalkContinue
}

func (s *sheet) display(tex []byte) {
	s.result.Math = true
	s.WriteString(`<div class="math display">`)
	escape(s.Buffer, tex)
	s.WriteString("</div>\n")
}

func (s *sheet) mark(_ *mark, entering bool) ast.WalkStatus {
	if entering {
		s.WriteString("<mark>")
	} else {
		s.WriteString("</mark>")
	}
	return ast.WalkContinue
}

func (s *sheet) rawHTML(n ast.Node, entering bool) ast.WalkStatus {
	if entering {
		s.raw = true
		s.Write(s.pass.raw[n])
	}
	return ast.WalkSkipChildren
}

func (s *sheet) footnoteLink(n *east.FootnoteLink, entering bool) ast.WalkStatus {
	if entering {
		s.WriteString(`<sup class="footnote-ref"`)
		s.attr("id", s.footnoteID("fnref:", n.Index, n.RefIndex))
		s.WriteString("><a")
		s.attr("href", "#"+s.footnoteID("fn:", n.Index, 0))
		s.WriteString(">" + itoa(n.Index) + "</a></sup>")
	}
	return ast.WalkContinue
}

func (s *sheet) footnoteBacklink(n *east.FootnoteBacklink, entering bool) ast.WalkStatus {
	if entering {
		s.WriteString(` <a class="footnote-back"`)
		s.attr("href", "#"+s.footnoteID("fnref:", n.Index, n.RefIndex))
		s.attr("aria-label", s.o.Texts.FootnoteTo)
		s.WriteString(">↩︎</a>")
	}
	return ast.WalkContinue
}

func (s *sheet) footnoteID(kind string, index, ref int) string {
	id := s.prefix + kind + itoa(index)
	if ref > 0 {
		id += ":" + itoa(ref)
	}
	return id
}

func (s *sheet) footnote(n *east.Footnote, entering bool) ast.WalkStatus {
	if entering {
		s.WriteString("<li")
		s.attr("id", s.footnoteID("fn:", n.Index, 0))
		s.WriteString(">\n")
	} else {
		s.WriteString("</li>\n")
	}
	return ast.WalkContinue
}

func (s *sheet) footnotes(_ *east.FootnoteList, entering bool) ast.WalkStatus {
	if entering {
		s.WriteString(`<section class="footnotes"`)
		s.attr("aria-label", s.o.Texts.Footnotes)
		s.WriteString(">\n<ol>\n")
	} else {
		s.WriteString("</ol>\n</section>\n")
	}
	return ast.WalkContinue
}

func (s *sheet) attr(key, value string) {
	s.WriteString(" " + key + `="`)
	s.WriteString(html.EscapeString(value))
	s.WriteByte('"')
}

func escape(w *bytes.Buffer, text []byte) { w.Write(util.EscapeHTML(text)) }

func itoa(n int) string { return strconv.Itoa(n) }
