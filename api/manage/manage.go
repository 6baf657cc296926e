// Package manage is the management interface: the wikis of a site, their grants,
// settings and tokens, at the apex below /api. It takes a person's token, or the
// session of a browser, and leaves every decision to the Store.
//
//	GET    /me                                who is calling
//	POST   /username                          a name is chosen once
//	GET    /wikis                             the wikis that the caller may read
//	POST   /wikis                             another one, with a token for agents
//	GET PATCH DELETE  /wikis/SLUG
//	GET POST          /wikis/SLUG/tokens      DELETE /wikis/SLUG/tokens/ID
//	GET POST          /wikis/SLUG/acl         DELETE /wikis/SLUG/acl/GRANTEE
//	PUT               /wikis/SLUG/access      the levels of who else may read and write
//	GET POST          /wikis/SLUG/webhooks    GET PATCH DELETE /wikis/SLUG/webhooks/ID, and its secret,
//	                                          rotate, ping, deliveries
//	GET               /internal/check-slug    for a proxy's on-demand certificates
package manage

import (
	"context"
	"log/slog"
	"net/http"

	"wikibot/api/rest"
	"wikibot/gitstore"
	"wikibot/limit"
	"wikibot/webhooks"
	"wikibot/wiki"
)

// Config says what the interface works with.
type Config struct {
	Store     *gitstore.Store
	Addresses wiki.Addresses
	Webhooks  *webhooks.Engine

	// Begin is what a new wiki begins with: its first pages.
	Begin func(slug wiki.Slug, name, purpose string, owner wiki.Username) (gitstore.NewWiki, error)

	// Admit counts what a caller does; its error is *limit.Exceeded where it is too
	// much. nil: there is no limit.
	Admit func(r *http.Request, c wiki.Caller, a limit.Action, cost int) (limit.State, error)

	Log *slog.Logger // nil: slog.Default()
}

// Handler answers the interface. It is safe for concurrent use.
type Handler struct {
	Config
	codec  *rest.Codec
	cross  *http.CrossOriginProtection
	routes []route
}

// New is a Handler.
func New(c Config) *Handler {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	return &Handler{Config: c, codec: rest.NewCodec(rest.Options{MaxBody: maxBody, Log: c.Log}), cross: http.NewCrossOriginProtection(), routes: routes()}
}

// maxBody is more than any request of this interface needs.
const maxBody = 64 << 10

// call is one request: who asks and what the path names.
type call struct {
	*Handler
	ctx    context.Context
	w      http.ResponseWriter
	r      *http.Request
	caller wiki.Caller
	slug   wiki.Slug // of the paths below /wikis/SLUG
	last   string    // what a path ends with: a token's id, a grantee
}

// read reads the request's body.
func (q *call) read(into any) error { return q.codec.Read(q.w, q.r, into) }

// person refuses everybody who is not signed in as themselves: a token of one wiki
// manages nothing else.
func (q *call) person() error {
	switch c := q.caller; {
	case c.User == "" && c.DID == "":
		if c.Site {
			return wiki.Forbidden("a token that the operator made for one wiki cannot be used here; use a person's token, which is made on the page of your account")
		}
		return &wiki.Error{Kind: wiki.ErrUnauthenticated, Text: "this needs a person's token as \"Authorization: Bearer …\"; make one on the page of your account, " + q.Addresses.Site("/-/account")}
	case c.Only != "" && q.slug != c.Only:
		return wiki.Forbidden("this token is for the wiki %q alone; use a person's token, which is made on the page of your account", c.Only)
	}
	return nil
}
