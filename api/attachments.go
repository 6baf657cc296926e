package api

import (
	"encoding/base64"
	"mime"
	"strings"
	"time"

	"wikibot/api/rest"
	"wikibot/gitstore"
	"wikibot/notes"
	"wikibot/wiki"
)

type attachmentList struct {
	Attachments []attachmentItem `json:"attachments"`
	Total       int              `json:"total"`
	Path        string           `json:"path" doc:"Of the page."`
	Cursor      string           `json:"cursor,omitempty"`
}

type attachmentItem struct {
	Filename     string     `json:"filename"`
	Size         int64      `json:"size" doc:"In bytes."`
	MIMEType     string     `json:"mime_type" doc:"By the name, never by the content."`
	LastModified *time.Time `json:"last_modified"`
	Revision     string     `json:"revision,omitempty"`
}

func (k *call) listAttachments() (reply, error) {
	skip, limit, err := k.part(0, 100_000)
	if err != nil {
		return reply{}, err
	}
	all, err := k.Notes.Attachments(k.ctx, k.view, k.page)
	if err != nil {
		return reply{}, err
	}
	part := all[min(skip, len(all)):]
	if limit > 0 {
		part = part[:min(limit, len(part))]
	}
	a := attachmentList{Attachments: make([]attachmentItem, len(part)), Total: len(all), Path: string(k.page), Cursor: next(skip, len(part), len(all))}
	for i, f := range part {
		a.Attachments[i] = attachmentItem{Filename: f.Name, Size: f.Size, MIMEType: mediaType(f.MIME), LastModified: timeOrNull(f.Modified), Revision: string(f.Revision)}
	}
	return reply{body: a}, nil
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type attachRequest struct {
	Filename string  `json:"filename" need:"yes"`
	Content  *string `json:"content" need:"yes" doc:"The file as base64."`
	common
	Overwrite *bool `json:"overwrite" doc:"Replace a file of that name; absent: yes."`
}

type attachAnswer struct {
	Filename string `json:"filename"`
	Path     string `json:"path" doc:"Of the page."`
	Size     int64  `json:"size"`
	MIMEType string `json:"mime_type"`
	Revision string `json:"revision"`
}

func (k *call) attach() (reply, error) {
	var in attachRequest
	if err := k.codec.Read(k.w, k.r, &in); err != nil {
		return reply{}, err
	}
	if in.Filename == "" {
		return reply{}, wiki.Invalid("filename", "filename is missing: give the name of the attachment")
	}
	if in.Content == nil {
		return reply{}, wiki.Invalid("content", "content is missing: give the file as base64")
	}
	content, err := unbase64(*in.Content)
	if err != nil {
		return reply{}, err
	}
	if _, err := notes.AttachmentPath(k.page, in.Filename); err != nil {
		return reply{}, err
	}
	// The page must exist, and is meant where it is now.
	o, err := k.Notes.Read(k.ctx, k.head, notes.ReadRequest{Path: k.page, NoLinks: true})
	if err != nil {
		return reply{}, err
	}
	at, err := notes.AttachmentPath(o.Path, in.Filename)
	if err != nil {
		return reply{}, err
	}
	if err := k.freshFile(in.Filename); err != nil {
		return reply{}, err
	}
	absent := k.creating()
	over := (in.Overwrite == nil || *in.Overwrite) && !absent
	done, err := k.apply(in.CommitMessage, false, notes.Op{Do: notes.Attach, File: at, Content: content, Overwrite: over})
	if err != nil {
		return reply{}, judged(err, absent)
	}
	return reply{status: 201, body: attachAnswer{
		Filename: at.Name(), Path: string(o.Path), Size: int64(len(content)), MIMEType: mediaType(gitstore.TypeOf(at.Name())), Revision: string(done.Commit),
	}}, nil
}

func (k *call) freshFile(name string) error {
	return k.fresh(func() (string, error) {
		f, err := k.Notes.ReadAttachment(k.ctx, k.head, k.page, name)
		if err != nil {
			return "", err
		}
		return string(f.Revision), nil
	})
}

type attachmentAnswer struct {
	Filename string `json:"filename"`
	Content  string `json:"content" format:"byte" doc:"Base64."`
	Size     int64  `json:"size"`
	MIMEType string `json:"mime_type"`
	Revision string `json:"revision,omitempty"`
}

func (k *call) readAttachment() (reply, error) {
	f, err := k.Notes.ReadAttachment(k.ctx, k.view, k.page, k.file)
	if err != nil {
		return reply{}, err
	}
	if rest.Accepts(k.r, "application/octet-stream", "application/json") {
		// A browser that is led here saves the file and runs nothing of it.
		h := k.w.Header()
		h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
		h.Set("Content-Security-Policy", "sandbox; default-src 'none'")
		return reply{tag: string(f.Revision), kind: "application/octet-stream", raw: f.Content}, nil
	}
	return reply{tag: string(f.Revision), body: attachmentAnswer{
		Filename: f.Name, Content: base64.StdEncoding.EncodeToString(f.Content), Size: f.Size, MIMEType: mediaType(f.MIME), Revision: string(f.Revision),
	}}, nil
}

type detachRequest struct{ common }

type detachAnswer struct {
	Deleted  bool   `json:"deleted"`
	Filename string `json:"filename"`
	Revision string `json:"revision,omitempty"`
}

func (k *call) detach() (reply, error) {
	var in detachRequest
	if err := k.codec.Read(k.w, k.r, &in); err != nil {
		return reply{}, err
	}
	at, err := notes.AttachmentPath(k.page, k.file)
	if err != nil {
		return reply{}, err
	}
	if f, err := k.Notes.ReadAttachment(k.ctx, k.head, k.page, k.file); err == nil {
		if p, err := wiki.ParseFilePath(f.File); err == nil {
			at = p // where a renamed page's file is now
		}
	}
	if err := k.freshFile(k.file); err != nil {
		return reply{}, err
	}
	done, err := k.apply(in.CommitMessage, false, notes.Op{Do: notes.Detach, File: at})
	if err != nil {
		return reply{}, err
	}
	return reply{body: detachAnswer{Deleted: true, Filename: k.file, Revision: string(done.Commit)}}, nil
}

// mediaType is a type without its parameters, as clients know it.
func mediaType(s string) string {
	t, _, _ := strings.Cut(s, ";")
	return strings.TrimSpace(t)
}
