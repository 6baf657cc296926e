package web

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// tokenBox is the list of tokens with the form for another one: a person's on
// the page of their account, a wiki's for its owners.
type tokenBox struct {
	Action string // where the forms are sent
	Of     string // "person" or "wiki": which words are used
	List   []tokenRow
	More   int // tokens that are not shown
	Roles  []tokenChoice
	Days   []tokenChoice

	Make, Revoke bool // what the caller may do
	Name         string
	Made         *madeToken // just now: shown this once
	Error        string
}

type tokenRow struct {
	gitstore.Token
	Rights string // key of the catalogue
	Over   bool   // expired
}

// tokenChoice is one choice of a form: what is sent, a key of the catalogue, and
// whether it is chosen.
type tokenChoice struct {
	Value, Label string
	Chosen       bool
}

// madeToken is what is shown of a new token.
type madeToken struct {
	Name, Secret string
	Clone        string // address for git with a user name in it, so that git asks for the password alone
}

// mostTokens is how many tokens a page shows.
const mostTokens = 200

// defaultDays is the life of a token that nobody thought about.
const defaultDays = "90"

func newTokenBox(of, action string, list []gitstore.Token, now time.Time) *tokenBox {
	b := &tokenBox{Action: action, Of: of}
	if len(list) > mostTokens {
		b.More, list = len(list)-mostTokens, list[:mostTokens]
	}
	for _, t := range list {
		rights := "tokens.role_all"
		if t.Role != wiki.NoRole {
			rights = "tokens.role_" + t.Role.String()
		}
		b.List = append(b.List, tokenRow{Token: t, Rights: rights, Over: !t.Expires.IsZero() && !now.Before(t.Expires)})
	}
	b.choose("", "")
	return b
}

// choose fills the form's choices.
func (b *tokenBox) choose(role, days string) {
	roles := []string{"all", "editor", "viewer"}
	if b.Of == "wiki" {
		roles = []string{"editor", "viewer", "owner"}
	}
	b.offer(roles, role, days)
}

// offer lets the form choose among roles.
func (b *tokenBox) offer(roles []string, role, days string) {
	if role == "" {
		role = roles[0]
	}
	if days == "" {
		days = defaultDays
	}
	b.Roles, b.Days = nil, nil
	for _, r := range roles {
		b.Roles = append(b.Roles, tokenChoice{r, "tokens.role_" + r, r == role})
	}
	for _, d := range []string{"7", "30", defaultDays, "365", "0"} {
		b.Days = append(b.Days, tokenChoice{d, "tokens.days_" + d, d == days})
	}
}

// makeToken makes the token that a form asks for. ask has whose it is.
func (q *request) makeToken(b *tokenBox, f url.Values, ask gitstore.NewToken) error {
	b.Name = strings.TrimSpace(f.Get("name"))
	b.choose(f.Get("role"), f.Get("days"))
	if ask.Name = b.Name; ask.Name == "" {
		return wiki.Invalid("name", "%s", q.texts.get("tokens.no_name"))
	}
	if role := f.Get("role"); role != "all" || ask.Wiki != "" {
		var err error
		if ask.Role, err = wiki.ParseRole(role); err != nil {
			return err
		}
	}
	days, err := strconv.Atoi(f.Get("days"))
	if err != nil || days < 0 || days > 3650 {
		return wiki.Invalid("days", "%s", q.texts.get("tokens.no_days"))
	}
	if days > 0 {
		ask.Expires = q.Now().AddDate(0, 0, days)
	}
	secret, _, err := q.Store.CreateToken(q.r.Context(), q.caller, ask)
	if err != nil {
		return err
	}
	b.Made = &madeToken{Name: ask.Name, Secret: secret, Clone: q.cloneAs(ask.Wiki)}
	b.Name = ""
	b.choose("", "")
	return nil
}

// cloneAs is a wiki's address for git with the caller's name in it; without a
// slug it has WIKI in the place of one.
func (q *request) cloneAs(slug wiki.Slug) string {
	if slug == "" {
		slug = "WIKI"
	}
	name := "token"
	if q.caller.User != "" {
		name = string(q.caller.User)
	}
	return strings.Replace(q.Addresses.Git(slug), "://", "://"+name+"@", 1)
}

// tokensView is the page of a wiki's tokens.
type tokensView struct {
	frame
	Tokens *tokenBox
}

// wikiTokens lists a wiki's tokens for those who may see them.
func (q *request) wikiTokens() (*tokenBox, error) {
	list, err := q.Store.Tokens(q.r.Context(), q.caller, q.slug)
	if err != nil {
		return nil, err
	}
	b := newTokenBox("wiki", q.links().To("tokens"), list, q.Now())
	b.Make, b.Revoke = q.can.Manage, q.can.Revoke
	return b, nil
}

// tokens is the page of a wiki's tokens: where the forms of the settings lead.
func (q *request) tokens() error {
	if !q.can.Inspect {
		return q.mayManage()
	}
	d := &tokensView{frame: q.frame("tokens", q.texts.get("tokens.title_wiki"), "")}
	var err error
	if d.Tokens, err = q.wikiTokens(); err != nil {
		return err
	}
	if !q.isPost() {
		return q.show(http.StatusOK, "tokens", d)
	}
	if err := q.readForm(formSlack); err != nil {
		return err
	}
	switch f := q.r.PostForm; f.Get("do") {
	case "revoke":
		err = q.Store.RevokeToken(q.r.Context(), q.caller, f.Get("id"))
	case "create":
		if err = q.makeToken(d.Tokens, f, gitstore.NewToken{Wiki: q.slug}); err == nil {
			return q.madeToken("tokens", d, &d.Tokens, q.wikiTokens)
		}
	default:
		err = wiki.Invalid("do", "%s", q.texts.get("error.invalid_text"))
	}
	if err != nil {
		return q.again(err, "tokens", d, &d.Tokens.Error)
	}
	return q.redirect(done(q.links().To("tokens"), "token_revoked"))
}

// madeToken answers with the page that shows a new token, in a list that has it.
// A redirect would have to keep the secret somewhere.
func (q *request) madeToken(view string, data any, box **tokenBox, list func() (*tokenBox, error)) error {
	made := (*box).Made
	fresh, err := list()
	if err != nil {
		return err
	}
	fresh.Made = made
	*box = fresh
	return q.show(http.StatusOK, view, data)
}
