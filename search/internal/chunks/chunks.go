// Package chunks cuts a page into the pieces that search finds and embeds.
//
// The frontmatter is left out. The body is cut at headings, as the renderer knows
// them. Sections under 50 words join the next one, one at the end joins the one
// before. What then has 300 words or more is cut at paragraphs into pieces of
// about 150 words, each of which but the first of a section begins with the last
// 35 words of the one before. A paragraph over 300 words is cut at sentences, and
// a sentence over 150 between words, so that no chunk has more than 385 words or
// 50,000 bytes, whatever the page.
//
//	# Storage              [Storage] Pages are blobs. …
//	Pages are blobs. …
//	## Packs               [Storage > Packs] A pack holds objects. …
//	A pack holds objects. …
//
// A word is what stands between spaces and has a letter or digit in it. In scripts
// that are written without spaces two characters are a word (Han, kana) or four
// (Thai, Lao, Khmer, Burmese), and of what is long without being text every 64
// bytes are one.
package chunks

import (
	"bytes"
	"crypto/sha256"
	"strings"

	"wikibot/markdown"
	"wikibot/wiki"
)

// The sizes of chunks, in words.
const (
	minSection   = 50  // a smaller section joins its neighbour
	maxSection   = 300 // from here on a section is cut
	maxParagraph = 300 // a larger paragraph is cut
	target       = 150
	overlap      = 35
)

// maxFormatted is the size of the largest page, in bytes, that is rendered; larger
// ones are shown as their source and have no headings to lead to.
const maxFormatted = 2 << 20

// Page is what search knows of a page by its text alone.
type Page struct {
	Title    string   // as markdown.Title has it, at most 500 bytes
	Category string   // property category
	Language string   // property language or lang, in lower case: "de", "pt-br"
	Tags     []string // property tags, a list or a text with commas, without "#"
	Aliases  []string // property aliases, likewise
	Words    int      // of the body
	Chunks   []Chunk  // at least one
}

// Chunk is a piece of a page.
type Chunk struct {
	Section []string // the page's title and at most three headings down to the chunk's section
	Anchor  string   // the id of the section's heading as markdown renders it; "" for the top of the page
	Start   int      // the bytes [Start, End) of the page are the chunk, its heading included
	End     int
	Line    int // where Start is, 1-based
	Words   int
	Text    string // "[Title > Heading] " and the bytes, without the heading if it says the same
}

// Split cuts a page into chunks. Every byte of the body that holds a word lies in
// a chunk, and what stands between two spaces lies whole in one, unless it is longer
// than 64 bytes. A page without words has one chunk: its title. Where a chunk holds
// several sections, it is called after the one that takes most of it. Time and memory
// grow with the page's length.
func Split(src []byte, p wiki.PagePath) Page { return SplitIn(src, p, markdown.TargetFirst) }

// SplitIn is Split in a wiki of a style, on which the anchor of a heading that is
// a wikilink depends.
func SplitIn(src []byte, p wiki.PagePath, style markdown.Style) Page {
	props, body, _ := markdown.Frontmatter(src)
	page := properties(props)
	if page.Title == "" {
		page.Title = clip(oneLine(markdown.Title(src, p)), maxTitle)
	}
	c := cutter{src: src, title: page.Title}
	segments := c.segments(len(src)-len(body), style)
	for _, s := range segments {
		page.Words += s.words
	}
	for _, g := range groups(segments) {
		c.cut(g)
	}
	page.Chunks = c.chunks
	return page
}

// Text is the chunk's Text, made from the page that it was cut from. It needs
// Section, Start and End.
func Text(src []byte, c Chunk) string {
	var b strings.Builder
	body := bytes.TrimSpace(src[body(src, c):c.End])
	b.Grow(len(body) + 64)
	b.WriteByte('[')
	for i, s := range c.Section {
		if i > 0 {
			b.WriteString(" > ")
		}
		b.WriteString(s)
	}
	b.WriteString("] ")
	b.Write(body)
	return strings.ToValidUTF8(b.String(), "\ufffd")
}

// body is where the chunk's text begins: after its heading, if that is a line
// "# Heading" which has no more words in it than the last title of Section.
func body(src []byte, c Chunk) int {
	if c.Start > 0 && src[c.Start-1] != '\n' || c.Start == c.End || src[c.Start] != '#' {
		return c.Start
	}
	line, _, _ := bytes.Cut(src[c.Start:c.End], []byte("\n"))
	if string(bytes.Trim(line, "# \t\r")) != c.Section[len(c.Section)-1] {
		return c.Start
	}
	return min(c.Start+len(line)+1, c.End)
}

// Hash is the name of a chunk's text: what has the same name is not embedded
// again. It is the first half of SHA-256.
func Hash(text string) [16]byte {
	sum := sha256.Sum256([]byte(text))
	return [16]byte(sum[:16])
}
