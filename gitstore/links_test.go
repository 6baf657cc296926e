package gitstore_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// garden writes pages in one commit; a name with a dot is an attachment.
func garden(t testing.TB, s *gitstore.Store, pages map[string]string) {
	t.Helper()
	_, err := s.Update(context.Background(), bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
		for name, text := range pages {
			if strings.Contains(name, ".") {
				if err := tx.Attach(wiki.FilePath(name), []byte(text), gitstore.AttachOptions{Replace: true}); err != nil {
					return err
				}
			} else if err := tx.Put(wiki.PagePath(name), []byte(text), gitstore.PutOptions{Overwrite: true}); err != nil {
				return err
			}
		}
		return nil
	})
	must(t, err)
}

var beds = map[string]string{
	"Home":     "# Home\n\n[[Beds]] and [[Beds#Soil]].\n\n## More\n\n[beds again](Beds.md#No-such)\n\n[[Compost]]\n",
	"Beds":     "# Beds\n\n## Soil\n\nSee [[Compost]], [[compost]], [[Tools/Rake]].\n\n![plan](Beds/plan.png) ![gone](Beds/gone.png)\n\n[here](#soil) [nowhere](#clay) [raw](#Raw)\n\n<a id=\"Raw\">x</a>\n",
	"Lonely":   "# Lonely\n\n[[Lonely]] links to itself. [out](https://example.org/x.png)\n",
	"Spade":    "[[Tools/Rake]] [doc](manual.pdf)\n",
	"_Sidebar": "[[Spade]] [[Home]]\n",

	"Beds/plan.png": "png",
}

// TestGarden: what a gardener wants to know of a wiki's links, each with its place.
func TestGarden(t *testing.T) {
	s, _ := site(t)
	ctx := context.Background()
	garden(t, s, beds)
	v := view(t, s, carol)

	to, from, more, err := v.AllLinks(ctx, "beds", 0)
	must(t, err)
	if more {
		t.Error("links were left out without a limit")
	}
	var got []string
	for _, l := range to {
		got = append(got, fmt.Sprintf("%s%s#%s %v %d %s", l.Page, l.File, l.Anchor, l.Exists, l.Line, l.Section))
	}
	want := []string{"Compost# false 5 Soil", "compost# false 5 Soil", "Tools/Rake# false 5 Soil", "Beds/plan.png# true 7 Soil", "Beds/gone.png# false 7 Soil",
		"Beds#soil true 9 Soil", "Beds#clay true 9 Soil", "Beds#raw true 9 Soil"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the links of Beds are\n%q\nwant\n%q", got, want)
	}
	if len(from) != 3 || from[0].Line != 3 || from[1].Anchor != "soil" || from[2] != (gitstore.PageLink{Page: "Home", Anchor: "no-such", Exists: true, Line: 7, Section: "More", Text: "beds again"}) {
		t.Errorf("the links to Beds are %+v", from)
	}
	if to, from, more, err = v.AllLinks(ctx, "Beds", 2); err != nil || len(to) != 2 || len(from) != 2 || !more {
		t.Errorf("with a limit of two: %v %v %v %v", to, from, more, err)
	}
	if to, from, err = v.Links(ctx, "Beds"); err != nil || len(to) != 3 || len(from) != 1 {
		t.Errorf("the first links of each pair are %v and %v, %v", to, from, err)
	}

	wanted, total, err := v.WantedPages(ctx, gitstore.LinkFilter{})
	must(t, err)
	if total != 2 || wanted[0].Page != "Compost" || wanted[0].Links != 3 || wanted[0].Pages != 2 || wanted[1].Page != "Tools/Rake" || wanted[1].Pages != 2 {
		t.Errorf("wanted are %+v", wanted)
	}
	if f := wanted[0].From; len(f) != 2 || f[0].Page != "Beds" || f[0].Line != 5 || f[1].Page != "Home" || f[1].Section != "More" {
		t.Errorf("Compost is wanted by %+v", f)
	}
	if list, total, err := v.WantedPages(ctx, gitstore.LinkFilter{Limit: 1}); err != nil || len(list) != 1 || total != 2 {
		t.Errorf("one wanted page of two: %v %d %v", list, total, err)
	}

	if list, total, err := v.WantedPages(ctx, gitstore.LinkFilter{Prefix: "Beds", Skip: 1}); err != nil || total != 2 || len(list) != 1 || list[0].Page != "Tools/Rake" || list[0].Pages != 1 {
		t.Errorf("what Beds wants, but for the first: %+v %d %v", list, total, err)
	}

	orphans, n, err := v.Orphans(ctx, gitstore.LinkFilter{})
	if err != nil || n != 1 || orphans[0] != "Lonely" {
		t.Errorf("orphans are %v (%d), %v", orphans, n, err)
	}
	files, n, err := v.BrokenFiles(ctx, gitstore.LinkFilter{})
	if err != nil || n != 2 || files[0].From != "Beds" || files[0].File != "Beds/gone.png" || files[0].Line != 7 || files[1].File != "manual.pdf" {
		t.Errorf("broken files are %+v (%d), %v", files, n, err)
	}
	heads, n, unread, err := v.BrokenAnchors(ctx, gitstore.LinkFilter{})
	if err != nil || n != 2 || unread != 0 || heads[0].From != "Beds" || heads[0].Anchor != "clay" || heads[1].Anchor != "no-such" || heads[1].Line != 7 {
		t.Errorf("broken anchors are %+v (%d), %v", heads, n, err)
	}
}

