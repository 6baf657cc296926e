package markdown_test

import (
	"slices"
	"testing"

	"wikibot/markdown"
	"wikibot/wiki"
)

// TestTargetKeys: whatever a link resolves to is filed under one of its keys, or
// backlinks would be missed.
func TestTargetKeys(t *testing.T) {
	for _, test := range []struct {
		from wiki.PagePath
		l    markdown.Link
		want string
	}{
		{"A/B", markdown.Link{Kind: markdown.Wiki, Target: "Design/Auth"}, "auth"},
		{"A/B", markdown.Link{Kind: markdown.Wiki, Target: "auth_x.md"}, "auth x"},
		{"A/B", markdown.Link{Kind: markdown.Inline, Target: "../My%20Page.md"}, "my page"},
		{"A/B", markdown.Link{Kind: markdown.Inline, Target: "What%253F.md"}, "what?"},
		{"A/B", markdown.Link{Kind: markdown.Wiki, Target: "C", Anchor: "notes"}, "c# notes"},
		{"A/B", markdown.Link{Kind: markdown.Wiki, Target: "", Anchor: "x"}, "b"},
		{"A/B/C", markdown.Link{Kind: markdown.Inline, Target: ".."}, "a"},
	} {
		if got := markdown.TargetKeys(test.from, test.l); !slices.Contains(got, test.want) {
			t.Errorf("keys of %q on %q are %q, want %q among them", test.l.Target, test.from, got, test.want)
		}
	}
}
