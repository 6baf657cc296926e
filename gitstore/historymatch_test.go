package gitstore

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzTextMatch: whatever is looked for in whatever text, the marks lie within the
// excerpt and in order, a text has nothing fresh against itself, and a cursor that is
// understood is written as it was.
func FuzzTextMatch(f *testing.F) {
	f.Add("badger", "a badger\nand a Badger\n", false, false)
	f.Add(`b.d(g|er)+`, strings.Repeat("bädger ", 900), true, false)
	f.Add("ſ", "s S ſ K \xff\xfe", false, false)
	f.Add("^x|y$", "x\r\ny\r\n\r\n", true, true)
	f.Add("0123456789012345678901234567890123456789-3", "", false, true)
	f.Fuzz(func(t *testing.T, what, text string, isExpr, exact bool) {
		if p, err := parsePosition(what); err == nil && formatPosition(p, false) != strings.ToLower(what) && !p.Commit.IsZero() {
			t.Errorf("the cursor %q is written %q", what, formatPosition(p, false))
		}
		m, err := newTextMatch(what, isExpr, exact)
		if err != nil {
			return
		}
		ctx := context.Background()
		if _, err := m.count(ctx, []byte(text)); err != nil {
			t.Fatal(err)
		}
		n, first, line, err := m.freshLines(ctx, []byte(text), nil, [][]byte{nil})
		if err != nil || line > 1+strings.Count(text, "\n") || n > 0 && first == nil {
			t.Fatalf("%d fresh, first %q in line %d, %v", n, first, line, err)
		}
		if n, first, _, _ := m.freshLines(ctx, []byte(text), nil, [][]byte{[]byte(text)}); n != 0 || first != nil {
			t.Errorf("against itself %q has %d fresh", text, n)
		}
		shown, marks := m.excerpt(first)
		if len(shown) > 220 {
			t.Errorf("the excerpt has %d bytes", len(shown))
		}
		at := 0
		for _, r := range marks {
			if r[0] < at || r[1] <= r[0] || r[1] > len(shown) {
				t.Fatalf("marks %v in %q", marks, shown)
			}
			at = r[1]
		}
		if utf8.ValidString(text) && !utf8.ValidString(shown) {
			t.Errorf("the excerpt %q cuts a character", shown)
		}
	})
}
