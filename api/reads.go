package api

import (
	"wikibot/api/rest"
	"wikibot/notes"
	"wikibot/wiki"
)

func (k *call) health() (reply, error) {
	k.w.Header().Set("Cache-Control", "no-store")
	return reply{body: healthAnswer{Status: "ok"}}, nil
}

func (k *call) listPages() (reply, error) {
	since, err := k.date("updated_since")
	if err != nil {
		return reply{}, err
	}
	limit, err := k.number("limit", 0, 1, 100_000)
	if err != nil {
		return reply{}, err
	}
	list, err := k.Notes.List(k.ctx, k.view, notes.ListRequest{
		Prefix: k.query.Get("prefix"), Category: k.query.Get("category"), Tag: k.query.Get("tag"),
		Since: since, After: k.query.Get("cursor"), Limit: limit,
	})
	if err != nil {
		return reply{}, err
	}
	a := pageList{Pages: make([]pageItem, len(list.Items)), Total: list.Total, Cursor: list.Next}
	for i, it := range list.Items {
		tags := it.Tags
		if tags == nil {
			tags = []string{}
		}
		a.Pages[i] = pageItem{
			Name: it.Name, Path: string(it.Path), Category: orNull(it.Category), Tags: tags,
			LastUpdated: dateOf(it.Updated), ContentLength: it.Words, Size: it.Size,
		}
	}
	return reply{body: a}, nil
}

func (k *call) readPage() (reply, error) {
	raw := rest.Accepts(k.r, "text/markdown", "application/json")
	section := k.query.Get("section")
	n, err := k.Notes.Read(k.ctx, k.view, notes.ReadRequest{Path: k.page, Section: section, NoLinks: raw})
	if err != nil {
		return reply{}, err
	}
	if raw {
		return reply{tag: string(n.Revision), kind: "text/markdown; charset=utf-8", raw: n.Content}, nil
	}
	whole := n.Content
	if n.Section != "" {
		page, err := k.view.ReadPage(n.Path)
		if err != nil {
			return reply{}, err
		}
		whole = page.Content
	}
	return reply{tag: string(n.Revision), body: noteOf(n, whole)}, nil
}

type manyRequest struct {
	Paths  []string `json:"paths" need:"yes" doc:"At most 100."`
	Budget int      `json:"budget" doc:"Characters together; absent: 100,000, at most 1,000,000." min:"0" max:"1000000"`
}

func (k *call) readMany() (reply, error) {
	var in manyRequest
	if err := k.codec.Read(k.w, k.r, &in); err != nil {
		return reply{}, err
	}
	if len(in.Paths) == 0 {
		return reply{}, wiki.Invalid("paths", "paths is missing: give the paths of the pages to be read")
	}
	if len(in.Paths) > notes.MaxMany {
		return reply{}, wiki.Invalid("paths", "%d pages are too many for one call; at most %d are possible", len(in.Paths), notes.MaxMany)
	}
	paths := make([]wiki.PagePath, len(in.Paths))
	for i, s := range in.Paths {
		p, err := wiki.ParsePagePath(s)
		if err != nil {
			return reply{}, err
		}
		paths[i] = p
	}
	list, left, err := k.Notes.ReadMany(k.ctx, k.view, paths, in.Budget)
	if err != nil {
		return reply{}, err
	}
	a := manyAnswer{Pages: make([]pageAnswer, len(list)), Left: make([]leftPage, len(left))}
	for i, n := range list {
		a.Pages[i] = noteOf(n, n.Content)
	}
	for i, l := range left {
		a.Left[i] = leftPage{Path: string(l.Path), Reason: string(l.Reason), Chars: l.Chars, Error: l.Text}
	}
	return reply{body: a}, nil
}

func (k *call) outline() (reply, error) {
	o, err := k.Notes.Outline(k.ctx, k.view, k.page)
	if err != nil {
		return reply{}, err
	}
	a := outlineAnswer{Name: o.Name, Path: string(o.Path), Revision: string(o.Revision), Words: o.Words, Size: o.Size, Sections: make([]sectionItem, len(o.Sections)), MovedFrom: string(o.MovedFrom)}
	for i, s := range o.Sections {
		a.Sections[i] = sectionItem{Path: s.Path, Level: s.Level, Line: s.Line, Words: s.Words, Anchor: s.Anchor}
	}
	return reply{tag: a.Revision, body: a}, nil
}

