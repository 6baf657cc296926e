package web

import (
	"net/http"
	"net/url"
	"strings"

	"wikibot/webhooks"
	"wikibot/wiki"
)

// hooksView is the page of a wiki's webhooks, for those who manage it.
type hooksView struct {
	frame
	Action string
	List   []hookRow
	New    webhooks.New // what was typed into the form for another one
	Shown  *shownHook   // whose secret is shown in this answer
	Error  string
}

type hookRow struct {
	webhooks.Hook
	Shows string // what it is called: its name, else its address
	Is    string // key of the catalogue: what it does now
	Dos   []hookDo
	Tries []webhooks.Answer
}

// hookDo is a button of a webhook: what is sent, and a key of the catalogue.
type hookDo struct{ Do, Label string }

// standings are the keys of the catalogue for what a webhook does.
func standings() map[webhooks.Standing]string {
	return map[webhooks.Standing]string{webhooks.Working: "hooks.is_working", webhooks.Failing: "hooks.is_failing", webhooks.Resting: "hooks.is_resting", webhooks.Off: "hooks.is_off"}
}

func hookDos(h webhooks.Hook) []hookDo {
	turn := hookDo{"off", "hooks.do_off"}
	if h.Standing == webhooks.Off {
		turn = hookDo{"on", "hooks.do_on"}
	}
	return []hookDo{{"ping", "hooks.do_ping"}, turn, {"secret", "hooks.do_secret"}, {"rotate", "hooks.do_rotate"}, {"delete", "hooks.do_delete"}}
}

type shownHook struct{ Name, Secret string }

// hooks is /-/webhooks: the list, and the forms of it. A POST has do=create (url,
// name, prefix), or with an id do=ping, on, off, secret, rotate or delete.
func (q *request) hooks() error {
	if q.Webhooks == nil {
		return wiki.NotFound("%s", q.texts.get("error.no_view", "webhooks"))
	}
	if err := q.mayManage(); err != nil {
		return err
	}
	d := &hooksView{frame: q.frame("webhooks", q.texts.get("hooks.title"), ""), Action: q.links().To("webhooks")}
	if q.isPost() {
		if err := q.readForm(formSlack); err != nil {
			return err
		}
		what, err := q.changeHooks(d, q.r.PostForm)
		if err == nil && what != "" {
			return q.redirect(done(d.Action, what))
		}
		if listed := q.listHooks(d); listed != nil {
			return listed
		}
		if err != nil {
			return q.again(err, "webhooks", d, &d.Error)
		}
		return q.show(http.StatusOK, "webhooks", d) // with a secret: a redirect would have to keep it somewhere
	}
	if err := q.listHooks(d); err != nil {
		return err
	}
	return q.show(http.StatusOK, "webhooks", d)
}

func (q *request) listHooks(d *hooksView) error {
	ctx := q.r.Context()
	list, err := q.Webhooks.List(ctx, q.caller, q.slug)
	if err != nil {
		return err
	}
	d.List = nil
	for _, h := range list {
		row := hookRow{Hook: h, Shows: hookName(h), Is: standings()[h.Standing], Dos: hookDos(h)}
		if row.Tries, err = q.Webhooks.Deliveries(ctx, q.caller, q.slug, h.ID); err != nil {
			return err
		}
		d.List = append(d.List, row)
	}
	return nil
}

func hookName(h webhooks.Hook) string {
	if h.Name != "" {
		return h.Name
	}
	return h.URL
}

// changeHooks does what a form asks for. what is the word for it, as a redirect
// takes it along; empty where the answer shows a secret.
func (q *request) changeHooks(d *hooksView, f url.Values) (what string, err error) {
	ctx, e, id, yes, no := q.r.Context(), q.Webhooks, f.Get("id"), true, false
	show := func(secret string, err error) (string, error) {
		if err != nil {
			return "", err
		}
		h, err := e.Get(ctx, q.caller, q.slug, id)
		d.Shown = &shownHook{hookName(h), secret}
		return "", err
	}
	switch f.Get("do") {
	case "create":
		d.New = webhooks.New{URL: strings.TrimSpace(f.Get("url")), Name: strings.TrimSpace(f.Get("name")), Prefix: strings.TrimSpace(f.Get("prefix"))}
		h, secret, err := e.Create(ctx, q.caller, q.slug, d.New)
		if err != nil {
			return "", err
		}
		id, d.New = h.ID, webhooks.New{}
		return show(secret, nil)
	case "secret":
		return show(e.Secret(ctx, q.caller, q.slug, id))
	case "rotate":
		return show(e.Rotate(ctx, q.caller, q.slug, id))
	case "ping":
		a, err := e.Ping(ctx, q.caller, q.slug, id)
		if err == nil && !a.OK() {
			return "hook_failed", nil
		}
		return "hook_pinged", err
	case "on":
		_, err = e.Update(ctx, q.caller, q.slug, id, webhooks.Change{Active: &yes})
		return "hook_on", err
	case "off":
		_, err = e.Update(ctx, q.caller, q.slug, id, webhooks.Change{Active: &no})
		return "hook_off", err
	case "delete":
		return "hook_gone", e.Delete(ctx, q.caller, q.slug, id)
	}
	return "", wiki.Invalid("do", "%s", q.texts.get("error.invalid_text"))
}
