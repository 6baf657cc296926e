package history

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/wiki"
)

// differ shows where two dumps part.
func differ(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d:\n%s\n%s", i, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d and %d lines", len(x), len(y))
}

// TestAdvanceIsBuild goes forth and back over histories, by steps and jumps.
func TestAdvanceIsBuild(t *testing.T) {
	for seed := range uint64(6) {
		r := randomHistory(t, seed, 120, seed > 0)
		random := rand.New(rand.NewPCG(seed, 1))
		x := New(r.options())
		for _, oid := range r.all {
			if err := x.Advance(oid); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		for range 25 {
			oid := r.all[random.IntN(len(r.all))]
			if err := x.Advance(oid); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if got, want := dump(x), dump(r.build(oid)); got != want {
				t.Fatalf("seed %d, at %s: advanced and built differ, %s", seed, oid, differ(got, want))
			}
		}
		if err := x.Advance(plumbing.ZeroHash); err != nil || dump(x) != "" {
			t.Errorf("seed %d: an emptied index has %q, %v", seed, dump(x), err)
		}
	}
}

// TestAppendIsAdvance hands the index its own knowledge.
func TestAppendIsAdvance(t *testing.T) {
	r := randomHistory(t, 1, 60, false)
	want := r.build(r.head)
	x := New(r.options())
	for n := range want.commits {
		e := want.export(int32(n))
		if err := x.Append(e.Commit); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := dump(x), dump(want); got != want {
		t.Errorf("appended and built differ, %s", differ(got, want))
	}
	if err := x.Append(Commit{OID: r.head, Parents: []plumbing.Hash{r.all[0]}}); err != ErrStale {
		t.Errorf("appending to a commit that is not the head: %v", err)
	}
	if err := x.Advance(plumbing.NewHash("1234567890123456789012345678901234567890")); err == nil || dump(x) != dump(want) {
		t.Errorf("advancing to nowhere: %v; the index must stay", err)
	}
}

// plainLog is Log without following names.
func plainLog(x *Index, file string) (out []string) {
	w := &walk{x: x, moved: map[plumbing.Hash]renames{}}
	for {
		missing, err := w.log(file, Filter{Limit: 1 << 20})
		if errors.Is(err, wiki.ErrNotFound) {
			return nil // it was on a side line only, and the merge dropped it
		}
		if missing.IsZero() {
			break
		}
		w.moved[missing] = renames{}
	}
	for _, c := range w.out {
		out = append(out, string(c.Revision))
	}
	return out
}

func TestLogLikeGit(t *testing.T) {
	for seed := range uint64(8) {
		r := randomHistory(t, seed+100, 150, seed > 0)
		x := r.build(r.head)
		for _, file := range x.paths.list {
			got := plainLog(x, file)
			want := strings.Fields(r.out("log", "--format=%H", "main", "--", file))
			first := ""
			if len(want) > 0 {
				first = want[0]
			}
			if c, _, err := x.Last(plumbing.ZeroHash, file); (err != nil) != (first == "") || string(c.Revision) != first {
				t.Errorf("seed %d: last change of %s is %s, %v; git log -1 says %s", seed, file, c.Revision, err, first)
			}
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Errorf("seed %d: the log of %s is\n%v, git's\n%v", seed, file, got, want)
			}
		}
		checkLastAll(t, r, x)
	}
}

func checkLastAll(t *testing.T, r *repo, x *Index) {
	t.Helper()
	files := strings.Split(strings.TrimSuffix(r.out("ls-tree", "-r", "-z", "--name-only", "main"), "\x00"), "\x00")
	var got []string
	for _, l := range x.LastAll() {
		got = append(got, l.File)
		if c, exists, err := x.Last(plumbing.ZeroHash, l.File); err != nil || !exists || c.Revision != revision(l.Revision) || !c.Date.Equal(l.Date) {
			t.Errorf("LastAll says %v of %s, Last says %v, %v", l, l.File, c, err)
		}
	}
	slices.Sort(got)
	slices.Sort(files)
	if !slices.Equal(got, files) {
		t.Errorf("LastAll has %q, the tree %q", got, files)
	}
}

func TestLogFollowsLikeGit(t *testing.T) {
	checked, same, moved := 0, 0, 0
	for seed := range uint64(4) {
		r := randomHistory(t, seed+200, 150, false)
		x := r.build(r.head)
		for _, l := range x.LastAll() {
			log, _, err := x.Log(plumbing.ZeroHash, l.File, plumbing.ZeroHash, 1000)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range log {
				got = append(got, string(c.Revision))
				if c.Kind == wiki.Renamed {
					moved++
				}
			}
			want := strings.Fields(r.out("log", "--follow", "--format=%H", "main", "--", l.File))
			checked++
			if slices.Equal(got, want) {
				same++
			} else {
				t.Logf("seed %d: the log of %s is\n%v, git log --follow\n%v", seed, l.File, got, want)
			}
			if paged := pagedLog(t, x, l.File, 3); !slices.Equal(paged, got) {
				t.Errorf("seed %d: the log of %s in pages is\n%v, at once\n%v", seed, l.File, paged, got)
			}
		}
	}
	if same*100 < checked*98 {
		t.Errorf("%d of %d logs are as git log --follow has them", same, checked)
	}
	t.Logf("%d of %d logs are as git log --follow has them, with %d renames", same, checked, moved)
	if moved < 10 {
		t.Errorf("only %d renames were met", moved)
	}
}

func pagedLog(t *testing.T, x *Index, file string, limit int) (out []string) {
	t.Helper()
	var after plumbing.Hash
	for range 1000 {
		log, next, err := x.Log(plumbing.ZeroHash, file, after, limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range log {
			out = append(out, string(c.Revision))
		}
		if next.IsZero() {
			return out
		}
		after = next
	}
	t.Fatal("the pages of a log never end")
	return nil
}

// gitBlame gives the commit of each line.
func gitBlame(r *repo, at, file string) (out []string) {
	text := r.out("blame", "--line-porcelain", at, "--", file)
	header := true
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case header:
			out = append(out, line[:40])
			header = false
		case strings.HasPrefix(line, "\t"):
			header = true
		}
	}
	return out
}

