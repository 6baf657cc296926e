package rewrite

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/gitstoretest"
)

// repo is a repository as a Source and a Sink, by stock git.
type repo struct {
	testing.TB
	dir string
}

func (r *repo) Get(oid plumbing.Hash) (plumbing.ObjectType, []byte, error) {
	kind, err := gitstoretest.TryGit(r.dir, "", "cat-file", "-t", oid.String())
	if err != nil {
		return 0, nil, fmt.Errorf("%s: %w", oid, err)
	}
	typ, err := plumbing.ParseObjectType(kind)
	if err != nil {
		return 0, nil, err
	}
	cmd := exec.Command("git", "cat-file", kind, oid.String())
	cmd.Dir, cmd.Env = r.dir, gitstoretest.Env()
	data, err := cmd.Output()
	return typ, data, err
}

func (r *repo) put(t plumbing.ObjectType, data []byte) (plumbing.Hash, error) {
	cmd := exec.Command("git", "hash-object", "-w", "-t", t.String(), "--stdin")
	cmd.Dir, cmd.Env, cmd.Stdin = r.dir, gitstoretest.Env(), strings.NewReader(string(data))
	out, err := cmd.CombinedOutput()
	if err != nil {
		return plumbing.ZeroHash, fmt.Errorf("%w: %s\n%s", err, out, data)
	}
	return plumbing.NewHash(strings.TrimSpace(string(out))), nil
}

func (r *repo) git(args ...string) string {
	r.Helper()
	return gitstoretest.Git(r, r.dir, args...)
}

// work is a repository with a work tree, and a history that has everything: a merge,
// a rename, an encoding, a signature, tags of tags, a symbolic link, other people.
func work(t *testing.T) *repo {
	t.Helper()
	r := &repo{t, t.TempDir()}
	r.git("init", "-q", "-b", "main")
	r.save("Home.md", "# Home\n")
	r.save("Secrets/Key.md", "the key is hunter2-XYZ, keep it\n")
	r.save("Secrets/Other.md", "nothing of the kind\n")
	r.save("Windows.txt", string(wide("key=hunter2-XYZ\r\n", le)))
	r.git("tag", "-a", "-m", "with hunter2-XYZ in it", "v1")
	r.git("tag", "-a", "-m", "a tag of a tag", "v2", "v1")
	r.git("tag", "plain")
	r.git("switch", "-q", "-c", "side", "HEAD~2")
	r.save("Side.md", "on the side\n")
	r.git("switch", "-q", "main")
	r.git("merge", "-q", "--no-ff", "-m", "Merge the side", "side")
	r.git("mv", "Secrets/Key.md", "Moved.md")
	r.git("commit", "-qm", "Moved\n\nSigned-off-by: Mallory Miller <mallory@old.example.org>")
	r.save("Moved.md", "the key is gone\n")
	first := r.git("rev-parse", "HEAD~1")
	r.git("commit", "-q", "--allow-empty", "-m", "Fixes "+first[:12]+" and "+first+"; the key was hunter2-XYZ")
	r.git("-c", "i18n.commitEncoding=ISO-8859-1", "commit", "-q", "--allow-empty", "-m", "Z\xfcrich\n\nMehr.")
	r.git("commit", "-q", "--allow-empty", "-m", "By her", "--author", "Mallory Miller <mallory@old.example.org>", "--date", "2020-02-03T04:05:06+0530")
	if err := os.Symlink("/tmp/hunter2-XYZ", filepath.Join(r.dir, "link")); err != nil {
		t.Fatal(err)
	}
	r.git("add", ".")
	r.git("commit", "-qm", "A link")
	return r
}

func (r *repo) save(name, text string) {
	r.Helper()
	file := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		r.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
	r.git("add", ".")
	r.git("commit", "-qm", "Save "+name)
}

func (r *repo) refs() []string {
	return strings.Split(r.git("for-each-ref", "--format=%(refname)"), "\n")
}

// rewrite rewrites all refs in place, and returns the Rewriter.
func (r *repo) rewrite(rules Rules) *Rewriter {
	r.Helper()
	w := New(r, r.put, rules)
	for _, ref := range r.refs() {
		old := r.git("rev-parse", ref)
		to, err := w.Ref(plumbing.NewHash(old), Content)
		if err != nil {
			r.Fatal(err)
		}
		r.git("update-ref", ref, to.String(), old)
	}
	return w
}

// everything is the content of every object that refs reach, names included.
func (r *repo) everything() string {
	r.Helper()
	var b strings.Builder
	for line := range strings.Lines(r.git("rev-list", "--objects", "--all") + "\n") {
		oid, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		_, data, err := r.Get(plumbing.NewHash(oid))
		if err != nil {
			r.Fatal(err)
		}
		b.Write(data)
	}
	return b.String() + strings.Join(r.refs(), "\n")
}

func (r *repo) outcome(w *Rewriter) Outcome {
	r.Helper()
	out, err := w.Outcome()
	if err != nil {
		r.Fatal(err)
	}
	return out
}

