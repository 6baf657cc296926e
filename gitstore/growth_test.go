package gitstore

import (
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
)

// treeOfFiles is a tree of files whose content is a letter.
func treeOfFiles(t *testing.T, files map[string]byte) *folder {
	t.Helper()
	root := emptyFolder()
	for path, content := range files {
		var err error
		if root, err = root.with(path, &entry{mode: modeFile, oid: plumbing.Hash{content}}); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestGrowth(t *testing.T) {
	type files = map[string]byte
	base := files{"A.md": 1, "B.md": 2, "x.png": 3}
	for _, c := range []struct {
		name     string
		to, head files
		want     growth
	}{
		{"nothing", base, base, growth{}},
		{"an edit", files{"A.md": 9, "B.md": 2, "x.png": 3}, base, growth{edited: 1}},
		{"a page", files{"A.md": 1, "B.md": 2, "C.md": 4, "x.png": 3}, base, growth{pages: 1, files: true}},
		{"a page that is on main already", files{"A.md": 1, "B.md": 2, "C.md": 4, "x.png": 3}, files{"A.md": 1, "B.md": 2, "C.md": 4, "x.png": 3}, growth{files: true}},
		{"a page less", files{"A.md": 1, "x.png": 3}, base, growth{pages: -1}},
		{"a rename", files{"A.md": 1, "C.md": 2, "x.png": 3, ".redirects.toml": 7}, base, growth{}},
		{"a rename with an edit", files{"A.md": 1, "C.md": 8, "x.png": 3}, base, growth{}},
		{"a file", files{"A.md": 1, "B.md": 2, "x.png": 3, "y.png": 4}, base, growth{files: true}},
		{"another content", files{"A.md": 1, "B.md": 2, "x.png": 4}, base, growth{files: true}},
		{"a file that moves", files{"A.md": 1, "B.md": 2, "y.png": 3}, base, growth{}},
		{"a file that moves and changes", files{"A.md": 1, "B.md": 2, "y.png": 4}, base, growth{files: true}},
		{"all gone", files{}, base, growth{pages: -2}},
	} {
		changes, err := diff(treeOfFiles(t, base), treeOfFiles(t, c.to))
		if err != nil {
			t.Fatal(err)
		}
		got, err := growthOf(changes, treeOfFiles(t, c.head))
		if err != nil || got != c.want {
			t.Errorf("%s: got %+v, %v, want %+v", c.name, got, err, c.want)
		}
	}
}
