package notes

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"wikibot/wiki"
)

// Verb is what an operation does.
type Verb string

// The verbs, with the fields of Op that they read beside those of the first line
// of each group.
const (
	// Of a page's whole text: Path, Content, Revision, Merge.
	Write    Verb = "write"     // Create, Overwrite
	EditText Verb = "edit_text" // Edits instead of Content

	// Applied to the newest text: Path, Content, Revision, Merge.
	Append         Verb = "append"  // Create
	Prepend        Verb = "prepend" // Create
	AppendSection  Verb = "append_section"
	PrependSection Verb = "prepend_section"
	ReplaceSection Verb = "replace_section"
	InsertBefore   Verb = "insert_before"
	InsertAfter    Verb = "insert_after"

	// Of pages: Path, Revision.
	Delete  Verb = "delete"  // Folder
	Rename  Verb = "rename"  // NewPath, KeepLinks, NoRedirect, NoFolder
	Restore Verb = "restore" // Revision is the one whose text comes back
	Revert  Verb = "revert"  // Revision is the commit that is taken back; no Path

	// Of attachments: File.
	Attach     Verb = "attach" // Content, Overwrite
	Detach     Verb = "detach"
	RenameFile Verb = "rename_file" // NewFile
)

// Op is one operation of an ApplyRequest.
type Op struct {
	Do       Verb
	Path     wiki.PagePath
	NewPath  wiki.PagePath
	File     wiki.FilePath
	NewFile  wiki.FilePath
	Content  []byte
	Section  string
	Edits    []Edit        // applied one after the other
	Revision wiki.Revision // what the operation is based on, in full or a prefix

	Merge     bool // where the page has changed since Revision, merge
	Overwrite bool // whatever is there
	Create    bool // Write: the page must not exist; Append, Prepend: it may not exist yet

	KeepLinks  bool // of a rename: leave the links of other pages as they are
	NoRedirect bool // and no redirect at the old name
	NoFolder   bool // leave attachments and sub-pages where they are
	Folder     bool // of a deletion: attachments and sub-pages too
}

// Edit replaces a text that stands on the page exactly once, or with All wherever
// it stands.
type Edit struct {
	Old, New string
	All      bool
}

// ApplyRequest is one commit.
type ApplyRequest struct {
	Ops     []Op
	Message string // empty: one that names what was done
	Key     string // idempotency key, at most 255 bytes
	DryRun  bool   // do everything but write
}

// Bounds of an ApplyRequest.
const (
	MaxOps   = 200
	MaxEdits = 200
	MaxKey   = 255
)

// OpError is the error of one operation of several. The others were not done
// either.
type OpError struct {
	Index int // of ApplyRequest.Ops
	Op    Op
	Err   error
}

func (e *OpError) Error() string {
	return fmt.Sprintf("operation %d (%s %s): %v; nothing was changed", e.Index+1, e.Op.Do, e.Op.target(), e.Err)
}

func (e *OpError) Unwrap() error { return e.Err }

// target names what the operation is about.
func (o *Op) target() string {
	switch {
	case o.File != "":
		return string(o.File)
	case o.Path != "":
		return string(o.Path)
	}
	return string(o.Revision.Short())
}

// check refuses what can never be applied, before anything waits for the writer.
func (r *ApplyRequest) check(maxPage int64) error {
	switch {
	case len(r.Ops) == 0:
		return wiki.Invalid("operations", "there is nothing to do: give at least one operation")
	case len(r.Ops) > MaxOps:
		return wiki.Invalid("operations", "%d operations are too many for one commit; at most %d are possible: divide them", len(r.Ops), MaxOps)
	case len(r.Key) > MaxKey:
		return wiki.Invalid("key", "the idempotency key is %d bytes long; at most %d are possible", len(r.Key), MaxKey)
	case !utf8.ValidString(r.Key):
		return wiki.Invalid("key", "the idempotency key is not UTF-8")
	}
	for i := range r.Ops {
		if err := r.Ops[i].check(maxPage); err != nil {
			return r.blame(i, err)
		}
	}
	return nil
}

