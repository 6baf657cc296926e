package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"wikibot/gitstore"
	"wikibot/markdown"
	"wikibot/wiki"
)

// gardenView is what there is to tend in a wiki: pages that are linked and missing,
// pages that nothing links to, links to files and sections that are not there.
type gardenView struct {
	frame
	Tabs     []gardenTab
	Show     string // one part alone; empty: the beginnings of all
	Prefix   string
	Wanted   []wantedPage
	Orphans  []wiki.PagePath
	Files    []brokenLink
	Sections []brokenLink
	Next     string // the next page of the part that is shown
	Unread   int    // pages whose sections are looked at when the page is loaded again
	Well     bool   // there is nothing to do
}

// gardenTab leads to one part.
type gardenTab struct {
	Key   string // "wanted", "orphans", "files", "sections"; empty: all
	Count int
	URL   string
	On    bool
}

// wantedPage is a missing page with the places that link to it.
type wantedPage struct {
	Path  wiki.PagePath
	Links int
	Pages int
	From  []place
	More  int // places that are not shown
}

// brokenLink is a link to a file or a section that is not there.
type brokenLink struct {
	From   place
	Target string
	URL    string // where the target should be, if there is such a page
}

// place is where a link stands.
type place struct {
	Page    wiki.PagePath
	URL     string // the section
	Section string
	Line    int
	Source  string // the line
}

const (
	gardenSome   = 10  // entries of each part where all are shown
	gardenPage   = 100 // entries on a page of one part
	gardenPlaces = 6   // places of a wanted page
)

// errReading says that the first reading of the links goes on.
var errReading = errors.New("the links of the wiki are being read")

// linksSoon waits a moment for the wiki's links to be read.
func (q *request) linksSoon() error {
	soon, cancel := context.WithTimeout(q.r.Context(), q.linksWait)
	defer cancel()
	err := q.view.AwaitLinks(soon)
	if errors.Is(err, context.DeadlineExceeded) && q.r.Context().Err() == nil {
		return errReading
	}
	return err
}

// haveLinks reports whether the wiki's links are read; if not, it has answered with a
// page that says how far the reading is and loads itself again.
func (q *request) haveLinks() (bool, error) {
	err := q.linksSoon()
	if !errors.Is(err, errReading) {
		return err == nil, err
	}
	read, total, _ := q.view.LinksProgress()
	q.w.Header().Set("Refresh", "2")
	d := &readingView{frame: q.frame("reading", q.texts.get("reading.title"), ""), Read: read, Total: max(total, 1)}
	return false, q.show(http.StatusOK, "reading", d)
}

// readingView says how far the reading of the links is.
type readingView struct {
	frame
	Read, Total int
}

// garden answers /-/wanted: "show" is one part alone, "prefix" narrows it to pages
// that begin so, "page" goes on in one part.
func (q *request) garden() error {
	if ok, err := q.haveLinks(); !ok {
		return err
	}
	return q.cached(func() (*document, error) {
		query := q.r.URL.Query()
		d := &gardenView{frame: q.frame("wanted", q.texts.get("wanted.title"), ""), Show: query.Get("show"), Prefix: query.Get("prefix")}
		if len(d.Prefix) > wiki.MaxPath {
			return nil, wiki.Invalid("prefix", "%s", q.texts.get("wanted.long_prefix"))
		}
		page, _ := strconv.Atoi(query.Get("page"))
		if err := q.tend(d, min(max(page, 1), 1_000_000)); err != nil {
			return nil, err
		}
		doc, err := q.page("wanted", d)
		if err == nil {
			doc.partial = d.Unread > 0
		}
		return doc, err
	})
}

// tend fills the page.
func (q *request) tend(d *gardenView, page int) error {
	ctx, total := q.r.Context(), 0
	tab := func(key string, ask func(gitstore.LinkFilter) (int, error)) error {
		f := gitstore.LinkFilter{Prefix: d.Prefix, Limit: 1}
		switch d.Show {
		case "":
			f.Limit = gardenSome
		case key:
			f.Limit, f.Skip = gardenPage, (page-1)*gardenPage
		}
		n, err := ask(f)
		if d.Tabs = append(d.Tabs, gardenTab{key, n, q.gardenURL(key, d.Prefix, 1), d.Show == key}); d.Show == key && n > f.Skip+f.Limit {
			d.Next = q.gardenURL(key, d.Prefix, page+1)
		}
		total += n
		return err
	}
	err := errors.Join(
		tab("wanted", func(f gitstore.LinkFilter) (int, error) {
			list, n, err := q.view.WantedPages(ctx, f)
			for _, w := range list {
				d.Wanted = append(d.Wanted, q.wantedPage(w))
			}
			return n, err
		}),
		tab("orphans", func(f gitstore.LinkFilter) (n int, err error) {
			d.Orphans, n, err = q.view.Orphans(ctx, f)
			return n, err
		}),
		tab("files", func(f gitstore.LinkFilter) (int, error) {
			list, n, err := q.view.BrokenFiles(ctx, f)
			for _, l := range list {
				d.Files = append(d.Files, brokenLink{From: q.place(l.From, l.PageLink), Target: string(l.File)})
			}
			return n, err
		}),
		tab("sections", func(f gitstore.LinkFilter) (int, error) {
			list, n, unread, err := q.view.BrokenAnchors(ctx, f)
			d.Unread = unread
			for _, l := range list {
				d.Sections = append(d.Sections, brokenLink{q.place(l.From, l.PageLink), string(l.Page) + "#" + l.Anchor, q.links().Page(l.Page)})
			}
			return n, err
		}),
	)
	d.Tabs = append([]gardenTab{{"", total, q.gardenURL("", d.Prefix, 1), d.Show == ""}}, d.Tabs...)
	d.Well = total == 0 && d.Unread == 0
	return err
}

// ID is the id of the part's heading, with an upper-case letter as all of ours.
func (t gardenTab) ID() string { return "Part-" + t.Key }

func (q *request) gardenURL(show, prefix string, page int) string {
	v := url.Values{}
	if show != "" {
		v.Set("show", show)
	}
	if prefix != "" {
		v.Set("prefix", prefix)
	}
	if page > 1 {
		v.Set("page", strconv.Itoa(page))
	}
	return q.withQuery("wanted", v)
}

// withQuery is a view of the whole wiki with a query.
func (q *request) withQuery(view string, v url.Values) string {
	u := q.links().To(view)
	if len(v) == 0 {
		return u
	}
	return u + "?" + v.Encode()
}

func (q *request) wantedPage(w gitstore.Wanted) wantedPage {
	out := wantedPage{Path: w.Page, Links: w.Links, Pages: w.Pages}
	for _, l := range w.From[:min(len(w.From), gardenPlaces)] {
		out.From = append(out.From, q.place(l.Page, l))
	}
	out.More = w.Pages - len(out.From)
	return out
}

// place is where a link on the page p stands.
func (q *request) place(p wiki.PagePath, l gitstore.PageLink) place {
	at := place{Page: p, URL: q.links().Page(p), Section: l.Section, Line: l.Line}
	if slug := markdown.Slug(l.Section); slug != "" {
		at.URL += "#" + (&url.URL{Fragment: slug}).EscapedFragment()
	}
	at.Source = q.links().View("source", p) + "#L" + itoa(l.Line)
	if strings.EqualFold(l.Section, p.Name()) {
		at.Section = "" // the page's own title says nothing new
	}
	return at
}