var le = binary.LittleEndian

const shape = "--format=%an|%ae|%ad|%cn|%cd|%s|%P"

func TestRewriteOfNothing(t *testing.T) {
	r := work(t)
	before := r.git("show-ref", "-d")
	w := r.rewrite(Rules{})
	if after := r.git("show-ref", "-d"); after != before {
		t.Errorf("%s\nbecame\n%s", before, after)
	}
	if out := r.outcome(w); out.Commits+out.Tags+out.Blobs+len(out.Old) > 0 {
		t.Errorf("%+v", out)
	}
}

func TestTextGoesFromEverywhere(t *testing.T) {
	r := work(t)
	dates := r.git("log", "--all", "--topo-order", "--format=%at %ai %ct %e %an")
	graph := r.git("log", "--all", "--topo-order", "--graph", "--format=%x2e")
	trees := r.git("ls-tree", "-r", "--name-only", "main")
	w := r.rewrite(Rules{Text: "hunter2-XYZ"})
	r.git("fsck", "--strict", "--no-dangling")
	all := r.everything()
	for _, s := range []string{"hunter2-XYZ", string(wide("hunter2-XYZ", le))} {
		if strings.Contains(all, s) {
			t.Errorf("%q is still there", s)
		}
	}
	if got := r.git("log", "--all", "--topo-order", "--format=%at %ai %ct %e %an"); got != dates {
		t.Errorf("dates and encodings were\n%s\nand are\n%s", dates, got)
	}
	if got := r.git("log", "--all", "--topo-order", "--graph", "--format=%x2e"); got != graph {
		t.Errorf("the graph was\n%s\nand is\n%s", graph, got)
	}
	if got := r.git("ls-tree", "-r", "--name-only", "main"); got != trees {
		t.Errorf("the files were\n%s\nand are\n%s", trees, got)
	}
	for spec, want := range map[string]string{
		"v1:Secrets/Key.md": "the key is ***removed***, keep it",
		"main:Moved.md":     "the key is gone",
		"main:link":         "/tmp/***removed***",
	} {
		if got := r.git("show", spec); got != want {
			t.Errorf("%s is %q", spec, got)
		}
	}
	if got := r.git("show", "v1:Windows.txt"); got != string(wide("key=***removed***\r", le))+"\n\x00" && !strings.Contains(got, string(wide("***removed***", le))) {
		t.Errorf("in UTF-16: %q", got)
	}
	if got := r.git("tag", "-l", "-n9", "v1"); !strings.Contains(got, "with ***removed*** in it") {
		t.Errorf("the tag says %q", got)
	}
	if got := r.git("log", "--format=%B", "-1", "main~3"); got != fmt.Sprintf("Fixes %.12s and %s; the key was ***removed***\n", r.git("rev-parse", "main~5"), r.git("rev-parse", "main~5")) {
		t.Errorf("a message names other commits as %q", got)
	}
	if raw := r.git("cat-file", "commit", "main~2"); !strings.Contains(raw, "encoding ISO-8859-1") || !strings.Contains(raw, "Z\xfcrich") {
		t.Errorf("the encoded commit is %q", raw)
	}
	out := r.outcome(w)
	if out.Blobs != 3 || out.Messages != 2 || out.Tags != 2 || out.Files["Secrets/Key.md"] != 1 || out.Files["link"] != 1 || out.Files["Home.md"] != 0 {
		t.Errorf("%+v", out)
	}
	// What was before the text keeps its name, and a second time finds nothing.
	if again := r.outcome(r.rewrite(Rules{Text: "hunter2-XYZ"})); again.Commits+again.Tags+again.Blobs > 0 {
		t.Errorf("again: %+v", again)
	}
}

func TestTextInNames(t *testing.T) {
	r := work(t)
	r.save("Notes/on hunter2-XYZ.md", "a\n")
	r.save("Notes/on removed.md", "b\n")
	r.save("hunter2-XYZ/Page.md", "c\n")
	r.git("branch", "about-hunter2-XYZ")
	w := r.rewrite(Rules{Text: "hunter2-XYZ"})
	r.git("fsck", "--strict", "--no-dangling")
	if got := r.git("ls-tree", "-r", "--name-only", "main"); got != "Home.md\nMoved.md\nNotes/on removed-2.md\nNotes/on removed.md\nSecrets/Other.md\nSide.md\nWindows.txt\nlink\nremoved/Page.md" {
		t.Errorf("the files are\n%s", got)
	}
	if got := w.Name("refs/heads/about-hunter2-XYZ"); got != "refs/heads/about-removed" {
		t.Errorf("the branch is %s", got)
	}
}

