package markdown_test

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	chtml "github.com/alecthomas/chroma/v2/formatters/html"
	"github.com/alecthomas/chroma/v2/styles"

	"wikibot/markdown"
)

var update = flag.Bool("update", false, "write the highlight-*.css files anew")

func TestHighlightCSS(t *testing.T) {
	light, dark := markdown.HighlightCSS()
	for file, c := range map[string]struct{ style, got string }{"highlight-light.css": {"github", light}, "highlight-dark.css": {"github-dark", dark}} {
		want := chromaCSS(t, c.style)
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if c.got != want {
			t.Errorf("%s is not chroma's %s; go test -run HighlightCSS -update writes it anew", file, c.style)
		}
		if !strings.Contains(c.got, ".chroma .k ") || strings.Contains(c.got, "url(") || strings.Contains(c.got, "@import") {
			t.Errorf("%.300s", c.got)
		}
	}
}

// chromaCSS is a style as chroma writes it, without the rules for other elements.
func chromaCSS(t *testing.T, style string) string {
	t.Helper()
	var b bytes.Buffer
	if err := chtml.New(chtml.WithClasses(true)).WriteCSS(&b, styles.Get(style)); err != nil {
		t.Fatal(err)
	}
	var kept strings.Builder
	for line := range strings.Lines(b.String()) {
		if strings.Contains(line, ".chroma") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}
