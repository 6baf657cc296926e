package history

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/wiki"
)

func TestIsAgent(t *testing.T) {
	for _, c := range []struct {
		agent, filter string
		want          bool
	}{
		{"Claude Code 2.1", "Claude Code 2.1", true},
		{"Claude Code 2.1", "claude code", true},
		{"Claude Code 2.1", "Claude", true},
		{"Claude Code 2.1", "Claude Cod", false},
		{"Claude Code 2.1", "Code", false},
		{"Claude Code 2.1", "Claude Code 2.1 ", false},
		{"Claude Code 2.1", AnyAgent, true},
		{"Claude", "Claude Code", false},
		{"", AnyAgent, false},
		{"", "Claude", false},
	} {
		if got := IsAgent(c.agent, c.filter); got != c.want {
			t.Errorf("IsAgent(%q, %q) = %v, want %v", c.agent, c.filter, got, c.want)
		}
	}
}

func TestAgentName(t *testing.T) {
	for agent, want := range map[string]string{
		"Claude Code 2.1": "Claude Code", "cursor v0.4.1": "cursor", "Visual Studio Code": "Visual Studio Code",
		"2.1": "2.1", " 2.1": " 2.1", "  2.1": "", "": "", "curl": "curl", "GPT 5 mini": "GPT 5 mini", "a v": "a v",
	} {
		if got := AgentName(agent); got != want {
			t.Errorf("AgentName(%q) = %q, want %q", agent, got, want)
		}
	}
}

// written is an index with commits by agents and without: number, face, agent,
// file.
func written(t *testing.T, rows ...[3]string) *Index {
	t.Helper()
	x := New(Options{ServerEmail: serverEmail})
	for i, r := range rows {
		message := fmt.Sprintf("%d\n\nWikibot-Actor: alice\nWikibot-Via: %s\n", i, r[0])
		if r[1] != "" {
			message += "Wikibot-Agent: " + r[1] + "\n"
		}
		blob := plumbing.ComputeHash(plumbing.BlobObject, fmt.Append(nil, i))
		appended(t, x, i, message, Change{Kind: wiki.Modified, File: r[2], New: blob})
	}
	return x
}

func TestBySource(t *testing.T) {
	x := written(t, [3]string{"web", "", "A.md"}, [3]string{"mcp", "Claude Code 2.0", "A.md"}, [3]string{"mcp", "Claude Code 2.1", "B.md"},
		[3]string{"api", "robot", "A.md"}, [3]string{"web", "", "A.md"}, [3]string{"mcp", "Cursor 1", "A.md"})
	for name, c := range map[string]struct {
		f         Filter
		all, page string
	}{
		"everything":           {Filter{}, "543210", "54310"},
		"agent":                {Filter{Agent: "claude code"}, "21", "1"},
		"version":              {Filter{Agent: "Claude Code 2.1"}, "2", ""},
		"any agent":            {Filter{Agent: AnyAgent}, "5321", "531"},
		"nobody":               {Filter{Agent: "Nobody"}, "", ""},
		"an actor is no agent": {Filter{Agent: "alice"}, "", ""},
		"face":                 {Filter{Via: wiki.ViaMCP}, "521", "51"},
		"no face":              {Filter{Via: "fax"}, "", ""},
		"both":                 {Filter{Via: wiki.ViaMCP, Agent: "cursor"}, "5", "5"},
		"person":               {Filter{Author: "alice", Agent: "robot"}, "3", "3"},
		"since":                {Filter{Since: time.Unix(3*60, 0)}, "543", "543"},
	} {
		for _, limit := range []int{0, 1} {
			all, page := "", ""
			for f := c.f; ; {
				f.Limit = limit
				got, next, err := x.Changes(f)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range got {
					all += c.Subject
				}
				if f.After = next; next.IsZero() {
					break
				}
			}
			for f := c.f; ; {
				f.Limit = limit
				got, next, err := x.LogOf("A.md", f)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range got {
					page += c.Subject
				}
				if f.After = next; next.IsZero() {
					break
				}
			}
			if all != c.all || page != c.page {
				t.Errorf("%s, %d at once: changes %q, want %q; log %q, want %q", name, limit, all, c.all, page, c.page)
			}
		}
	}
}

func TestAgents(t *testing.T) {
	rows := [][3]string{{"web", "", "A.md"}, {"mcp", "Claude Code 2.0", "A.md"}, {"mcp", "Claude Code 2.1", "B.md"}, {"api", "robot", "A.md"}}
	x := written(t, rows...)
	got, err := x.Agents(plumbing.ZeroHash)
	if want := []Agent{{"Claude Code", 2}, {"robot", 1}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("agents: %v, %v, want %v", got, err, want)
	}
	for i := range 100 {
		rows = append(rows, [3]string{"mcp", "x" + strings.Repeat("y", i), "A.md"})
	}
	if got, err = written(t, rows...).Agents(plumbing.ZeroHash); err != nil || len(got) != mostAgents || got[0].Name != "Claude Code" {
		t.Errorf("of 102 agents %d are listed: %v, %v", len(got), got, err)
	}
}

func BenchmarkAgents(b *testing.B) {
	x := New(Options{ServerEmail: serverEmail})
	for n := range 50_000 {
		c := Commit{OID: plumbing.ComputeHash(plumbing.CommitObject, fmt.Append(nil, n)), Message: fmt.Sprintf("x\n\nWikibot-Via: mcp\nWikibot-Agent: Robot %d\n", n%20),
			Author: Signature{"A", "a@example.org", time.Unix(int64(n), 0)}, Committer: Signature{"wikibot", serverEmail, time.Unix(int64(n), 0)}}
		if h := x.Head(); !h.IsZero() {
			c.Parents = []plumbing.Hash{h}
		}
		if err := x.Append(c); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if got, err := x.Agents(plumbing.ZeroHash); err != nil || len(got) != 1 {
				b.Fatal(got, err)
			}
		}
	})
	b.Run("filter", func(b *testing.B) {
		for b.Loop() {
			if got, _, err := x.Changes(Filter{Agent: "Nobody"}); err != nil || len(got) != 0 {
				b.Fatal(got, err)
			}
		}
	})
}
