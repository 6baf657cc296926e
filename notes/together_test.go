package notes_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"wikibot/gitstore/gitstoretest"
	"wikibot/notes"
	"wikibot/wiki"
)

// together runs fn so many times at once.
func together(n int, fn func(i int)) {
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			<-start
			fn(i)
		})
	}
	close(start)
	all.Wait()
}

// Fifty agents write the same page's end, and none of their lines is lost.
func TestFiftyAgentsAppend(t *testing.T) {
	p := newPlace(t)
	p.write("Log", "# Log\n")
	revisions := make([]wiki.Revision, 50)
	together(50, func(i int) {
		a, err := p.Apply(ctx, wiki.Caller{User: "bob", Via: wiki.ViaMCP, Agent: fmt.Sprintf("Agent %d", i)}, "notes",
			notes.ApplyRequest{Ops: []notes.Op{{Do: notes.Append, Path: "Log", Content: fmt.Appendf(nil, "- agent %d\n", i)}}, Key: fmt.Sprint("agent ", i)})
		if err != nil {
			t.Error(err)
			return
		}
		revisions[i] = a.Commit
	})
	text := p.text("Log")
	for i := range 50 {
		if strings.Count(text, fmt.Sprintf("- agent %d\n", i)) != 1 {
			t.Errorf("agent %d's line is there %d times", i, strings.Count(text, fmt.Sprintf("- agent %d\n", i)))
		}
	}
	slices.Sort(revisions)
	if n := len(slices.Compact(revisions)); n != 50 {
		t.Errorf("%d commits, want one for each agent", n)
	}
	log := gitstoretest.Git(t, p.dir+"/wikis/notes.git", "log", "-50", "--format=%(trailers:key=Wikibot-Agent,valueonly)", "main")
	if n := strings.Count(log, "Agent "); n != 50 {
		t.Errorf("%d commits name their agent, want 50", n)
	}
	gitstoretest.Git(t, p.dir+"/wikis/notes.git", "fsck", "--strict", "--no-progress")
}

// Sections are written beside other edits of the page, and all is there at the end.
func TestSectionsBesideOtherEdits(t *testing.T) {
	p := newPlace(t)
	text := "# Plan\n\n## Ideas\n\n- first idea\n\n## Tasks\n\n- first task\n\n## End\n\nthe end\n"
	rev := p.write("Plan", text)
	together(40, func(i int) {
		op := notes.Op{Do: notes.AppendSection, Path: "Plan", Section: []string{"Ideas", "Tasks"}[i%2], Content: fmt.Appendf(nil, "- item %d\n", i)}
		if i%8 == 7 { // a stale edit elsewhere on the page
			op = notes.Op{Do: notes.EditText, Path: "Plan", Revision: rev, Merge: true, Edits: []notes.Edit{{Old: "the end", New: "the very end"}}}
		}
		if _, err := p.apply(bob, op); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	})
	got := p.text("Plan")
	ideas, tasks, _ := strings.Cut(got, "## Tasks")
	for i := range 40 {
		want := fmt.Sprintf("- item %d\n", i)
		if i%8 == 7 {
			continue
		}
		if in := []string{ideas, tasks}[i%2]; strings.Count(in, want) != 1 {
			t.Errorf("item %d is %d times in its section", i, strings.Count(in, want))
		}
	}
	if !strings.HasSuffix(got, "## End\n\nthe very end\n") {
		t.Errorf("the end is lost:\n%s", got)
	}
}

// Two edits of the same lines: one is saved, the other is told both texts, with and
// without a merge; edits of different lines are merged and answer the text.
func TestSameLines(t *testing.T) {
	p := newPlace(t)
	base := "one\n\ntwo\n\nthree\n"
	for _, merge := range []bool{false, true} {
		rev := p.write("P", base)
		var mu sync.Mutex
		var saved []string
		var lost []*wiki.Conflict
		together(2, func(i int) {
			text := strings.Replace(base, "two", fmt.Sprintf("two by %d", i), 1)
			_, err := p.apply(bob, notes.Op{Do: notes.Write, Path: "P", Content: []byte(text), Revision: rev, Merge: merge})
			mu.Lock()
			defer mu.Unlock()
			var c *wiki.Conflict
			switch {
			case err == nil:
				saved = append(saved, text)
			case errors.As(err, &c):
				lost = append(lost, c)
			default:
				t.Error(err)
			}
		})
		if len(saved) != 1 || len(lost) != 1 {
			t.Fatalf("%d saved, %d conflicts", len(saved), len(lost))
		}
		c := lost[0]
		if string(c.Ours) != saved[0] || string(c.Theirs) == saved[0] || !strings.Contains(string(c.Theirs), "two by") || string(c.Base) != base {
			t.Errorf("the conflict has ours %q, theirs %q, base %q; saved was %q", c.Ours, c.Theirs, c.Base, saved[0])
		}
		if c.Current != p.read("P").Revision || merge != (c.Merged != nil) || merge && !strings.Contains(string(c.Merged), "<<<<<<<") {
			t.Errorf("the conflict names %s, and the merge %q", c.Current, c.Merged)
		}
		if p.text("P") != saved[0] {
			t.Errorf("the page is %q, want %q", p.text("P"), saved[0])
		}
	}
	rev := p.write("P", base)
	p.write("P", strings.Replace(base, "one", "ONE", 1))
	a := p.do(notes.Op{Do: notes.Write, Path: "P", Content: []byte(strings.Replace(base, "three", "THREE", 1)), Revision: rev, Merge: true})
	if got := a.Pages[0]; !got.Merged || string(got.Content) != "ONE\n\ntwo\n\nTHREE\n" || p.text("P") != string(got.Content) {
		t.Errorf("merged: %+v", got)
	}
}

