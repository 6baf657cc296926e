package notes_test

import (
	"fmt"
	"testing"

	"wikibot/notes"
	"wikibot/wiki"
)

// What an earlier operation of the request did to a page by the way (a rename moves
// sub-pages and rewrites links, a reversal brings pages back) neither loses a later
// operation on it nor makes its revision stale; others' changes still do.
func TestBatchOnWhatMovedByTheWay(t *testing.T) {
	rename := notes.Op{Do: notes.Rename, Path: "A", NewPath: "B"}
	swap := []notes.Edit{{Old: "one", New: "two"}}
	for i, c := range []struct {
		op   notes.Op // its Revision is that of the sub-page or of the linking page
		path string
		want string
	}{
		{notes.Op{Do: notes.EditText, Path: "B/Sub", Edits: swap}, "B/Sub", "two\n"},
		{notes.Op{Do: notes.EditText, Path: "B/Sub", Edits: swap, Merge: true}, "B/Sub", "two\n"},
		{notes.Op{Do: notes.Write, Path: "B/Sub", Content: []byte("new\n")}, "B/Sub", "new\n"},
		{notes.Op{Do: notes.Append, Path: "B/Sub", Content: []byte("more\n")}, "B/Sub", "one\nmore\n"},
		{notes.Op{Do: notes.EditText, Path: "Links", Edits: swap}, "Links", "[[B]] two\n"},
		{notes.Op{Do: notes.Write, Path: "Links", Content: []byte("new\n")}, "Links", "new\n"},
		{notes.Op{Do: notes.Rename, Path: "B/Sub", NewPath: "C"}, "C", "one\n"},
	} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			p := newPlace(t)
			p.write("A", "a\n")
			read := map[string]wiki.Revision{"Links": p.write("Links", "[[A]] one\n")}
			read["B/Sub"] = p.write("A/Sub", "one\n")
			c.op.Revision = read[string(c.op.Path)]
			_, err := p.apply(bob, rename, c.op)
			if must(t, err); p.text(c.path) != c.want {
				t.Errorf("%s is %q; want %q", c.path, p.text(c.path), c.want)
			}
		})
		if c.op.Merge {
			continue
		}
		t.Run(fmt.Sprint(i, " stale"), func(t *testing.T) {
			p := newPlace(t)
			p.write("A", "a\n")
			read := map[string]wiki.Revision{"Links": p.write("Links", "[[A]] one\n")}
			read["B/Sub"] = p.write("A/Sub", "one\n")
			p.do(notes.Op{Do: notes.Append, Path: "A/Sub", Content: []byte("x\n")}, notes.Op{Do: notes.Append, Path: "Links", Content: []byte("x\n")})
			c.op.Revision = read[string(c.op.Path)]
			_, err := p.apply(bob, rename, c.op)
			wantErr(t, err, wiki.ErrConflict, "")
		})
	}
}

func TestEditOfWhatCameBack(t *testing.T) {
	p := newPlace(t)
	early := p.write("Other", "a\n")
	p.write("P", "one\n")
	gone := p.do(notes.Op{Do: notes.Delete, Path: "P"})
	p.do(notes.Op{Do: notes.Revert, Revision: gone.Commit}, notes.Op{Do: notes.EditText, Path: "P", Revision: early, Edits: []notes.Edit{{Old: "one", New: "two"}}})
	if p.text("P") != "two\n" {
		t.Errorf("the edit was lost: %q", p.text("P"))
	}
}
