package markdown

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"
)

var kindAlertTitle = ast.NewNodeKind("AlertTitle")

// alertTitle is the first line of an alert: its own title, or the kind's.
type alertTitle struct {
	ast.BaseBlock
	alert string
}

func (n *alertTitle) Kind() ast.NodeKind            { return kindAlertTitle }
func (n *alertTitle) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// alertAttribute marks a block quote that is an alert with the alert's kind.
var alertAttribute = []byte("alert")

// alertKind is the kind on a block quote's first line ("[!NOTE]", then perhaps
// Obsidian's fold mark and a title), in lower case, and the length of the mark.
func alertKind(line []byte) (kind string, n int) {
	indent := len(line) - len(bytes.TrimLeft(line, " "))
	rest := line[indent:]
	if !bytes.HasPrefix(rest, []byte("[!")) {
		return "", 0
	}
	end := bytes.IndexByte(rest[:min(len(rest), 16)], ']')
	if end < 0 {
		return "", 0
	}
	kind = strings.ToLower(string(rest[2:end]))
	switch kind {
	case "note", "tip", "important", "warning", "caution":
	default:
		return "", 0
	}
	n = indent + end + 1
	if n < len(line) && (line[n] == '+' || line[n] == '-') {
		n++
	}
	if n < len(line) && line[n] != ' ' && line[n] != '\t' && line[n] != '\r' && line[n] != '\n' {
		return "", 0
	}
	return kind, n
}

// alert turns a block quote that begins with "[!NOTE]" into an alert: the rest
// of that line becomes its title.
func (p *pass) alert(quote *ast.Blockquote) {
	para, ok := quote.FirstChild().(*ast.Paragraph)
	if !ok || para.Lines().Len() == 0 {
		return
	}
	line := para.Lines().At(0)
	kind, n := alertKind(line.Value(p.src))
	if kind == "" {
		return
	}
	if t, ok := para.FirstChild().(*ast.Text); !ok || t.Segment.Start > line.Start+n {
		return
	}
	title := &alertTitle{alert: kind}
	after := line.Start + n - line.Padding
	for c := para.FirstChild(); c != nil; {
		next := c.NextSibling()
		t, isText := c.(*ast.Text)
		last := isText && (t.SoftLineBreak() || t.HardLineBreak())
		if isText {
			t.SetSoftLineBreak(false)
			t.SetHardLineBreak(false)
		}
		switch {
		case isText && t.Segment.Stop <= after:
			para.RemoveChild(para, c)
		case isText && t.Segment.Start < after:
			seg := t.Segment.WithStart(after)
			t.Segment = seg.TrimLeftSpace(p.src)
			fallthrough
		default:
			title.AppendChild(title, c)
		}
		if last {
			break
		}
		c = next
	}
	if !para.HasChildren() {
		quote.RemoveChild(quote, para)
	}
	if first := quote.FirstChild(); first != nil {
		quote.InsertBefore(quote, first, title)
	} else {
		quote.AppendChild(quote, title)
	}
	quote.SetAttribute(alertAttribute, kind)
}

func (t *Texts) alert(kind string) string {
	switch kind {
	case "tip":
		return t.Tip
	case "important":
		return t.Important
	case "warning":
		return t.Warning
	case "caution":
		return t.Caution
	}
	return t.Note
}
