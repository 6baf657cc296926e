package gitstore

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/internal/history"
	"wikibot/wiki"
)

// AnyAgent as ChangesOptions.Agent asks for what any program wrote on a person's
// behalf.
const AnyAgent = history.AnyAgent

// filter is what the index of history is asked for.
func (o ChangesOptions) filter(at, after plumbing.Hash) history.Filter {
	f := history.Filter{At: at, After: after, Limit: o.Limit, Author: o.Author, Agent: o.Agent, Via: o.Via, Since: o.Since}
	if o.Prefix != "" {
		f.Prefix = wiki.FilePath(o.Prefix).FileName()
	}
	return f
}

// IsAgent reports whether an agent, as a commit names it, is the one that
// ChangesOptions.Agent asks for.
func IsAgent(agent, filter string) bool { return history.IsAgent(agent, filter) }

// AgentName is an agent without its version: "Claude Code" for "Claude Code 2.1".
func AgentName(agent string) string { return history.AgentName(agent) }

// AgentCount is a program with the number of commits that it wrote.
type AgentCount struct {
	Name    string // without a version
	Commits int
}

// Agents are the programs that wrote in this wiki on somebody's behalf, the
// busiest first: at most 30, of the newest 65,536 commits. Cost: as many rows of
// the index looked at (below a millisecond, no object is read).
func (v *View) Agents(ctx context.Context) ([]AgentCount, error) {
	index, err := v.repo.historyAt(ctx, v.state)
	if err != nil {
		return nil, err
	}
	list, err := index.Agents(v.at(index))
	if err != nil {
		return nil, err
	}
	out := make([]AgentCount, len(list))
	for i, a := range list {
		out[i] = AgentCount(a)
	}
	return out, nil
}
