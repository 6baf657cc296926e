package markdown

import (
	"strings"
	"testing"
	"time"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// TestHostile: pages that took minutes, gigabytes or the whole server.
func TestHostile(t *testing.T) {
	var deep strings.Builder
	for i := range 200 {
		deep.WriteString(strings.Repeat("  ", i) + "- a\n")
	}
	for name, src := range map[string]string{
		"nested lists":  deep.String(),
		"wide table":    "|" + strings.Repeat("a|", 1000) + "\n|" + strings.Repeat("-|", 1000) + "\n" + strings.Repeat("x\n", 100_000),
		"open targets":  strings.Repeat("[a](", 200_000),
		"open <targets": strings.Repeat("[a](<", 200_000),
		"run of =":      strings.Repeat("=", 800_000) + "a",
		"definitions":   strings.Repeat("[a]: b\n", 150_000),
		"labels":        "x\n" + strings.Repeat("[^a]: b\n", 130_000),
		"notes":         strings.Repeat("[^a]: b\n", 130_000),
	} {
		began := time.Now()
		r, err := Render([]byte(src), Options{Path: "A"})
		Links([]byte(src+"\n[[B]]\n"), TargetFirst)
		if took := time.Since(began); err != nil || took > 5*time.Second || len(r.HTML) > 8<<20 {
			t.Errorf("%s: %v, %v, %d bytes", name, err, took, len(r.HTML))
		}
	}
	// Tables of usual sizes stay, also those whose rows are shorter than the head.
	table := "|a|b|c|\n|-|-|-|\n" + strings.Repeat("|x|\n", 5000)
	if r, _ := Render([]byte(table), Options{Path: "A"}); strings.Count(string(r.HTML), "<tr") != 5001 {
		t.Errorf("a table of 5,000 short rows has %d rows", strings.Count(string(r.HTML), "<tr"))
	}
	// So do definitions of links, the first of very many too.
	for _, n := range []int{900, 5000} {
		r, _ := Render([]byte("[z] [y]\n\n[z]: https://example.org/z\n"+strings.Repeat("[a]: b\n", n)+"the end\n\n[y]: https://example.org/y\n"), Options{Path: "A"})
		for _, want := range []string{"https://example.org/z", "https://example.org/y", "the end</p>"} {
			if !strings.Contains(string(r.HTML), want) {
				t.Errorf("%d definitions: there is no %s in %.200s", n, want, r.HTML)
			}
		}
	}
	if r, _ := Render([]byte("==a== ===b=== [c](https://example.org/(d) \"e\")"), Options{Path: "A"}); !strings.Contains(string(r.HTML), "<mark>a</mark> ===b===") || !strings.Contains(string(r.HTML), "https://example.org/(d)") {
		t.Errorf("got %s", r.HTML)
	}
}

type panics struct{ parser.BlockParser }

func (panics) Open(ast.Node, text.Reader, parser.Context) (ast.Node, parser.State) { panic("a bug") }

// TestParserPanics: what goldmark cannot read is shown as it is written.
func TestParserPanics(t *testing.T) {
	g := newGrammar(parser.WithBlockParsers(util.Prioritized(panics{parser.NewParagraphParser()}, 1)))
	doc := parseWith(g, []byte("a <b>\n"), TargetFirst)
	if doc.Kind() != ast.KindDocument || doc.FirstChild() == nil || doc.FirstChild().Kind() != ast.KindCodeBlock {
		t.Errorf("got %v", doc.Kind())
	}
}