func TestGraph(t *testing.T) {
	s, _ := site(t)
	ctx := context.Background()
	garden(t, s, beds)
	garden(t, s, map[string]string{"Beds/North": "[[Beds]] [[Lonely]]", "Beds/South": "[[Tools/Hoe]]"})
	v := view(t, s, carol)
	show := func(o gitstore.GraphOptions) string {
		g, err := v.Graph(ctx, o)
		if err != nil {
			return err.Error()
		}
		out := ""
		for i, n := range g.Nodes {
			out += string(n.Page)
			if n.Missing {
				out += "?"
			}
			for _, e := range g.Edges {
				if e.From == i {
					out += fmt.Sprintf(" %d×%s", e.Count, g.Nodes[e.To].Page)
				}
			}
			out += "; "
		}
		return fmt.Sprintf("%s%d %v", out, g.Pages, g.Truncated)
	}
	for _, test := range []struct {
		o    gitstore.GraphOptions
		want string
	}{
		{gitstore.GraphOptions{}, "Beds 2×Compost 1×Tools/Rake; Beds/North 1×Beds 1×Lonely; Beds/South 1×Tools/Hoe; Compost?; Home 3×Beds 1×Compost; Lonely; Spade 1×Tools/Rake; Tools/Hoe?; Tools/Rake?; 9 false"},
		{gitstore.GraphOptions{Existing: true, Limit: 2}, "Beds; Home 3×Beds; 6 true"},
		{gitstore.GraphOptions{Prefix: "Beds/"}, "Beds/North; Beds/South 1×Tools/Hoe; Tools/Hoe?; 3 false"},
		{gitstore.GraphOptions{Around: "lonely"}, "Beds/North 1×Lonely; Lonely; 2 false"},
		{gitstore.GraphOptions{Around: "Lonely", Depth: 2}, "Beds; Beds/North 1×Beds 1×Lonely; Lonely; 3 false"},
		{gitstore.GraphOptions{Around: "Lonely", Depth: 3, Existing: true}, "Beds; Beds/North 1×Beds 1×Lonely; Home 3×Beds; Lonely; 4 false"},
		{gitstore.GraphOptions{Around: "tools/rake"}, "Beds 1×Tools/Rake; Spade 1×Tools/Rake; Tools/Rake?; 3 false"},
		{gitstore.GraphOptions{Around: "Beds", Limit: 3}, "Beds 2×Compost; Beds/North 1×Beds; Compost?; 5 true"},
		{gitstore.GraphOptions{Around: "Nothing"}, `there is no page "Nothing", and no link to one`},
		{gitstore.GraphOptions{Around: "Home", Depth: 4}, "the depth of a graph is 1, 2 or 3"},
	} {
		if got := show(test.o); got != test.want {
			t.Errorf("%+v:\n%s\nwant\n%s", test.o, got, test.want)
		}
	}
	g, err := v.Graph(ctx, gitstore.GraphOptions{Around: "Lonely"})
	if err != nil || g.Nodes[0].Out != 2 || g.Nodes[0].In != 0 || g.Nodes[1].In != 1 {
		t.Errorf("the counts are %+v, %v", g.Nodes, err)
	}
}

