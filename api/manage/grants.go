package manage

import (
	"net/http"
	"slices"
	"strings"

	"wikibot/gitstore"
	"wikibot/wiki"
)

func (q *call) tokens() (int, any, error) {
	list, err := q.Store.Tokens(q.ctx, q.caller, q.slug)
	if err != nil {
		return 0, nil, err
	}
	out := make([]Token, len(list))
	for i, t := range list {
		out[i] = tokenOf(t, "")
	}
	return http.StatusOK, tokenList{out, len(out)}, nil
}

func (q *call) makeToken() (int, any, error) {
	var b newToken
	if err := q.read(&b); err != nil {
		return 0, nil, err
	}
	role, err := wiki.ParseRole(b.Role)
	if err != nil {
		return 0, nil, err
	}
	ask := gitstore.NewToken{Wiki: q.slug, Role: role, Name: strings.TrimSpace(b.Name)}
	if ask.Name == "" {
		return 0, nil, wiki.Invalid("name", "a token needs a name, such as the program that will use it")
	}
	if b.ExpiresAt != nil {
		ask.Expires = *b.ExpiresAt
	}
	secret, t, err := q.Store.CreateToken(q.ctx, q.caller, ask)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, madeToken{tokenOf(t, secret), q.Addresses.MCP(q.slug)}, nil
}

// endToken ends a token of this wiki; one of another is not there.
func (q *call) endToken() (int, any, error) {
	if slug, ok := gitstore.ParseTokenID(q.last); !ok || slug != q.slug {
		if _, err := q.Store.Standing(q.ctx, q.caller, q.slug); err != nil {
			return 0, nil, err
		}
		return 0, nil, wiki.NotFound("the wiki %q has no token %q", q.slug, q.last)
	}
	if err := q.Store.RevokeToken(q.ctx, q.caller, q.last); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, revoked{Revoked: true, ID: q.last}, nil
}

// grants are for those who manage the wiki.
func (q *call) grants() (int, any, error) {
	v, err := q.Store.View(q.ctx, q.caller, q.slug)
	if err != nil {
		return 0, nil, err
	}
	if !v.Standing().Inspect {
		return 0, nil, wiki.Forbidden("only owners of the wiki see who has which role")
	}
	out := []Grant{}
	for who, role := range v.Policy().Grants {
		out = append(out, Grant{who, role.String()})
	}
	slices.SortFunc(out, func(a, b Grant) int { return strings.Compare(a.Grantee, b.Grantee) })
	return http.StatusOK, grantList{out, len(out)}, nil
}

func (q *call) grant() (int, any, error) {
	var b Grant
	if err := q.read(&b); err != nil {
		return 0, nil, err
	}
	role, err := wiki.ParseRole(b.Role)
	if err != nil {
		return 0, nil, err
	}
	who := strings.TrimSpace(b.Grantee)
	if who == "" {
		return 0, nil, wiki.Invalid("grantee", "grantee is missing: a user name, or a DID of somebody who has not signed up yet")
	}
	if err := q.Store.SetGrant(q.ctx, q.caller, q.slug, who, role); err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, madeGrant{Grant{who, role.String()}}, nil
}

func (q *call) revoke() (int, any, error) {
	if err := q.Store.SetGrant(q.ctx, q.caller, q.slug, q.last, wiki.NoRole); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, revoked{Revoked: true, Grantee: q.last}, nil
}

// CheckSlug tells a proxy, by 200 or 404, whether it may fetch a certificate for
// the host that the query names as domain: the site's own, or that of a wiki where
// wikis have hosts. Whoever gets an answer learns which wikis exist, so it is served
// to nobody but the machine itself and its proxies.
func (h *Handler) CheckSlug(w http.ResponseWriter, r *http.Request) {
	host := strings.ToLower(strings.TrimSuffix(r.URL.Query().Get("domain"), "."))
	slug, _, _ := h.Addresses.Locate(host, "/")
	ours := host == h.Addresses.Domain() || h.Addresses.Layout == wiki.LayoutSubdomain && slug != "" && h.Store.Exists(slug)
	if !ours {
		h.codec.Fail(w, r, wiki.NotFound("%q is no host of this site", host))
		return
	}
	h.codec.Answer(w, r, http.StatusOK, map[string]string{"domain": host})
}
