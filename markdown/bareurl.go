package markdown

import (
	"bytes"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// bareURLs is goldmark's linkifier, asked only where a URL or an e-mail address
// is certain to be: at "://", "www." and "@". By itself it would look at every
// word of the page, which takes longer than all other parsing together.
type bareURLs struct{ goldmark parser.InlineParser }

func (bareURLs) Trigger() []byte { return []byte{':', '.', '@'} }

// Parse finds where the URL began, in the text that is on the tree already, lets
// goldmark read it from there and takes its beginning off that text.
func (p bareURLs) Parse(parent ast.Node, block text.Reader, pc parser.Context) ast.Node {
	before, ok := parent.LastChild().(*ast.Text)
	if !ok || pc.IsInLinkLabel() {
		return nil
	}
	line, segment := block.PeekLine()
	src := block.Source()
	if before.Segment.Stop != segment.Start || before.SoftLineBreak() || segment.Padding != 0 {
		return nil
	}
	n := headLength(src[before.Segment.Start:before.Segment.Stop], line)
	if n == 0 {
		return nil
	}
	start := segment.Start - n
	if start > before.Segment.Start && !urlBoundary(src[start-1]) {
		return nil
	}
	row, _ := block.Position()
	block.SetPosition(row, segment.WithStart(start))
	link := p.goldmark.Parse(parent, block, pc)
	if link == nil {
		return nil
	}
	if start == before.Segment.Start {
		parent.RemoveChild(parent, before)
	} else {
		before.Segment = before.Segment.WithStop(start)
	}
	link.SetPos(start)
	return link
}

func urlBoundary(c byte) bool {
	return c == ' ' || c == '\t' || c == '*' || c == '_' || c == '~' || c == '('
}

// headLength is how much of a URL or an address stands at the end of the text
// before its ":", "." or "@"; 0 where there is none.
func headLength(before, line []byte) int {
	switch line[0] {
	case ':':
		if bytes.HasPrefix(line, []byte("://")) {
			for _, s := range [...]string{"https", "http", "ftp"} {
				if bytes.HasSuffix(before, []byte(s)) {
					return len(s)
				}
			}
		}
	case '.':
		if bytes.HasSuffix(before, []byte("www")) {
			return 3
		}
	case '@':
		return mailName(before)
	}
	return 0
}

const maxMailName = 64 // RFC 5321, section 4.5.3.1.1

// mailName is the length of the name of a mailbox at the end of a text.
func mailName(before []byte) int {
	n := 0
	for n < len(before) && n < maxMailName {
		c := before[len(before)-1-n]
		alnum := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !alnum && bytes.IndexByte([]byte(".!#$%&'+/=?^`{|}-_"), c) < 0 {
			break
		}
		n++
	}
	return n
}
