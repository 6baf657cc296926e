package gitstore_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
)

// age makes every object of a repository, or of one of its folders, older.
func age(t *testing.T, dir string, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return os.Chtimes(path, then, then)
	})
	must(t, err)
}

// garbage makes a commit that no ref reaches, with a blob of its own.
func garbage(t *testing.T, repo, text string) (commit string) {
	t.Helper()
	blob := gitstoretest.GitIn(t, repo, text, "hash-object", "-w", "--stdin")
	tree := gitstoretest.GitIn(t, repo, "100644 blob "+blob+"\tGarbage.md\n", "mktree")
	return gitstoretest.Git(t, repo, "commit-tree", "-m", text, tree)
}

func has(t *testing.T, repo, oid string) bool {
	t.Helper()
	_, err := gitstoretest.TryGit(repo, "", "cat-file", "-e", oid)
	return err == nil
}

// sound has stock git look at everything.
func sound(t *testing.T, repo string) {
	t.Helper()
	gitstoretest.Git(t, repo, "fsck", "--strict", "--no-dangling")
	gitstoretest.Git(t, repo, "commit-graph", "verify")
}

func packs(t *testing.T, repo, ending string) int {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(repo, "objects/pack/*"+ending))
	must(t, err)
	return len(list)
}

// TestTidy: after it there is one pack with a bitmap, one of young garbage, and
// nothing of the old; refs are packed, but for the busy ones.
func TestTidy(t *testing.T) {
	s, dir := site(t)
	repo := filepath.Join(dir, "wikis/notes.git")
	old := garbage(t, repo, "old garbage")
	age(t, filepath.Join(repo, "objects"), 20*24*time.Hour)
	young := garbage(t, repo, "young garbage")
	for i := range 5 {
		_, err := put(t, s, alice, fmt.Sprintf("Page %d", i), "text\n", gitstore.PutOptions{Create: true})
		must(t, err)
	}
	head := git(t, repo, "rev-parse", "main")
	for i := range 20 {
		git(t, repo, "tag", fmt.Sprintf("v%d", i), head)
	}
	git(t, repo, "tag", "-a", "-m", "noted", "noted", head)
	before := git(t, repo, "show-ref", "-d")
	quarantine := filepath.Join(repo, "objects/tmp_objdir-incoming-Xy12Zw/ab")
	must(t, os.MkdirAll(quarantine, 0o755))
	must(t, os.WriteFile(filepath.Join(quarantine, strings.Repeat("c", 38)), []byte("a push"), 0o444))
	age(t, filepath.Dir(quarantine), 20*24*time.Hour)

	must(t, s.Maintain(context.Background(), host, "notes"))
	if got := git(t, repo, "show-ref", "-d"); got != before {
		t.Errorf("the refs were\n%s\nand are\n%s", before, got)
	}
	if n := len(strings.Split(git(t, repo, "for-each-ref", "--format=%(refname)"), "\n")); n != 25 {
		t.Errorf("%d refs", n)
	}
	loose := strings.Fields(find(t, filepath.Join(repo, "refs")))
	if len(loose) != 4 { // main, config, audit, good
		t.Errorf("loose refs: %v", loose)
	}
	if packs(t, repo, ".pack") != 2 || packs(t, repo, ".bitmap") != 1 || packs(t, repo, ".mtimes") != 1 {
		t.Errorf("packs: %s", git(t, repo, "count-objects", "-v"))
	}
	if !strings.Contains(git(t, repo, "count-objects", "-v"), "count: 0") {
		t.Errorf("loose objects stay: %s", git(t, repo, "count-objects", "-v"))
	}
	if has(t, repo, old) || !has(t, repo, young) {
		t.Errorf("old garbage is there: %t, young: %t", has(t, repo, old), has(t, repo, young))
	}
	if _, err := os.Stat(filepath.Join(quarantine, strings.Repeat("c", 38))); err != nil {
		t.Errorf("an object of a push that is under way: %v", err)
	}
	must(t, os.RemoveAll(filepath.Dir(quarantine)))
	sound(t, repo)
	if a, b := git(t, repo, "rev-list", "--count", "--use-bitmap-index", "--objects", "--all"), git(t, repo, "rev-list", "--objects", "--all"); a != fmt.Sprint(len(strings.Split(b, "\n"))) {
		t.Errorf("by the bitmap there are %s objects", a)
	}
	if got := read(t, s, carol, "Page 3"); got != "text\n" {
		t.Errorf("Page 3 is %q", got)
	}
	// In time the young garbage goes too, and a wiki that is tidy stays so.
	age(t, filepath.Join(repo, "objects"), 20*24*time.Hour)
	rewriteTimes(t, repo)
	must(t, s.Maintain(context.Background(), host, "notes"))
	must(t, s.Maintain(context.Background(), host, "notes"))
	if packs(t, repo, ".pack") != 1 || packs(t, repo, ".bitmap") != 1 || has(t, repo, young) {
		t.Errorf("packs: %s, young garbage is there: %t", git(t, repo, "count-objects", "-v"), has(t, repo, young))
	}
	sound(t, repo)
	if err := s.Maintain(context.Background(), alice, "notes"); err == nil {
		t.Error("alice is no administrator")
	}
}

