package mcp

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"wikibot/limit"
	"wikibot/search"
	"wikibot/wiki"
)

// siteTools are those of the apex: they read, in any wiki that the caller may read,
// and name it.
func siteTools() []*tool {
	which := param{name: "wiki", kind: aText, required: true, doc: "The wiki's short name, from list_wikis.", aliases: []string{"slug", "wiki_slug", "wiki_name", "site"}}
	var out []*tool
	for _, t := range readableAtSite() {
		with := *t
		with.params = append([]param{which}, t.params...)
		with.run = inWiki(t.run)
		out = append(out, &with)
	}
	return append(out,
		&tool{name: "list_wikis", title: "List wikis", out: wikisResult{},
			doc: "List the wikis that you may read, with their purpose and your role. Begin here; the other tools need a wiki's short name.",
			run: listWikis},
		&tool{name: "search", title: "Search all wikis", out: siteSearchResult{},
			doc: "Find notes in all wikis that you may read; gives ids for fetch. At most 20 wikis at once are searched; the answer names those left out, which search_notes searches one by one.",
			params: []param{queryParam("What to look for."),
				{name: "wikis", kind: aTextList, max: maxSiteSearch, doc: "Only these wikis, by their short names.", aliases: []string{"wiki", "slugs", "slug"}}},
			cost: siteSearchCost,
			run:  siteSearch},
		&tool{name: "fetch", title: "Fetch a note", out: connectorDocument{},
			doc:    "Get a note by the id from search, which reads \"wiki:path\".",
			params: []param{{name: "id", kind: aText, required: true, doc: "An id from search.", aliases: []string{"path", "uri"}}},
			run:    siteFetch},
	)
}

// readableAtSite are the tools of one wiki that the apex has too.
func readableAtSite() []*tool {
	var out []*tool
	for _, list := range [][]*tool{readTools(), listTools()[:1], searchTools()[:2], historyTools(), wikiTools()} {
		out = append(out, list...)
	}
	return out
}

// inWiki runs a tool in the wiki that its argument names. A wiki that may not be
// read answers as one that does not exist.
func inWiki(run func(context.Context, *call, args) (*result, error)) func(context.Context, *call, args) (*result, error) {
	return func(ctx context.Context, k *call, a args) (*result, error) {
		in, err := k.inNamed(ctx, a.text("wiki"))
		if err != nil {
			return nil, err
		}
		return run(ctx, in, a)
	}
}

func (k *call) inNamed(ctx context.Context, name string) (*call, error) {
	none := &wiki.Error{Kind: wiki.ErrNotFound, Field: "wiki", Text: fmt.Sprintf("Wiki not found: %s. list_wikis names those that you may read", lineOf(name, 60))}
	slug, err := wiki.ParseSlug(strings.ToLower(strings.TrimSpace(name)))
	if err != nil {
		return nil, none
	}
	in := k.in(slug)
	switch _, err := in.view(ctx); {
	case errors.Is(err, wiki.ErrNotFound):
		return nil, none
	case err != nil:
		return nil, err
	}
	return in, nil
}

type wikisResult struct {
	Wikis []wikiItem `json:"wikis"`
	Total int        `json:"total"`
}

type wikiItem struct {
	Wiki    string `json:"wiki"`
	Name    string `json:"name"`
	Purpose string `json:"purpose"`
	Role    string `json:"role"`
	URL     string `json:"url"`
	MCP     string `json:"mcp_endpoint" doc:"The wiki's own endpoint, which can write too."`
}

func listWikis(ctx context.Context, k *call, _ args) (*result, error) {
	l, err := k.h.Store.Wikis(ctx, k.caller)
	if err != nil {
		return nil, err
	}
	r := &wikisResult{Wikis: make([]wikiItem, len(l)), Total: len(l)}
	for i, w := range l {
		r.Wikis[i] = wikiItem{Wiki: string(w.Slug), Name: line(or(w.Name, string(w.Slug))), Purpose: line(w.Purpose), Role: roleIn(w.Standing), URL: k.in(w.Slug).wikiURL(), MCP: k.h.Addresses.MCP(w.Slug)}
	}
	return plain(r.text(), r)
}

func (r *wikisResult) text() string {
	out := []string{fmt.Sprintf("Found %d wikis:", r.Total)}
	if r.Total > 0 {
		out = append(out, "")
	}
	for _, w := range r.Wikis {
		about := w.Name
		if w.Purpose != "" {
			about += ": " + w.Purpose
		}
		out = append(out, fmt.Sprintf("- %s (%s) %s", w.Wiki, w.Role, about))
	}
	return strings.Join(out, "\n")
}

// A search of the site looks into at most maxSiteSearch wikis and takes the best
// perWiki of each.
const (
	maxSiteSearch = 20
	perWiki       = 5
)

// siteSearchCost counts each wiki that is named, and else as many as are searched
// at most.
func siteSearchCost(a args) int {
	if l := a.texts("wikis"); len(l) > 0 {
		return len(l)
	}
	return 1
}

type siteSearchResult struct {
	Results []connectorHit `json:"results"`
	Left    []string       `json:"left_out,omitempty" doc:"Wikis that were not searched."`
}

// siteSearch searches one wiki after the other and takes the best of each in turn,
// since scores of different wikis do not compare.
func siteSearch(ctx context.Context, k *call, a args) (*result, error) {
	in, left, err := k.searched(ctx, a.texts("wikis"))
	if err != nil {
		return nil, err
	}
	if n := len(in) - siteSearchCost(a); n > 0 {
		if err := k.admit(limit.Read, n); err != nil {
			return nil, err
		}
	}
	r := siteSearchResult{Results: []connectorHit{}, Left: left}
	var found [][]connectorHit
	for _, one := range in {
		hits, err := one.connectorSearch(ctx, a.text("query"), string(one.slug)+":", perWiki)
		var wait *search.NotReady
		switch {
		case errors.As(err, &wait), errors.Is(err, wiki.ErrNotFound):
			r.Left = append(r.Left, string(one.slug))
			continue
		case err != nil:
			return nil, err
		}
		found = append(found, hits)
	}
	for i := range perWiki {
		for _, hits := range found {
			if i < len(hits) {
				r.Results = append(r.Results, hits[i])
			}
		}
	}
	return plain(asJSON(r), r)
}

// searched are the wikis to search: those that are named, or the first of all, and
// those that are too many.
func (k *call) searched(ctx context.Context, named []string) (in []*call, left []string, err error) {
	if len(named) > 0 {
		for _, name := range named {
			one, err := k.inNamed(ctx, name)
			if err != nil {
				return nil, nil, err
			}
			in = append(in, one)
		}
		return in, nil, nil
	}
	l, err := k.h.Store.Wikis(ctx, k.caller)
	if err != nil {
		return nil, nil, err
	}
	for i, w := range l {
		if i < maxSiteSearch {
			in = append(in, k.in(w.Slug))
		} else {
			left = append(left, string(w.Slug))
		}
	}
	return in, left, nil
}

func siteFetch(ctx context.Context, k *call, a args) (*result, error) {
	name, path, ok := strings.Cut(a.text("id"), ":")
	if !ok {
		return nil, wiki.Invalid("id", "the id %q is none of search: they read like \"wiki:Design/Auth\"", lineOf(a.text("id"), 200))
	}
	in, err := k.inNamed(ctx, name)
	if err != nil {
		return nil, err
	}
	return in.connectorFetch(ctx, path, string(in.slug)+":")
}
