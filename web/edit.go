package web

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"wikibot/acl"
	"wikibot/gitstore"
	"wikibot/markdown"
	"wikibot/merge"
	"wikibot/wiki"
)

// editView is the form in which a text is written. Nothing that was typed is
// ever lost: every answer carries the text back.
type editView struct {
	frame
	Content  string
	Base     wiki.Revision // what the text began from; empty: the page is new
	Message  string
	New      bool
	Template wiki.PagePath // what a new text began with
	FromOld  *wiki.Commit  // the text began with that revision's
	Error    string
	Preview  *rendered
	Changes  []merge.Hunk // between what is saved and the text; set by a preview
	Conflict *conflictView
	MaxPage  int64
	Help     string
}

// conflictView is both sides of a save that met a newer text.
type conflictView struct {
	Text     string
	Why      string // shown also where there are markers
	Yours    string
	Mine     []merge.Hunk // base or current → yours
	Current  []merge.Hunk // base → current
	Deleted  bool         // the page is gone
	Markers  int
	Revision wiki.Revision
}

// formSlack is what a form takes besides its text; the text itself may triple
// in size by percent-encoding.
const formSlack = 64 << 10

// edit shows the editor, or takes its text: "save", or "preview" without
// script.
func (q *request) edit(p wiki.PagePath) error {
	err := q.mayWrite()
	switch {
	case q.isPost() && (err == nil || q.can.Frozen != ""):
		return q.editPost(p) // the store refuses, and what was typed comes back with its reason
	case err != nil:
		return err
	}
	if real, ok := q.view.Page(string(p)); ok && real != p {
		return q.redirect(q.keepQuery(q.links().View("edit", real)))
	}
	d, err := q.editor(p)
	if err != nil {
		return err
	}
	if err := q.begin(d, p); err != nil {
		return err
	}
	return q.show(http.StatusOK, "edit", d)
}

// mayWrite refuses early, before anybody types a text that cannot be saved.
func (q *request) mayWrite() error {
	if q.can.Write {
		return nil
	}
	if q.can.Frozen != "" {
		return q.view.May(acl.Write)
	}
	if q.caller.Anonymous() {
		return &wiki.Error{Kind: wiki.ErrUnauthenticated, Text: q.texts.get("error.sign_in_to_write")}
	}
	return wiki.Forbidden("%s", q.texts.get("error.may_not_write", q.caller.Name()))
}

// editor makes the form's frame.
func (q *request) editor(p wiki.PagePath) (*editView, error) {
	d := &editView{frame: q.frame("edit", q.texts.get("edit.title", string(p)), p), MaxPage: q.MaxPage}
	d.Editor, d.New = true, !d.Exists
	return d, nil
}

// begin fills the form with the text to start from: the page, one of its old
// revisions, or for a new page the folder's template.
func (q *request) begin(d *editView, p wiki.PagePath) error {
	rev, err := q.revision("revision")
	if err != nil {
		return err
	}
	if !d.Exists {
		return q.beginNew(d, p, rev)
	}
	page, err := q.view.ReadPage(p)
	if err != nil {
		return err
	}
	last, err := q.view.Last(q.r.Context(), p)
	if err != nil {
		return err
	}
	d.Base = last.Revision
	if rev != wiki.Head {
		if page, err = q.readOld(d, p, rev); err != nil {
			return err
		}
	}
	if !utf8.Valid(page.Content) {
		return wiki.Invalid("content", "%s", q.texts.get("edit.not_text", string(p)))
	}
	d.Content = lines(page.Content)
	return nil
}

func (q *request) readOld(d *editView, p wiki.PagePath, rev wiki.Revision) (wiki.Page, error) {
	old, err := q.view.At(q.r.Context(), rev)
	if err != nil {
		return wiki.Page{}, err
	}
	commit, err := q.view.Commit(q.r.Context(), old.Head())
	if err != nil {
		return wiki.Page{}, err
	}
	d.FromOld = &commit
	d.Message = q.texts.get("edit.message_old", string(p), commit.Revision.Short())
	return old.ReadPage(p)
}

