package mcp

import (
	"context"
	"fmt"
	"strings"

	"wikibot/gitstore"
)

func findOrphans(ctx context.Context, k *call, a args) (*result, error) {
	from, err := skip(a.text("cursor"))
	if err != nil {
		return nil, err
	}
	v, err := k.view(ctx)
	if err != nil {
		return nil, err
	}
	l, total, err := v.Orphans(ctx, gitstore.LinkFilter{Skip: from, Limit: a.number("limit")})
	if err != nil {
		return nil, err
	}
	r := &orphansResult{Notes: paths(l), Total: total, Cursor: nextSkip(from, len(l), total)}
	return plain(r.text()+goOn("find_orphaned_notes", r.Cursor, from, len(l), total), r)
}

type wantedResult struct {
	Notes  []wantedItem `json:"notes"`
	Total  int          `json:"total"`
	Cursor string       `json:"cursor,omitempty"`
}

type wantedItem struct {
	Path  string   `json:"path"`
	Links int      `json:"links"`
	From  []string `json:"linked_from" doc:"At most 50."`
}

func findWanted(ctx context.Context, k *call, a args) (*result, error) {
	from, err := skip(a.text("cursor"))
	if err != nil {
		return nil, err
	}
	v, err := k.view(ctx)
	if err != nil {
		return nil, err
	}
	l, total, err := v.WantedPages(ctx, gitstore.LinkFilter{Skip: from, Limit: a.number("limit")})
	if err != nil {
		return nil, err
	}
	r := wantedOf(l, total)
	r.Cursor = nextSkip(from, len(l), total)
	return plain(r.text()+goOn("find_wanted_notes", r.Cursor, from, len(l), total), r)
}

func wantedOf(l []gitstore.Wanted, total int) *wantedResult {
	r := &wantedResult{Notes: []wantedItem{}, Total: total}
	for _, w := range l {
		item := wantedItem{Path: string(w.Page), Links: w.Links, From: []string{}}
		for _, f := range w.From {
			item.From = append(item.From, string(f.Page))
		}
		r.Notes = append(r.Notes, item)
	}
	return r
}

func (r *wantedResult) text() string {
	if r.Total == 0 {
		return "No wanted notes found. Every link to a note leads to one."
	}
	out := []string{fmt.Sprintf("Found %d wanted notes (linked, but not there):", r.Total), ""}
	for _, n := range r.Notes {
		shown, more := n.From, ""
		if len(shown) > 5 {
			shown, more = shown[:5], ", …"
		}
		out = append(out, fmt.Sprintf("- %s (%d links, from %s%s)", line(n.Path), n.Links, strings.Join(lines(shown), ", "), more))
	}
	return strings.Join(out, "\n")
}

type brokenResult struct {
	Sections      []brokenItem `json:"sections" doc:"Links to sections that the note does not have."`
	SectionsTotal int          `json:"sections_total"`
	Files         []brokenItem `json:"files" doc:"Links to attachments that do not exist."`
	FilesTotal    int          `json:"files_total"`
	Unread        int          `json:"unread_notes,omitempty" doc:"Linked notes that were not looked at yet; call again."`
}

type brokenItem struct {
	From   string `json:"from" doc:"The note that holds the link."`
	Line   int    `json:"line"`
	Target string `json:"target"`
}

func findBroken(ctx context.Context, k *call, a args) (*result, error) {
	v, err := k.view(ctx)
	if err != nil {
		return nil, err
	}
	f := gitstore.LinkFilter{Prefix: prefixOf(a.text("prefix")), Limit: a.number("limit")}
	r := &brokenResult{}
	anchors, total, unread, err := v.BrokenAnchors(ctx, f)
	if err != nil {
		return nil, err
	}
	r.Sections, r.SectionsTotal, r.Unread = broken(anchors), total, unread
	files, total, err := v.BrokenFiles(ctx, f)
	if err != nil {
		return nil, err
	}
	r.Files, r.FilesTotal = broken(files), total
	return plain(r.text(), r)
}

func broken(list []gitstore.BrokenLink) []brokenItem {
	out := make([]brokenItem, len(list))
	for i, b := range list {
		target := string(b.File)
		if b.Page != "" {
			target = string(b.Page) + "#" + b.Anchor
		}
		out[i] = brokenItem{From: string(b.From), Line: b.Line, Target: target}
	}
	return out
}

func (r *brokenResult) text() string {
	out := brokenText(nil, "section", r.Sections, r.SectionsTotal)
	out = brokenText(out, "attachment", r.Files, r.FilesTotal)
	if r.Unread > 0 {
		out = append(out, "", fmt.Sprintf("%d linked notes were not looked at yet; call again for their sections.", r.Unread))
	}
	return strings.Join(out, "\n")
}

func brokenText(out []string, what string, list []brokenItem, total int) []string {
	if len(out) > 0 {
		out = append(out, "")
	}
	if total == 0 {
		return append(out, fmt.Sprintf("No links to a missing %s found.", what))
	}
	out = append(out, fmt.Sprintf("Found %d links to a missing %s:", total, what), "")
	for _, b := range list {
		out = append(out, fmt.Sprintf("- %s, line %d: %s", line(b.From), b.Line, line(b.Target)))
	}
	if len(list) < total {
		out = append(out, fmt.Sprintf("  and %d more; prefix or limit show others", total-len(list)))
	}
	return out
}
