package markdown_test

import (
	"errors"
	"strings"
	"testing"

	"wikibot/markdown"
	"wikibot/wiki"
)

func TestSections(t *testing.T) {
	src := "---\na: b\n---\nlead\n# One\nx\n## Sub *a*\ny\n```\n# no\n```\n### Deep\n\n> # no\n\nTwo\nlines\n---\nz\n## Sub a\n# Last #\n\n    # no\n#hash\n===\nend"
	want := []struct{ name, body, own string }{
		{"One", "x\n## Sub *a*\ny\n```\n# no\n```\n### Deep\n\n> # no\n\nTwo\nlines\n---\nz\n## Sub a\n", "x\n"},
		{"One > Sub a", "y\n```\n# no\n```\n### Deep\n\n> # no\n\n", "y\n```\n# no\n```\n"},
		{"One > Sub a > Deep", "\n> # no\n\n", "\n> # no\n\n"},
		{"One > Two lines", "z\n", "z\n"},
		{"One > Sub a", "", ""},
		{"Last", "\n    # no\n", "\n    # no\n"},
		{"#hash", "end", "end"},
	}
	got := markdown.Sections([]byte(src))
	if len(got) != len(want) {
		t.Fatalf("%d sections: %+v", len(got), got)
	}
	for i, s := range got {
		if s.Name() != want[i].name || src[s.BodyStart:s.End] != want[i].body || src[s.BodyStart:s.BodyEnd] != want[i].own {
			t.Errorf("section %d: %q %q %q, want %q", i, s.Name(), src[s.BodyStart:s.End], src[s.BodyStart:s.BodyEnd], want[i])
		}
	}
}

func TestFindSection(t *testing.T) {
	src := []byte("# Page\n## Design\n### Storage\n## Plan\n### Storage\n### Index\n## Index\n# Other\n")
	for name, want := range map[string]string{
		"page": "Page", "Page > Design > Storage": "Page > Design > Storage", "design > storage": "Page > Design > Storage", "plan>STORAGE": "Page > Plan > Storage", "Design": "Page > Design", "Other": "Other", "## Design": "Page > Design",
	} {
		s, err := markdown.FindSection(src, name)
		if err != nil || s.Name() != want {
			t.Errorf("%q: %q, %v; want %q", name, s.Name(), err, want)
		}
	}
	_, err := markdown.FindSection(src, "Storage")
	if !errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), "Page > Design > Storage") || !strings.Contains(err.Error(), "Page > Plan > Storage") {
		t.Errorf("ambiguous: %v", err)
	}
	_, err = markdown.FindSection(src, "Nope")
	if !errors.Is(err, wiki.ErrNotFound) || !strings.Contains(err.Error(), "Page > Plan > Index") {
		t.Errorf("miss: %v", err)
	}
	if _, err = markdown.FindSection([]byte("text"), "Nope"); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("no headings: %v", err)
	}
}

func FuzzSections(f *testing.F) {
	for _, s := range []string{"# a\nb\n## c\nd", "a\n===\nb\n---\nc", "> # a\n# b", "- # a\n# b", "#\n##\n", "# a #\r\nb\r\n", "---\na: b\n---\n# c", "<div>\n# a\n</div>\n\n# b", "#hash\n===\nx", " # a\n  b\n  =\n", "a\\\n===", "\t# a\n# b", "[a]: b\n===\n# c", "[a]: b\nx\n===\n# c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		last := 0
		for _, s := range markdown.Sections([]byte(src)) {
			if s.Start < last || s.BodyStart <= s.Start || s.BodyEnd < s.BodyStart || s.End < s.BodyEnd || s.End > len(src) || s.Level < 1 || s.Level > 6 || len(s.Path) == 0 {
				t.Fatalf("%q: %+v", src, s)
			}
			if s.Start > 0 && src[s.Start-1] != '\n' || s.BodyStart < len(src) && src[s.BodyStart-1] != '\n' {
				t.Fatalf("%q: not at a line's beginning: %+v", src, s)
			}
			last = s.Start
		}
	})
}

func TestSectionIDs(t *testing.T) {
	src := []byte("# A [[B|C]]\n# D\n> # D\n\n# D\n")
	for style, want := range map[markdown.Style]string{markdown.TargetFirst: "a-c d d-2", markdown.TextFirst: "a-b d d-2"} {
		var got []string
		for _, s := range markdown.SectionsIn(src, style) {
			got = append(got, s.ID)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v, want %s", style, got, want)
		}
	}
}
