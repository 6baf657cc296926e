package objects

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"wikibot/gitstore/gitstoretest"
)

// TestUsage: what is on the disk counts, what is there twice can be told, and what
// is on its way does not count.
func TestUsage(t *testing.T) {
	dir := gitstoretest.Bare(t)
	for i := range 30 {
		gitstoretest.GitIn(t, dir, fmt.Sprintf("loose %d\n", i), "hash-object", "-w", "--stdin")
	}
	db := open(t, dir)
	check := func(what string, wantCopies bool) int64 {
		t.Helper()
		all, err := db.Usage()
		if err != nil {
			t.Fatal(err)
		}
		copies, err := db.Copies()
		if err != nil {
			t.Fatal(err)
		}
		if copies > all || (copies > 0) != wantCopies {
			t.Errorf("%s: %d bytes, %d of them copies, want copies %v", what, all, copies, wantCopies)
		}
		return all - copies
	}
	check("loose", false)
	names := gitstoretest.GitIn(t, dir, "", "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
	pack := filepath.Join(dir, "objects", "pack", "pack")
	gitstoretest.GitIn(t, dir, names+"\n", "pack-objects", "-q", pack)
	packed := check("loose and packed", true)
	gitstoretest.Git(t, dir, "prune-packed", "-q")
	if got := check("packed", false); got != packed {
		t.Errorf("packed: %d bytes, want the %d that were told", got, packed)
	}
	gitstoretest.GitIn(t, dir, "one more\n", "hash-object", "-w", "--stdin")
	more := gitstoretest.GitIn(t, dir, "", "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
	gitstoretest.GitIn(t, dir, more+"\n", "pack-objects", "-q", pack)
	gitstoretest.Git(t, dir, "prune-packed", "-q")
	joined := check("two packs, one within the other", true)
	for name, text := range map[string]string{"pack/tmp_pack_x": "much", "ab/tmp_obj_x": "much", "tmp_objdir-incoming-x": "", "info/y": "much"} {
		path := filepath.Join(dir, "objects", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := check("with temporary files", true); got != joined {
		t.Errorf("with temporary files: %d bytes, want %d", got, joined)
	}
}
