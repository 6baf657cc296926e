package chunks_test

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"wikibot/markdown"
	"wikibot/search/internal/chunks"
)

// marker marks what a regular expression matches.
func marker(expr string) func(string) [][2]int {
	re := regexp.MustCompile(expr)
	return func(s string) (all [][2]int) {
		for _, m := range re.FindAllStringIndex(s, -1) {
			all = append(all, [2]int{m[0], m[1]})
		}
		return all
	}
}

// inline shows spans with brackets around what is marked.
func inline(spans []chunks.Span) string {
	var b strings.Builder
	for _, s := range spans {
		if s.Match {
			b.WriteString("[" + s.Text + "]")
		} else {
			b.WriteString(s.Text)
		}
	}
	return b.String()
}

func TestSnippet(t *testing.T) {
	for _, c := range []struct {
		name, src, marks string
		max              int
		want             string
	}{
		{"all of it", "# P\n\nA *short* text with [[a link|its name]] and `code`.\n\n- item\n", "short|name", 200, "A [short] text with its [name] and code. item"},
		{"no marks: the beginning", "# P\nThe first sentence is here. The second follows it.", "zebra", 30, "The first sentence is here.…"},
		{"around the densest", prose("x", 20) + "here is one. Then come one and two and three of them. " + prose("y", 40), "one|two|three", 60, "…here is [one]. Then come [one] and [two] and [three] of them. y0 y1…"},
		{"at the end", prose("x", 30) + "last words.", "last", 30, "…x26 x27 x28 x29. [last] words."},
		{"in a long sentence", strings.ReplaceAll(prose("x", 80), ".", "") + "needle " + strings.ReplaceAll(prose("y", 80), ".", ""), "needle", 50, "…x77 x78 x79 [needle] y0 y1 y2 y3 y4 y5 y6 y7 y8 y9…"},
		{"no spaces", strings.Repeat("检索", 100) + "引擎" + strings.Repeat("检索", 100), "引擎", 20, "…检索检索检索[引擎]检索检索检索检索检索检索…"},
		{"a mark longer than that", strings.Repeat("a", 300), "a+", 10, "[aaaaaaaaaa]…"},
		{"frontmatter is none of it", "---\ntitle: P\n---\n---\nword\n---\nmore", "word", 50, "[word] more"},
		{"nothing", "", "x", 50, ""},
		{"a heading alone", "# P\n", "P", 50, "[P]"},
	} {
		p := chunks.Split([]byte(c.src), "P")
		got := inline(chunks.Snippet([]byte(c.src), p.Chunks[0], marker(c.marks), c.max))
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

// A chunk that begins within code is not read as prose, nor the other way round.
func TestSnippetOfAPieceOfCode(t *testing.T) {
	src := "# P\n\n```go\n" + strings.Repeat("if *x > *y { return }\n", 100) + "```\n\nThen *prose* of [some](url) words.\n"
	p := chunks.Split([]byte(src), "P")
	last := p.Chunks[len(p.Chunks)-1]
	got := inline(chunks.Snippet([]byte(src), last, marker("prose"), 60))
	if want := "…{ return } if *x > *y { return } Then [prose] of some words."; len(p.Chunks) < 2 || got != want {
		t.Errorf("%d chunks, %q", len(p.Chunks), got)
	}
}

func TestMark(t *testing.T) {
	got := inline(chunks.Mark("über Title of it", [][2]int{{6, 11}, {8, 11}, {0, 5}, {1, 3}, {-1, 2}, {12, 99}, {4, 4}}))
	if want := "[über] [Title] of it"; got != want {
		t.Errorf("%q", got)
	}
}

func FuzzSnippet(f *testing.F) {
	f.Add("# a\n\nsome *text* here. And more of it.", 3, 4, 10)
	f.Add("检索引擎检索引擎", 3, 6, 2)
	f.Add("```\na b\n\xff\n", 0, 9, 3)
	f.Fuzz(func(t *testing.T, src string, step, size, most int) {
		step, size, most = 1+step&63, 1+size&15, 1+most&255
		p := chunks.Split([]byte(src), "P")
		var plain string
		for _, c := range p.Chunks {
			spans := chunks.Snippet([]byte(src), c, func(s string) (marks [][2]int) {
				plain = s
				for at := 0; at < len(s); at += step {
					marks = append(marks, [2]int{at, at + size})
				}
				return marks
			}, most)
			var b strings.Builder
			for i, s := range spans {
				if s.Text == "" || s.Match && !strings.Contains(plain, s.Text) {
					t.Fatalf("%q: %+v", src, spans)
				}
				if s.Text != "…" || i > 0 && i < len(spans)-1 {
					b.WriteString(s.Text)
				}
			}
			got := b.String()
			if !utf8.ValidString(got) || strings.ContainsAny(got, "\n\t") || utf8.RuneCountInString(got) > most || !strings.Contains(plain, got) || plain != "" && got == "" {
				t.Fatalf("%q: %+v of %q", src, spans, plain)
			}
		}
	})
}

// BenchmarkPlainText is the baseline of BenchmarkSnippet.
func BenchmarkPlainText(b *testing.B) {
	src := []byte(strings.Repeat("This is *prose* about [[Topic]] and `code`, which goes on for a while. ", 14))
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		markdown.PlainText(src)
	}
}

func BenchmarkSnippet(b *testing.B) {
	src := []byte("# P\n\n" + strings.Repeat("This is *prose* about [[Topic]] and `code`, which goes on for a while. ", 14))
	c := chunks.Split(src, "P").Chunks[0]
	marks := func(s string) [][2]int { return [][2]int{{100, 105}, {300, 305}, {310, 320}} }
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		chunks.Snippet(src, c, marks, 200)
	}
}
