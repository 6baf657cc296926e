package notes_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"wikibot/gitstore/gitstoretest"
	"wikibot/notes"
	"wikibot/wiki"
)

func TestWrite(t *testing.T) {
	p := newPlace(t)
	made := p.do(notes.Op{Do: notes.Write, Path: "A/Page", Content: []byte("---\ntitle: The Page\n---\none\n")})
	if got := made.Pages[0]; !got.Created || got.Path != "A/Page" || got.Name != "The Page" || got.Revision != made.Commit {
		t.Errorf("created: %+v", got)
	}
	_, err := p.apply(bob, notes.Op{Do: notes.Write, Path: "A/Page", Content: []byte("two\n")})
	var c *wiki.Conflict
	if !errors.As(err, &c) || c.Current != made.Commit || !strings.HasPrefix(err.Error(), "Revision required when updating an existing page. Read the page first to get the current revision.") {
		t.Errorf("without a revision: %v", err)
	}
	second := p.do(notes.Op{Do: notes.Write, Path: "A/Page", Content: []byte("two\n"), Revision: made.Commit[:9]})
	if got := second.Pages[0]; got.Created || got.Name != "Page" || got.Revision != second.Commit {
		t.Errorf("updated: %+v", got)
	}
	_, err = p.apply(bob, notes.Op{Do: notes.Write, Path: "A/Page", Content: []byte("three\n"), Revision: made.Commit})
	if !errors.As(err, &c) || c.Current != second.Commit || string(c.Ours) != "two\n" || string(c.Theirs) != "three\n" ||
		!strings.HasPrefix(err.Error(), "Revision mismatch: page has been modified since last read.") {
		t.Errorf("stale: %v", err)
	}
	p.write("Other", "x\n")
	same := p.do(notes.Op{Do: notes.Write, Path: "A/Page", Content: []byte("two\n"), Revision: second.Commit})
	if !same.Unchanged || same.Pages[0].Revision != second.Commit {
		t.Errorf("unchanged: %+v, want the revision %s", same, second.Commit)
	}
	dry, err := p.Apply(ctx, bob, "notes", notes.ApplyRequest{Ops: []notes.Op{{Do: notes.Delete, Path: "A/Page"}}, DryRun: true})
	if must(t, err); dry.Commit != "" || !dry.Pages[0].Deleted || p.text("A/Page") != "two\n" {
		t.Errorf("a dry run: %+v", dry)
	}
	for _, who := range []wiki.Caller{mallory, {}} {
		_, err := p.apply(who, notes.Op{Do: notes.Write, Path: "A/Page", Content: []byte("x")})
		if errors.Is(err, wiki.ErrConflict) || errors.Is(err, wiki.ErrForbidden) || err == nil {
			t.Errorf("%s: %v; it must be as if there were no wiki", who.Name(), err)
		}
		_, bad := p.apply(who)
		if fmt.Sprint(bad) != fmt.Sprint(err) {
			t.Errorf("%s learns something from a bad request: %v", who.Name(), bad)
		}
	}
	_, err = p.apply(carol, notes.Op{Do: notes.Append, Path: "Home", Content: []byte("x")})
	wantErr(t, err, wiki.ErrForbidden, "")
}

