package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"wikibot/search"
	"wikibot/wiki"
)

// piece is a piece of text in an answer of JSON.
type piece struct {
	Text  string `json:"text"`
	Match bool   `json:"match,omitempty"`
}

func pieces(list []search.Span) []piece {
	out := make([]piece, len(list))
	for i, s := range list {
		out[i] = piece(s)
	}
	return out
}

// foundJSON is the answer of /-/search.json; the package's comment explains it.
type foundJSON struct {
	Query      string       `json:"query"`
	Mode       search.Mode  `json:"mode"`
	Arms       []search.Arm `json:"arms"`
	Total      int          `json:"total"`
	All        int          `json:"all"`
	Page       int          `json:"page"`
	Pages      int          `json:"pages"`
	DidYouMean string       `json:"did_you_mean,omitempty"`
	Related    []string     `json:"related,omitempty"`
	Partial    string       `json:"partial,omitempty"`
	Lag        lagJSON      `json:"lag"`
	Results    []resultJSON `json:"results"`
}

type lagJSON struct {
	Commits int     `json:"commits"`
	Seconds float64 `json:"seconds"`
}

type resultJSON struct {
	Page     wiki.PagePath `json:"page"`
	URL      string        `json:"url"`
	Title    []piece       `json:"title"`
	Section  []string      `json:"section"`
	Anchor   string        `json:"anchor,omitempty"`
	Line     int           `json:"line"`
	Snippet  []piece       `json:"snippet"`
	Category string        `json:"category,omitempty"`
	Tags     []string      `json:"tags,omitempty"`
	Updated  *time.Time    `json:"updated,omitempty"`
	Author   string        `json:"author,omitempty"`
	Words    int           `json:"words"`
	Score    float64       `json:"score"`
	Every    bool          `json:"every"`
	Arms     []search.Arm  `json:"arms"`
}

// searchJSON answers /-/search.json.
func (q *request) searchJSON() error {
	a, err := q.asked()
	if err == nil && a.Text == "" {
		err = wiki.Invalid("q", "%s", q.texts.get("search.no_query"))
	}
	if err != nil {
		return q.failSearch(err)
	}
	answer, err := q.ask(a)
	if err != nil {
		return q.failSearch(err)
	}
	d := &searchView{frame: frame{L: q.links()}, asked: a}
	out := foundJSON{
		Query: answer.Query, Mode: answer.Mode, Arms: answer.Arms, Total: answer.Total, All: answer.All,
		Page: a.Page, Pages: (answer.Total + searchLimit - 1) / searchLimit, DidYouMean: answer.DidYouMean, Related: answer.Related, Partial: answer.Partial,
		Lag: lagJSON{answer.Lag.Commits, answer.Lag.Since.Seconds()}, Results: make([]resultJSON, len(answer.Results)),
	}
	for i, r := range answer.Results {
		out.Results[i] = resultJSON{
			Page: r.Page, URL: d.result(r).URL, Title: pieces(r.Title), Section: r.Section, Anchor: r.Anchor, Line: r.Line, Snippet: pieces(r.Snippet),
			Category: r.Category, Tags: r.Tags, Author: r.Author, Words: r.Words, Score: r.Score, Every: r.Every, Arms: r.Arms,
		}
		if !r.Updated.IsZero() {
			at := r.Updated.UTC()
			out.Results[i].Updated = &at
		}
	}
	return q.sendJSON(http.StatusOK, out)
}

// maxSuggestions is what fits below the field without being scrolled.
const maxSuggestions = 8

type suggestionJSON struct {
	Page  wiki.PagePath `json:"page"`
	URL   string        `json:"url"`
	Title []piece       `json:"title"`
	Path  []piece       `json:"path"`
}

// suggest answers /-/suggest.json: pages whose name or title begins with, or
// holds, what was typed.
func (q *request) suggest() error {
	typed := strings.TrimSpace(strings.ToValidUTF8(q.r.URL.Query().Get("q"), "\ufffd"))
	out := struct {
		Suggestions []suggestionJSON `json:"suggestions"`
	}{[]suggestionJSON{}}
	if typed == "" {
		return q.sendJSON(http.StatusOK, out)
	}
	if len(typed) > 200 {
		return q.failSearch(wiki.Invalid("q", "%s", q.texts.get("search.long_typed")))
	}
	ctx, done := q.patience()
	defer done()
	list, err := q.Search.Suggest(ctx, q.view, typed, maxSuggestions)
	if err = q.waited(ctx, err); err != nil {
		return q.failSearch(err)
	}
	for _, s := range list {
		out.Suggestions = append(out.Suggestions, suggestionJSON{s.Page, q.links().Page(s.Page), pieces(s.Title), pieces(s.Path)})
	}
	return q.sendJSON(http.StatusOK, out)
}

func (q *request) sendJSON(code int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	q.w.Header().Set("Cache-Control", "private, no-store")
	q.send(code, &document{html: b, mime: "application/json", policy: "default-src 'none'"})
	return nil
}

// failSearch says an error that its reader can do something about as JSON; others
// become the usual page.
func (q *request) failSearch(err error) error {
	code, _ := status(err)
	if code == http.StatusInternalServerError {
		return err
	}
	var out struct {
		Error struct {
			Field string `json:"field,omitempty"`
			Text  string `json:"text"`
		} `json:"error"`
	}
	out.Error.Text, _ = q.errorText(err, code)
	if building := (*search.NotReady)(nil); errors.As(err, &building) {
		out.Error.Text = building.Error()
	}
	out.Error.Field = errorField(err)
	if code == http.StatusServiceUnavailable {
		q.w.Header().Set("Retry-After", itoa(refreshSeconds))
	}
	return q.sendJSON(code, out)
}
