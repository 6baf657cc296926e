package gitstore_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// found runs a search in history to its end and says what it found, one hit a line.
func found(t testing.TB, s *gitstore.Store, q gitstore.HistoryQuery) (out []string) {
	t.Helper()
	for range 1000 {
		r, err := view(t, s, carol).SearchHistory(context.Background(), q, nil)
		must(t, err)
		for _, h := range r.Found {
			line := fmt.Sprintf("%s: %s +%d -%d", h.Commit.Subject, h.Page, h.Added, h.Removed)
			if h.From != "" {
				line += " from " + string(h.From)
			}
			if h.Gone {
				line += " gone"
			}
			out = append(out, fmt.Sprintf("%s, %d %s", line, h.Line, marked(h)))
		}
		if q.After = r.Next; r.Ended {
			if r.Done != r.Total || r.Next != "" {
				t.Errorf("at the end it stands at %d of %d, next %q", r.Done, r.Total, r.Next)
			}
			return out
		}
	}
	t.Fatal("the search does not end")
	return nil
}

func marked(h gitstore.HistoryHit) string {
	s := h.Snippet
	for _, m := range slices.Backward(h.Marks) {
		s = s[:m[0]] + "[" + s[m[0]:m[1]] + "]" + s[m[1]:]
	}
	return s
}

func edit(t testing.TB, s *gitstore.Store, message string, do func(tx *gitstore.Tx) error) {
	t.Helper()
	_, err := s.Update(context.Background(), bob, "notes", gitstore.Meta{Message: message}, do)
	must(t, err)
}

func save(t testing.TB, s *gitstore.Store, message, p, text string) {
	t.Helper()
	edit(t, s, message, func(tx *gitstore.Tx) error {
		return tx.Put(wiki.PagePath(p), []byte(text), gitstore.PutOptions{Overwrite: true})
	})
}

func TestSearchHistory(t *testing.T) {
	s, _ := site(t)
	save(t, s, "one", "Notes", "# Notes\n\nThe badger sleeps.\n")
	save(t, s, "two", "Notes", "# Notes\n\nThe badger sleeps.\n\nA second Badger, and a badger.\n")
	save(t, s, "other", "Other", "No such animal. b a d g e r\n")
	edit(t, s, "three", func(tx *gitstore.Tx) error {
		return tx.Rename("Notes", "Animals/Notes", gitstore.RenameOptions{NoRedirect: true})
	})
	save(t, s, "four", "Animals/Notes", "# Notes\n\nThe fox sleeps.\n\nA second Badger, and a badger.\n")
	edit(t, s, "five", func(tx *gitstore.Tx) error {
		if err := tx.Rename("Animals/Notes", "Notes", gitstore.RenameOptions{NoRedirect: true}); err != nil {
			return err
		}
		return tx.Append("Notes", "A badger came.\n")
	})
	edit(t, s, "six", func(tx *gitstore.Tx) error {
		return tx.Delete("Notes", gitstore.DeleteOptions{})
	})
	edit(t, s, "seven", func(tx *gitstore.Tx) error {
		return tx.Attach("Other/badger.txt", []byte("badger"), gitstore.AttachOptions{})
	})
	all := []string{
		"six: Notes +0 -3 gone, 5 A second [Badger], and a [badger].",
		"five: Notes +1 -0 from Animals/Notes, 6 A [badger] came.",
		"four: Animals/Notes +0 -1, 3 The [badger] sleeps.",
		"two: Notes +2 -0, 5 A second [Badger], and a [badger].",
		"one: Notes +1 -0, 3 The [badger] sleeps.",
	}
	for _, test := range []struct {
		q    gitstore.HistoryQuery
		want []string
	}{
		{gitstore.HistoryQuery{Text: "badger"}, all},
		{gitstore.HistoryQuery{Text: "BADGER", Limit: 1}, all},
		{gitstore.HistoryQuery{Text: `bad\w+`, Regexp: true}, all},
		{gitstore.HistoryQuery{Text: "Badger", Case: true}, []string{
			"six: Notes +0 -1 gone, 5 A second [Badger], and a badger.", "two: Notes +1 -0, 5 A second [Badger], and a badger."}},
		{gitstore.HistoryQuery{Text: "^The b", Regexp: true, Case: true}, []string{"four: Animals/Notes +0 -1, 3 [The b]adger sleeps.", "one: Notes +1 -0, 3 [The b]adger sleeps."}},
		{gitstore.HistoryQuery{Text: "badger", Prefix: "Animals/"}, all[2:3]},
		{gitstore.HistoryQuery{Text: "badger", Author: "bob"}, all},
		{gitstore.HistoryQuery{Text: "badger", Author: "carol"}, nil},
		{gitstore.HistoryQuery{Text: "badger", Since: time.Now().Add(time.Hour)}, nil},
		{gitstore.HistoryQuery{Text: "badger", Until: time.Now().Add(-time.Hour)}, nil},
		{gitstore.HistoryQuery{Text: "badger", Since: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}, all},
		{gitstore.HistoryQuery{Text: "weasel"}, nil},
	} {
		if got := found(t, s, test.q); !slices.Equal(got, test.want) {
			t.Errorf("%+v:\n%s\nwant\n%s", test.q, strings.Join(got, "\n"), strings.Join(test.want, "\n"))
		}
	}
}

