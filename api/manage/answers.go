package manage

import (
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// The answers, as they stand in JSON.

// Me is who is calling.
type Me struct {
	DID         *string `json:"did"`    // null where none is linked
	Handle      *string `json:"handle"` // null where none is known
	DisplayName string  `json:"display_name"`
	Username    string  `json:"username"`
	Admin       bool    `json:"admin"`
}

// Wiki is one wiki as its readers see it; those who manage it see its settings and
// access levels as well.
type Wiki struct {
	Slug        string    `json:"slug"`
	DisplayName string    `json:"display_name"`
	Purpose     string    `json:"purpose"`
	Role        *string   `json:"role"` // the caller's by grant; null: none
	MayWrite    bool      `json:"may_write"`
	CreatedAt   time.Time `json:"created_at"`
	URL         string    `json:"url"`
	GitURL      string    `json:"git_url"`
	APIURL      string    `json:"api_url"`
	MCPEndpoint string    `json:"mcp_endpoint"`
	ReadOnly    string    `json:"read_only,omitempty"` // why nothing can be changed

	Settings *Settings `json:"settings,omitempty"`
	Access   *Access   `json:"access,omitempty"`
}

// Settings are a wiki's own.
type Settings struct {
	Home         string `json:"home"`
	LinkStyle    string `json:"link_style"`
	Redirects    bool   `json:"redirects"`
	RemoteImages bool   `json:"remote_images"`
	ForcePush    bool   `json:"force_push"`
}

// Access are the levels: who may, beside those who were granted a role.
type Access struct {
	Read    string `json:"read"`
	Write   string `json:"write"`
	Propose string `json:"propose"`
}

// Token is a token without its secret; Secret is set once, in the answer to the
// request that made it.
type Token struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Role      *string    `json:"role"`
	Maker     *string    `json:"maker"` // null: the operator on the machine
	CreatedAt time.Time  `json:"created_at"`
	ExpiresAt *time.Time `json:"expires_at"`
	LastFour  string     `json:"last_four"`
	Parent    *string    `json:"parent,omitempty"` // the token without which this one is none
	Secret    string     `json:"token,omitempty"`
}

// Grant is one person's role.
type Grant struct {
	Grantee string `json:"grantee"`
	Role    string `json:"role"`
}

func settingsOf(s gitstore.Settings) *Settings {
	return &Settings{Home: string(s.Home), LinkStyle: string(s.LinkStyle), Redirects: s.Redirects, RemoteImages: s.RemoteImages, ForcePush: s.ForcePush}
}

func (h *Handler) tokenOf(t gitstore.Token, secret string) Token {
	out := Token{ID: t.ID, Name: t.Name, Maker: orNull(string(t.User)), CreatedAt: t.Created, LastFour: t.Last4, Parent: orNull(t.Parent), Secret: secret}
	if t.Role != wiki.NoRole {
		out.Role = orNull(t.Role.String())
	}
	if !t.Expires.IsZero() {
		out.ExpiresAt = &t.Expires
	}
	return out
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
