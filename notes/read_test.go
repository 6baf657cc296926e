package notes_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wikibot/gitstore/gitstoretest"
	"wikibot/notes"
	"wikibot/wiki"
)

func TestRead(t *testing.T) {
	p := newPlace(t)
	text := "---\ntitle: \"Page\\nName\"\ncategory: Actor\ntags: [x, Y, x]\nlang: en\n---\n# Heading\n\n[[Home]] and [[Nowhere]]\n\n## Part\n\ndeep words here\n"
	rev := p.write("A/Page", text)
	p.write("Other", "to [[Page]]\n")
	n := p.read("a/page")
	if n.Path != "A/Page" || n.Name != "Page Name" || n.Category != "Actor" || !slices.Equal(n.Tags, []string{"x", "Y"}) || n.Lang != "en" || n.Words != 10 {
		t.Errorf("metadata: %+v", n.Meta)
	}
	if string(n.Content) != text || n.Revision != rev || n.Last.Actor != "bob" || n.Last.Agent != "Helper 1.0" || len(n.Frontmatter) != 4 {
		t.Errorf("note: %+v", n)
	}
	if want := []wiki.PagePath{"Home", "A/Nowhere"}; !slices.Equal(n.LinksTo, want) {
		t.Errorf("links to %q, want %q", n.LinksTo, want)
	}
	if want := []wiki.PagePath{"Other"}; !slices.Equal(n.LinkedFrom, want) {
		t.Errorf("linked from %q, want %q", n.LinkedFrom, want)
	}
	n, err := p.Read(ctx, p.view(carol), notes.ReadRequest{Path: "A/Page", Section: "part", NoLinks: true})
	if must(t, err); n.Section != "Heading > Part" || string(n.Content) != "## Part\n\ndeep words here\n" || n.LinksTo != nil || n.Words != 10 {
		t.Errorf("a section: %+v", n)
	}
	_, err = p.Read(ctx, p.view(carol), notes.ReadRequest{Path: "A/Page", Section: "Absent"})
	wantErr(t, err, wiki.ErrNotFound, "Heading > Part")
	_, err = p.Read(ctx, p.view(carol), notes.ReadRequest{Path: "B/Page"})
	wantErr(t, err, wiki.ErrNotFound, "Page not found: B/Page. Pages with a similar name: A/Page")
	// An older state, and a page that has moved.
	p.write("A/Page", "new\n")
	p.do(notes.Op{Do: notes.Rename, Path: "A/Page", NewPath: "B/Moved"})
	old, err := p.view(carol).At(ctx, rev)
	must(t, err)
	n, err = p.Read(ctx, old, notes.ReadRequest{Path: "A/Page"})
	if must(t, err); string(n.Content) != text || n.Revision != rev {
		t.Errorf("as it was: %+v", n)
	}
	if n = p.read("A/Page"); n.Path != "B/Moved" || n.MovedFrom != "A/Page" {
		t.Errorf("moved: %+v", n)
	}
}

func TestTags(t *testing.T) {
	for _, test := range []struct {
		head string
		want []string
	}{
		{"tags: a, b ,c", []string{"a", "b", "c"}},
		{"tags: [a, \"b, c\"]", []string{"a", "b, c"}},
		{"tags:\n  - '#a'\n  - A", []string{"a"}},
		{"Tags: one", []string{"one"}},
		{"tags:", nil},
		{"tags: \"a\\nb\"", []string{"a b"}},
		{"tags: [", nil},
	} {
		m := notes.MetaOf([]byte("---\n"+test.head+"\n---\ntext\n"), "P")
		if !slices.Equal(m.Tags, test.want) {
			t.Errorf("%q: got %q, want %q", test.head, m.Tags, test.want)
		}
	}
	hostile := "---\ntags: [" + strings.Repeat("x"+strings.Repeat("é", 300)+", ", 100) + "]\ntitle: " + strings.Repeat("t", 9000) + "\n---\n"
	if m := notes.MetaOf([]byte(hostile), "P"); len(m.Name) > 200 || len(m.Tags) > 100 || len(strings.Join(m.Tags, "")) > 200*100 {
		t.Errorf("a hostile page's metadata is kept whole: %d, %d", len(m.Name), len(m.Tags))
	}
}

func FuzzMeta(f *testing.F) {
	for _, s := range []string{"", "---\ntitle: x\ntags: a, b\n---\ntext", "---\ntags: [a, {b: c}]\n...\n", "a\u00a0b\u2003c \xff d"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		m := notes.MetaOf(src, "A/P")
		for _, s := range append([]string{m.Name, m.Category, m.Lang}, m.Tags...) {
			if len(s) > 200 || strings.ContainsAny(s, "\n\r\x00") {
				t.Fatalf("%q is not one short line", s)
			}
		}
		if m.Name == "" || len(m.Tags) > 100 {
			t.Fatalf("got %+v", m)
		}
		if !strings.HasPrefix(string(src), "---") && !strings.HasPrefix(string(src), "\ufeff") {
			if want := len(strings.Fields(string(src))); m.Words != want {
				t.Fatalf("%d words, want %d", m.Words, want)
			}
		}
	})
}