func TestSearchHistoryRefuses(t *testing.T) {
	s, _ := site(t)
	v, ctx := view(t, s, carol), context.Background()
	for _, q := range []gitstore.HistoryQuery{
		{}, {Text: strings.Repeat("x", 501)}, {Text: "a\nb"}, {Text: "\xff"}, {Text: "a(b", Regexp: true}, {Text: "x*", Regexp: true},
		{Text: `(a{1,200}){1,200}`, Regexp: true}, {Text: `[a-z]{900}`, Regexp: true}, {Text: `(x)\1`, Regexp: true}, {Text: "(?=a)", Regexp: true},
		{Text: "x", After: "x"}, {Text: "x", After: strings.Repeat("0", 39)}, {Text: "x", After: string(v.Head()) + "-"}, {Text: "x", After: string(v.Head()) + "-01"},
		{Text: "x", After: string(v.Head()) + "--1"}, {Text: "x", After: strings.Repeat("a", 40)},
	} {
		if r, err := v.SearchHistory(ctx, q, nil); !errors.Is(err, wiki.ErrInvalid) {
			t.Errorf("%+v gives %+v, %v", q, r, err)
		}
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := v.SearchHistory(gone, gitstore.HistoryQuery{Text: "x"}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone is told %v", err)
	}
}

// TestSearchHistoryContinues: a cursor stands in the middle of a commit, stays good
// when commits are added, and ends with the history that it is of.
func TestSearchHistoryContinues(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	edit(t, s, "many", func(tx *gitstore.Tx) error {
		for i := range 7 {
			if err := tx.Put(wiki.PagePath(fmt.Sprint("Page ", i)), []byte("a badger\n"), gitstore.PutOptions{Create: true}); err != nil {
				return err
			}
		}
		return nil
	})
	q := gitstore.HistoryQuery{Text: "badger", Limit: 3}
	first, err := view(t, s, carol).SearchHistory(ctx, q, nil)
	must(t, err)
	if len(first.Found) != 3 || first.Ended || !strings.HasSuffix(first.Next, "-3") {
		t.Fatalf("the first part is %+v", first)
	}
	save(t, s, "newer", "Newer", "a badger\n")
	rest := q
	rest.After = first.Next
	var pages []string
	for _, line := range found(t, s, rest) {
		pages = append(pages, strings.Fields(line)[2])
	}
	if fmt.Sprint(pages) != "[3 4 5 6]" {
		t.Errorf("the rest is %v", pages)
	}

	repo := filepath.Join(dir, "wikis", "notes.git")
	git(t, repo, "update-ref", "refs/heads/main", string(first.Found[0].Commit.Parents[0])) // behind the server's back
	time.Sleep(20 * time.Millisecond)
	_, err = view(t, s, carol).SearchHistory(ctx, rest, nil)
	if !errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), "rewritten") {
		t.Errorf("a cursor of a history that is gone: %v", err)
	}
}