// beginNew starts a page from the nearest _Template page, else with its title
// as a heading. In a template, {{title}} and {{path}} are filled in.
func (q *request) beginNew(d *editView, p wiki.PagePath, rev wiki.Revision) error {
	if rev != wiki.Head {
		page, err := q.readOld(d, p, rev)
		d.Content = lines(page.Content)
		return err
	}
	d.Content = "# " + p.Name() + "\n\n"
	for dir := p.Parent(); ; dir = dir.Parent() {
		at := "_Template"
		if dir != "" {
			at = string(dir) + "/" + at
		}
		if real, ok := q.view.Page(at); ok {
			page, err := q.view.ReadPage(real)
			if err != nil {
				return err
			}
			d.Template = real
			d.Content = strings.NewReplacer("{{title}}", p.Name(), "{{path}}", string(p), "{{date}}", q.Now().UTC().Format("2006-01-02")).Replace(lines(page.Content))
			return nil
		}
		if dir == "" {
			return nil
		}
	}
}

// lines is a text with line ends as a browser's text area has them.
func lines(b []byte) string { return string(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))) }

// typed is the text of a form as it is saved: "\n" at the end of every line,
// the last included.
func typed(s string) []byte {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return []byte(s)
}

func (q *request) editPost(p wiki.PagePath) error {
	if err := q.readForm(q.MaxPage*3 + formSlack); err != nil {
		return err
	}
	base, err := wiki.ParseRevision(q.r.PostForm.Get("base"))
	if err != nil {
		return err
	}
	d, err := q.editor(p)
	if err != nil {
		return err
	}
	text := typed(q.r.PostForm.Get("content"))
	d.Content, d.Base = string(text), base
	d.Message = strings.TrimSpace(q.r.PostForm.Get("message"))
	if q.r.PostForm.Get("action") == "preview" {
		return q.showPreview(d, p, text)
	}
	if int64(len(text)) > q.MaxPage {
		d.Error = q.texts.get("edit.too_large", byteSize(int64(len(text))-q.MaxPage), byteSize(q.MaxPage))
		return q.show(http.StatusRequestEntityTooLarge, "edit", d)
	}
	return q.save(d, p, text)
}

// save writes the text as it was based on d.Base. A page that changed meanwhile
// is merged; where that is not possible both sides are shown and the text can
// be saved again, based on what is there now.
func (q *request) save(d *editView, p wiki.PagePath, text []byte) error {
	meta := gitstore.Meta{Message: d.Message, Key: q.r.PostForm.Get("key")}
	if q.view == nil {
		return wiki.NotFound("%s", q.texts.get("error.nothing_here"))
	}
	res, err := q.Store.Update(q.r.Context(), q.caller, q.slug, meta, func(tx *gitstore.Tx) error {
		return tx.Put(p, q.keepLineEnds(p, text), gitstore.PutOptions{Expect: d.Base, Create: d.Base == wiki.Head, Merge: true})
	})
	var conflict *wiki.Conflict
	switch {
	case errors.As(err, &conflict):
		d.conflict(conflict, text)
		return q.show(http.StatusConflict, "edit", d)
	case errors.Is(err, wiki.ErrExists):
		return q.saveOverNew(d, p, text)
	case err != nil:
		code, key := status(err)
		if code == http.StatusInternalServerError {
			return err
		}
		told, faults := q.errorText(err, code)
		d.Error = strings.TrimSpace(q.texts.get(key) + ": " + told + strings.Join(faults, "\n"))
		if code == http.StatusServiceUnavailable {
			q.w.Header().Set("Retry-After", "10")
		}
		return q.show(code, "edit", d)
	}
	return q.redirect(savedAt(q.links(), p, res))
}

