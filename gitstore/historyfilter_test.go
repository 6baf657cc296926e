package gitstore_test

import (
	"context"
	"reflect"
	"testing"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// TestByAgent: what an agent wrote is told apart from what people wrote, in the
// wiki and in one page, and at an older state what came later is left out.
func TestByAgent(t *testing.T) {
	s, _ := site(t)
	ctx := context.Background()
	claude := wiki.Caller{User: "alice", Via: wiki.ViaMCP, Agent: "Claude Code 2.1"}
	write := func(c wiki.Caller, p, text string) wiki.Revision {
		t.Helper()
		res, err := put(t, s, c, p, text, gitstore.PutOptions{Overwrite: true})
		must(t, err)
		return res.Revision
	}
	write(alice, "A", "by hand\n")
	first := write(claude, "A", "by Claude\n")
	write(bob, "B", "by bob's helper\n")
	last := write(claude, "B", "by Claude\n")

	v := view(t, s, carol)
	old, err := v.At(ctx, first)
	must(t, err)
	for _, c := range []struct {
		name string
		v    *gitstore.View
		o    gitstore.ChangesOptions
		all  []wiki.Revision
		a    []wiki.Revision
	}{
		{"now", v, gitstore.ChangesOptions{Agent: "claude code"}, []wiki.Revision{last, first}, []wiki.Revision{first}},
		{"then", old, gitstore.ChangesOptions{Agent: "claude code"}, []wiki.Revision{first}, []wiki.Revision{first}},
		{"below", v, gitstore.ChangesOptions{Agent: gitstore.AnyAgent, Prefix: "A"}, []wiki.Revision{first}, []wiki.Revision{first}},
		{"of bob", v, gitstore.ChangesOptions{Author: "bob", Agent: "Claude Code"}, nil, nil},
		{"by git", v, gitstore.ChangesOptions{Via: wiki.ViaHTTPS}, nil, nil},
	} {
		commits, _, err := c.v.Changes(ctx, c.o)
		must(t, err)
		var all, page []wiki.Revision
		for _, c := range commits {
			all = append(all, c.Revision)
		}
		log, _, err := c.v.HistoryOf(ctx, "A", c.o)
		must(t, err)
		for _, c := range log {
			page = append(page, c.Revision)
		}
		if !reflect.DeepEqual(all, c.all) || !reflect.DeepEqual(page, c.a) {
			t.Errorf("%s: changes %v, want %v; history of A %v, want %v", c.name, all, c.all, page, c.a)
		}
	}
	got, err := v.Agents(ctx)
	if want := []gitstore.AgentCount{{Name: "Claude Code", Commits: 2}, {Name: "Helper", Commits: 1}}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("agents: %v, %v, want %v", got, err, want)
	}
}