func TestList(t *testing.T) {
	p := newPlace(t)
	files := map[string]string{}
	for i := range 60 {
		files[fmt.Sprintf("Dir/P%02d.md", i)] = fmt.Sprintf("---\ncategory: C%d\ntags: [even%d, All]\n---\nw w\n", i%3, i%2)
	}
	gitstoretest.Files(t, p.dir+"/wikis/notes.git", "refs/heads/main", files)
	list := func(r notes.ListRequest) *notes.List {
		t.Helper()
		l, err := p.List(ctx, p.view(carol), r)
		must(t, err)
		return l
	}
	for range 2 { // the second time from what is kept
		if l := list(notes.ListRequest{}); l.Total != 61 || len(l.Items) != 61 || l.Next != "" || l.Items[0].Path != "Dir/P00" {
			t.Errorf("all: %d of %d, %q", len(l.Items), l.Total, l.Next)
		}
		if l := list(notes.ListRequest{Prefix: "Dir/P1"}); l.Total != 10 {
			t.Errorf("by prefix: %d", l.Total)
		}
		if l := list(notes.ListRequest{Category: "c1", Tag: "EVEN0", Limit: 3}); l.Total != 10 || len(l.Items) != 3 {
			t.Errorf("by category and tag: %d of %d", len(l.Items), l.Total)
		}
		var all []wiki.PagePath
		for after := ""; ; {
			l := list(notes.ListRequest{Tag: "all", Limit: 7, After: after})
			for _, it := range l.Items {
				all = append(all, it.Path)
			}
			if after = l.Next; after == "" || l.Total != 60 {
				break
			}
		}
		if len(all) != 60 || !slices.IsSorted(all) {
			t.Errorf("in parts: %d pages", len(all))
		}
	}
	// What is kept follows changes, also those that git made.
	p.do(notes.Op{Do: notes.Delete, Path: "Dir/P00"}, notes.Op{Do: notes.Write, Path: "Dir/P01x", Content: []byte("---\ntags: all\n---\n")},
		notes.Op{Do: notes.Write, Path: "Dir/P02", Content: []byte("plain\n"), Overwrite: true})
	if l := list(notes.ListRequest{Tag: "all"}); l.Total != 59 || l.Items[1].Path != "Dir/P01x" {
		t.Errorf("after changes: %d, %v", l.Total, l.Items[1])
	}
	l := list(notes.ListRequest{Since: time.Now().Add(-time.Hour)})
	if l.Total != 3 || l.Items[0].Author != "bob" || l.Items[0].Updated.IsZero() {
		t.Errorf("since: %+v", l)
	}
	if l := list(notes.ListRequest{Prefix: "Dir/P03"}); l.Items[0].Updated.Unix() != 1700000000 || l.Items[0].Words != 2 || l.Items[0].Size == 0 {
		t.Errorf("an item: %+v", l.Items[0])
	}
	// An older state.
	old, err := p.view(carol).At(ctx, p.view(carol).Head())
	must(t, err)
	p.write("Later", "x")
	l, err = p.List(ctx, old, notes.ListRequest{})
	if must(t, err); l.Total != 61 {
		t.Errorf("as it was: %d pages, want 61", l.Total)
	}
	tags, err := p.Tags(ctx, p.view(carol))
	must(t, err)
	if want := []notes.Count{{"All", 59}, {"even1", 30}, {"even0", 28}}; !slices.Equal(tags, want) {
		t.Errorf("tags %v, want %v", tags, want)
	}
	categories, err := p.Categories(ctx, p.view(carol))
	must(t, err)
	if len(categories) != 3 || categories[0].Name != "C1" || categories[0].Pages != 20 {
		t.Errorf("categories %v", categories)
	}
}

func TestHistory(t *testing.T) {
	p := newPlace(t)
	p.write("A", "1\n")
	p.write("A", "2\n")
	p.do(notes.Op{Do: notes.Rename, Path: "A", NewPath: "B"})
	for _, path := range []wiki.PagePath{"A", "B"} {
		log, _, err := p.History(ctx, p.view(carol), path, "", 10)
		if must(t, err); len(log) != 3 || log[0].Kind != wiki.Renamed {
			t.Errorf("%s: %d changes", path, len(log))
		}
	}
	_, _, err := p.History(ctx, p.view(carol), "Hom", "", 10)
	wantErr(t, err, wiki.ErrNotFound, "Page not found: Hom")
	var seen []wiki.Revision
	for after := ""; ; {
		list, next, err := p.Changes(ctx, p.view(carol), notes.ChangesRequest{Limit: 1, After: after, Agent: "helper"})
		must(t, err)
		for _, c := range list {
			seen = append(seen, c.Revision)
		}
		if after = next; next == "" {
			break
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d changes by the helper, want 3", len(seen))
	}
}

func TestAttachments(t *testing.T) {
	p := newPlace(t)
	at, err := notes.AttachmentPath("Home", "a.png")
	must(t, err)
	a := p.do(notes.Op{Do: notes.Attach, File: at, Content: []byte("png")})
	list, err := p.Attachments(ctx, p.view(carol), "home")
	must(t, err)
	if len(list) != 1 || list[0].Name != "a.png" || list[0].Size != 3 || list[0].Revision != a.Commit {
		t.Errorf("list: %+v", list)
	}
	f, err := p.ReadAttachment(ctx, p.view(carol), "Home", "A.png")
	if must(t, err); string(f.Content) != "png" || f.MIME != "image/png" || f.Revision != a.Commit {
		t.Errorf("read: %+v", f)
	}
	_, err = p.ReadAttachment(ctx, p.view(carol), "Home", "b.png")
	wantErr(t, err, wiki.ErrNotFound, "Attachment not found: b.png")
	_, err = p.Attachments(ctx, p.view(carol), "Nowhere")
	wantErr(t, err, wiki.ErrNotFound, "Page not found")
	for _, bad := range []string{"", "../Home.md", "x/y.png", ".hidden", "a\nb", "Home.md"} {
		if at, err := notes.AttachmentPath("Home", bad); !errors.Is(err, wiki.ErrInvalid) {
			t.Errorf("%q: %q, %v", bad, at, err)
		}
	}
}
