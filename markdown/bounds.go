package markdown

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// Bounds on what one page may make the parser do. Text beyond a bound is shown
// as it was written. Without them a page of a few hundred kilobytes could keep a
// core busy for minutes, since goldmark's work grows with the square of these.
const (
	maxNesting      = 64   // block quotes and lists within one another
	maxDelimiters   = 1000 // "*", "_", "~" and "=" runs that wait in one paragraph
	maxFootnotes    = 500
	maxFootnoteRefs = 2000
	maxTargets      = 16 << 20 // bytes in which the ends of links' targets are looked for
	maxCells        = 100_000  // of tables, filled up to the width of their heads
	maxDefinitions  = 1000     // lines of one paragraph in which definitions of links are looked for
	maxLabelLines   = 32 << 20 // lines that are passed on the way to links' labels
)

// bounded refuses to open a container within too many others.
type bounded struct{ parser.BlockParser }

func (b bounded) Open(parent ast.Node, r text.Reader, pc parser.Context) (ast.Node, parser.State) {
	if len(pc.OpenedBlocks()) >= maxNesting {
		return nil, parser.NoChildren
	}
	return b.BlockParser.Open(parent, r, pc)
}

// tables bounds the cells that a row gets because the table's head has them: a
// wide head and many short rows make the square of what is written.
type tables struct{ parser.ParagraphTransformer }

func (t tables) Transform(n *ast.Paragraph, r text.Reader, pc parser.Context) {
	lines, columns, written := n.Lines(), 0, 0
	for i := range lines.Len() {
		l := lines.At(i)
		line := l.Value(r.Source())
		written += len(line)
		if len(bytes.Trim(line, "|-: \t\r\n")) == 0 {
			columns = max(columns, bytes.Count(line, []byte("|"))+1)
		}
	}
	s := state(pc)
	if s.cells += max(0, columns*lines.Len()-written); s.cells <= maxCells {
		t.ParagraphTransformer.Transform(n, r, pc)
	}
}

// references bounds the definitions of links in one paragraph: for each of them,
// goldmark goes through all of its lines.
type references struct{ parser.ParagraphTransformer }

func (t references) Transform(n *ast.Paragraph, r text.Reader, pc parser.Context) {
	lines := n.Lines()
	if lines.Len() <= maxDefinitions {
		t.ParagraphTransformer.Transform(n, r, pc)
		return
	}
	if first := lines.At(0); !bytes.HasPrefix(bytes.TrimLeft(first.Value(r.Source()), " "), []byte("[")) {
		return
	}
	head, rest := ast.NewParagraph(), text.NewSegments()
	head.SetBlankPreviousLines(n.HasBlankPreviousLines())
	for i := range maxDefinitions {
		head.Lines().Append(lines.At(i))
	}
	n.Parent().InsertBefore(n.Parent(), n, head)
	t.ParagraphTransformer.Transform(head, r, pc)
	if head.Parent() != nil { // with what is no definition
		rest.AppendAll(head.Lines().Sliced(0, head.Lines().Len()))
		head.Parent().RemoveChild(head.Parent(), head)
	}
	rest.AppendAll(lines.Sliced(maxDefinitions, lines.Len()))
	n.SetLines(rest)
}

// footnoteBlocks bounds the definitions of footnotes.
type footnoteBlocks struct{ parser.BlockParser }

func (b footnoteBlocks) Open(parent ast.Node, r text.Reader, pc parser.Context) (ast.Node, parser.State) {
	s := state(pc)
	if s.footnotes >= maxFootnotes || len(pc.OpenedBlocks()) >= maxNesting {
		return nil, parser.NoChildren
	}
	n, st := b.BlockParser.Open(parent, r, pc)
	if n != nil {
		s.footnotes++
	}
	return n, st
}

// footnoteRefs bounds the references to footnotes.
type footnoteRefs struct{ parser.InlineParser }

func (p footnoteRefs) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	s := state(pc)
	if s.footnotes == 0 || s.refs >= maxFootnoteRefs {
		return nil
	}
	line, _ := block.PeekLine()
	if i := bytes.IndexByte(line, '['); i < 0 || i > 1 || i+1 >= len(line) || line[i+1] != '^' {
		return nil
	}
	s.refs++
	return p.InlineParser.Parse(parent, block, pc)
}

// delimiters bounds the runs that wait for their partner in one paragraph.
type delimiters struct{ parser.InlineParser }

func (p delimiters) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	s := state(pc)
	if pc.LastDelimiter() == nil {
		s.delims = 0
	}
	if s.delims >= maxDelimiters {
		return nil
	}
	n := p.InlineParser.Parse(parent, block, pc)
	if n != nil {
		s.delims++
	}
	return n
}

// codeSpans looks ahead for the closing run, once for each length, where
// goldmark would search the whole paragraph for every opening one.
type codeSpans struct{ parser.InlineParser }

func (p codeSpans) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	line, segment := block.PeekLine()
	n := 0
	for n < len(line) && line[n] == '`' {
		n++
	}
	s := state(pc)
	if f := s.ticks[n]; segment.Start >= f[0] && segment.Start < f[1] {
		block.Advance(n)
		return ast.NewTextSegment(segment.WithStop(segment.Start + n))
	}
	node := p.InlineParser.Parse(parent, block, pc)
	if _, isText := node.(*ast.Text); isText {
		if s.ticks == nil {
			s.ticks = map[int][2]int{}
		}
		s.ticks[n] = [2]int{segment.Start, blockEnd(parent)}
	}
	return node
}

// blockEnd is the offset at which the text of the enclosing block ends.
func blockEnd(n ast.Node) int {
	lines := blockLines(n)
	if lines == nil || lines.Len() == 0 {
		return 0
	}
	return lines.At(lines.Len() - 1).Stop
}

// blockLines is the text of the enclosing block; nil: there is none.
func blockLines(n ast.Node) *text.Segments {
	for n != nil && n.Type() == ast.TypeInline {
		n = n.Parent()
	}
	if n == nil {
		return nil
	}
	return n.Lines()
}
