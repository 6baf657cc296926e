package markdown

import (
	"maps"
	"slices"
	"testing"
	"unicode/utf8"
)

// linkSeeds are pages in which it is not plain what is a link.
var linkSeeds = []string{
	"[[a]] [[b|c]] ![[d]] [e](f) ![g](h) [i][j]\n\n[j]: k", "`[[a]]` ``[[b`]]`` $[[c]]$ [[d]]", "[[a]](b) [[[c]]] [[d]]]", "[x [[y]] z](w)", "[![a](b)](c)", "![a [b](c) d](e)",
	"<div>\n[[a]]\n</div>\n\n[[b]]", "<a href=\"c\">d</a> <img src=e>", "<p><a href='a#b'>x</a>\n<img src=\"c d.png\">", "> <a href=x>\n> <img\n> src=y>", "[a <a href=b>c</a> d](e)",
	"| [[a\\|b]] | [c](d) |\n|--|--|\n| ![[e]] | `[[f]]` |", "- [ ] [[a]]\n- [[b]]\n  > [[c]]", "> [!note] [[a]]\n> [b](c)", "> [!tip]\n> [[x]]", "[^1] [[a]]\n\n[^1]: [[b]] [c](d)", "[^2]: [[x]]",
	"Term [[a]]\n: Def [[b]]", "# H [[a]] [b](c)\ntext [[d]]", "a\n[[b]]\n===\n[[c]]", "https://x.org/[[a]] [[b]]", "\\[[a]] !\\[[b]] \\![[c]]", "[[a\nb]] [c](d\ne) [f](<g h> 't\nu')",
	"---\na: [[b]]\n---\n[[c]]", "---\n[[a]]", "$$\n[[a]]\n$$\n[[b]]", "```\n[[a]]\n```\n[[b]]", "    [[a]]\n\n[[b]]", "[[#a]] [](#b) []() [a](?q)", "[a](b \"[[c]]\") [[d|[[e]]]]", "*[[a]]* **[b](c)** ==[[d]]== ~~[e](f)~~",
	"[a]: b\n[a] [A] [c][a]\n\n[a]: d", "> [a]: b\n\n[a]", "<!-- [[a]] [b](c) --> [[d]]", "<script>\n[[a]]\n</script>\n[[b]]", "<style><a href=x></style><a href=y>", "[a](b&amp;c) [d](e\\)f) [g](h%20i#j)", "\r\n[[a]]\r\n[b](c)\r\n",
	"- a\n\n  [[b]]\n\n      [[c]]", "1. [[a]]\n   ```\n   [[b]]\n   ```", "[[a|300]] ![[b|300]]", "[[\\|]] [[|a]] [[a|]]", "![x][y]\n\n[y]: z.png", "<https://a.b/[[c]]>", "[a](<b\nc>) [[d]]", "a@b.org [[c]]", "text\n---\n[[a]]\n: x",
}

type shown struct {
	kind           Kind
	target, anchor string
}

// agree compares the links that Links lists with those that Render resolved.
func agree(t *testing.T, src string, style Style) {
	t.Helper()
	listed, resolved := map[shown]bool{}, map[shown]bool{}
	for _, l := range Links([]byte(src), style) {
		if l.Target != "" && !Resolve(nil, "A/B", l).External {
			listed[shown{l.Kind, l.Target, l.Anchor}] = true
		}
	}
	r, err := Render([]byte(src), Options{Path: "A/B", Style: style})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range r.deps.links {
		resolved[shown{d.kind, d.target, d.anchor}] = true
	}
	if !maps.Equal(listed, resolved) {
		t.Errorf("%q\nLinks:  %v\nRender: %v\n%s", src, slices.Collect(maps.Keys(listed)), slices.Collect(maps.Keys(resolved)), r.HTML)
	}
}

func TestLinksAgreeWithRender(t *testing.T) {
	for _, src := range linkSeeds {
		agree(t, src, TargetFirst)
		agree(t, src, TextFirst)
	}
}

func FuzzLinks(f *testing.F) {
	for _, src := range linkSeeds {
		f.Add(src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		for _, style := range []Style{TargetFirst, TextFirst} {
			links := Links([]byte(src), style)
			for _, l := range links {
				if l.Start < 0 || l.End < l.Start || l.End > len(src) || l.TargetStart > l.TargetEnd || l.TargetEnd > len(src) || l.Line < 1 {
					t.Fatalf("%q: bad offsets %+v", src, l)
				}
				if (l.Kind == Wiki || l.Kind == Embed) && src[l.TargetStart:l.TargetEnd] != l.Target {
					t.Fatalf("%q: target %q at %q", src, l.Target, src[l.TargetStart:l.TargetEnd])
				}
			}
			if utf8.ValidString(src) {
				agree(t, src, style)
			}
			same := RewriteLinks([]byte(src), style, func(l Link) (string, bool) { return l.Target, true })
			if string(same) != src {
				t.Fatalf("%q: identity gave %q", src, same)
			}
			rewritten(t, src, style)
		}
	})
}

// rewritten gives every wikilink a new target and reads the page again.
func rewritten(t *testing.T, src string, style Style) {
	t.Helper()
	const to = "New Page"
	want := 0
	out := RewriteLinks([]byte(src), style, func(l Link) (string, bool) {
		if l.Kind != Wiki && l.Kind != Embed {
			return "", false
		}
		want++
		return to, true
	})
	got := 0
	for _, l := range Links(out, style) {
		if (l.Kind == Wiki || l.Kind == Embed) && l.Target == to {
			got++
		}
	}
	if got < want {
		t.Fatalf("%q became %q: %d links of %d have the new target", src, out, got, want)
	}
}