// TestLinksBesideWriters: answers about links are right while others write, and the
// index ends where the wiki does.
func TestLinksBesideWriters(t *testing.T) {
	s, _ := site(t)
	ctx := context.Background()
	rounds := 40
	if testing.Short() {
		rounds = 10
	}
	var work sync.WaitGroup
	for w := range 3 {
		work.Go(func() {
			for i := range rounds {
				a, b := fmt.Sprintf("W%d/A%d", w, i%5), fmt.Sprintf("W%d/B%d", w, i%7)
				_, err := s.Update(ctx, bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
					if i%4 == 3 {
						return tx.Delete(wiki.PagePath(a), gitstore.DeleteOptions{})
					}
					return tx.Put(wiki.PagePath(a), fmt.Appendf(nil, "%d [[%s]] [[/Common]]\n", i, b), gitstore.PutOptions{Overwrite: true})
				})
				if err != nil && !errors.Is(err, wiki.ErrNotFound) {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		work.Go(func() {
			for range rounds {
				v, err := s.View(ctx, carol, "notes")
				if err != nil {
					t.Error(err)
					return
				}
				g, err := v.Graph(ctx, gitstore.GraphOptions{})
				if err != nil {
					t.Error(err)
				}
				for _, e := range g.Edges {
					if e.From >= len(g.Nodes) || g.Nodes[e.From].Missing {
						t.Errorf("an edge leaves %+v", g.Nodes[e.From])
					}
				}
				if _, _, err := v.WantedPages(ctx, gitstore.LinkFilter{}); err != nil {
					t.Error(err)
				}
				if _, _, _, err := v.BrokenAnchors(ctx, gitstore.LinkFilter{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	work.Wait()
	v := view(t, s, carol)
	entries, _, err := v.List(gitstore.ListOptions{Prefix: "W"})
	must(t, err)
	_, from, _, err := v.AllLinks(ctx, "Common", 0)
	must(t, err)
	if len(from) != len(entries) {
		t.Errorf("%d pages link to Common, the index knows of %d", len(entries), len(from))
	}
}

// TestRenameOfAThousandLinks: all of them are rewritten in the one commit of the
// rename, and the reading of the links does not hold up the writer.
func TestRenameOfAThousandLinks(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	const n = 1000
	pages := map[string]string{"Old": "# Old\n"}
	for i := range n {
		pages[fmt.Sprintf("Notes/Page %d", i)] = fmt.Sprintf("# %d\n\nSome text, then [[Old]] and [[Old|again]].\n", i)
	}
	garden(t, s, pages)
	repo := filepath.Join(dir, "wikis", "notes.git")
	before := git(t, repo, "rev-list", "--count", "main")
	_, _, ready := view(t, s, bob).LinksProgress()
	if ready {
		t.Fatal("the links have been read before anybody asked")
	}
	began := time.Now()
	res, err := s.Update(ctx, bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
		return tx.Rename("Old", "Things/New", gitstore.RenameOptions{})
	})
	must(t, err)
	t.Logf("a rename with %d links from elsewhere took %v, the first reading of the links included", 2*n, time.Since(began))
	if len(res.Updated) != n {
		t.Errorf("%d pages were rewritten, want %d", len(res.Updated), n)
	}
	if got := git(t, repo, "log", "--format=%s", "--skip=1", "main"); fmt.Sprint(strings.Count(got, "\n")+1) != before {
		t.Errorf("below the last commit there are %q, want %s", got, before)
	}
	if got := git(t, repo, "grep", "-c", "New", "main", "--", "Notes"); strings.Count(got, "\n")+1 != n {
		t.Errorf("%d pages name it New", strings.Count(got, "\n")+1)
	}
	_, from, _, err := view(t, s, bob).AllLinks(ctx, "Things/New", 0)
	if err != nil || len(from) != 2*n {
		t.Errorf("%d links lead to the new name, %v", len(from), err)
	}
}

// TestFirstReadingGoesOn: who does not want to wait for the first reading gets their
// context's error, and the reading goes on.
func TestFirstReadingGoesOn(t *testing.T) {
	s, _ := site(t)
	garden(t, s, beds)
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	for range 1000 {
		v := view(t, s, carol)
		if _, _, ready := v.LinksProgress(); ready {
			to, _, err := v.Links(context.Background(), "Home")
			if err != nil || len(to) != 2 {
				t.Errorf("once read, the links of Home are %v, %v", to, err)
			}
			return
		}
		if _, _, err := v.Links(gone, "Home"); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatalf("a question whose context has ended: %v", err)
		}
		time.Sleep(time.Millisecond)
	}
	t.Error("nobody has gone on reading")
}
