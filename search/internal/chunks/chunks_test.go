package chunks_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"wikibot/markdown"
	"wikibot/search/internal/chunks"
)

// prose is n different words in sentences of ten.
func prose(name string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s%d", name, i)
		if i%10 == 9 || i == n-1 {
			b.WriteByte('.')
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// show is the chunks of a page: the label, the number of words, the first word and the
// last.
func show(p chunks.Page) string {
	var lines []string
	for _, c := range p.Chunks {
		w := strings.Fields(c.Text[strings.Index(c.Text, "] ")+2:])
		if len(w) == 0 {
			w = []string{"–"}
		}
		lines = append(lines, fmt.Sprintf("%s #%s %d: %s %s", strings.Join(c.Section, " > "), c.Anchor, c.Words, w[0], w[len(w)-1]))
	}
	return strings.Join(lines, "\n")
}

func TestSplit(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"no words", "", "P # 0: – –"},
		{"frontmatter alone", "---\ntitle: The  page\ntags: a\n---\n\n", "The page # 0: – –"},
		{"one section", "# T\n\n" + prose("a", 20), "T #t 21: a0 a19."},
		{"sections of their own", "# T\n" + prose("a", 60) + "\n## B *c*\n" + prose("b", 70) + "\n", "T #t 61: a0 a59.\nT > B c #b-c 72: ## b69."},
		{"the title is the frontmatter's", "---\ntitle: X\n---\n# T\n" + prose("a", 60) + "\n## B\n" + prose("b", 70), "X > T #t 61: a0 a59.\nX > T > B #b 71: b0 b69."},
		{"small ones merge forward", "# T\nlead\n## A\n" + prose("a", 30) + "\n## B\n" + prose("b", 60) + "\n## C\n" + prose("c", 60), "T > B #b 94: # b59.\nT > C #c 61: c0 c59."},
		{"a trailing one backward", "# T\n" + prose("a", 60) + "\n## B\n" + prose("b", 10), "T #t 72: a0 b9."},
		{"four levels down", "# T\n## A\n### B\n#### C\n##### D\n" + prose("d", 60), "T > A > B > C #d 65: # d59."},
		{"setext, fences, the same again", "A\n===\n```\n# no\n```\n" + prose("a", 60) + "\n\nA\n---\n" + prose("b", 60), "A #a 62: A a59.\nA > A #a-1 61: A b59."},
		{"just not cut", "# T\n\n" + prose("a", 149) + "\n\n" + prose("b", 149), "T #t 299: a0 b148."},
		{"cut at paragraphs, with an overlap", "# T\n\n" + prose("a", 140) + "\n\n" + prose("b", 140) + "\n\n" + prose("c", 140), "T #t 141: a0 a139.\nT #t 175: a105 b139.\nT #t 175: b105 c139."},
		{"cut at sentences", "# T\n\n" + prose("a", 400), "T #t 141: a0 a139.\nT #t 185: a105 a289.\nT #t 145: a255 a399."},
		{"a rest joins what is before", "# T\n\n" + prose("a", 320), "T #t 141: a0 a139.\nT #t 215: a105 a319."},
		{"the overlap stays in its section", "# T\n" + prose("a", 60) + "\n## B\n" + prose("b", 140) + "\n\n" + prose("c", 170), "T #t 61: a0 a59.\nT > B #b 141: b0 b139.\nT > B #b 205: b105 c169."},
		{"not into the one that joined it", "# T\n" + prose("a", 45) + "\n## B\n" + prose("b", 30) + "\n\n" + prose("c", 250), "T #t 77: a0 b29.\nT > B #b 281: b0 c249."},
		{"words where no sentence ends", "# T\n" + strings.ReplaceAll(prose("a", 400), ".", ","), "T #t 150: a0 a148\nT #t 185: a114 a298\nT #t 136: a264 a399,"},
	} {
		p := chunks.Split([]byte(c.src), "Folder/P")
		if got := show(p); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	src := "---\ntitle: X\n---\n\n# One\n" + prose("a", 60) + "\n\n## Two [x](http://u)\n" + prose("b", 200) + "\n\n" + prose("c", 200)
	p := chunks.Split([]byte(src), "P")
	type place struct {
		line        int
		start, text string
	}
	want := []place{{5, "# One\na0 ", "[X > One] a0 a1"}, {8, "## Two [x", "[X > One > Two x] ## Two [x"}, {9, "b165 b166", "[X > One > Two x] b165 b166"}}
	if len(p.Chunks) != len(want) || p.Words != 463 {
		t.Fatalf("%d words\n%s", p.Words, show(p))
	}
	for i, c := range p.Chunks {
		if w := want[i]; c.Line != w.line || !strings.HasPrefix(src[c.Start:], w.start) || !strings.HasPrefix(c.Text, w.text) {
			t.Errorf("chunk %d: line %d, %.20q, %.20q", i, c.Line, src[c.Start:], c.Text)
		}
	}
}

func TestProperties(t *testing.T) {
	for src, want := range map[string]string{
		"---\ntitle: T\ncategory: Event\ntags: [\"#git\", two words]\naliases: [A, B]\nlanguage: DE\n---\n": `{T Event de [git two words] [A B] 0 1}`,
		"---\nTags: \"#a, b,, #c\"\nlang: pt-BR\naliases: one\n---\n":                                       `{P  pt-br [a b c] [one] 0 1}`,
		"---\ntags:\n- 2026\n- {a: b}\ncategory: [x, y]\n---\n":                                             `{P x  [2026 {a: b}] [] 0 1}`,
		"---\n: bad: [\n---\nfoo bar":                                                                       `{P   [] [] 2 1}`,
	} {
		p := chunks.Split([]byte(src), "P")
		got := fmt.Sprint("{", p.Title, " ", p.Category, " ", p.Language, " ", p.Tags, " ", p.Aliases, " ", p.Words, " ", len(p.Chunks), "}")
		if got != want {
			t.Errorf("%q: %s, want %s", src, got, want)
		}
	}
}

func TestLongNamesAreNotRepeatedInEveryChunk(t *testing.T) {
	long := strings.Repeat("ö", 40_000)
	p := chunks.Split([]byte("---\ntitle: "+long[:60_000]+"\n---\n# "+long+"\n"+prose("a", 2000)), "P")
	for _, c := range p.Chunks {
		if n := len(strings.Join(c.Section, " > ")) + len(c.Anchor); n > 2000 || !utf8.ValidString(c.Text) {
			t.Fatalf("%d bytes of names", n)
		}
	}
	if len(p.Title) > 500 || !strings.HasSuffix(p.Title, "ö…") {
		t.Errorf("title %.20q…, %d bytes", p.Title, len(p.Title))
	}
}

// Whatever the page, chunks are bounded.
func TestHostilePages(t *testing.T) {
	for name, src := range map[string]string{
		"one line":        strings.Repeat("word ", 200_000),
		"no spaces":       strings.Repeat("x", 1<<20),
		"marks":           strings.Repeat("-", 1<<20) + "a",
		"spaces":          "a" + strings.Repeat(" ", 1<<20) + "b",
		"empty lines":     "a" + strings.Repeat("\n", 1<<20) + "b",
		"Chinese":         strings.Repeat("检索引擎", 80_000),
		"Thai":            strings.Repeat("ภาษาไทย", 40_000),
		"headings":        strings.Repeat("# a\n", 50_000),
		"words on end":    strings.Repeat("a\n\n", 200_000),
		"long heading":    "# " + strings.Repeat("word ", 100_000) + "\ntext",
		"open fence":      "```\n" + strings.Repeat("a b c\n\n", 60_000),
		"invalid":         strings.Repeat("\xff\xfe a", 100_000),
		"three megabytes": strings.Repeat("# heading\n\ntext of it\n\n", 150_000),
	} {
		p := chunks.Split([]byte(src), "P")
		checkChunks(t, name, []byte(src), p)
		if len(p.Chunks) < 2 {
			t.Errorf("%s: %d chunks", name, len(p.Chunks))
		}
	}
}

func TestPagesTooLargeToBeFormattedHaveNoAnchors(t *testing.T) {
	p := chunks.Split([]byte("# H\n"+strings.Repeat("word ", 500_000)), "P")
	for _, c := range p.Chunks {
		if c.Anchor != "" {
			t.Fatalf("%q", c.Anchor)
		}
	}
}

func TestHash(t *testing.T) {
	if got := fmt.Sprintf("%x", chunks.Hash("abc")); got != "ba7816bf8f01cfea414140de5dae2223" { // FIPS 180-4, appendix
		t.Error(got)
	}
}

// checkChunks checks what is true of all pages.
func checkChunks(t *testing.T, name string, src []byte, p chunks.Page) {
	t.Helper()
	if len(p.Chunks) == 0 || p.Title == "" {
		t.Fatalf("%s: %d chunks, title %q", name, len(p.Chunks), p.Title)
	}
	_, body, _ := markdown.Frontmatter(src)
	at := len(src) - len(body)
	var ids []string
	if len(src) <= 2<<20 {
		for _, s := range markdown.Sections(src) {
			ids = append(ids, s.ID)
		}
	}
	for i, c := range p.Chunks {
		switch {
		case c.Start > at && len(bytes.TrimSpace(src[at:c.Start])) > 0 && strings.ContainsFunc(string(src[at:c.Start]), wordy):
			t.Fatalf("%s: chunk %d leaves out %.50q", name, i, src[at:c.Start])
		case c.Start > c.End || c.End < at || c.Start == c.End && len(p.Chunks) > 1:
			t.Fatalf("%s: chunk %d is %d–%d after %d", name, i, c.Start, c.End, at)
		case c.Words > 385 || c.End-c.Start > 50_000:
			t.Fatalf("%s: chunk %d has %d words, %d bytes", name, i, c.Words, c.End-c.Start)
		case c.Text != chunks.Text(src, c) || !utf8.ValidString(c.Text) || !strings.HasPrefix(c.Text, "["+strings.ToValidUTF8(strings.Join(c.Section, " > "), "\ufffd")+"] "):
			t.Fatalf("%s: chunk %d: %.100q", name, i, c.Text)
		case c.Line != 1+bytes.Count(src[:c.Start], []byte("\n")):
			t.Fatalf("%s: chunk %d is not in line %d", name, i, c.Line)
		case c.Anchor != "" && !slices.Contains(ids, c.Anchor):
			t.Fatalf("%s: chunk %d: no heading %q", name, i, c.Anchor)
		case len(c.Section) == 0 || len(c.Section) > 4 || c.Section[0] != p.Title:
			t.Fatalf("%s: chunk %d: %q", name, i, c.Section)
		}
		at = c.End
	}
	if at != len(src) {
		t.Fatalf("%s: ends at %d of %d", name, at, len(src))
	}
	texts := make([]string, len(p.Chunks))
	for i, c := range p.Chunks {
		texts[i] = c.Text
	}
	next := 0
	for w := range strings.FieldsSeq(strings.ToValidUTF8(string(body), "\ufffd")) {
		if len(w) > 64 || !ascii(w) || !strings.ContainsFunc(w, wordy) {
			continue
		}
		from := next
		for next < len(texts) && !strings.Contains(texts[next], w) {
			next++
		}
		if next == len(texts) {
			if next = slices.IndexFunc(texts[max(0, from-1):], func(s string) bool { return strings.Contains(s, w) }); next < 0 {
				t.Fatalf("%s: no chunk has the word %q", name, w)
			}
			next += max(0, from-1)
		}
	}
}

func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= utf8.RuneSelf })
}

func wordy(r rune) bool {
	return r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z'
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"", "# a\nb\n## c\nd", "---\ntitle: x\ntags: a, b\n---\ntext\n# x\n", "a\n===\nb", prose("a", 310), "# a\n" + prose("b", 60) + "\n## c\n" + prose("d", 400), "检索引擎", "```\na\n\nb", "# " + strings.Repeat("x", 300) + "\n", "# [a](b c) #\nd"} {
		f.Add(s, 1)
	}
	f.Fuzz(func(t *testing.T, s string, times int) {
		src := []byte(strings.Repeat(s, 1+(times&0xff)%64)) // so that pages become long enough to be cut
		checkChunks(t, "page", src, chunks.Split(src, "Folder/P"))
	})
}
