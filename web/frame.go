package web

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// frame is what every page shows around its own content.
type frame struct {
	Title    string // of the window, without the wiki's name
	Site     string
	Theme    string // "", "light" or "dark"
	View     string // name of the view; class of the body
	Wiki     bool   // false at the apex
	Settings gitstore.Settings
	L        links
	Path     wiki.PagePath // the page that the view is about, or empty
	Folder   string        // prefix for a new page
	Exists   bool          // Path exists
	Crumbs   []crumb
	Who      string // how the caller is named; empty for a visitor
	Can      wiki.Standing
	Here     string // this address, to come back to
	SignIn   string // leads back here
	Account  string // the page of one's account
	SignOut  string
	SiteURL  string // the apex
	Robots   bool   // search engines may keep it
	Canonic  string // absolute address of the page, or empty
	Markdown string // address of the page as it is written, or empty
	Sidebar  *sidebar
	Alerts   []alert // for those who can mend what is wrong with the site or the wiki
	Notice   *notice
	Editor   bool // load the editor
	Math     bool // load the typesetter
	Mermaid  bool // load diagrams
	Refresh  int  // seconds after which the page is loaded again, without script; 0: never
}

// crumb is one step of the way down to a page.
type crumb struct {
	Name string
	URL  string
}

// notice is a message above the content.
type notice struct {
	Kind string // "good", "info", "warn"
	Text string
	Link string // optional
	More string // text of the link
}

// frame begins the frame of a view; p is the page it is about, or empty.
func (q *request) frame(view, title string, p wiki.PagePath) frame {
	f := q.bareFrame(view, title)
	f.Here, f.Path = q.here(), p
	f.Alerts = q.alerts()
	if next := q.next(); next != "" {
		f.SignIn += "?next=" + url.QueryEscape(next)
	}
	if q.view == nil {
		return f
	}
	f.Wiki, f.Settings, f.Can = true, q.view.Settings(), q.can
	if p != "" {
		f.Crumbs, f.Folder = q.crumbs(p), string(p.Parent())
		_, f.Exists = q.view.Page(string(p))
		if f.Folder != "" {
			f.Folder += "/"
		}
	}
	f.Notice = q.notice()
	return f
}

// bareFrame is a frame of the site that depends on no address and no data.
func (q *request) bareFrame(view, title string) frame {
	f := frame{
		Title: title, Site: q.SiteName, Theme: q.theme(), View: view,
		L: q.links(), Who: q.who(), Here: "/", SignIn: q.Addresses.Site(q.SignIn), SignOut: q.Addresses.Site(q.SignOut),
		SiteURL: q.Addresses.Site("/"), Account: q.Addresses.Site(accountPath),
	}
	if q.Addresses.Layout == wiki.LayoutPath {
		f.SignIn, f.SignOut, f.SiteURL, f.Account = q.SignIn, q.SignOut, "/", accountPath
	}
	return f
}

// alert says that a configuration is not in force, to those who can mend it.
type alert struct {
	Text   string
	Faults []string
	More   int // faults that are not shown
}

// alertFaults is how many faults an alert shows.
const alertFaults = 5

// alerts are what is wrong with the site, for administrators, and with the wiki's
// configuration, for its owners.
func (q *request) alerts() (list []alert) {
	if err := q.Store.Trouble(q.r.Context(), q.caller); err != nil {
		list = append(list, newAlert(q.texts.get("alert.site"), err))
	}
	if q.view == nil {
		return list
	}
	if err := q.view.Faulty(); err != nil {
		list = append(list, newAlert(q.texts.get("alert.wiki"), err))
	}
	return list
}

func newAlert(text string, err error) alert {
	a := alert{Text: text}
	var faults wiki.Faults
	if !errors.As(err, &faults) {
		a.Faults = []string{err.Error()}
	}
	for i, f := range faults {
		if i == alertFaults {
			a.More = len(faults) - i
			break
		}
		a.Faults = append(a.Faults, f.String())
	}
	return a
}

// who names the caller in the header; empty for a visitor.
func (q *request) who() string {
	if q.caller.Anonymous() {
		return ""
	}
	return q.caller.Name()
}

// here is the address of this request within its host.
func (q *request) here() string {
	u := *q.r.URL
	query := u.Query()
	query.Del("done")
	if len(query) == 0 {
		return u.EscapedPath()
	}
	return u.EscapedPath() + "?" + query.Encode()
}

// next is where signing in leads back to: this address as a path of the apex,
// where both layouts are understood. Empty where it is no page to come to.
func (q *request) next() string {
	here := q.here()
	switch {
	case q.isPost() || len(here) > 1000 || strings.HasPrefix(here, "/auth/") || here == "/":
		return ""
	case q.slug != "" && q.Addresses.Layout == wiki.LayoutSubdomain:
		return "/w/" + string(q.slug) + here
	}
	return here
}

// variant is what an answer depends on besides content and address.
func (q *request) variant() string {
	b := make([]byte, 0, 48)
	for _, yes := range []bool{q.can.Read, q.can.Write, q.can.Manage, q.can.Propose, q.can.Inspect, q.can.Revoke, q.can.Delete} {
		if yes {
			b = append(b, '1')
		} else {
			b = append(b, '0')
		}
	}
	b = append(b, q.theme()...)
	b = append(b, '|')
	b = append(b, q.who()...)
	b = append(b, '|')
	b = append(b, q.can.Frozen...)
	if alerts := q.alerts(); len(alerts) > 0 {
		b = fmt.Append(b, "|", alerts)
	}
	return string(b)
}

// crumbs lead from the top to p, p itself left out; a folder without a page
// leads to its index.
func (q *request) crumbs(p wiki.PagePath) []crumb {
	parts := p.Components()
	list := make([]crumb, 0, len(parts))
	for i := range parts[:len(parts)-1] {
		up := wiki.PagePath(strings.Join(parts[:i+1], "/"))
		c := crumb{Name: parts[i], URL: q.links().Folder(string(up))}
		if real, ok := q.view.Page(string(up)); ok {
			c.URL = q.links().Page(real)
		}
		list = append(list, c)
	}
	return list
}

// notice is the message that a redirect after a change asked for. Only keys of
// the catalogue's group "done" are accepted: an address cannot put words on the
// page.
func (q *request) notice() *notice {
	key := q.r.URL.Query().Get("done")
	if key == "" {
		return nil
	}
	text, err := q.texts.lookup("done." + key)
	if err != nil {
		return nil
	}
	kind := "good"
	if key == "merged" || key == "unchanged" || key == "followed" || key == "reindex_runs" {
		kind = "info"
	}
	return &notice{Kind: kind, Text: text}
}

// done is an address with the key of a notice.
func done(u, key string) string {
	if strings.Contains(u, "?") {
		return u + "&done=" + key
	}
	return u + "?done=" + key
}
