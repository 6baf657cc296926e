package manage

import (
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// The requests and answers, as they stand in JSON. The tags are what the
// description of the interface says of them.

// Me is who is calling.
type Me struct {
	DID         *string `json:"did" doc:"The decentralized identifier that signs the person in; null where none is linked."`
	Handle      *string `json:"handle" doc:"The person's handle; null where none is known."`
	DisplayName string  `json:"display_name"`
	Username    string  `json:"username" doc:"The immutable name on this site." example:"alice"`
	Admin       bool    `json:"admin" doc:"The caller administers the site, by this credential."`
}

// Wiki is one wiki as its readers see it; those who manage it see its settings and
// access levels as well.
type Wiki struct {
	Slug        string     `json:"slug" example:"research"`
	DisplayName string     `json:"display_name" example:"Research"`
	Purpose     string     `json:"purpose" doc:"What the wiki is for, in a sentence."`
	Role        *string    `json:"role" doc:"The caller's role by grant: viewer, editor or owner; null: none."`
	MayWrite    bool       `json:"may_write" doc:"The caller may change pages."`
	CreatedAt   *time.Time `json:"created_at" format:"date-time"`
	URL         string     `json:"url"`
	GitURL      string     `json:"git_url"`
	APIURL      string     `json:"api_url"`
	MCPEndpoint string     `json:"mcp_endpoint"`
	ReadOnly    string     `json:"read_only,omitempty" doc:"Why nothing can be changed now."`

	Settings *Settings `json:"settings,omitempty" doc:"For those who manage the wiki."`
	Access   *Access   `json:"access,omitempty" doc:"For those who manage the wiki."`
}

// Settings are a wiki's own.
type Settings struct {
	Home         string `json:"home" doc:"The page at the wiki's root." example:"Home"`
	LinkStyle    string `json:"link_style" doc:"The order in [[…|…]]." enum:"target-first,text-first"`
	Redirects    bool   `json:"redirects" doc:"A rename leaves a redirect."`
	RemoteImages bool   `json:"remote_images" doc:"Pages may show images from other servers, where the site lets them."`
	ForcePush    bool   `json:"force_push" doc:"Owners may rewrite main by push."`
}

// Access are the levels: who may, beside those who were granted a role.
type Access struct {
	Read    string `json:"read" enum:"granted,registered,anonymous"`
	Write   string `json:"write" enum:"granted,registered,anonymous"`
	Propose string `json:"propose" enum:"granted,registered,anonymous"`
}

// Token is a token without its secret.
type Token struct {
	ID        string     `json:"id" example:"w-research-0a1b2c3d"`
	Name      string     `json:"name"`
	Role      *string    `json:"role" doc:"The most that it may do."`
	Maker     *string    `json:"maker" doc:"Whose present standing bounds it; null: the operator made it on the machine."`
	CreatedAt time.Time  `json:"created_at" format:"date-time"`
	ExpiresAt *time.Time `json:"expires_at" doc:"null: it does not expire." format:"date-time"`
	LastFour  string     `json:"last_four" doc:"The end of its secret."`
	Parent    *string    `json:"parent,omitempty" doc:"The token by which it was made; when that one ends, this one does."`
	Secret    string     `json:"token,omitempty" doc:"The secret, in the answer to the request that made it and never again."`
}

// Grant is one person's role.
type Grant struct {
	Grantee string `json:"grantee" doc:"A user name, or the DID of somebody who may not have signed up yet." need:"yes" example:"bob"`
	Role    string `json:"role" enum:"viewer,editor,owner" need:"yes"`
}

type (
	wikiList struct {
		Wikis []Wiki `json:"wikis"`
		Total int    `json:"total"`
	}
	oneWiki struct {
		Wiki        Wiki   `json:"wiki"`
		MCPEndpoint string `json:"mcp_endpoint"`
	}
	madeWiki struct {
		Wiki        Wiki    `json:"wiki"`
		MCPToken    *string `json:"mcp_token" doc:"A token for agents, with the role editor; shown this once. null: see note."`
		MCPEndpoint string  `json:"mcp_endpoint"`
		Token       *Token  `json:"token,omitempty" doc:"What that token is."`
		Note        string  `json:"note,omitempty" doc:"Why there is no token."`
	}
	deletedWiki struct {
		Deleted bool   `json:"deleted"`
		Slug    string `json:"slug"`
	}
	tokenList struct {
		Tokens []Token `json:"tokens"`
		Total  int     `json:"total"`
	}
	madeToken struct {
		Token       Token  `json:"token"`
		MCPEndpoint string `json:"mcp_endpoint"`
	}
	revoked struct {
		Revoked bool   `json:"revoked"`
		ID      string `json:"id,omitempty"`
		Grantee string `json:"grantee,omitempty"`
	}
	grantList struct {
		ACLs  []Grant `json:"acls"`
		Total int     `json:"total"`
	}
	madeGrant struct {
		ACL Grant `json:"acl"`
	}
)

type (
	newName struct {
		Username string `json:"username" need:"yes"`
	}
	newWiki struct {
		Slug        string `json:"slug" doc:"3 to 30 characters a-z, 0-9 and -; never given out twice." need:"yes" example:"research"`
		DisplayName string `json:"display_name" example:"Research"`
		Purpose     string `json:"purpose" doc:"What the wiki is for, in a sentence."`
	}
	wikiChange struct {
		DisplayName  *string `json:"display_name"`
		Purpose      *string `json:"purpose"`
		Home         *string `json:"home"`
		LinkStyle    *string `json:"link_style" enum:"target-first,text-first"`
		Redirects    *bool   `json:"redirects"`
		RemoteImages *bool   `json:"remote_images"`
		ForcePush    *bool   `json:"force_push"`
	}
	wikiDeletion struct {
		Confirm string `json:"confirm" doc:"The slug once more; may be left out."`
	}
	accessChange struct {
		Read    *string `json:"read" enum:"granted,registered,anonymous"`
		Write   *string `json:"write" enum:"granted,registered,anonymous"`
		Propose *string `json:"propose" enum:"granted,registered,anonymous"`
	}
	newToken struct {
		Name      string     `json:"name" doc:"What will use it." need:"yes" example:"Claude"`
		Role      string     `json:"role" enum:"viewer,editor,owner" need:"yes"`
		ExpiresAt *time.Time `json:"expires_at" doc:"RFC 3339; left out: never." format:"date-time"`
	}
)

func settingsOf(s gitstore.Settings) *Settings {
	return &Settings{Home: string(s.Home), LinkStyle: string(s.LinkStyle), Redirects: s.Redirects, RemoteImages: s.RemoteImages, ForcePush: s.ForcePush}
}

func tokenOf(t gitstore.Token, secret string) Token {
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
