package web

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"wikibot/wiki"
)

// links builds the addresses of one wiki's views; templates use it as .L.
type links struct {
	addr wiki.Addresses
	slug wiki.Slug
}

func (q *request) links() links { return links{q.Addresses, q.slug} }

// Root is the wiki's first page.
func (l links) Root() string { return l.addr.Prefix(l.slug) + "/" }

// Page is a page as it is now.
func (l links) Page(p wiki.PagePath) string { return l.addr.Page(l.slug, p) }

// PageAt is a page as it was.
func (l links) PageAt(p wiki.PagePath, rev wiki.Revision) string {
	return withRevision(l.Page(p), rev)
}

// File is an attachment as it is now.
func (l links) File(f wiki.FilePath) string { return l.addr.File(l.slug, f) }

// FileAt is an attachment as it was.
func (l links) FileAt(f wiki.FilePath, rev wiki.Revision) string {
	return withRevision(l.File(f), rev)
}

// Create is where a page that does not exist is begun.
func (l links) Create(p wiki.PagePath) string { return l.View("edit", p) }

// View is another view of a page.
func (l links) View(view string, p wiki.PagePath) string { return l.addr.View(l.slug, view, p) }

// ViewAt is another view of a page as it was.
func (l links) ViewAt(view string, p wiki.PagePath, rev wiki.Revision) string {
	return withRevision(l.View(view, p), rev)
}

// To is a view of the whole wiki.
func (l links) To(view string) string { return l.addr.View(l.slug, view, "") }

// Commit is one commit.
func (l links) Commit(rev wiki.Revision) string { return l.To("commit/" + string(rev)) }

// Revert is the form that undoes one commit.
func (l links) Revert(rev wiki.Revision) string { return l.To("revert/" + string(rev)) }

// Folder is the index of one folder.
func (l links) Folder(path string) string { return l.To("index/" + wiki.EscapePath(path)) }

// Detach is the form that deletes an attachment.
func (l links) Detach(f wiki.FilePath) string { return l.To("detach/" + wiki.EscapePath(string(f))) }

// Diff compares a page, or with an empty path the whole wiki, between two
// revisions.
func (l links) Diff(p wiki.PagePath, from, to wiki.Revision) string {
	view := l.View("diff", p)
	if p == "" {
		view = l.To("compare")
	}
	return view + "?from=" + string(from) + "&to=" + string(to)
}

func withRevision(u string, rev wiki.Revision) string {
	if rev == wiki.Head {
		return u
	}
	return u + "?revision=" + string(rev)
}

// urls implements markdown.URLs.
type urls struct{ links }

// parsePage reads a page's path from the escaped rest of an address.
func parsePage(escaped string) (wiki.PagePath, error) {
	s, err := url.PathUnescape(strings.TrimSuffix(escaped, "/"))
	if err != nil || !utf8.ValidString(s) {
		return "", wiki.NotFound("the address is not well-formed UTF-8")
	}
	return wiki.ParsePagePath(s)
}

// parseFile reads an attachment's path from the escaped rest of an address.
func parseFile(escaped string) (wiki.FilePath, error) {
	s, err := url.PathUnescape(escaped)
	if err != nil || !utf8.ValidString(s) {
		return "", wiki.NotFound("the address is not well-formed UTF-8")
	}
	return wiki.ParseFilePath(s)
}

// revision is the "revision" of the query, or another parameter of that kind.
func (q *request) revision(name string) (wiki.Revision, error) {
	return wiki.ParseRevision(q.r.URL.Query().Get(name))
}

// theme is the reader's choice of colours: "light", "dark", or "" for what the
// system says. It is a cookie, so that it works without script and the first
// paint is right.
func (q *request) theme() string {
	if c, err := q.r.Cookie("theme"); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

func (q *request) setTheme() error {
	if !q.isPost() {
		return q.wrongMethod(post)
	}
	if err := q.readForm(4 << 10); err != nil {
		return err
	}
	back := q.links().Root()
	if q.slug == "" {
		back = "/"
	}
	age := 365 * 24 * 3600
	theme := q.r.PostForm.Get("theme")
	if theme != "light" && theme != "dark" {
		theme, age = "", -1
	}
	http.SetCookie(q.w, &http.Cookie{Name: "theme", Value: theme, Path: "/", MaxAge: age, SameSite: http.SameSiteLaxMode, Secure: q.Addresses.Secure()})
	return q.redirect(local(q.r.PostForm.Get("back"), back))
}
