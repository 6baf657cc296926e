package gitstore_test

import (
	"context"
	"testing"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// TestHistoryOfAView: what a view tells of history is as of the view, also where
// pages were saved since it was made. A reader who got the old text with the newer
// revision would take back the newer text with their next save.
func TestHistoryOfAView(t *testing.T) {
	s, _ := site(t)
	ctx := context.Background()
	save := func(text string) wiki.Revision {
		t.Helper()
		res, err := s.Update(ctx, alice, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
			if err := tx.Put("A", []byte(text), gitstore.PutOptions{Overwrite: true}); err != nil {
				return err
			}
			return tx.Attach("A/a.txt", []byte(text), gitstore.AttachOptions{Replace: true})
		})
		must(t, err)
		return res.Revision
	}
	first := save("one\n")
	v := view(t, s, alice)
	newer := save("two\n")
	for range 2 { // the second time the index has followed for others
		last, err := v.Last(ctx, "A")
		must(t, err)
		soon, _, err := v.LastSoon(ctx, "A")
		must(t, err)
		file, err := v.Stat(ctx, "A/a.txt")
		must(t, err)
		files, err := v.Attachments(ctx, "A")
		must(t, err)
		if last.Revision != first || soon.Revision != first || file.Revision != first || files[0].Revision != first {
			t.Errorf("a view of %s tells %s, %s, %s, %s", first, last.Revision, soon.Revision, file.Revision, files[0].Revision)
		}
		log, _, err := v.History(ctx, "A", "", 10)
		must(t, err)
		changes, _, err := v.Changes(ctx, gitstore.ChangesOptions{Limit: 1})
		must(t, err)
		lines, err := v.Blame(ctx, "A")
		must(t, err)
		if log[0].Revision != first || changes[0].Revision != first || len(lines) != 1 || lines[0].Commit.Revision != first {
			t.Errorf("a view of %s tells %v, %v, %v", first, log, changes, lines)
		}
		now, err := view(t, s, alice).Last(ctx, "A")
		must(t, err)
		if now.Revision != newer {
			t.Errorf("now %s; want %s", now.Revision, newer)
		}
	}
	old, err := view(t, s, alice).At(ctx, first)
	must(t, err)
	if file, err := old.Stat(ctx, "A/a.txt"); err != nil || file.Revision != first {
		t.Errorf("at %s the file is of %s, %v", first, file.Revision, err)
	}
}
