package notes

import (
	"context"
	"errors"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// mostChanges is the most entries that one call lists.
const mostChanges = 1000

// ChangesRequest chooses part of a wiki's recent changes; what is set narrows it.
type ChangesRequest struct {
	After  string // next of the part before
	Limit  int    // 0: 50; at most 1,000
	Author string // name or address of the author, or the actor, without regard to case
	Agent  string // the program, with or without its version; gitstore.AnyAgent: any
	Via    wiki.Via
	Prefix string // of a changed page's path
	Since  time.Time
}

// Changes are the commits of a wiki, newest first, each with what it changed. next
// is empty at the end. With a filter a part may be short, or empty, with a next;
// see View.Changes for the cost.
func (s *Service) Changes(ctx context.Context, v *gitstore.View, r ChangesRequest) (list []wiki.Commit, next string, err error) {
	return v.Changes(ctx, gitstore.ChangesOptions{
		After: r.After, Limit: limited(r.Limit), Author: r.Author, Agent: r.Agent, Via: r.Via, Prefix: r.Prefix, Since: r.Since,
	})
}

func limited(n int) int {
	if n <= 0 {
		return 50
	}
	return min(n, mostChanges)
}

// History is a page's changes, newest first, across renames, also of a page that is
// gone; at most 1,000 (limit 0: 50). A page that was renamed is found under its old
// name. next is the after of the following part, empty at the end. Cost: the answer.
func (s *Service) History(ctx context.Context, v *gitstore.View, p wiki.PagePath, after string, limit int) ([]wiki.Change, string, error) {
	var moved *wiki.Moved
	at := p
	if _, err := v.ReadPage(p); errors.As(err, &moved) {
		at = moved.To
	}
	list, next, err := v.History(ctx, at, after, limited(limit))
	if errors.Is(err, wiki.ErrNotFound) {
		return nil, "", s.missing(ctx, v, p)
	}
	return list, next, err
}

// Attachments are the files of a page, with their sizes and last changes. The page
// must exist.
func (s *Service) Attachments(ctx context.Context, v *gitstore.View, p wiki.PagePath) ([]wiki.Attachment, error) {
	n, err := s.find(ctx, v, p)
	if err != nil {
		return nil, err
	}
	return v.Attachments(ctx, n.Path)
}

// AttachmentPath is where an attachment of a page is kept: in the page's folder.
// The name is one segment; a path that leads elsewhere is an ErrInvalid.
func AttachmentPath(p wiki.PagePath, name string) (wiki.FilePath, error) {
	if strings.Contains(name, "/") {
		return "", wiki.Invalid("filename", "%q is not a file name: it must not hold \"/\"", name)
	}
	return wiki.ParseFilePath(string(p) + "/" + name)
}

// ReadAttachment reads a file of a page, with its last change. The content is
// shared: do not change it.
func (s *Service) ReadAttachment(ctx context.Context, v *gitstore.View, p wiki.PagePath, name string) (*gitstore.File, error) {
	n, err := s.find(ctx, v, p)
	if err != nil {
		return nil, err
	}
	at, err := AttachmentPath(n.Path, name)
	if err != nil {
		return nil, err
	}
	f, err := v.ReadFile(at)
	if errors.Is(err, wiki.ErrNotFound) {
		return nil, &wiki.Error{Kind: wiki.ErrNotFound, Field: "filename", Text: "Attachment not found: " + name + ". List the attachments of " + string(n.Path) + " to see their names"}
	}
	if err != nil {
		return nil, err
	}
	if st, err := v.Stat(ctx, at); err == nil {
		f.Modified, f.Revision = st.Modified, st.Revision
	}
	return f, nil
}
