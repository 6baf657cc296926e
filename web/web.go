// Package web is the face for browsers: server-rendered pages of a wiki and of
// the site around it. Everything works without script; script adds an editor,
// keyboard shortcuts, diagrams and math.
//
// The package keeps no state but caches. Who is calling is an argument of the
// two doors, ServeWiki and ServeSite; the store checks what they may do. A
// handler parses its input into the words of package wiki, calls one method of
// the store and renders a template. Every text that a person reads is in the
// catalogue texts/en.toml.
//
// # Addresses within a wiki
//
//	/Page/Path                       the page, or an attachment, or a folder's index
//	/-/page/…  /-/file/…             the same where the name means something else in URLs
//	/-/edit/… /-/rename/… /-/delete/…  GET the form, POST the change
//	/-/history/… /-/diff/… /-/blame/… /-/source/… /-/attachments/…
//	/-/changelog /-/commit/REV /-/index /-/create
//	/-/search?q=&mode=&case=&page=   mode lexical (the usual one), hybrid, semantic; case=yes; page from 1
//	/-/search.json /-/suggest.json?q= /-/search/status.json /-/reindex (POST)
//	/-/wanted?show=&prefix=&page=    what there is to tend; show: wanted, orphans, files, sections
//	/-/graph?around=&depth=&prefix=&missing=no  the graph of links; /-/graph.json
//	/-/history-search?q=&regex=yes&case=yes&prefix=&author=&since=&until=&after=
//	/-/connect /-/settings /-/access /-/tokens /-/webhooks /-/help
//
// "?revision=REV" shows a page, a source or an attachment as it was. A page's
// address with ".md" behind it, and a page for whoever asks for text/markdown, is its
// text as it is written. /-/changelog, its feed and /-/history/… take "author",
// "agent" ("*": any) and "via"; /-/blame/… marks the lines of "agent", and with
// "only=yes" leaves the others out. /llms.txt tells programs where to begin.
//
// # Searching as JSON
//
// /-/search.json takes what /-/search takes, 20 results a page, and answers
//
//	{"query": "watered", "mode": "lexical",
//	 "arms": ["lexical"],                    who answered: lexical, related, vectors
//	 "total": 41, "all": 12,                 pages found; of them, those that hold every part of the query, which come first
//	 "page": 1, "pages": 3,
//	 "did_you_mean": "…", "related": ["…"],  left out where there is nothing to say
//	 "partial": "…",                         why not everything was looked at; left out where it was
//	 "lag": {"commits": 0, "seconds": 0},    how far the index is behind; -1: not counted
//	 "results": [{
//	   "page": "Garden/Tomatoes", "url": "/w/notes/Garden/Tomatoes#in-summer",
//	   "title": [{"text": "Tomatoes"}], "snippet": [{"text": "Water", "match": true}, {"text": " them"}],
//	   "section": ["Tomatoes", "Watering", "In summer"], "anchor": "in-summer", "line": 15,
//	   "category": "crop", "tags": ["red"], "updated": "2026-11-20T10:00:00Z", "author": "bob",
//	   "words": 23, "score": 0.93, "every": true, "arms": ["lexical"]}]}
//
// /-/suggest.json?q= has pages whose name or title begins with, or holds, what is
// being typed, at most 8: {"suggestions": [{"page", "url", "title", "path"}]}, with
// title and path in pieces as above. /-/search/status.json tells what the index is
// doing: {"state": "idle" | "in_progress" | "complete" | "error", "done", "total",
// "pages", "chunks", "lag", "model", "embedded", "serving", "related"}, and to
// owners "bytes" and "error". What is wrong with a request is {"error": {"field",
// "text"}} with its status: 422 for a query, 503 with Retry-After while the wiki is
// being read for the first time.
//
// # The graph of links as JSON
//
// /-/graph.json takes what /-/graph takes, and "limit" (1,500 nodes where it is not
// given, 5,000 at most). It answers
//
//	{"nodes": [{"page": "Home", "url": "/w/notes/Home", "in": 3, "out": 5},
//	           {"page": "Compost", "url": "/w/notes/-/edit/Compost", "missing": true, "in": 2, "out": 0}],
//	 "edges": [{"from": 0, "to": 1, "count": 2}],   places in nodes; how many links
//	 "pages": 2, "truncated": false}                how many nodes there would be without the limit
//
// and 503 with {"error": {"text": …}, "read": 120, "total": 7425} while the links of
// the wiki are read for the first time.
//
// # Caching
//
// A page's answer depends on the wiki's content (View.Key), on the address and
// on a few facts about the reader (variant). From these the entity tag is
// computed, so a conditional request is answered before any work; the
// assembled bytes are kept, plain and gzipped, under the same key. Answers of the
// search are kept nowhere: they depend on an index, which moves by itself.
package web

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/markdown"
	"wikibot/search"
	"wikibot/webhooks"
	"wikibot/wiki"
)

