package markdown_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"

	"wikibot/markdown"
)

// benchPage is a page of 4.5 kB as wikis have them: frontmatter, sections, prose
// with links and emphasis, lists, a table, a block of code.
func benchPage() (string, *names) {
	var b strings.Builder
	b.WriteString("---\ntitle: The page\ntags: [one, two, three]\nlast_updated: 2026-11-22\n---\n# The page\n\n")
	var files []string
	for i := 0; b.Len() < 3900; i++ {
		fmt.Fprintf(&b, "## Section %d of it\n\n", i)
		fmt.Fprintf(&b, "This is a paragraph about [[Topic %d]] and *its* consequences for [[Area/Other %d|the other]], "+
			"which **nobody** had foreseen when `code` was written; see [the manual](Manual%d.md#part) and "+
			"https://example.org/%d for more of the same. It goes on for a second sentence without any markup at all, "+
			"as sentences do, so that the parser has something to read.\n\n", i, i, i, i)
		fmt.Fprintf(&b, "- an item with a [[Missing %d]]\n- another one\n- [x] done\n\n", i)
		files = append(files, fmt.Sprintf("A/Topic %d.md", i), fmt.Sprintf("Area/Other %d.md", i), fmt.Sprintf("A/Manual%d.md", i))
	}
	b.WriteString("| key | value |\n|---|---|\n| a | 1 |\n| b | 2 |\n\n```go\nfunc main() {\n\tfor i := range 10 {\n\t\tfmt.Println(\"hello\", i)\n\t}\n}\n```\n")
	for b.Len() < 4500 {
		b.WriteString("A closing line of prose that fills the page up to its size.\n")
	}
	return b.String(), pagesOf(files...)
}

func BenchmarkRender(b *testing.B) {
	src, n := benchPage()
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		render(b, src, n)
	}
}

func BenchmarkLinks(b *testing.B) {
	src, _ := benchPage()
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		markdown.Links([]byte(src), markdown.TargetFirst)
	}
}

func BenchmarkFresh(b *testing.B) {
	src, n := benchPage()
	r := render(b, src, n)
	b.ReportAllocs()
	for b.Loop() {
		if !r.Fresh(n) {
			b.Fatal("stale")
		}
	}
}

func BenchmarkTitle(b *testing.B) {
	src, _ := benchPage()
	for b.Loop() {
		markdown.Title([]byte(src), "A/B")
	}
}

func BenchmarkSections(b *testing.B) {
	src, _ := benchPage()
	for b.Loop() {
		markdown.Sections([]byte(src))
	}
}

func BenchmarkPlainText(b *testing.B) {
	src, _ := benchPage()
	for b.Loop() {
		markdown.PlainText([]byte(src))
	}
}

// The parser and renderer that this package stands on, bare: what the rest adds
// is seen beside it.
func BenchmarkGoldmarkGFM(b *testing.B) {
	src, _ := benchPage()
	md := goldmark.New(goldmark.WithExtensions(extension.GFM))
	b.ReportAllocs()
	for b.Loop() {
		var out bytes.Buffer
		if err := md.Convert([]byte(src), &out); err != nil {
			b.Fatal(err)
		}
	}
}
