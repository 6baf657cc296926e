package web

import (
	"errors"
	"net/http"
	"strings"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// createView asks for the name of a new page.
type createView struct {
	frame
	Name  string
	Error string
}

// create asks for a page's name and leads to its editor.
func (q *request) create() error {
	if err := q.mayWrite(); err != nil {
		return err
	}
	if q.isPost() {
		if err := q.readForm(formSlack); err != nil {
			return err
		}
	} else if err := q.r.ParseForm(); err != nil {
		return formError(err)
	}
	name := strings.TrimSpace(q.r.Form.Get("path"))
	d := &createView{frame: q.frame("create", q.texts.get("create.title"), ""), Name: name}
	if !q.isPost() {
		return q.show(http.StatusOK, "create", d)
	}
	p, err := wiki.ParsePagePath(strings.Trim(name, "/"))
	if err != nil {
		d.Error = err.Error()
		return q.show(http.StatusUnprocessableEntity, "create", d)
	}
	return q.redirect(q.links().View("edit", p))
}

// renameView asks where a page goes and says what will change with it.
type renameView struct {
	frame
	To         string
	Message    string
	Base       wiki.Revision
	Error      string
	Backlinks  []wiki.PagePath
	Below      []string // sub-pages and attachments
	More       int      // left out of Below
	KeepLinks  bool
	NoRedirect bool
	NoFolder   bool
	Redirects  bool
}

// maxListed bounds lists of what a change would take along.
const maxListed = 50

func (q *request) rename(p wiki.PagePath) error {
	if err := q.mayWrite(); err != nil {
		return err
	}
	real, err := q.existing(p)
	if err != nil {
		return err
	}
	d := &renameView{frame: q.frame("rename", q.texts.get("rename.title", string(real)), real), To: string(real), Redirects: q.view.Settings().Redirects}
	if err := q.consequences(d, real); err != nil {
		return err
	}
	if !q.isPost() {
		return q.show(http.StatusOK, "rename", d)
	}
	if err := q.readForm(formSlack); err != nil {
		return err
	}
	f := q.r.PostForm
	d.To, d.Message = strings.Trim(strings.TrimSpace(f.Get("to")), "/"), strings.TrimSpace(f.Get("message"))
	d.KeepLinks, d.NoRedirect, d.NoFolder = !f.Has("links"), !f.Has("redirect"), !f.Has("folder")
	to, err := wiki.ParsePagePath(d.To)
	if err == nil && f.Get("base") != "" {
		d.Base, err = wiki.ParseRevision(f.Get("base"))
	}
	if err == nil {
		_, err = q.Store.Update(q.r.Context(), q.caller, q.slug, gitstore.Meta{Message: d.Message, Key: f.Get("key")}, func(tx *gitstore.Tx) error {
			return tx.Rename(real, to, gitstore.RenameOptions{Expect: d.Base, KeepLinks: d.KeepLinks, NoRedirect: d.NoRedirect, NoFolder: d.NoFolder})
		})
	}
	if err != nil {
		return q.again(err, "rename", d, &d.Error)
	}
	return q.redirect(done(q.links().Page(to), "renamed"))
}

// again shows a form once more with what was wrong; internal errors and what
// is not there have their own pages.
func (q *request) again(err error, name string, d any, text *string) error {
	code, _ := status(err)
	if code == http.StatusInternalServerError || code == http.StatusNotFound || code == http.StatusUnauthorized {
		return err
	}
	told, faults := q.errorText(err, code)
	*text = strings.TrimSpace(told + strings.Join(faults, "\n"))
	if code == http.StatusServiceUnavailable {
		q.w.Header().Set("Retry-After", "10")
	}
	return q.show(code, name, d)
}

// existing is the page's true spelling.
func (q *request) existing(p wiki.PagePath) (wiki.PagePath, error) {
	if real, ok := q.view.Page(string(p)); ok {
		return real, nil
	}
	return "", wiki.NotFound("%s", q.texts.get("error.no_page", string(p)))
}

// consequences lists what a rename would change.
func (q *request) consequences(d *renameView, p wiki.PagePath) error {
	last, err := q.view.Last(q.r.Context(), p)
	if err != nil {
		return err
	}
	d.Base = last.Revision
	_, from, err := q.view.Links(q.r.Context(), p)
	if err != nil {
		return err
	}
	seen := map[wiki.PagePath]bool{p: true}
	for _, l := range from {
		if !seen[l.Page] {
			seen[l.Page] = true
			d.Backlinks = append(d.Backlinks, l.Page)
		}
	}
	d.Below, d.More, err = q.below(p)
	return err
}

// below lists what lies in a page's folder.
func (q *request) below(p wiki.PagePath) (list []string, more int, err error) {
	entries, _, err := q.view.List(gitstore.ListOptions{Prefix: string(p) + "/", Files: true})
	for _, e := range entries {
		if len(list) == maxListed {
			more++
			continue
		}
		list = append(list, decodeFile(e.File))
	}
	return list, more, err
}

// deleteView asks before a page is deleted.
type deleteView struct {
	frame
	Base      wiki.Revision
	Message   string
	Error     string
	Backlinks []wiki.PagePath
	Below     []string
	More      int
}

func (q *request) remove(p wiki.PagePath) error {
	if err := q.mayWrite(); err != nil {
		return err
	}
	real, err := q.existing(p)
	if err != nil {
		return err
	}
	r := &renameView{}
	if err := q.consequences(r, real); err != nil {
		return err
	}
	d := &deleteView{frame: q.frame("delete", q.texts.get("delete.title", string(real)), real), Base: r.Base, Backlinks: r.Backlinks, Below: r.Below, More: r.More}
	if !q.isPost() {
		return q.show(http.StatusOK, "delete", d)
	}
	if err := q.readForm(formSlack); err != nil {
		return err
	}
	f := q.r.PostForm
	d.Message = strings.TrimSpace(f.Get("message"))
	base, err := wiki.ParseRevision(f.Get("base"))
	if err != nil {
		return err
	}
	_, err = q.Store.Update(q.r.Context(), q.caller, q.slug, gitstore.Meta{Message: d.Message, Key: f.Get("key")}, func(tx *gitstore.Tx) error {
		return tx.Delete(real, gitstore.DeleteOptions{Expect: base, Folder: f.Has("folder")})
	})
	if err != nil {
		return q.again(err, "delete", d, &d.Error)
	}
	return q.redirect(done(q.links().View("history", real), "deleted"))
}

// restoreView asks before a page is put back to what it was.
type restoreView struct {
	frame
	Commit wiki.Commit
	Error  string
}

func (q *request) restore(p wiki.PagePath) error {
	if err := q.mayWrite(); err != nil {
		return err
	}
	if q.isPost() {
		if err := q.readForm(formSlack); err != nil {
			return err
		}
	} else if err := q.r.ParseForm(); err != nil {
		return formError(err)
	}
	rev, err := wiki.ParseRevision(q.r.Form.Get("revision"))
	if err != nil {
		return err
	}
	commit, err := q.view.Commit(q.r.Context(), rev)
	if err != nil {
		return err
	}
	d := &restoreView{frame: q.frame("restore", q.texts.get("restore.title", string(p)), p), Commit: commit}
	if !q.isPost() {
		return q.show(http.StatusOK, "restore", d)
	}
	_, err = q.Store.Update(q.r.Context(), q.caller, q.slug, gitstore.Meta{Key: q.r.PostForm.Get("key")}, func(tx *gitstore.Tx) error {
		return tx.Restore(p, commit.Revision)
	})
	if err != nil {
		return q.again(err, "restore", d, &d.Error)
	}
	return q.redirect(done(q.links().Page(p), "restored"))
}

// revertView asks before a commit is undone.
type revertView struct {
	frame
	Commit wiki.Commit
	Error  string
	Paths  []wiki.PagePath // pages in which undoing would touch later changes
}

func (q *request) revert(arg string) error {
	if err := q.mayWrite(); err != nil {
		return err
	}
	commit, err := q.commitOf(arg)
	if err != nil {
		return err
	}
	d := &revertView{frame: q.frame("revert", q.texts.get("revert.title", commit.Revision.Short()), ""), Commit: commit}
	if !q.isPost() {
		return q.show(http.StatusOK, "revert", d)
	}
	if err := q.readForm(formSlack); err != nil {
		return err
	}
	res, err := q.Store.Update(q.r.Context(), q.caller, q.slug, gitstore.Meta{Key: q.r.PostForm.Get("key")}, func(tx *gitstore.Tx) error {
		return tx.Revert(commit.Revision)
	})
	var conflict *wiki.Conflict
	if errors.As(err, &conflict) {
		d.Paths = append(d.Paths, conflict.Path)
	}
	if err != nil {
		return q.again(err, "revert", d, &d.Error)
	}
	if res.Unchanged {
		return q.redirect(done(q.links().Commit(commit.Revision), "unchanged"))
	}
	return q.redirect(done(q.links().Commit(res.Revision), "reverted"))
}

func (q *request) commitOf(arg string) (wiki.Commit, error) {
	rev, err := wiki.ParseRevision(arg)
	if err != nil {
		return wiki.Commit{}, err
	}
	if rev == wiki.Head {
		rev = q.view.Head()
	}
	return q.view.Commit(q.r.Context(), rev)
}
