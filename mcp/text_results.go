package mcp

import (
	"fmt"
	"strings"
	"unicode"
)

// The texts of the tools that agents know from elsewhere, to the letter.

func (r *noteResult) text() string {
	out := []string{"# " + line(r.Name), "Path: " + line(r.Path)}
	if r.Revision != "" {
		out = append(out, "Revision: "+r.Revision)
	}
	if r.Section != "" {
		out = append(out, "Section: "+line(r.Section))
	}
	if props := r.Frontmatter.header(); props != "" {
		out = append(out, props)
	}
	if len(r.LinksTo) > 0 {
		out = append(out, "Links to: "+linked(r.LinksTo))
	}
	if len(r.LinkedFrom) > 0 {
		out = append(out, "Linked from: "+linked(r.LinkedFrom))
	}
	return strings.Join(append(out, "", "---", r.Content), "\n")
}

// maxLinked is how many links of each direction a note's header names.
const maxLinked = 200

func linked(list []string) string {
	if n := len(list) - maxLinked; n > 0 {
		return strings.Join(lines(list[:maxLinked]), ", ") + fmt.Sprintf(" and %d more (get_links has all)", n)
	}
	return strings.Join(lines(list), ", ")
}

// header is the line of a note's frontmatter: "Category: x | Tags: a, b". The title
// is left out, it is the note's name already; and so is every key that would look
// like another line of the header, such as "revision".
func (f frontmatter) header() string {
	var parts []string
	for _, p := range f {
		value := strings.TrimSpace(strings.Join(lines(p.Values), ", "))
		key := headerKey(p.Key)
		if key == "" || value == "" {
			continue
		}
		parts = append(parts, key+": "+lineOf(value, maxHeader))
	}
	return lineOf(strings.Join(parts, " | "), 4*maxHeader)
}

// headerKey is a frontmatter key as the header shows it ("last_updated" is "Last
// Updated"), or nothing for one that may not stand there.
func headerKey(key string) string {
	words := strings.Fields(strings.ReplaceAll(lineOf(key, 100), "_", " "))
	name := strings.ToLower(strings.Join(words, " "))
	switch name {
	case "", "title", "path", "revision", "section", "links to", "linked from":
		return ""
	}
	if r := []rune(name)[0]; !unicode.IsLetter(r) && !unicode.IsDigit(r) {
		return ""
	}
	if strings.ContainsAny(name, ":|") {
		return ""
	}
	for i, w := range words {
		r := []rune(strings.ToLower(w))
		r[0] = unicode.ToTitle(r[0])
		words[i] = string(r)
	}
	return strings.Join(words, " ")
}

// filter is one condition of a list as its header names it.
type filter struct{ name, value string }

func listText(r *listResult, filters []filter) string {
	var by []string
	for _, f := range filters {
		if f.value != "" {
			by = append(by, f.name+"="+line(f.value))
		}
	}
	head := fmt.Sprintf("Found %d notes", r.Total)
	if len(by) > 0 {
		head += " matching " + strings.Join(by, ", ")
	}
	out := []string{head + ":"}
	if len(r.Notes) > 0 {
		out = append(out, "")
	}
	for _, n := range r.Notes {
		out = append(out, n.text())
	}
	return strings.Join(out, "\n")
}

func (n *noteItem) text() string {
	var meta []string
	if n.Category != nil {
		meta = append(meta, "category: "+line(*n.Category))
	}
	if len(n.Tags) > 0 {
		meta = append(meta, "tags: "+line(strings.Join(lines(n.Tags), ", ")))
	}
	if n.LastUpdated != nil {
		meta = append(meta, "last updated: "+line(*n.LastUpdated))
	}
	if len(meta) == 0 {
		return fmt.Sprintf("- %s (no metadata)", line(n.Path))
	}
	return fmt.Sprintf("- %s (%s, %d words)", line(n.Path), strings.Join(meta, ", "), n.Words)
}

func (r *searchResult) text() string {
	out := []string{fmt.Sprintf("%d results for \"%s\":", r.Total, line(r.Query))}
	for i, hit := range r.Results {
		out = append(out, "", fmt.Sprintf("%d. %s (score: %.2f)", i+1, line(hit.Path), hit.Score))
		if hit.Snippet != "" {
			out = append(out, indent(strings.TrimSpace(hit.Snippet), 3))
		}
	}
	return strings.Join(out, "\n")
}

func (r *semanticResult) text() string {
	out := []string{fmt.Sprintf("%d results for \"%s\":", r.Total, line(r.Query))}
	for i, hit := range r.Results {
		out = append(out, "", fmt.Sprintf("%d. %s (distance: %.2f) [%d/%d] — %d words", i+1, line(hit.Path), hit.Distance, hit.Chunk+1, hit.Chunks, hit.Words))
		if hit.Section != "" {
			out = append(out, "   Section: "+line(hit.Section))
		}
		if hit.Text != "" {
			out = append(out, indent(strings.TrimSpace(hit.Text), 3))
		}
	}
	return strings.Join(out, "\n")
}

