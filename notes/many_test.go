package notes_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"wikibot/gitstore/gitstoretest"
	"wikibot/notes"
	"wikibot/search"
	"wikibot/wiki"
)

func TestReadMany(t *testing.T) {
	p := newPlace(t)
	long := "# Long\n\n## One\n\n" + strings.Repeat("é", 500) + "\n\n## Two\n\n" + strings.Repeat("b", 400) + "\n\n## Three\n\n" + strings.Repeat("c", 400) + "\n"
	p.write("Long", long)
	p.write("A", strings.Repeat("a", 100))
	p.write("B", "to [[A]]")
	v := p.view(carol)
	all := []wiki.PagePath{"A", "Long", "Nowhere", "a", "B", "Nowhere"}
	got, left, err := p.ReadMany(ctx, v, all, 200)
	must(t, err)
	if len(got) != 2 || got[0].Path != "A" || got[1].Path != "B" || len(got[1].LinksTo) != 1 || got[0].Cut != nil {
		t.Errorf("got %d notes", len(got))
	}
	if len(left) != 2 || left[0].Path != "Long" || left[0].Reason != notes.OverBudget || left[0].Chars != 1339 || left[1].Reason != notes.Missing {
		t.Errorf("left %+v", left)
	}
	got, left, err = p.ReadMany(ctx, v, []wiki.PagePath{"Nowhere", "Long"}, 1000)
	must(t, err)
	if len(got) != 1 || got[0].Cut == nil || got[0].Cut.Chars != 1339 || !slices.Equal(got[0].Cut.Rest, []string{"Long > Three"}) ||
		string(got[0].Content) != long[:strings.Index(long, "## Three")] || len(left) != 1 || got[0].Words != 11 {
		t.Errorf("cut: %+v, left %+v", got[0].Cut, left)
	}
	got, _, err = p.ReadMany(ctx, v, []wiki.PagePath{"A"}, 7)
	if must(t, err); string(got[0].Content) != "aaaaaaa" {
		t.Errorf("one line: %q", got[0].Content)
	}
	_, _, err = p.ReadMany(ctx, v, make([]wiki.PagePath, notes.MaxMany+1), 0)
	wantErr(t, err, wiki.ErrInvalid, "too many")
	_, _, err = p.ReadMany(ctx, v, nil, -1)
	wantErr(t, err, wiki.ErrInvalid, "budget")
	if got, left, err = p.ReadMany(ctx, v, nil, 0); len(got)+len(left) != 0 || err != nil {
		t.Errorf("nothing: %v", err)
	}
}

func TestOutline(t *testing.T) {
	p := newPlace(t)
	rev := p.write("P", "---\na: b\n---\nintro\n# One\n\ntwo words\n\n## Sub\n\n```\n# no heading\n```\n\n# Two\n\nend\n")
	o, err := p.Outline(ctx, p.view(carol), "p")
	must(t, err)
	want := []notes.SectionInfo{
		{Path: "One", Level: 1, Line: 5, Words: 11, Anchor: "one"},
		{Path: "One > Sub", Level: 2, Line: 9, Words: 7, Anchor: "sub"},
		{Path: "Two", Level: 1, Line: 15, Words: 3, Anchor: "two"},
	}
	if o.Path != "P" || o.Revision != rev || o.Words != 15 || !slices.Equal(o.Sections, want) {
		t.Errorf("got %+v, want %+v", o, want)
	}
	_, err = p.Outline(ctx, p.view(carol), "Nowhere")
	wantErr(t, err, wiki.ErrNotFound, "Page not found: Nowhere")
}

