package markdown

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

// Pages that the scanner must read by itself, for they are what it is for.
func TestScanHeadingsReadsUsualPages(t *testing.T) {
	for _, src := range []string{
		"# a\n\n> quote. <https://example.org>.\n\n- item:\n\n`code {{x}}`\n",
		"text\n\n## b `c` *d* #\n\n---\n\n```sh\n# no\n```\n\n1. one\n2. two\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n# b c d\n",
		"#hash\n####### seven\n#\n[[link]] [a](b) [r]\n\n[r]: x\n",
	} {
		if _, ok := scanHeadings([]byte(src)); !ok {
			t.Errorf("left to the parser: %q", src)
		}
	}
}

func FuzzHeadings(f *testing.F) {
	for _, s := range []string{
		"# a\n\n- b\n  # c\n\n> # d\n\n# a\n", "a\n===\nb\n---\n", "- a\n---\n", "> a\n> ---\n# b", "<div>\n# a\n</div>\n\n# b", "$$\n# a\n$$\n# b",
		"```\n# a\n```\n# b", "- ```\n  # a\n  ```\n# b", "~~~ x\n# a\n~~~~  \n# b", "    # a\n# b", "[^1]: a\n\n    # b\n# c\n[^1]", "a\n: b\n# c\n: # d",
		"# a\\\n# [b]\n\n[b]: c", "# a #\n# b#\n## ##\n#\tc", "# a\n===\n", "\n===\na\n", "a\n   =\n", "- \n# a\n-\n\n  # b", "1)\n# a\n", "# &amp; $x$ ==y== www.example.org a@b.c",
		"* * *\na\n- - -\n", "a\n|-|\n# b", "# a\n  b\n -", "\\# a\n# b\\", "- <div>\n# a\n", "> ```\n# a\n", "***\n# a", "a\n# b\n: c\n# d",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		got, ok := scanHeadings([]byte(src))
		if !ok {
			return
		}
		want := parseHeadings(nil, parse([]byte(src), TargetFirst), []byte(src), true)
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%q\n got %+v\nwant %+v", src, got, want)
		}
	})
}

// The anchors of sections are those of the rendered page.
func FuzzSectionIDs(f *testing.F) {
	for _, s := range []string{"# a\n# a\n> # a\n# a\n", "---\na: b\n---\n# A b\na b\n---\n", "# !\n# ?\n- # section\n# section-1", "[^1]\n# a\n\n[^1]: # a\n", "> [!NOTE]\n> # a\n# a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if !utf8.ValidString(src) {
			return // Render replaces what is not
		}
		r, err := Render([]byte(src), Options{Path: "P"})
		if err != nil {
			t.Fatal(err)
		}
		toc := r.TOC
		for _, s := range Sections([]byte(src)) {
			for len(toc) > 0 && toc[0].ID != s.ID {
				toc = toc[1:]
			}
			if len(toc) == 0 {
				t.Fatalf("%q: no %q in %+v", src, s.ID, r.TOC)
			}
			if h := toc[0]; h.Level != s.Level || h.Text != s.Path[len(s.Path)-1] {
				t.Fatalf("%q: %+v is %+v", src, s, h)
			}
		}
	})
}

// The same over pages put together of lines that matter to it, which bytes by
// chance seldom are.
func TestHeadingsOfRandomPages(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	before := []string{"", "", "", "", "", " ", "   ", "    ", "\t", "> ", ">", "- ", "1. ", "* ", ": ", "  ", "- - "}
	lines := []string{"", "", "", "text", "text two", "# a", "# a", "## b", "#", "#c", "# d #", "# *e* `f`", "---", "===", "-", "=", "- - -", "***", "```", "```", "```sh", "~~~", "~~~~",
		"| a | b |", "|---|---|", "--- | ---", "<div>", "</div>", "<!--", "-->", "<b>", "$$", "[^1]: a", "[^1]", "[r]: x", "[r]:", ": def", "\\", "`", "**x", "1. a", "- a", "> a", "+", "\\# a", "$$ a $$", "#\ta", "# a\\", "# <b>", "# a@b.c www.e.org"}
	read := 0
	for range 30_000 {
		var b strings.Builder
		for range 1 + rng.IntN(9) {
			b.WriteString(before[rng.IntN(len(before))] + lines[rng.IntN(len(lines))] + []string{"\n", "\n", "\n", " \n", "\n\n"}[rng.IntN(5)])
		}
		src := b.String()
		got, ok := scanHeadings([]byte(src))
		if !ok {
			continue
		}
		read++
		if want := parseHeadings(nil, parse([]byte(src), TargetFirst), []byte(src), true); !reflect.DeepEqual(got, want) {
			t.Fatalf("%q\n got %+v\nwant %+v", src, got, want)
		}
	}
	if read < 3000 {
		t.Errorf("only %d pages were read by the scanner", read)
	}
}