func (k *call) history() (reply, error) {
	limit, err := k.number("limit", 50, 1, 1000)
	if err != nil {
		return reply{}, err
	}
	list, next, err := k.Notes.History(k.ctx, k.view, k.page, k.query.Get("cursor"), limit)
	if err != nil {
		return reply{}, err
	}
	a := historyAnswer{Path: string(k.page), History: make([]changeItem, len(list)), Cursor: next}
	for i, c := range list {
		a.History[i] = changeItem{commitItem: commitOf(c.Commit), Kind: kindOf(c.Kind), Path: string(c.Path), From: string(c.From)}
	}
	return reply{body: a}, nil
}

func (k *call) changelog() (reply, error) {
	since, err := k.date("since")
	if err != nil {
		return reply{}, err
	}
	limit, err := k.number("limit", 50, 1, 1000)
	if err != nil {
		return reply{}, err
	}
	via, err := viaOf(k.query.Get("via"))
	if err != nil {
		return reply{}, err
	}
	list, next, err := k.Notes.Changes(k.ctx, k.view, notes.ChangesRequest{
		After: k.query.Get("cursor"), Limit: limit, Author: k.query.Get("author"), Agent: k.query.Get("agent"),
		Via: via, Prefix: k.query.Get("prefix"), Since: since,
	})
	if err != nil {
		return reply{}, err
	}
	a := changelogAnswer{Entries: make([]changelogEntry, len(list)), Total: len(list), Cursor: next}
	for i, c := range list {
		a.Entries[i] = changelogEntry{commitItem: commitOf(c), PagesAffected: pagesOf(c.Changes)}
	}
	return reply{body: a}, nil
}

func viaOf(s string) (wiki.Via, error) {
	switch v := wiki.Via(s); v {
	case "", wiki.ViaWeb, wiki.ViaAPI, wiki.ViaMCP, wiki.ViaHTTPS, wiki.ViaSSH, wiki.ViaCLI:
		return v, nil
	}
	return "", wiki.Invalid("via", "via must be web, api, mcp, https, ssh or cli")
}

func (k *call) commitAt() (reply, error) {
	rev, err := k.revision()
	if err != nil {
		return reply{}, err
	}
	withDiff, err := k.flag("diff")
	if err != nil {
		return reply{}, err
	}
	c, err := k.head.Commit(k.ctx, rev)
	if err != nil {
		return reply{}, err
	}
	a := commitDetail{commitItem: commitOf(c), Parents: texts(c.Parents)}
	a.Pages, a.Files = changesOf(c.Changes)
	if withDiff {
		if a.Diff, _, err = k.Notes.Diff(k.ctx, k.head, "", c.Revision, ""); err != nil {
			return reply{}, err
		}
	}
	return reply{tag: string(c.Revision), body: a}, nil
}

// revision is the commit that the path names.
func (k *call) revision() (wiki.Revision, error) {
	rev, err := wiki.ParseRevision(k.rev)
	if err == nil && rev == "" {
		rev = k.head.Head()
	}
	return rev, err
}

func (k *call) diff() (reply, error) {
	from, err := wiki.ParseRevision(k.query.Get("from"))
	if err != nil {
		return reply{}, err
	}
	to, err := wiki.ParseRevision(k.query.Get("to"))
	if err != nil {
		return reply{}, err
	}
	if to == "" {
		to = k.view.Head()
		if k.page != "" && from == "" { // the page's own last change
			n, err := k.Notes.Read(k.ctx, k.view, notes.ReadRequest{Path: k.page, NoLinks: true})
			if err != nil {
				return reply{}, err
			}
			to = n.Revision
		}
	}
	text, d, err := k.Notes.Diff(k.ctx, k.head, from, to, k.page)
	if err != nil {
		return reply{}, err
	}
	if rest.Accepts(k.r, "text/x-diff", "application/json") {
		return reply{kind: "text/x-diff; charset=utf-8", raw: []byte(text)}, nil
	}
	return reply{body: diffOf(k.page, text, d)}, nil
}
