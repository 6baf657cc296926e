package markdown

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// grammar is the parser of the package; linkGrammar is the same, but leaves out
// paragraphs that cannot hold a link. They are not modified after this and safe
// for concurrent use.
var (
	grammar     = newGrammar()
	linkGrammar = newGrammar(parser.WithParagraphTransformers(util.Prioritized(linkless{}, 300)))
)

// newGrammar lists goldmark's own parsers and ours. The numbers are goldmark's
// priorities; a lower one is asked first.
func newGrammar(more ...parser.Option) parser.Parser {
	return parser.NewParser(append([]parser.Option{
		parser.WithBlockParsers(
			util.Prioritized(parser.NewSetextHeadingParser(), 100),
			util.Prioritized(extension.NewDefinitionListParser(), 101),
			util.Prioritized(extension.NewDefinitionDescriptionParser(), 102),
			util.Prioritized(parser.NewThematicBreakParser(), 200),
			util.Prioritized(bounded{parser.NewListParser()}, 300),
			util.Prioritized(parser.NewListItemParser(), 400), // opens in a list only, which is bounded and must get its item
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewATXHeadingParser(), 600),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(mathBlockParser{}, 750),
			util.Prioritized(bounded{parser.NewBlockquoteParser()}, 800),
			util.Prioritized(parser.NewHTMLBlockParser(), 900),
			util.Prioritized(footnoteBlocks{extension.NewFootnoteBlockParser()}, 999),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(extension.NewTaskCheckBoxParser(), 0),
			util.Prioritized(codeSpans{parser.NewCodeSpanParser()}, 100),
			util.Prioritized(footnoteRefs{extension.NewFootnoteParser()}, 101),
			util.Prioritized(wikiLinkParser{}, 150),
			util.Prioritized(mathParser{}, 160),
			util.Prioritized(newLinkSpans(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewRawHTMLParser(), 400),
			util.Prioritized(delimiters{parser.NewEmphasisParser()}, 500),
			util.Prioritized(delimiters{extension.NewStrikethroughParser()}, 501),
			util.Prioritized(delimiters{markParser{}}, 502),
			util.Prioritized(bareURLs{goldmark: extension.NewLinkifyParser()}, 90),
		),
		parser.WithParagraphTransformers(
			util.Prioritized(references{parser.LinkReferenceParagraphTransformer}, 100),
			util.Prioritized(tables{extension.NewTableParagraphTransformer()}, 200),
		),
		parser.WithASTTransformers(
			util.Prioritized(extension.NewTableASTTransformer(), 0),
			util.Prioritized(extension.NewFootnoteASTTransformer(), 999),
		),
	}, more...)...)
}

// linkless takes paragraphs without "[" and "<" off the tree before their text is
// read, which is most of the work. A paragraph whose next line could make it a
// heading or a term stays.
type linkless struct{}

func (linkless) Transform(n *ast.Paragraph, r text.Reader, _ parser.Context) {
	lines := n.Lines()
	for i := range lines.Len() {
		line := lines.At(i)
		if bytes.IndexByte(line.Value(r.Source()), '[') >= 0 || bytes.IndexByte(line.Value(r.Source()), '<') >= 0 {
			return
		}
	}
	next, _ := r.PeekLine()
	if next = bytes.TrimSpace(next); len(next) > 0 && (next[0] == '=' || next[0] == '-' || next[0] == ':') {
		return
	}
	n.Parent().RemoveChild(n.Parent(), n)
}

// parse reads a page's body (without its frontmatter).
func parse(body []byte, style Style) ast.Node { return parseWith(grammar, body, style) }

// parseWith shows a body on which goldmark panics as it is written: what one
// person wrote must not take the server from all others.
func parseWith(g parser.Parser, body []byte, style Style) (doc ast.Node) {
	defer func() {
		if recover() != nil {
			block := ast.NewCodeBlock()
			block.Lines().Append(text.NewSegment(0, len(body)))
			doc = ast.NewDocument()
			doc.AppendChild(doc, block)
		}
	}()
	pc := parser.NewContext()
	pc.Set(stateKey, &parseState{style: style})
	return g.Parse(text.NewReader(body), parser.WithContext(pc))
}

var stateKey = parser.NewContextKey()

// parseState is what our parsers share while one page is read.
type parseState struct {
	style     Style
	delims    int            // live delimiters of the present block
	footnotes int            // definitions so far
	refs      int            // references to footnotes so far
	targets   int            // bytes in which the ends of links' targets were looked for
	passed    int            // lines that were passed on the way to links' labels
	cells     int            // cells of tables that no text stands for
	ticks     map[int][2]int // length of a run of backticks: where none of its kind follows
}

func state(pc parser.Context) *parseState { return pc.Get(stateKey).(*parseState) }
