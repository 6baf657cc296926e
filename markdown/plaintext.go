package markdown

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	east "github.com/yuin/goldmark/extension/ast"
)

// PlainText is what a reader reads of a page: no frontmatter, no markup, one line
// for each block, code and TeX as written. For snippets and search.
func PlainText(src []byte) string {
	_, off := frontmatter(src)
	body := src[off:]
	doc := parse(body, TargetFirst)
	b := plainBlock(make([]byte, 0, len(body)), doc, body, 0)
	return string(bytes.TrimSpace(b))
}

func plainBlock(b []byte, n ast.Node, src []byte, depth int) []byte {
	for c := n.FirstChild(); c != nil && depth < maxDepth; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.LinkReferenceDefinition, *ast.HTMLBlock:
		case *ast.CodeBlock, *ast.FencedCodeBlock, *mathBlock:
			b = newLine(append(b, c.Lines().Value(src)...))
		case *east.TableCell:
			b = append(appendText(b, c, src, depth), ' ')
		default:
			switch {
			case c.Type() == ast.TypeInline:
				return newLine(appendText(b, n, src, depth))
			case c.HasChildren():
				b = newLine(plainBlock(b, c, src, depth+1))
			}
		}
	}
	return b
}

func newLine(b []byte) []byte {
	b = bytes.TrimRight(b, " \n")
	if len(b) > 0 {
		b = append(b, '\n')
	}
	return b
}
