package web

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"wikibot/gitstore"
	"wikibot/merge"
	"wikibot/wiki"
)

// historySearchView is a part of what was found in history. With script the next
// parts are fetched and set below it.
type historySearchView struct {
	frame
	Text         string
	Regexp, Case bool
	Prefix       string
	Author       string
	Since, Until string // days
	Asked        bool
	First        bool // the part that begins with the newest commit
	Error        string
	Busy         bool // the server could not look just now; Next tries again
	Hits         []historyHit
	Done, Total  int
	Skipped      int
	Next         string // address of the next part; empty at the end
}

// historyHit is a hit with the matches in its line marked.
type historyHit struct {
	gitstore.HistoryHit
	Parts []merge.Span
	At    string // the page as the commit left it, or as it was before
}

// historySearch answers /-/history-search: which commits added or removed "q"; with
// "regex=yes", "case=yes", "prefix", "author", "since" and "until" (days, both
// included, UTC), and "after", a cursor. One answer looks for about a second and a
// half.
func (q *request) historySearch() error {
	query := q.r.URL.Query()
	d := &historySearchView{
		frame: q.frame("history-search", q.texts.get("past.title"), ""),
		Text:  query.Get("q"), Regexp: query.Get("regex") == "yes", Case: query.Get("case") == "yes",
		Prefix: query.Get("prefix"), Author: query.Get("author"), Since: query.Get("since"), Until: query.Get("until"), First: query.Get("after") == "",
	}
	if d.Text == "" {
		return q.show(http.StatusOK, "history-search", d)
	}
	d.Asked = true
	err := q.lookBack(d, query)
	code, _ := status(err)
	switch {
	case err == nil:
		code = http.StatusOK
	case errors.Is(err, wiki.ErrUnavailable):
		d.Busy, d.Next = true, q.withQuery("history-search", query)
		q.w.Header().Set("Retry-After", "2")
		d.Error, _ = q.errorText(err, code)
	case errors.Is(err, wiki.ErrInvalid):
		d.Error, _ = q.errorText(err, code)
	default:
		return err
	}
	return q.show(code, "history-search", d)
}

// lookBack makes one search.
func (q *request) lookBack(d *historySearchView, query url.Values) error {
	ask := gitstore.HistoryQuery{Text: d.Text, Regexp: d.Regexp, Case: d.Case, Prefix: d.Prefix, Author: d.Author}
	if len(d.Prefix) > wiki.MaxPath || len(d.Author) > 500 {
		return wiki.Invalid("prefix", "%s", q.texts.get("wanted.long_prefix"))
	}
	var err error
	if ask.Since, err = q.day(d.Since, 0); err != nil {
		return err
	}
	if ask.Until, err = q.day(d.Until, 1); err != nil {
		return err
	}
	if ask.After = query.Get("after"); len(ask.After) > maxCursor {
		return wiki.Invalid("after", "%s", q.texts.get("error.cursor"))
	}
	r, err := q.view.SearchHistory(q.r.Context(), ask, nil)
	if err != nil {
		return err
	}
	d.Done, d.Total, d.Skipped = r.Done, r.Total, r.Skipped
	for _, h := range r.Found {
		hit := historyHit{HistoryHit: h, Parts: spans(h.Snippet, h.Marks), At: q.links().PageAt(h.Page, h.Commit.Revision)}
		if h.Gone {
			hit.At = q.links().Commit(h.Commit.Revision)
		}
		d.Hits = append(d.Hits, hit)
	}
	if !r.Ended {
		query.Del("after")
		if r.Next != "" {
			query.Set("after", r.Next)
		}
		d.Next = q.withQuery("history-search", query)
	}
	return nil
}

// day reads a day as a date field sends it (UTC), and adds so many to it.
func (q *request) day(s string, more int) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	on, err := time.Parse("2006-01-02", s)
	if err != nil {
		return time.Time{}, wiki.Invalid("since", "%s", q.texts.get("past.bad_day", s))
	}
	return on.AddDate(0, 0, more), nil
}

// spans splits a text at its marks.
func spans(text string, marks [][2]int) (out []merge.Span) {
	at := 0
	for _, m := range marks {
		if m[0] > at {
			out = append(out, merge.Span{Text: text[at:m[0]]})
		}
		out = append(out, merge.Span{Text: text[m[0]:m[1]], Changed: true})
		at = m[1]
	}
	if at < len(text) {
		out = append(out, merge.Span{Text: text[at:]})
	}
	return out
}
