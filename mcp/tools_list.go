package mcp

import (
	"context"
	"fmt"
	"strings"
	"time"

	"wikibot/notes"
	"wikibot/wiki"
)

func listTools() []*tool {
	return []*tool{
		{name: "list_notes", title: "List notes", out: listResult{},
			doc: "List notes by path, with category, tags, date and length; conditions are combined with AND. " +
				"For a large wiki narrow the list or follow the cursor. To find notes by what they say use search_notes.",
			params: []param{
				prefixParam("Only paths that begin so, such as \"Actors/\"."),
				{name: "category", kind: aText, def: "", doc: "Only this category of the frontmatter.", aliases: []string{"type", "kind"}},
				{name: "tag", kind: aText, def: "", doc: "Only notes with this tag.", aliases: []string{"tags", "label"}},
				{name: "updated_since", kind: aText, def: "", doc: "Only notes changed on or after this date (ISO 8601), such as \"2026-03-08\".", aliases: []string{"since", "modified_since", "after_date", "updated_after"}},
				limitParam(maxList, maxList, "notes"),
				cursorParam(),
			},
			run: listNotes},
		{name: "find_orphaned_notes", title: "Notes that nothing links to", out: orphansResult{},
			doc:    "List notes that no other note links to (Home is exempt). For tidying up: link each from where a reader would look for it.",
			params: []param{limitParam(500, 1000, "notes"), cursorParam()},
			run:    findOrphans},
		{name: "find_wanted_notes", title: "Notes that are linked and missing", out: wantedResult{},
			doc:    "List notes that others link to and that do not exist yet, most wanted first, with the notes that link there. For tidying up: write them or mend the links.",
			params: []param{limitParam(100, 500, "notes"), cursorParam()},
			run:    findWanted},
		{name: "find_broken_links", title: "Links to missing sections and files", out: brokenResult{},
			doc:    "List links to sections and attachments that do not exist, with note and line. Links to missing notes are find_wanted_notes' business.",
			params: []param{prefixParam("Only links that stand in notes whose path begins so."), limitParam(100, 500, "links of each kind")},
			run:    findBroken},
	}
}

// A list fits into a model's view: without a limit it ends at listBudget characters,
// which is some 500 notes, and says how to go on.
const (
	maxList    = 1000
	listBudget = 40_000
)

func listNotes(ctx context.Context, k *call, a args) (*result, error) {
	since, err := parseSince(a.text("updated_since"), "updated_since")
	if err != nil {
		return nil, err
	}
	v, err := k.view(ctx)
	if err != nil {
		return nil, err
	}
	l, err := k.h.Notes.List(ctx, v, notes.ListRequest{Prefix: prefixOf(a.text("prefix")), Category: strings.TrimSpace(a.text("category")), Tag: strings.TrimSpace(a.text("tag")),
		Since: since, After: a.text("cursor"), Limit: a.number("limit")})
	if err != nil {
		return nil, err
	}
	r := &listResult{Notes: make([]noteItem, 0, len(l.Items)), Total: l.Total, Cursor: l.Next}
	used := 0
	for i, item := range l.Items {
		n := itemOf(item)
		if used += len(n.text()) + 1; used > listBudget && i > 0 {
			r.Cursor = l.Items[i-1].Path.FileName()
			break
		}
		r.Notes = append(r.Notes, n)
	}
	text := listText(r, []filter{{"prefix", a.text("prefix")}, {"category", a.text("category")}, {"tag", a.text("tag")}, {"updated_since", a.text("updated_since")}})
	if r.Cursor != "" {
		text += fmt.Sprintf("\n\nThese are %d of %d. For those that follow, call list_notes with the same conditions and cursor=%q; prefix, category, tag or updated_since make the list shorter.", len(r.Notes), r.Total, r.Cursor)
	}
	return plain(text, r)
}

func itemOf(i notes.Item) noteItem {
	n := noteItem{Path: string(i.Path), Name: line(i.Name), Category: pointer(line(i.Category)), Tags: lines(i.Tags), Words: i.Words}
	if !i.Updated.IsZero() {
		n.LastUpdated = pointer(i.Updated.Format(time.DateOnly))
	}
	return n
}

// parseSince reads a date or a time of ISO 8601; nothing is the zero time.
func parseSince(s, field string) (time.Time, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, wiki.Invalid(field, "%s is no date: %q. Write it as ISO 8601, such as 2026-03-08 or 2026-03-08T14:00:00Z", field, lineOf(s, 60))
}

// skip reads a cursor that counts what was shown before.
func skip(cursor string) (int, error) {
	if cursor == "" {
		return 0, nil
	}
	n := 0
	for _, r := range cursor {
		if r < '0' || r > '9' || n > 1_000_000 {
			return 0, wiki.Invalid("cursor", "the cursor %q is none of an earlier answer; send it as it was there, or none to begin again", lineOf(cursor, 60))
		}
		n = 10*n + int(r-'0')
	}
	return n, nil
}

// nextSkip is the cursor behind shown entries of a list of total; empty at its end.
func nextSkip(from, shown, total int) string {
	if shown == 0 || from+shown >= total {
		return ""
	}
	return fmt.Sprint(from + shown)
}

// goOn is the line below a list that goes on.
func goOn(tool, cursor string, from, shown, total int) string {
	if cursor == "" {
		return ""
	}
	return fmt.Sprintf("\n\nThese are %d to %d of %d. For those that follow, call %s again with cursor=%q.", from+1, from+shown, total, tool, cursor)
}

// prefixOf is a prefix as models write folders: paths never begin with "/", and
// "Actors/*" means what begins with "Actors/".
func prefixOf(s string) string {
	return strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(s), "/"), "*")
}
