package api

import (
	"encoding/base64"
	"strings"

	"wikibot/notes"
	"wikibot/wiki"
)

type patchRequest struct {
	based
	OldString  *string    `json:"old_string" doc:"Text that stands on the page exactly once."`
	NewString  *string    `json:"new_string" doc:"What takes its place."`
	ReplaceAll bool       `json:"replace_all" doc:"Replace old_string wherever it stands."`
	Edits      []editBody `json:"edits" doc:"Several replacements, one after the other; at most 200."`
	Operations []pageEdit `json:"operations" doc:"Edits by section, and at the ends of the page. They are applied to the newest text and need no revision."`
	Create     bool       `json:"create" doc:"Of append and prepend: the page may not exist yet."`
	common
}

type editBody struct {
	OldString  *string `json:"old_string"`
	NewString  *string `json:"new_string"`
	ReplaceAll bool    `json:"replace_all"`
}

type pageEdit struct {
	Do      string  `json:"do" enum:"append,prepend,append_section,prepend_section,replace_section,insert_before,insert_after"`
	Section string  `json:"section" doc:"A full path (A > B), the end of one, or a title. insert_before and insert_after put content before and behind the whole section."`
	Content *string `json:"content"`
}

// replace is one replacement of the request; named says where it stands in it.
func (e editBody) replace(named string) (notes.Edit, error) {
	switch {
	case e.OldString == nil:
		return notes.Edit{}, wiki.Invalid(named+"old_string", "old_string is missing: give the text to be replaced, and new_string")
	case e.NewString == nil:
		return notes.Edit{}, wiki.Invalid(named+"new_string", "new_string is missing: give what takes the place of old_string")
	}
	return notes.Edit{Old: *e.OldString, New: *e.NewString, All: e.ReplaceAll}, nil
}

// ops are the operations that a PATCH asks for.
func (in *patchRequest) ops(p wiki.PagePath, rev wiki.Revision, merge bool) ([]notes.Op, error) {
	edits := in.Edits
	if in.OldString != nil || in.NewString != nil || len(edits)+len(in.Operations) == 0 {
		edits = append([]editBody{{in.OldString, in.NewString, in.ReplaceAll}}, edits...)
	}
	if len(edits) > notes.MaxEdits || len(in.Operations) >= notes.MaxOps {
		return nil, wiki.Invalid("edits", "too many edits for one request: at most %d are possible", notes.MaxEdits)
	}
	var ops []notes.Op
	if len(edits) > 0 {
		op := notes.Op{Do: notes.EditText, Path: p, Revision: rev, Merge: merge}
		for _, e := range edits {
			one, err := e.replace("")
			if err != nil {
				return nil, err
			}
			op.Edits = append(op.Edits, one)
		}
		ops = append(ops, op)
	}
	for _, e := range in.Operations {
		switch do := notes.Verb(e.Do); do {
		case notes.Append, notes.Prepend, notes.AppendSection, notes.PrependSection, notes.ReplaceSection, notes.InsertBefore, notes.InsertAfter:
			if e.Content == nil {
				return nil, wiki.Invalid("content", "content is missing: %s needs it", do)
			}
			ops = append(ops, notes.Op{Do: do, Path: p, Section: e.Section, Content: []byte(*e.Content), Revision: rev, Merge: merge, Create: in.Create})
		default:
			return nil, wiki.Invalid("do", "%q is no edit of a page: use append, prepend, append_section, prepend_section, replace_section, insert_before or insert_after", e.Do)
		}
	}
	return ops, nil
}

func (k *call) patchPage() (reply, error) {
	var in patchRequest
	if err := k.codec.Read(k.w, k.r, &in); err != nil {
		return reply{}, err
	}
	rev, byHeader, err := k.expected(in.Revision)
	if err != nil {
		return reply{}, err
	}
	ops, err := in.ops(k.page, rev, in.Merge && !byHeader)
	if err != nil {
		return reply{}, err
	}
	done, err := k.apply(in.CommitMessage, false, ops...)
	if err != nil {
		return reply{}, judged(err, byHeader)
	}
	p, err := only(done)
	if err != nil {
		return reply{}, err
	}
	return reply{tag: string(p.Revision), body: written(p, done)}, nil
}

type commitRequest struct {
	Operations []commitOp `json:"operations" need:"yes" doc:"Applied in their order, all or none; at most 200."`
	common
	DryRun bool `json:"dry_run" doc:"Say what would be done, and do nothing."`
}

