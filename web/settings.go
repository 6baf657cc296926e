package web

import (
	"net/http"
	"sort"
	"strings"

	"wikibot/acl"
	"wikibot/gitstore"
	"wikibot/markdown"
	"wikibot/wiki"
)

// settingsView is the form of a wiki's settings, for its owners.
type settingsView struct {
	frame
	Set    gitstore.Settings
	Error  string
	Tokens *tokenBox
	Index  *indexBox
	Hooks  bool // there is a page of webhooks
}

// mayManage refuses everybody but owners, who see the configuration also where
// nothing can be changed; the store checks each change again.
func (q *request) mayManage() error {
	switch {
	case q.can.Inspect:
		return nil
	case q.caller.Anonymous():
		return &wiki.Error{Kind: wiki.ErrUnauthenticated, Text: q.texts.get("error.may_not_manage")}
	}
	return wiki.Forbidden("%s", q.texts.get("error.may_not_manage"))
}

func (q *request) settings() error {
	if err := q.mayManage(); err != nil {
		return err
	}
	d := &settingsView{frame: q.frame("settings", q.texts.get("settings.title"), ""), Set: q.view.Settings()}
	var err error
	if d.Tokens, err = q.wikiTokens(); err != nil {
		return err
	}
	d.Index, d.Hooks = q.indexBox(), q.Webhooks != nil
	if !q.isPost() {
		return q.show(http.StatusOK, "settings", d)
	}
	if err := q.readForm(formSlack); err != nil {
		return err
	}
	f := q.r.PostForm
	d.Set.Name, d.Set.Purpose = strings.TrimSpace(f.Get("name")), strings.TrimSpace(f.Get("purpose"))
	d.Set.LinkStyle = markdown.Style(f.Get("style"))
	d.Set.Redirects, d.Set.RemoteImages, d.Set.ForcePush = f.Has("redirects"), f.Has("images"), f.Has("force")
	home, err := wiki.ParsePagePath(strings.TrimSpace(f.Get("home")))
	if err == nil {
		d.Set.Home = home
		err = q.Store.SetSettings(q.r.Context(), q.caller, q.slug, d.Set)
	}
	if err != nil {
		return q.again(err, "settings", d, &d.Error)
	}
	return q.redirect(done(q.links().To("settings"), "settings"))
}

// accessView is who may do what in a wiki, for its owners.
type accessView struct {
	frame
	Levels  []accessLevel
	Choices []string
	Grants  []grant
	Roles   []string
	Error   string
}

type accessLevel struct{ ID, Name, Label, Value string }

type grant struct{ Who, Role string }

func (q *request) access() error {
	if err := q.mayManage(); err != nil {
		return err
	}
	d := q.accessPage()
	if !q.isPost() {
		return q.show(http.StatusOK, "access", d)
	}
	if err := q.readForm(formSlack); err != nil {
		return err
	}
	if err := q.changeAccess(); err != nil {
		return q.again(err, "access", d, &d.Error)
	}
	return q.redirect(done(q.links().To("access"), "access"))
}

func (q *request) accessPage() *accessView {
	p := q.view.Policy()
	d := &accessView{frame: q.frame("access", q.texts.get("access.title"), "")}
	d.Levels = []accessLevel{
		{"Read", "read", "access.read", p.Read.String()},
		{"Write", "write", "access.write", p.Write.String()},
		{"Propose", "propose", "access.propose", p.Propose.String()},
	}
	d.Choices = []string{acl.Granted.String(), acl.Registered.String(), acl.Anonymous.String()}
	d.Roles = []string{wiki.Editor.String(), wiki.Viewer.String(), wiki.Owner.String()}
	for who, role := range p.Grants {
		d.Grants = append(d.Grants, grant{who, role.String()})
	}
	sort.Slice(d.Grants, func(i, j int) bool { return d.Grants[i].Who < d.Grants[j].Who })
	return d
}

func (q *request) changeAccess() error {
	f, ctx := q.r.PostForm, q.r.Context()
	who := strings.TrimSpace(f.Get("who"))
	switch f.Get("do") {
	case "levels":
		var levels [3]acl.Level
		for i, name := range []string{"read", "write", "propose"} {
			l, err := acl.ParseLevel(f.Get(name))
			if err != nil {
				return err
			}
			levels[i] = l
		}
		return q.Store.SetAccess(ctx, q.caller, q.slug, levels[0], levels[1], levels[2])
	case "grant":
		role, err := wiki.ParseRole(f.Get("role"))
		if err != nil {
			return err
		}
		return q.Store.SetGrant(ctx, q.caller, q.slug, who, role)
	case "revoke":
		return q.Store.SetGrant(ctx, q.caller, q.slug, who, wiki.NoRole)
	}
	return wiki.Invalid("do", "%s", q.texts.get("error.invalid_text"))
}
