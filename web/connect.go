package web

import (
	"net/http"

	"wikibot/wiki"
)

// connectView explains how to reach the wiki with git and agents.
type connectView struct {
	frame
	Git           string
	SSH, SSHLogin string // empty where the site has no SSH, like the next
	MCP, API      string // empty where the site does not serve them
	Dir           string
	NoPush        bool // the wiki's tier has no git push
	OneTime       bool // one-time tokens can be made here, by this caller
	Once          *oneTime
}

// oneTime is a one-time token, shown once.
type oneTime struct {
	Token string
	Push  bool
	Clone string // the clone address with the person's name in it
}

// connect is not kept: what the wiki's tier allows is no part of its content.
func (q *request) connect() error {
	if q.isPost() {
		return q.makeOnce()
	}
	return q.show(http.StatusOK, "connect", q.connectPage())
}

func (q *request) connectPage() *connectView {
	d := &connectView{frame: q.frame("connect", q.texts.get("connect.title"), ""), Git: q.Addresses.Git(q.slug), Dir: string(q.slug), NoPush: !q.view.Plan().Push}
	d.SSH, d.SSHLogin = q.Addresses.SSH(q.slug), q.Addresses.SSHCommand("login")
	d.OneTime = q.OneTime != nil && q.caller.User != ""
	if q.HasMCP {
		d.MCP = q.Addresses.MCP(q.slug)
	}
	if q.HasAPI {
		d.API = q.Addresses.API(q.slug)
	}
	return d
}

// makeOnce makes a one-time token for somebody who is signed in, and shows it.
func (q *request) makeOnce() error {
	if err := q.readForm(formSlack); err != nil {
		return err
	}
	push := false
	switch q.r.PostForm.Get("for") {
	case "fetch":
	case "push":
		push = true
	default:
		return wiki.Invalid("for", "%s", q.texts.get("error.invalid_text"))
	}
	switch {
	case q.caller.User == "" || q.OneTime == nil:
		return &wiki.Error{Kind: wiki.ErrUnauthenticated, Text: q.texts.get("connect.sign_in")}
	case push && !q.can.Write:
		return wiki.Forbidden("%s", q.texts.get("error.may_not_write", q.who()))
	case push && !q.view.Plan().Push:
		return wiki.Forbidden("%s", q.texts.get("connect.no_push"))
	}
	token, err := q.OneTime(q.r.Context(), q.caller, q.slug, q.view.Policy().Wiki, push)
	if err != nil {
		return err
	}
	d := q.connectPage()
	d.Once = &oneTime{Token: token, Push: push, Clone: q.cloneAs(q.slug)}
	return q.show(http.StatusOK, "connect", d)
}
