package mcp

import (
	"context"
	"fmt"

	"wikibot/notes"
	"wikibot/wiki"
)

func writeTools() []*tool {
	return []*tool{
		{name: "write_note", title: "Write a note", out: writeResult{}, writes: true, destructive: true,
			doc: "Create a note, or replace a note's whole text. To replace one, read it first and send its revision. " +
				"To change a part use edit_note: it is shorter and does not disturb others' changes. Write Markdown with [[wikilinks]]; frontmatter (category, tags) comes first.",
			params: []param{
				pathParam("The note's path, such as \"Design/Auth\". Folders are made by themselves."),
				need(contentParam("The whole text in Markdown, at most 1,000,000 characters.")),
				revisionParam("The revision that your text is based on, from read_note. Needed to replace a note; empty to create one."),
				messageParam(), mergeParam(), keyParam(),
			},
			run: writeNote},
		{name: "edit_note", title: "Edit a note", out: writeResult{}, writes: true, destructive: true,
			doc: "Change a part of a note, in one of three ways. " +
				"1. old_string and new_string, with the revision from read_note: replaces the one place where old_string stands. " +
				"2. edits: several such replacements at once, one after the other. " +
				"3. operation with content, and section where it names one: append, prepend, append_section, prepend_section, replace_section, insert_before, insert_after; these need no revision and are applied to the newest text, so that they suit logs and lists to which several add at once.",
			params: []param{
				pathParam("The note's path."),
				revisionParam("The revision that you read. Needed with old_string and edits, unless merge is true."),
				oldParam(false), newParam(false), allParam(),
				{name: "edits", kind: anObjectList, max: 100, doc: "Several replacements, applied in order, all or none.", aliases: []string{"replacements", "changes"}, of: []param{oldParam(true), newParam(true), allParam()}},
				{name: "operation", kind: aText, def: "", choices: sectionVerbs, doc: "What to do with content. Those whose name holds section, and insert_before and insert_after, need section.", aliases: []string{"mode", "action", "op", "command", "position"}},
				{name: "section", kind: aText, def: "", doc: "The section's title, or its path such as \"Auth > Tokens\" (see get_outline).", aliases: []string{"heading", "header", "section_title", "target", "section_path"}},
				contentParam("The text for operation."),
				messageParam(), mergeParam(), keyParam(),
			},
			run: editNote},
		{name: "rename_note", title: "Rename a note", out: renameResult{}, writes: true, destructive: true,
			doc: "Move a note to another path, with its attachments and sub-notes, and rewrite every link to it, in one commit; the old path leads to the new one. Try dry_run first to see which notes it would touch.",
			params: []param{
				pathParam("The note's path now."),
				{name: "new_path", kind: aText, required: true, doc: "The path that it shall have.", aliases: []string{"new_title", "new_name", "to", "destination", "target", "newpath", "to_path"}},
				messageParam(),
				revisionParam("Refuse if the note has changed since this revision. Empty: rename it as it is."),
				dryRunParam("Only say what would change."), keyParam(),
			},
			run: renameNote},
		{name: "delete_note", title: "Delete a note", out: deleteResult{}, writes: true, destructive: true,
			doc: "Delete a note; links to it stay and lead nowhere. History keeps it: restore_note brings it back. Ask the user first; dry_run says which notes link to it.",
			params: []param{
				pathParam("The note's path."), messageParam(),
				revisionParam("Refuse if the note has changed since this revision. Empty: delete it as it is."),
				dryRunParam("Only say what would happen."), keyParam(),
			},
			run: deleteNote},
		{name: "restore_note", title: "Restore a note", out: writeResult{}, writes: true, destructive: true, idempotent: true,
			doc: "Give a note the text that it had at an earlier revision (from get_history), also if it was deleted. It is a new revision; nothing of the history is lost.",
			params: []param{
				pathParam("The note's path."), need(revisionParam("The revision whose text it shall have.")),
				messageParam(), keyParam(),
			},
			run: restoreNote},
	}
}

// sectionVerbs are the operations of edit_note as clients name them.
var sectionVerbs = []string{"append", "prepend", "append_section", "prepend_section", "replace_section", "insert_before", "insert_after"}

func oldParam(required bool) param {
	return param{name: "old_string", kind: aText, required: required, limit: maxContent, doc: "The text to replace, exactly as it stands in the note, and only once: take some of what is around it.",
		aliases: []string{"old_text", "old_str", "old", "find", "search", "search_text", "from", "old_content"}}
}

