package notes

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"wikibot/wiki"
)

// What clients of these contracts know as the beginnings of errors.
const (
	textNeedRevision = "Revision required when updating an existing page. Read the page first to get the current revision."
	textStale        = "Revision mismatch: page has been modified since last read."
)

// explain gives an error of the Store the text that clients know, with the next
// step behind it, and leaves its kind. It never runs in the writer.
func (s *Service) explain(ctx context.Context, c wiki.Caller, slug wiki.Slug, r *ApplyRequest, failed int, err error) error {
	var at *OpError
	if !errors.As(err, &at) {
		return err // of the request as a whole
	}
	op := &r.Ops[failed]
	err = at.Err
	var conflict *wiki.Conflict
	switch {
	case errors.As(err, &conflict):
		err = s.conflict(ctx, c, slug, op, conflict)
	case errors.Is(err, wiki.ErrNotFound) && op.Path != "":
		if v, e := s.Store.View(ctx, c, slug); e != nil {
			err = e
		} else if _, there := v.Page(string(op.Path)); !there && op.Do != Restore {
			err = s.missing(ctx, v, op.Path)
		}
	}
	return r.blame(failed, err)
}

// conflict says what happened, and names the page's own last revision.
func (s *Service) conflict(ctx context.Context, c wiki.Caller, slug wiki.Slug, op *Op, was *wiki.Conflict) error {
	told := *was
	if v, err := s.Store.View(ctx, c, slug); err == nil && was.Ours != nil {
		// The writer names the head where it would have had to wait for history.
		if page, err := v.ReadPage(was.Path); err == nil && bytes.Equal(page.Content, was.Ours) {
			if last, _, err := v.LastSoon(ctx, page.Path); err == nil {
				told.Current = last.Revision
			}
		}
	}
	switch {
	case op.Do == Revert:
		return &told
	case was.Ours == nil:
		told.Text = fmt.Sprintf("%s It was deleted meanwhile: write it without a revision to bring it back with your text.", textStale)
	case op.Do == Write && op.Revision == "":
		told.Text = fmt.Sprintf("%s The current revision is %s.", textNeedRevision, told.Current)
	case was.Merged != nil:
		told.Text = fmt.Sprintf("%s Both changed the same lines. The current revision is %s: put the two texts together and write with that revision.", textStale, told.Current)
	default:
		told.Text = fmt.Sprintf("%s The current revision is %s: read the page again and repeat your change on it, or ask for a merge.", textStale, told.Current)
	}
	return &told
}
