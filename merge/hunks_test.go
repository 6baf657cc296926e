package merge

import (
	"fmt"
	"strings"
	"testing"
)

// show writes hunks as a unified diff, changed words in brackets.
func show(hunks []Hunk) string {
	var b strings.Builder
	for _, h := range hunks {
		fmt.Fprintf(&b, "@@ -%d,%d +%d,%d @@ %s\n", h.OldStart, h.OldLines, h.NewStart, h.NewLines, h.Heading)
		for _, l := range h.Lines {
			b.WriteByte(l.Kind)
			for _, s := range l.Words {
				if s.Changed {
					fmt.Fprintf(&b, "[%s]", s.Text)
				} else {
					b.WriteString(s.Text)
				}
			}
			if l.Words == nil {
				b.WriteString(l.Text)
			}
			if l.NoEOL {
				b.WriteString("\\")
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func TestLines(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"equal":                    {"a\n", "a\n", ""},
		"created":                  {"", "a\nb\n", "@@ -0,0 +1,2 @@ \n+a\n+b\n"},
		"deleted":                  {"a\n", "", "@@ -1,1 +0,0 @@ \n-a\n"},
		"newline added at the end": {"a\nb", "a\nb\n", "@@ -1,2 +1,2 @@ \n a\n-b\\\n+b\n"},
		"under its heading": {"# Title\n\n```\n# no heading\n```\none\ntwo\nthree\n", "# Title\n\n```\n# no heading\n```\none\ntwo\n3\n",
			"@@ -7,2 +7,2 @@ # Title\n two\n-three\n+3\n"},
		"words": {"The quick brown fox jumps.\n", "The slow brown fox leaps!\n",
			"@@ -1,1 +1,1 @@ \n-The [quick] brown fox [jumps.]\n+The [slow] brown fox [leaps!]\n"},
		"words of a language without spaces": {"今日は雨です\n", "今日は雪です\n",
			"@@ -1,1 +1,1 @@ \n-今日は[雨]です\n+今日は[雪]です\n"},
		"white space between changes is bridged": {"keep one two keep all of these words\n", "keep three four keep all of these words\n",
			"@@ -1,1 +1,1 @@ \n-keep [one two] keep all of these words\n+keep [three four] keep all of these words\n"},
		"lines pair with those they resemble": {"first line of text\nsecond row of words\n", "something else altogether!\nsecond row of wood\n",
			"@@ -1,2 +1,2 @@ \n-first line of text\n-second row of [words]\n+something else altogether!\n+second row of [wood]\n"},
		"two hunks": {"a\nb\nc\nd\ne\nf\n", "A\nb\nc\nd\ne\nF\n",
			"@@ -1,2 +1,2 @@ \n-a\n+A\n b\n@@ -5,2 +5,2 @@ \n e\n-f\n+F\n"},
		"one hunk where contexts touch": {"a\nb\nc\nd\n", "A\nb\nc\nD\n", "@@ -1,4 +1,4 @@ \n-a\n+A\n b\n c\n-d\n+D\n"},
	} {
		if got := show(Lines([]byte(c.old), []byte(c.new), 1)); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestSimilarity(t *testing.T) {
	long := strings.Repeat("A line of some length, with words.\n", 1) + strings.Repeat("Other\n", 9)
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 100},
		{"", "a\n", 0},
		{"a\n", "a\n", 100},
		{"a\n", "b\n", 0},
		{"a\r\nb\r\n", "a\nb\n", 66}, // as git: the bytes count, the line ends do not compare
		{"1\n2\n3\n4\n", "1\n2\n3\n5\n", 75},
		{long, long + long, 50},
	} {
		if got := Similarity([]byte(c.a), []byte(c.b)); got != c.want {
			t.Errorf("Similarity(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if a, b := Similarity([]byte(c.a), []byte(c.b)), Similarity([]byte(c.b), []byte(c.a)); a != b {
			t.Errorf("Similarity(%q, %q) depends on the order: %d, %d", c.a, c.b, a, b)
		}
	}
}
