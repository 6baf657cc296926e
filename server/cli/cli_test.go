package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wikibot/imports"
)

// run gives one command line and returns its exit code and output.
func run(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Main(args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

func TestExitCodes(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	config := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(config, []byte("listen = \"127.0.0.1:0\"\nlayuot = \"path\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(key, []byte("-----BEGIN OPENSSH PRIVATE KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		code int
		want string // in the output
	}{
		{nil, 2, "Usage: wikibot"},
		{[]string{"help"}, 0, "Usage: wikibot"},
		{[]string{"help", "import"}, 0, "SOURCE SLUG"},
		{[]string{"serve", "--help"}, 0, "--base-url"},
		{[]string{"version"}, 0, "wikibot "},
		{[]string{"srve"}, 2, "no command"},
		{[]string{"serve", "--lisen", "x"}, 2, "listen"},
		{[]string{"serve", "./data"}, 2, "--data ./data"},
		{[]string{"serve", "--config", config}, 1, config + ":2:1"},
		{[]string{"serve", "--config", "/nonexistent.toml"}, 1, "/nonexistent.toml"},
		{[]string{"admin", "--data", data}, 2, "needs a command"},
		{[]string{"admin", "--data", data, "grant", "notes"}, 2, "too few"},
		{[]string{"import", "--data", data, "x"}, 2, "SOURCE SLUG"},
		{[]string{"import", "--data", data, "x", "Bad Slug"}, 1, "slug"},
		{[]string{"import", "--data", data, "ext::sh -c id", "evil"}, 1, "helper"},
		{[]string{"import", "--data", data, "/nonexistent", "vault"}, 1, "does not exist"},
		{[]string{"admin", "--data", data, "sign-in-link"}, 0, "/auth/link?token="},
		{[]string{"admin", "--data", data, "sign-in-link", "--user", "nobody-here"}, 1, "nobody-here"},
		{[]string{"admin", "--data", data, "token", "create", "--wiki", "notes", "--role", "editor"}, 0, "wbt_w-notes-"},
		{[]string{"admin", "token", "create", "--user", "operator", "--data", data}, 0, "wbt_u-"},
		{[]string{"admin", "--data", data, "token", "create", "--wiki", "notes"}, 1, "role"},
		{[]string{"admin", "--data", data, "token", "create"}, 1, "--wiki"},
		{[]string{"admin", "--data", data, "user", "add", "bob"}, 0, "bob"},
		{[]string{"admin", "--data", data, "user", "add", "bob"}, 1, "bob"},
		{[]string{"admin", "--data", data, "key", "add", "bob", key}, 1, "private key"},
		{[]string{"admin", "--data", data, "grant", "notes", "bob", "editor"}, 0, "bob is editor on notes"},
		{[]string{"admin", "--data", data, "grant", "notes", "carol", "editor"}, 1, "carol"},
		{[]string{"admin", "--data", data, "wiki", "create", "second"}, 0, "/w/second/"},
	}
	for _, tt := range tests {
		code, out, errs := run(tt.args...)
		if code != tt.code || !strings.Contains(out+errs, tt.want) {
			t.Errorf("wikibot %s: code %d, want %d with %q in the output:\n%s%s", strings.Join(tt.args, " "), code, tt.code, tt.want, out, errs)
		}
		if code != 0 && out != "" {
			t.Errorf("wikibot %s failed and wrote to standard output: %q", strings.Join(tt.args, " "), out)
		}
	}
}

// TestTokenIsPrintedAlone: scripts take the output as it is.
func TestTokenIsPrintedAlone(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	if code, _, errs := run("admin", "--data", data, "user", "add", "bob"); code != 0 {
		t.Fatal(errs)
	}
	for _, args := range [][]string{{"token", "create", "--wiki", "notes", "--role", "viewer", "--name", "laptop"}, {"sign-in-link"}} {
		code, out, errs := run(append([]string{"admin", "--data", data}, args...)...)
		if code != 0 || errs != "" || len(strings.Fields(out)) != 1 {
			t.Errorf("%v: code %d, output %q, errors %q", args, code, out, errs)
		}
	}
}

func TestImport(t *testing.T) {
	data, src := filepath.Join(t.TempDir(), "data"), t.TempDir()
	for name, text := range map[string]string{"Home.md": "# Home\n", "What?.md": "q\n"} {
		if err := os.WriteFile(filepath.Join(src, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := run("import", "--data", data, "--name", "My vault", src, "vault")
	if code != 0 || out != "http://127.0.0.1:8080/w/vault/\n" {
		t.Errorf("code %d, output %q, errors %s", code, out, errs)
	}
	for _, want := range []string{"2 pages", "1 commit\n", `"What?.md" became "What%3F.md"`, "home page Home"} {
		if !strings.Contains(errs, want) {
			t.Errorf("the report lacks %q:\n%s", want, errs)
		}
	}
	show := exec.Command("git", "show", "refs/wikibot/config:.wikibot/wiki.toml")
	show.Dir = filepath.Join(data, "wikis", "vault.git")
	if text, err := show.CombinedOutput(); err != nil || !strings.Contains(string(text), `name = "My vault"`) {
		t.Errorf("wiki.toml: %v\n%s", err, text)
	}
}

func TestBar(t *testing.T) {
	var plain, drawn bytes.Buffer
	for _, b := range []*bar{{w: &plain}, {w: &drawn, terminal: true}} {
		b.show(imports.Progress{Stage: "receiving objects", Done: 1, Total: 2})
		b.show(imports.Progress{Stage: "receiving objects", Done: 2, Total: 2})
		b.show(imports.Progress{Stage: "checking names"})
		b.end()
	}
	if got, want := plain.String(), "receiving objects\nchecking names\n"; got != want {
		t.Errorf("plain = %q, want %q", got, want)
	}
	if got := drawn.String(); !strings.Contains(got, "[##############################] 2/2\n") || strings.Count(got, "\r") != 3 {
		t.Errorf("drawn = %q", got)
	}
}

func TestCounts(t *testing.T) {
	got, _ := json.Marshal([]string{count(1, "page"), count(2, "page"), count(0, "tag"), count(3, "other branch"), count(1, "other branch")})
	if want := `["1 page","2 pages","0 tags","3 other branches","1 other branch"]`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
