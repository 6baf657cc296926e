package gitstore_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
)

// nested is a tree that names one folder ten times, and so on, levels deep: 10 to
// the power of levels+1 files, of a few objects.
func nested(t *testing.T, dir string, levels int) string {
	t.Helper()
	line := "100644 blob " + gitstoretest.GitIn(t, dir, "x\n", "hash-object", "-w", "--stdin")
	ending := ".md"
	for range levels + 1 {
		var list strings.Builder
		for n := range 10 {
			fmt.Fprintf(&list, "%s\t%d%s\n", strings.TrimSpace(line), n, ending)
		}
		line, ending = "040000 tree "+gitstoretest.GitIn(t, dir, list.String(), "mktree"), ""
	}
	return strings.TrimSpace(strings.TrimPrefix(line, "040000 tree "))
}

// refused pushes a commit and expects the refusal to say why, and main where it was.
func (h *hooked) refused(t *testing.T, clone, commit, ref, why string) {
	t.Helper()
	before := git(h, h.repo, "for-each-ref")
	out, err := try(clone, "push", "-q", "origin", commit+":"+ref)
	if err == nil || !strings.Contains(strings.Join(strings.Fields(strings.ReplaceAll(out, "remote:", "")), " "), why) {
		t.Errorf("a push of %.10s to %s: %v, %s; want a refusal with %q", commit, ref, err, out, why)
	}
	if now := git(h, h.repo, "for-each-ref"); now != before {
		t.Errorf("the refs after a refused push to %s:\n%s\nwere\n%s", ref, now, before)
	}
}

// TestPushOfMoreThanItSends: mallory pushes a few kilobytes that unpack to more than
// memory: as the state of main, hidden in its history, on a branch, behind a tag.
func TestPushOfMoreThanItSends(t *testing.T) {
	h := newHooked(t)
	clone := h.clone("Shared")
	main := strings.TrimSpace(git(t, clone, "rev-parse", "HEAD"))
	commit := func(tree, parent, text string) string {
		return strings.TrimSpace(gitstoretest.GitIn(t, clone, text, "commit-tree", tree, "-p", parent))
	}
	bomb := commit(nested(t, clone, 11), main, "More files than memory")
	for _, c := range []struct{ name, commit, ref, why string }{
		{"on main", bomb, "refs/heads/main", "files would change at once"},
		{"on a branch", bomb, "refs/heads/other", "adds or changes more than 300000 files"},
		{"in the history", commit(main+"^{tree}", bomb, "Nothing happened"), "refs/heads/main", "adds or changes more than 300000 files"},
		{"merged", commit(main+"^{tree}", bomb, "Nothing happened"), "refs/merge/main", "adds or changes more than 300000 files"},
		{"a message", commit(main+"^{tree}", main, strings.Repeat("\n", 40<<20)+"end"), "refs/heads/main", "bytes with its message"},
	} {
		t.Run(c.name, func(t *testing.T) { h.refused(t, clone, c.commit, c.ref, c.why) })
	}
	tag := main
	for n := range 20 {
		text := fmt.Sprintf("object %s\ntype %s\ntag t%d\ntagger m <m@example.org> 1700000000 +0000\n\nx\n", tag, strings.TrimSpace(git(t, clone, "cat-file", "-t", tag)), n)
		tag = strings.TrimSpace(gitstoretest.GitIn(t, clone, text, "mktag"))
	}
	h.refused(t, clone, tag, "refs/tags/deep", "a tag of a tag of a tag")
	tooMany := commit(nested(t, clone, 4), main, "100,000 files")
	if out, err := try(clone, "push", "-q", "origin", tooMany+":refs/heads/many"); err != nil {
		t.Errorf("a branch with 100,000 files: %v %s", err, out)
	}
}

// TestNamesOfRefs: no name of a branch or tag takes the wiki, or what others change
// at the same moment, with it.
func TestNamesOfRefs(t *testing.T) {
	h := newHooked(t)
	clone := h.clone("Shared")
	for ref, why := range map[string]string{
		"refs/heads/a\xff":      "is not UTF-8",
		"refs/heads/a\u0085":    "cannot be seen",
		"refs/tags/a\u202eb":    "cannot be seen",
		"refs/heads/main/below": "cannot be beside main",
		"refs/heads/HEAD":       "which a branch of that name would hide",
		"refs/heads/-f":         "for an option",
		"refs/tags/--force":     "for an option",
	} {
		h.refused(t, clone, "HEAD", ref, why)
	}
	git(t, clone, "push", "-q", "origin", "HEAD:refs/heads/x", "HEAD:refs/heads/y/z", "HEAD:refs/heads/ä-ö")
	h.refused(t, clone, "HEAD", "refs/heads/x/y", "cannot be beside refs/heads/x")
	h.refused(t, clone, "HEAD", "refs/heads/y", "cannot be beside refs/heads/y/z")

	// Of two that cannot be beside one another the first is made, in one push or in
	// two, and beside it everything else.
	out, err := try(clone, "push", "origin", "HEAD:refs/heads/p/q", "HEAD:refs/heads/p", "HEAD:refs/heads/r", "HEAD:refs/heads/r/s", ":refs/heads/x", "HEAD:refs/heads/x/y")
	if err == nil {
		t.Errorf("names that cannot be beside one another: %s", out)
	}
	got := git(t, h.repo, "for-each-ref", "--format=%(refname)", "refs/heads/p", "refs/heads/r", "refs/heads/x")
	if strings.Contains(got, "internal") || !strings.Contains(got, "refs/heads/p") || !strings.Contains(got, "refs/heads/r") || strings.Contains(got, "refs/heads/x\n") {
		t.Errorf("after it there are %q; the push said %s", got, out)
	}
	if strings.Contains(out, "internal error") {
		t.Errorf("the pusher was told %s", out)
	}
}

// TestAuditOutlivesABadEntry: an entry whose ref is not UTF-8, as versions before
// this one wrote, takes neither the history nor the next start with it.
func TestAuditOutlivesABadEntry(t *testing.T) {
	ctx := context.Background()
	s, dir := site(t)
	repo := filepath.Join(dir, "wikis", "notes.git")
	must(t, s.Close())
	zero := strings.Repeat("0", 40)
	head := strings.TrimSpace(git(t, repo, "rev-parse", "main"))
	text := "push refs/heads/z by mallory\n\nschema = 1\naction = \"push\"\nactor = \"mallory\"\nvia = \"https\"\nref = \"refs/heads/z\xff\"\nold = \"" + zero + "\"\nnew = \"" + head + "\"\n"
	by := "wikibot <server@wikibot.invalid> 1700000000 +0000\n"
	entry := gitstoretest.GitIn(t, repo, "tree 4b825dc642cb6eb9a060e54bf8d69288fbee4904\nauthor "+by+"committer "+by+"\n"+text, "hash-object", "-t", "commit", "-w", "--stdin")
	git(t, repo, "update-ref", "refs/wikibot/audit", strings.TrimSpace(entry))

	s = open(t, dir)
	v, err := s.View(ctx, alice, "notes")
	must(t, err)
	if _, _, err := v.History(ctx, "Home", "", 10); err != nil {
		t.Errorf("the history of a page: %v", err)
	}
	_, err = s.Update(ctx, alice, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
		return tx.Put("Home", []byte("y\n"), gitstore.PutOptions{Overwrite: true})
	})
	if err != nil {
		t.Errorf("a change: %v", err)
	}
}