// Config says what the handler serves and how.
type Config struct {
	Store     *gitstore.Store
	Addresses wiki.Addresses

	// SiteName stands in the header of the apex and in titles. Default:
	// "wikibot".
	SiteName string

	// SignIn and SignOut are the addresses for signing in (explained by this
	// package where it is the default) and out, at the apex. Defaults:
	// "/auth/sign-in" and "/auth/logout".
	SignIn, SignOut string

	// Search finds things in the wikis.
	Search *search.Engine

	// OneTime makes a one-time token for git over HTTPS: for the caller, the
	// wiki of that slug and id, to push or to fetch. nil: none are offered.
	OneTime func(ctx context.Context, c wiki.Caller, slug wiki.Slug, id string, push bool) (token string, err error)

	// Webhooks tell other programs of changes. nil: there is no page for them.
	Webhooks *webhooks.Engine

	// HasMCP and HasAPI say that the site serves these faces too, so that the
	// page on connecting names their addresses.
	HasMCP, HasAPI bool

	// OpenMCP says that MCP takes who has no token in a wiki that everybody may
	// read, so that connectors which can send none are offered there.
	OpenMCP bool

	// MaxPage and MaxFile bound the bodies of saves and uploads in bytes.
	// Defaults: 1 MiB and 10 MiB.
	MaxPage, MaxFile int64

	// CacheBytes bounds the cache of assembled pages; a quarter of it more is
	// used for rendered Markdown. Default: 64 MiB.
	CacheBytes int64

	// RemoteImages lets wikis whose owners ask for it show images from other
	// servers; who reads such a page is then known there.
	RemoteImages bool

	// Now is the clock. Default: time.Now.
	Now func() time.Time

	// Log receives what a visitor is not told: the cause behind an answer 500.
	// Default: slog.Default().
	Log *slog.Logger
}

// Handler serves the site's pages. It is safe for concurrent use.
type Handler struct {
	Config
	texts     *catalogue
	words     *markdown.Texts
	templates *templateSet
	assets    *assetSet
	docs      *lru[docKey, *document]
	renders   *lru[renderKey, *rendered]
	trees     *lru[treeKey, *tree]
	cross     *http.CrossOriginProtection
	views     map[string]wikiView
	linksWait time.Duration // how long a page waits for the first reading of a wiki's links
	version   string        // changes whenever the same data would be shown differently
}

// Forget drops everything that the caches hold of a wiki, for when its history was
// rewritten and something must not be shown any more.
func (h *Handler) Forget(slug wiki.Slug) {
	h.docs.dropIf(func(k docKey) bool { return k.slug == slug })
	h.renders.dropIf(func(k renderKey) bool { return k.slug == slug })
	h.trees.dropIf(func(k treeKey) bool { return k.slug == slug })
}

