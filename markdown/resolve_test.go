package markdown_test

import (
	"strings"
	"testing"

	"wikibot/markdown"
	"wikibot/wiki"
)

func TestResolve(t *testing.T) {
	n := pagesOf("Home.md", "A.md", "A/B.md", "A/B/Sub.md", "A/C.md", "A/Twin.md", "X/Twin.md", "X/Y/Twin.md", "X/Y/Deep.md", "X/Only.md",
		"C.md", "What?.md", "100%.md", "C#.md", "C# notes.md", "Foo: Bar.md", "über uns.md", "v1.2.md",
		"A/B/pic.png", "A/pic.png", "A/beside.png", "root.png", "X/files/far.pdf", "A/B/a b.png", "A/README.md", "A/B/what?.txt")
	const wikiLink, inline, image, embed = markdown.Wiki, markdown.Inline, markdown.Image, markdown.Embed
	for _, c := range []struct {
		from   wiki.PagePath
		kind   markdown.Kind
		target string
		want   string // page, "file:"+file, "new:"+page, "nofile:"+file, URL, or "" for invalid
	}{
		{"A/B", wikiLink, "C", "A/C"},         // beside
		{"A/B", wikiLink, "Sub", "A/B/Sub"},   // below
		{"A/B", wikiLink, "Home", "Home"},     // from the root
		{"A/B", wikiLink, "/C", "C"},          // only from the root
		{"A/B", wikiLink, "/Sub", "new:Sub"},  //
		{"A/B", wikiLink, "Only", "X/Only"},   // by name
		{"A/B", wikiLink, "Twin", "A/Twin"},   // beside beats by name
		{"X/Y/Deep", wikiLink, "c", "C"},      // fold
		{"X/Z", wikiLink, "Twin", "X/Twin"},   //
		{"Home", wikiLink, "Twin", "A/Twin"},  // shortest, then first
		{"Q/R", wikiLink, "Deep", "X/Y/Deep"}, //
		{"A/B", wikiLink, "Y/Deep", "X/Y/Deep"},
		{"A/B", wikiLink, "Y/Nope", "new:Y/Nope"},
		{"A/B", wikiLink, "Nope", "new:A/Nope"},
		{"Home", wikiLink, "Nope", "new:Nope"},
		{"A/B", wikiLink, "C.md", "A/C"},
		{"A/B", wikiLink, "../Home", "Home"},
		{"A/B", wikiLink, "./C", "A/C"},
		{"A/B", wikiLink, "../../Home", ""}, // above the root
		{"A/B", wikiLink, "./Home", "new:A/Home"},
		{"A/B", wikiLink, "What?", "What?"},
		{"A/B", wikiLink, "100%", "100%"},
		{"A/B", wikiLink, "What%3F", "What?"},
		{"A/B", wikiLink, "C#", "C#"},
		{"A/B", wikiLink, "Foo: Bar", "Foo: Bar"},
		{"A/B", wikiLink, "Über_Uns", "über uns"},
		{"A/B", wikiLink, "v1.2", "v1.2"},
		{"A/B", wikiLink, "v1.3", "new:A/v1.3"},
		{"A/B", wikiLink, "pic.png", "file:A/pic.png"},
		{"A/B", embed, "far.pdf", "file:X/files/far.pdf"},
		{"A/B", embed, "nope.png", "nofile:A/nope.png"},
		{"A/B", wikiLink, ".hidden", ""},
		{"A/B", wikiLink, "a//b", ""},
		{"A/B", wikiLink, "https://x.org/y", "https://x.org/y"},
		{"A/B", wikiLink, "javascript:alert(1)", ""},

		{"A/B", inline, "C.md", "A/C"},
		{"A/B", inline, "C", "A/C"},
		{"A/B", inline, "../C.md", "C"},
		{"A/B", inline, "Sub", "A/B/Sub"}, // the page's own folder
		{"A/B", inline, "/A/C", "A/C"},
		{"A/B", inline, "Home", "new:A/Home"}, // a URL is never looked for elsewhere
		{"A/B", inline, "../What%3F.md", "What?"},
		{"A/B", inline, "../What%253F.md", "What?"}, // the file's name
		{"A/B", inline, "../%C3%BCber%20uns.md", "über uns"},
		{"A/B", inline, "../A/", "A"},
		{"A/B", inline, "../../x.md", "new:x"},         // from the page's own folder
		{"A/B", inline, "../../../x.md", ""},           // above the root
		{"A/B", inline, "pic.png", "file:A/B/pic.png"}, // its own before its folder's
		{"A/B", image, "beside.png", "file:A/beside.png"},
		{"A/B", image, "a%20b.png", "file:A/B/a b.png"},
		{"A/B", image, "./pic.png", "file:A/B/pic.png"},
		{"A/B", image, "B/pic.png", "file:A/B/pic.png"},
		{"A/B", image, "/root.png", "file:root.png"},
		{"A/B", image, "root.png", "nofile:A/root.png"},
		{"A/B", inline, "what%3F.txt", "file:A/B/what?.txt"},
		{"A/B", inline, "mailto:a@b.org", "mailto:a@b.org"},
		{"A/B", inline, "tel:+491", "tel:+491"},
		{"A/B", inline, "//x.org/y", "https://x.org/y"},
		{"A/B", inline, "JAVASCRIPT:x", ""},
		{"A/B", inline, "java\nscript:x", ""},
		{"A/B", inline, "data:text/html,x", ""},
		{"A/B", inline, "ssh://x.org", ""},
		{"A/B", inline, "http:x", ""},
	} {
		got := markdown.Resolve(n, c.from, markdown.Link{Kind: c.kind, Target: c.target})
		if s := targetString(got); s != c.want {
			t.Errorf("Resolve(%s, kind %d, %q) = %q, want %q", c.from, c.kind, c.target, s, c.want)
		}
	}
}