// savedAt is where the browser goes after a save, with the message to show.
func savedAt(l links, p wiki.PagePath, res gitstore.Result) string {
	key := "saved"
	if res.Unchanged {
		key = "unchanged"
	}
	if len(res.Pages) > 0 {
		r := res.Pages[0]
		p = r.Path
		switch {
		case r.Merged:
			key = "merged"
		case r.From != "" && r.From != r.Path:
			key = "followed"
		case r.Created:
			key = "created"
		}
	}
	return done(l.Page(p), key)
}

// keepLineEnds gives the text the line ends that the page has: a text area
// turns all of them into "\n", and an edit must not touch every line.
func (q *request) keepLineEnds(p wiki.PagePath, text []byte) []byte {
	page, err := q.view.ReadPage(p)
	if err != nil || bytes.Count(page.Content, []byte("\r\n")) <= bytes.Count(page.Content, []byte("\n"))/2 {
		return text
	}
	return bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
}

// saveOverNew shows what somebody else created under the name meanwhile as the
// other side of a conflict.
func (q *request) saveOverNew(d *editView, p wiki.PagePath, text []byte) error {
	v, err := q.Store.View(q.r.Context(), q.caller, q.slug)
	if err != nil {
		return err
	}
	page, err := v.ReadPage(p)
	if err != nil {
		return err
	}
	last, err := v.Last(q.r.Context(), page.Path)
	if err != nil {
		return err
	}
	merged := merge.Diff3(nil, page.Content, text, merge.Labels{Ours: q.texts.get("edit.label_current"), Theirs: q.texts.get("edit.label_yours")})
	d.conflict(&wiki.Conflict{Path: page.Path, Current: last.Revision, Ours: page.Content, Theirs: text, Merged: merged.Text, Text: q.texts.get("edit.exists", string(page.Path))}, text)
	d.Conflict.Why = d.Conflict.Text
	return q.show(http.StatusConflict, "edit", d)
}

// conflict turns the form into the merge screen: the text with both sides'
// lines between markers, and what each side changed.
func (d *editView) conflict(c *wiki.Conflict, text []byte) {
	v := &conflictView{Text: c.Error(), Yours: string(text), Deleted: c.Ours == nil && c.Current == "", Revision: c.Current}
	base := c.Base
	v.Current = merge.Lines(base, c.Ours, 3)
	v.Mine = merge.Lines(base, text, 3)
	if c.Merged != nil {
		d.Content = lines(c.Merged)
		v.Markers = strings.Count("\n"+d.Content, "\n<<<<<<< ")
	}
	d.Base, d.Conflict, d.New = c.Current, v, c.Current == ""
	d.View = "conflict"
}

// showPreview answers the editor's preview without script.
func (q *request) showPreview(d *editView, p wiki.PagePath, text []byte) error {
	var err error
	if d.Preview, err = q.renderText(q.view, p, text); err != nil {
		return err
	}
	d.Math, d.Mermaid = d.Preview.Math, d.Preview.Mermaid
	if page, err := q.view.ReadPage(p); err == nil && !manyLines(text) && !manyLines(page.Content) {
		d.Changes = merge.Lines(page.Content, q.keepLineEnds(p, text), 2)
	}
	return q.show(http.StatusOK, "edit", d)
}

// preview answers the editor's live preview: POST the text, JSON back.
func (q *request) preview(p wiki.PagePath) error {
	if err := q.mayWrite(); err != nil {
		return err
	}
	if err := q.readForm(q.MaxPage*3 + formSlack); err != nil {
		return err
	}
	r, err := q.renderText(q.view, p, typed(q.r.PostForm.Get("content")))
	if err != nil {
		return err
	}
	props, err := q.templates.part("page", "properties", struct{ Properties []markdown.Property }{r.Properties})
	if err != nil {
		return err
	}
	title := ""
	if !r.HasHeading() {
		title = r.Title
	}
	return q.sendJSON(http.StatusOK, map[string]any{"html": string(r.HTML), "properties": string(props), "title": title, "math": r.Math, "mermaid": r.Mermaid})
}