// New prepares the handler: it parses templates and texts and hashes the
// assets, about 20 ms.
func New(c Config) (*Handler, error) {
	c.SiteName = cmp.Or(c.SiteName, "wikibot")
	c.SignIn = cmp.Or(c.SignIn, "/auth/sign-in")
	c.SignOut = cmp.Or(c.SignOut, "/auth/logout")
	c.MaxPage = cmp.Or(c.MaxPage, 1<<20)
	c.MaxFile = cmp.Or(c.MaxFile, 10<<20)
	c.CacheBytes = cmp.Or(c.CacheBytes, 64<<20)
	c.Log = cmp.Or(c.Log, slog.Default())
	if c.Now == nil {
		c.Now = time.Now
	}
	h := &Handler{Config: c, cross: http.NewCrossOriginProtection(), views: wikiViews(), linksWait: 400 * time.Millisecond}
	var err error
	if h.texts, err = loadTexts(); err != nil {
		return nil, err
	}
	h.words = h.texts.markdownTexts()
	if h.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if h.templates, err = loadTemplates(h); err != nil {
		return nil, err
	}
	h.version = digest(h.assets.version, h.templates.version, h.texts.version, c.SiteName, c.Addresses.Base.String(), string(c.Addresses.Layout))
	h.docs = newLRU[docKey, *document](c.CacheBytes)
	h.renders = newLRU[renderKey, *rendered](c.CacheBytes / 4)
	h.trees = newLRU[treeKey, *tree](c.CacheBytes / 8)
	return h, nil
}

// ServeWiki serves the wiki slug to the caller c. rest is the escaped path
// within the wiki, as wiki.Addresses.Locate returns it.
func (h *Handler) ServeWiki(w http.ResponseWriter, r *http.Request, c wiki.Caller, slug wiki.Slug, rest string) {
	q := &request{Handler: h, w: w, r: r, caller: c, slug: slug, rest: rest}
	q.answer(q.serveWiki)
}

// ServeSite serves the apex to the caller c: the list of wikis, their account,
// signing in and out, and the assets of every page.
func (h *Handler) ServeSite(w http.ResponseWriter, r *http.Request, c wiki.Caller) {
	q := &request{Handler: h, w: w, r: r, caller: c, rest: r.URL.EscapedPath()}
	q.answer(q.serveSite)
}

// request is one call on its way to an answer. view is set for a wiki's pages;
// it is one snapshot and lives as long as the request.
type request struct {
	*Handler
	w      http.ResponseWriter
	r      *http.Request
	caller wiki.Caller
	slug   wiki.Slug // empty at the apex
	rest   string    // escaped path within the wiki or the apex
	view   *gitstore.View
	can    wiki.Standing
	text   bool // whoever asks wants no HTML: errors are a line of text
}

// answer guards a handler: headers of every answer, cross-origin changes
// refused, bodies bounded, errors turned into pages.
func (q *request) answer(serve func() error) {
	setSecurityHeaders(q.w.Header())
	switch q.r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodPost:
		if err := q.cross.Check(q.r); err != nil {
			q.fail(&wiki.Error{Kind: wiki.ErrForbidden, Text: q.texts.get("error.cross")})
			return
		}
		q.r.Body = http.MaxBytesReader(q.w, q.r.Body, max(q.MaxPage*4, q.MaxFile*16))
	default:
		q.wrongMethod(form)
		return
	}
	if err := serve(); err != nil {
		q.fail(err)
	}
}

func (q *request) isPost() bool { return q.r.Method == http.MethodPost }

// method says what a view answers.
type method byte

const (
	get  method = 1 << iota // GET and HEAD
	post                    // POST: a change, or a preview
	form = get | post
)

func (m method) String() string {
	switch m {
	case get:
		return "GET, HEAD"
	case post:
		return "POST"
	}
	return "GET, HEAD, POST"
}

// wikiView serves one view of a wiki; arg is the rest of its path, escaped.
type wikiView struct {
	method
	serve func(q *request, arg string) error
}

