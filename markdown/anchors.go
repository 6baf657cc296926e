package markdown

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"
)

// Anchors are the ids of a page's headings as Render gives them, sorted, and apart
// from them the ids in its raw HTML as they were written, which only links on the
// page itself reach. It costs about what Links does.
func Anchors(src []byte, style Style) (headings, raw []string) {
	if len(src) > maxSource {
		return nil, nil // shown as its source
	}
	if !utf8.Valid(src) {
		src = bytes.ToValidUTF8(src, []byte("\ufffd"))
	}
	_, off := frontmatter(src)
	body := src[off:]
	if !bytes.ContainsAny(body, "#=-<") {
		return nil, nil
	}
	var taken slugs
	p := pass{src: body, link: func(Link) {}, ids: map[string]bool{}} // without a link raw HTML is not read
	p.heading = func(_ *ast.Heading, text string) { headings = append(headings, taken.take(text)) }
	p.run(parseWith(linkGrammar, body, style))
	for id := range p.ids {
		raw = append(raw, id)
	}
	slices.Sort(headings)
	slices.Sort(raw)
	return headings, raw
}
