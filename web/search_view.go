package web

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"wikibot/search"
	"wikibot/wiki"
)

// searchView is the page of a search: nothing asked yet, an answer, a fault, or a
// wiki that is still being read.
type searchView struct {
	frame
	asked
	Status   search.Status
	Modes    []way
	Building *search.NotReady // there is no index to ask yet
	Fault    string
	Marked   []search.Span // the query with the place of the fault marked; nil where that is not known

	Answer   *search.Answer
	Every    []result // hold every part of the query; all results, where those do not come first, as with many words
	Partly   []result // hold some of it, or are near it
	All      int      // pages that hold every part
	Chips    []choice // conditions in the query; URL takes one away
	Facets   []facet  // conditions to add
	Related  []choice
	Arms     []string // how it was searched, for people
	Took     string
	Pages    int
	Newer    string // address of the page of results before this one
	Older    string // … and after it
	DidYou   string // address of the query that was perhaps meant
	Exact    wiki.PagePath
	New      string // name of a page to create
	Wider    string // address of the same search by meaning as well; related terms know no word that nobody wrote
	Bare     string // address of the search without its conditions
	InOld    string // address of the search in history; empty where there is none
	HelpLink string
}

// choice is a link that changes the search.
type choice struct {
	Name string
	URL  string
	Not  bool
}

// facet is one field and the values of it that would narrow the search.
type facet struct {
	Field  string // as people call it
	Values []choice
}

// result is one page that was found.
type result struct {
	search.Result
	URL      string   // of the best section
	Crumbs   []string // folders
	Sections []string // titles down to the best section, without the page's own
	How      string   // which arm alone found it; empty: words
}

// State names what the page shows, for the script and the style sheet.
func (d *searchView) State() string {
	switch {
	case d.Fault != "":
		return "fault"
	case d.Building != nil:
		return "building"
	case d.Answer == nil:
		return "empty"
	case d.Answer.Total == 0:
		return "nothing"
	}
	return "found"
}

// More is how many pages hold not every part of the query.
func (d *searchView) More() int { return d.Answer.Total - d.All }

// Near reports whether pages were found otherwise than by their words.
func (d *searchView) Near() bool {
	return slices.ContainsFunc(d.Answer.Arms, func(a search.Arm) bool { return a != search.ArmLexical })
}

// Behind reports whether the answer may lack what was saved last.
func (d *searchView) Behind() bool { return d.Answer.Lag.Commits != 0 }

// way is a mode of searching that can be chosen.
type way struct {
	Mode        search.Mode
	Value       string // in the address; empty for the usual one
	Name, About string
}

// ways are the modes. Related terms are not called meaning: they are not.
func (q *request) ways(model bool) []way {
	c := q.texts
	list := []way{
		{search.Lexical, "", c.get("search.mode_lexical"), c.get("search.about_lexical")},
		{search.Hybrid, string(search.Hybrid), c.get("search.mode_hybrid"), c.get("search.about_hybrid")},
		{search.Semantic, string(search.Semantic), c.get("search.mode_semantic"), c.get("search.about_semantic")},
	}
	if !model {
		list[1].Name, list[1].About = c.get("search.mode_and_related"), c.get("search.about_and_related")
		list[2].Name, list[2].About = c.get("search.mode_related"), c.get("search.about_related")
	}
	return list
}

// Model is what the operator calls the model whose vectors answer now.
func (d *searchView) Model() string {
	if d.Status.Serving != "" {
		return d.Status.Serving
	}
	return d.Status.Model
}

// fill puts an answer on the page.
func (d *searchView) fill(q *request, a *search.Answer) {
	d.Answer, d.All = a, a.All
	if len(a.Arms) == 0 {
		d.All = a.Total // conditions alone, and every page that is found fulfils them
	}
	tiers := slices.IsSortedFunc(a.Results, func(x, y search.Result) int { return cmp.Compare(part(x), part(y)) })
	for _, r := range a.Results {
		one := d.result(r)
		if len(r.Arms) == 1 && d.Mode == search.Hybrid {
			one.How = q.foundBy(r.Arms[0])
		}
		if r.Every || len(a.Arms) == 0 || !tiers {
			d.Every = append(d.Every, one)
		} else {
			d.Partly = append(d.Partly, one)
		}
	}
	d.Pages = min((a.Total+searchLimit-1)/searchLimit, searchPages)
	if d.Page > 1 {
		d.Newer = d.at(func(to *asked) { to.Page = min(d.Page-1, max(d.Pages, 1)) })
	}
	if d.Page < d.Pages {
		d.Older = d.at(func(to *asked) { to.Page++ })
	}
	d.Took = took(a.Took)
	for _, arm := range a.Arms {
		d.Arms = append(d.Arms, q.armName(arm, d.Model()))
	}
	if a.DidYouMean != "" {
		d.DidYou = d.at(func(to *asked) { to.Text, to.Page = a.DidYouMean, 1 })
	}
	for _, word := range a.Related {
		d.Related = append(d.Related, choice{Name: word, URL: d.at(func(to *asked) { to.Text, to.Page = strings.TrimSpace(d.Text+" "+word), 1 })})
	}
	filters := search.Filters(d.Text)
	d.Chips, d.Facets = d.chips(filters), d.facets(q, filters)
	d.steps(q, filters)
}

