package manage

import (
	"cmp"
	"net/http"
	"strings"

	"wikibot/acl"
	"wikibot/api/rest"
	"wikibot/gitstore"
	"wikibot/markdown"
	"wikibot/wiki"
)

func (q *call) me() (int, any, error) {
	if err := q.person(); err != nil {
		return 0, nil, err
	}
	u, err := q.Store.User(q.ctx, q.caller.User)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, Me{DID: orNull(string(u.DID)), DisplayName: string(u.Name), Username: string(u.Name), Admin: u.Admin && q.caller.Narrowed == wiki.NoRole}, nil
}

// username answers people who have a name already, which is everybody who can call:
// an account is made with its name.
func (q *call) username() (int, any, error) {
	if err := q.person(); err != nil {
		return 0, nil, err
	}
	var b newName
	if err := q.read(&b); err != nil {
		return 0, nil, err
	}
	if _, err := wiki.ParseUsername(b.Username); err != nil {
		return 0, nil, err
	}
	return 0, nil, &wiki.Error{Kind: wiki.ErrExists, Field: "username", Text: "this account is called " + string(q.caller.User) + " already, and a name is chosen once"}
}

func (q *call) list() (int, any, error) {
	all, err := q.Store.Wikis(q.ctx, q.caller)
	if err != nil {
		return 0, nil, err
	}
	out := make([]Wiki, len(all))
	for i, w := range all {
		out[i] = q.wikiOf(w.Slug, w.Name, w.Purpose, w.Standing)
		out[i].CreatedAt = &w.Created
	}
	return http.StatusOK, wikiList{out, len(out)}, nil
}

func (h *Handler) wikiOf(slug wiki.Slug, name, purpose string, can wiki.Standing) Wiki {
	w := Wiki{
		Slug: string(slug), DisplayName: cmp.Or(name, string(slug)), Purpose: purpose, MayWrite: can.Write, ReadOnly: can.Frozen,
		URL: h.Addresses.Absolute(slug) + "/", GitURL: h.Addresses.Git(slug), APIURL: h.Addresses.API(slug), MCPEndpoint: h.Addresses.MCP(slug),
	}
	if can.Role != wiki.NoRole {
		w.Role = orNull(can.Role.String())
	}
	return w
}

// show is one wiki. Its answer names the endpoint beside the wiki as well, where
// clients of the former interface look for it.
func (q *call) show() (int, any, error) {
	w, err := q.wiki()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, oneWiki{w, w.MCPEndpoint}, nil
}

func (q *call) wiki() (Wiki, error) {
	v, err := q.Store.View(q.ctx, q.caller, q.slug)
	if err != nil {
		return Wiki{}, err
	}
	set, can := v.Settings(), v.Standing()
	w := q.wikiOf(q.slug, set.Name, set.Purpose, can)
	if at := v.Created(); !at.IsZero() {
		w.CreatedAt = &at
	}
	if can.Inspect {
		p := v.Policy()
		w.Settings, w.Access = settingsOf(set), &Access{p.Read.String(), p.Write.String(), p.Propose.String()}
	}
	return w, nil
}

// create makes a wiki that belongs to the caller, and a token for their agents,
// which is shown this once.
func (q *call) create() (int, any, error) {
	if err := q.person(); err != nil {
		return 0, nil, err
	}
	var b newWiki
	if err := q.read(&b); err != nil {
		return 0, nil, err
	}
	slug, err := wiki.ParseSlug(b.Slug)
	if err != nil {
		return 0, nil, err
	}
	fresh, err := q.Begin(slug, strings.TrimSpace(b.DisplayName), strings.TrimSpace(b.Purpose), q.caller.User)
	if err != nil {
		return 0, nil, err
	}
	if err := q.Store.CreateWiki(q.ctx, q.caller, fresh); err != nil {
		return 0, nil, err
	}
	q.slug = slug
	w, err := q.wiki()
	if err != nil {
		return 0, nil, err
	}
	answer := madeWiki{Wiki: w, MCPEndpoint: w.MCPEndpoint}
	secret, t, err := q.Store.CreateToken(q.ctx, q.caller, gitstore.NewToken{Wiki: slug, Role: wiki.Editor, Name: "mcp"})
	if err != nil {
		// The wiki is there all the same, so the call has not failed.
		_, p := rest.ProblemOf(err)
		answer.Note = "the wiki was made and its token was not: " + p.Error + "; make one with POST /api/wikis/" + string(slug) + "/tokens"
		return http.StatusCreated, answer, nil
	}
	made := tokenOf(t, "")
	answer.MCPToken, answer.Token = &secret, &made
	return http.StatusCreated, answer, nil
}

// change changes the settings that are sent and leaves the others.
func (q *call) change() (int, any, error) {
	v, err := q.Store.View(q.ctx, q.caller, q.slug)
	if err != nil {
		return 0, nil, err
	}
	var b wikiChange
	if err := q.read(&b); err != nil {
		return 0, nil, err
	}
	set := v.Settings()
	if b.DisplayName != nil {
		set.Name = strings.TrimSpace(*b.DisplayName)
	}
	if b.Purpose != nil {
		set.Purpose = strings.TrimSpace(*b.Purpose)
	}
	if b.Home != nil {
		if set.Home, err = wiki.ParsePagePath(*b.Home); err != nil {
			return 0, nil, err
		}
	}
	if b.LinkStyle != nil {
		set.LinkStyle = markdown.Style(*b.LinkStyle)
	}
	for _, one := range []struct {
		to   *bool
		from *bool
	}{{&set.Redirects, b.Redirects}, {&set.RemoteImages, b.RemoteImages}, {&set.ForcePush, b.ForcePush}} {
		if one.from != nil {
			*one.to = *one.from
		}
	}
	if err := q.Store.SetSettings(q.ctx, q.caller, q.slug, set); err != nil {
		return 0, nil, err
	}
	return q.show()
}

// remove deletes a wiki. The slug stands in the path; that is the confirmation that
// programs give. A field confirm, where it is sent, must agree.
func (q *call) remove() (int, any, error) {
	var b wikiDeletion
	if err := q.read(&b); err != nil {
		return 0, nil, err
	}
	if b.Confirm != "" && b.Confirm != string(q.slug) {
		return 0, nil, wiki.Invalid("confirm", "confirm is %q and the wiki is %q; nothing was deleted", b.Confirm, q.slug)
	}
	if _, err := q.Store.DeleteWiki(q.ctx, q.caller, q.slug, q.slug); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, deletedWiki{true, string(q.slug)}, nil
}

// access sets the levels that are sent and leaves the others.
func (q *call) access() (int, any, error) {
	v, err := q.Store.View(q.ctx, q.caller, q.slug)
	if err != nil {
		return 0, nil, err
	}
	var b accessChange
	if err := q.read(&b); err != nil {
		return 0, nil, err
	}
	p := v.Policy()
	levels := [3]acl.Level{p.Read, p.Write, p.Propose}
	for i, text := range []*string{b.Read, b.Write, b.Propose} {
		if text == nil {
			continue
		}
		if levels[i], err = acl.ParseLevel(*text); err != nil {
			return 0, nil, err
		}
	}
	if err := q.Store.SetAccess(q.ctx, q.caller, q.slug, levels[0], levels[1], levels[2]); err != nil {
		return 0, nil, err
	}
	return q.show()
}