func targetString(t markdown.Target) string {
	switch {
	case t.External:
		return t.URL
	case t.Page != "" && t.Exists:
		return string(t.Page)
	case t.Page != "":
		return "new:" + string(t.Page)
	case t.File != "" && t.Exists:
		return "file:" + string(t.File)
	case t.File != "":
		return "nofile:" + string(t.File)
	}
	return ""
}

func TestResolveAnchor(t *testing.T) {
	n := pagesOf("A/B.md", "A/C.md", "C# notes.md")
	for _, c := range []struct {
		kind                   markdown.Kind
		target, anchor         string
		wantPage, wantFragment string
	}{
		{markdown.Wiki, "C", "Sub Section!", "A/C", "sub-section"},
		{markdown.Wiki, "C", "Top#Sub Section", "A/C", "sub-section"},
		{markdown.Wiki, "", "Über", "A/B", "über"},
		{markdown.Inline, "", "top", "A/B", "top"},
		{markdown.Inline, "C.md", "caf%C3%A9-1", "A/C", "café-1"},
		{markdown.Wiki, "C", "notes", "A/C", "notes"},
		{markdown.Wiki, "/C", "notes", "C# notes", ""},
	} {
		got := markdown.Resolve(n, "A/B", markdown.Link{Kind: c.kind, Target: c.target, Anchor: c.anchor})
		if string(got.Page) != c.wantPage || got.Anchor != c.wantFragment || !got.Exists {
			t.Errorf("%q # %q: got %+v, want %s#%s", c.target, c.anchor, got, c.wantPage, c.wantFragment)
		}
	}
}

