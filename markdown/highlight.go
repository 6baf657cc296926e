package markdown

import (
	_ "embed"
	"html"
	"strings"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
)

// maxLanguage is the longest name of a language.
const maxLanguage = 32

// code writes a block of code, with chroma's classes where its language is known
// and it is not too large.
func (s *sheet) code(lang string, code []byte) {
	lang = language(lang)
	s.WriteString(`<pre class="chroma"><code`)
	if lang != "" {
		s.WriteString(` class="language-` + lang + `"`)
	}
	s.WriteByte('>')
	if !s.highlight(lang, code) {
		escape(s.Buffer, code)
	}
	s.WriteString("</code></pre>\n")
}

// language keeps a name that is fit for a class: letters, digits and "+#.-_".
func language(lang string) string {
	if i := strings.IndexAny(lang, ",{:"); i >= 0 {
		lang = lang[:i]
	}
	if len(lang) > maxLanguage {
		return ""
	}
	for i := 0; i < len(lang); i++ {
		c := lang[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte("+#.-_", c) >= 0) {
			return ""
		}
	}
	return lang
}

// highlight writes code in colours; false, and nothing written, where it cannot.
func (s *sheet) highlight(lang string, code []byte) bool {
	if lang == "" || len(code) > maxCodeBlock || s.highlighted+len(code) > maxHighlighted {
		return false
	}
	lexer := lexers.Get(lang)
	if lexer == nil {
		return false
	}
	s.highlighted += len(code)
	tokens, err := chroma.Coalesce(lexer).Tokenise(&chroma.TokeniseOptions{State: "root", EnsureLF: true}, string(code))
	if err != nil {
		return false
	}
	for t := tokens(); t != chroma.EOF; t = tokens() {
		class := chroma.StandardTypes[t.Type]
		if class == "" || t.Type == chroma.Text || strings.TrimSpace(t.Value) == "" {
			s.WriteString(html.EscapeString(t.Value))
			continue
		}
		s.WriteString(`<span class="` + class + `">`)
		s.WriteString(html.EscapeString(t.Value))
		s.WriteString("</span>")
	}
	return true
}

// The colours of code: chroma's styles "github" and "github-dark", as
// TestHighlightCSS writes them. They are files because importing chroma's styles
// costs every start of the program 16 ms.
var (
	//go:embed highlight-light.css
	lightCSS string
	//go:embed highlight-dark.css
	darkCSS string
)

// HighlightCSS is the style of code for light and for dark pages. All rules are
// for ".chroma" and what is in it; nothing is loaded from elsewhere.
func HighlightCSS() (light, dark string) { return lightCSS, darkCSS }
