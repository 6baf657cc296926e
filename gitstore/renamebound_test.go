package gitstore

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"wikibot/wiki"
)

// TestManyRenamesAreBounded: one rename goes through as many pages as it takes;
// several of one commit go through so many together, and nothing is done above it.
func TestManyRenamesAreBounded(t *testing.T) {
	ctx := context.Background()
	s, err := Open(ctx, Config{Dir: t.TempDir(), NoUpkeep: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	host := wiki.Caller{User: "operator", Via: wiki.ViaCLI, Credential: "host", Host: true}
	if err := s.AddUser(ctx, host, NewUser{Name: "alice"}); err != nil {
		t.Fatal(err)
	}
	pages := map[string][]byte{"A.md": []byte("a\n"), "B.md": []byte("b\n")}
	for i := range 20 {
		pages[fmt.Sprintf("From %d.md", i)] = []byte("[[A]] and [[B]]\n")
	}
	if err := s.CreateWiki(ctx, host, NewWiki{Slug: "notes", Owner: "alice", Pages: pages}); err != nil {
		t.Fatal(err)
	}
	s.mostRelooked = 30
	alice := wiki.Caller{User: "alice", Via: wiki.ViaAPI}
	rename := func(names ...wiki.PagePath) error {
		_, err := s.Update(ctx, alice, "notes", Meta{}, func(tx *Tx) error {
			for _, p := range names {
				if err := tx.Rename(p, p+" moved", RenameOptions{}); err != nil {
					return err
				}
			}
			return nil
		})
		return err
	}
	if err := rename("A", "B"); !errors.Is(err, wiki.ErrTooLarge) {
		t.Fatalf("two renames that look through 40 pages, of 30: %v", err)
	}
	if _, err := s.Page(ctx, alice, "notes", "A"); err != nil {
		t.Errorf("something was done: %v", err)
	}
	s.mostRelooked = 10
	for _, p := range []wiki.PagePath{"A", "B"} {
		if err := rename(p); err != nil {
			t.Errorf("one rename, of %q: %v", p, err)
		}
	}
}
