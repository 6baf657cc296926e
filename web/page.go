package web

import (
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/markdown"
	"wikibot/wiki"
)

// pageView is what the page of a page shows.
type pageView struct {
	frame
	Page       wiki.Page
	Body       template.HTML
	Heading    string // shown above the text where it has no title of its own
	Contents   []markdown.Heading
	Properties []markdown.Property
	Header     *rendered
	Footer     *rendered
	Last       *wiki.Commit
	Old        *wiki.Commit // set for an old revision
	Backlinks  []backlink
	Children   []*node
	More       int  // children left out
	Files      int  // attachments
	partial    bool // the backlinks are still being found
}

// backlink is one page that links here.
type backlink struct {
	Page    wiki.PagePath
	Section string
	Text    string
}

// home answers the wiki's root with its home page.
func (q *request) home() error {
	home := q.view.Settings().Home
	if q.r.URL.RawQuery == "" && !q.text {
		if real, ok := q.view.Page(string(home)); ok {
			return q.current(real)
		}
	}
	if _, ok := q.view.Page(string(home)); ok {
		return q.showPage(home)
	}
	return q.index("")
}

// content answers an address that names a page, an attachment or a folder.
func (q *request) content(escaped string) error {
	if q.isPost() {
		return q.wrongMethod(get)
	}
	s, err := url.PathUnescape(escaped)
	if err != nil {
		return wiki.NotFound("%s", q.texts.get("error.address"))
	}
	if real, ok := q.view.Page(s); ok && string(real) == s {
		return q.showPage(real)
	}
	if f, ok := q.view.File(s); ok && string(f) == s {
		return q.sendFile(f)
	}
	if stem, ok := strings.CutSuffix(s, wiki.PageSuffix); ok {
		return q.file(stem)
	}
	if q.rest == "/llms.txt" {
		return q.llms()
	}
	if strings.HasSuffix(s, "/") {
		return q.redirect(q.keepQuery(q.links().Page(wiki.PagePath(strings.Trim(s, "/")))))
	}
	p, err := wiki.ParsePagePath(s)
	if err != nil {
		if f, ok := q.view.File(s); ok {
			return q.redirect(q.keepQuery(q.links().File(f)))
		}
		return wiki.NotFound("%s", err)
	}
	if string(p) != s { // not in NFC
		return q.redirect(q.keepQuery(q.links().Page(p)))
	}
	return q.showPage(p)
}

// file answers an address that names a page's file.
func (q *request) file(stem string) error {
	p, err := wiki.ParsePagePath(stem)
	if err != nil {
		return wiki.NotFound("%s", err)
	}
	if string(p) != stem { // not in NFC
		return q.redirect(q.keepQuery(q.links().Page(p) + wiki.PageSuffix))
	}
	return q.markdown(p, wiki.PageSuffix)
}

func (q *request) keepQuery(u string) string {
	if q.r.URL.RawQuery == "" {
		return u
	}
	return u + "?" + q.r.URL.RawQuery
}

// showPage answers with the page p, now or as it was; with a redirect where it
// is spelt otherwise or was renamed; with a folder's index; or with the offer
// to create it.
func (q *request) showPage(p wiki.PagePath) error {
	if q.text {
		return q.markdown(p, "")
	}
	rev, err := q.revision("revision")
	if err != nil {
		return err
	}
	if rev != wiki.Head {
		return q.oldPage(p, rev)
	}
	real, ok := q.view.Page(string(p))
	switch {
	case ok && real == p:
		return q.current(real)
	case ok:
		return q.redirect(q.keepQuery(q.links().Page(real)))
	}
	if f, ok := q.view.File(string(p)); ok {
		return q.redirect(q.keepQuery(q.links().File(f)))
	}
	_, err = q.view.ReadPage(p)
	var moved *wiki.Moved
	switch {
	case errors.As(err, &moved):
		u := q.links().Page(moved.To)
		return q.redirect(u + "?from=" + url.QueryEscape(string(moved.From)))
	case err != nil && !errors.Is(err, wiki.ErrNotFound):
		return err
	}
	t, err := q.tree(q.view)
	if err != nil {
		return err
	}
	if n := t.find(string(p)); n != nil && len(n.Children) > 0 {
		return q.folder(string(p))
	}
	return q.missing(p)
}

// current answers with a page as it is now. The messages that a redirect asks
// for are not cached.
func (q *request) current(p wiki.PagePath) error {
	build := func() (*document, error) { return q.buildPage(q.view, p, nil) }
	query := q.r.URL.Query()
	if query.Has("done") || query.Has("from") {
		doc, err := build()
		if err != nil {
			return err
		}
		q.w.Header().Set("Cache-Control", "private, no-store")
		q.w.Header()["Vary"] = variesByKind
		q.send(http.StatusOK, doc)
		return nil
	}
	return q.cached(build)
}