// The text of a diff is what git prints, and what git takes.
func TestDiff(t *testing.T) {
	p := newPlace(t)
	repo := p.dir + "/wikis/notes.git"
	body := "# Head\n\n" + strings.Repeat("line\n", 20)
	first := p.write("Keep/Größe \"x\"", body+"end")
	p.write("Gone", "gone\n")
	p.write("Old name", strings.Repeat("the same text\n", 30))
	from := p.do(notes.Op{Do: notes.Attach, File: "Home/a.bin", Content: []byte("\x00\x01")}).Commit
	p.do(
		notes.Op{Do: notes.Write, Path: "Keep/Größe \"x\"", Content: []byte(strings.Replace(body, "line", "changed", 1) + "end\n"), Overwrite: true},
		notes.Op{Do: notes.Delete, Path: "Gone"},
		notes.Op{Do: notes.Rename, Path: "Old name", NewPath: "New name", NoRedirect: true},
		notes.Op{Do: notes.Write, Path: "Added", Content: []byte("one line")},
		notes.Op{Do: notes.Attach, File: "Home/a.bin", Content: []byte("\x00\x02"), Overwrite: true},
	)
	to := p.view(alice).Head()
	text, d, err := p.Diff(ctx, p.view(carol), from, "", "")
	must(t, err)
	if len(d.Files) != 5 {
		t.Errorf("%d files, want 5", len(d.Files))
	}
	attributes := t.TempDir() + "/attributes"
	must(t, os.WriteFile(attributes, []byte("*.md diff=markdown\n"), 0o600))
	want := gitstoretest.Git(t, repo, "-c", "core.quotePath=false", "-c", "core.attributesFile="+attributes, "diff", "--full-index", "-M", string(from), string(to))
	if text = strings.TrimSuffix(text, "\n"); withoutSimilarity(want) != text {
		t.Errorf("got\n%s\nwant\n%s", text, withoutSimilarity(want))
	}
	// One page, under its old name, and the parent as the default.
	p.write("New name", strings.Repeat("the same text\n", 29)+"other\n")
	text, _, err = p.Diff(ctx, p.view(carol), "", "", "Old name")
	if must(t, err); strings.Contains(text, "Old name") {
		t.Errorf("got\n%s", text)
	}
	text, _, err = p.Diff(ctx, p.view(carol), "", "", "new name")
	if must(t, err); !strings.Contains(text, "\n-the same text\n+other\n") {
		t.Errorf("got\n%s", text)
	}
	text, _, err = p.Diff(ctx, p.view(carol), first, to, "Home")
	if must(t, err); text != "" {
		t.Errorf("unchanged:\n%s", text)
	}
	_, _, err = p.Diff(ctx, p.view(carol), first, to, "Nowhere")
	wantErr(t, err, wiki.ErrNotFound, "Page not found: Nowhere")
	_, _, err = p.Diff(ctx, p.view(carol), "abcdef1", to, "")
	wantErr(t, err, wiki.ErrNotFound, "")
}

// withoutSimilarity drops the lines in which git says how alike two files are.
func withoutSimilarity(diff string) string {
	var kept []string
	for _, l := range strings.Split(diff, "\n") {
		if !strings.HasPrefix(l, "similarity index ") {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, "\n")
}

func TestFind(t *testing.T) {
	p := newPlace(t)
	p.write("Boats", "# Boats\n\nA boat floats on the water of the lake.\n")
	a, err := p.Search(ctx, p.view(carol), "boat", "", 0, 5)
	must(t, err)
	if len(a.Results) != 1 || a.Results[0].Page != "Boats" || a.Results[0].Score < 0 || a.Results[0].Score > 1 {
		t.Errorf("got %+v", a.Results)
	}
	if _, err := p.Semantic(ctx, p.view(carol), search.SemanticRequest{Text: "water"}); err != nil {
		t.Error(err)
	}
	none := notes.New(notes.Config{Store: p.store})
	_, err = none.Search(ctx, p.view(carol), "boat", "", 0, 5)
	wantErr(t, err, wiki.ErrUnavailable, "no search index")
	_, err = none.Read(ctx, p.view(carol), notes.ReadRequest{Path: "Boat"})
	wantErr(t, err, wiki.ErrNotFound, "Page not found: Boat")
}
