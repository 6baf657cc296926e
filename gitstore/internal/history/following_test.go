package history

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/wiki"
)

// From every commit on, in parts of any size, what follows is what git lists.
func TestFollowing(t *testing.T) {
	for seed := range uint64(3) {
		r := randomHistory(t, seed, 60, true)
		x := r.build(r.head)
		for _, from := range strings.Fields(r.out("rev-list", "main")) {
			want := strings.Fields(r.out("rev-list", from+"..main"))
			slices.Sort(want)
			for _, limit := range []int{1, 3, 100} {
				c := Cursor{Seen: plumbing.NewHash(from)}
				var got []string
				for {
					list, next, err := x.Following(c, limit)
					if err != nil {
						t.Fatal(err)
					}
					for _, commit := range list {
						for _, p := range commit.Parents {
							if slices.Contains(want, string(p)) && !slices.Contains(got, string(p)) {
								t.Fatalf("seed %d: %s comes before its parent %s", seed, commit.Revision, p)
							}
						}
						got = append(got, string(commit.Revision))
					}
					if c = next; len(list) < limit {
						break
					}
				}
				if c.Seen != x.Head() {
					t.Errorf("seed %d: the cursor ends at %s, not at the head", seed, c.Seen)
				}
				slices.Sort(got)
				if !slices.Equal(got, want) {
					t.Fatalf("seed %d from %s in parts of %d: got %d commits, want %d", seed, from, limit, len(got), len(want))
				}
			}
		}
		all, _, err := x.Following(Cursor{}, 1000)
		if err != nil || fmt.Sprint(len(all)) != r.out("rev-list", "--count", "main") {
			t.Errorf("from the beginning: %d commits, %v", len(all), err)
		}
		if _, _, err := x.Following(Cursor{Seen: plumbing.NewHash(strings.Repeat("ab", 20))}, 10); !errors.Is(err, wiki.ErrNotFound) {
			t.Errorf("from a commit of another history: %v", err)
		}
	}
}

// While a follower works off its parts, a clone that pulled and pushed changes the
// order: nothing is left out.
func TestFollowingReordered(t *testing.T) {
	s := &stream{}
	base := s.commit("main", files{"a": "0"}, "base")
	mine := s.commit("clone", files{"a": "0", "b": "1"}, "mine", base)
	theirs := s.commit("main", files{"a": "1"}, "theirs", base)
	theirs2 := s.commit("main", files{"a": "2"}, "more", theirs)
	s.commit("pushed", files{"a": "2", "b": "1"}, "merge", mine, theirs2) // first parent: the clone's own
	r := s.repo(t)
	x := r.build(plumbing.NewHash(r.out("rev-parse", "main")))
	c := Cursor{Seen: plumbing.NewHash(r.out("rev-parse", "main~2"))}
	list, c, err := x.Following(c, 1)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if err := x.Advance(plumbing.NewHash(r.out("rev-parse", "pushed"))); err != nil {
		t.Fatal(err)
	}
	rest, _, err := x.Following(c, 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, rev := range []string{"clone", "main", "pushed"} {
		want := wiki.Revision(r.out("rev-parse", rev))
		if !slices.ContainsFunc(rest, func(c wiki.Commit) bool { return c.Revision == want }) {
			t.Errorf("%s is left out of %d commits", rev, len(rest))
		}
	}
}