func (q *request) oldPage(p wiki.PagePath, rev wiki.Revision) error {
	return q.cached(func() (*document, error) {
		old, err := q.view.At(q.r.Context(), rev)
		if err != nil {
			return nil, err
		}
		commit, err := q.view.Commit(q.r.Context(), old.Head())
		if err != nil {
			return nil, err
		}
		return q.buildPage(old, p, &commit)
	})
}

// buildPage assembles the page p of v; old is the commit where v is not the
// present state.
func (q *request) buildPage(v *gitstore.View, p wiki.PagePath, old *wiki.Commit) (*document, error) {
	page, err := v.ReadPage(p)
	if err != nil {
		return nil, err
	}
	body, err := q.renderPage(v, page)
	if err != nil {
		return nil, err
	}
	d := &pageView{frame: q.frame("page", body.Title, page.Path), Page: page, Old: old}
	d.Markdown = q.links().Page(page.Path) + wiki.PageSuffix
	if old != nil {
		d.Markdown = withRevision(d.Markdown, old.Revision)
	}
	d.Body, d.Contents, d.Properties = body.Body(), body.Contents(), body.Properties
	if !body.HasHeading() {
		d.Heading = body.Title
	}
	d.Math, d.Mermaid = body.Math, body.Mermaid
	if d.Header, err = q.special(v, "_Header", page.Path); err != nil {
		return nil, err
	}
	if d.Footer, err = q.special(v, "_Footer", page.Path); err != nil {
		return nil, err
	}
	if d.Sidebar, err = q.sidebar(q.view, page.Path); err != nil {
		return nil, err
	}
	if old == nil {
		if err := q.surroundings(d); err != nil {
			return nil, err
		}
	}
	doc, err := q.page("page", d)
	if err == nil {
		doc.index, doc.partial = d.Robots, d.partial
	}
	return doc, err
}

// surroundings fills in what the present state knows about a page.
func (q *request) surroundings(d *pageView) error {
	ctx, p := q.r.Context(), d.Page.Path
	d.Robots = q.r.URL.RawQuery == ""
	d.Canonic = q.Addresses.Absolute(q.slug) + strings.TrimPrefix(q.links().Page(p), q.Addresses.Prefix(q.slug))
	if last, full, err := q.view.LastSoon(ctx, p); err == nil {
		d.Last, d.partial = &last, !full
	} else if !errors.Is(err, wiki.ErrNotFound) {
		return err
	}
	if from := q.r.URL.Query().Get("from"); from != "" && len(from) < wiki.MaxPath {
		if _, err := q.view.ReadPage(wiki.PagePath(from)); errors.As(err, new(*wiki.Moved)) {
			d.Notice = &notice{Kind: "info", Text: q.texts.get("page.moved_here", from)}
		}
	}
	if err := q.backlinks(ctx, d); err != nil {
		return err
	}
	t, err := q.tree(q.view)
	if err != nil {
		return err
	}
	d.children(t.find(string(p)))
	return nil
}

// backlinkWait is how long the first page after a start waits for the index of
// links; what is shown without it is not cached.
const backlinkWait = 100 * time.Millisecond

func (q *request) backlinks(ctx context.Context, d *pageView) error {
	soon, cancel := context.WithTimeout(ctx, backlinkWait)
	defer cancel()
	_, from, err := q.view.Links(soon, d.Page.Path)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		d.partial = true
		return nil
	}
	if err != nil {
		return err
	}
	seen := map[wiki.PagePath]bool{d.Page.Path: true}
	for _, l := range from {
		if !seen[l.Page] && !special(l.Page) {
			seen[l.Page] = true
			d.Backlinks = append(d.Backlinks, backlink{l.Page, l.Section, l.Text})
		}
	}
	return nil
}

// maxChildren bounds the sub-pages shown below a page.
const maxChildren = 60

// children lists sub-pages and counts attachments.
func (d *pageView) children(n *node) {
	if n == nil {
		return
	}
	for _, c := range n.Children {
		switch {
		case c.File != "":
			d.Files++
		case c.Page == "" && !c.IsFolder():
		case len(d.Children) == maxChildren:
			d.More++
		default:
			d.Children = append(d.Children, c)
		}
	}
}

// missingView offers to create a page that is not there.
type missingView struct {
	frame
	Similar []wiki.PagePath
	Deleted *wiki.Change // its last version, where it was deleted
}

func (q *request) missing(p wiki.PagePath) error {
	d := &missingView{frame: q.frame("missing", p.Name(), p)}
	d.Similar = q.view.PagesNamed(p.Name())
	if len(d.Similar) > 10 {
		d.Similar = d.Similar[:10]
	}
	if changes, _, err := q.view.History(q.r.Context(), p, "", 1); err == nil && len(changes) == 1 && changes[0].Kind == wiki.Deleted {
		d.Deleted = &changes[0]
	}
	var err error
	if d.Sidebar, err = q.sidebar(q.view, p); err != nil {
		return err
	}
	return q.show(http.StatusNotFound, "missing", d)
}
