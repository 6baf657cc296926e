package web

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

func itoa(n int) string { return strconv.Itoa(n) }

// indexView is the tree of pages, or one folder of it.
type indexView struct {
	frame
	Where string // the folder; empty: the whole wiki
	Page  wiki.PagePath
	Root  *node
	Files bool // attachments too
	Open  bool // small enough to be shown unfolded
	Count int
}

// index answers /-/index and /-/index/Folder.
func (q *request) index(arg string) error {
	where, err := url.PathUnescape(strings.Trim(arg, "/"))
	if err != nil {
		return wiki.NotFound("%s", q.texts.get("error.address"))
	}
	return q.folder(where)
}

// folder shows the index of one folder.
func (q *request) folder(where string) error {
	return q.showCached("index", func() (any, error) {
		t, err := q.tree(q.view)
		if err != nil {
			return nil, err
		}
		root := t.find(where)
		if root == nil {
			return nil, wiki.NotFound("%s", q.texts.get("error.no_folder", where))
		}
		title := q.texts.get("index.title")
		if where != "" {
			title = q.texts.get("index.title_folder", where)
		}
		d := &indexView{frame: q.frame("index", title, wiki.PagePath(where)), Where: where, Page: root.Page, Root: root, Count: root.Below()}
		d.Files, d.Open = q.r.URL.Query().Has("files"), d.Count <= 200
		if where != "" {
			d.Folder = where + "/"
		}
		return d, nil
	})
}

// helpView explains keys and Markdown.
type helpView struct{ frame }

func (q *request) help() error {
	return q.showCached("help", func() (any, error) {
		return &helpView{q.frame("help", q.texts.get("help.title"), "")}, nil
	})
}

// maxNames bounds the list for the editor's completion.
const maxNames = 10000

// pageNames is the list of pages for the editor's completion.
func (q *request) pageNames() error {
	return q.cached(func() (*document, error) {
		entries, next, err := q.view.List(gitstore.ListOptions{Limit: maxNames})
		if err != nil {
			return nil, err
		}
		names := make([]string, 0, len(entries))
		for _, e := range entries {
			if !special(e.Page) {
				names = append(names, string(e.Page))
			}
		}
		b, err := json.Marshal(map[string]any{"pages": names, "more": next != ""})
		return &document{html: b, mime: "application/json"}, err
	})
}

// robots keeps crawlers out of the views that are endless.
func (q *request) robots() error {
	root := q.Addresses.Prefix(q.slug)
	return q.plain("text/plain; charset=utf-8", "User-agent: *\nDisallow: "+root+"/-/\nSitemap: "+q.Addresses.Absolute(q.slug)+"/sitemap.xml\n")
}

func (q *request) plain(kind, text string) error {
	q.w.Header().Set("Cache-Control", "private, max-age=3600")
	q.send(http.StatusOK, &document{html: []byte(text), mime: kind})
	return nil
}

// maxSitemap is what the protocol allows in one file (sitemaps.org).
const maxSitemap = 50000

func (q *request) sitemap() error {
	return q.cached(func() (*document, error) {
		type entry struct {
			Loc string `xml:"loc"`
		}
		set := struct {
			XMLName xml.Name `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
			URLs    []entry  `xml:"url"`
		}{}
		entries, _, err := q.view.List(gitstore.ListOptions{Limit: maxSitemap})
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if !special(e.Page) {
				set.URLs = append(set.URLs, entry{q.absolute(q.links().Page(e.Page))})
			}
		}
		return xmlDocument(set, "application/xml; charset=utf-8")
	})
}

// absolute is a path of this wiki's host as an absolute URL.
func (q *request) absolute(path string) string {
	return q.Addresses.Absolute(q.slug) + strings.TrimPrefix(path, q.Addresses.Prefix(q.slug))
}

func xmlDocument(v any, kind string) (*document, error) {
	b, err := xml.Marshal(v)
	return &document{html: append([]byte(xml.Header), b...), mime: kind}, err
}

// atomFeed is the changelog as an Atom feed (RFC 4287).
type atomFeed struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Title   string      `xml:"title"`
	ID      string      `xml:"id"`
	Links   []atomLink  `xml:"link"`
	Updated string      `xml:"updated"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	Title   string   `xml:"title"`
	ID      string   `xml:"id"`
	Link    atomLink `xml:"link"`
	Updated string   `xml:"updated"`
	Author  string   `xml:"author>name"`
	Content string   `xml:"content"`
}

// feed is the newest changes as Atom; it is narrowed as the changelog is.
func (q *request) feed() error {
	return q.cached(func() (*document, error) {
		filter, err := q.sources(q.links().To("changelog"))
		if err != nil {
			return nil, err
		}
		commits, _, err := q.view.Changes(q.r.Context(), filter.options(changesPage))
		if err != nil {
			return nil, err
		}
		here := q.absolute(q.links().To("changelog"))
		f := atomFeed{Title: q.view.Settings().Name, ID: here, Links: []atomLink{{"alternate", here}, {"self", q.absolute(filter.At(q.links().To("changelog.atom")))}}, Updated: time.Unix(0, 0).UTC().Format(time.RFC3339)}
		for i, c := range commits {
			on := c.Date.UTC().Format(time.RFC3339)
			if i == 0 {
				f.Updated = on
			}
			var files strings.Builder
			for _, ch := range c.Changes {
				files.WriteString(string(ch.Kind) + " " + decodeFile(ch.File) + "\n")
			}
			at := q.absolute(q.links().Commit(c.Revision))
			f.Entries = append(f.Entries, atomEntry{Title: c.Subject, ID: at, Link: atomLink{"alternate", at}, Updated: on, Author: byline(c), Content: files.String()})
		}
		return xmlDocument(f, "application/atom+xml; charset=utf-8")
	})
}

// authorName is who made a commit: the person whom the server knows, else whom
// the commit claims.
func authorName(c wiki.Commit) string {
	if c.Actor != "" && !c.Claimed() {
		return string(c.Actor)
	}
	if c.Author != "" {
		return c.Author
	}
	return string(c.Actor)
}