type commitOp struct {
	Do          string     `json:"do" need:"yes" enum:"create,write,edit,append,prepend,append_section,prepend_section,replace_section,insert_before,insert_after,delete,rename,restore,revert,attach,detach,rename_file"`
	Path        string     `json:"path" doc:"Of the page; of the page that an attachment belongs to."`
	Content     *string    `json:"content" doc:"Text; of attach: base64."`
	Section     string     `json:"section"`
	OldString   *string    `json:"old_string"`
	NewString   *string    `json:"new_string"`
	ReplaceAll  bool       `json:"replace_all"`
	Edits       []editBody `json:"edits"`
	NewPath     string     `json:"new_path" doc:"Of rename; of rename_file: the page that the attachment shall belong to, if another."`
	Filename    string     `json:"filename"`
	NewFilename string     `json:"new_filename"`
	Revision    string     `json:"revision" doc:"What the operation is based on. Of restore and revert: the commit that comes back, or is taken back."`
	Merge       bool       `json:"merge"`
	Create      bool       `json:"create" doc:"Of append and prepend: the page may not exist yet."`
	Overwrite   *bool      `json:"overwrite" doc:"Of write: whatever is there, false if absent. Of attach: replace a file of that name, true if absent."`
	KeepLinks   bool       `json:"keep_links"`
	NoRedirect  bool       `json:"no_redirect"`
	NoFolder    bool       `json:"no_folder"`
	Folder      bool       `json:"folder" doc:"Of delete: attachments and sub-pages as well."`
}

// op is the operation in the words of notes.
func (in *commitOp) op() (op notes.Op, err error) {
	op = notes.Op{
		Do: notes.Verb(in.Do), Section: in.Section, Merge: in.Merge, Create: in.Create, Overwrite: in.Overwrite != nil && *in.Overwrite,
		KeepLinks: in.KeepLinks, NoRedirect: in.NoRedirect, NoFolder: in.NoFolder, Folder: in.Folder,
	}
	switch in.Do {
	case "create":
		op.Do, op.Create = notes.Write, true
	case "edit":
		op.Do = notes.EditText
	}
	if op.Revision, err = wiki.ParseRevision(in.Revision); err != nil {
		return op, err
	}
	if in.Path != "" {
		if op.Path, err = wiki.ParsePagePath(in.Path); err != nil {
			return op, err
		}
	}
	if in.NewPath != "" {
		if op.NewPath, err = wiki.ParsePagePath(in.NewPath); err != nil {
			return op, err
		}
	}
	switch op.Do {
	case notes.EditText:
		return op, in.addEdits(&op)
	case notes.Attach, notes.Detach, notes.RenameFile:
		return op, in.addFile(&op)
	case notes.Delete, notes.Rename, notes.Restore, notes.Revert:
		return op, nil
	}
	if in.Content == nil {
		return op, wiki.Invalid("content", "content is missing: %s needs it", op.Do)
	}
	op.Content = []byte(*in.Content)
	return op, nil
}

func (in *commitOp) addEdits(op *notes.Op) error {
	edits := in.Edits
	if in.OldString != nil || in.NewString != nil || len(edits) == 0 {
		edits = append([]editBody{{in.OldString, in.NewString, in.ReplaceAll}}, edits...)
	}
	for _, e := range edits {
		one, err := e.replace("")
		if err != nil {
			return err
		}
		op.Edits = append(op.Edits, one)
	}
	return nil
}

func (in *commitOp) addFile(op *notes.Op) (err error) {
	switch {
	case op.Path == "":
		return wiki.Invalid("path", "path is missing: give the page that the attachment belongs to")
	case in.Filename == "":
		return wiki.Invalid("filename", "filename is missing: give the name of the attachment")
	}
	if op.File, err = notes.AttachmentPath(op.Path, in.Filename); err != nil {
		return err
	}
	switch op.Do {
	case notes.Attach:
		if in.Content == nil {
			return wiki.Invalid("content", "content is missing: give the file as base64")
		}
		op.Overwrite = in.Overwrite == nil || *in.Overwrite
		op.Content, err = unbase64(*in.Content)
	case notes.RenameFile:
		page, name := op.NewPath, in.NewFilename
		if page == "" {
			page = op.Path
		}
		if name == "" {
			name = in.Filename
		}
		op.NewFile, err = notes.AttachmentPath(page, name)
	}
	op.Path, op.NewPath = "", ""
	return err
}

