package api

import (
	"wikibot/acl"
	"wikibot/notes"
	"wikibot/wiki"
)

type countsAnswer struct {
	Total  int         `json:"total"`
	Cursor string      `json:"cursor,omitempty"`
	Tags   []countItem `json:"tags,omitzero" doc:"Of /tags: the most used first."`
	Cats   []countItem `json:"categories,omitzero" doc:"Of /categories, likewise."`
}

type countItem struct {
	Name  string `json:"name" doc:"As the first page by name spells it."`
	Pages int    `json:"pages"`
}

func (k *call) tags() (reply, error) {
	list, err := k.Notes.Tags(k.ctx, k.view)
	if err != nil {
		return reply{}, err
	}
	var a countsAnswer
	a.Tags, a.Total, a.Cursor, err = k.counts(list)
	return reply{body: a}, err
}

func (k *call) categories() (reply, error) {
	list, err := k.Notes.Categories(k.ctx, k.view)
	if err != nil {
		return reply{}, err
	}
	var a countsAnswer
	a.Cats, a.Total, a.Cursor, err = k.counts(list)
	return reply{body: a}, err
}

func (k *call) counts(list []notes.Count) (part []countItem, total int, cursor string, err error) {
	total = len(list)
	skip, limit, err := k.part(0, 100_000)
	if err != nil {
		return nil, 0, "", err
	}
	list = list[min(skip, total):]
	if limit > 0 {
		list = list[:min(limit, len(list))]
	}
	part = make([]countItem, len(list))
	for i, c := range list {
		part[i] = countItem{Name: c.Name, Pages: c.Pages}
	}
	return part, total, next(skip, len(part), total), nil
}

type meAnswer struct {
	Name     string   `json:"name" doc:"As it appears in history."`
	Username *string  `json:"username"`
	DID      *string  `json:"did"`
	Role     *string  `json:"role" doc:"Your standing in this wiki, by grant and by what the token is narrowed to: viewer, editor, owner; null: none."`
	May      []string `json:"may" doc:"What you may do: read, propose, write, manage."`
	ReadOnly string   `json:"read_only,omitempty" doc:"Why nothing can be changed at the moment."`
	Wiki     wikiInfo `json:"wiki"`
}

type wikiInfo struct {
	Slug     string `json:"slug"`
	Name     string `json:"name"`
	Purpose  string `json:"purpose"`
	Home     string `json:"home" doc:"Path of the page to begin with."`
	Revision string `json:"revision" doc:"The newest commit."`
	URL      string `json:"url"`
	APIURL   string `json:"api_url"`
	GitURL   string `json:"git_url"`
	MCPURL   string `json:"mcp_url"`
}

func (k *call) me() (reply, error) {
	c, st, set := k.caller, k.head.Standing(), k.head.Settings()
	a := meAnswer{Name: c.Name(), Username: orNull(string(c.User)), DID: orNull(string(c.DID)), May: []string{}, ReadOnly: st.Frozen, Wiki: wikiInfo{
		Slug: string(k.slug), Name: set.Name, Purpose: set.Purpose, Home: string(set.Home), Revision: string(k.head.Head()),
		URL: k.Addresses.Absolute(k.slug), APIURL: k.Addresses.API(k.slug), GitURL: k.Addresses.Git(k.slug), MCPURL: k.Addresses.MCP(k.slug),
	}}
	if a.Wiki.Name == "" {
		a.Wiki.Name = string(k.slug)
	}
	if st.Role != wiki.NoRole {
		a.Role = orNull(st.Role.String())
	}
	for _, may := range []struct {
		name string
		ok   bool
	}{{"read", st.Read}, {"propose", st.Propose}, {"write", k.head.May(acl.Write) == nil}, {"manage", st.Manage}} {
		if may.ok {
			a.May = append(a.May, may.name)
		}
	}
	k.w.Header().Set("Cache-Control", "no-store")
	return reply{body: a}, nil
}
