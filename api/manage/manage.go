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
//	GET               /internal/check-slug    for a proxy's on-demand certificates
package manage

import (
	"context"
	"net/http"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// Config says what the interface works with.
type Config struct {
	Store     *gitstore.Store
	Addresses wiki.Addresses

	// Begin is what a new wiki begins with: its first pages.
	Begin func(slug wiki.Slug, name, purpose string, owner wiki.Username) (gitstore.NewWiki, error)

	Now func() time.Time // nil: time.Now
}

// Handler answers the interface. It is safe for concurrent use.
type Handler struct{ Config }

// New is a Handler.
func New(c Config) *Handler {
	if c.Now == nil {
		c.Now = time.Now
	}
	return &Handler{c}
}

// call is one request: who asks, what the path names, and the fields of the body.
type call struct {
	*Handler
	ctx    context.Context
	r      *http.Request
	caller wiki.Caller
	slug   wiki.Slug // of the paths below /wikis/SLUG
	last   string    // what a path ends with: a token's id, a grantee
	body   body
}

// body are the fields that the interface takes; which of them count depends on the
// call. A field that is not sent is nil.
type body struct {
	Slug        string     `json:"slug"`
	DisplayName *string    `json:"display_name"`
	Purpose     *string    `json:"purpose"`
	Home        *string    `json:"home"`
	LinkStyle   *string    `json:"link_style"`
	Redirects   *bool      `json:"redirects"`
	Images      *bool      `json:"remote_images"`
	ForcePush   *bool      `json:"force_push"`
	Username    string     `json:"username"`
	Name        string     `json:"name"`
	Role        string     `json:"role"`
	ExpiresAt   *time.Time `json:"expires_at"`
	Grantee     string     `json:"grantee"`
	Read        *string    `json:"read"`
	Write       *string    `json:"write"`
	Propose     *string    `json:"propose"`
	Confirm     string     `json:"confirm"`
}

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
