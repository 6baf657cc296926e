package refs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
)

// TestCrashesOfPack packs refs, moves packed ones, deletes them, and packs again. In
// each state that a crash can leave, every ref is where it was acknowledged to be, or
// where the change that was under way would put it, and stock git says the same.
func TestCrashesOfPack(t *testing.T) {
	dir, tips := repo(t, 2)
	for _, name := range []string{"hooks", "info", "description", "branches"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	rec, err := disk.NewRecorder(dir)
	if err != nil {
		t.Fatal(err)
	}
	d := Open(rec, dir)
	d.pause = 0
	change := func(name string, old, new plumbing.Hash) {
		t.Helper()
		rec.Mark("begin " + name + " " + new.String())
		if err := d.Set(context.Background(), Update{Name: name, Old: old, New: new}); err != nil {
			t.Fatal(err)
		}
		rec.Mark("done " + name + " " + new.String())
	}
	pack := func() {
		t.Helper()
		if _, err := d.Pack(context.Background(), PackOptions{Leave: leaveNone, Peel: func(plumbing.Hash) (plumbing.Hash, error) { return plumbing.ZeroHash, nil }}); err != nil {
			t.Fatal(err)
		}
	}
	none := plumbing.ZeroHash
	for _, name := range []string{"refs/heads/main", "refs/tags/a", "refs/tags/deep/b"} {
		change(name, none, tips[0])
	}
	pack()
	change("refs/tags/a", tips[0], tips[1])
	change("refs/tags/deep/b", tips[0], none)
	change("refs/tags/c", none, tips[1])
	pack()
	change("refs/tags/a", tips[1], none)
	change("refs/tags/a", none, tips[0])

	states := 0
	for c, err := range rec.Crashes(t.TempDir()) {
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []string{"packed-refs.lock", "packed-refs.new"} { // as the next start does
			_ = os.Remove(filepath.Join(c.Dir, f))
		}
		if err := agrees(c); err != nil {
			t.Errorf("after %d operations (the last: %s), lost %s: %v", c.Point, rec.Operations()[max(c.Point-1, 0)], c.Lost, err)
		}
		if states++; states%25 == 0 {
			ours, err := Open(disk.OS{}, c.Dir).List("")
			var lines []string
			for _, r := range ours {
				lines = append(lines, r.Hash.String()+" "+r.Name)
			}
			git, _ := gitstoretest.TryGit(c.Dir, "", "show-ref") // fails where there is none
			if err != nil || strings.Join(lines, "\n") != git {
				t.Errorf("after %d operations git sees\n%s\nwe see\n%s\n%v", c.Point, git, strings.Join(lines, "\n"), err)
			}
		}
	}
	if states < 100 {
		t.Errorf("only %d states: the recorder shows too little", states)
	}
}

// agrees compares the refs of a state with its marks.
func agrees(c disk.Crash) error {
	want := map[string][]string{} // ref → where it may be
	for _, m := range c.Marks {
		f := strings.Fields(m)
		if f[0] == "done" {
			want[f[1]] = []string{f[2]}
		} else {
			if want[f[1]] == nil {
				want[f[1]] = []string{plumbing.ZeroHash.String()}
			}
			want[f[1]] = append(want[f[1]], f[2])
		}
	}
	d := Open(disk.OS{}, c.Dir)
	for name, places := range want {
		at, err := d.Read(name)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if !strings.Contains(strings.Join(places, " "), at.String()) {
			return fmt.Errorf("%s is at %s, want one of %v", name, at, places)
		}
	}
	return nil
}
