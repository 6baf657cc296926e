package markdown

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/chroma/v2"
	"github.com/alecthomas/chroma/v2/lexers"
)

// snippets are texts in many syntaxes; every lexer gets every one of them.
var snippets = []string{
	"int main(void) { return \"x\"; } // y\n", "def f(x):\n    '''doc'''\n    return f\"{x!r}\"\n", "<a href='x'>&amp;<!-- y --></a>\n", "{\"a\": [1, 2.5e3, null, true], \"b\": \"\\u00e9\"}\n",
	"a: &x [b, 'c']\n? d\n: |\n  e\n", "SELECT * FROM t WHERE a = 'b' -- c\n", "$ ls -la | grep \"x\" && echo ${y:-z} `w`\n# c\n", "\\begin{x} $a^2$ %c\n\\end{x}\n", "@media (x) { .a > #b { c: url(d) !important } }\n",
	"(defn f [x] `(a ~@b) #\"r\" ;c\n", "#include <x>\n#define Y(a) a\\\n b\n", "'", "\"", "`", "/*", "<!--", "{{ x | y }}{% if z %}", "\x00\x01", "é漢字🎉\n", "\t \r\n\r", "((((((((", "]]]]}}}}))))", "%", "\\", "$", "@", "#", "~", "^", "|", "=", "\"\"\"", "<<EOF\nx\n", "--[[ x", "(* x", "r#\"x",
}

// A lexer that never ends would keep a core for ever.
func TestLexersEnd(t *testing.T) {
	done := make(chan string)
	go func() {
		tried := map[chroma.Lexer]bool{}
		for lang := range coloured {
			lexer := lexers.Get(lang)
			if lexer == nil {
				t.Errorf("chroma knows no %q", lang)
			}
			if tried[lexer] {
				continue
			}
			tried[lexer] = true
			for _, code := range append(snippets, strings.Join(snippets, " ")) {
				done <- lang + " on " + code
				s := newSheet()
				s.code(lang, []byte(code))
			}
		}
		close(done)
	}()
	at := ""
	for {
		select {
		case what, ok := <-done:
			if !ok {
				return
			}
			at = what
		case <-time.After(20 * time.Second):
			t.Fatalf("%q does not end", at)
		}
	}
}

func TestUnknownLanguages(t *testing.T) {
	for _, lang := range []string{"jungle", "nope", strings.Repeat("x", 100), "a\"b", "../x", ""} {
		s := newSheet()
		s.code(lang, []byte("a <b>"))
		if out := s.String(); !strings.Contains(out, "a &lt;b&gt;</code>") || strings.Contains(out, "\"b") {
			t.Errorf("%q: %s", lang, out)
		}
	}
}

// FuzzHighlight keeps the text, whatever the colours.
func FuzzHighlight(f *testing.F) {
	langs := slices.Sorted(maps.Keys(coloured))
	for i, code := range snippets {
		f.Add(uint8(i*5), code)
	}
	f.Fuzz(func(t *testing.T, n uint8, code string) {
		s := newSheet()
		s.code(langs[int(n)%len(langs)], []byte(code))
		if !canonical(s.Bytes()) && !strings.Contains(code, "\x00") {
			t.Fatalf("%q: %s", code, s)
		}
	})
}

func newSheet() *sheet {
	o := Options{}.filled()
	ses := &session{o: &o, out: &bytes.Buffer{}, result: &Rendered{}}
	return &sheet{Buffer: ses.out, session: ses}
}