func newParam(required bool) param {
	return param{name: "new_string", kind: aText, required: required, limit: maxContent, doc: "The text to put there; empty to take old_string out.",
		aliases: []string{"new_text", "new_str", "new", "replace", "replacement", "replace_with", "to", "new_content"}}
}

func allParam() param {
	return param{name: "replace_all", kind: aFlag, def: false, doc: "Replace old_string wherever it stands.", aliases: []string{"all", "global"}}
}

// need is a parameter that must be given.
func need(p param) param {
	p.required, p.def = true, nil
	return p
}

// apply makes one commit of operations.
func (k *call) apply(ctx context.Context, a args, ops ...notes.Op) (*notes.Applied, error) {
	return k.h.Notes.Apply(ctx, k.caller, k.slug, notes.ApplyRequest{
		Ops: ops, Message: a.text("commit_message"), Key: a.text("idempotency_key"), DryRun: a.flag("dry_run"),
	})
}

func writeNote(ctx context.Context, k *call, a args) (*result, error) {
	op, err := k.op(notes.Write, a)
	if err != nil {
		return nil, err
	}
	done, err := k.apply(ctx, a, op)
	if err != nil {
		return nil, err
	}
	r := pageResult(done)
	return written(r, r.text())
}

// op is an operation on the page of the arguments, with their text, section,
// revision and merge.
func (k *call) op(do notes.Verb, a args) (notes.Op, error) {
	p, err := k.pagePath(a.text("path"))
	if err != nil {
		return notes.Op{}, err
	}
	rev, err := wiki.ParseRevision(a.text("revision"))
	if err != nil {
		return notes.Op{}, err
	}
	return notes.Op{Do: do, Path: p, Content: []byte(a.text("content")), Section: a.text("section"), Revision: rev, Merge: a.flag("merge")}, nil
}

// pageResult is what became of the one page of a commit.
func pageResult(done *notes.Applied) *writeResult {
	r := &writeResult{pageFacts: pageFacts{Unchanged: done.Unchanged, Replayed: done.Replayed}}
	if len(done.Pages) == 0 {
		return r
	}
	p := done.Pages[0]
	r.Path, r.Name, r.Revision, r.Created, r.Merged = string(p.Path), line(p.Name), string(p.Revision), p.Created, p.Merged
	r.MovedFrom = string(p.From)
	if p.Merged {
		s := string(p.Content)
		r.Content = &s
	}
	return r
}

// written is the result of a write, with what else there is to say.
func written(r *writeResult, text string) (*result, error) {
	out := &result{text: text, data: r}
	if r.MovedFrom != "" {
		out.more = append(out.more, fmt.Sprintf("%s was renamed meanwhile: the change went to %s.", line(r.MovedFrom), line(r.Path)))
	}
	if r.Unchanged {
		out.more = append(out.more, "The note held this text already; nothing was saved.")
	}
	if r.Replayed {
		out.more = append(out.more, "An earlier call with this idempotency_key did it; nothing was done again.")
	}
	if r.Merged && r.Content != nil {
		out.more = append(out.more, "The note had changed since your revision, and both changes were merged. Its text is now:\n"+newBoundary().around("the text of "+r.Path, *r.Content))
	}
	return out, nil
}

func editNote(ctx context.Context, k *call, a args) (*result, error) {
	op, err := k.editOp(a)
	if err != nil {
		return nil, err
	}
	done, err := k.apply(ctx, a, op)
	if err != nil {
		return nil, err
	}
	r := pageResult(done)
	return written(r, r.did("Edited"))
}

// editOp is the one way of editing that the arguments ask for.
func (k *call) editOp(a args) (notes.Op, error) {
	plain := a.has("old_string") || a.has("new_string")
	verb := a.text("operation")
	switch {
	case plain && a.has("edits"), plain && verb != "", a.has("edits") && verb != "":
		return notes.Op{}, wiki.Invalid("operation", "edit_note does one thing at a time: send old_string with new_string, or edits, or operation with content; commit_notes does several")
	case verb != "":
		return k.sectionOp(a, verb)
	case !plain && !a.has("edits"):
		return notes.Op{}, wiki.Invalid("old_string", "edit_note does not know what to change: send old_string with new_string, or edits, or operation (one of append, prepend, append_section, prepend_section, replace_section, insert_before, insert_after) with content")
	}
	op, err := k.op(notes.EditText, a)
	if err != nil {
		return op, err
	}
	op.Content, op.Section = nil, ""
	if plain {
		if op.Edits, err = edits([]args{a}); err != nil {
			return op, err
		}
	} else if op.Edits, err = edits(a.list("edits")); err != nil {
		return op, err
	}
	return op, nil
}