func TestBlameLikeGit(t *testing.T) {
	for _, branches := range []bool{false, true} {
		lines, same := 0, 0
		for seed := range uint64(5) {
			r := randomHistory(t, seed+300, 150, branches)
			x := r.build(r.head)
			for _, l := range x.LastAll() {
				blame, err := x.Blame(context.Background(), plumbing.ZeroHash, l.File)
				if err != nil {
					t.Fatal(err)
				}
				want := gitBlame(r, "main", l.File)
				if len(blame) != len(want) {
					t.Fatalf("seed %d: blame of %s has %d lines, git's %d", seed, l.File, len(blame), len(want))
				}
				for i, b := range blame {
					lines++
					if string(b.Commit.Revision) == want[i] {
						same++
					}
				}
				_, text, err := r.db.Get(plumbing.NewHash(r.out("rev-parse", "main:"+l.File)))
				if err != nil {
					t.Fatal(err)
				}
				var joined strings.Builder
				for i, b := range blame {
					joined.WriteString(b.Text + "\n")
					if b.Line != i+1 {
						t.Errorf("line %d is numbered %d", i+1, b.Line)
					}
				}
				if joined.String() != string(text) {
					t.Errorf("seed %d: the lines of the blame of %s are not its text", seed, l.File)
				}
			}
		}
		t.Logf("branches %v: %d of %d lines are as git blame has them (%.2f %%)", branches, same, lines, float64(same)*100/float64(lines))
		if float64(same) < 0.99*float64(lines) {
			t.Errorf("branches %v: only %d of %d lines are as git blame has them", branches, same, lines)
		}
	}
}

func TestErrors(t *testing.T) {
	x := New(Options{})
	if _, err := x.Resolve(wiki.Head); err == nil {
		t.Error("an empty index has a head")
	}
	if _, _, err := x.Last(plumbing.ZeroHash, "Home.md"); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("last change in an empty index: %v", err)
	}
	if _, _, err := x.Log(plumbing.ZeroHash, "Home.md", plumbing.ZeroHash, 0); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("log in an empty index: %v", err)
	}
	if _, err := x.Blame(context.Background(), plumbing.ZeroHash, "Home.md"); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("blame in an empty index: %v", err)
	}
	if cs, next, err := x.Changes(Filter{}); len(cs) != 0 || !next.IsZero() || err != nil {
		t.Errorf("changes of an empty index: %v, %v, %v", cs, next, err)
	}
	if _, _, err := x.Changes(Filter{After: plumbing.NewHash("1234567890123456789012345678901234567890")}); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("changes after an unknown commit: %v", err)
	}
}
