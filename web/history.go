package web

import (
	"bytes"
	"strings"

	"wikibot/gitstore"
	"wikibot/merge"
	"wikibot/wiki"
)

const (
	historyPage = 50  // entries of one page of a page's history
	changesPage = 50  // commits of one page of the changelog
	maxCursor   = 200 // bytes
)

// historyView is the list of a page's versions.
type historyView struct {
	frame
	Filter  *sources
	Changes []wiki.Change
	Next    string
	First   bool // the newest entries
	Gone    bool // the page is deleted
}

func (q *request) history(p wiki.PagePath) error {
	return q.showCached("history", func() (any, error) {
		filter, err := q.sources(q.links().View("history", p))
		if err != nil {
			return nil, err
		}
		changes, next, err := q.view.HistoryOf(q.r.Context(), p, filter.options(historyPage))
		if err != nil {
			return nil, err
		}
		if len(changes) == 0 && !filter.Any() {
			return nil, wiki.NotFound("%s", q.texts.get("error.no_page", string(p)))
		}
		d := &historyView{frame: q.frame("history", q.texts.get("history.title", string(p)), p), Filter: filter, Changes: changes, Next: next, First: filter.First()}
		d.Gone = !d.Exists
		return d, nil
	})
}

func (q *request) cursor() (string, error) {
	after := q.r.URL.Query().Get("after")
	if len(after) > maxCursor {
		return "", wiki.Invalid("after", "%s", q.texts.get("error.cursor"))
	}
	return after, nil
}

// changelogView is the list of the wiki's commits.
type changelogView struct {
	frame
	Filter *sources
	Days   []day
	Next   string
}

// day is the commits of one day (UTC).
type day struct {
	Commits []wiki.Commit
}

// Date is the day's.
func (d day) Date() wiki.Commit { return d.Commits[0] }

func (q *request) changelog() error {
	return q.showCached("changelog", func() (any, error) {
		filter, err := q.sources(q.links().To("changelog"))
		if err != nil {
			return nil, err
		}
		commits, next, err := q.view.Changes(q.r.Context(), filter.options(changesPage))
		if err != nil {
			return nil, err
		}
		if !filter.Later() {
			agents, err := q.view.Agents(q.r.Context())
			if err != nil {
				return nil, err
			}
			filter.offer(agents)
		}
		return &changelogView{frame: q.frame("changelog", q.texts.get("changelog.title"), ""), Filter: filter, Days: days(commits), Next: next}, nil
	})
}

// days groups commits by the day of their date; a day may come again where
// dates are not in order.
func days(commits []wiki.Commit) []day {
	var list []day
	last := ""
	for _, c := range commits {
		if on := c.Date.UTC().Format("2006-01-02"); on != last || len(list) == 0 {
			list, last = append(list, day{}), on
		}
		list[len(list)-1].Commits = append(list[len(list)-1].Commits, c)
	}
	return list
}

// diffView compares two revisions of a page, or of the wiki.
type diffView struct {
	frame
	Diff   gitstore.Diff
	From   wiki.Revision
	To     wiki.Revision
	Split  bool // side by side
	Commit *wiki.Commit
	Older  wiki.Revision // parent, for Commit
	Switch string        // the same comparison in the other layout
}

func (q *request) diff(p wiki.PagePath) error {
	return q.showCached("diff", func() (any, error) {
		from, err := q.revision("from")
		if err != nil {
			return nil, err
		}
		to, err := q.revision("to")
		if err != nil {
			return nil, err
		}
		diff, err := q.view.Diff(q.r.Context(), from, to, p)
		if err != nil {
			return nil, err
		}
		title := q.texts.get("diff.title_all")
		if p != "" {
			title = q.texts.get("diff.title", string(p))
		}
		d := &diffView{frame: q.frame("diff", title, p), Diff: diff, From: diff.From.Revision, To: diff.To.Revision}
		d.Split, d.Switch = q.layout()
		return d, nil
	})
}