func edits(list []args) ([]notes.Edit, error) {
	out := make([]notes.Edit, len(list))
	for i, a := range list {
		if !a.has("old_string") || !a.has("new_string") {
			return nil, wiki.Invalid("new_string", "edit_note needs old_string and new_string; an empty new_string takes old_string out")
		}
		out[i] = notes.Edit{Old: a.text("old_string"), New: a.text("new_string"), All: a.flag("replace_all")}
	}
	return out, nil
}

// sectionOp is an operation that says where its text belongs by itself.
func (k *call) sectionOp(a args, verb string) (notes.Op, error) {
	do, needsSection := verbOf(verb)
	if !a.has("content") {
		return notes.Op{}, wiki.Invalid("content", "%s needs content: the text to put there", verb)
	}
	section := a.text("section")
	switch {
	case needsSection && section == "":
		return notes.Op{}, wiki.Invalid("section", "%s needs section: a section's title or path; get_outline lists them", verb)
	case !needsSection && section != "":
		do = inSection(do)
	}
	return k.op(do, a)
}

// verbOf is an operation by the name that clients use, and whether it needs a
// section.
func verbOf(name string) (do notes.Verb, section bool) {
	switch name {
	case "append":
		return notes.Append, false
	case "prepend":
		return notes.Prepend, false
	case "append_section":
		return notes.AppendSection, true
	case "prepend_section":
		return notes.PrependSection, true
	case "replace_section":
		return notes.ReplaceSection, true
	case "insert_before":
		return notes.InsertBefore, true
	default:
		return notes.InsertAfter, true
	}
}

// inSection is what append and prepend mean where a section is named.
func inSection(do notes.Verb) notes.Verb {
	if do == notes.Prepend {
		return notes.PrependSection
	}
	return notes.AppendSection
}

func renameNote(ctx context.Context, k *call, a args) (*result, error) {
	op, err := k.op(notes.Rename, a)
	if err != nil {
		return nil, err
	}
	op.Content = nil
	if op.NewPath, err = k.pagePath(a.text("new_path")); err != nil {
		return nil, err
	}
	done, err := k.apply(ctx, a, op)
	if err != nil {
		return nil, err
	}
	r := &renameResult{OldPath: string(op.Path), NewPath: string(op.NewPath), Revision: string(done.Commit), Updated: paths(done.Updated), DryRun: a.flag("dry_run"), Replayed: done.Replayed}
	if len(done.Pages) > 0 {
		p := done.Pages[0]
		r.NewPath, r.Revision = string(p.Path), or(string(p.Revision), r.Revision)
		r.OldPath = or(string(p.From), r.OldPath)
	}
	return plain(r.text(), r)
}

func deleteNote(ctx context.Context, k *call, a args) (*result, error) {
	op, err := k.op(notes.Delete, a)
	if err != nil {
		return nil, err
	}
	op.Content = nil
	r := &deleteResult{Path: string(op.Path), DryRun: a.flag("dry_run")}
	if r.DryRun {
		v, err := k.view(ctx)
		if err != nil {
			return nil, err
		}
		_, from, err := k.h.Notes.Links(ctx, v, op.Path)
		if err != nil {
			return nil, err
		}
		r.LinkedFrom = paths(from)
	}
	done, err := k.apply(ctx, a, op)
	if err != nil {
		return nil, err
	}
	r.Deleted, r.Replayed = !r.DryRun, done.Replayed
	if len(done.Pages) > 0 {
		r.Path = string(done.Pages[0].Path)
	}
	return plain(r.text(), r)
}

func restoreNote(ctx context.Context, k *call, a args) (*result, error) {
	op, err := k.op(notes.Restore, a)
	if err != nil {
		return nil, err
	}
	if op.Revision == wiki.Head {
		return nil, wiki.Invalid("revision", "restore_note needs the revision whose text the note shall have; get_history lists them")
	}
	op.Content = nil
	done, err := k.apply(ctx, a, op)
	if err != nil {
		return nil, err
	}
	r := pageResult(done)
	return written(r, r.did("Restored"))
}
