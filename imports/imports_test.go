package imports

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"wikibot/gitstore"
	"wikibot/markdown"
	"wikibot/wiki"
)

// git runs real git for a fixture, with pinned people and dates.
func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C.UTF-8",
		"GIT_AUTHOR_NAME=Carol", "GIT_AUTHOR_EMAIL=carol@example.org", "GIT_AUTHOR_DATE=2020-02-03T04:05:06Z",
		"GIT_COMMITTER_NAME=Carol", "GIT_COMMITTER_EMAIL=carol@example.org", "GIT_COMMITTER_DATE=2020-02-03T04:05:06Z",
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// fill runs an import into a bare repository of the test's own and returns the
// repository with the report; nothing is asked of a Store.
func fill(t *testing.T, req Request) (string, *Report, error) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "fresh.git")
	git(t, t.TempDir(), "init", "-q", "--bare", "-b", "main", dir)
	if req.Shown == "" {
		req.Shown = req.Source
	}
	j := &job{
		actor: "operator", domain: "wiki.example", dir: dir, req: req, report: &Report{}, progress: func(Progress) {},
		command: func(ctx context.Context, args ...string) *exec.Cmd {
			cmd := exec.CommandContext(ctx, "git", args...)
			cmd.Dir, cmd.Env = dir, gitstore.GitEnv(dir)
			return cmd
		},
	}
	kind, err := detect(req.Source)
	if err == nil {
		err = j.fill(t.Context(), kind)
	}
	return dir, j.report, err
}

func tree(t *testing.T, dir string) []string {
	t.Helper()
	return strings.Split(git(t, dir, "-c", "core.quotePath=false", "ls-tree", "-r", "--name-only", "main"), "\n")
}

// repository makes a source with three commits, a side branch and a tag.
func repository(t *testing.T, branch string) string {
	t.Helper()
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", branch)
	write(t, dir, map[string]string{"README.md": "# Start\n[[Shown|Design/Auth]]\n", "Design/Auth.md": "auth\n"})
	git(t, dir, "add", "-A")
	git(t, dir, "commit", "-q", "-m", "one")
	git(t, dir, "tag", "v1")
	git(t, dir, "branch", "side")
	write(t, dir, map[string]string{"Design/Auth.md": "auth 2\n"})
	git(t, dir, "commit", "-q", "-am", "two")
	return dir
}

func TestRepositoryKeepsHistory(t *testing.T) {
	src := repository(t, "master")
	git(t, src, "update-ref", "refs/pull/1/head", "HEAD")
	head := git(t, src, "rev-parse", "HEAD")
	dir, report, err := fill(t, Request{Source: src})
	if err != nil {
		t.Fatal(err)
	}
	if got := git(t, dir, "rev-parse", "main"); got != head {
		t.Errorf("main = %s, want the source's %s: nothing had to be mapped", got, head)
	}
	refs := strings.Fields(git(t, dir, "for-each-ref", "--format=%(refname)"))
	if want := []string{"refs/heads/main", "refs/heads/side", "refs/tags/v1"}; !slices.Equal(refs, want) {
		t.Errorf("refs = %v, want %v", refs, want)
	}
	if report.Pages != 2 || report.Commits != 2 || report.Tags != 1 || report.Home != "README" || report.Style != markdown.TextFirst || len(report.Mapped) != 0 {
		t.Errorf("report = %+v", report)
	}
}

func TestDefaultBranchBesideMain(t *testing.T) {
	src := repository(t, "trunk")
	git(t, src, "branch", "main", "v1")
	dir, report, err := fill(t, Request{Source: src})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := git(t, dir, "rev-parse", "main"), git(t, src, "rev-parse", "trunk"); got != want {
		t.Errorf("main = %s, want trunk's %s", got, want)
	}
	if got, want := git(t, dir, "rev-parse", "main-1"), git(t, src, "rev-parse", "v1"); got != want {
		t.Errorf("main-1 = %s, want the old main's %s", got, want)
	}
	if !slices.Equal(report.Branches, []string{"main-1", "side"}) {
		t.Errorf("branches = %v", report.Branches)
	}
}

