package refs

import (
	"fmt"
	"io/fs"
	"testing"

	"wikibot/gitstore/internal/disk"
)

// counting is a disk that counts the names that it lists.
type counting struct {
	disk.OS
	listed int
}

func (c *counting) ReadDir(dir string) ([]fs.DirEntry, error) {
	list, err := c.OS.ReadDir(dir)
	c.listed += len(list)
	return list, err
}

// TestManyNewRefs makes a thousand tags in one transaction: to know that a name
// is free, the tags beside it need not be read.
func TestManyNewRefs(t *testing.T) {
	dir, tips := repo(t, 1)
	fsys := &counting{}
	d := Open(fsys, dir)
	var updates []Update
	for i := range 1000 {
		updates = append(updates, Update{Name: fmt.Sprintf("refs/tags/v%04d", i), New: tips[0]})
	}
	if err := set(t, d, updates...); err != nil {
		t.Fatal(err)
	}
	if fsys.listed > 0 {
		t.Errorf("%d names of folders were read for 1000 new refs", fsys.listed)
	}
	for _, prefix := range []string{"refs/tags/", "refs/tags/v", "refs/tags", "refs", ""} {
		if list, err := d.List(prefix); err != nil || len(list) != 1000 {
			t.Errorf("List(%q) has %d refs, %v", prefix, len(list), err)
		}
	}
	if list, err := d.List("refs/tags/v05"); err != nil || len(list) != 100 {
		t.Errorf("100 tags begin with v05, got %d, %v", len(list), err)
	}
}
