package api

import (
	"errors"
	"slices"
	"strings"

	"wikibot/api/rest"
	"wikibot/notes"
	"wikibot/wiki"
)

// common are the fields that every write takes.
type common struct {
	CommitMessage string `json:"commit_message" doc:"Empty: one that names what was done."`
}

// based are the fields of a write that is based on a state of the page.
type based struct {
	Revision string `json:"revision" doc:"The page's revision that you have read. What is stale is 409 with both texts."`
	Merge    bool   `json:"merge" doc:"Where the page has changed since revision, merge line by line."`
}

// apply makes the commit, counted before.
func (k *call) apply(message string, dry bool, ops ...notes.Op) (*notes.Applied, error) {
	key, err := k.idempotencyKey()
	if err != nil {
		return nil, err
	}
	done, err := k.Notes.Apply(k.ctx, k.caller, k.slug, notes.ApplyRequest{Ops: ops, Message: message, Key: key, DryRun: dry})
	if err != nil {
		return nil, err
	}
	if done.Replayed {
		k.w.Header().Set("Idempotent-Replayed", "true")
	}
	return done, nil
}

// idempotencyKey is the header Idempotency-Key, with or without the quotes of a
// structured field (draft-ietf-httpapi-idempotency-key-header).
func (k *call) idempotencyKey() (string, error) {
	values := k.r.Header.Values("Idempotency-Key")
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1:
		return "", wiki.Invalid("Idempotency-Key", "the header Idempotency-Key is there more than once: send one")
	}
	key := strings.TrimSpace(values[0])
	if len(key) >= 2 && key[0] == '"' && key[len(key)-1] == '"' {
		key = key[1 : len(key)-1]
	}
	if key == "" || len(key) > notes.MaxKey {
		return "", wiki.Invalid("Idempotency-Key", "the header Idempotency-Key must have 1 to %d characters, a random one for each new request", notes.MaxKey)
	}
	return key, nil
}

// expected is the revision that a write is based on: the field, or If-Match. by is
// true where it was If-Match: what is stale is then a 412, and is not merged.
func (k *call) expected(field string) (rev wiki.Revision, by bool, err error) {
	if rev, err = wiki.ParseRevision(field); err != nil {
		return "", false, err
	}
	tags, any := rest.Tags(k.r, "If-Match")
	if any {
		if _, ok := k.head.Page(string(k.page)); !ok {
			return "", true, rest.Precondition(&wiki.Conflict{Path: k.page, Text: "If-Match: * asks for a page that exists, and there is none here"})
		}
	}
	if len(tags) == 0 {
		return rev, false, nil
	}
	if len(tags) > 1 {
		return "", true, wiki.Invalid("If-Match", "give one revision in If-Match")
	}
	tag, err := wiki.ParseRevision(tags[0])
	if err != nil || tag == "" {
		return "", true, wiki.Invalid("If-Match", "If-Match must be the ETag of the page: its revision in quotes")
	}
	if rev != "" && !rev.Matches(tag) && !tag.Matches(rev) {
		return "", true, wiki.Invalid("revision", "revision and If-Match name different revisions: send one of them")
	}
	return tag, true, nil
}

// fresh checks If-Match against what is there now, for operations that do not look
// at a revision by themselves.
func (k *call) fresh(now func() (string, error)) error {
	tags, any := rest.Tags(k.r, "If-Match")
	if len(tags) == 0 && !any {
		return nil
	}
	tag, err := now()
	switch {
	case errors.Is(err, wiki.ErrNotFound):
	case err != nil:
		return err
	case any || slices.ContainsFunc(tags, func(t string) bool { return len(t) >= 7 && strings.HasPrefix(tag, strings.ToLower(t)) }):
		return nil
	}
	return rest.Precondition(&wiki.Conflict{Path: k.page, Current: wiki.Revision(tag), Text: "If-Match does not name the present state: read it again"})
}

// creating reports whether the page must not exist yet (If-None-Match: *).
func (k *call) creating() bool {
	_, any := rest.Tags(k.r, "If-None-Match")
	return any
}

// judged is an error of a write whose condition was a header.
func judged(err error, byHeader bool) error {
	if byHeader {
		return rest.Precondition(err)
	}
	return err
}