// unbase64 reads base64 (RFC 4648, section 4), also without padding and with line
// breaks, as MIME writes it.
func unbase64(s string) ([]byte, error) {
	s = strings.TrimRight(strings.NewReplacer("\n", "", "\r", "").Replace(s), "=")
	b, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil, wiki.Invalid("content", "content is not base64: %v", err)
	}
	return b, nil
}

type commitAnswer struct {
	Revision     string     `json:"revision" doc:"The commit; empty of a dry run."`
	Pages        []pageDone `json:"pages"`
	UpdatedPages []string   `json:"updated_pages" doc:"Pages whose links a rename rewrote."`
	Files        []fileDone `json:"files" doc:"Attachments."`
	Unchanged    bool       `json:"unchanged,omitempty" doc:"Everything is as it was, no commit was made."`
	DryRun       bool       `json:"dry_run,omitempty"`
}

type pageDone struct {
	Name     string  `json:"name"`
	Path     string  `json:"path"`
	From     string  `json:"from,omitempty"`
	Revision string  `json:"revision"`
	Created  bool    `json:"created,omitempty"`
	Deleted  bool    `json:"deleted,omitempty"`
	Merged   bool    `json:"merged,omitempty"`
	Content  *string `json:"content,omitempty" doc:"Of a merge: the resulting text."`
}

type fileDone struct {
	Path     string `json:"path"`
	From     string `json:"from,omitempty"`
	Size     int64  `json:"size,omitempty"`
	MIMEType string `json:"mime_type"`
	Deleted  bool   `json:"deleted,omitempty"`
}

func (k *call) commit() (reply, error) {
	var in commitRequest
	err := k.codec.Read(k.w, k.r, &in)
	if e := k.admit(max(1, min(len(in.Operations), notes.MaxOps))); e != nil {
		return reply{}, e
	}
	if err != nil {
		return reply{}, err
	}
	if len(in.Operations) > notes.MaxOps {
		return reply{}, wiki.Invalid("operations", "%d operations are too many for one commit; at most %d are possible: divide them", len(in.Operations), notes.MaxOps)
	}
	ops := make([]notes.Op, len(in.Operations))
	for i := range in.Operations {
		op, err := in.Operations[i].op()
		if err != nil && len(ops) > 1 {
			return reply{}, &notes.OpError{Index: i, Op: notes.Op{Do: notes.Verb(in.Operations[i].Do), Path: wiki.PagePath(in.Operations[i].Path)}, Err: err}
		}
		if err != nil {
			return reply{}, err
		}
		ops[i] = op
	}
	done, err := k.apply(in.CommitMessage, in.DryRun, ops...)
	if err != nil {
		return reply{}, err
	}
	return reply{body: committed(done, in.DryRun)}, nil
}

func committed(done *notes.Applied, dry bool) commitAnswer {
	a := commitAnswer{
		Revision: string(done.Commit), Pages: make([]pageDone, len(done.Pages)), UpdatedPages: texts(done.Updated),
		Files: make([]fileDone, len(done.Files)), Unchanged: done.Unchanged, DryRun: dry,
	}
	for i, p := range done.Pages {
		a.Pages[i] = pageDone{Name: p.Name, Path: string(p.Path), From: string(p.From), Revision: string(p.Revision), Created: p.Created, Deleted: p.Deleted, Merged: p.Merged}
		if p.Merged {
			s := string(p.Content)
			a.Pages[i].Content = &s
		}
	}
	for i, f := range done.Files {
		a.Files[i] = fileDone{Path: string(f.File), From: string(f.From), Size: f.Size, MIMEType: mediaType(f.MIME), Deleted: f.Deleted}
	}
	return a
}

type revertRequest struct {
	common
	DryRun bool `json:"dry_run" doc:"Say what would be done, and do nothing."`
}

func (k *call) revert() (reply, error) {
	var in revertRequest
	if err := k.codec.Read(k.w, k.r, &in); err != nil {
		return reply{}, err
	}
	rev, err := k.revision()
	if err != nil {
		return reply{}, err
	}
	done, err := k.apply(in.CommitMessage, in.DryRun, notes.Op{Do: notes.Revert, Revision: rev})
	if err != nil {
		return reply{}, err
	}
	return reply{body: committed(done, in.DryRun)}, nil
}