func TestBundles(t *testing.T) {
	src := repository(t, "main")
	head := git(t, src, "rev-parse", "HEAD")
	for name, refs := range map[string][]string{"with-head": {"--all"}, "without-head": {"--branches", "--tags"}, "one-branch": {"main"}} {
		bundle := filepath.Join(t.TempDir(), name+".bundle")
		git(t, src, append([]string{"bundle", "create", "-q", bundle}, refs...)...)
		dir, _, err := fill(t, Request{Source: bundle})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := git(t, dir, "rev-parse", "main"); got != head {
			t.Errorf("%s: main = %s, want %s", name, got, head)
		}
	}
	part := filepath.Join(t.TempDir(), "part.bundle")
	git(t, src, "bundle", "create", "-q", part, "v1..main")
	if _, _, err := fill(t, Request{Source: part}); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("a bundle that lacks its beginning: %v, want ErrInvalid", err)
	}
}

func TestShallowAndEmptyAreRefused(t *testing.T) {
	src := repository(t, "main")
	shallow := filepath.Join(t.TempDir(), "shallow")
	git(t, t.TempDir(), "clone", "-q", "--depth=1", "file://"+src, shallow)
	if _, _, err := fill(t, Request{Source: shallow}); !errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), "unshallow") {
		t.Errorf("a shallow clone: %v", err)
	}
	empty := t.TempDir()
	git(t, empty, "init", "-q")
	if _, _, err := fill(t, Request{Source: empty}); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("an empty repository: %v", err)
	}
}

func TestNamesAreMappedByOneCommit(t *testing.T) {
	src := t.TempDir()
	git(t, src, "init", "-q", "-b", "main")
	write(t, src, map[string]string{
		"What? 100%.md": "q\n", "Home.md": "home\n", "home.md": "second\n", "notes.markdown": "n\n",
		".gitignore": "x\n", ".wikibot/acl.toml": "evil\n", "aux.md": "device\n", "a/b.md/c.png": "png",
		"..md": "the command .\n", "._Home.md": "fork", "line\nbreak.md": "control\n", "fine.csv": "1,2\n", "cafe\u0301.md": "nfd\n",
	})
	if err := os.Symlink("/etc/passwd", filepath.Join(src, "link.md")); err != nil {
		t.Fatal(err)
	}
	git(t, src, "add", "-A")
	git(t, src, "commit", "-q", "-m", "one")
	dir, report, err := fill(t, Request{Source: src})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"%61ux.md", "Home.md", "What%3F 100%25.md", "a/b/c.png", "caf\u00e9.md", "dot.md", "fine.csv", "home (2).md", "line break.md", "notes.md"}
	slices.Sort(want)
	got := tree(t, dir)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("tree = %q\nwant   %q", got, want)
	}
	if got := git(t, dir, "rev-list", "--count", "main"); got != "2" {
		t.Errorf("%s commits, want the source's and one on top", got)
	}
	if got, want := git(t, dir, "rev-parse", "main^"), git(t, src, "rev-parse", "main"); got != want {
		t.Errorf("main^ = %s, want %s", got, want)
	}
	message := git(t, dir, "log", "-1", "--format=%B%n%cn <%ce>", "main")
	for _, part := range []string{`left out "link.md": a symbolic link`, `"home.md" became "home (2).md"`, "Wikibot-Via: cli", "wikibot <server@wikibot.invalid>"} {
		if !strings.Contains(message, part) {
			t.Errorf("the message lacks %q:\n%s", part, message)
		}
	}
	if len(report.Mapped) != 12 {
		t.Errorf("%d mapped, want 12: %v", len(report.Mapped), report.Mapped)
	}
	if strings.Contains(git(t, dir, "grep", "-c", "home", "main"), "(2)") {
		t.Error("the second page took the first one's text")
	}
}

