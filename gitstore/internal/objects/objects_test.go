package objects

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
)

func open(tb testing.TB, dir string) *DB {
	tb.Helper()
	db, err := Open(disk.OS{}, dir, NewCache(32<<20))
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

// sameAsGit compares every object, its type and its size with what git says.
func sameAsGit(tb testing.TB, db *DB, dir string) int {
	tb.Helper()
	cmd := exec.Command("git", "cat-file", "--batch-all-objects", "--batch")
	cmd.Dir, cmd.Env = dir, gitstoretest.Env()
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	r := bufio.NewReaderSize(out, 1<<20)
	n := 0
	for {
		var name, kind string
		var size int
		head, err := r.ReadString('\n')
		if err == io.EOF {
			break
		}
		if _, err := fmt.Sscan(head, &name, &kind, &size); err != nil {
			tb.Fatal(err)
		}
		want := make([]byte, size+1)
		if _, err := io.ReadFull(r, want); err != nil {
			tb.Fatal(err)
		}
		checkObject(tb, db, name, kind, want[:size])
		n++
	}
	if err := cmd.Wait(); err != nil {
		tb.Fatal(err)
	}
	return n
}

func checkObject(tb testing.TB, db *DB, name, kind string, want []byte) {
	tb.Helper()
	oid := plumbing.NewHash(name)
	ht, size, err := db.Header(oid)
	if err != nil || ht.String() != kind || size != int64(len(want)) {
		tb.Fatalf("Header(%s) = %v, %d, %v; want %s, %d", name, ht, size, err, kind, len(want))
	}
	t, got, err := db.GetUncached(oid)
	if err != nil || t.String() != kind || !bytes.Equal(got, want) {
		tb.Fatalf("Get(%s) = %v, %d bytes, %v; want %s, %d bytes", name, t, len(got), err, kind, len(want))
	}
	if named, err := Hash(t, got); err != nil || named != oid {
		tb.Fatalf("Hash of %s = %s, %v", name, named, err)
	}
}

func TestReadsWhatGitPacked(t *testing.T) {
	dir := gitstoretest.Repo(t, 1000, 1000)
	if n := sameAsGit(t, open(t, dir), dir); n < 4000 {
		t.Errorf("compared %d objects only", n)
	}
}
