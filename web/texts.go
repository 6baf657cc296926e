package web

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"wikibot/markdown"
)

// catalogueSource is the catalogue of interface texts. A key is "group.name";
// {1}, {2} … stand for arguments. A text for a count has two forms,
// "name_one" and "name_other".
//
//go:embed texts/en.toml
var catalogueSource string

// catalogue holds every text that a person reads. It never changes.
type catalogue struct {
	texts   map[string]string
	version string
}

func loadTexts() (*catalogue, error) {
	var groups map[string]map[string]string
	if _, err := toml.Decode(catalogueSource, &groups); err != nil {
		return nil, fmt.Errorf("reading the catalogue of texts: %w", err)
	}
	c := &catalogue{texts: map[string]string{}, version: digest(catalogueSource)}
	for group, texts := range groups {
		for name, text := range texts {
			c.texts[group+"."+name] = text
		}
	}
	return c, nil
}

// lookup is the text of a key with its arguments in place.
func (c *catalogue) lookup(key string, args ...any) (string, error) {
	text, ok := c.texts[key]
	if !ok {
		return "", fmt.Errorf("no text %q in the catalogue", key)
	}
	if len(args) == 0 {
		return text, nil
	}
	pairs := make([]string, 0, 2*len(args))
	for i, a := range args {
		pairs = append(pairs, "{"+strconv.Itoa(i+1)+"}", fmt.Sprint(a))
	}
	return strings.NewReplacer(pairs...).Replace(text), nil
}

// get is lookup for keys that stand in Go; a test sees that they all exist.
func (c *catalogue) get(key string, args ...any) string {
	text, err := c.lookup(key, args...)
	if err != nil {
		return key
	}
	return text
}

// count is the text for n things.
func (c *catalogue) count(key string, n int) (string, error) {
	form := "_other"
	if n == 1 {
		form = "_one"
	}
	return c.lookup(key+form, number(n))
}

// markdownTexts are the catalogue's words for package markdown.
func (c *catalogue) markdownTexts() *markdown.Texts {
	return &markdown.Texts{
		Note: c.get("markdown.note"), Tip: c.get("markdown.tip"), Important: c.get("markdown.important"),
		Warning: c.get("markdown.warning"), Caution: c.get("markdown.caution"),
		HeadingLink: c.get("markdown.heading_link"), Footnotes: c.get("markdown.footnotes"), FootnoteTo: c.get("markdown.footnote_to"),
		Create: c.get("markdown.create"), BadFrontmatter: c.get("markdown.bad_frontmatter"),
		EmbedCycle: c.get("markdown.embed_cycle"), EmbedTooDeep: c.get("markdown.embed_too_deep"),
		EmbedNoSection: c.get("markdown.embed_no_section"), TooLarge: c.get("markdown.too_large"),
	}
}