func TestFolder(t *testing.T) {
	src := t.TempDir()
	write(t, src, map[string]string{
		"Home.md": "# Home\n![[flow.svg]] [[table.csv]]\n", "assets/flow.svg": "<svg/>", "data/table.csv": "a,b\n", "doc.pdf": "%PDF-1.4",
		"photo.png": "\x89PNG\r\n\x1a\n\x00\x01", "Sub/Page two.md": "two\n", ".obsidian/app.json": "{}", "node_modules/x/readme.md": "no",
		"quote\"d.md": "quotes\n", "empty.md": "",
	})
	outside := filepath.Join(t.TempDir(), "secret.md")
	write(t, filepath.Dir(outside), map[string]string{"secret.md": "secret\n"})
	if err := os.Symlink(outside, filepath.Join(src, "stolen.md")); err != nil {
		t.Fatal(err)
	}
	dir, report, err := fill(t, Request{Source: src})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"Home.md", "Sub/Page two.md", "assets/flow.svg", "data/table.csv", "doc.pdf", "empty.md", "photo.png", "quote%22d.md"}
	if got := tree(t, dir); !slices.Equal(got, want) {
		t.Errorf("tree = %q\nwant   %q", got, want)
	}
	if got := git(t, dir, "cat-file", "-s", "main:photo.png"); got != "10" {
		t.Errorf("photo.png has %s bytes, want 10", got)
	}
	if report.Pages != 4 || report.Files != 4 || report.Commits != 1 || report.Home != "Home" {
		t.Errorf("report = %+v", report)
	}
	git(t, dir, "fsck", "--strict")
}

// archive makes a zip; a name that ends in "@" is a symbolic link.
func archive(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		h := &zip.FileHeader{Name: strings.TrimSuffix(name, "@"), Method: zip.Deflate}
		h.SetMode(0o644)
		if strings.HasSuffix(name, "@") {
			h.SetMode(0o777 | os.ModeSymlink)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(files[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "vault.zip")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestZip(t *testing.T) {
	path := archive(t, map[string]string{"vault/index.md": "# hello\n", "vault/Sub/x.md": "x\n", "vault/A: b?.md": "colon", "vault/Sub/p.png": "png", "__MACOSX/vault/._index.md": "fork"})
	dir, report, err := fill(t, Request{Source: path})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tree(t, dir), []string{"A%3A b%3F.md", "Sub/p.png", "Sub/x.md", "index.md"}; !slices.Equal(got, want) {
		t.Errorf("tree = %q, want %q", got, want)
	}
	if report.Home != "index" {
		t.Errorf("home = %q", report.Home)
	}
}

// TestMalloryZips are archives that nobody makes by mistake.
func TestMalloryZips(t *testing.T) {
	for what, files := range map[string]map[string]string{
		"slip":            {"../../etc/cron.d/x.md": "x", "a.md": "a"},
		"slip, backslash": {`..\..\x.md`: "x", "a.md": "a"},
		"absolute":        {"/etc/x.md": "x", "a.md": "a"},
		"drive":           {`C:\x.md`: "x", "a.md": "a"},
		"symbolic link":   {"l.md@": "/etc/passwd", "a.md": "a"},
		"bomb":            {"a.md": strings.Repeat("0", 16<<20)},
	} {
		dir, _, err := fill(t, Request{Source: archive(t, files)})
		if !errors.Is(err, wiki.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", what, err)
		}
		if out := git(t, dir, "for-each-ref"); out != "" {
			t.Errorf("%s: refs were made: %s", what, out)
		}
	}
}

func TestDetect(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, map[string]string{"a.txt": "hello", "b.bundle": "# v2 git bundle\n", "c.zip": "PK\x03\x04rest", "folder/x.md": "x"})
	for name, want := range map[string]Kind{"b.bundle": Bundle, "c.zip": Zip, "folder": Folder} {
		if got, err := detect(filepath.Join(dir, name)); got != want || err != nil {
			t.Errorf("detect(%s) = %s, %v; want %s", name, got, err, want)
		}
	}
	if _, err := detect(filepath.Join(dir, "a.txt")); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("a text file: %v", err)
	}
	if _, err := detect(filepath.Join(dir, "none")); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("nothing: %v", err)
	}
}