// wikiViews are the views below /-/.
func wikiViews() map[string]wikiView {
	return map[string]wikiView{
		"page":           {get, (*request).namedPage},
		"file":           {get, (*request).showFile},
		"edit":           {form, onPage((*request).edit)},
		"preview":        {post, onPage((*request).preview)},
		"create":         {form, whole((*request).create)},
		"rename":         {form, onPage((*request).rename)},
		"delete":         {form, onPage((*request).remove)},
		"restore":        {form, onPage((*request).restore)},
		"history":        {get, onPage((*request).history)},
		"diff":           {get, onPage((*request).diff)},
		"compare":        {get, func(q *request, _ string) error { return q.diff("") }},
		"blame":          {get, onPage((*request).blame)},
		"source":         {get, onPage((*request).source)},
		"attachments":    {form, onPage((*request).attachments)},
		"upload":         {post, onPage((*request).upload)},
		"detach":         {form, (*request).detach},
		"changelog":      {get, whole((*request).changelog)},
		"changelog.atom": {get, whole((*request).feed)},
		"commit":         {get, (*request).commit},
		"revert":         {form, (*request).revert},
		"index":          {get, (*request).index},
		"search":         {get, (*request).search},
		"search.json":    {get, whole((*request).searchJSON)},
		"suggest.json":   {get, whole((*request).suggest)},
		"reindex":        {post, whole((*request).reindex)},
		"wanted":         {get, whole((*request).garden)},
		"graph":          {get, whole((*request).graph)},
		"graph.json":     {get, whole((*request).graphData)},
		"history-search": {get, whole((*request).historySearch)},
		"connect":        {form, whole((*request).connect)},
		"help":           {get, whole((*request).help)},
		"settings":       {form, whole((*request).settings)},
		"tokens":         {form, whole((*request).tokens)},
		"access":         {form, whole((*request).access)},
		"webhooks":       {form, whole((*request).hooks)},
		"pages.json":     {get, whole((*request).pageNames)},
	}
}

// whole adapts a handler of the whole wiki.
func whole(f func(*request) error) func(*request, string) error {
	return func(q *request, arg string) error {
		if arg != "" {
			return wiki.NotFound("%s", q.texts.get("error.no_view", arg))
		}
		return f(q)
	}
}

// onPage adapts a handler of one page.
func onPage(f func(*request, wiki.PagePath) error) func(*request, string) error {
	return func(q *request, arg string) error {
		p, err := parsePage(arg)
		if err != nil {
			return err
		}
		return f(q, p)
	}
}

func (q *request) serveWiki() error {
	switch {
	case q.rest == "":
		return q.redirect(q.links().Root())
	case strings.HasPrefix(q.rest, "/assets/"):
		return q.asset(strings.TrimPrefix(q.rest, "/assets/"))
	case q.rest == "/-/theme":
		return q.setTheme()
	}
	q.text = q.asksMarkdown() || !q.isPost() && q.negotiable() && strings.HasSuffix(q.rest, wiki.PageSuffix)
	view, err := q.Store.View(q.r.Context(), q.caller, q.slug)
	if err != nil {
		return err
	}
	q.view, q.can = view, view.Standing()
	if !q.isPost() && !q.text && q.kept(q.key()) {
		return nil
	}
	switch q.rest {
	case "/":
		return q.home()
	case "/robots.txt":
		return q.robots()
	case "/sitemap.xml":
		return q.sitemap()
	case "/favicon.ico":
		return q.asset("favicon.svg")
	}
	if rest, ok := strings.CutPrefix(q.rest, "/-/"); ok {
		return q.serveView(rest)
	}
	return q.content(strings.TrimPrefix(q.rest, "/"))
}

func (q *request) serveView(rest string) error {
	name, arg, _ := strings.Cut(rest, "/")
	v, ok := q.views[name]
	switch {
	case !ok:
		return wiki.NotFound("%s", q.texts.get("error.no_view", name))
	case q.isPost() && v.method&post == 0, !q.isPost() && v.method&get == 0:
		return q.wrongMethod(v.method)
	}
	return v.serve(q, arg)
}

func (q *request) wrongMethod(allowed method) error {
	q.w.Header().Set("Allow", allowed.String())
	http.Error(q.w, q.texts.get("error.method", allowed.String()), http.StatusMethodNotAllowed)
	return nil
}

// readForm parses a form of at most limit bytes.
func (q *request) readForm(limit int64) error {
	q.r.Body = http.MaxBytesReader(q.w, q.r.Body, limit)
	if strings.HasPrefix(q.r.Header.Get("Content-Type"), "multipart/") {
		return formError(q.r.ParseMultipartForm(4 << 20))
	}
	return formError(q.r.ParseForm())
}