// The same request, sent many times at once and again after a restart, is done once.
// A page that a write left as it was is answered with the revision that has that
// text, also where others have changed it before the answer was made: who goes on from
// a later one would take back what they never saw.
func TestRevisionOfWhatDidNotChange(t *testing.T) {
	p := newPlace(t)
	const text = "same\n"
	for i := range 20 {
		p.do(notes.Op{Do: notes.Write, Path: "P", Content: []byte(text), Overwrite: true})
		var done [8]*notes.Applied
		together(len(done)*2, func(i int) {
			if i%2 == 0 {
				p.do(notes.Op{Do: notes.Append, Path: "P", Content: []byte("more\n")})
				return
			}
			var err error
			if done[i/2], err = p.apply(bob, notes.Op{Do: notes.Write, Path: "P", Content: []byte(text), Overwrite: true}); err != nil {
				t.Error(err)
			}
		})
		for _, a := range done {
			v, err := p.view(bob).At(ctx, a.Pages[0].Revision)
			must(t, err)
			page, err := v.ReadPage("P")
			if must(t, err); string(page.Content) != text {
				t.Fatalf("round %d: unchanged %v, and at the revision that was answered the page is %q", i, a.Unchanged, page.Content)
			}
		}
	}
}

func TestRacingRepeats(t *testing.T) {
	p := newPlace(t)
	for round := range 5 {
		req := notes.ApplyRequest{Key: fmt.Sprint("key ", round), Ops: []notes.Op{{Do: notes.Append, Path: "Home", Content: fmt.Appendf(nil, "round %d\n", round)}}}
		got := make([]*notes.Applied, 20)
		together(len(got), func(i int) {
			var err error
			if got[i], err = p.Apply(ctx, bob, "notes", req); err != nil {
				t.Error(err)
			}
		})
		p.restart()
		last, err := p.Apply(ctx, bob, "notes", req)
		must(t, err)
		first := 0
		for _, a := range append(got, last) {
			if !a.Replayed {
				first++
			}
			if a.Commit != got[0].Commit || len(a.Pages) != 1 || a.Pages[0].Path != "Home" || a.Pages[0].Revision != a.Commit {
				t.Errorf("round %d: %+v, want as %+v", round, a, got[0])
			}
		}
		if n := strings.Count(p.text("Home"), fmt.Sprintf("round %d\n", round)); first != 1 || n != 1 {
			t.Errorf("round %d: done %d times, the line is there %d times", round, first, n)
		}
	}
	// Two different requests with one key: one is done, the other refused.
	var done, refused int
	var mu sync.Mutex
	together(2, func(i int) {
		_, err := p.Apply(ctx, bob, "notes", notes.ApplyRequest{Key: "one for two", Ops: []notes.Op{{Do: notes.Append, Path: "Home", Content: fmt.Appendf(nil, "by %d\n", i)}}})
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err == nil:
			done++
		case errors.Is(err, wiki.ErrInvalid):
			refused++
		default:
			t.Error(err)
		}
	})
	if done != 1 || refused != 1 {
		t.Errorf("%d done, %d refused", done, refused)
	}
	// carol and mallory get nothing from a key that is not theirs.
	for _, c := range []wiki.Caller{carol, mallory} {
		if a, err := p.Apply(ctx, c, "notes", notes.ApplyRequest{Key: "key 1", Ops: []notes.Op{{Do: notes.Append, Path: "Home", Content: []byte("round 1\n")}}}); err == nil {
			t.Errorf("%s is answered %+v", c.User, a)
		}
	}
}