func TestMessages(t *testing.T) {
	p := newPlace(t)
	message := func(c wiki.Caller, text string, ops ...notes.Op) string {
		t.Helper()
		a, err := p.Apply(ctx, c, "notes", notes.ApplyRequest{Ops: ops, Message: text})
		must(t, err)
		return gitstoretest.Git(t, p.dir+"/wikis/notes.git", "log", "-1", "--format=%an: %s", string(a.Commit))
	}
	for _, test := range []struct{ got, want string }{
		{message(alice, "", notes.Op{Do: notes.Write, Path: "P", Content: []byte("a")}), "alice: [api] Create: P"},
		{message(bob, "", notes.Op{Do: notes.Write, Path: "P", Content: []byte("b"), Overwrite: true}), "bob: [mcp] Update: P"},
		{message(bob, "", notes.Op{Do: notes.EditText, Path: "P", Merge: true, Edits: []notes.Edit{{Old: "b", New: "c"}}}), "bob: [mcp] Edit: P"},
		{message(alice, "why I did it", notes.Op{Do: notes.Append, Path: "P", Content: []byte("b")}), "alice: why I did it"},
		{message(bob, "why I did it", notes.Op{Do: notes.Append, Path: "P", Content: []byte("b")}), "bob: [mcp] why I did it"},
		{message(bob, "", notes.Op{Do: notes.Rename, Path: "P", NewPath: "Q"}), "bob: [mcp] Rename: P -> Q"},
		{message(bob, "", notes.Op{Do: notes.Delete, Path: "Q"}), "bob: [mcp] Delete: Q"},
		{message(bob, "", notes.Op{Do: notes.Append, Path: "Home", Content: []byte("b")}, notes.Op{Do: notes.Write, Path: "New", Content: []byte("b")}), "bob: [mcp] 2 changes"},
	} {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestEditText(t *testing.T) {
	p := newPlace(t)
	rev := p.write("P", "one\ntwo\nthree\nfour\nfive\nsix\nlast\nseven\n")
	edit := func(rev wiki.Revision, merge bool, edits ...notes.Edit) (*notes.Applied, error) {
		return p.apply(bob, notes.Op{Do: notes.EditText, Path: "P", Revision: rev, Merge: merge, Edits: edits})
	}
	for _, test := range []struct {
		edit notes.Edit
		text string
	}{
		{notes.Edit{Old: "two", New: "two"}, "old_string and new_string are identical"},
		{notes.Edit{Old: "absent", New: "x"}, "old_string not found in page content"},
		{notes.Edit{Old: "o", New: "x"}, "old_string is ambiguous: found 3 occurrences. Provide a longer unique string."},
		{notes.Edit{Old: "", New: "x"}, "old_string is empty"},
	} {
		_, err := edit(rev, false, test.edit)
		wantErr(t, err, wiki.ErrInvalid, test.text)
	}
	_, err := edit("", false, notes.Edit{Old: "two", New: "2"})
	wantErr(t, err, wiki.ErrInvalid, "revision is missing")

	a, err := edit(rev, false, notes.Edit{Old: "two", New: "2"}, notes.Edit{Old: "2\nthree", New: "2\n3"}, notes.Edit{Old: "i", New: "I", All: true})
	must(t, err)
	if got, want := p.text("P"), "one\n2\n3\nfour\nfIve\nsIx\nlast\nseven\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if a.Pages[0].Revision != a.Commit || a.Pages[0].Merged {
		t.Errorf("got %+v", a.Pages[0])
	}
	_, err = edit(rev, false, notes.Edit{Old: "seven", New: "7"})
	var c *wiki.Conflict
	if !errors.As(err, &c) || !strings.Contains(string(c.Theirs), "two") || !strings.HasSuffix(string(c.Theirs), "7\n") || !strings.Contains(string(c.Ours), "fIve") {
		t.Errorf("a stale edit: %v, %+v", err, c)
	}
	a, err = edit(rev, true, notes.Edit{Old: "seven", New: "7"})
	must(t, err)
	if got, want := string(a.Pages[0].Content), "one\n2\n3\nfour\nfIve\nsIx\nlast\n7\n"; got != want || !a.Pages[0].Merged || p.text("P") != want {
		t.Errorf("merged: %q, want %q", got, want)
	}
	_, err = edit(rev, true, notes.Edit{Old: "two", New: "zwei"})
	if !errors.As(err, &c) || c.Merged == nil || !strings.Contains(err.Error(), "same lines") {
		t.Errorf("an edit of the same line: %v", err)
	}
	_, err = p.apply(bob, notes.Op{Do: notes.EditText, Path: "Hom", Revision: rev, Edits: []notes.Edit{{Old: "a", New: "b"}}})
	wantErr(t, err, wiki.ErrNotFound, "Page not found: Hom. Pages with a similar name: Home")
}

func TestSections(t *testing.T) {
	p := newPlace(t)
	start := "# T\n\n## A\n\na\n\n## B\n\nb\n"
	for _, test := range []struct {
		do        notes.Verb
		text, out string
	}{
		{notes.AppendSection, "x\n", "# T\n\n## A\n\na\n\nx\n## B\n\nb\n"},
		{notes.PrependSection, "x\n", "# T\n\n## A\nx\n\na\n\n## B\n\nb\n"},
		{notes.ReplaceSection, "x\n", "# T\n\n## A\nx\n## B\n\nb\n"},
		{notes.InsertBefore, "x\n", "# T\n\nx\n## A\n\na\n\n## B\n\nb\n"},
		{notes.InsertAfter, "x\n", "# T\n\n## A\n\na\n\nx\n## B\n\nb\n"},
	} {
		old := p.write("P", start)
		p.do(notes.Op{Do: test.do, Path: "P", Section: "a", Content: []byte(test.text)})
		if got := p.text("P"); got != test.out {
			t.Errorf("%s: got %q, want %q", test.do, got, test.out)
		}
		// A revision counts only where no merge is asked for.
		op := notes.Op{Do: test.do, Path: "P", Section: "B", Content: []byte("y\n"), Revision: old}
		if _, err := p.apply(bob, op); !errors.Is(err, wiki.ErrConflict) {
			t.Errorf("%s with a stale revision: %v", test.do, err)
		}
		op.Merge = true
		p.do(op)
	}
	_, err := p.apply(bob, notes.Op{Do: notes.AppendSection, Path: "P", Section: "C", Content: []byte("x")})
	wantErr(t, err, wiki.ErrNotFound, "there is no section")
	_, err = p.apply(bob, notes.Op{Do: notes.Append, Path: "Log", Content: []byte("x\n")})
	wantErr(t, err, wiki.ErrNotFound, "Page not found: Log")
	for range 2 {
		p.do(notes.Op{Do: notes.Append, Path: "Log", Content: []byte("x\n"), Create: true})
	}
	if got := p.text("Log"); got != "x\nx\n" {
		t.Errorf("appended twice: %q", got)
	}
}

// One commit of several operations: all or nothing, one revision for all of them.
func TestBatch(t *testing.T) {
	p := newPlace(t)
	p.write("P", "# P\n\none\n\nSee [[Q]].\n")
	p.write("Q", "q\n")
	p.write("R", "r [[Q]]\n")
	rev := p.read("P").Revision
	before := p.view(alice).Head()
	_, err := p.apply(bob,
		notes.Op{Do: notes.Append, Path: "P", Content: []byte("x")},
		notes.Op{Do: notes.Delete, Path: "Nowhere"})
	var at *notes.OpError
	if !errors.As(err, &at) || at.Index != 1 || !errors.Is(err, wiki.ErrNotFound) || p.view(alice).Head() != before {
		t.Errorf("a batch that fails: %v, head %s, was %s", err, p.view(alice).Head(), before)
	}
	file, _ := notes.AttachmentPath("P", "a.png")
	a := p.do(
		notes.Op{Do: notes.Append, Path: "P", Content: []byte("two\n")},
		notes.Op{Do: notes.EditText, Path: "P", Revision: rev, Edits: []notes.Edit{{Old: "one", New: "1"}}},
		notes.Op{Do: notes.Rename, Path: "Q", NewPath: "Z"},
		notes.Op{Do: notes.Write, Path: "New", Content: []byte("new\n")},
		notes.Op{Do: notes.Append, Path: "New", Content: []byte("more\n")},
		notes.Op{Do: notes.Attach, File: file, Content: []byte("png")},
	)
	if got, want := p.text("P"), "# P\n\n1\n\nSee [[Z]].\ntwo\n"; got != want {
		t.Errorf("P is %q, want %q", got, want)
	}
	var paths []string
	for _, d := range a.Pages {
		paths = append(paths, fmt.Sprintf("%s<%s %v", d.Path, d.From, d.Created))
	}
	if want := []string{"P< false", "Z<Q false", "New< true"}; !slices.Equal(paths, want) {
		t.Errorf("pages %q, want %q", paths, want)
	}
	if want := []wiki.PagePath{"P", "R"}; !slices.Equal(a.Updated, want) {
		t.Errorf("updated %q, want %q", a.Updated, want)
	}
	if want := (notes.FileDone{File: "P/a.png", Size: 3, MIME: "image/png"}); len(a.Files) != 1 || a.Files[0] != want {
		t.Errorf("files %+v", a.Files)
	}
	if got := gitstoretest.Git(t, p.dir+"/wikis/notes.git", "rev-list", "--count", string(before)+"..main"); got != "1" {
		t.Errorf("%s commits, want 1", got)
	}
	// A revision of before an edit by somebody else is stale in a batch too.
	p.write("P", "changed\n")
	_, err = p.apply(bob,
		notes.Op{Do: notes.Append, Path: "P", Content: []byte("x")},
		notes.Op{Do: notes.Write, Path: "P", Content: []byte("y"), Revision: rev})
	wantErr(t, err, wiki.ErrConflict, "Revision mismatch")
}

func TestBounds(t *testing.T) {
	p := newPlace(t)
	many := make([]notes.Op, notes.MaxOps+1)
	for i := range many {
		many[i] = notes.Op{Do: notes.Append, Path: "Home", Content: []byte("x")}
	}
	_, err := p.apply(bob, many...)
	wantErr(t, err, wiki.ErrInvalid, "too many")
	_, err = p.apply(bob, notes.Op{Do: "explode", Path: "Home"})
	wantErr(t, err, wiki.ErrInvalid, "append_section")
	_, err = p.Apply(ctx, bob, "notes", notes.ApplyRequest{Ops: many[:1], Key: strings.Repeat("k", 256)})
	wantErr(t, err, wiki.ErrInvalid, "key")
	// Edits that grow: each doubles the text.
	p.write("Big", strings.Repeat("a", 1<<19))
	grow := notes.Op{Do: notes.EditText, Path: "Big", Merge: true}
	for range 30 {
		grow.Edits = append(grow.Edits, notes.Edit{Old: "a", New: "aa", All: true})
	}
	_, err = p.apply(bob, grow)
	wantErr(t, err, wiki.ErrTooLarge, "too large")
	// Many passes over a large text.
	ops := make([]notes.Op, notes.MaxOps)
	for i := range ops {
		ops[i] = notes.Op{Do: notes.AppendSection, Path: "Big", Section: "x", Content: []byte("x")}
	}
	p.write("Big", "# x\n"+strings.Repeat("text\n", 1<<17))
	_, err = p.apply(bob, ops...)
	wantErr(t, err, wiki.ErrTooLarge, "too much text")
	for i := range ops {
		ops[i] = notes.Op{Do: notes.Append, Path: "Big", Content: []byte("x")}
	}
	_, err = p.apply(bob, ops...)
	wantErr(t, err, wiki.ErrTooLarge, "too much text")
	// The same over a text that was large once, and of which a line is left.
	once := p.write("Small", "x\n"+strings.Repeat("a", 1<<19)+"\n")
	p.write("Small", "x\n")
	back := notes.Op{Do: notes.EditText, Path: "Small", Revision: once, Merge: true}
	for i := range 100 {
		back.Edits = append(back.Edits, notes.Edit{Old: "xy"[i%2 : i%2+1], New: "yx"[i%2 : i%2+1]})
	}
	_, err = p.apply(bob, back, back)
	wantErr(t, err, wiki.ErrTooLarge, "too much text")
	for i := range ops {
		ops[i] = notes.Op{Do: notes.Write, Path: "Big", Content: []byte("# x\n" + strings.Repeat("text\n", 1<<17)), Revision: once, Merge: true}
	}
	_, err = p.apply(bob, ops[:20]...)
	wantErr(t, err, wiki.ErrTooLarge, "too much text")
}

// A repeated request is answered again and does nothing, also after a restart; a
// key for another request is refused.
func TestKeys(t *testing.T) {
	p := newPlace(t)
	p.write("A", "a\n")
	p.write("B", "see [[A]]\n")
	req := notes.ApplyRequest{Key: "k1", Ops: []notes.Op{
		{Do: notes.Append, Path: "Home", Content: []byte("line\n")},
		{Do: notes.Rename, Path: "A", NewPath: "C"},
	}}
	first, err := p.Apply(ctx, bob, "notes", req)
	must(t, err)
	for i := range 2 {
		again, err := p.Apply(ctx, bob, "notes", req)
		must(t, err)
		if !again.Replayed || again.Commit != first.Commit || !slices.Equal(again.Updated, first.Updated) {
			t.Errorf("%d: got %+v, want %+v", i, again, first)
		}
		var got, want []string
		for _, d := range again.Pages {
			got = append(got, fmt.Sprint(d.Path, d.From, d.Name, d.Revision, d.Created))
		}
		for _, d := range first.Pages {
			want = append(want, fmt.Sprint(d.Path, d.From, d.Name, d.Revision, d.Created))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%d: pages %q, want %q", i, got, want)
		}
		p.restart()
	}
	if got := strings.Count(p.text("Home"), "line"); got != 1 {
		t.Errorf("%d lines, want 1", got)
	}
	req.Ops[0].Content = []byte("other\n")
	_, err = p.Apply(ctx, bob, "notes", req)
	wantErr(t, err, wiki.ErrInvalid, "another request")
	_, err = p.Apply(ctx, alice, "notes", notes.ApplyRequest{Key: "k1", Ops: req.Ops[:1]})
	must(t, err) // alice's keys are her own
}
