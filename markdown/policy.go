package markdown

import (
	"bytes"
	"regexp"

	"github.com/microcosm-cc/bluemonday"
)

// policy is the last word on what reaches a reader, unless it is plain already that
// the policy would change nothing (canonical). Everything before it writes nothing
// else, so it changes no honest page. It is not modified after
// this and safe for concurrent use.
var policy = newPolicy()

// sanitise makes HTML safe. Pages with raw HTML in them always pass the policy.
func sanitise(html *bytes.Buffer, raw bool) []byte {
	if !raw && canonical(html.Bytes()) {
		return html.Bytes()
	}
	return policy.SanitizeReader(html).Bytes()
}

func newPolicy() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("a", "abbr", "b", "bdi", "bdo", "blockquote", "br", "caption", "center", "cite", "code", "col",
		"colgroup", "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3",
		"h4", "h5", "h6", "hr", "i", "img", "input", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "rp", "rt", "ruby",
		"s", "samp", "section", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot",
		"th", "thead", "tr", "u", "ul", "var", "wbr")
	p.AllowNoAttrs().OnElements("a", "span", "img")

	words := regexp.MustCompile(`^[A-Za-z0-9 +#._-]{1,100}$`)
	number := regexp.MustCompile(`^[0-9]{1,5}$`)
	p.AllowAttrs("class").Matching(words).Globally()
	p.AllowAttrs("id").Matching(regexp.MustCompile(`^[^\s"'<>` + "`" + `&]+$`)).Globally()
	p.AllowAttrs("title", "aria-label").Globally()
	p.AllowAttrs("lang").Matching(regexp.MustCompile(`^[A-Za-z0-9-]{1,35}$`)).Globally()
	p.AllowAttrs("dir").Matching(regexp.MustCompile(`(?i)^(?:ltr|rtl|auto)$`)).Globally()
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(?:left|right|center)$`)).OnElements("div", "p", "img", "td",
		"th", "tr", "h1", "h2", "h3", "h4", "h5", "h6")
	p.AllowAttrs("start").Matching(number).OnElements("ol")
	p.AllowAttrs("value").Matching(number).OnElements("li")
	p.AllowAttrs("span").Matching(number).OnElements("col", "colgroup")
	p.AllowAttrs("colspan", "rowspan").Matching(number).OnElements("td", "th")
	p.AllowAttrs("open").Matching(regexp.MustCompile(`^$`)).OnElements("details")

	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("rel").Matching(regexp.MustCompile(`^(?:` + externalRel + `|nofollow)$`)).OnElements("a")
	p.AllowAttrs("src", "alt").OnElements("img")
	p.AllowAttrs("width", "height").Matching(number).OnElements("img")
	p.AllowAttrs("loading").Matching(regexp.MustCompile(`^lazy$`)).OnElements("img")
	p.AllowAttrs("referrerpolicy").Matching(regexp.MustCompile(`^no-referrer$`)).OnElements("img")

	p.AllowAttrs("type").Matching(regexp.MustCompile(`^checkbox$`)).OnElements("input")
	p.AllowAttrs("checked", "disabled").Matching(regexp.MustCompile(`^$`)).OnElements("input")
	return p
}
