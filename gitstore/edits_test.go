package gitstore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

const plants = "---\ntags: [garden]\n---\n# Plants\n\nIntro.\n\n## Trees\n\nOak.\n\n### Old\n\nYew.\n\n## Herbs\n\nMint."

// TestOperations: each operation on a page, and what the page is after it.
func TestOperations(t *testing.T) {
	s, _ := site(t)
	for _, test := range []struct {
		name string
		do   func(tx *gitstore.Tx) error
		want string // plants with the first replaced by the second
		by   string
	}{
		{"append", func(tx *gitstore.Tx) error { return tx.Append("Plants", "End.\n") }, "Mint.", "Mint.\nEnd.\n"},
		{"prepend", func(tx *gitstore.Tx) error { return tx.Prepend("Plants", "First.\n") }, "# Plants", "First.\n# Plants"},
		{"append to a section", func(tx *gitstore.Tx) error { return tx.AppendSection("Plants", "Trees > Old", "Linden.\n") }, "Yew.\n\n", "Yew.\n\nLinden.\n"},
		{"replace a section", func(tx *gitstore.Tx) error { return tx.ReplaceSection("Plants", "herbs", "Sage.\n") }, "## Herbs\n\nMint.", "## Herbs\nSage.\n"},
		{"insert before", func(tx *gitstore.Tx) error { return tx.InsertBefore("Plants", "Herbs", "## Moss\n\nGreen.\n\n") }, "## Herbs", "## Moss\n\nGreen.\n\n## Herbs"},
		{"insert after", func(tx *gitstore.Tx) error { return tx.InsertAfter("Plants", "Old", "### New\n") }, "Yew.\n\n", "Yew.\n\n### New\n"},
		{"replace", func(tx *gitstore.Tx) error { return tx.Replace("Plants", "Oak.", "Oak and ash.", "", true) }, "Oak.", "Oak and ash."},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := put(t, s, alice, "Plants", plants, gitstore.PutOptions{Overwrite: true})
			must(t, err)
			_, err = s.Update(context.Background(), bob, "notes", gitstore.Meta{}, test.do)
			must(t, err)
			if got, want := read(t, s, bob, "Plants"), strings.Replace(plants, test.want, test.by, 1); got != want {
				t.Errorf("the page is\n%s\nwant\n%s", got, want)
			}
		})
	}
	for name, do := range map[string]func(tx *gitstore.Tx) error{
		"no such section":   func(tx *gitstore.Tx) error { return tx.AppendSection("Plants", "Ferns", "x") },
		"no such page":      func(tx *gitstore.Tx) error { return tx.Append("Stones", "x") },
		"not found":         func(tx *gitstore.Tx) error { return tx.Replace("Plants", "Elm", "x", "", true) },
		"found twice":       func(tx *gitstore.Tx) error { return tx.Replace("Plants", "\n\n", "x", "", true) },
		"nothing to change": func(tx *gitstore.Tx) error { return tx.Replace("Plants", "Mint", "Mint", "", true) },
		"NUL":               func(tx *gitstore.Tx) error { return tx.Append("Plants", "a\x00b") },
		"not UTF-8":         func(tx *gitstore.Tx) error { return tx.Append("Plants", "\xff") },
		"too large":         func(tx *gitstore.Tx) error { return tx.Append("Plants", strings.Repeat("x", 2<<20)) },
		"exists":            func(tx *gitstore.Tx) error { return tx.Put("plants", nil, gitstore.PutOptions{Create: true}) },
		"no revision":       func(tx *gitstore.Tx) error { return tx.Put("Plants", []byte("x"), gitstore.PutOptions{}) },
	} {
		before := view(t, s, bob).Head()
		_, err := s.Update(context.Background(), bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
			if err := tx.Put("Half", []byte("x"), gitstore.PutOptions{Overwrite: true}); err != nil {
				return err
			}
			return do(tx)
		})
		if err == nil || view(t, s, bob).Head() != before {
			t.Errorf("%s: %v, and the wiki has moved: %v", name, err, view(t, s, bob).Head() != before)
		}
	}
}