// blame names the operation at fault where there are several.
func (r *ApplyRequest) blame(i int, err error) error {
	if len(r.Ops) == 1 {
		return err
	}
	return &OpError{Index: i, Op: r.Ops[i], Err: err}
}

func (o *Op) check(maxPage int64) error {
	if err := o.checkFields(); err != nil {
		return err
	}
	if _, err := wiki.ParseRevision(string(o.Revision)); err != nil {
		return err
	}
	n := int64(len(o.Content))
	for _, e := range o.Edits {
		n += int64(len(e.New))
	}
	if o.Do != Attach && maxPage > 0 && n > maxPage {
		return &wiki.Error{Kind: wiki.ErrTooLarge, Field: "content", Text: fmt.Sprintf("the text is %d bytes long; at most %d are possible: divide it into several pages", n, maxPage)}
	}
	return nil
}

func (o *Op) checkFields() error {
	need := func(ok bool, field string) error {
		if ok {
			return nil
		}
		return wiki.Invalid(field, "%s is missing: %s needs it", field, o.Do)
	}
	switch o.Do {
	case Write, Append, Prepend, Delete:
		return need(o.Path != "", "path")
	case EditText:
		return o.checkEdits()
	case AppendSection, PrependSection, ReplaceSection, InsertBefore, InsertAfter:
		if o.Section == "" {
			return need(false, "section")
		}
		return need(o.Path != "", "path")
	case Rename:
		if o.NewPath == "" {
			return need(false, "new_path")
		}
		return need(o.Path != "", "path")
	case Restore:
		if o.Path == "" {
			return need(false, "path")
		}
		return need(o.Revision != "", "revision")
	case Revert:
		return need(o.Revision != "", "revision")
	case Attach, Detach:
		return need(o.File != "", "filename")
	case RenameFile:
		if o.NewFile == "" {
			return need(false, "new_filename")
		}
		return need(o.File != "", "filename")
	}
	return wiki.Invalid("do", "%q is no operation: use %s", o.Do, verbs())
}

func verbs() string {
	s := ""
	for _, v := range Verbs() {
		if s != "" {
			s += ", "
		}
		s += string(v)
	}
	return s
}

// Verbs are all of them, for schemas.
func Verbs() []Verb {
	return []Verb{Write, EditText, Append, Prepend, AppendSection, PrependSection, ReplaceSection, InsertBefore, InsertAfter,
		Delete, Rename, Restore, Revert, Attach, Detach, RenameFile}
}

func (o *Op) checkEdits() error {
	switch {
	case o.Path == "":
		return wiki.Invalid("path", "path is missing: %s needs it", o.Do)
	case len(o.Edits) == 0:
		return wiki.Invalid("old_string", "old_string is missing: give the text to be replaced, and new_string")
	case len(o.Edits) > MaxEdits:
		return wiki.Invalid("edits", "%d edits are too many for one operation; at most %d are possible", len(o.Edits), MaxEdits)
	case o.Revision == "" && !o.Merge:
		return wiki.Invalid("revision", "revision is missing: read the page first, and give the revision that it had")
	}
	for _, e := range o.Edits {
		switch {
		case e.Old == "":
			return wiki.Invalid("old_string", "old_string is empty: give the text to be replaced, with enough around it to be unique")
		case e.Old == e.New:
			return wiki.Invalid("new_string", "old_string and new_string are identical: there is nothing to change")
		case !utf8.ValidString(e.New):
			return wiki.Invalid("new_string", "new_string is not UTF-8")
		}
	}
	return nil
}

// fingerprint is a hash of what is asked for, to tell a repeated request from
// another one with the same key.
func (r *ApplyRequest) fingerprint() string {
	sum := sha256.New()
	enc := json.NewEncoder(sum)
	if enc.Encode(r.Message) != nil || enc.Encode(r.Ops) != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