// A link rewritten by LinkTo must lead to the new page and keep its manner.
func TestRename(t *testing.T) {
	n := pagesOf("A/B.md", "New.md", "A/New.md", "X/Y Z.md", "A/Q%41.md", "A/S (1).md", "C# new.md", "A/a|b.md", "A/B/P.md")
	for _, c := range []struct {
		to        wiki.PagePath
		src, want string
	}{
		{"A/New", "[[Old]]", "[[New]]"},
		{"New", "[[Old]]", "[[/New]]"}, // the bare name means A/New here
		{"X/Y Z", "[[Old|text]]", "[[Y Z|text]]"},
		{"X/Y Z", "[[A/Old#sec|text]]", "[[X/Y Z#sec|text]]"},
		{"X/Y Z", "![[ Old.md#sec ]]", "![[ Y Z.md#sec ]]"},
		{"X/Y Z", "[[/A/Old]]", "[[/X/Y Z]]"},
		{"X/Y Z", "[[./Old]]", "[[../X/Y Z]]"},
		{"A/New", "[[./Old]]", "[[./New]]"},
		{"C# new", "[[Old]]", "[[C%23 new]]"},
		{"A/a|b", "[[Old|x]]", "[[a%7Cb|x]]"},
		{"A/Q%41", "[[Old]]", "[[Q%41]]"},
		{"X/Y Z", "[a](Old.md)", "[a](../X/Y%20Z.md)"},
		{"X/Y Z", "[a](<Old.md#x> \"t\")", "[a](<../X/Y%20Z.md#x> \"t\")"},
		{"A/S (1)", "[a](Old#s)", "[a](S%20%281%29#s)"},
		{"X/Y Z", "[a](/A/Old.md)", "[a](/X/Y%20Z.md)"},
		{"A/Q%41", "[a](Old)", "[a](Q%2541)"},
		{"A/B/P", "[a](Old.md)", "[a](B/P.md)"},
		{"A/New", "[a][r] [b][r] [r]\n\n[r]: <Old.md#x> 'Title'", "[a][r] [b][r] [r]\n\n[r]: <New.md#x> 'Title'"},
		{"A/New", "<a href=\"Old.md#x\">x</a>", "<a href=\"New.md#x\">x</a>"},
		{"A/New", "`[[Old]]` $[[Old]]$\n\n```\n[[Old]]\n```\n\n    [[Old]]\n\n\\[[Old]]", "`[[Old]]` $[[Old]]$\n\n```\n[[Old]]\n```\n\n    [[Old]]\n\n\\[[Old]]"},
		{"A/New", "---\nup: \"[[Old]]\"\n---\n> - [[Old]]\n>   | [[Old]]", "---\nup: \"[[Old]]\"\n---\n> - [[New]]\n>   | [[New]]"},
		{"A/New", "|a|\n|-|\n|[[Old\\|x]]|", "|a|\n|-|\n|[[New\\|x]]|"},
		{"A/New", "[[Other]] [x](Other.md) https://x.org/[[Old]]", "[[Other]] [x](Other.md) https://x.org/[[Old]]"},
	} {
		old := pagesOf("A/Old.md", "A/B.md")
		got := string(markdown.RewriteLinks([]byte(c.src), markdown.TargetFirst, func(l markdown.Link) (string, bool) {
			if markdown.Resolve(old, "A/B", l).Page != "A/Old" {
				return "", false
			}
			return markdown.LinkTo("A/B", c.to, l, n), true
		}))
		if got != c.want {
			t.Errorf("%q to %s: got %q, want %q", c.src, c.to, got, c.want)
			continue
		}
		for _, l := range markdown.Links([]byte(got), markdown.TargetFirst) {
			if r := markdown.Resolve(n, "A/B", l); l.Target != "Other" && l.Target != "Other.md" && r.Page != c.to {
				t.Errorf("%q: %+v leads to %+v, not to %s", got, l, r, c.to)
			}
		}
	}
}