func TestFilesGoByPath(t *testing.T) {
	r := work(t)
	r.save("Copy.md", "the key is hunter2-XYZ, keep it\n")
	w := r.rewrite(Rules{Drop: []string{"Secrets/Key.md", "Moved.md", "Nowhere.md"}})
	r.git("fsck", "--strict", "--no-dangling")
	for _, ref := range r.refs() {
		for line := range strings.Lines(r.git("log", "--format=", "--name-only", ref) + "\n") {
			if f := strings.TrimSpace(line); f == "Secrets/Key.md" || f == "Moved.md" {
				t.Errorf("%s has %s in its history", ref, f)
			}
		}
	}
	if got := r.git("show", "v1:Secrets/Other.md"); got != "nothing of the kind" {
		t.Errorf("another file of the folder is %q", got)
	}
	out := r.outcome(w)
	if !slices.Equal(out.Copies, []string{"Copy.md"}) {
		t.Errorf("the content is also at %v", out.Copies)
	}
	if out.Files["Secrets/Key.md"] != 1 || out.Files["Moved.md"] != 2 || out.Files["Nowhere.md"] != 0 {
		t.Errorf("%v", out.Files)
	}

	// A whole folder goes, and what is empty then goes with it.
	r = work(t)
	out = r.outcome(r.rewrite(Rules{Drop: []string{"Secrets/"}}))
	if got := r.git("ls-tree", "-r", "--name-only", "v1"); strings.Contains(got, "Secrets") || out.Files["Secrets/Other.md"] != 1 {
		t.Errorf("%s\n%v", got, out.Files)
	}
	r = work(t)
	r.rewrite(Rules{Drop: []string{"Secrets/Key.md", "Secrets/Other.md"}})
	if got := r.git("ls-tree", "-rt", "--name-only", "v1"); strings.Contains(got, "Secrets") {
		t.Errorf("an empty folder stays:\n%s", got)
	}
	r.git("fsck", "--strict", "--no-dangling")
}

func TestPeopleGetOtherNames(t *testing.T) {
	r := work(t)
	people, err := ParsePeople("Somebody <somebody@example.org> <MALLORY@old.example.org> # in May\n\n")
	if err != nil {
		t.Fatal(err)
	}
	before := strings.Count(r.git("log", "--all", shape), "\n")
	out := r.outcome(r.rewrite(Rules{People: people}))
	r.git("fsck", "--strict", "--no-dangling")
	log := r.git("log", "--all", shape)
	if strings.Count(log, "\n") != before || !strings.Contains(log, "Somebody|somebody@example.org|Mon Feb 3 04:05:06 2020 +0530|Alice|") {
		t.Errorf("the log is\n%s", log)
	}
	if all := strings.ToLower(r.everything()); strings.Contains(all, "mallory") {
		t.Error("her name is still there")
	}
	if got := r.git("log", "-1", "--format=%B", "main~5"); !strings.Contains(got, "Signed-off-by: Somebody <somebody@example.org>") {
		t.Errorf("the trailer is %q", got)
	}
	if out.People != 1 || out.Blobs != 0 {
		t.Errorf("%+v", out)
	}
}

func TestSignaturesGo(t *testing.T) {
	r := work(t)
	tree := r.git("rev-parse", "main^{tree}")
	signed := "tree " + tree + "\nauthor A <a@example.org> 1700000000 +0000\ncommitter A <a@example.org> 1700000000 +0000\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n\n"
	kept, err := r.put(plumbing.CommitObject, []byte(signed+"fine\n"))
	if err != nil {
		t.Fatal(err)
	}
	lost, err := r.put(plumbing.CommitObject, []byte(signed+"with hunter2-XYZ\n"))
	if err != nil {
		t.Fatal(err)
	}
	tag, err := r.put(plumbing.TagObject, []byte("object "+lost.String()+"\ntype commit\ntag s\ntagger A <a@example.org> 1700000000 +0000\n\nsigned\n-----BEGIN PGP SIGNATURE-----\n\nabc\n-----END PGP SIGNATURE-----\n"))
	if err != nil {
		t.Fatal(err)
	}
	w := New(r, r.put, Rules{People: []Person{{Email: "nobody@example.org", ToName: "x"}}, Text: "with hunter2-XYZ"})
	if to, err := w.Ref(kept, Records); err != nil || to != kept {
		t.Errorf("a signed commit without the text became %s, %v", to, err)
	}
	to, err := w.Ref(tag, Content)
	if err != nil {
		t.Fatal(err)
	}
	_, data, err := r.Get(to)
	if err != nil || strings.Contains(string(data), "PGP") || !strings.Contains(string(data), "\n\nsigned\n") {
		t.Errorf("the tag is %q, %v", data, err)
	}
	if out := r.outcome(w); out.Signed < 2 {
		t.Errorf("%+v", out)
	}
}

func TestDamage(t *testing.T) {
	r := work(t)
	w := New(r, r.put, Rules{Text: "hunter2-XYZ"})
	if _, err := w.Ref(plumbing.NewHash(strings.Repeat("ab", 20)), Content); err == nil {
		t.Error("an object that is missing is no error")
	}
	for _, bad := range []string{"", "40000 x\x00short", "nomode\x00aaaaaaaaaaaaaaaaaaaa"} {
		if list, err := parseTree([]byte(bad)); err == nil && len(list) > 0 {
			t.Errorf("%q is a tree with %v", bad, list)
		}
	}
}