// layout reports whether a diff is shown side by side, and where the other
// layout is.
func (q *request) layout() (split bool, other string) {
	query := q.r.URL.Query()
	split = query.Get("layout") == "split"
	if query.Del("layout"); !split {
		query.Set("layout", "split")
	}
	return split, q.r.URL.EscapedPath() + "?" + query.Encode()
}

func (q *request) commit(arg string) error {
	return q.showCached("commit", func() (any, error) {
		commit, err := q.commitOf(arg)
		if err != nil {
			return nil, err
		}
		d := &diffView{frame: q.frame("commit", q.texts.get("commit.title", commit.Subject, commit.Revision.Short()), ""), Commit: &commit}
		if len(commit.Parents) > 0 {
			d.Older = commit.Parents[0]
		}
		if d.Diff, err = q.view.Diff(q.r.Context(), d.Older, commit.Revision, ""); err != nil {
			return nil, err
		}
		d.From, d.To = d.Older, commit.Revision
		d.Split, d.Switch = q.layout()
		return d, nil
	})
}

// pair is one row of a side-by-side diff; a side may be empty.
type pair struct{ Left, Right *merge.Line }

// pairs sets removed lines beside the added lines that follow them.
func pairs(h merge.Hunk) []pair {
	var rows []pair
	for i := 0; i < len(h.Lines); {
		if h.Lines[i].Kind == ' ' {
			rows = append(rows, pair{&h.Lines[i], &h.Lines[i]})
			i++
			continue
		}
		minus := i
		for i < len(h.Lines) && h.Lines[i].Kind == '-' {
			i++
		}
		plus := i
		for i < len(h.Lines) && h.Lines[i].Kind == '+' {
			i++
		}
		for k := 0; k < max(plus-minus, i-plus); k++ {
			var row pair
			if minus+k < plus {
				row.Left = &h.Lines[minus+k]
			}
			if plus+k < i {
				row.Right = &h.Lines[plus+k]
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// maxLines bounds what is shown line by line, each line a row of a table: a
// megabyte of line ends would be a hundred of HTML.
const maxLines = 20_000

func manyLines(text []byte) bool { return bytes.Count(text, []byte("\n")) > maxLines }

// asOf is the view that "revision" asks for, and its commit where it is an old
// one.
func (q *request) asOf() (*gitstore.View, wiki.Revision, *wiki.Commit, error) {
	rev, err := q.revision("revision")
	if err != nil || rev == wiki.Head {
		return q.view, rev, nil, err
	}
	v, err := q.view.At(q.r.Context(), rev)
	if err != nil {
		return nil, "", nil, err
	}
	commit, err := q.view.Commit(q.r.Context(), v.Head())
	if err != nil {
		return nil, "", nil, err
	}
	return v, commit.Revision, &commit, nil
}

// sourceView is a page's text as it is written.
type sourceView struct {
	frame
	Lines []string
	Rev   wiki.Revision
	Old   *wiki.Commit
	Size  int64
	Blob  string
}

func (q *request) source(p wiki.PagePath) error {
	if q.r.URL.Query().Has("raw") {
		return q.raw(p)
	}
	return q.showCached("source", func() (any, error) {
		v, rev, old, err := q.asOf()
		if err != nil {
			return nil, err
		}
		page, err := v.ReadPage(p)
		if err != nil {
			return nil, err
		}
		if manyLines(page.Content) {
			return nil, wiki.Invalid("path", "%s", q.texts.get("source.many_lines", maxLines))
		}
		text := strings.ToValidUTF8(lines(page.Content), "\uFFFD")
		return &sourceView{
			frame: q.frame("source", q.texts.get("source.title", string(p)), p), Rev: rev, Old: old, Size: int64(len(page.Content)), Blob: page.Blob,
			Lines: strings.Split(strings.TrimSuffix(text, "\n"), "\n"),
		}, nil
	})
}

// raw is a page's text alone.
func (q *request) raw(p wiki.PagePath) error {
	return q.cached(func() (*document, error) {
		v, _, _, err := q.asOf()
		if err != nil {
			return nil, err
		}
		page, err := v.ReadPage(p)
		if err != nil {
			return nil, err
		}
		return &document{html: page.Content, mime: "text/plain; charset=utf-8", policy: filePolicy}, nil
	})
}
