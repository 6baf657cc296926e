package notes

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"wikibot/markdown"
	"wikibot/wiki"
)

// Meta is what a page says of itself.
type Meta struct {
	Name     string   // the frontmatter's title, else the last segment of the path; one line
	Category string   // empty: none
	Tags     []string // as they are written; nil: none
	Words    int      // of the body without frontmatter, divided by white space
	Lang     string   // the frontmatter's lang or language; empty: none
}

// Bounds of what is kept of one page's frontmatter. A page shows all of it; lists
// and filters know this much.
const (
	maxTags  = 100
	maxValue = 200 // bytes of a title, a category, a tag
)

// MetaOf reads a page's metadata. Frontmatter that is no YAML counts as none.
// Cost: the text once, and the frontmatter's parsing, which is bounded.
func MetaOf(src []byte, p wiki.PagePath) Meta {
	props, body, _ := markdown.Frontmatter(src)
	return metaOf(props, body, p)
}

func metaOf(props []markdown.Property, body []byte, p wiki.PagePath) Meta {
	m := Meta{Words: countWords(body)}
	for _, prop := range props {
		if len(prop.Values) == 0 {
			continue
		}
		first := oneLine(prop.Values[0])
		switch strings.ToLower(prop.Key) {
		case "title":
			keep(&m.Name, first)
		case "category":
			keep(&m.Category, first)
		case "lang", "language":
			keep(&m.Lang, first)
		case "tags":
			if m.Tags == nil {
				m.Tags = tagsOf(prop.Values)
			}
		}
	}
	keep(&m.Name, p.Name())
	return m
}

// keep sets what is not set yet.
func keep(to *string, value string) {
	if *to == "" {
		*to = value
	}
}

// tagsOf are the tags of a list, or of one text in which commas divide them.
func tagsOf(values []string) []string {
	if len(values) == 1 {
		values = strings.Split(values[0], ",")
	}
	var tags []string
	for _, v := range values {
		v = strings.TrimPrefix(oneLine(v), "#")
		if v != "" && len(tags) < maxTags && !slices.ContainsFunc(tags, func(t string) bool { return strings.EqualFold(t, v) }) {
			tags = append(tags, v)
		}
	}
	return tags
}

// oneLine is a text without line breaks and other control characters, of at most
// maxValue bytes: it stands in header lines, which a page must not be able to forge.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if len(s) > maxValue {
		s = strings.ToValidUTF8(s[:maxValue], "")
	}
	return s
}

// countWords is len(strings.Fields(body)) without the words.
func countWords(body []byte) int {
	n, in := 0, false
	for i := 0; i < len(body); {
		c := body[i]
		if c < utf8.RuneSelf {
			space := c == ' ' || c >= '\t' && c <= '\r'
			if !space && !in {
				n++
			}
			in = !space
			i++
			continue
		}
		r, size := utf8.DecodeRune(body[i:])
		space := unicode.IsSpace(r)
		if !space && !in {
			n++
		}
		in = !space
		i += size
	}
	return n
}