func TestRemote(t *testing.T) {
	for source, want := range map[string]string{
		"https://example.org/x.git": "https", "http://127.0.0.1:1/x": "http", "ssh://git@example.org/x": "ssh",
		"git@example.org:x/y.git": "ssh", "./local": "", "/abs/path": "", `C:\path`: "", "notes.bundle": "",
	} {
		if got, err := Remote(source); got != want || err != nil {
			t.Errorf("Remote(%q) = %q, %v; want %q", source, got, err, want)
		}
	}
	for _, source := range []string{"-upload-pack=x", "--x", "ext::sh -c id", "fd::3", "file:///etc", "git://example.org/x", "ssh://-oProxyCommand=id/x", "https:///x"} {
		if got, err := Remote(source); !errors.Is(err, wiki.ErrInvalid) {
			t.Errorf("Remote(%q) = %q, %v; want ErrInvalid", source, got, err)
		}
	}
}

func TestHome(t *testing.T) {
	for want, files := range map[wiki.PagePath][]string{
		"Home":      {"Home.md", "README.md", "index.md"},
		"README":    {"README.md", "docs/index.md", "zzz.md"},
		"docs/Home": {"docs/Home.md", "docs/readme.md", "docs/sub/a.md"},
		"":          {"a.md", "b/index.md"},
	} {
		var pages []entry
		for _, f := range files {
			pages = append(pages, entry{File: f})
		}
		if got := home(pages); got != want {
			t.Errorf("home(%v) = %q, want %q", files, got, want)
		}
	}
}

func TestWatch(t *testing.T) {
	var got []Progress
	said := &tail{lines: watch(func(p Progress) { got = append(got, p) })}
	_, _ = said.Write([]byte("remote: Counting objects: 100% (3/3), done.\nReceiving objects:  50% (1/2)\rReceiving objects: 100% (2/2)\nfatal: it broke\nlast"))
	if want := []Progress{{"counting objects", 3, 3}, {"receiving objects", 1, 2}, {"receiving objects", 2, 2}}; !slices.Equal(got, want) {
		t.Errorf("progress = %v, want %v", got, want)
	}
	if got := said.text(); got != "fatal: it broke; last" {
		t.Errorf("text = %q", got)
	}
}

// FuzzPlan: whatever a source's files are called, each enters under a name that
// the wiki has, no two under one, or is reported as left out.
func FuzzPlan(f *testing.F) {
	f.Add("Home.md\x00home.md\x00a/b.md/c\x00a/b")
	f.Add("con\x00con.md\x00CON.txt\x00x.\x00x \x00..md\x00.MD")
	f.Add("\xff\xfe.md\x00a\u202eb.md\x00" + strings.Repeat("long", 100) + ".md")
	f.Fuzz(func(t *testing.T, joined string) {
		var entries []entry
		seen := map[string]bool{}
		for name := range strings.SplitSeq(joined, "\x00") {
			if name != "" && !seen[name] {
				seen[name] = true
				entries = append(entries, entry{File: name, Mode: "100644"})
			}
		}
		names, mapped := plan(entries)
		told := map[string]Mapped{}
		for _, m := range mapped {
			told[m.From] = m
		}
		used, folds := map[string]bool{}, map[string]bool{}
		for _, e := range entries {
			to, kept := names[e.File]
			if m, ok := told[e.File]; to != e.File && (!ok || m.To != to) {
				t.Errorf("%q became %q and the report says %+v", e.File, to, m)
			}
			if !kept {
				continue
			}
			if err := wiki.CheckFile(to); err != nil {
				t.Errorf("%q became %q: %v", e.File, to, err)
			}
			if used[to] {
				t.Errorf("two files became %q", to)
			}
			used[to] = true
			if p, ok := wiki.PageOfFile(to); ok {
				if folds[p.Fold()] {
					t.Errorf("two pages fold to %q", p.Fold())
				}
				folds[p.Fold()] = true
			}
		}
		for file := range used {
			for dir := filepath.Dir(file); dir != "."; dir = filepath.Dir(dir) {
				if used[dir] {
					t.Errorf("%q is a file and a folder", dir)
				}
			}
		}
	})
}
