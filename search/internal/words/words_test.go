package words

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"wikibot/wiki"
)

func analyzer(t testing.TB, lang string) *Analyzer {
	t.Helper()
	a, err := New(lang)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// listed writes tokens as word/term, a compound with =parts behind it.
func listed(tokens []Token) string {
	var out []string
	for _, t := range tokens {
		s := t.Word
		if t.Term != t.Word {
			s += "/" + t.Term
		}
		if t.Parts > 0 {
			s += "=" + string(rune('0'+t.Parts))
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestTokens(t *testing.T) {
	for _, c := range []struct{ lang, text, want string }{
		{"en", "Running horses", "running/run horses/hors"},
		{"none", "Running horses", "running horses"},
		{"none", "GitStore", "gitstore=2 git store"},
		{"none", "git-store git_store gitStore", "gitstore=2 git store gitstore=2 git store gitstore=2 git store"},
		{"none", "HTTPServer GetAPage", "httpserver=2 http server getapage=2 get apage"},
		{"none", "iPhone URLs PhD OAuth utf8 v2.7.0", "iphone urls phd oauth utf8 v2.7.0"},
		{"none", "main.go U.S. e.g. __init__ _", "maingo=2 main go us=2 u s eg=2 e g init"},
		{"none", "1,000 3.14 2026-01-02", "1000 3.14 20260102=3 2026 01 02"},
		{"none", "a-b-c-d-e -f- g--h", "a b c d e f g h"},
		{"en", "The Panthers' defense didn't; Panther's, panther’s", "the panthers/panther defense/defens didn't panther's/panther panther's/panther"},
		{"fr", "l’amour dell'arte", "lamour=2 l amour dellarte/dellart=2 dell/del arte"},
		{"none", "l’amour", "l'amour"},
		{"none", "Café ÅNGSTRÖM naïve", "café/cafe ångström/angstrom naïve/naive"},
		{"sv", "åka aka", "åka aka"},
		{"de", "Häuser Straße", "häuser/haus strasse/strass"},
		{"tr", "ISPARTA İstanbul", "ısparta/ıspar istanbul"},
		{"ru", "ёлка й бегущий", "ёлка/елк й бегущий/бегущ"},
		{"none", "ﬁle ① ＡＢＣ ｶﾞ", "file 1 abc ガ"},
		{"none", "信息检索系统", "信息 息检 检索 索系 系统"},
		{"none", "我, 我们", "我 我们"},
		{"none", "GitHub上的代码", "github=2 git hub 上的 的代 代码"},
		{"none", "データベース", "デー ータ タベ ベー ース"},
		{"none", "검색어", "검색 색어"},
		{"none", "ภาษาไทย", "ภา าษ ษา าไ ไท ทย"},
		{"none", "ที่นี่", "ที่นี่"},
		{"none", "हिन्दी भाषा", "हिन्दी भाषा"},
		{"none", "👍 — … !?", ""},
		{"none", "a\xffb \xff caf\xc3", "a b caf"},
		{"none", "naïve-Bayes co‐op", "naïvebayes/naivebayes=2 naïve/naive bayes coop=2 co op"},
		{"none", "http://example.com/a?b=c&d#e", "http examplecom=2 example com a b c d e"},
	} {
		if got := listed(analyzer(t, c.lang).Tokens(c.text)); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.lang, c.text, got, c.want)
		}
	}
}

func TestLanguages(t *testing.T) {
	for code, want := range map[string]string{"": "none", "none": "none", "en-GB": "en", "pt_BR": "pt", "nb": "no", "DE": "de"} {
		if a, err := New(code); err != nil || a.Language() != want {
			t.Errorf("%q: %v, %v, want %s", code, a, err, want)
		}
	}
	_, err := New("tlh")
	if !errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), "en, es, fi") {
		t.Errorf("Klingon: %v", err)
	}
	for _, code := range Languages() {
		analyzer(t, code)
	}
}

// A word of 256 KB is known by its beginning, and its work is small.
func TestLongWords(t *testing.T) {
	for _, unit := range []string{"a", "aB", "é", "Éa", "x_", "x-", "x.", "1,", "é-", "e\u0301", "\u0301", "a'", "'", "信", "กำ", "aBcD"} {
		text := strings.Repeat(unit, 1<<18/len(unit))
		n := 0
		for _, tok := range analyzer(t, "en").Tokens(text) {
			if len(tok.Word) > MaxWord || len(tok.Term) > MaxWord {
				t.Errorf("%q: a word of %d bytes", unit, len(tok.Word))
			}
			n++
		}
		if n > len(text) {
			t.Errorf("%q: %d tokens of %d bytes", unit, n, len(text))
		}
	}
}

// The rules for ASCII are those for everything: the same text leads to the same
// segments, whether or not the tables are asked.
func FuzzSegments(f *testing.F) {
	for _, s := range []string{"a.b 1,2 a-b-_ x:y it's 'q' v2.7.0 --", "a.1 1.a _._ a'1 1'1 a;b 1;2", "naïve-Bayes信息", "é.a\xff-b a-é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		type span struct{ start, end int }
		var got, want []span
		Segments(s, func(a, b int) { got = append(got, span{a, b}) })
		for i := 0; i < len(s); i++ { // each stretch between spaces by the tables
			end := i
			for end < len(s) && s[end] != ' ' && s[end] != '\n' {
				end++
			}
			unicodeSegments(s, i, end, func(a, b int) { want = append(want, span{a, b}) })
			i = end
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: %v, by the tables %v", s, got, want)
		}
	})
}

func FuzzTokens(f *testing.F) {
	for i, s := range []string{"Running l’amour GitStore_x-y", "信息检索 ที่นี่ 검색", "ﷺ ㍿ \xff İSPARTA", "don't ''' .a. 1,2"} {
		f.Add(s, i)
	}
	languages := Languages()
	f.Fuzz(func(t *testing.T, s string, n int) {
		a := analyzer(t, languages[uint(n)%uint(len(languages))])
		covered := 0
		for _, tok := range a.Tokens(s) {
			if tok.Start >= tok.End || tok.End > len(s) || tok.Start < 0 {
				t.Fatalf("%q: %+v", s, tok)
			}
			if !utf8.ValidString(s[tok.Start:tok.End]) || !utf8.RuneStart(s[tok.Start]) || tok.End < len(s) && utf8.ValidString(s) && !utf8.RuneStart(s[tok.End]) {
				t.Fatalf("%q: %+v is not on character boundaries", s, tok)
			}
			if tok.Word == "" || tok.Term == "" || len(tok.Word) > MaxWord || len(tok.Term) > MaxWord || !utf8.ValidString(tok.Word+tok.Term) {
				t.Fatalf("%q: %+v", s, tok)
			}
			if tok.Parts > maxParts || tok.Start < covered && tok.End < covered {
				t.Fatalf("%q: %+v after %d", s, tok, covered)
			}
			covered = tok.Start
		}
	})
}
