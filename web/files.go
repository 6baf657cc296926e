package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// inline are the types that a browser shows by itself. Everything else is
// offered for saving: a PDF too, because browsers show none in a sandbox. Text
// comes as plain text whatever its name says.
var inline = map[string]bool{
	"image/png": true, "image/jpeg": true, "image/gif": true, "image/webp": true, "image/avif": true, "image/bmp": true,
	"image/x-icon": true, "image/vnd.microsoft.icon": true, "image/svg+xml": true, "text/plain": true,
}

// serveAs is the type and disposition under which a file of that type is sent.
func serveAs(kind string) (contentType, disposition string) {
	base, _, err := mime.ParseMediaType(kind)
	switch {
	case err != nil:
		return "application/octet-stream", "attachment"
	case base == "text/csv", base == "text/markdown", base == "application/json", base == "text/plain":
		return "text/plain; charset=utf-8", "inline"
	case inline[base], strings.HasPrefix(base, "video/"), strings.HasPrefix(base, "audio/"):
		return base, "inline"
	}
	return base, "attachment"
}

// showFile answers /-/file/….
func (q *request) showFile(arg string) error {
	f, err := parseFile(arg)
	if err != nil {
		return err
	}
	real, ok := q.view.File(string(f))
	if !ok && q.r.URL.Query().Get("revision") == "" {
		return wiki.NotFound("%s", q.texts.get("error.no_file", string(f)))
	}
	if ok {
		f = real
	}
	return q.sendFile(f)
}

// sendFile sends an attachment so that nothing in it can run: in a sandbox, of
// the type that its name says. An address with a revision is for ever.
func (q *request) sendFile(f wiki.FilePath) error {
	rev, err := q.revision("revision")
	if err != nil {
		return err
	}
	v := q.view
	cache := "private, no-cache"
	if rev != wiki.Head {
		if v, err = q.view.At(q.r.Context(), rev); err != nil {
			return err
		}
		if rev == v.Head() { // in full: a prefix may come to mean another commit
			cache = "private, max-age=31536000, immutable"
		}
	}
	file, err := v.ReadFile(f)
	if err != nil {
		return err
	}
	kind, disposition := serveAs(file.MIME)
	if q.r.URL.Query().Has("download") {
		disposition = "attachment"
	}
	h := q.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", filePolicy)
	h.Set("Content-Disposition", disposition+"; filename*=UTF-8''"+strings.ReplaceAll(url.PathEscape(file.Name), "'", "%27"))
	h.Set("Cross-Origin-Resource-Policy", "same-site")
	h.Set("Cache-Control", cache)
	h.Set("Vary", "Cookie, Authorization")
	h.Set("Etag", `"`+file.Blob+`"`)
	h.Set("X-Robots-Tag", "noindex")
	http.ServeContent(q.w, q.r, "", time.Time{}, bytes.NewReader(file.Content))
	return nil
}

// attachmentsView is the list of a page's files, with the form to add more.
type attachmentsView struct {
	frame
	Files   []wiki.Attachment
	Error   string
	Message string
	MaxFile int64
}

func (q *request) attachments(p wiki.PagePath) error {
	if real, ok := q.view.Page(string(p)); ok {
		p = real
	}
	d := &attachmentsView{frame: q.frame("attachments", q.texts.get("files.title", string(p)), p), MaxFile: q.MaxFile}
	var err error
	if d.Files, err = q.view.Attachments(q.r.Context(), p); err != nil {
		return err
	}
	if !q.isPost() {
		return q.show(http.StatusOK, "attachments", d)
	}
	if err := q.mayWrite(); err != nil {
		return err
	}
	if err := q.readForm(q.MaxFile*maxUploads + formSlack); err != nil {
		return err
	}
	d.Message = strings.TrimSpace(q.r.PostFormValue("message"))
	ups, err := q.uploads(p)
	if err == nil {
		err = q.attach(ups, d.Message, q.r.PostFormValue("replace") != "")
	}
	if err != nil {
		return q.again(err, "attachments", d, &d.Error)
	}
	return q.redirect(done(q.links().View("attachments", p), "uploaded"))
}

// maxUploads bounds the files of one form.
const maxUploads = 16

// upload is one file of a form.
type uploadedFile struct {
	path    wiki.FilePath
	content []byte
}

// uploads reads the files of a form, to lie in the folder of p.
func (q *request) uploads(p wiki.PagePath) ([]uploadedFile, error) {
	if q.r.MultipartForm == nil {
		return nil, wiki.Invalid("file", "%s", q.texts.get("files.none"))
	}
	headers := q.r.MultipartForm.File["file"]
	var list []uploadedFile
	for _, fh := range headers {
		if fh.Filename == "" && fh.Size == 0 {
			continue
		}
		up, err := q.readUpload(p, fh)
		if err != nil {
			return nil, err
		}
		list = append(list, up)
	}
	switch {
	case len(list) == 0:
		return nil, wiki.Invalid("file", "%s", q.texts.get("files.none"))
	case len(list) > maxUploads:
		return nil, wiki.Invalid("file", "%s", q.texts.get("files.too_many", maxUploads))
	}
	return list, nil
}

