package chunks

import (
	"strings"
	"unicode/utf8"

	"wikibot/markdown"
)

// Bounds of what is taken over from a page's properties and headings, since
// titles are repeated in every chunk.
const (
	maxTitle  = 500 // bytes
	maxName   = 200 // bytes of a heading, a category, a tag
	maxAnchor = 1000
	maxNames  = 100 // tags, and aliases
)

// properties takes from the frontmatter what search knows of. The first of a key
// counts.
func properties(props []markdown.Property) (p Page) {
	for _, prop := range props {
		if len(prop.Values) == 0 {
			continue
		}
		first := clip(oneLine(prop.Values[0]), maxName)
		switch key := strings.ToLower(prop.Key); {
		case key == "title" && p.Title == "":
			p.Title = clip(oneLine(prop.Values[0]), maxTitle)
		case key == "category" && p.Category == "":
			p.Category = first
		case (key == "language" || key == "lang") && p.Language == "":
			p.Language = strings.ToLower(first)
		case key == "tags" && p.Tags == nil:
			p.Tags = names(prop.Values, "#")
		case key == "aliases" && p.Aliases == nil:
			p.Aliases = names(prop.Values, "")
		}
	}
	return p
}

// names are the values of a list, or what stands between the commas of a text.
func names(values []string, sign string) []string {
	if len(values) == 1 {
		values = strings.Split(values[0], ",")
	}
	var list []string
	for _, v := range values {
		v = clip(strings.TrimSpace(strings.TrimLeft(oneLine(v), sign)), maxName)
		if v != "" && len(list) < maxNames {
			list = append(list, v)
		}
	}
	return list
}

func oneLine(s string) string {
	s = strings.TrimSpace(s)
	if strings.ContainsAny(s, "\n\r\t") || strings.Contains(s, "  ") {
		return strings.Join(strings.Fields(s), " ")
	}
	return s
}

// clip shortens a text to so many bytes.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	most -= len("…")
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
