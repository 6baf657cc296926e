package gitstore_test

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// owner is whom a key signs in, "" for nobody.
func owner(t *testing.T, s *gitstore.Store, line string) wiki.Username {
	t.Helper()
	k, err := gitstore.ParseSSHKey(line)
	must(t, err)
	name, err := s.KeyOwner(context.Background(), k.Fingerprint)
	if err != nil && !errors.Is(err, wiki.ErrNotFound) {
		t.Fatal(err)
	}
	return name
}

// behind writes a file of admin.git behind the Store's back.
func behind(t *testing.T, dir, file, text string) {
	t.Helper()
	index := filepath.Join(t.TempDir(), "index")
	git := func(stdin string, args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"--git-dir", filepath.Join(dir, "admin.git"), "-c", "user.name=x", "-c", "user.email=x@x"}, args...)...)
		cmd.Env = append(cmd.Environ(), "GIT_INDEX_FILE="+index)
		cmd.Stdin = strings.NewReader(stdin)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("", "read-tree", "main")
	git("", "update-index", "--add", "--cacheinfo", "100644,"+git(text, "hash-object", "-w", "--stdin")+","+file)
	git("", "update-ref", "refs/heads/main", git("", "commit-tree", git("", "write-tree"), "-p", "main", "-m", "behind"))
}

// eventually waits for what the Store sees within 10 ms.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 400 {
		if ok() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal(what)
}

func TestKeyOwner(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	bobs, _ := newEd25519(t)
	second, _ := newEd25519(t)
	carols, _ := newEd25519(t)
	must(t, s.AddKey(ctx, bob, "bob", bobs+" bob@laptop"))
	must(t, s.AddKey(ctx, host, "bob", second))
	must(t, s.AddKey(ctx, bob, "bob", bobs+" under another name")) // there already
	must(t, s.AddKey(ctx, carol, "carol", carols))
	if got := []wiki.Username{owner(t, s, bobs), owner(t, s, second), owner(t, s, carols)}; got[0] != "bob" || got[1] != "bob" || got[2] != "carol" {
		t.Errorf("got %v", got)
	}
	if u, err := s.User(ctx, "bob"); err != nil || len(u.SSHKeys) != 2 || u.SSHKeys[0] != bobs+" bob@laptop" {
		t.Errorf("got %+v, %v", u, err)
	}
	if err := s.AddKey(ctx, carol, "carol", bobs); !errors.Is(err, wiki.ErrExists) || strings.Contains(err.Error(), "bob") {
		t.Errorf("carol takes bob's key: %v", err)
	}
	if err := s.AddKey(ctx, bob, "bob", "restrict "+second); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("a key with options: %v", err)
	}

	// In two people's files: main is not in force, and the key stays bob's. When
	// bob gives it up, it is carol's.
	behind(t, dir, "users/ca/carol.toml", "schema = 1\nssh_keys = ["+`"`+carols+`", "`+bobs+`"]`+"\n")
	eventually(t, "a key stands in two files", func() bool { return s.Trouble(ctx, host) != nil })
	if owner(t, s, carols) != "carol" || owner(t, s, second) != "bob" || owner(t, s, bobs) != "bob" {
		t.Error("the keys are not whose they were")
	}
	behind(t, dir, "users/bo/bob.toml", "schema = 1\nssh_keys = ["+`"`+second+`"]`+"\n")
	eventually(t, "the key did not go to the one who is left", func() bool { return owner(t, s, bobs) == "carol" })

	// Suspended, deleted.
	behind(t, dir, "users/ca/carol.toml", "schema = 1\nsuspended = true\nssh_keys = ["+`"`+carols+`"]`+"\n")
	eventually(t, "a suspended person's key holds", func() bool { return owner(t, s, carols) == "" })
	behind(t, dir, "users/ca/carol.toml", "schema = 1\nssh_keys = ["+`"`+carols+`"]`+"\n")
	eventually(t, "the key did not come back", func() bool { return owner(t, s, carols) == "carol" })
	behind(t, dir, "users/ca/carol.toml", "schema = 1\ndeleted = true\nssh_keys = ["+`"`+carols+`"]`+"\n")
	eventually(t, "a deleted person's key holds", func() bool { return owner(t, s, carols) == "" })
	if owner(t, s, second) != "bob" {
		t.Error("bob's key is gone")
	}

	// A start finds the same.
	must(t, s.Close())
	s = open(t, dir)
	if owner(t, s, second) != "bob" || owner(t, s, carols) != "" || owner(t, s, bobs) != "" {
		t.Errorf("after a start: %q %q %q", owner(t, s, second), owner(t, s, carols), owner(t, s, bobs))
	}
}