// rewriteTimes makes the garbage old whose times are in a pack of garbage: the pack
// is unpacked, and the loose objects are aged.
func rewriteTimes(t *testing.T, repo string) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(repo, "objects/pack/*.mtimes"))
	must(t, err)
	for _, m := range list {
		base := strings.TrimSuffix(m, ".mtimes")
		data, err := os.ReadFile(base + ".pack")
		must(t, err)
		for _, ending := range []string{".idx", ".rev", ".mtimes", ".pack"} {
			must(t, os.RemoveAll(base+ending))
		}
		cmd := exec.Command("git", "unpack-objects", "-q")
		cmd.Dir, cmd.Env, cmd.Stdin = repo, gitstoretest.Env(), strings.NewReader(string(data))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git unpack-objects: %v %s", err, out)
		}
	}
	age(t, filepath.Join(repo, "objects"), 20*24*time.Hour)
}

// find lists the files below a folder.
func find(t *testing.T, dir string) string {
	t.Helper()
	var out []string
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			out = append(out, path)
		}
		return err
	}))
	return strings.Join(out, "\n")
}

// TestTidyDropsNothingThatComesIntoUse: somebody brings a ref back to old garbage
// while it is being sorted out. git is a script that does it at the worst moment.
func TestTidyDropsNothingThatComesIntoUse(t *testing.T) {
	dir := t.TempDir()
	real, err := exec.LookPath("git")
	must(t, err)
	wrapper := filepath.Join(dir, "git")
	must(t, os.WriteFile(wrapper, []byte(fmt.Sprintf(`#!/bin/sh
%s "$@" || exit
case "$*" in *--cruft-expiration*)
	test ! -e %[2]s/revive || %[1]s update-ref refs/tags/revived "$(cat %[2]s/revive)"
esac
`, real, dir)), 0o755))
	s, err := gitstore.Open(context.Background(), gitstore.Config{Dir: filepath.Join(dir, "data"), Domain: "example.org", Git: wrapper})
	must(t, err)
	t.Cleanup(func() { s.Close() })
	ctx := context.Background()
	must(t, s.AddUser(ctx, host, gitstore.NewUser{Name: "alice"}))
	must(t, s.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "notes", Owner: "alice", Pages: map[string][]byte{"Home.md": []byte("# Home\n")}}))
	repo := filepath.Join(dir, "data/wikis/notes.git")
	inPack := garbage(t, repo, "comes back out of a pack")
	git(t, repo, "update-ref", "refs/tags/briefly", inPack)
	must(t, s.Maintain(ctx, host, "notes")) // into a pack with everything
	git(t, repo, "update-ref", "-d", "refs/tags/briefly")
	loose := garbage(t, repo, "loose garbage")
	age(t, filepath.Join(repo, "objects"), 20*24*time.Hour)

	must(t, os.WriteFile(filepath.Join(dir, "revive"), []byte(inPack), 0o600))
	must(t, s.Maintain(ctx, host, "notes"))
	if !has(t, repo, inPack) || !has(t, repo, loose) {
		t.Fatalf("there: %t %t, both must be, as a ref has moved meanwhile", has(t, repo, inPack), has(t, repo, loose))
	}
	sound(t, repo)
	must(t, os.Remove(filepath.Join(dir, "revive")))
	age(t, filepath.Join(repo, "objects"), 20*24*time.Hour)
	rewriteTimes(t, repo)
	must(t, s.Maintain(ctx, host, "notes"))
	if !has(t, repo, inPack) || has(t, repo, loose) {
		t.Errorf("what is in use is there: %t, what is not: %t", has(t, repo, inPack), has(t, repo, loose))
	}
	sound(t, repo)
}
