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
		out[i] = q.tokenOf(t, "")
	}
	return http.StatusOK, map[string]any{"tokens": out, "total": len(out)}, nil
}

func (q *call) makeToken() (int, any, error) {
	role, err := wiki.ParseRole(q.body.Role)
	if err != nil {
		return 0, nil, err
	}
	ask := gitstore.NewToken{Wiki: q.slug, Role: role, Name: strings.TrimSpace(q.body.Name)}
	if ask.Name == "" {
		return 0, nil, wiki.Invalid("name", "a token needs a name, such as the program that will use it")
	}
	if q.body.ExpiresAt != nil {
		ask.Expires = *q.body.ExpiresAt
	}
	secret, t, err := q.Store.CreateToken(q.ctx, q.caller, ask)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, map[string]any{"token": q.tokenOf(t, secret), "mcp_endpoint": q.Addresses.MCP(q.slug)}, nil
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
	return http.StatusOK, map[string]any{"revoked": true, "id": q.last}, nil
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
	return http.StatusOK, map[string]any{"acls": out, "total": len(out)}, nil
}

func (q *call) grant() (int, any, error) {
	role, err := wiki.ParseRole(q.body.Role)
	if err != nil {
		return 0, nil, err
	}
	who := strings.TrimSpace(q.body.Grantee)
	if who == "" {
		return 0, nil, wiki.Invalid("grantee", "grantee is missing: a user name, or a DID of somebody who has not signed up yet")
	}
	if err := q.Store.SetGrant(q.ctx, q.caller, q.slug, who, role); err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, map[string]any{"acl": Grant{who, role.String()}}, nil
}

func (q *call) revoke() (int, any, error) {
	if err := q.Store.SetGrant(q.ctx, q.caller, q.slug, q.last, wiki.NoRole); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]any{"revoked": true, "grantee": q.last}, nil
}

// checkSlug tells a proxy whether it may fetch a certificate for a host: 200 for
// the site's own host and for a wiki's, else 404. Whoever asks learns which slugs
// there are, as whoever opens the host over TLS does anyway: a certificate is there
// or is not. Nothing else of the wiki is told, and it is counted as an anonymous
// request like any other.
func (q *call) checkSlug() (int, any, error) {
	host := strings.ToLower(strings.TrimSuffix(q.r.URL.Query().Get("domain"), "."))
	if host == "" {
		return 0, nil, wiki.Invalid("domain", "the query needs domain, the host that a certificate is wanted for")
	}
	if host == q.Addresses.Domain() {
		return http.StatusOK, map[string]any{"domain": host}, nil
	}
	if q.Addresses.Layout == wiki.LayoutSubdomain {
		slug, _, _ := q.Addresses.Locate(host, "/")
		if slug != "" && q.Store.Exists(slug) {
			return http.StatusOK, map[string]any{"domain": host, "slug": string(slug)}, nil
		}
	}
	return 0, nil, wiki.NotFound("%q is no host of this site", host)
}
