package web

import (
	"cmp"
	"net/http"

	"wikibot/acl"
	"wikibot/gitstore"
	"wikibot/wiki"
)

// connectView explains how to reach the wiki with git and agents.
type connectView struct {
	frame
	Git           string
	SSH, SSHLogin string // empty where the site has no SSH, like the next
	MCP, API      string // empty where the site does not serve them
	Docs          string // the page on the API
	Dir           string
	NoPush        bool // the wiki's tier has no git push
	OneTime       bool // one-time tokens can be made here, by this caller
	Once          *oneTime

	Clients  []client
	Commands []snippet
	Public   bool      // everybody may read, over MCP as well
	Agent    *tokenBox // the form for an agent's token; nil for those who cannot make one
	Made     *madeToken
}

// oneTime is a one-time token, shown once.
type oneTime struct {
	Token string
	Push  bool
	Clone string // the clone address with the person's name in it
}

// connect is not kept: what the wiki's tier allows is no part of its content.
func (q *request) connect() error {
	if !q.isPost() {
		return q.show(http.StatusOK, "connect", q.connectPage(""))
	}
	if err := q.readForm(formSlack); err != nil {
		return err
	}
	if q.r.PostForm.Get("for") == "agent" {
		return q.makeAgent()
	}
	return q.makeOnce()
}

// connectPage is the page; a token that was just made goes into its lines.
func (q *request) connectPage(token string) *connectView {
	d := &connectView{frame: q.frame("connect", q.texts.get("connect.title"), ""), Git: q.Addresses.Git(q.slug), Dir: string(q.slug), NoPush: !q.view.Plan().Push}
	d.SSH, d.SSHLogin = q.Addresses.SSH(q.slug), q.Addresses.SSHCommand("login")
	d.OneTime = q.OneTime != nil && q.caller.User != ""
	d.Public = q.OpenMCP && q.view.Policy().Read == acl.Anonymous
	token = cmp.Or(token, tokenPlace)
	if q.HasMCP {
		d.MCP = q.Addresses.MCP(q.slug)
		e := endpoint{Name: string(q.slug), URL: d.MCP, Token: token, Public: d.Public}
		d.Clients = e.clients(q.texts.get("clients.ask", q.view.Settings().Name))
	}
	if q.HasAPI {
		d.API, d.Docs = q.Addresses.API(q.slug), q.Addresses.Prefix(q.slug)+"/api"
		d.Commands = q.commands(d.API, token)
	}
	if q.HasMCP || q.HasAPI {
		d.Agent = q.agentBox()
	}
	return d
}

// agentBox is the form for an agent's token: the wiki's for those who manage it,
// else one of the person's own. nil for those who cannot make any: visitors, and
// whoever came with a token.
func (q *request) agentBox() *tokenBox {
	if _, ok := gitstore.ParseTokenID(q.caller.Credential); ok || q.caller.User == "" || q.caller.Only != "" || q.caller.Narrowed != wiki.NoRole {
		return nil
	}
	b := &tokenBox{Action: q.links().To("connect") + "#Agents", Of: "person", Make: true}
	b.Name = q.texts.get("connect.agent_in", string(q.slug))
	if q.can.Manage {
		b.Of, b.Name = "wiki", q.texts.get("connect.agent_of", q.who())
	}
	q.agentChoices(b, "", "")
	return b
}

func (q *request) agentChoices(b *tokenBox, role, days string) {
	roles := []string{"editor", "viewer"}
	if !q.can.Write {
		roles = roles[1:]
	}
	b.offer(roles, role, days)
}

// makeAgent makes a token for an agent, and shows the page with it in its lines.
func (q *request) makeAgent() error {
	d := q.connectPage("")
	if d.Agent == nil {
		if q.caller.User == "" {
			return &wiki.Error{Kind: wiki.ErrUnauthenticated, Text: q.texts.get("connect.agent_sign_in")}
		}
		return wiki.Forbidden("%s", q.texts.get("connect.agent_no_token"))
	}
	f := q.r.PostForm
	b, ask := d.Agent, gitstore.NewToken{User: q.caller.User}
	if b.Of == "wiki" {
		ask = gitstore.NewToken{Wiki: q.slug}
	}
	err := wiki.Invalid("role", "%s", q.texts.get("connect.agent_role"))
	if role := f.Get("role"); role == "editor" || role == "viewer" {
		err = q.makeToken(b, f, ask)
	}
	if err != nil {
		q.agentChoices(b, f.Get("role"), f.Get("days"))
		return q.again(err, "connect", d, &b.Error)
	}
	made := b.Made
	d = q.connectPage(made.Secret)
	d.Made = made
	return q.show(http.StatusOK, "connect", d)
}

// makeOnce makes a one-time token for somebody who is signed in, and shows it.
func (q *request) makeOnce() error {
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
	d := q.connectPage("")
	d.Once = &oneTime{Token: token, Push: push, Clone: q.cloneAs(q.slug)}
	return q.show(http.StatusOK, "connect", d)
}
