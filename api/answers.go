package api

import (
	"encoding/json"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/notes"
	"wikibot/wiki"
)

// The answers, as they stand in JSON. The description of the interface is made from
// these types, see package openapi for the tags.

type healthAnswer struct {
	Status string `json:"status" enum:"ok"`
}

type pageItem struct {
	Name          string   `json:"name" doc:"The frontmatter's title, else the last segment of the path."`
	Path          string   `json:"path" example:"Design/Auth"`
	Category      *string  `json:"category" doc:"Of the frontmatter; null: none."`
	Tags          []string `json:"tags"`
	LastUpdated   *string  `json:"last_updated" format:"date" doc:"Date of the last commit that touched the page; null while history is being read."`
	ContentLength int      `json:"content_length" doc:"In words, without the frontmatter."`
	Size          int64    `json:"size" doc:"In bytes."`
}

type pageList struct {
	Pages  []pageItem `json:"pages"`
	Total  int        `json:"total" doc:"Pages that match, in this part and the others."`
	Cursor string     `json:"cursor,omitempty" doc:"The parameter cursor of the following part; absent at the end."`
}

type lastCommit struct {
	Revision string    `json:"revision"`
	Author   string    `json:"author"`
	Date     time.Time `json:"date"`
	Message  string    `json:"message"`
}

type commitItem struct {
	lastCommit
	Actor string `json:"actor,omitempty" doc:"Whom the server knows to have brought it in; absent of imported history."`
	Agent string `json:"agent,omitempty" doc:"The program that wrote on the person's behalf."`
	Via   string `json:"via,omitempty" enum:"web,api,mcp,https,ssh,cli"`
}

type pageAnswer struct {
	Name        string          `json:"name"`
	Path        string          `json:"path"`
	Content     string          `json:"content" doc:"Raw Markdown with its frontmatter; with the parameter section, that section."`
	Frontmatter json.RawMessage `json:"frontmatter" type:"object,null" doc:"The frontmatter as an object, with the types that YAML gives its values; null: none."`
	LinksTo     []string        `json:"links_to" doc:"Pages that it links to in the order of the text, also those that do not exist. Links are those of the newest state."`
	LinkedFrom  []string        `json:"linked_from"`
	Revision    string          `json:"revision" doc:"The last commit that touched the page: send it with a change."`
	LastCommit  commitItem      `json:"last_commit"`
	Words       int             `json:"words"`
	Section     string          `json:"section,omitempty" doc:"Full path of the section that content is."`
	MovedFrom   string          `json:"moved_from,omitempty" doc:"The name that was asked for, where the page was renamed."`
	Cut         *cutInfo        `json:"cut,omitempty" doc:"Content is only a beginning, because all of it did not fit into the budget."`
}

type cutInfo struct {
	Chars int      `json:"chars" doc:"Characters of the whole page."`
	Rest  []string `json:"rest" doc:"Sections that are not there to their end."`
}

type manyAnswer struct {
	Pages []pageAnswer `json:"pages"`
	Left  []leftPage   `json:"left" doc:"Pages that are not here, and why."`
}

type leftPage struct {
	Path   string `json:"path"`
	Reason string `json:"reason" enum:"missing,over_budget"`
	Chars  int    `json:"chars" doc:"Of the page; 0 where it does not exist."`
	Error  string `json:"error" doc:"Why, and the next step."`
}

type outlineAnswer struct {
	Name      string        `json:"name"`
	Path      string        `json:"path"`
	Revision  string        `json:"revision"`
	Words     int           `json:"words"`
	Size      int           `json:"size" doc:"In bytes."`
	Sections  []sectionItem `json:"sections"`
	MovedFrom string        `json:"moved_from,omitempty"`
}

type sectionItem struct {
	Path   string `json:"path" doc:"As the parameter section and section edits take it." example:"Design > Storage"`
	Level  int    `json:"level" min:"1" max:"6"`
	Line   int    `json:"line"`
	Words  int    `json:"words"`
	Anchor string `json:"anchor"`
}

type historyAnswer struct {
	Path    string       `json:"path"`
	History []changeItem `json:"history" doc:"Newest first, across renames."`
	Cursor  string       `json:"cursor,omitempty"`
}

type changeItem struct {
	commitItem
	Kind string `json:"kind" enum:"added,modified,deleted,renamed"`
	Path string `json:"path" doc:"The name that the page had then."`
	From string `json:"from,omitempty" doc:"The name before a rename."`
}

