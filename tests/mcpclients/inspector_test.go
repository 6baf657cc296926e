package mcpclients

import (
	"encoding/json"
	"strings"
	"testing"
)

// The inspector, with which people look into servers, finds nothing to complain of.
func TestInspector(t *testing.T) {
	s := startSite(t)
	bearer := "Authorization: Bearer " + s.token("bob")
	for _, era := range []string{"legacy", "modern"} {
		t.Run(era, func(t *testing.T) {
			ask := func(args ...string) string {
				t.Helper()
				out, err := node(t, append([]string{"node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js", "--cli",
					"--transport", "http", "--server-url", s.url + "/w/notes/mcp", "--header", bearer, "--protocol-era", era, "--method"}, args...)...)
				if err != nil {
					t.Fatalf("%q: %v\n%s", args, err, out)
				}
				return out
			}
			var list struct {
				Tools []struct{ Name string }
			}
			out := ask("tools/list", "--strict")
			if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Tools) < 16 {
				t.Errorf("--strict says more than the list of tools: %v\n%s", err, out)
			}
			if out := ask("tools/call", "--tool-name", "read_note", "--tool-arg", "path=Home"); !strings.Contains(out, `"structuredContent"`) {
				t.Errorf("read_note: %s", out)
			}
			if out := ask("resources/read", "--uri", "wiki:///Home"); !strings.Contains(out, `"text/markdown"`) {
				t.Errorf("resources/read: %s", out)
			}
			if out := ask("prompts/list"); !strings.Contains(out, `"start_session"`) {
				t.Errorf("prompts/list: %s", out)
			}
		})
	}
}
