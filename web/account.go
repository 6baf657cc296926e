package web

import (
	"net/http"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// accountView is a person's own page: their tokens and SSH keys.
type accountView struct {
	frame
	Tokens   *tokenBox
	Keys     []gitstore.SSHKey
	Key      string // as it was entered, after an error
	KeyError string
}

// accountPath is where the page of one's account is, at the apex.
const accountPath = "/-/account"

func (q *request) account() error {
	if q.caller.User == "" {
		return &wiki.Error{Kind: wiki.ErrUnauthenticated, Text: q.texts.get("account.sign_in")}
	}
	d := &accountView{frame: q.frame("account", q.texts.get("account.title"), "")}
	d.Notice = q.notice()
	var err error
	if d.Tokens, err = q.ownTokens(); err != nil {
		return err
	}
	if d.Keys, err = q.Store.Keys(q.r.Context(), q.caller, q.caller.User); err != nil {
		return err
	}
	if !q.isPost() {
		return q.show(http.StatusOK, "account", d)
	}
	if err := q.readForm(formSlack); err != nil {
		return err
	}
	return q.changeAccount(d)
}

func (q *request) ownTokens() (*tokenBox, error) {
	list, err := q.Store.TokensOf(q.r.Context(), q.caller, q.caller.User)
	if err != nil {
		return nil, err
	}
	b := newTokenBox("person", accountPath, list, q.Now())
	b.Make, b.Revoke = true, true
	return b, nil
}

func (q *request) changeAccount(d *accountView) error {
	f, ctx := q.r.PostForm, q.r.Context()
	what, fault := "", &d.Tokens.Error
	var err error
	switch f.Get("do") {
	case "create":
		if err = q.makeToken(d.Tokens, f, gitstore.NewToken{User: q.caller.User}); err == nil {
			return q.madeToken("account", d, &d.Tokens, q.ownTokens)
		}
	case "revoke":
		what, err = "token_revoked", q.Store.RevokeToken(ctx, q.caller, f.Get("id"))
	case "key-add":
		what, fault, d.Key = "key_added", &d.KeyError, f.Get("key")
		err = q.Store.AddKey(ctx, q.caller, q.caller.User, d.Key)
	case "key-remove":
		what, fault = "key_removed", &d.KeyError
		err = q.Store.RemoveKey(ctx, q.caller, q.caller.User, f.Get("key"))
	default:
		err = wiki.Invalid("do", "%s", q.texts.get("error.invalid_text"))
	}
	if err != nil {
		return q.again(err, "account", d, fault)
	}
	return q.redirect(done(accountPath, what))
}