func TestRenameTextFirst(t *testing.T) {
	src := "[[the text|Old#s]] [[Old]] ![[Old]] [x](Old.md)"
	got := markdown.RewriteLinks([]byte(src), markdown.TextFirst, func(l markdown.Link) (string, bool) {
		return strings.Replace(l.Target, "Old", "A|b]", 1), true
	})
	if want := "[[the text|A%7Cb%5D#s]] [[A%7Cb%5D]] ![[A%7Cb%5D]] [x](A%7Cb%5D.md)"; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A page's own relative links and attachments after it has moved from A/B to
// X/Moved with its folder.
func TestMovedPage(t *testing.T) {
	before := pagesOf("A/B.md", "A/C.md", "A/B/own.png", "A/beside.png", "root page.md")
	after := pagesOf("X/Moved.md", "A/C.md", "X/Moved/own.png", "A/beside.png", "root page.md", "X/beside.png")
	for src, want := range map[string]string{
		"![x](own.png) ![x](B/own.png) ![[own.png]] ![x](/A/B/own.png)": "![x](own.png) ![x](Moved/own.png) ![[own.png]] ![x](/X/Moved/own.png)",
		"![x](beside.png) [x](beside.png) [[beside.png]]":               "![x](../A/beside.png) [x](../A/beside.png) [[A/beside.png]]",
		"[c](C.md) [[C]] [r](../root%20page.md) [[../root page]]":       "[c](../A/C.md) [[C]] [r](../root%20page.md) [[../root page]]",
	} {
		got := markdown.RewriteLinks([]byte(src), markdown.TargetFirst, func(l markdown.Link) (string, bool) {
			old, now := markdown.Resolve(before, "A/B", l), markdown.Resolve(after, "X/Moved", l)
			if moved, ok := strings.CutPrefix(string(old.File), "A/B/"); ok {
				old.File = wiki.FilePath("X/Moved/" + moved)
			}
			switch {
			case old == now:
				return "", false
			case old.File != "":
				return markdown.LinkToFile("X/Moved", old.File, l, after), true
			}
			return markdown.LinkTo("X/Moved", old.Page, l, after), true
		})
		if string(got) != want {
			t.Errorf("%s\n got %s\nwant %s", src, got, want)
		}
	}
}

// FuzzLinkTo renames a page to any name that a page can have; each form of link
// must lead to it afterwards.
func FuzzLinkTo(f *testing.F) {
	for _, s := range []string{"New", "A/New", "X/Y Z", "C#", "a|b", "100%", "%41", "a]]b", "[x", "(a) b", "a\\b", "\"q\"", "*x* _y_", "`c`", "&amp;", "javascript:x", "a?b", "$x$", "C# new", "~", "a.png", "http://x", "/x", " a ", "a=b", "!x", "<b>", "x:y", "mailto:a@b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		to, err := wiki.ParsePagePath(name)
		if err != nil || to == "A/B" {
			return
		}
		old, now := pagesOf("A/Old.md", "A/B.md"), pagesOf("A/B.md", string(to)+".md")
		for _, src := range []string{"x [[Old]] y", "[[A/Old|t]]", "[[./Old#s]]", "![[/A/Old]]", "|a|\n|-|\n|[[Old\\|x]]|", "[x](Old.md)", "[x](<Old> 't')", "[x](/A/Old#y)", "[x][r]\n\n[r]: Old.md\n", "<a href=\"Old.md\">x</a>"} {
			out := markdown.RewriteLinks([]byte(src), markdown.TargetFirst, func(l markdown.Link) (string, bool) {
				return markdown.LinkTo("A/B", to, l, now), markdown.Resolve(old, "A/B", l).Page == "A/Old"
			})
			links := markdown.Links(out, markdown.TargetFirst)
			if len(links) != 1 {
				t.Fatalf("%q to %q: %q has %d links", src, to, out, len(links))
			}
			if got := markdown.Resolve(now, "A/B", links[0]); got.Page != to || !got.Exists {
				t.Fatalf("%q to %q: %q leads to %+v", src, to, out, got)
			}
		}
	})
}