// TestOneCommitForMany: several changes are one commit, or none.
func TestOneCommitForMany(t *testing.T) {
	s, _ := site(t)
	ctx := context.Background()
	before := view(t, s, alice).Head()
	res, err := s.Update(ctx, bob, "notes", gitstore.Meta{Message: "Many\n\nWikibot-Actor: root"}, func(tx *gitstore.Tx) error {
		for i := range 5 {
			if err := tx.Put(wiki.PagePath(fmt.Sprintf("many/Page %d", i)), []byte("text\n"), gitstore.PutOptions{Create: true}); err != nil {
				return err
			}
		}
		if err := tx.Attach("many/a.csv", []byte("1,2\n"), gitstore.AttachOptions{}); err != nil {
			return err
		}
		return tx.Delete("Home", gitstore.DeleteOptions{})
	})
	must(t, err)
	c, err := view(t, s, alice).Commit(ctx, res.Revision)
	must(t, err)
	if len(c.Parents) != 1 || c.Parents[0] != before || len(c.Changes) != 7 || c.Subject != "Many" || c.Actor != "bob" || c.Via != wiki.ViaMCP || c.Agent != "Helper 1.0" {
		t.Errorf("the commit is %+v", c)
	}
	// It can be taken back, and what was deleted is there again.
	_, err = s.Update(ctx, alice, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error { return tx.Revert(res.Revision) })
	must(t, err)
	if got := read(t, s, alice, "Home"); !strings.Contains(got, "Welcome") {
		t.Errorf("Home is %q after the revert", got)
	}
	if _, err := view(t, s, alice).ReadFile("many/a.csv"); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("the attachment is still there: %v", err)
	}
	// Nothing happens in a rehearsal.
	head := view(t, s, alice).Head()
	_, err = s.Update(ctx, alice, "notes", gitstore.Meta{DryRun: true}, func(tx *gitstore.Tx) error { return tx.Delete("Home", gitstore.DeleteOptions{}) })
	must(t, err)
	if view(t, s, alice).Head() != head {
		t.Error("a dry run wrote")
	}
}

// TestEventsAndCursors: an event for each change, and the difference for a
// follower that missed some.
func TestEventsAndCursors(t *testing.T) {
	s, _ := site(t)
	cursor := view(t, s, alice).Head()
	events, cancel := s.Subscribe(1) // too small on purpose
	for i := range 3 {
		_, err := put(t, s, alice, fmt.Sprintf("Event %d", i), "x\n", gitstore.PutOptions{Create: true})
		must(t, err)
	}
	select {
	case ev := <-events:
		if ev.Wiki != "notes" || ev.Ref != "refs/heads/main" || ev.Old != cursor || ev.Actor != "alice" || len(ev.Files) != 1 || ev.Files[0].Page != "Event 0" {
			t.Errorf("the first event is %+v", ev)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("no event came")
	}
	missed, err := view(t, s, alice).Changed(cursor)
	must(t, err)
	if len(missed) != 3 {
		t.Errorf("since the cursor changed %v, want three pages", missed)
	}
	cancel()
	cancel()
	if _, open := <-events; open {
		t.Error("the subscription goes on after its end")
	}
}

// TestOldStates: what mallory may look at through a revision.
func TestOldStates(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	first := view(t, s, carol).Head()
	_, err := put(t, s, alice, "Home", "# Home\n\nSecond.\n", gitstore.PutOptions{Overwrite: true})
	must(t, err)
	old, err := view(t, s, carol).At(ctx, first[:9])
	must(t, err)
	page, err := old.ReadPage("Home")
	must(t, err)
	if !strings.Contains(string(page.Content), "Welcome") || old.Key() == view(t, s, carol).Key() {
		t.Errorf("the old Home is %q, key %s", page.Content, old.Key())
	}
	for _, ref := range []string{"refs/wikibot/config", "refs/wikibot/audit"} {
		hidden := wiki.Revision(git(t, dir+"/wikis/notes.git", "rev-parse", ref))
		for _, c := range []wiki.Caller{carol, alice} {
			if _, err := view(t, s, c).At(ctx, hidden); !errors.Is(err, wiki.ErrNotFound) {
				t.Errorf("%s at %s: %v, want ErrNotFound", c.Name(), ref, err)
			}
			if _, err := view(t, s, c).Diff(ctx, first, hidden, ""); !errors.Is(err, wiki.ErrNotFound) {
				t.Errorf("%s compares with %s: %v, want ErrNotFound", c.Name(), ref, err)
			}
		}
	}
	d, err := view(t, s, carol).Diff(ctx, first, wiki.Head, "")
	must(t, err)
	if len(d.Files) != 1 || d.Files[0].Added != 1 || d.Files[0].Removed != 1 {
		t.Errorf("the difference is %+v", d.Files)
	}
}

// TestFiftyAgentsAppend: operations are applied again to the newer text, so that
// all of them land.
func TestFiftyAgentsAppend(t *testing.T) {
	s, _ := site(t)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			_, err := s.Update(context.Background(), bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
				return tx.Append("Home", fmt.Sprintf("agent %d.\n", i))
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	text := read(t, s, carol, "Home")
	for i := range 50 {
		if !strings.Contains(text, fmt.Sprintf("agent %d.\n", i)) {
			t.Errorf("agent %d's line is lost", i)
		}
	}
}
