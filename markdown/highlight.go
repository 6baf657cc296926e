package markdown

import (
	_ "embed"
	"html"
	"strings"
	"time"

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

// maxHighlightTime ends the colours of a block that takes chroma too long; the
// rest of it is plain. Honest code takes milliseconds.
const maxHighlightTime = 300 * time.Millisecond

// coloured are the names of the languages that are given to chroma. It is a list
// of what people write, not of all that chroma knows: some of its lexers (Jungle,
// in 2.27) never end on input that is not theirs, and nothing can stop them.
// TestLexersEnd tries these.
var coloured = nameSet(`ada apache apacheconf arduino asm awk bash bat batch c c# c++ clojure cmake cobol coffeescript
	console cpp crystal cs csharp css cue d dart diff django docker dockerfile elisp elixir elm erlang
	fish fortran fsharp gherkin glsl go go-template golang graphql groovy handlebars haskell hcl hs html http ini java
	javascript jinja js json jsonnet jsx julia kotlin latex lisp llvm lua make makefile markdown matlab md mysql nasm
	nginx nim nix objc objective-c ocaml octave org patch perl php pl/pgsql plpgsql postgres postgresql powershell
	prolog promql proto protobuf ps1 puppet py python python3 r racket rb rs rst ruby rust sass scala scheme
	scss sed sh shell shell-session solidity sparql sql starlark svelte swift systemd tcl terraform tex tf toml ts tsx
	turtle twig typescript vb.net verilog vhdl vim vue xml yaml yml zig zsh`)

func nameSet(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}

// highlight writes code in colours; false, and nothing written, where it cannot.
func (s *sheet) highlight(lang string, code []byte) bool {
	if lang == "" || len(code) > maxCodeBlock || s.highlighted+len(code) > maxHighlighted {
		return false
	}
	if !coloured[lang] {
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
	deadline := time.Now().Add(maxHighlightTime)
	written := 0
	for t := tokens(); t != chroma.EOF; t = tokens() {
		written += len(t.Value)
		if time.Now().After(deadline) {
			s.WriteString(html.EscapeString(t.Value))
			escape(s.Buffer, code[min(written, len(code)):])
			break
		}
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