// part is 0 for what holds every part of the query, else 1.
func part(r search.Result) int {
	if r.Every {
		return 0
	}
	return 1
}

// at is the address of this search with a change.
func (d *searchView) at(change func(*asked)) string {
	to := d.asked
	change(&to)
	return d.L.Search(to)
}

// steps are what else somebody can do who did not find it.
func (d *searchView) steps(q *request, filters []search.Filter) {
	d.Exact, _ = q.view.Page(d.Text)
	if len(d.Answer.Results) > 0 && d.Answer.Results[0].Page == d.Exact {
		d.Exact = "" // it comes first by itself
	}
	if _, there := q.view.Page(d.Text); !there && len(filters) == 0 {
		if p, err := wiki.ParsePagePath(d.Text); err == nil && !strings.ContainsAny(d.Text, `"*:`) {
			d.New = string(p)
		}
	}
	if d.Mode == search.Lexical && d.Status.Serving != "" {
		d.Wider = d.at(func(to *asked) { to.Mode, to.Page = search.Hybrid, 1 })
	}
	if len(filters) > 0 {
		bare := d.Text
		for i := len(filters) - 1; i >= 0; i-- {
			bare = search.Without(bare, filters[i])
		}
		if bare != "" {
			d.Bare = d.at(func(to *asked) { to.Text, to.Page = bare, 1 })
		}
	}
	if _, there := q.views["history-search"]; there {
		d.InOld = d.L.To("history-search") + "?q=" + url.QueryEscape(d.Text)
	}
}

func (d *searchView) result(r search.Result) result {
	one := result{Result: r, URL: d.L.Page(r.Page)}
	if r.Anchor != "" {
		one.URL += "#" + url.PathEscape(r.Anchor)
	}
	if parts := r.Page.Components(); len(parts) > 1 {
		one.Crumbs = parts[:len(parts)-1]
	}
	if len(r.Section) > 1 {
		one.Sections = r.Section[1:]
	}
	return one
}

// armName is an arm in words that a person understands.
func (q *request) armName(arm search.Arm, model string) string {
	switch arm {
	case search.ArmLexical:
		return q.texts.get("search.arm_lexical")
	case search.ArmRelated:
		return q.texts.get("search.arm_related")
	case search.ArmVectors:
		if model == "" {
			return q.texts.get("search.arm_vectors")
		}
		return q.texts.get("search.arm_model", model)
	}
	return string(arm)
}

// foundBy says which arm alone found a page, where that was not its words.
func (q *request) foundBy(arm search.Arm) string {
	switch arm {
	case search.ArmRelated:
		return q.texts.get("search.how_related")
	case search.ArmVectors:
		return q.texts.get("search.how_vectors")
	}
	return ""
}

// took is how long it took, for people; empty where that is not told.
func took(t time.Duration) string {
	switch {
	case t <= 0:
		return ""
	case t < 10*time.Millisecond:
		return strconv.FormatFloat(max(float64(t)/1e6, 0.1), 'f', 1, 64) + " ms"
	}
	return itoa(int(t.Milliseconds())) + " ms"
}

// faultForm is how a fault of a query says where it is.
var faultForm = regexp.MustCompile(`^at character (\d{1,4}) of the query: `)

// faultAt marks in a query the word at which its fault is; nil where the fault does
// not say that.
func faultAt(text, fault string) []search.Span {
	m := faultForm.FindStringSubmatch(fault)
	if m == nil {
		return nil
	}
	n, _ := strconv.Atoi(m[1]) // digits, by the form
	runes := []rune(text)
	if n < 1 || n > len(runes) {
		return nil
	}
	end := n - 1
	for end < len(runes) && (end == n-1 || !unicode.IsSpace(runes[end])) {
		end++
	}
	spans := []search.Span{{Text: string(runes[:n-1])}, {Text: string(runes[n-1 : end]), Match: true}, {Text: string(runes[end:])}}
	if n == 1 {
		spans = spans[1:]
	}
	return spans
}
