package objects

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"wikibot/gitstore/gitstoretest"
)

func TestTreeIsSortedAsGitSorts(t *testing.T) {
	dir := gitstoretest.Bare(t)
	blob := hashObject(t, dir, "x")
	sub := plumbing.NewHash(gitstoretest.GitIn(t, dir, "100644 blob "+blob.String()+"\tx\n", "mktree"))
	entries := []TreeEntry{
		{filemode.Regular, "a.md", blob}, {filemode.Dir, "a", sub}, {filemode.Regular, "a-b", blob}, {filemode.Regular, "a0", blob},
		{filemode.Executable, "z", blob}, {filemode.Symlink, "ä", blob}, {filemode.Dir, "a b", sub}, {filemode.Regular, "A", blob},
	}
	var in strings.Builder
	for _, e := range entries {
		kind := "blob"
		if e.Mode == filemode.Dir {
			kind = "tree"
		}
		in.WriteString(e.Mode.String()[1:] + " " + kind + " " + e.Hash.String() + "\t" + e.Name + "\n")
	}
	want := gitstoretest.GitIn(t, dir, in.String(), "mktree")
	data, err := EncodeTree(slices.Clone(entries))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := Hash(plumbing.TreeObject, data); err != nil || got.String() != want {
		t.Errorf("our tree is %s, git's %s (%v)", got, want, err)
	}
	n := 0
	for e, err := range ParseTree(data) {
		if err != nil || !slices.Contains(entries, e) {
			t.Errorf("parsed %v, %v", e, err)
		}
		n++
	}
	if n != len(entries) {
		t.Errorf("parsed %d entries, want %d", n, len(entries))
	}
	if e, ok, err := FindInTree(data, "ä"); !ok || err != nil || e.Mode != filemode.Symlink {
		t.Errorf("FindInTree(ä) = %v, %v, %v", e, ok, err)
	}
	if _, ok, err := FindInTree(data, "none"); ok || err != nil {
		t.Errorf("FindInTree(none) = %v, %v", ok, err)
	}
}

func TestTreesThatGitRefuses(t *testing.T) {
	oid := plumbing.Hash{1}
	for _, bad := range [][]TreeEntry{
		{{filemode.Regular, "", oid}}, {{filemode.Regular, ".", oid}}, {{filemode.Regular, "..", oid}}, {{filemode.Dir, ".git", oid}}, {{filemode.Dir, ".GIT", oid}},
		{{filemode.Regular, "a/b", oid}}, {{filemode.Regular, "a\x00b", oid}}, {{filemode.Regular, "a", plumbing.ZeroHash}}, {{0o100600, "a", oid}},
		{{filemode.Regular, "a", oid}, {filemode.Regular, "a", oid}}, {{filemode.Regular, "a", oid}, {filemode.Regular, "a.b", oid}, {filemode.Dir, "a", oid}},
	} {
		if _, err := EncodeTree(bad); err == nil {
			t.Errorf("EncodeTree(%v) accepts it", bad)
		}
	}
}

func TestCommitIsWhatGitMakes(t *testing.T) {
	dir := gitstoretest.Bare(t)
	tree := gitstoretest.GitIn(t, dir, "", "mktree")
	first := gitstoretest.Git(t, dir, "commit-tree", "-m", "one", tree)
	second := gitstoretest.Git(t, dir, "commit-tree", "-m", "two\n\nwith a body", "-p", first, tree)
	for _, name := range []string{first, second} {
		_, want, err := open(t, dir).Get(plumbing.NewHash(name))
		if err != nil {
			t.Fatal(err)
		}
		c, err := ParseCommit(want)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := c.Encode(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("got %q, %v\nwant %q", got, err, want)
		}
		if c.Author.Name != "Alice" || c.Author.When.Unix() != 1700000000 || c.Tree.String() != tree {
			t.Errorf("parsed %+v", c)
		}
	}
}

func TestOddCommits(t *testing.T) {
	tree := "tree " + strings.Repeat("12", 20) + "\n"
	for _, c := range []struct {
		name, text string
		check      func(Commit) bool
	}{
		{"signed", tree + "author A <a@b> 1 +0100\ncommitter A <a@b> 1 -0330\ngpgsig -----BEGIN\n line\n \n -----END\nencoding latin1\nx-y z\n\nmessage\n",
			func(c Commit) bool {
				return len(c.Extra) == 2 && c.Extra[0] == Header{"gpgsig", "-----BEGIN\nline\n\n-----END"} && c.Encoding == "latin1" && c.Extra[1] == Header{"x-y", "z"} && c.Message == "message\n"
			}},
		{"no message", tree + "author A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n", func(c Commit) bool { return c.Message == "" }},
		{"odd people", tree + "author no address\ncommitter <> x\n\nm", func(c Commit) bool { return c.Author.Name == "no address" && c.Committer.When.IsZero() }},
		{"two brackets", tree + "author A <b> <c@d> 5 +0000\ncommitter A <a@b> 1 +0000\n\nm", func(c Commit) bool { return c.Author.When.Unix() == 5 }},
		{"old zone", tree + "author A <a@b> 5 +051800\ncommitter A <a@b> 99999999999999999999 +0000\n\nm", func(c Commit) bool { return c.Author.When.Unix() == 5 }},
	} {
		got, err := ParseCommit([]byte(c.text))
		if err != nil || !c.check(got) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	for _, bad := range []string{"", "\n", "tree 12\n\n", "parent " + tree, tree[:30], tree + "parent x\n\n", "author A <a@b> 1 +0000\n" + tree + "\n"} {
		if _, err := ParseCommit([]byte(bad)); !errors.Is(err, ErrDamaged) {
			t.Errorf("ParseCommit(%q) = %v", bad, err)
		}
	}
	signed, err := ParseCommit([]byte(tree + "author A <a@b> 1 +0100\ncommitter A <a@b> 1 -0330\ngpgsig one\n two\n\nm\n"))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := signed.Encode(); err != nil || !bytes.Contains(b, []byte("author A <a@b> 1 +0100\ncommitter A <a@b> 1 -0330\ngpgsig one\n two\n\nm\n")) {
		t.Errorf("a signed commit is encoded as %q, %v", b, err)
	}
}

func TestSignaturesAreClean(t *testing.T) {
	s := Signature{"  <Mallory>\nparent 0000 \x00.", "a@b>\n\nforged", time.Date(2026, 1, 1, 0, 0, 0, 0, time.FixedZone("", -12600))}
	if got, want := s.String(), `Malloryparent 0000 . <a@bforged> 1767238200 -0330`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	c := Commit{Tree: plumbing.Hash{1}, Message: "a\x00b"}
	if _, err := c.Encode(); err == nil {
		t.Error("a message with NUL is accepted")
	}
}

// TestDelta: what makeDelta says, applyDelta makes, for random edits.
func TestDelta(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		base := make([]byte, r.IntN(200_000))
		for i := range base {
			base[i] = byte(r.IntN(256))
		}
		lo := r.IntN(len(base) + 1)
		hi := lo + r.IntN(min(len(base)-lo, 1000)+1)
		middle := bytes.Repeat([]byte{7}, r.IntN(400))
		target := slices.Concat(base[:lo], middle, base[hi:])
		delta := makeDelta(nil, base, target)
		got, err := applyDelta(base, delta)
		if err != nil || !bytes.Equal(got, target) {
			t.Fatalf("base %d, %d–%d, %d inserted: %v", len(base), lo, hi, len(middle), err)
		}
		if len(delta) > len(middle)+len(middle)/127+100 {
			t.Fatalf("a delta of %d bytes for %d inserted", len(delta), len(middle))
		}
	}
}