func (r *linksResult) text() string {
	out := []string{fmt.Sprintf("Links for %s:", line(r.Path)), ""}
	out = append(out, fmt.Sprintf("Links to (%d):", len(r.LinksTo)))
	out = append(out, items(r.LinksTo, "  - ", "  (none)")...)
	out = append(out, fmt.Sprintf("Linked from (%d):", len(r.LinkedFrom)))
	out = append(out, items(r.LinkedFrom, "  - ", "  (none)")...)
	return strings.Join(out, "\n")
}

// items are the lines of a list, or one that says that it is empty.
func items(list []string, mark, none string) []string {
	if len(list) == 0 && none != "" {
		return []string{none}
	}
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = mark + line(s)
	}
	return out
}

func (r *historyResult) text() string {
	if len(r.History) == 0 {
		return fmt.Sprintf("No history for %s.", line(r.Path))
	}
	out := []string{fmt.Sprintf("History for %s (%d revisions):", line(r.Path), len(r.History)), ""}
	for _, c := range r.History {
		out = append(out, fmt.Sprintf("- %s | %s | %s", short(c.Revision), c.Date, line(c.Author)))
		out = append(out, message(c)...)
	}
	return strings.Join(out, "\n")
}

func (r *changesResult) text() string {
	out := []string{fmt.Sprintf("%d recent changes:", r.Total)}
	if len(r.Entries) > 0 {
		out = append(out, "")
	}
	for _, e := range r.Entries {
		out = append(out, fmt.Sprintf("- %s | %s | %s", e.Date, line(e.Author), strings.Join(lines(e.Pages), ", ")))
		out = append(out, message(e.commitInfo)...)
	}
	return strings.Join(out, "\n")
}

// message is a commit's message below its line.
func message(c commitInfo) []string {
	if m := strings.TrimSpace(c.Message); m != "" {
		return []string{indent(m, 2)}
	}
	return nil
}

// short is the first eight digits of a revision.
func short(revision string) string { return revision[:min(8, len(revision))] }

func (r *writeResult) text() string {
	did := "Updated"
	if r.Created {
		did = "Created"
	}
	return r.did(did)
}

func (r *writeResult) did(did string) string {
	return fmt.Sprintf("%s %s (revision: %s)", did, line(r.Path), short(r.Revision))
}

func (r *renameResult) text() string {
	if r.DryRun {
		out := []string{fmt.Sprintf("Would rename %s -> %s; nothing was changed.", line(r.OldPath), line(r.NewPath))}
		if len(r.Updated) == 0 {
			return out[0] + "\nNo backreferences would need updating."
		}
		out = append(out, fmt.Sprintf("Would update %d backreferences:", len(r.Updated)))
		return strings.Join(append(out, items(r.Updated, "  - ", "")...), "\n")
	}
	out := []string{fmt.Sprintf("Renamed %s -> %s (revision: %s)", line(r.OldPath), line(r.NewPath), short(r.Revision))}
	if len(r.Updated) == 0 {
		return out[0] + "\nNo backreferences needed updating."
	}
	out = append(out, fmt.Sprintf("Updated %d backreferences:", len(r.Updated)))
	return strings.Join(append(out, items(r.Updated, "  - ", "")...), "\n")
}

func (r *deleteResult) text() string {
	if !r.DryRun {
		return "Deleted " + line(r.Path)
	}
	out := []string{fmt.Sprintf("Would delete %s; nothing was changed.", line(r.Path))}
	if len(r.LinkedFrom) == 0 {
		return out[0] + "\nNo other note links to it."
	}
	out = append(out, fmt.Sprintf("Links in %d notes would lead nowhere:", len(r.LinkedFrom)))
	return strings.Join(append(out, items(r.LinkedFrom, "  - ", "")...), "\n")
}

func (r *orphansResult) text() string {
	if r.Total == 0 {
		return "No orphaned notes found. All pages have at least one incoming link."
	}
	out := []string{fmt.Sprintf("Found %d orphaned notes (no incoming links from any other page):", r.Total), ""}
	return strings.Join(append(out, items(r.Notes, "- ", "")...), "\n")
}

func (r *attachmentsResult) text() string {
	out := []string{fmt.Sprintf("Attachments for %s (%d):", line(r.Path), r.Total), ""}
	if len(r.Attachments) == 0 {
		out = append(out, "  (no attachments)")
	}
	for _, a := range r.Attachments {
		detail := fmt.Sprintf("%d bytes, %s", a.Size, line(a.MIME))
		if a.Modified != "" {
			detail += ", modified " + line(a.Modified)
		}
		out = append(out, fmt.Sprintf("- %s (%s)", line(a.Filename), detail))
	}
	return strings.Join(out, "\n")
}

func (r *uploadResult) text() string {
	return fmt.Sprintf("Uploaded %s to %s (%d bytes)", line(r.Filename), line(r.Path), r.Size)
}

func (r *downloadResult) text() string {
	return fmt.Sprintf("Downloaded %s (%d bytes, %s)\nContent (base64):\n%s", line(r.Filename), r.Size, line(r.MIME), r.Content)
}

func (r *detachResult) text() string {
	return "Deleted attachment " + line(r.Filename)
}
