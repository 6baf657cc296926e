package web

import (
	"net/http"
	"net/url"
	"strings"

	"wikibot/wiki"
)

// wikisView is the apex: the wikis that the caller may read.
type wikisView struct {
	frame
	Wikis []wikiCard
}

type wikiCard struct {
	Slug    wiki.Slug
	Name    string
	Purpose string
	URL     string
	Role    string // empty where it comes from an access level, not a grant
}

// serveSite answers the apex.
func (q *request) serveSite() error {
	switch path := q.rest; {
	case path == "/" || path == "":
		return q.wikis()
	case strings.HasPrefix(path, "/assets/"):
		return q.asset(strings.TrimPrefix(path, "/assets/"))
	case path == "/-/theme":
		return q.setTheme()
	case path == accountPath:
		return q.account()
	case path == "/auth/sign-in":
		return q.signIn()
	case path == "/favicon.ico":
		return q.asset("favicon.svg")
	case path == "/llms.txt":
		return q.siteLLMs()
	case path == "/robots.txt":
		return q.plain("text/plain; charset=utf-8", "User-agent: *\nDisallow: /auth/\nDisallow: /w/*/-/\n")
	}
	if slug, ok := strings.CutPrefix(q.rest, "/w/"); ok {
		name, _, _ := strings.Cut(slug, "/")
		if s, err := url.PathUnescape(name); err == nil {
			return wiki.NotFound("%s", q.texts.get("error.no_wiki", s))
		}
	}
	return wiki.NotFound("%s", q.texts.get("error.nothing_here"))
}

// signInView says how one signs in.
type signInView struct {
	frame
	SSH string // the command that prints a link; empty where SSH is off
}

func (q *request) signIn() error {
	d := &signInView{q.frame("signin", q.texts.get("signin.title"), ""), q.Addresses.SSHCommand("login")}
	return q.show(http.StatusOK, "signin", d)
}

func (q *request) wikis() error {
	infos, err := q.Store.Wikis(q.r.Context(), q.caller)
	if err != nil {
		return err
	}
	d := &wikisView{frame: q.frame("wikis", q.texts.get("site.wikis"), "")}
	for _, w := range infos {
		c := wikiCard{Slug: w.Slug, Name: w.Name, Purpose: w.Purpose, URL: q.Addresses.Root(w.Slug) + "/"}
		if c.Name == "" {
			c.Name = string(w.Slug)
		}
		if w.Standing.Role != wiki.NoRole {
			c.Role = w.Standing.Role.String()
		}
		d.Wikis = append(d.Wikis, c)
	}
	return q.show(http.StatusOK, "wikis", d)
}
