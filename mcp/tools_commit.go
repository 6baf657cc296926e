package mcp

import (
	"context"
	"fmt"
	"strings"

	"wikibot/notes"
	"wikibot/wiki"
)

// maxOps is the most operations of one commit.
const maxOps = 200

func commitTools() []*tool {
	return []*tool{
		{name: "commit_notes", title: "Several changes in one commit", out: commitResult{}, writes: true, destructive: true,
			doc: "Make several changes of notes in one commit, all or none: for a refactoring that must not be seen half done, or to save calls. For one change use write_note or edit_note. Each operation takes the parameters that the tool of its kind takes.",
			params: []param{
				{name: "operations", kind: anObjectList, required: true, max: maxOps, doc: "What to do, in order. Later operations see what earlier ones did.", aliases: []string{"ops", "changes", "actions", "edits"}, of: []param{
					{name: "operation", kind: aText, required: true, choices: commitVerbs, doc: "write needs content (and revision where the note is there); edit needs old_string, new_string and revision; rename needs new_path; restore needs revision; the section operations need content and section.", aliases: []string{"op", "action", "type", "do", "kind", "method", "command"}},
					pathParam("The note's path."),
					contentParam("The text."),
					{name: "section", kind: aText, def: "", doc: "The section's title or path.", aliases: []string{"heading"}},
					oldParam(false), newParam(false), allParam(),
					{name: "new_path", kind: aText, def: "", doc: "For rename.", aliases: []string{"to", "new_name", "new_title", "destination"}},
					revisionParam("The revision that you read."), mergeParam(),
				}},
				messageParam(),
				dryRunParam("Only say what would change."), keyParam(),
			},
			cost: func(a args) int { return len(a.list("operations")) },
			run:  commitNotes},
	}
}

// commitVerbs are the operations of commit_notes as clients name them.
var commitVerbs = append([]string{"write", "edit"}, append(sectionVerbs[:len(sectionVerbs):len(sectionVerbs)], "rename", "delete", "restore")...)

type commitResult struct {
	Revision  string       `json:"revision" doc:"The commit."`
	Pages     []commitPage `json:"pages"`
	Updated   []string     `json:"updated_pages" doc:"Other notes whose links were rewritten."`
	DryRun    bool         `json:"dry_run,omitempty" doc:"Nothing was changed."`
	Unchanged bool         `json:"unchanged,omitempty"`
	Replayed  bool         `json:"replayed,omitempty"`
}

type commitPage struct {
	Path     string `json:"path"`
	From     string `json:"from,omitempty" doc:"Its path before."`
	Revision string `json:"revision"`
	Did      string `json:"did" doc:"created, updated, renamed or deleted"`
	Merged   bool   `json:"merged,omitempty" doc:"Read it again: its text is a merge."`
}

func commitNotes(ctx context.Context, k *call, a args) (*result, error) {
	list := a.list("operations")
	ops := make([]notes.Op, len(list))
	for i, one := range list {
		op, err := k.commitOp(one)
		if err != nil {
			return nil, &notes.OpError{Index: i, Op: notes.Op{Do: notes.Verb(one.text("operation")), Path: wiki.PagePath(line(one.text("path")))}, Err: err}
		}
		ops[i] = op
	}
	done, err := k.apply(ctx, a, ops...)
	if err != nil {
		return nil, err
	}
	r := &commitResult{Revision: string(done.Commit), Pages: make([]commitPage, len(done.Pages)), Updated: paths(done.Updated), DryRun: a.flag("dry_run"), Unchanged: done.Unchanged, Replayed: done.Replayed}
	for i, p := range done.Pages {
		r.Pages[i] = commitPage{Path: string(p.Path), From: string(p.From), Revision: string(p.Revision), Did: did(p), Merged: p.Merged}
	}
	return plain(r.text(len(ops)), r)
}

func did(p notes.PageDone) string {
	switch {
	case p.Deleted:
		return "deleted"
	case p.Created:
		return "created"
	case p.From != "":
		return "renamed"
	}
	return "updated"
}

func (k *call) commitOp(a args) (notes.Op, error) {
	verb := a.text("operation")
	switch verb {
	case "write":
		if !a.has("content") {
			return notes.Op{}, wiki.Invalid("content", "write needs content: the note's whole text")
		}
		return k.op(notes.Write, a)
	case "edit":
		op, err := k.op(notes.EditText, a)
		if err != nil {
			return op, err
		}
		op.Content, op.Section = nil, ""
		op.Edits, err = edits([]args{a})
		return op, err
	case "rename":
		op, err := k.op(notes.Rename, a)
		if err != nil {
			return op, err
		}
		op.Content = nil
		op.NewPath, err = k.pagePath(a.text("new_path"))
		return op, err
	case "delete", "restore":
		do := notes.Delete
		if verb == "restore" {
			do = notes.Restore
		}
		op, err := k.op(do, a)
		op.Content = nil
		if err == nil && do == notes.Restore && op.Revision == wiki.Head {
			err = wiki.Invalid("revision", "restore needs the revision whose text the note shall have")
		}
		return op, err
	}
	return k.sectionOp(a, verb)
}

func (r *commitResult) text(operations int) string {
	head := fmt.Sprintf("Committed %d operations (revision: %s):", operations, short(r.Revision))
	switch {
	case r.DryRun:
		head = fmt.Sprintf("Would commit %d operations; nothing was changed:", operations)
	case r.Unchanged:
		head = fmt.Sprintf("%d operations changed nothing; no commit was made.", operations)
	case r.Replayed:
		head = fmt.Sprintf("Committed %d operations before (revision: %s); nothing was done again:", operations, short(r.Revision))
	}
	out := []string{head}
	if len(r.Pages) > 0 {
		out = append(out, "")
	}
	for _, p := range r.Pages {
		what := strings.ToUpper(p.Did[:1]) + p.Did[1:] + " " + line(p.Path)
		if p.Did == "renamed" {
			what = fmt.Sprintf("Renamed %s -> %s", line(p.From), line(p.Path))
		}
		if p.Revision != "" && !r.DryRun {
			what += fmt.Sprintf(" (revision: %s)", short(p.Revision))
		}
		if p.Merged {
			what += ", merged with a newer text: read it again"
		}
		out = append(out, "- "+what)
	}
	if len(r.Updated) > 0 {
		out = append(out, fmt.Sprintf("Updated %d backreferences:", len(r.Updated)))
		out = append(out, items(r.Updated, "  - ", "")...)
	}
	return strings.Join(out, "\n")
}
