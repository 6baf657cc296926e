package gitstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// TestHistoryAsItGoes: an index that was told of each commit by the writer says
// the same as one that is built from git.
func TestHistoryAsItGoes(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	r := rand.New(rand.NewPCG(1, 1))
	name := func() wiki.PagePath { return wiki.PagePath(fmt.Sprintf("F%d/P%d", r.IntN(3), r.IntN(8))) }
	done := 0
	for i := range 150 {
		if i%10 == 0 { // the index is there; one that missed a commit follows
			_, err := view(t, s, carol).LastAll(ctx)
			must(t, err)
		}
		_, err := s.Update(ctx, bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
			switch i % 5 {
			case 3:
				return tx.Rename(name(), name(), gitstore.RenameOptions{})
			case 4:
				return tx.Delete(name(), gitstore.DeleteOptions{})
			}
			for range 1 + i%3 {
				if err := tx.Put(name(), []byte(fmt.Sprintf("# Title\n\nline %d\nsee [[F1/P%d]]\n", i, i%8)), gitstore.PutOptions{Overwrite: true}); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			done++
		}
	}
	if done < 90 {
		t.Fatalf("only %d of 150 changes went through", done)
	}
	told := allHistory(t, s)
	must(t, s.Close())
	must(t, os.RemoveAll(filepath.Join(dir, "cache", "history")))
	built := allHistory(t, open(t, dir))
	if len(told) < 100 {
		t.Fatalf("the history has %d parts", len(told))
	}
	for k, want := range built {
		if got := told[k]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", k, got, want)
		}
	}
	if len(told) != len(built) {
		t.Errorf("told %d, built %d", len(told), len(built))
	}
}

// allHistory is all that the index says: commits, and the log and blame of each
// page.
func allHistory(t *testing.T, s *gitstore.Store) map[string]any {
	t.Helper()
	ctx, v := context.Background(), view(t, s, carol)
	out := map[string]any{}
	commits, _, err := v.Changes(ctx, gitstore.ChangesOptions{Limit: 1000})
	must(t, err)
	for i, c := range commits {
		c.Date = c.Date.UTC()
		out[fmt.Sprint("commit ", i)] = c
	}
	pages, _, err := v.List(gitstore.ListOptions{})
	must(t, err)
	for _, e := range pages {
		log, _, err := v.History(ctx, e.Page, "", 1000)
		must(t, err)
		for i := range log {
			log[i].Date = log[i].Date.UTC()
		}
		lines, err := v.Blame(ctx, e.Page)
		must(t, err)
		var blame []wiki.Revision
		for _, l := range lines {
			blame = append(blame, l.Commit.Revision)
		}
		out["log "+string(e.Page)], out["blame "+string(e.Page)] = log, blame
	}
	return out
}
