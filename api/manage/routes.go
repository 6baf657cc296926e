package manage

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"wikibot/wiki"
)

// route is one call of the interface. In a pattern SLUG and LAST stand for one
// segment each.
type route struct {
	method  string
	pattern string
	run     func(*call) (status int, answer any, err error)
	status  int    // of its success
	about   string // one line, for the description of the interface
	takes   any    // the type of the body; nil: none
	gives   any    // the type of the answer
}

// routes are all calls, in the order of the description.
func routes() []route {
	return append([]route{
		{"GET", "me", (*call).me, 200, "Who is calling.", nil, Me{}},
		{"POST", "username", (*call).username, 409, "Choose the account's name, once. Accounts have one from the start, so the answer is 409 and names it.", newName{}, nil},
		{"GET", "wikis", (*call).list, 200, "The wikis that the caller may read.", nil, wikiList{}},
		{"POST", "wikis", (*call).create, 201, "Make a wiki that belongs to the caller, with a token for agents that is shown this once.", newWiki{}, madeWiki{}},
		{"GET", "wikis/SLUG", (*call).show, 200, "One wiki; those who manage it see its settings and access levels.", nil, oneWiki{}},
		{"PATCH", "wikis/SLUG", (*call).change, 200, "Change the settings that are sent.", wikiChange{}, oneWiki{}},
		{"DELETE", "wikis/SLUG", (*call).remove, 200, "Delete a wiki. A bundle of its history stays on the server's disk; its name is never given out again.", wikiDeletion{}, deletedWiki{}},
		{"PUT", "wikis/SLUG/access", (*call).access, 200, "Set who may read, write and propose beside those who were granted a role.", accessChange{}, oneWiki{}},
		{"GET", "wikis/SLUG/tokens", (*call).tokens, 200, "The wiki's tokens, without their secrets.", nil, tokenList{}},
		{"POST", "wikis/SLUG/tokens", (*call).makeToken, 201, "Make a token; its secret is shown this once. One that was made with a token as the credential ends with that.", newToken{}, madeToken{}},
		{"DELETE", "wikis/SLUG/tokens/LAST", (*call).endToken, 200, "Revoke a token; it is refused from the next request on.", nil, revoked{}},
		{"GET", "wikis/SLUG/acl", (*call).grants, 200, "Who has which role.", nil, grantList{}},
		{"POST", "wikis/SLUG/acl", (*call).grant, 201, "Give a person a role.", Grant{}, madeGrant{}},
		{"DELETE", "wikis/SLUG/acl/LAST", (*call).revoke, 200, "Take a person's role away. The last owner stays.", nil, revoked{}},
	}, webhookRoutes()...)
}

// match is the call that a method and a path name; allowed has the methods of the
// path where the method is none of them.
func match(all []route, method, path string) (found *route, slug, last string, allowed []string) {
	have := strings.Split(strings.Trim(path, "/"), "/")
	for i := range all {
		want := strings.Split(all[i].pattern, "/")
		s, l, ok := fits(want, have)
		if !ok {
			continue
		}
		if all[i].method == method || method == http.MethodHead && all[i].method == http.MethodGet {
			return &all[i], s, l, nil
		}
		if allowed = append(allowed, all[i].method); all[i].method == http.MethodGet {
			allowed = append(allowed, http.MethodHead)
		}
	}
	slices.Sort(allowed)
	return nil, "", "", slices.Compact(allowed)
}

func fits(want, have []string) (slug, last string, ok bool) {
	if len(want) != len(have) {
		return "", "", false
	}
	for i, w := range want {
		segment, err := url.PathUnescape(have[i])
		switch {
		case err != nil || segment == "":
			return "", "", false
		case w == "SLUG":
			slug = segment
		case w == "LAST":
			last = segment
		case w != segment:
			return "", "", false
		}
	}
	return slug, last, true
}

// parseSlug is the slug of a path. One that cannot be is one that does not exist.
func parseSlug(s string) (wiki.Slug, error) {
	slug, err := wiki.ParseSlug(s)
	if err != nil {
		return "", wiki.NotFound("there is no wiki %q, or you may not see it: check the address, or sign in", s)
	}
	return slug, nil
}
