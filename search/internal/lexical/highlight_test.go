package lexical

import (
	"strings"
	"testing"
	"unicode/utf8"

	"wikibot/search/internal/query"
)

// marked puts brackets around what Highlight finds.
func marked(text string, marks [][2]int) string {
	var b strings.Builder
	at := 0
	for _, m := range marks {
		b.WriteString(text[at:m[0]] + "[" + text[m[0]:m[1]] + "]")
		at = m[1]
	}
	return b.String() + text[at:]
}

func TestHighlight(t *testing.T) {
	x := New(Options{})
	for _, c := range []struct{ q, lang, text, want string }{
		{"run", "en", "Running, he runs.", "[Running], he [runs]."},
		{"run", "none", "Running, he runs run.", "Running, he runs [run]."},
		{"gitstore", "en", "a GitStore, a git-store, a git", "a [GitStore], a [git-store], a git"},
		{"GitStore", "en", "gitstore, a git", "[gitstore], a [git]"},
		{`"the store"`, "en", "store, the Stores; the big store", "store, [the Stores]; the big store"},
		{`"git store"`, "en", "GitStore or git", "[GitStore] or git"},
		{`"gitstore"`, "en", "GitStore or git", "[GitStore] or git"},
		{"sto*", "en", "Stop the stores, _stork_", "[Stop] the [stores], _[stork]_"},
		{"git store", "en", "GitStore or git", "[GitStore] or [git]"},
		{"-run fox", "en", "run fox", "run [fox]"},
		{"检索", "", "信息检索系统", "信息[检索]系统"},
		{"索", "", "检索系", "[检索系]"},
		{"信息检索", "", "信息检索系统", "[信息检索]系统"},
		{"amour", "fr", "l’amour", "l’[amour]"},
		{"ete OR x", "fr", "l’Été", "l’[Été]"},
		{"", "", "text", "text"},
		{"-text", "", "text", "text"},
	} {
		q, err := query.Parse(c.q)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time from memory
			if got := marked(c.text, x.Highlight(q, c.text, c.lang)); got != c.want {
				t.Errorf("%s: %s, want %s", c.q, got, c.want)
			}
			x.Prepare(Text{Language: c.lang, Body: c.text})
		}
	}
}

func FuzzHighlight(f *testing.F) {
	f.Add(`run "git store" 信 ex*`, "running GitStores 信息 example")
	f.Add(`a-b OR "c d"`, "a\xffb c, d ﷺ İ")
	f.Fuzz(func(t *testing.T, q, text string) {
		parsed, err := query.Parse(q)
		if err != nil {
			return
		}
		end := -1
		for _, m := range New(Options{}).Highlight(parsed, text, "") {
			if m[0] <= end || m[1] <= m[0] || m[1] > len(text) || !utf8.RuneStart(text[m[0]]) || utf8.ValidString(text) && !utf8.ValidString(text[m[0]:m[1]]) {
				t.Fatalf("%q in %q: %v after %d", q, text, m, end)
			}
			end = m[1]
		}
	})
}