type putRequest struct {
	Content *string `json:"content" need:"yes" doc:"The page's whole text, with its frontmatter."`
	based
	Create bool `json:"create" doc:"The page must not exist yet, else 409."`
	common
}

type writeAnswer struct {
	Name      string  `json:"name"`
	Path      string  `json:"path"`
	Revision  string  `json:"revision" doc:"The page's revision now."`
	Merged    bool    `json:"merged,omitempty" doc:"The page had changed meanwhile, and both changes are in it."`
	Content   *string `json:"content,omitempty" doc:"Of a merge: the resulting text."`
	Unchanged bool    `json:"unchanged,omitempty" doc:"The page has this text already, no commit was made."`
}

type putAnswer struct {
	writeAnswer
	Created bool `json:"created"`
}

func (k *call) putPage() (reply, error) {
	var in putRequest
	if err := k.readPut(&in); err != nil {
		return reply{}, err
	}
	if in.Content == nil {
		return reply{}, wiki.Invalid("content", "content is missing: send the page's whole text as {\"content\": \"…\"}")
	}
	rev, byHeader, err := k.expected(in.Revision)
	if err != nil {
		return reply{}, err
	}
	absent := k.creating()
	done, err := k.apply(in.CommitMessage, false, notes.Op{
		Do: notes.Write, Path: k.page, Content: []byte(*in.Content), Revision: rev,
		Merge: in.Merge && !byHeader, Create: in.Create || absent,
	})
	if err != nil {
		return reply{}, judged(err, byHeader || absent)
	}
	p, err := only(done)
	if err != nil {
		return reply{}, err
	}
	a := putAnswer{writeAnswer: written(p, done), Created: p.Created}
	if a.Created {
		k.w.Header().Set("Location", k.Addresses.API(k.slug)+"/pages/"+PagePath(p.Path))
		return reply{status: 201, tag: a.Revision, body: a}, nil
	}
	return reply{tag: a.Revision, body: a}, nil
}

// readPut reads the body of a PUT: JSON, or the page as it is, with the other fields
// in the query.
func (k *call) readPut(in *putRequest) (err error) {
	if !rest.IsMarkdown(k.r) {
		return k.codec.Read(k.w, k.r, in)
	}
	body, err := k.codec.Body(k.w, k.r)
	if err != nil {
		return err
	}
	text := string(body)
	in.Content = &text
	in.CommitMessage, in.Revision = k.query.Get("commit_message"), k.query.Get("revision")
	if in.Merge, err = k.flag("merge"); err != nil {
		return err
	}
	in.Create, err = k.flag("create")
	return err
}

// only is what was done to the one page that a request was about.
func only(done *notes.Applied) (notes.PageDone, error) {
	if len(done.Pages) == 0 {
		return notes.PageDone{}, errors.New("a write tells of no page")
	}
	return done.Pages[0], nil
}

func written(p notes.PageDone, done *notes.Applied) writeAnswer {
	a := writeAnswer{Name: p.Name, Path: string(p.Path), Revision: string(p.Revision), Merged: p.Merged, Unchanged: done.Unchanged}
	if p.Merged {
		s := string(p.Content)
		a.Content = &s
	}
	return a
}

type deleteRequest struct {
	common
	Revision string `json:"revision" doc:"The page must not have changed since."`
	Folder   bool   `json:"folder" doc:"Attachments and sub-pages as well."`
	DryRun   bool   `json:"dry_run" doc:"Say what would be done, and do nothing."`
}

type deleteAnswer struct {
	Deleted  bool     `json:"deleted"`
	Path     string   `json:"path"`
	Revision string   `json:"revision,omitempty" doc:"The commit that deleted it."`
	Also     []string `json:"also,omitempty" doc:"With folder: the other pages that went."`
	DryRun   bool     `json:"dry_run,omitempty"`
}

