package server

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"

	"wikibot/wiki"
)

func TestSSHCommandLine(t *testing.T) {
	for line, want := range map[string]sshCommand{
		"":                                    {},
		"  ":                                  {},
		"wikis":                               {name: "wikis"},
		" login ":                             {name: "login"},
		"whoami":                              {name: "whoami"},
		"git-upload-pack 'notes.git'":         {uploadPack, "notes.git"},
		"git-upload-pack '/notes.git'":        {uploadPack, "/notes.git"},
		"git upload-pack 'notes.git'":         {uploadPack, "notes.git"},
		"git-receive-pack '/w/notes.git/'":    {receivePack, "/w/notes.git/"},
		"git-upload-archive notes":            {uploadArchive, "notes"},
		"git-upload-pack   '~/it'\\''s'\\!''": {uploadPack, "~/it's!"},
		"git-upload-pack ''":                  {uploadPack, ""},
		"git-upload-pack -x":                  {uploadPack, "-x"},
		"git-upload-pack '../x y;$(id)'":      {uploadPack, "../x y;$(id)"},
	} {
		if got, ok := parseSSHCommand(line); !ok || got != want {
			t.Errorf("%q: got %+v, %t, want %+v", line, got, ok, want)
		}
	}
	for _, line := range []string{
		"sh", "ls", "wikis x", "Wikis", "git", "git-", "git-shell", "git-upload-pack", "git-upload-pack ", "upload-packs x", "git-git-upload-pack x", "git git-upload-pack x", "upload-pack x", "git  upload-pack x",
		"git-upload-pack 'a' 'b'", "git-upload-pack a b", "git-upload-pack 'a", "git-upload-pack 'a'b", "git-upload-pack a'b'", "git-upload-pack 'a''b'", "git-upload-pack 'a'\\x'b'", "git-upload-pack 'a'\\'", "git-upload-pack 'a'\\''",
		`git-upload-pack "a"`, "git-upload-pack --strict a", "git-upload-pack a;id", "git-upload-pack $(id)", "git-upload-pack `id`", "git-upload-pack a&", "git-upload-pack a\\ b",
		"git-upload-pack 'a\x00b'", "git-upload-pack 'a\nb'", "git-upload-pack\ta", "wikis\n", "git-upload-pack 'a\xff'", "/usr/bin/git-upload-pack a", "git-receive-packx a",
		"git-upload-pack " + strings.Repeat("a", maxSSHLine),
	} {
		if got, ok := parseSSHCommand(line); ok {
			t.Errorf("%.60q is taken for %+v", line, got)
		}
	}
}

func TestSSHPath(t *testing.T) {
	for path, want := range map[string]wiki.Slug{
		"notes": "notes", "notes.git": "notes", "/notes.git": "notes", "/notes.git/": "notes", "w/notes": "notes", "/w/notes.git": "notes",
		"admin.git": "", "/admin.git": "", "admin": "", "/admin/": "",
	} {
		if got, ok := repositoryOf(path); !ok || got != want {
			t.Errorf("%q: got %q, %t", path, got, ok)
		}
	}
	for _, path := range []string{
		"", "/", ".git", "..", "../notes.git", "/../notes.git", "//notes.git", "notes.git//", "./notes.git", "notes.git/.", "admin.git/../wikis/notes.git", "wikis/notes.git", "w/w/notes.git", "w/admin.git", "/w/admin",
		"%2e%2e/notes.git", "notes%2egit", "notes.git.git", "Notes.git", "notes.git\x00", "~/notes.git", "~notes.git", "-notes.git", "no tes", "notes.git?x", "/data/wikis/notes.git", "notes\\.git", "nötes", "ab", "repo.git/notes",
	} {
		if got, ok := repositoryOf(path); ok {
			t.Errorf("%q is taken for the wiki %q", path, got)
		}
	}
}

// FuzzSSHCommand: whatever is sent, what is executed is one of git's services on
// one wiki, or a command of ours.
func FuzzSSHCommand(f *testing.F) {
	for _, s := range []string{"", "wikis", "git-upload-pack '/notes.git'", "git upload-archive 'a'\\''b'\\!''", "git-receive-pack ../x", "git-upload-pack 'a'\\", "git-upload-pack '''"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		c, ok := parseSSHCommand(line)
		if !ok {
			return
		}
		if !slices.Contains([]string{"", "whoami", "wikis", "login", uploadPack, receivePack, uploadArchive}, c.name) || !strings.HasPrefix(c.name, "git-") && c.path != "" {
			t.Fatalf("%q is %+v", line, c)
		}
		if again, ok := parseSSHCommand(c.name + " " + quoted(c.path)); strings.HasPrefix(c.name, "git-") && (!ok || again != c) {
			t.Fatalf("%q is %+v, and quoted by git %+v, %t", line, c, again, ok)
		}
		if slug, ok := repositoryOf(c.path); ok && slug != "" {
			if _, err := wiki.ParseSlug(string(slug)); err != nil || !strings.Contains(c.path, string(slug)) {
				t.Fatalf("%q is the wiki %q", c.path, slug)
			}
		}
	})
}

