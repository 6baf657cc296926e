package scan_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"wikibot/search/internal/query"
	"wikibot/search/internal/scan"
)

func parse(t testing.TB, s string) query.Query {
	t.Helper()
	q, err := query.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// texts are the matches, or "–" for a page that does not match.
func texts(src string, at [][2]int, ok bool) string {
	if !ok {
		return "–"
	}
	var list []string
	for _, m := range at {
		list = append(list, src[m[0]:m[1]])
	}
	return strings.Join(list, "|")
}

func TestPage(t *testing.T) {
	const src = "The GitStore opens\nv1.20 and v2.3. group\n  commit; Zürich C++ 检索引擎\n"
	for in, want := range map[string]string{
		`/v[0-9]+\.[0-9]+/`:       "v1.20|v2.3",
		`/^v.*group$/`:            "v1.20 and v2.3. group",
		`/GITSTORE/`:              "–",
		`/GITSTORE/i`:             "GitStore",
		`/v1/ /nowhere/`:          "–",
		`/v1/ -/nowhere/`:         "v1",
		`/v1/ -/v2/`:              "–",
		`/opens\nv1/ /ns/`:        "opens\nv1",
		`-/v3/`:                   "",
		`word`:                    "",
		`case:yes GitStore`:       "GitStore",
		`case:yes gitstore`:       "–",
		`case:yes Store Git`:      "Git|Store",
		`case:yes tore`:           "–",
		`case:yes open`:           "–",
		`case:yes open*`:          "open",
		`case:yes "group commit"`: "group\n  commit",
		`case:yes "group it"`:     "–",
		`case:yes x OR The y`:     "The",
		`case:yes +The -Nowhere`:  "The",
		`case:yes +The +the`:      "–",
		`case:yes The -GitStore`:  "–",
		`case:yes -Nowhere`:       "",
		`case:yes Zürich C++?`:    "Zürich|C++",
		`case:yes 引擎`:             "引擎",
		`case:yes /v\d/ The`:      "The|v1|v2",
	} {
		at, ok := scan.Page([]byte(src), parse(t, in))
		if got := texts(src, at, ok); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestMatchesAreBounded(t *testing.T) {
	at, ok := scan.Page([]byte(strings.Repeat("a b ", 1000)), parse(t, "case:yes a /b/ /a b/"))
	if !ok || len(at) > 3*scan.MaxMatches {
		t.Errorf("%d matches", len(at))
	}
}

var nasty = []string{`/(a|aa)+$/`, `/.*.*.*x/`, `/[^b]*b/`, `/(x+x+)+y/`, `/(a?){50}a{50}b/`, `/((a{10}){10}b|a)c/`, `/[^x]*x|a/`, `/(?s)(.*)(.*)(.*)z/`}

// What a hostile expression reads is counted: one pass where the page is long for it,
// and a pass for each match at most where it is not. The program is bounded too, so
// the product is.
func TestHostileExpressionsReadABoundedAmount(t *testing.T) {
	for _, size := range []int{100, 10_000, 300_000} {
		src := []byte(strings.Repeat("a", size))
		for _, in := range nasty {
			s := scan.New(parse(t, in), scan.Budget{Pages: 1, Bytes: 1 << 40})
			if _, _, err := s.Page(context.Background(), src); err != nil {
				t.Fatal(err)
			}
			if most := (scan.MaxMatches + 1) * size; s.Used.Bytes > most || size == 300_000 && s.Used.Bytes > size {
				t.Errorf("%s reads %d bytes of %d", in, s.Used.Bytes, size)
			}
		}
	}
}

func TestBudget(t *testing.T) {
	src := []byte(strings.Repeat("word ", 200))
	s := scan.New(parse(t, "/nowhere/ case:yes word"), scan.Budget{Pages: 3, Bytes: 1 << 20})
	pages := 0
	for ; pages < 10; pages++ {
		if _, _, err := s.Page(context.Background(), src); err != nil {
			if !errors.Is(err, scan.ErrSpent) {
				t.Fatal(err)
			}
			break
		}
	}
	if pages != 3 || s.Used.Pages != 3 || s.Used.Bytes != 3000 {
		t.Errorf("%d pages, used %+v", pages, s.Used)
	}
	s = scan.New(parse(t, "/nowhere/"), scan.Budget{Pages: 100, Bytes: 2500})
	for pages = 0; pages < 10; pages++ {
		if _, _, err := s.Page(context.Background(), src); err != nil {
			break
		}
	}
	if pages != 3 {
		t.Errorf("%d pages of 1,000 bytes within 2,500", pages)
	}
}

// ends is a context that ends after it was asked so many times.
type ends struct {
	context.Context
	asked, after int
}

func (c *ends) Err() error {
	if c.asked++; c.asked > c.after {
		return context.DeadlineExceeded
	}
	return nil
}

// A page is left in its midst when the time is over.
func TestTheContextIsAskedWithinAPage(t *testing.T) {
	src := []byte(strings.Repeat("a", 1_000_000))
	for _, in := range []string{`/(a|aa)+b$/`, "case:yes ab*", `case:yes "ab b"`} {
		if strings.HasPrefix(in, "case") {
			src = []byte(strings.Repeat("xab", 300_000))
		}
		ctx := &ends{Context: context.Background(), after: 5}
		_, _, err := scan.New(parse(t, in), scan.Budget{Pages: 1, Bytes: 1 << 40}).Page(ctx, src)
		if !errors.Is(err, context.DeadlineExceeded) || ctx.asked > 20 {
			t.Errorf("%s: %v, asked %d times", in, err, ctx.asked)
		}
	}
}

func FuzzPage(f *testing.F) {
	for _, s := range []string{`v[0-9]+`, `(foo|bar)baz+`, `^a.*z$`, `x{2,3}`, `(?i)ab(c)`, `\bq\b`, `a[^b]\x{fffd}`} {
		f.Add(s, "text foobaz ABC a z\n\xffuuu v12", "ab")
	}
	f.Fuzz(func(t *testing.T, source, src, word string) {
		var q query.Query
		if re, err := query.Compile(source, false); err == nil {
			q.Regexps = []query.Regexp{{Source: source, Expr: re}}
			at, ok := scan.Page([]byte(src), q)
			want := regexp.MustCompile("(?m)" + source).FindStringIndex(src)
			if ok != (want != nil) || ok && fmt.Sprint(at[0][0]) != fmt.Sprint(want[0]) {
				t.Fatalf("%q in %q: %v %v, want %v", source, src, at, ok, want)
			}
		}
		q.Regexps, q.Case = nil, true
		q.Groups = query.Words(word).Groups
		at, ok := scan.Page([]byte(src), q)
		for _, m := range at {
			if m[0] >= m[1] || m[1] > len(src) || !ok {
				t.Fatalf("%q in %q: %v %v", word, src, at, ok)
			}
		}
	})
}

// Of each: MB/s over a page of prose, and over one letter again and again.
func BenchmarkPage(b *testing.B) {
	prose := []byte(strings.Repeat("The quick brown fox jumps over the lazy dog, again and again. ", 160))
	letters := []byte(strings.Repeat("a", 10_000))
	for _, in := range append([]string{"/nowhere/", "/[0-9]+x/", "/(?i)nowhere/", `/\bfo[xy]+z/`, "case:yes Nowhere"}, nasty...) {
		q := parse(b, in)
		for name, src := range map[string][]byte{"prose": prose, "letters": letters} {
			b.Run(strings.ReplaceAll(in, "/", "")+"/"+name, func(b *testing.B) {
				b.SetBytes(int64(len(src)))
				s := scan.New(q, scan.Budget{Pages: 1 << 60, Bytes: 1 << 62})
				for b.Loop() {
					_, _, _ = s.Page(context.Background(), src)
				}
			})
		}
	}
}
