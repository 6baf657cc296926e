package mcp

import (
	"context"
	"encoding/base64"
	"strings"

	"wikibot/notes"
	"wikibot/wiki"
)

func fileTools() []*tool {
	return []*tool{
		{name: "list_attachments", title: "List attachments", out: attachmentsResult{},
			doc:    "List the files attached to a note with size, type and date.",
			params: []param{pathParam("The note's path.")},
			run:    listAttachments},
		{name: "download_attachment", title: "Download an attachment", out: downloadResult{},
			doc:    "Get an attached file in base64. Look at its size with list_attachments first: a large file fills your context.",
			params: []param{filenameParam("The file's name."), pathParam("The note's path.")},
			run:    downloadAttachment},
		{name: "upload_attachment", title: "Upload an attachment", out: uploadResult{}, writes: true, destructive: true, idempotent: true,
			doc: "Attach a file to a note, in place of one of the same name. Show it in the text with ![[filename]].",
			params: []param{filenameParam("The file's name, such as \"flow.png\"."), pathParam("The note's path."),
				{name: "content", kind: aText, required: true, limit: maxUpload, doc: "The file in base64. Nothing is fetched from an address.", aliases: []string{"data", "content_base64", "base64", "file_content", "body", "bytes"}},
				messageParam(), keyParam()},
			run: uploadAttachment},
		{name: "delete_attachment", title: "Delete an attachment", out: detachResult{}, writes: true, destructive: true,
			doc:    "Delete a file attached to a note. History keeps it. Ask the user first.",
			params: []param{filenameParam("The file's name."), pathParam("The note's path."), messageParam(), keyParam()},
			run:    deleteAttachment},
	}
}

// maxUpload is the most characters of a file in base64; the configured size of
// attachments and of requests is less or as much.
const maxUpload = 1 << 30

func listAttachments(ctx context.Context, k *call, a args) (*result, error) {
	p, err := k.pagePath(a.text("path"))
	if err != nil {
		return nil, err
	}
	v, err := k.view(ctx)
	if err != nil {
		return nil, err
	}
	l, err := k.h.Notes.Attachments(ctx, v, p)
	if err != nil {
		return nil, err
	}
	r := &attachmentsResult{Path: string(p), Attachments: make([]attachmentItem, len(l)), Total: len(l)}
	for i, f := range l {
		r.Attachments[i] = attachmentItem{Filename: f.Name, Size: f.Size, MIME: f.MIME}
		if !f.Modified.IsZero() {
			r.Attachments[i].Modified = timeText(f.Modified)
		}
	}
	return plain(r.text(), r)
}

func downloadAttachment(ctx context.Context, k *call, a args) (*result, error) {
	p, err := k.pagePath(a.text("path"))
	if err != nil {
		return nil, err
	}
	v, err := k.view(ctx)
	if err != nil {
		return nil, err
	}
	f, err := k.h.Notes.ReadAttachment(ctx, v, p, a.text("filename"))
	if err != nil {
		return nil, err
	}
	r := &downloadResult{Filename: f.Name, Size: f.Size, MIME: f.MIME, Content: base64.StdEncoding.EncodeToString(f.Content)}
	return &result{text: r.text(), data: r, more: []string{dataNote("the line \"Content (base64):\"", r.Content)}}, nil
}

func uploadAttachment(ctx context.Context, k *call, a args) (*result, error) {
	p, err := k.pagePath(a.text("path"))
	if err != nil {
		return nil, err
	}
	at, err := notes.AttachmentPath(p, a.text("filename"))
	if err != nil {
		return nil, err
	}
	content, err := decodeBase64(a.text("content"))
	if err != nil {
		return nil, err
	}
	done, err := k.apply(ctx, a, notes.Op{Do: notes.Attach, Path: p, File: at, Content: content, Overwrite: true})
	if err != nil {
		return nil, err
	}
	r := &uploadResult{Filename: at.Name(), Path: string(p), Size: int64(len(content)), Replayed: done.Replayed}
	if len(done.Files) > 0 {
		r.MIME = done.Files[0].MIME
	}
	return plain(r.text(), r)
}

// decodeBase64 reads base64 as programs write it: standard or for URLs, padded or
// not, with line breaks or in a data URL.
func decodeBase64(s string) ([]byte, error) {
	if rest, ok := strings.CutPrefix(s, "data:"); ok {
		_, s, ok = strings.Cut(rest, ";base64,")
		if !ok {
			return nil, wiki.Invalid("content", "content is a data URL without base64; send the file's bytes in base64")
		}
	}
	s = strings.TrimRight(strings.NewReplacer("\n", "", "\r", "", " ", "", "\t", "", "-", "+", "_", "/").Replace(s), "=")
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil, wiki.Invalid("content", "content is no base64: send the file's bytes in base64 (RFC 4648), not its text or its address")
	}
	return b, nil
}

func deleteAttachment(ctx context.Context, k *call, a args) (*result, error) {
	p, err := k.pagePath(a.text("path"))
	if err != nil {
		return nil, err
	}
	at, err := notes.AttachmentPath(p, a.text("filename"))
	if err != nil {
		return nil, err
	}
	done, err := k.apply(ctx, a, notes.Op{Do: notes.Detach, Path: p, File: at})
	if err != nil {
		return nil, err
	}
	r := &detachResult{Deleted: true, Filename: at.Name(), Replayed: done.Replayed}
	return plain(r.text(), r)
}