func (k *call) deletePage() (reply, error) {
	var in deleteRequest
	if err := k.codec.Read(k.w, k.r, &in); err != nil {
		return reply{}, err
	}
	rev, byHeader, err := k.expected(in.Revision)
	if err != nil {
		return reply{}, err
	}
	done, err := k.apply(in.CommitMessage, in.DryRun, notes.Op{Do: notes.Delete, Path: k.page, Revision: rev, Folder: in.Folder})
	if err != nil {
		return reply{}, judged(err, byHeader)
	}
	a := deleteAnswer{Deleted: !in.DryRun, Path: string(k.page), Revision: string(done.Commit), DryRun: in.DryRun}
	for i, p := range done.Pages {
		if p.Path.Fold() == k.page.Fold() || i == 0 && !in.Folder {
			a.Path = string(p.Path)
		} else if p.Deleted {
			a.Also = append(a.Also, string(p.Path))
		}
	}
	return reply{body: a}, nil
}

type renameRequest struct {
	NewPath string `json:"new_path" need:"yes"`
	common
	Revision   string `json:"revision" doc:"The page must not have changed since."`
	KeepLinks  bool   `json:"keep_links" doc:"Leave the links of other pages as they are."`
	NoRedirect bool   `json:"no_redirect" doc:"Leave no redirect at the old name."`
	NoFolder   bool   `json:"no_folder" doc:"Leave attachments and sub-pages where they are."`
	DryRun     bool   `json:"dry_run" doc:"Say what would be done, and do nothing."`
}

type renameAnswer struct {
	OldPath      string   `json:"old_path"`
	NewPath      string   `json:"new_path"`
	Revision     string   `json:"revision" doc:"Empty of a dry run."`
	UpdatedPages []string `json:"updated_pages" doc:"Pages whose links were rewritten."`
	Moved        []string `json:"moved,omitempty" doc:"Sub-pages that moved with it, under their new names."`
	DryRun       bool     `json:"dry_run,omitempty"`
}

func (k *call) renamePage() (reply, error) {
	var in renameRequest
	if err := k.codec.Read(k.w, k.r, &in); err != nil {
		return reply{}, err
	}
	if in.NewPath == "" {
		return reply{}, wiki.Invalid("new_path", "new_path is missing: give the page's new path")
	}
	to, err := wiki.ParsePagePath(in.NewPath)
	if err != nil {
		return reply{}, err
	}
	rev, byHeader, err := k.expected(in.Revision)
	if err != nil {
		return reply{}, err
	}
	done, err := k.apply(in.CommitMessage, in.DryRun, notes.Op{
		Do: notes.Rename, Path: k.page, NewPath: to, Revision: rev, KeepLinks: in.KeepLinks, NoRedirect: in.NoRedirect, NoFolder: in.NoFolder,
	})
	if err != nil {
		return reply{}, judged(err, byHeader && !errors.Is(err, wiki.ErrExists))
	}
	a := renameAnswer{OldPath: string(k.page), NewPath: string(to), Revision: string(done.Commit), UpdatedPages: texts(done.Updated), DryRun: in.DryRun}
	for _, p := range done.Pages {
		switch {
		case p.Path == to:
			if p.From != "" {
				a.OldPath = string(p.From)
			}
		case p.From != "":
			a.Moved = append(a.Moved, string(p.Path))
		}
	}
	return reply{body: a}, nil
}

type restoreRequest struct {
	Revision string `json:"revision" need:"yes" doc:"The commit whose text of the page comes back."`
	common
}

func (k *call) restorePage() (reply, error) {
	var in restoreRequest
	if err := k.codec.Read(k.w, k.r, &in); err != nil {
		return reply{}, err
	}
	rev, err := wiki.ParseRevision(in.Revision)
	if err != nil {
		return reply{}, err
	}
	err = k.fresh(func() (string, error) {
		n, err := k.Notes.Read(k.ctx, k.head, notes.ReadRequest{Path: k.page, NoLinks: true})
		if err != nil {
			return "", err
		}
		return string(n.Revision), nil
	})
	if err != nil {
		return reply{}, err
	}
	done, err := k.apply(in.CommitMessage, false, notes.Op{Do: notes.Restore, Path: k.page, Revision: rev})
	if err != nil {
		return reply{}, err
	}
	p, err := only(done)
	if err != nil {
		return reply{}, err
	}
	return reply{tag: string(p.Revision), body: written(p, done)}, nil
}
