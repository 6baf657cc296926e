package mcpclients

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wikibot/server"
)

// play runs a script of Node.js that tells a story: it asks for things to be done
// with lines "PLEASE …", and says with lines "SAW …" what it has seen.
func play(t *testing.T, script string, with map[string]string, please func(string)) (saw []string) {
	t.Helper()
	b, err := json.Marshal(with)
	if err != nil {
		t.Fatal(err)
	}
	c := command(t, script, string(b))
	in, err1 := c.StdinPipe()
	out, err2 := c.StdoutPipe()
	var faults bytes.Buffer
	c.Stderr = &faults
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := false
	for lines := bufio.NewScanner(out); lines.Scan(); {
		what, rest, _ := strings.Cut(lines.Text(), " ")
		switch what {
		case "PLEASE":
			please(rest)
			if _, err := fmt.Fprintln(in, "done"); err != nil {
				t.Error(err)
			}
		case "SAW":
			saw = append(saw, rest)
		case "END":
			ended = true
		default:
			t.Log(lines.Text())
		}
	}
	if err := c.Wait(); err != nil || !ended {
		t.Errorf("the story broke off after %q: %v\n%s", saw, err, faults.String())
	}
	return saw
}

// git runs git in a folder, as nobody in particular.
func git(t *testing.T, dir string, args ...string) {
	t.Helper()
	c := exec.Command("git", append([]string{"-c", "user.name=alice", "-c", "user.email=alice@users.noreply.wiki.test"}, args...)...)
	c.Dir = dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1"}
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// push changes a page with git, as alice.
func (s *site) push(page string) {
	s.t.Helper()
	dir := filepath.Join(s.t.TempDir(), "clone")
	address := strings.Replace(s.url, "http://", "http://alice:"+s.token("alice")+"@", 1) + "/w/notes.git"
	git(s.t, ".", "clone", "-q", address, dir)
	name := filepath.Join(dir, filepath.FromSlash(page)+".md")
	text, err := os.ReadFile(name)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, append(text, "\nThis was pushed with git.\n"...), 0o600); err != nil {
		s.t.Fatal(err)
	}
	git(s.t, dir, "commit", "-qam", "Field notes")
	git(s.t, dir, "push", "-q", "origin", "HEAD:main")
}

// The SDKs that programs are made with spend a day in a wiki: 1.x and 2.x in the
// revisions with sessions, and 2.x in 2026-07-28.
func TestSDKs(t *testing.T) {
	for _, kind := range []string{"sdk", "client", "modern"} {
		t.Run(kind, func(t *testing.T) {
			s := startSite(t)
			saw := play(t, "wiki.mjs", map[string]string{"kind": kind, "url": s.url + "/w/notes/mcp",
				"bob": s.token("bob"), "carol": s.token("carol"), "mallory": s.token("mallory")}, func(what string) {
				switch do, which, _ := strings.Cut(what, " "); do {
				case "push":
					s.push(which)
				case "revoke":
					s.host(server.Command{Do: "grant", Wiki: "notes", User: which, Role: "none"})
				default:
					t.Errorf("the story asks for %q", what)
				}
			})
			if got, want := strings.Join(saw, ", "), "tools, home, written, edited, conflict, change of another, resources and prompts, nothing there, a reader reads, mallory outside, back again, revoked"; got != want {
				t.Errorf("saw %s\nwant %s", got, want)
			}
		})
	}
}

// What a wiki does not use of the protocol works with them as well.
func TestSDKsWithTheFixture(t *testing.T) {
	for kind, want := range map[string]string{"sdk": "progress, log messages, questions, resumed", "client": "progress, log messages, questions, resumed", "modern": "progress, questions"} {
		t.Run(kind, func(t *testing.T) {
			saw := play(t, "fixture.mjs", map[string]string{"kind": kind, "url": startFixture(t)}, func(what string) { t.Errorf("the story asks for %q", what) })
			if got := strings.Join(saw, ", "); got != want {
				t.Errorf("saw %s\nwant %s", got, want)
			}
		})
	}
}