type changelogAnswer struct {
	Entries []changelogEntry `json:"entries" doc:"Newest first."`
	Total   int              `json:"total" doc:"Entries of this part."`
	Cursor  string           `json:"cursor,omitempty" doc:"With a filter a part may be short, or empty, and more follow."`
}

type changelogEntry struct {
	commitItem
	PagesAffected []string `json:"pages_affected"`
}

type fileItem struct {
	Path string `json:"path" doc:"Of the page, or of the attachment."`
	Kind string `json:"kind" enum:"added,modified,deleted,renamed"`
	From string `json:"from,omitempty" doc:"The path before a rename."`
}

type commitDetail struct {
	commitItem
	Parents []string   `json:"parents"`
	Pages   []fileItem `json:"pages" doc:"The pages that it changed."`
	Files   []fileItem `json:"files" doc:"The attachments that it changed."`
	Diff    string     `json:"diff,omitempty" doc:"With the parameter diff: the changes in git's format."`
}

type diffAnswer struct {
	Path    string `json:"path,omitempty"`
	From    string `json:"from" doc:"Revision; empty of the first commit."`
	To      string `json:"to"`
	Added   int    `json:"added" doc:"Lines."`
	Removed int    `json:"removed" doc:"Lines."`
	Diff    string `json:"diff" doc:"Unified, in git's format."`
	More    int    `json:"more,omitempty" doc:"Files that are not shown."`
}

func texts[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = string(s)
	}
	return out
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func dateOf(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return orNull(t.UTC().Format(time.DateOnly))
}

func message(c wiki.Commit) string {
	if c.Body == "" {
		return c.Subject
	}
	return c.Subject + "\n\n" + strings.TrimSpace(c.Body)
}

func commitOf(c wiki.Commit) commitItem {
	return commitItem{
		lastCommit: lastCommit{Revision: string(c.Revision), Author: c.Author, Date: c.Date, Message: message(c)},
		Actor:      string(c.Actor), Agent: c.Agent, Via: string(c.Via),
	}
}

func kindOf(k wiki.ChangeKind) string {
	switch k {
	case wiki.Added:
		return "added"
	case wiki.Deleted:
		return "deleted"
	case wiki.Renamed:
		return "renamed"
	}
	return "modified"
}

// changesOf are the pages and the attachments that a commit changed, as people name
// them. Files of a wiki that are neither are left out.
func changesOf(changes []wiki.FileChange) (pages, files []fileItem) {
	pages, files = []fileItem{}, []fileItem{}
	for _, f := range changes {
		item := fileItem{Path: named(f.File), Kind: kindOf(f.Kind)}
		if f.From != "" {
			item.From = named(f.From)
		}
		switch {
		case f.Page != "":
			pages = append(pages, item)
		case item.Path != "":
			files = append(files, item)
		}
	}
	return pages, files
}

// named is a page's or an attachment's file as people name it; empty where it is
// neither.
func named(file string) string {
	if p, ok := wiki.PageOfFile(file); ok {
		return string(p)
	}
	f, _ := wiki.PathOfFile(file)
	return string(f)
}

// pagesOf are the pages that a commit changed.
func pagesOf(changes []wiki.FileChange) []string {
	out := []string{}
	for _, f := range changes {
		if f.Page != "" {
			out = append(out, string(f.Page))
		}
	}
	return out
}

// noteOf is a page as it is answered; whole is its text where Content is only a part.
func noteOf(n *notes.Note, whole []byte) pageAnswer {
	a := pageAnswer{
		Name: n.Name, Path: string(n.Path), Content: string(n.Content), Frontmatter: frontmatter(whole, n.Frontmatter),
		LinksTo: texts(n.LinksTo), LinkedFrom: texts(n.LinkedFrom), Revision: string(n.Revision), LastCommit: commitOf(n.Last),
		Words: n.Words, Section: n.Section, MovedFrom: string(n.MovedFrom),
	}
	if n.Cut != nil {
		a.Cut = &cutInfo{Chars: n.Cut.Chars, Rest: append([]string{}, n.Cut.Rest...)}
	}
	return a
}

func diffOf(p wiki.PagePath, text string, d gitstore.Diff) diffAnswer {
	a := diffAnswer{Path: string(p), From: string(d.From.Revision), To: string(d.To.Revision), Diff: text, More: d.More}
	for _, f := range d.Files {
		a.Added += f.Added
		a.Removed += f.Removed
	}
	return a
}
