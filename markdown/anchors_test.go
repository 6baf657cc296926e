package markdown_test

import (
	"slices"
	"strings"
	"testing"

	"wikibot/markdown"
)

// TestAnchorsAreRenders: the ids are those that Render writes.
func TestAnchorsAreRenders(t *testing.T) {
	for _, src := range []string{
		"", "no heading", "# A\n\n## B c\n\n## B c\n", "Set\n===\n\nmore - than\none\n---\n", "> # Quoted\n\n- ## In a list\n",
		"---\ntitle: x\n---\n\n# *Em* `code` [[Link|shown]] & co\n", "<a id=\"Raw\"></a>\n\n<h2 id=\"y\">no heading of ours</h2>\n\n#hash\n===\n",
		"```\n# none\n```\n\n# Ünï 1. \n\n#  \n", "# bad \xff\n",
	} {
		headings, raw := markdown.Anchors([]byte(src), markdown.TargetFirst)
		r, err := markdown.Render([]byte(src), markdown.Options{Path: "P"})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, h := range r.TOC {
			want = append(want, h.ID)
		}
		slices.Sort(want)
		if !slices.Equal(headings, want) {
			t.Errorf("%q: headings %q, want %q", src, headings, want)
		}
		for _, id := range raw {
			if !strings.Contains(string(r.HTML), `id="user:`+id+`"`) {
				t.Errorf("%q: Render has no id %q", src, id)
			}
		}
	}
	if _, raw := markdown.Anchors([]byte("<a id=\"Raw\"></a> <p name=\"n\" id=\"y\">x</p>\n"), ""); !slices.Equal(raw, []string{"Raw", "y"}) {
		t.Errorf("raw ids are %q", raw)
	}
}
