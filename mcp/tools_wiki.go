package mcp

import (
	"context"
	"fmt"
	"strings"

	"wikibot/gitstore"
	"wikibot/notes"
	"wikibot/wiki"
)

func wikiTools() []*tool {
	return []*tool{
		{name: "get_wiki_info", title: "About this wiki and you", out: infoResult{},
			doc:    "Tell what this wiki is for, its home page, size, categories and commonest tags, who you are here and what you may do. Call it first in a wiki that you do not know.",
			params: []param{},
			run:    getWikiInfo},
	}
}

type infoResult struct {
	Wiki       string      `json:"wiki"`
	Name       string      `json:"name"`
	Purpose    string      `json:"purpose"`
	URL        string      `json:"url"`
	Home       string      `json:"home"`
	Guide      string      `json:"guide,omitempty" doc:"The note with this wiki's own rules for agents: read it."`
	Notes      int         `json:"notes"`
	Revision   string      `json:"revision" doc:"The wiki's newest commit."`
	Categories []countItem `json:"categories"`
	Tags       []countItem `json:"tags" doc:"The commonest."`
	You        youInfo     `json:"you"`
	LinkStyle  string      `json:"link_style"`
}

type countItem struct {
	Name  string `json:"name"`
	Notes int    `json:"notes"`
}

type youInfo struct {
	Name     string `json:"name"`
	Agent    string `json:"agent,omitempty"`
	Role     string `json:"role"`
	Read     bool   `json:"may_read"`
	Write    bool   `json:"may_write"`
	Manage   bool   `json:"may_manage"`
	ReadOnly string `json:"read_only,omitempty" doc:"Why nothing can be changed now."`
}

// maxCounts is how many categories and tags an answer names.
const maxCounts = 30

func getWikiInfo(ctx context.Context, k *call, _ args) (*result, error) {
	v, err := k.view(ctx)
	if err != nil {
		return nil, err
	}
	set, may := v.Settings(), v.Standing()
	r := &infoResult{Wiki: string(k.slug), Name: line(or(set.Name, string(k.slug))), Purpose: line(set.Purpose), URL: k.wikiURL(), Home: string(set.Home), Revision: string(v.Head()), LinkStyle: linkStyle(v),
		You: youInfo{Name: line(v.Caller().Name()), Agent: k.caller.Agent, Role: may.Role.String(), Read: may.Read, Write: may.Write, Manage: may.Manage, ReadOnly: line(may.Frozen)}}
	if at, ok := v.Page(string(guidePage)); ok {
		r.Guide = string(at)
	}
	l, err := k.h.Notes.List(ctx, v, notes.ListRequest{Limit: 1})
	if err != nil {
		return nil, err
	}
	r.Notes = l.Total
	categories, err := k.h.Notes.Categories(ctx, v)
	if err != nil {
		return nil, err
	}
	tags, err := k.h.Notes.Tags(ctx, v)
	if err != nil {
		return nil, err
	}
	r.Categories, r.Tags = counts(categories), counts(tags)
	return plain(r.text(), r)
}

func counts(list []notes.Count) []countItem {
	out := make([]countItem, 0, min(len(list), maxCounts))
	for _, c := range list[:min(len(list), maxCounts)] {
		out = append(out, countItem{Name: line(c.Name), Notes: c.Pages})
	}
	return out
}

func (r *infoResult) text() string {
	out := []string{fmt.Sprintf("Wiki: %s (%s)", r.Name, r.Wiki)}
	add := func(name, value string) {
		if value != "" {
			out = append(out, name+": "+line(value))
		}
	}
	add("Purpose", r.Purpose)
	add("Address", r.URL)
	add("Home page", r.Home)
	add("Rules for agents", r.Guide)
	add("Notes", fmt.Sprint(r.Notes))
	add("Categories", countText(r.Categories))
	add("Tags", countText(r.Tags))
	add("Wikilinks", r.LinkStyle)
	add("Newest commit", r.Revision)
	add("You", strings.TrimSuffix(fmt.Sprintf("%s through %s", r.You.Name, r.You.Agent), " through "))
	add("Role", r.You.Role)
	switch {
	case r.You.ReadOnly != "":
		add("You may", "read. This wiki is read-only: "+r.You.ReadOnly)
	case r.You.Write:
		add("You may", "read and write")
	default:
		add("You may", "read")
	}
	return strings.Join(out, "\n")
}

func countText(list []countItem) string {
	parts := make([]string, len(list))
	for i, c := range list {
		parts[i] = fmt.Sprintf("%s (%d)", c.Name, c.Notes)
	}
	return strings.Join(parts, ", ")
}

// linkStyle is how this wiki writes a link that shows another text.
func linkStyle(v *gitstore.View) string {
	if v.Settings().LinkStyle == "text-first" {
		return "[[shown text|Note path]]"
	}
	return "[[Note path|shown text]]"
}

// wikiURL is the wiki's address for browsers.
func (k *call) wikiURL() string { return k.h.Addresses.Absolute(k.slug) }

// roleIn is what somebody may do, for a list of wikis.
func roleIn(s wiki.Standing) string {
	if s.Role == wiki.NoRole && s.Read {
		return "reader"
	}
	return s.Role.String()
}
