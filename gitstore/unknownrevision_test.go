package gitstore_test

import (
	"context"
	"errors"
	"testing"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// TestUnknownRevision: a write that is based on a revision which the wiki does not
// have, such as one of before a purge, is stale like any other and is answered with
// the page's current revision and text.
func TestUnknownRevision(t *testing.T) {
	s, _ := site(t)
	last, err := view(t, s, bob).Last(context.Background(), "Home")
	must(t, err)
	for _, rev := range []wiki.Revision{"0123456", "0123456789012345678901234567890123456789"} {
		writes := map[string]func(*gitstore.Tx) error{
			"put": func(tx *gitstore.Tx) error {
				return tx.Put("Home", []byte("Mine.\n"), gitstore.PutOptions{Expect: rev})
			},
			"merge": func(tx *gitstore.Tx) error {
				return tx.Put("Home", []byte("Mine.\n"), gitstore.PutOptions{Expect: rev, Merge: true})
			},
			"replace": func(tx *gitstore.Tx) error { return tx.Replace("Home", "Welcome", "Hello", rev, false) },
			"delete":  func(tx *gitstore.Tx) error { return tx.Delete("Home", gitstore.DeleteOptions{Expect: rev}) },
			"rename":  func(tx *gitstore.Tx) error { return tx.Rename("Home", "Start", gitstore.RenameOptions{Expect: rev}) },
		}
		for name, fn := range writes {
			_, err := s.Update(context.Background(), bob, "notes", gitstore.Meta{}, fn)
			if c := (*wiki.Conflict)(nil); !errors.As(err, &c) || c.Current != last.Revision || string(c.Ours) != "# Home\n\nWelcome.\n" {
				t.Errorf("%s at %s: %v", name, rev, err)
			}
		}
		_, err := s.Update(context.Background(), bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error { return tx.Restore("Home", rev) })
		if !errors.Is(err, wiki.ErrNotFound) {
			t.Errorf("restoring from %s: %v", rev, err)
		}
		_, err = s.Update(context.Background(), bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
			return tx.Put("New", []byte("New.\n"), gitstore.PutOptions{Expect: rev})
		})
		if !errors.Is(err, wiki.ErrNotFound) {
			t.Errorf("a page that never was, at %s: %v", rev, err)
		}
	}
	if got := read(t, s, bob, "Home"); got != "# Home\n\nWelcome.\n" {
		t.Errorf("something was written: %q", got)
	}
}