// quoted is a path as git quotes it (sq_quote_buf).
func quoted(s string) string {
	return "'" + strings.NewReplacer("'", `'\''`, "!", `'\!'`).Replace(s) + "'"
}

func TestArchiveArguments(t *testing.T) {
	refs := []string{"refs/heads/main", "refs/heads/both", "refs/tags/both", "refs/tags/v1", "refs/heads/wikibot/config", "refs/heads/" + strings.Repeat("a", 40), "refs/wikibot/config", "refs/proposals/1/head"}
	exists := func(ref string) (bool, error) { return slices.Contains(refs, ref), nil }
	for in, want := range map[string]string{
		"main":                       "-- refs/heads/main",
		"HEAD":                       "-- HEAD",
		"HEAD:Design":                "-- HEAD:Design",
		"both":                       "-- refs/tags/both",
		"heads/both":                 "-- refs/heads/both",
		"--format=zip main Home.md":  "--format=zip -- refs/heads/main Home.md",
		"--format zip -9 -v main":    "--format=zip -9 -v -- refs/heads/main",
		"main --prefix x/ -- --a -b": "--prefix=x/ -- refs/heads/main --a -b",
		"--prefix --remote=x v1":     "--prefix=--remote=x -- refs/tags/v1",
		"--list":                     "--list",
		"-l -v":                      "-l -v",
		"wikibot/config":             "-- refs/heads/wikibot/config",
		strings.Repeat("a", 40):      "-- refs/heads/" + strings.Repeat("a", 40),
	} {
		got, err := archiveArguments(strings.Fields(in), exists)
		if err != nil || strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "-v", "refs/wikibot/config", "refs/wikibot/config:.wikibot/acl.toml", "refs/proposals/1/head", "proposals/1/head", strings.Repeat("b", 40), strings.Repeat("b", 40) + ":x", "main^{tree}", "main@{1}", "main~1", "refs/heads/main^", "@", ":Home.md", ":/x", "^main", "main..both",
		"refs/heads/../wikibot/config", "main-worktree/refs/wikibot/config", "worktrees/x/HEAD", "FETCH_HEAD", "config", "refs/heads/", "refs/tags/", "heads/",
		"--output=x main", "-o x main", "--remote=x main", "--exec=x main", "--add-file=/etc/passwd main", "--add-virtual-file=x:y main", "--worktree-attributes main", "--pre=x main", "--prefix", "--format", "-10 main", "-h", "--help", "--no-list main", "-lv main", "-", "--list=x main", "-v=1 main",
	} {
		if got, err := archiveArguments(strings.Fields(in), exists); err == nil {
			t.Errorf("%s: became %q", in, got)
		}
	}
	if _, err := archiveArguments([]string{"main"}, func(string) (bool, error) { return false, errors.New("disk") }); err == nil || errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("a ref that cannot be looked for: %v", err)
	}
}

// FuzzArchive: whatever a client sends, git gets known options, and a branch or
// tag that is there.
func FuzzArchive(f *testing.F) {
	add := func(args ...string) {
		var b bytes.Buffer
		e := pktline.NewEncoder(&b)
		for _, a := range args {
			_ = e.Encodef("argument %s\n", a)
		}
		_ = e.Flush()
		f.Add(b.Bytes())
	}
	add("main")
	add("--format=zip", "--prefix", "x", "--", "main:Design", "-x")
	add("refs/wikibot/config")
	f.Add([]byte("0000"))
	f.Add([]byte("0014argument main\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		args, err := readArguments(bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, wiki.ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		got, err := archiveArguments(args, func(ref string) (bool, error) { return ref == "refs/heads/main", nil })
		if err != nil {
			return
		}
		at := slices.Index(got, "--")
		if at < 0 && !slices.Contains(got, "--list") && !slices.Contains(got, "-l") {
			t.Fatalf("%q became %q", args, got)
		}
		for i, a := range got {
			name, _, _ := strings.Cut(a, "=")
			if (at < 0 || i < at) && !archiveSwitch.MatchString(a) && !slices.Contains(archiveOption, name) {
				t.Fatalf("%q became %q", args, got)
			}
		}
		if at < 0 {
			return
		}
		if ref, _, _ := strings.Cut(got[at+1], ":"); ref != "refs/heads/main" && ref != "HEAD" {
			t.Fatalf("%q became %q", args, got)
		}
	})
}
