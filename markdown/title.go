package markdown

import (
	"bytes"
	"strings"

	"github.com/yuin/goldmark/ast"

	"wikibot/wiki"
)

// Title is what a page is called: the frontmatter's title, else its first
// heading of level 1, else the last component of its path. It reads no further
// than that heading.
func Title(src []byte, p wiki.PagePath) string {
	head, off := frontmatter(src)
	var props []Property
	if off > 0 && bytes.Contains(bytes.ToLower(head), []byte("title")) {
		props, _ = parseProperties(head)
	}
	return title(props, src[off:], p)
}

func title(props []Property, body []byte, p wiki.PagePath) string {
	for _, prop := range props {
		if strings.EqualFold(prop.Key, "title") && len(prop.Values) > 0 && strings.TrimSpace(prop.Values[0]) != "" {
			return strings.TrimSpace(prop.Values[0])
		}
	}
	if t := firstHeading(body); t != "" {
		return t
	}
	return p.Name()
}

// firstHeading finds the first "# Title", or a title underlined with "=", outside
// fences.
func firstHeading(body []byte) string {
	var fence, before []byte
	for len(body) > 0 {
		line, n := cutLine(body)
		body = body[n:]
		trimmed := bytes.TrimLeft(line, " ")
		indent := len(line) - len(trimmed)
		switch {
		case fence != nil:
			if indent < 4 && bytes.HasPrefix(trimmed, fence) && len(bytes.Trim(trimmed, string(fence[:1]))) == 0 {
				fence = nil
			}
			before = nil
			continue
		case indent > 3:
		case isFence(trimmed):
			fence = trimmed[:len(trimmed)-len(bytes.TrimLeft(trimmed, string(trimmed[:1])))]
			continue
		case bytes.HasPrefix(trimmed, []byte("# ")) || string(trimmed) == "#":
			return lineText(trimmed)
		case len(before) > 0 && len(trimmed) > 0 && len(bytes.Trim(trimmed, "=")) == 0:
			return lineText(append(append([]byte("# "), before...), " #"...))
		}
		before = trimmed
	}
	return ""
}

func isFence(line []byte) bool {
	return bytes.HasPrefix(line, []byte("```")) && bytes.IndexByte(bytes.TrimLeft(line, "`"), '`') < 0 ||
		bytes.HasPrefix(line, []byte("~~~"))
}

// lineText is the text of one line's heading without its markup.
func lineText(line []byte) string {
	if !bytes.ContainsAny(line[1:], inlineMarkup) {
		return string(bytes.TrimSpace(line[1:]))
	}
	h, ok := parse(line, TargetFirst).FirstChild().(*ast.Heading)
	if !ok {
		return ""
	}
	return nodeText(h, line)
}
