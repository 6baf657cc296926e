package query_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"wikibot/search/internal/query"
	"wikibot/wiki"
)

// show is a query in a form that shows all of it: kinds as letters, places as
// the text that they cover.
func show(q query.Query) string {
	var b strings.Builder
	for _, g := range q.Groups {
		if g.Not {
			b.WriteString("not ")
		}
		if g.Must {
			b.WriteString("must ")
		}
		for i, t := range g.Terms {
			fmt.Fprintf(&b, "%s%s(%s)", []string{"", "|"}[min(i, 1)], []string{"w", "p", "x"}[t.Kind], t.Text)
		}
		b.WriteString("; ")
	}
	for _, f := range q.Filters {
		fmt.Fprintf(&b, "%v %d %s not=%v; ", f.Field, f.Op, f.Value, f.Not)
	}
	for _, r := range q.Regexps {
		fmt.Fprintf(&b, "re %s fold=%v not=%v; ", r.Source, r.Fold, r.Not)
	}
	if q.Case {
		b.WriteString("case")
	}
	return strings.TrimSuffix(b.String(), "; ")
}

func TestParse(t *testing.T) {
	for in, want := range map[string]string{
		"":                             "",
		"  design\tstorage ":           "w(design); w(storage)",
		`"group  commit" x`:            "p(group commit); w(x)",
		"“group commit” „a b“ «c»":     "p(group commit); p(a b); p(c)",
		`"half typed`:                  "p(half typed)",
		`5" disk`:                      `w(5"); w(disk)`,
		"stor*":                        "x(stor)",
		"*":                            "",
		"-draft +keep":                 "not w(draft); must w(keep)",
		"--draft -":                    "not w(draft)",
		`-"a b"`:                       "not p(a b)",
		"a NOT b":                      "w(a); not w(b)",
		"a OR b OR c d":                "w(a)|w(b)|w(c); w(d)",
		"+a OR b":                      "must w(a)|w(b)",
		"a AND b c":                    "must w(a); must w(b); w(c)",
		"a OR":                         "w(a)",
		"OR a AND":                     "w(a)",
		"a AND tag:x":                  "must w(a); tag 0 x not=false",
		"(a OR b) c":                   "w((a)|w(b)); w(c)",
		"-OR":                          "not p(OR)",
		"https://example.org/x note:":  "w(https://example.org/x); w(note:)",
		"C++ .NET c#":                  "w(C++); w(.NET); w(c#)",
		"日本語 検索":                       "w(日本語); w(検索)",
		"path:Design/Auth.md/":         "path 0 Design/Auth not=false",
		"tag:#git tags:\"two words\"":  "tag 0 git not=false; tag 0 two words not=false",
		"-category:event":              "category 0 event not=true",
		"Title:\"the plan":             "title 0 the plan not=false",
		"title: author:":               "",
		"updated:>2026-01-01":          "updated 3 2026-01-01 not=false",
		"updated:<=2026-01":            "updated 2 2026-01 not=false",
		"updated:=2026 NOT updated:7d": "updated 0 2026 not=false; updated 0 7d not=true",
		"updated:2026-01..":            "updated 5 2026-01.. not=false",
		"/v[0-9]+/ /A b/i -/c/":        "re v[0-9]+ fold=false not=false; re A b fold=true not=false; re c fold=false not=true",
		`/a\/b/`:                       `re a\/b fold=false not=false`,
		"/usr/bin":                     "w(usr/bin)",
		"/usr/bin/":                    "re usr/bin fold=false not=false",
		"/half(":                       "w(half()",
		"// a":                         "w(a)",
		"case:yes Foo":                 "w(Foo); case",
		"case:no Foo":                  "w(Foo)",
		"a\x00b \xff":                  "w(a); w(b); w(\ufffd)",
		"/tag:x":                       "p(tag:x)",
		"to – from & back":             "w(to); w(–); w(from); w(back)",
	} {
		q, err := query.Parse(in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
		} else if got := show(q); got != want {
			t.Errorf("%q\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for in, want := range map[string]string{
		strings.Repeat("a ", 251):               "502 bytes long; at most 500",
		"é updated:soon":                        `at character 11 of the query: "soon" is no time; write updated:2026-01-31`,
		"updated:2026-13":                       "is no time",
		"updated:..":                            "is no time",
		"updated:>2026..2027":                   "is no time",
		"updated:0000":                          "is no time",
		"case:maybe":                            "yes or no",
		"a OR tag:x":                            "OR stands between words",
		"tag:x OR tag:y":                        "OR stands between words",
		"a OR -b":                               "write -a -b",
		"/a(/":                                  "missing closing ) in a(; the syntax is",
		"/(a{1000}){1000}/":                     "invalid repeat count",
		"/" + strings.Repeat("a", 201) + "/":    "shorten it to 200 bytes",
		"/(abc){900}/":                          "too large",
		"/(((a{30}){30})b)*/":                   "too large",
		"/" + strings.Repeat(".{99}", 30) + "/": "too large",
		"/a*/":                                  "matches the empty text",
		`/^\b(x|y?){2}$/`:                       "matches the empty text",
		strings.Repeat("/a/ ", 9):               "more than 8 regular expressions",
		strings.Repeat("tag:a ", 33):            "more than 32 filters",
		strings.Repeat("+a ", 33):               "more than 32 words",
	} {
		_, err := query.Parse(in)
		if !errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", in, err, want)
		}
	}
}

// A pasted sentence is a query, whatever its length within the bytes.
func TestManyWords(t *testing.T) {
	q, err := query.Parse(strings.Repeat("ab ", 160))
	if err != nil || len(q.Groups) != query.MaxGroups || len(q.Groups[31].Terms) != 129 {
		t.Fatalf("%v, %d groups", err, len(q.Groups))
	}
	if got := len(strings.Fields(q.Text())); got != 160 {
		t.Errorf("%d words for a search by meaning", got)
	}
}

func TestPlaces(t *testing.T) {
	in := `é -"a b" c* tag:"x y" -/re/i d`
	q, err := query.Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, g := range q.Groups {
		for _, t := range g.Terms {
			got = append(got, in[t.From:t.To])
		}
	}
	got = append(got, in[q.Filters[0].From:q.Filters[0].To], in[q.Regexps[0].From:q.Regexps[0].To])
	if want := []string{"é", `"a b"`, "c*", "d", `tag:"x y"`, "-/re/i"}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTextAndWords(t *testing.T) {
	q, _ := query.Parse(`how OR why "group commit" -slow fast* tag:x`)
	if got := q.Text(); got != "how why group commit fast" {
		t.Errorf("%q", got)
	}
	q = query.Words(`why is "tag:x" OR -y?`)
	if got := show(q); got != `w(why); w(is); w("tag:x"); w(OR); w(-y?)` {
		t.Errorf("%s", got)
	}
}

func TestRegexpsMatchAtLines(t *testing.T) {
	q, err := query.Parse("/^b.$/i")
	if err != nil || !q.Regexps[0].Expr.MatchString("a\nBc\nd") || q.Regexps[0].Expr.MatchString("a\nxBc\nd") {
		t.Error(err)
	}
}

func TestIntervals(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	touched := now.AddDate(0, 0, -3)
	for in, want := range map[string]bool{
		"7d": true, "2d": false, "<2d": true, ">7d": true, "<=7d": false, "7d..2d": true, "2d..": false, "..2d": true,
		"2026": true, "2026-11": true, "2026-11-19": true, "2026-11-20": false,
		">2026-11-19": false, ">=2026-11-19": true, ">2026-10": true, "<2026-11-19": false, "<=2026-11-19": true, "<=2026-11": true,
		"2026-10..2026-11": true, "..2026-11-18": false, "2026-11-20..": false, ">2026-11-19T11:59:59Z": true, ">=2026-11-19T12:00:00Z": true, "<2026-11-19T12:00": false,
		">2026-11-19T11:59": true, "2026-11-19T13:00:00+01:00": true, "72h": true, "71h": false, "1w": true, "1m": true, "1y": true,
	} {
		q, err := query.Parse("updated:" + in)
		if err != nil {
			t.Errorf("%q: %v", in, err)
			continue
		}
		from, until := q.Filters[0].Interval(now)
		if got := !touched.Before(from) && (until.IsZero() || touched.Before(until)); got != want {
			t.Errorf("%q: %v, [%v, %v)", in, got, from, until)
		}
	}
}
