package web

import (
	"errors"
	"net/http"

	"wikibot/search"
	"wikibot/wiki"
)

// statusJSON is the answer of /-/search/status.json.
type statusJSON struct {
	State    search.State `json:"state"`
	Done     int          `json:"done"`  // pages
	Total    int          `json:"total"` // pages
	Pages    int          `json:"pages"`
	Chunks   int          `json:"chunks"`
	Lag      lagJSON      `json:"lag"`
	Model    string       `json:"model,omitempty"`
	Embedded int          `json:"embedded"`
	Serving  string       `json:"serving,omitempty"`
	Related  bool         `json:"related"`

	// For owners alone.
	Bytes int64  `json:"bytes,omitempty"`
	Error string `json:"error,omitempty"`
}

// indexStatus tells how far the index is, to everybody who may search it.
func (q *request) indexStatus() error {
	s := q.Search.Status(q.r.Context(), q.view)
	out := statusJSON{
		State: s.State, Done: s.Done, Total: s.Total, Pages: s.Pages, Chunks: s.Chunks, Lag: lagJSON{s.Lag.Commits, s.Lag.Since.Seconds()},
		Model: s.Model, Embedded: s.Embedded, Serving: s.Serving, Related: s.Related,
	}
	if q.can.Inspect {
		out.Bytes, out.Error = s.Bytes, s.Error
	}
	return q.sendJSON(http.StatusOK, out)
}

// indexBox is the state of the index as a part of the settings.
type indexBox struct {
	search.Status
	Reindex  string // where the form leads; empty where nothing can be changed now
	StatusAt string // where the progress is
	Begun    bool   // it was asked for a moment ago, and may not have begun
}

// learnt is from how many chunks on a wiki has related terms, about.
const learnt = 200

// Learning reports whether related terms are to be had, but not yet.
func (b *indexBox) Learning() bool { return !b.Related && b.Chunks >= learnt }

// Behind reports whether there are commits that the index has not seen.
func (b *indexBox) Behind() bool { return b.Lag.Commits != 0 }

// Working reports whether pages are being read just now.
func (b *indexBox) Working() bool { return b.State == search.Building }

// Idle reports whether there is nothing to tell, because nobody has searched.
func (b *indexBox) Idle() bool { return b.State == search.Idle }

// Embedding reports whether chunks wait for their vectors.
func (b *indexBox) Embedding() bool { return b.Model != "" && b.Embedded < b.Chunks }

func (q *request) indexBox() *indexBox {
	b := &indexBox{Status: q.Search.Status(q.r.Context(), q.view), StatusAt: q.links().To("search/status.json")}
	b.Begun = q.r.URL.Query().Get("done") == "reindex"
	if q.can.Manage {
		b.Reindex = q.links().To("reindex")
	}
	return b
}

// reindex has the index made anew, for owners.
func (q *request) reindex() error {
	if err := q.mayManage(); err != nil {
		return err
	}
	key := "reindex"
	if err := q.Search.Reindex(q.r.Context(), q.view); errors.Is(err, wiki.ErrConflict) {
		key = "reindex_runs"
	} else if err != nil {
		return err
	}
	return q.redirect(done(q.links().To("settings"), key) + "#Index")
}

func errorField(err error) string {
	if told := (*wiki.Error)(nil); errors.As(err, &told) {
		return told.Field
	}
	return ""
}
