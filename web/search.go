package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"wikibot/search"
	"wikibot/wiki"
)

const (
	searchLimit = 20  // results of one page
	searchPages = 500 // pages of results at most, so that nobody has all of them sorted for nothing
)

// asked is a search as its address says it.
type asked struct {
	Text string
	Mode search.Mode
	Case bool
	Page int // 1-based
}

// asked reads the query of this address. What is returned beside an error can be
// shown.
func (q *request) asked() (asked, error) {
	v := q.r.URL.Query()
	a := asked{Text: strings.TrimSpace(strings.ToValidUTF8(v.Get("q"), "\ufffd")), Mode: search.Lexical, Case: v.Has("case"), Page: 1}
	if s := v.Get("page"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > searchPages {
			return a, wiki.Invalid("page", "%s", q.texts.get("search.bad_page", searchPages))
		}
		a.Page = n
	}
	mode, err := search.ParseMode(v.Get("mode"), search.Lexical)
	if err != nil {
		return a, err
	}
	a.Mode = mode
	return a, nil
}

// Search is the address of a search; what is usual is left out.
func (l links) Search(a asked) string {
	u := l.To("search")
	add := func(name, value string) {
		sep := "&"
		if !strings.Contains(u, "?") {
			sep = "?"
		}
		u += sep + name + "=" + url.QueryEscape(value)
	}
	if a.Text != "" {
		add("q", a.Text)
	}
	if a.Mode != "" && a.Mode != search.Lexical {
		add("mode", string(a.Mode))
	}
	if a.Case {
		add("case", "yes")
	}
	if a.Page > 1 {
		add("page", itoa(a.Page))
	}
	return u
}

// search answers /-/search, /-/search?fragment (the part of the page below its
// form, for the script) and /-/search/status.json. Its answers are not kept
// anywhere: they depend on an index, which moves by itself.
func (q *request) search(arg string) error {
	switch arg {
	case "":
	case "status.json":
		return q.indexStatus()
	default:
		return wiki.NotFound("%s", q.texts.get("error.no_view", "search/"+arg))
	}
	a, err := q.asked()
	if err == nil {
		if to, yes := q.narrowed(a); yes {
			return q.redirect(to)
		}
	}
	d, code, err := q.searchPage(a, err)
	if err != nil {
		return err
	}
	return q.showSearch(code, d)
}

// showSearch sends the page, or the part of it that was asked for.
func (q *request) showSearch(code int, d *searchView) error {
	if !q.r.URL.Query().Has("fragment") {
		return q.show(code, "search", d)
	}
	b, err := q.templates.part("search", "found", d)
	if err != nil {
		return err
	}
	q.w.Header().Set("Cache-Control", "private, no-store")
	q.send(code, &document{html: b, policy: "default-src 'none'"})
	return nil
}

// searchPage asks the index and puts into words what it says. wrong is what is
// the matter with the address, or nil.
func (q *request) searchPage(a asked, wrong error) (*searchView, int, error) {
	d := q.searchView(a)
	answer, err := (*search.Answer)(nil), wrong
	if err == nil && a.Text != "" {
		answer, err = q.ask(a)
	}
	code, err := d.take(q, answer, err)
	return d, code, err
}

// searchView is the page of a search before anything was found.
func (q *request) searchView(a asked) *searchView {
	d := &searchView{frame: q.frame("search", q.texts.get("search.title"), ""), asked: a, Status: q.Search.Status(q.r.Context(), q.view)}
	d.Modes = q.ways(d.Status.Model != "")
	if a.Text != "" {
		d.Title = q.texts.get("search.title_of", a.Text)
	}
	return d
}

// refreshSeconds is when a page that waits for an index looks again.
const refreshSeconds = 2

// take puts on the page what the index said, nil where it was not asked, and tells
// the status of the answer. Errors come back that are not about this search.
func (d *searchView) take(q *request, answer *search.Answer, err error) (int, error) {
	code, _ := status(err)
	building := (*search.NotReady)(nil)
	switch {
	case err == nil:
		if answer != nil {
			d.fill(q, answer)
		}
		return http.StatusOK, nil
	case errors.Is(err, wiki.ErrInvalid):
		d.Fault, _ = q.errorText(err, code)
		d.Marked = faultAt(d.Text, d.Fault)
		return code, nil
	case errors.As(err, &building):
		// Not 503, in whose place a proxy may put a page of its own.
		d.Building, d.Refresh = building, refreshSeconds
		return http.StatusOK, nil
	}
	return 0, err
}

// ask asks the index.
func (q *request) ask(a asked) (*search.Answer, error) {
	ctx, done := q.patience()
	defer done()
	answer, err := q.Search.Search(ctx, q.view, search.Request{Text: a.Text, Mode: a.Mode, Case: a.Case, Offset: (a.Page - 1) * searchLimit, Limit: searchLimit})
	return answer, q.waited(ctx, err)
}

// patience bounds how long a request waits for an index that is not there yet. That
// is less than the index itself waits: a person wants to be told why.
func (q *request) patience() (ctx context.Context, done context.CancelFunc) {
	ctx = q.r.Context()
	switch s := q.Search.Status(ctx, q.view); {
	case s.Chunks > 0:
		return ctx, func() {}
	case s.State == search.Building: // whoever asks has been told, and looks how far it is
		return context.WithTimeout(ctx, 400*time.Millisecond)
	}
	return context.WithTimeout(ctx, 2*time.Second)
}

// waited is the error of a question whose patience is over.
func (q *request) waited(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || q.r.Context().Err() != nil {
		return err
	}
	s := q.Search.Status(q.r.Context(), q.view)
	return &search.NotReady{Done: s.Done, Total: s.Total}
}

// narrowed writes the fields of the form "Narrow down" into the query, and tells
// where that leads. A field that cannot be written is left out.
func (q *request) narrowed(a asked) (to string, yes bool) {
	form := q.r.URL.Query()
	for _, field := range []string{"category", "tag", "path", "author", "since"} {
		if !form.Has(field) {
			continue
		}
		yes = true
		value := strings.TrimSpace(form.Get(field))
		if value == "" {
			continue
		}
		name := field
		if field == "since" {
			name, value = "updated", ">="+value
		}
		if next, ok := search.Narrow(a.Text, name, value); ok {
			a.Text, a.Page = next, 1
		}
	}
	return q.links().Search(a), yes
}