func (q *request) readUpload(p wiki.PagePath, fh *multipart.FileHeader) (uploadedFile, error) {
	if fh.Size > q.MaxFile {
		return uploadedFile{}, &wiki.Error{Kind: wiki.ErrTooLarge, Field: "file", Text: q.texts.get("files.too_large", fh.Filename, byteSize(fh.Size), byteSize(q.MaxFile))}
	}
	name := q.r.PostFormValue("name")
	if name == "" {
		name = path.Base(strings.ReplaceAll(fh.Filename, "\\", "/"))
	}
	f, err := wiki.ParseFilePath(string(p) + "/" + strings.TrimSpace(name))
	if err != nil {
		return uploadedFile{}, err
	}
	r, err := fh.Open()
	if err != nil {
		return uploadedFile{}, err
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	return uploadedFile{f, content}, err
}

func (q *request) attach(ups []uploadedFile, message string, replace bool) error {
	_, err := q.Store.Update(q.r.Context(), q.caller, q.slug, gitstore.Meta{Message: message, Key: q.r.PostFormValue("key")}, func(tx *gitstore.Tx) error {
		for _, up := range ups {
			if err := tx.Attach(up.path, up.content, gitstore.AttachOptions{Replace: replace}); err != nil {
				return err
			}
		}
		return nil
	})
	return err
}

// upload answers the editor's paste and drop: one file in, JSON with its
// address and the Markdown that shows it out. A name that is taken gets a
// number.
func (q *request) upload(p wiki.PagePath) error {
	if err := q.mayWrite(); err != nil {
		return q.failJSON(err)
	}
	if err := q.readForm(q.MaxFile + formSlack); err != nil {
		return q.failJSON(err)
	}
	ups, err := q.uploads(p)
	if err != nil {
		return q.failJSON(err)
	}
	free := ups[0].path
	for n := 2; ; n++ {
		ups[0].path = free
		if err = q.attach(ups[:1], "", false); !errors.Is(err, wiki.ErrExists) || n > 20 {
			break
		}
		free = numbered(ups[0].path, n)
	}
	if err != nil {
		return q.failJSON(err)
	}
	kind := mime.TypeByExtension(path.Ext(free.Name()))
	link := (&url.URL{Path: p.Name() + "/" + free.Name()}).EscapedPath()
	link = strings.NewReplacer("(", "%28", ")", "%29").Replace(link)
	text := strings.NewReplacer("[", "\\[", "]", "\\]").Replace(strings.TrimSuffix(free.Name(), path.Ext(free.Name())))
	markdown := "[" + text + "](" + link + ")"
	if strings.HasPrefix(kind, "image/") {
		markdown = "!" + markdown
	}
	return q.sendJSON(http.StatusOK, map[string]string{"name": free.Name(), "url": q.links().File(free), "markdown": markdown})
}

// numbered is "a (2).png" for "a.png", "a (3).png" for "a (2).png".
func numbered(f wiki.FilePath, n int) wiki.FilePath {
	ext := path.Ext(string(f))
	stem := strings.TrimSuffix(string(f), ext)
	if i := strings.LastIndex(stem, " ("); i > 0 && strings.HasSuffix(stem, ")") && n > 2 {
		stem = stem[:i]
	}
	return wiki.FilePath(stem + " (" + itoa(n) + ")" + ext)
}

// failJSON answers a script with what was wrong.
func (q *request) failJSON(err error) error {
	code, _ := status(err)
	if code == http.StatusInternalServerError {
		id := requestID()
		q.Log.Error("request failed", "id", id, "method", q.r.Method, "wiki", string(q.slug), "path", q.rest, "error", err)
		http.Error(q.w, q.texts.get("error.internal_text", id), code)
		return nil
	}
	text, faults := q.errorText(err, code)
	http.Error(q.w, strings.TrimSpace(text+strings.Join(faults, "\n")), code)
	return nil
}

// detachView asks before an attachment is deleted.
type detachView struct {
	frame
	File  wiki.FilePath
	Page  wiki.PagePath // the page whose folder it lies in
	Error string
}

func (q *request) detach(arg string) error {
	if err := q.mayWrite(); err != nil {
		return err
	}
	f, err := parseFile(arg)
	if err != nil {
		return err
	}
	real, ok := q.view.File(string(f))
	if !ok {
		return wiki.NotFound("%s", q.texts.get("error.no_file", string(f)))
	}
	d := &detachView{frame: q.frame("detach", q.texts.get("files.delete_title", string(real)), wiki.PagePath(real).Parent()), File: real, Page: wiki.PagePath(real).Parent()}
	if !q.isPost() {
		return q.show(http.StatusOK, "detach", d)
	}
	if err := q.readForm(formSlack); err != nil {
		return err
	}
	_, err = q.Store.Update(q.r.Context(), q.caller, q.slug, gitstore.Meta{Key: q.r.PostForm.Get("key")}, func(tx *gitstore.Tx) error {
		return tx.Detach(real)
	})
	if err != nil {
		return q.again(err, "detach", d, &d.Error)
	}
	back := q.links().To("index")
	if d.Page != "" {
		back = q.links().View("attachments", d.Page)
	}
	return q.redirect(done(back, "detached"))
}