// TestSearchHistoryMerges: a text that came in by a merge is told of once, where it
// was written; one that the merge itself wrote, at the merge.
func TestSearchHistoryMerges(t *testing.T) {
	s, dir := site(t)
	work := filepath.Join(t.TempDir(), "work")
	repo := filepath.Join(dir, "wikis", "notes.git")
	git(t, dir, "clone", "-q", repo, work)
	write := func(name, text string) {
		t.Helper()
		must(t, os.WriteFile(filepath.Join(work, name), []byte(text), 0o644))
		git(t, work, "add", "-A")
	}
	commit := func(message string) {
		git(t, work, "-c", "user.name=Bob", "-c", "user.email=bob@example.org", "commit", "-q", "-m", message)
	}
	write("P.md", "one\n\ntwo\n\nthree\n")
	commit("base")
	git(t, work, "checkout", "-q", "-b", "side")
	write("P.md", "one badger\n\ntwo\n\nthree\n")
	commit("side")
	git(t, work, "checkout", "-q", "main")
	write("P.md", "one\n\ntwo\n\nthree badgers\n")
	commit("trunk")
	git(t, work, "-c", "user.name=Bob", "-c", "user.email=bob@example.org", "merge", "-q", "--no-commit", "side")
	commit("clean merge")
	git(t, work, "checkout", "-q", "-b", "more")
	write("Q.md", "other\n")
	commit("more")
	git(t, work, "checkout", "-q", "main")
	git(t, work, "-c", "user.name=Bob", "-c", "user.email=bob@example.org", "merge", "-q", "--no-ff", "--no-commit", "more")
	write("P.md", "one badger\n\ntwo badger\n\nthree badgers badger\n")
	commit("evil merge")
	// as an import would have it: below the server's notice
	git(t, repo, "fetch", "-q", work, "+main:main")
	time.Sleep(20 * time.Millisecond)
	got := found(t, s, gitstore.HistoryQuery{Text: "badger"})
	want := []string{"evil merge: P +2 -0, 3 two [badger]", "side: P +1 -0, 1 one [badger]", "trunk: P +1 -0, 5 three [badger]s"}
	slices.Sort(got)
	if slices.Sort(want); !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestSearchHistoryOfHugeTexts: what is too large, or takes an expression too long,
// is left out and counted; the search goes on behind it.
func TestSearchHistoryOfHugeTexts(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	save(t, s, "before", "Small", "aaab\n")
	repo, work := filepath.Join(dir, "wikis", "notes.git"), filepath.Join(t.TempDir(), "work")
	git(t, dir, "clone", "-q", repo, work)
	must(t, os.WriteFile(filepath.Join(work, "Huge.md"), []byte(strings.Repeat("a", 5<<20)), 0o644))
	must(t, os.WriteFile(filepath.Join(work, "Large.md"), []byte(strings.Repeat("a", 3<<20)), 0o644))
	git(t, work, "add", "-A")
	git(t, work, "-c", "user.name=Bob", "-c", "user.email=bob@example.org", "commit", "-q", "-m", "huge")
	git(t, repo, "fetch", "-q", work, "+main:main")
	time.Sleep(20 * time.Millisecond)
	r, err := view(t, s, carol).SearchHistory(ctx, gitstore.HistoryQuery{Text: "aaaa"}, nil)
	if err != nil || len(r.Found) != 1 || r.Found[0].Page != "Large" || r.Skipped != 1 || len(r.Found[0].Snippet) > 220 {
		t.Errorf("a plain text is found in %d pages, %d left out, %v", len(r.Found), r.Skipped, err)
	}
	skipped, hits := 0, 0
	q := gitstore.HistoryQuery{Text: `(a|aa|a.*x)+b`, Regexp: true, Case: true, Work: 50 * time.Millisecond}
	for range 100 {
		r, err := view(t, s, carol).SearchHistory(ctx, q, nil)
		must(t, err)
		skipped, hits = skipped+r.Skipped, hits+len(r.Found)
		if q.After = r.Next; r.Ended {
			break
		}
	}
	if q.After != "" || skipped == 0 || hits != 1 {
		t.Errorf("the search ends at %q with %d hits and %d texts left out", q.After, hits, skipped)
	}
}

// TestSearchHistoryAfterPurge: what was purged is not found.
func TestSearchHistoryAfterPurge(t *testing.T) {
	s, _ := site(t)
	save(t, s, "oops", "Secret", "the password is badger-in-the-woods\n")
	save(t, s, "mended", "Secret", "ask alice for the password\n")
	if got := found(t, s, gitstore.HistoryQuery{Text: "badger"}); len(got) != 2 {
		t.Fatalf("before: %q", got)
	}
	_, err := s.Purge(context.Background(), host, "notes", gitstore.PurgeRequest{Text: "badger-in-the-woods"})
	must(t, err)
	if got := found(t, s, gitstore.HistoryQuery{Text: "badger"}); len(got) != 0 {
		t.Errorf("after: %q", got)
	}
	if got := found(t, s, gitstore.HistoryQuery{Text: "password"}); len(got) != 1 {
		t.Errorf("what stays: %q", got)
	}
}
