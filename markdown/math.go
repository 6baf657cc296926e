package markdown

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// maxInlineMath bounds the search for the dollar that closes a formula.
const maxInlineMath = 2048

var (
	kindMath      = ast.NewNodeKind("Math")
	kindMathBlock = ast.NewNodeKind("MathBlock")
	kindMark      = ast.NewNodeKind("Mark")
)

// mathSpan is $…$, $`…`$ or, on one line, $$…$$.
type mathSpan struct {
	ast.BaseInline
	tex     text.Segment
	display bool
}

func (n *mathSpan) Kind() ast.NodeKind            { return kindMath }
func (n *mathSpan) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

type mathParser struct{}

func (mathParser) Trigger() []byte { return []byte{'$'} }

// Parse follows pandoc's tex_math_dollars: no space inside the dollars, no digit
// after the closing one, so that "$5 and $6" is money; and GitHub's $`…`$.
func (mathParser) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, segment := block.PeekLine()
	line = line[:min(len(line), maxInlineMath)]
	open, clos := []byte("$"), []byte("$")
	switch {
	case bytes.HasPrefix(line, []byte("$$")):
		open, clos = []byte("$$"), []byte("$$")
	case bytes.HasPrefix(line, []byte("$`")):
		open, clos = []byte("$`"), []byte("`$")
	}
	n := mathEnd(line[len(open):], clos)
	if n <= 0 {
		return nil
	}
	start := segment.Start + len(open)
	block.Advance(len(open) + n + len(clos))
	return &mathSpan{tex: text.NewSegment(start, start+n), display: len(open) == 2 && open[1] == '$'}
}

// mathEnd is the length of the TeX before the closing delimiter, or -1.
func mathEnd(s, clos []byte) int {
	single := len(clos) == 1
	if len(s) == 0 || single && util.IsSpace(s[0]) {
		return -1
	}
	for i := 0; i+len(clos) <= len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case bytes.HasPrefix(s[i:], clos):
			after := i + len(clos)
			if single && (util.IsSpace(s[i-min(i, 1)]) || after < len(s) && s[after] >= '0' && s[after] <= '9') {
				return -1
			}
			return i
		}
	}
	return -1
}

// mathBlock is $$ … $$ over several lines.
type mathBlock struct {
	ast.BaseBlock
	oneLine bool
}

func (n *mathBlock) Kind() ast.NodeKind            { return kindMathBlock }
func (n *mathBlock) IsRaw() bool                   { return true }
func (n *mathBlock) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

type mathBlockParser struct{}

func (mathBlockParser) Trigger() []byte             { return []byte{'$'} }
func (mathBlockParser) CanInterruptParagraph() bool { return true }
func (mathBlockParser) CanAcceptIndentedLine() bool { return false }

// Open takes a line that is "$$" alone, or "$$ TeX $$".
func (mathBlockParser) Open(_ ast.Node, r text.Reader, pc parser.Context) (ast.Node, parser.State) {
	line, segment := r.PeekLine()
	pos := pc.BlockOffset()
	if pos < 0 || !bytes.HasPrefix(line[pos:], []byte("$$")) {
		return nil, parser.NoChildren
	}
	rest := bytes.TrimRight(line[pos+2:], " \t\r\n")
	if len(rest) == 0 {
		r.AdvanceToEOL()
		return &mathBlock{}, parser.NoChildren
	}
	tex, ok := bytes.CutSuffix(rest, []byte("$$"))
	if !ok || segment.Padding != 0 || len(bytes.TrimSpace(tex)) == 0 || bytes.Contains(tex, []byte("$$")) {
		return nil, parser.NoChildren
	}
	n := &mathBlock{oneLine: true}
	start := segment.Start + pos + 2
	n.Lines().Append(text.NewSegment(start, start+len(tex)))
	r.AdvanceToEOL()
	return n, parser.NoChildren
}

func (mathBlockParser) Continue(n ast.Node, r text.Reader, _ parser.Context) parser.State {
	if n.(*mathBlock).oneLine {
		return parser.Close
	}
	line, segment := r.PeekLine()
	if string(bytes.TrimSpace(line)) == "$$" {
		r.AdvanceToEOL()
		return parser.Close
	}
	n.Lines().Append(segment)
	r.AdvanceToEOL()
	return parser.Continue | parser.NoChildren
}

func (mathBlockParser) Close(ast.Node, text.Reader, parser.Context) {}

// mark is ==…==.
type mark struct{ ast.BaseInline }

func (n *mark) Kind() ast.NodeKind            { return kindMark }
func (n *mark) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

type markParser struct{}

func (markParser) Trigger() []byte { return []byte{'='} }

func (markParser) Parse(_ ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before := block.PrecendingCharacter()
	line, segment := block.PeekLine()
	if before == '=' || len(line) > 2 && line[2] == '=' { // ScanDelimiter would read the whole run
		return nil
	}
	n := parser.ScanDelimiter(line, before, 2, markProcessor{})
	if n == nil || n.OriginalLength != 2 {
		return nil
	}
	n.Segment = segment.WithStop(segment.Start + 2)
	block.Advance(2)
	pc.PushDelimiter(n)
	return n
}

type markProcessor struct{}

func (markProcessor) IsDelimiter(b byte) bool                   { return b == '=' }
func (markProcessor) CanOpenCloser(o, c *parser.Delimiter) bool { return o.Char == c.Char }
func (markProcessor) OnMatch(int) ast.Node                      { return &mark{} }
