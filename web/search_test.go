package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"wikibot/search"
	"wikibot/wiki"
)

var tags = regexp.MustCompile(`<[^>]*>`)

// said is what a page says, without markup and with single spaces.
func said(html string) string {
	return strings.Join(strings.Fields(tags.ReplaceAllString(html, " ")), " ")
}

// answered is the search page and the fragment of an address as they look with an
// answer of the index, or with its error.
func (s *site) answered(t testing.TB, c wiki.Caller, query string, answer *search.Answer, wrong error) (page, part *httptest.ResponseRecorder) {
	t.Helper()
	return s.answeredOne(t, c, query, answer, wrong), s.answeredOne(t, c, query+"&fragment", answer, wrong)
}

func (s *site) answeredOne(t testing.TB, c wiki.Caller, query string, answer *search.Answer, wrong error) *httptest.ResponseRecorder {
	t.Helper()
	view, err := s.store.View(t.Context(), c, "notes")
	if err != nil {
		t.Fatal(err)
	}
	w, r := httptest.NewRecorder(), httptest.NewRequest("GET", "http://wiki.example/w/notes/-/search?"+query, nil)
	q := &request{Handler: s.handler, w: w, r: r, caller: c, slug: "notes", rest: "/-/search", view: view, can: view.Standing()}
	a, err := q.asked()
	if err != nil {
		t.Fatal(err)
	}
	d := q.searchView(a)
	code, err := d.take(q, answer, wrong)
	if err == nil {
		err = q.showSearch(code, d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// sample is an answer of n results; the first all of them hold every word.
func sample(n, all, total int) *search.Answer {
	a := &search.Answer{Query: "tomatoes", Mode: search.Lexical, Arms: []search.Arm{search.ArmLexical}, All: all, Total: total, Took: 1300 * time.Microsecond}
	for i := range n {
		a.Results = append(a.Results, search.Result{
			Page: wiki.PagePath(fmt.Sprintf("Garden/Beds %d/Tomatoes & <b>", i%3)), Title: []search.Span{{Text: "Tomatoes", Match: true}, {Text: " <script>x</script>"}},
			Section: []string{"Tomatoes", "Watering", "In <i>summer"}, Anchor: "in-süm/mer", Line: 12,
			Snippet:  []search.Span{{Text: "Water the "}, {Text: "tomatoes<img src=x onerror=alert(1)>", Match: true}},
			Category: "event", Tags: []string{"garden", "big tomatoes"}, Updated: time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC), Author: "bob", Every: i < all, Arms: []search.Arm{search.ArmLexical},
		})
	}
	return a
}

func TestSearchPage(t *testing.T) {
	s := newSite(t)
	fault := wiki.Invalid("query", "at character 6 of the query: %q is no time; write 7d", "soon")
	hybrid := sample(3, 1, 3)
	hybrid.Arms = []search.Arm{search.ArmLexical, search.ArmVectors}
	hybrid.Results[2].Arms = []search.Arm{search.ArmVectors}
	mixed := sample(3, 1, 3)
	mixed.Results = []search.Result{mixed.Results[1], mixed.Results[2], mixed.Results[0]}
	told := sample(3, 3, 3)
	told.DidYouMean, told.Related, told.Partial, told.Lag.Commits = "tomatoes & co", []string{"compost"}, "Only half of it was looked at.", 2
	for _, test := range []struct {
		name, query string
		answer      *search.Answer
		err         error
		status      int
		says        []string // in order, on the page without its markup
		html        []string
		not         []string
	}{
		{name: "nothing asked", status: 200, says: []string{"What you can type", "group commit", "updated:7d"}, html: []string{"autofocus"}, not: []string{"found"}},
		{name: "all", query: "q=tomatoes", answer: sample(2, 2, 2), status: 200, says: []string{"2 pages found · by words · 1.3 ms", "Garden / Beds 0 / Tomatoes &amp; &lt;b&gt; › Watering › In &lt;i&gt;summer", "event #garden #big tomatoes 20 November 2026, 10:00 · bob"},
			html: []string{
				`<a href="/w/notes/Garden/Beds%200/Tomatoes%20&amp;%20%3Cb%3E#in-s%C3%BCm%2Fmer"><mark>Tomatoes</mark> &lt;script&gt;`,
				`<mark>tomatoes&lt;img src=x`,
			}, not: []string{"<script>x", "<img src=x", "Next", "hold some"}},
		{name: "one", query: "q=tomatoes", answer: sample(1, 1, 1), status: 200, says: []string{"1 page found"}},
		{name: "some", query: "q=red+tomatoes", answer: sample(20, 12, 47), status: 200, says: []string{"12 pages hold every word, 35 more hold some", "These hold some of the words", "page 1 of 3 Next"},
			html: []string{`rel="next" href="/w/notes/-/search?q=red&#43;tomatoes&amp;page=2"`}, not: []string{"Previous"}},
		{name: "none holds all", query: "q=red+tomatoes", answer: sample(2, 0, 2), status: 200, says: []string{"No page holds every word; 2 hold some"}, not: []string{"These hold some"}},
		{name: "mixed", query: "q=a+long+question+of+many+words", answer: mixed, status: 200, says: []string{"1 page holds every word, 2 more hold some", "Beds 1", "Beds 2", "Beds 0"}, not: []string{"These hold some"}},
		{name: "second page", query: "q=tomatoes&page=2&case=yes", answer: sample(20, 47, 47), status: 200, says: []string{"47 pages found", "page 2 of 3", "Previous", "page 2 of 3", "Next"},
			html: []string{`rel="prev" href="/w/notes/-/search?q=tomatoes&amp;case=yes"`, `rel="next" href="/w/notes/-/search?q=tomatoes&amp;case=yes&amp;page=3"`}},
		{name: "hybrid", query: "q=tomatoes&mode=hybrid", answer: hybrid, status: 200, says: []string{"1 page holds every word, 2 more are near · by words, by meaning", "These are near", "by meaning event"}},
		{name: "told", query: "q=tomatoes", answer: told, status: 200, says: []string{"Did you mean tomatoes &amp; co", "Only half of it was looked at.", "The newest 2 changes are not searched yet.", "Related words compost"},
			html: []string{`href="/w/notes/-/search?q=tomatoes&#43;%26&#43;co"`, `href="/w/notes/-/search?q=tomatoes&#43;compost"`}},
		{name: "conditions", query: "q=tomatoes+-tag:garden+category:event", answer: sample(3, 3, 9), status: 200, says: []string{"not tag: garden", "category: event", "3"},
			html: []string{`href="/w/notes/-/search?q=tomatoes&#43;category%3Aevent"`, `href="/w/notes/-/search?q=tomatoes&#43;-tag%3Agarden"`, `category%3Aevent&#43;tag%3A%22big&#43;tomatoes%22"`, `author%3Abob"`, `updated%3A7d"`, `path%3AGarden"`}},
		{name: "nothing", query: "q=New+Page", answer: &search.Answer{}, status: 200, says: []string{"Nothing found for “New Page”.", "Create the page “New Page”"}, html: []string{`/-/create?path=New%20Page`}},
		{name: "nothing with conditions", query: "q=x+tag:y", answer: &search.Answer{}, status: 200, says: []string{"tag: y", "Search without the conditions"}, not: []string{"Create the page"}},
		{name: "fault", query: "q=plan+soon", err: fault, status: 422, says: []string{"plan soon", "at character 6 of the query", "What you can type"}, html: []string{`plan <mark>soon</mark>`}},
		{name: "building", query: "q=plan", err: &search.NotReady{Done: 1200, Total: 7400}, status: 200, says: []string{"Reading the wiki: 1,200 of 7,400 pages"}, html: []string{`value="1200" max="7400"`, `http-equiv="refresh"`}},
		{name: "beginning", query: "q=plan", err: fmt.Errorf("asking: %w", &search.NotReady{}), status: 200, says: []string{"Reading the wiki…"}},
		{name: "name", query: "q=design/auth", answer: sample(1, 1, 1), status: 200, says: []string{"There is a page of this name: Design/Auth"}},
	} {
		w, part := s.answered(t, alice, test.query, test.answer, test.err)
		if w.Code != test.status {
			t.Errorf("%s: status %d, want %d", test.name, w.Code, test.status)
		}
		if got := w.Header().Get("Cache-Control"); got != "private, no-store" || w.Header().Get("Etag") != "" {
			t.Errorf("%s: may be kept: %s", test.name, got)
		}
		body := w.Body.String()
		main, _, _ := strings.Cut(mainOf(body), "</main>")
		at, words := 0, said(main)
		for _, want := range test.says {
			i := strings.Index(words[at:], want)
			if i < 0 {
				t.Errorf("%s: the page does not say %q (after %d):\n%s", test.name, want, at, words)
				break
			}
			at += i + len(want)
		}
		for _, want := range test.html {
			if !strings.Contains(body, want) {
				t.Errorf("%s: the page lacks %s\n%s", test.name, want, mainOf(body))
			}
		}
		for _, bad := range test.not {
			if strings.Contains(words, bad) || strings.HasPrefix(bad, "<") && strings.Contains(body, bad) {
				t.Errorf("%s: the page has %q:\n%s", test.name, bad, words)
			}
		}
		if part.Code != test.status || strings.Contains(part.Body.String(), "<form") || !strings.Contains(body, strings.TrimSpace(part.Body.String())) {
			t.Errorf("%s: the fragment (status %d) is no part of the page:\n%s", test.name, part.Code, part.Body)
		}
	}
}

func TestFaultAt(t *testing.T) {
	for _, test := range []struct{ text, fault, want string }{
		{"plan soon x", "at character 6 of the query: no", "plan [soon] x"},
		{"süß soon", "at character 5 of the query: no", "süß [soon]"},
		{"x", "at character 1 of the query: no", "[x]"},
		{"a b", "at character 2 of the query: no", "a[ b]"},
		{"x", "at character 2 of the query: no", ""},
		{"x", "at character 0 of the query: no", ""},
		{"x", "at character 99999999999999999999 of the query: no", ""},
		{"x", "something else", ""},
	} {
		got := ""
		for _, s := range faultAt(test.text, test.fault) {
			if s.Match {
				s.Text = "[" + s.Text + "]"
			}
			got += s.Text
		}
		if got != test.want {
			t.Errorf("%q, %q: got %q, want %q", test.text, test.fault, got, test.want)
		}
	}
}

// TestNarrowDown: the form writes into the query, and the address shows it.
func TestNarrowDown(t *testing.T) {
	s := newSite(t)
	for query, want := range map[string]string{
		"q=plan&category=event&tag=&path=&author=&since=": "q=plan+category%3Aevent",
		"q=plan&path=Design+notes&mode=hybrid&page=3":     "q=plan+path%3A%22Design+notes%22&mode=hybrid",
		"q=plan+author:bob&author=alice&since=2026-01-31": "q=plan+author%3Aalice+updated%3A%3E%3D2026-01-31",
		"q=plan&category=&tag=":                           "q=plan",
		"q=plan&since=soon":                               "q=plan",
		"tag=git":                                         "q=tag%3Agit",
	} {
		w := s.get(alice, "/w/notes/-/search?"+query)
		if got := w.Header().Get("Location"); w.Code != 303 || got != "/w/notes/-/search?"+want {
			t.Errorf("%s: %d, %q; want %q", query, w.Code, got, want)
		}
	}
	for _, query := range []string{"page=0", "page=501", "page=x", "mode=magic"} {
		wantStatus(t, s.get(alice, "/w/notes/-/search?q=x&"+query), 422)
	}
}

func TestFolderBelow(t *testing.T) {
	for _, test := range []struct{ page, under, want string }{
		{"Home", "", ""}, {"A/B", "", "A"}, {"A/B/C", "", "A"}, {"A/B/C", "a", "A/B"}, {"A/B", "A", ""}, {"AB/C", "A", "AB"}, {"A/B/C", "X", "A"},
	} {
		if got := folderBelow(test.page, test.under); got != test.want {
			t.Errorf("%q below %q: got %q, want %q", test.page, test.under, got, test.want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 7425: "7,425", 1234567: "1,234,567", -1: "-1", -123456: "-123,456", -1000: "-1,000"} {
		if got := number(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
}

func TestSearchJSON(t *testing.T) {
	s := newSite(t)
	w := s.get(alice, "/w/notes/-/search.json?q=three+tokens")
	wantStatus(t, w, 200)
	var got struct {
		Mode                    string
		Arms                    []string
		Total, All, Page, Pages int
		Results                 []struct {
			Page, URL string
			Title     []piece
			Snippet   []piece
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got.Mode != "lexical" || got.Total != 2 || got.All != 0 || got.Page != 1 || got.Pages != 1 || len(got.Results) != 2 {
		t.Fatalf("%v: %+v from %s", err, got, w.Body)
	}
	if first := got.Results[0]; first.Page != "Design/Auth/Tokens" || first.URL != "/w/notes/Design/Auth/Tokens" || first.Title[0] != (piece{"Tokens", true}) {
		t.Errorf("the first result is %+v", first)
	}
	for _, test := range []struct {
		address string
		want    int
		says    string
	}{
		{"/-/search.json", 422, `"field":"q"`},
		{"/-/search.json?q=x&mode=magic", 422, `"field":"mode"`},
		{"/-/search.json?q=x&page=0", 422, `"field":"page"`},
		{"/-/search.json?q=updated:soon", 422, `is no time`},
		{"/-/suggest.json?q=" + strings.Repeat("x", 201), 422, `"field":"q"`},
		{"/-/suggest.json", 200, `{"suggestions":[]}`},
		{"/-/suggest.json?q=auth", 200, `"url":"/w/notes/Design/Auth"`},
		{"/-/search/status.json", 200, `"state":"complete"`},
	} {
		w := s.get(bob, "/w/notes"+test.address)
		if w.Code != test.want || !strings.Contains(w.Body.String(), test.says) || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", test.address, w.Code, w.Body)
		}
		if strings.Contains(w.Body.String(), `"bytes"`) {
			t.Errorf("%s tells a reader what is for owners: %s", test.address, w.Body)
		}
	}
	wantBody(t, s.get(alice, "/w/notes/-/search/status.json"), `"bytes":`)
	wantStatus(t, s.get(alice, "/w/notes/-/search/else"), 404)
}

// TestSearchJSONBuilding: a program is told to come again.
func TestSearchJSONBuilding(t *testing.T) {
	s := newSite(t)
	w := httptest.NewRecorder()
	q := &request{Handler: s.handler, w: w, r: httptest.NewRequest("GET", "/", nil)}
	if err := q.failSearch(&search.NotReady{Done: 3, Total: 9}); err != nil {
		t.Fatal(err)
	}
	if w.Code != 503 || w.Header().Get("Retry-After") != "2" || !strings.Contains(w.Body.String(), "3 of 9 pages") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

// TestSearchSeesSaves: what was saved is found by the next request, and no answer
// is kept.
func TestSearchSeesSaves(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"/-/search?q=zebra", "/-/search?q=zebra&fragment", "/-/search.json?q=zebra", "/-/suggest.json?q=zeb"} {
		if body := s.get(alice, "/w/notes"+path).Body.String(); strings.Contains(body, "Animals/Zebra") {
			t.Errorf("%s finds what nobody wrote", path)
		}
	}
	wantStatus(t, s.post(alice, "/w/notes/-/edit/Animals/Zebra", url.Values{"content": {"A zebra."}, "action": {"save"}}), 303)
	for _, path := range []string{"/-/search?q=zebra", "/-/search?q=zebra&fragment", "/-/search.json?q=zebra", "/-/suggest.json?q=zeb"} {
		w := s.get(alice, "/w/notes"+path)
		wantBody(t, w, "/w/notes/Animals/Zebra")
		if w.Header().Get("Etag") != "" || w.Header().Get("Cache-Control") != "private, no-store" {
			t.Errorf("%s may be kept: %v", path, w.Header())
		}
	}
}

func TestReindex(t *testing.T) {
	s := newSite(t)
	w := s.post(alice, "/w/notes/-/reindex", url.Values{})
	if got := w.Header().Get("Location"); w.Code != 303 || got != "/w/notes/-/settings?done=reindex#Index" {
		t.Errorf("%d, %q", w.Code, got)
	}
	wantStatus(t, s.post(bob, "/w/notes/-/reindex", url.Values{}), 403)
	wantStatus(t, s.post(nobody, "/w/notes/-/reindex", url.Values{}), 404)
	wantStatus(t, s.post(mallory, "/w/notes/-/reindex", url.Values{}), 404)
	wantStatus(t, s.post(alice, "/w/notes/-/reindex", url.Values{}, "Sec-Fetch-Site", "cross-site"), 403)
	wantStatus(t, s.get(alice, "/w/notes/-/reindex"), 405)
	wantBody(t, s.get(alice, "/w/notes/-/settings"), `action="/w/notes/-/reindex"`)
}

// TestWaited: a question whose patience is over tells how far the index is; one
// that nobody waits for any more, and other errors, stay what they are.
func TestWaited(t *testing.T) {
	s := newSite(t)
	view, err := s.store.View(t.Context(), alice, "notes")
	if err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	short, done := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer done()
	other := errors.New("other")
	for _, test := range []struct {
		name         string
		request, ctx context.Context
		err          error
		building     bool
	}{
		{"in time", t.Context(), t.Context(), nil, false},
		{"another error", t.Context(), t.Context(), other, false},
		{"too long", t.Context(), short, short.Err(), true},
		{"nobody there", gone, gone, gone.Err(), false},
	} {
		q := &request{Handler: s.handler, r: httptest.NewRequest("GET", "/", nil).WithContext(test.request), view: view}
		building := (*search.NotReady)(nil)
		if err := q.waited(test.ctx, test.err); errors.As(err, &building) != test.building || !test.building && err != test.err {
			t.Errorf("%s: got %v", test.name, err)
		}
	}
}

// TestFacets: what is offered narrows the search and is not said already.
func TestFacets(t *testing.T) {
	s := newSite(t)
	for _, test := range []struct {
		query      string
		total      int
		want, lack []string
	}{
		{"tomatoes", 3, []string{"updated%3A7d"}, []string{"category", "tag%3A", "author", "path"}}, // all three pages share the rest
		{"tomatoes", 9, []string{"category%3Aevent", "tag%3Agarden", "tag%3A%22big&#43;tomatoes", "author%3Abob", "path%3AGarden\"", "updated%3A1y"}, nil},
		{"tomatoes path:garden", 9, []string{"path%3A%22Garden%2FBeds&#43;0"}, []string{"path%3AGarden\""}},
		{"tomatoes Category:EVENT", 9, []string{"author%3Abob"}, []string{"category%3Aevent"}},
		{"tomatoes -category:event -updated:7d", 9, []string{"updated%3A1m"}, nil},
		{"tomatoes -category:event author:garden", 9, []string{"tag%3Agarden"}, []string{"&#43;category%3Aevent"}},
		{"tomatoes updated:1y", 9, []string{"author%3Abob"}, []string{"updated%3A7d"}},
		{"tomatoes", 1, nil, []string{"href"}},
	} {
		_, part := s.answered(t, alice, "q="+url.QueryEscape(test.query), sample(min(3, test.total), 1, test.total), nil)
		_, aside, _ := strings.Cut(part.Body.String(), `<aside class="facets"`)
		for _, want := range test.want {
			if !strings.Contains(aside, want) {
				t.Errorf("%q, %d pages: %s is not offered:\n%s", test.query, test.total, want, aside)
			}
		}
		for _, bad := range test.lack {
			if strings.Contains(aside, bad) {
				t.Errorf("%q, %d pages: %s is offered:\n%s", test.query, test.total, bad, aside)
			}
		}
	}
}
