package notes

import (
	"errors"
	"strings"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// change is what runs within the Store's writer for one ApplyRequest. It may run
// more than once, so it is made anew for each run.
type change struct {
	tx      *gitstore.Tx
	maxText int64
	work    int64 // bytes of text that may still be gone through
}

// maxWork is how much text the operations of one request may go through together,
// in bytes: the writer does nothing else for the wiki meanwhile. Finding a section
// parses the page and counts several times, and so do the two comparisons of a
// merge, which for hostile texts of 1 MB take a second (package merge).
const (
	maxWork     = 64 << 20
	sectionWork = 4
	mergeWork   = 8
)

// passes is how often an operation goes through its page. Edits by text come on top,
// with the text that they are made on, which may be an older one.
func (o *Op) passes() int {
	switch o.Do {
	case Append, Prepend:
		return 1
	case AppendSection, PrependSection, ReplaceSection, InsertBefore, InsertAfter:
		return sectionWork
	case Write, EditText:
		if o.Merge && o.Revision != "" {
			return mergeWork
		}
	}
	return 0
}

// charge takes the work of an operation on a page's text from what is left.
func (c *change) charge(o *Op) error {
	times := o.passes()
	if times == 0 {
		return nil
	}
	text, err := c.tx.Read(o.Path)
	if err != nil {
		return nil // the operation says it better
	}
	return c.spend(times, max(len(text), len(o.Content)))
}

// spend takes so many walks through a text from what is left.
func (c *change) spend(times, text int) error {
	if c.work -= int64(times) * int64(text+1); c.work < 0 {
		return &wiki.Error{Kind: wiki.ErrTooLarge, Field: "operations", Text: "these operations go through too much text for one commit: divide them into several requests"}
	}
	return nil
}

// do applies one operation.
func (c *change) do(o *Op) error {
	if err := c.charge(o); err != nil {
		return err
	}
	switch o.Do {
	case Write:
		return c.write(o)
	case EditText:
		return c.editText(o)
	case Delete, Rename:
		return c.move(o)
	case Restore:
		return c.tx.Restore(o.Path, o.Revision)
	case Revert:
		return c.tx.Revert(o.Revision)
	case Attach:
		return c.tx.Attach(o.File, o.Content, gitstore.AttachOptions{Replace: o.Overwrite})
	case Detach:
		return c.tx.Detach(o.File)
	case RenameFile:
		return c.tx.RenameFile(o.File, o.NewFile)
	}
	return c.add(o)
}

// expected checks a revision against the state from which the request began, where
// earlier operations of the request have changed the page since: own is true then,
// and the revision is settled.
func (c *change) expected(o *Op) (own bool, err error) {
	was, own, err := c.tx.Began(o.Path)
	if err != nil || !own || o.Revision == "" || o.Merge {
		return own, err
	}
	return true, c.tx.Unchanged(was, o.Revision)
}

func (c *change) write(o *Op) error {
	own, err := c.expected(o)
	if err != nil {
		return err
	}
	put := gitstore.PutOptions{Expect: o.Revision, Create: o.Create, Overwrite: o.Overwrite, Merge: o.Merge}
	if own && o.Revision != "" && !o.Merge && !o.Create {
		put = gitstore.PutOptions{Overwrite: true}
	}
	return c.tx.Put(o.Path, o.Content, put)
}

func (c *change) editText(o *Op) error {
	own, err := c.expected(o)
	if err != nil {
		return err
	}
	base := o.Revision
	if own && !o.Merge {
		base = "" // what the request has made of the page
	}
	err = c.tx.EditText(o.Path, base, o.Merge, func(text string) (string, error) {
		if err := c.spend(len(o.Edits), len(text)); err != nil {
			return "", err
		}
		return replaceAll(text, o.Edits, c.maxText)
	})
	if errors.Is(err, wiki.ErrInvalid) && base != "" && !o.Merge {
		// That the page has changed says more than that the old text has no such words.
		if stale := c.tx.Unchanged(o.Path, base); errors.Is(stale, wiki.ErrConflict) {
			err = stale
		}
	}
	return err
}

// replaceAll applies edits one after the other. The text may not grow beyond most
// bytes on the way.
func replaceAll(text string, edits []Edit, most int64) (string, error) {
	for _, e := range edits {
		n := strings.Count(text, e.Old)
		switch {
		case n == 0:
			return "", wiki.Invalid("old_string", "old_string not found in page content. Read the page again and copy the text exactly, white space included")
		case n > 1 && !e.All:
			return "", wiki.Invalid("old_string", "old_string is ambiguous: found %d occurrences. Provide a longer unique string.", n)
		case int64(len(text))+int64(n)*int64(len(e.New)-len(e.Old)) > most:
			return "", &wiki.Error{Kind: wiki.ErrTooLarge, Field: "new_string", Text: "the page would become too large: divide it into several pages"}
		}
		text = strings.ReplaceAll(text, e.Old, e.New)
	}
	return text, nil
}

func (c *change) move(o *Op) error {
	own, err := c.expected(o)
	if err != nil {
		return err
	}
	expect := o.Revision
	if own || o.Merge {
		expect = ""
	}
	if o.Do == Delete {
		return c.tx.Delete(o.Path, gitstore.DeleteOptions{Expect: expect, Folder: o.Folder})
	}
	return c.tx.Rename(o.Path, o.NewPath, gitstore.RenameOptions{
		Expect: expect, KeepLinks: o.KeepLinks, NoRedirect: o.NoRedirect, NoFolder: o.NoFolder,
	})
}

// add applies what says where it belongs by itself to the newest text.
func (c *change) add(o *Op) error {
	if o.Revision != "" && !o.Merge {
		was, _, err := c.tx.Began(o.Path)
		if err != nil {
			return err
		}
		if err := c.tx.Unchanged(was, o.Revision); err != nil {
			return err
		}
	}
	if o.Create && (o.Do == Append || o.Do == Prepend) {
		if _, there, err := c.tx.Has(o.Path); err != nil {
			return err
		} else if !there {
			return c.tx.Put(o.Path, o.Content, gitstore.PutOptions{Create: true})
		}
	}
	return c.insert(o)
}

func (c *change) insert(o *Op) error {
	text := string(o.Content)
	switch o.Do {
	case Append:
		return c.tx.Append(o.Path, text)
	case Prepend:
		return c.tx.Prepend(o.Path, text)
	case AppendSection:
		return c.tx.AppendSection(o.Path, o.Section, text)
	case PrependSection:
		return c.tx.PrependSection(o.Path, o.Section, text)
	case ReplaceSection:
		return c.tx.ReplaceSection(o.Path, o.Section, text)
	case InsertBefore:
		return c.tx.InsertBefore(o.Path, o.Section, text)
	}
	return c.tx.InsertAfter(o.Path, o.Section, text)
}
