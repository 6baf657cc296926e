package history

import (
	"slices"
	"strings"
	"unicode"

	"github.com/go-git/go-git/v5/plumbing"
)

// AnyAgent as Filter.Agent lets through what any program wrote on a person's
// behalf.
const AnyAgent = "*"

// IsAgent reports whether an agent, as a commit names it ("Claude Code 2.1"), is
// the one of a filter: the same text, or that text with a version or more words
// behind it ("claude code"), without regard to case; "*" is every agent.
func IsAgent(agent, filter string) bool {
	switch {
	case filter == AnyAgent:
		return agent != ""
	case len(agent) > len(filter) && agent[len(filter)] == ' ':
		return strings.EqualFold(agent[:len(filter)], filter)
	}
	return strings.EqualFold(agent, filter)
}

// AgentName is an agent without its version: "Claude Code" for "Claude Code 2.1".
// The last word is a version where it begins with a digit, or with v and a digit,
// and is not the only one.
func AgentName(agent string) string {
	i := strings.LastIndexByte(agent, ' ')
	if i <= 0 {
		return agent
	}
	version := []rune(strings.TrimLeft(agent[i+1:], "vV"))
	if len(version) == 0 || !unicode.IsDigit(version[0]) {
		return agent
	}
	return strings.TrimRight(agent[:i], " ")
}

// sources are the numbers of the words that a filter of Agent or Via lets
// through; nil for a filter that asks for neither. Cost: the number of different
// actors, faces and agents.
func (x *Index) sources(f Filter) (agents, vias map[uint32]bool) {
	if f.Agent != "" {
		agents = map[uint32]bool{}
		for id, word := range x.words.list {
			if IsAgent(word, f.Agent) {
				agents[uint32(id)] = true
			}
		}
	}
	if f.Via != "" {
		vias = map[uint32]bool{}
		if id, ok := x.words.ids[string(f.Via)]; ok {
			vias[id] = true
		}
	}
	return agents, vias
}

// Agent is a program with the number of commits that it wrote.
type Agent struct {
	Name    string // without a version
	Commits int
}

// mostAgents bounds the answer of Agents.
const mostAgents = 30

// Agents are the programs that wrote on somebody's behalf, versions of one
// together, the busiest first: at most 30, of the newest 65,536 commits. Cost: as
// many rows looked at (below a millisecond), no object read, and one map entry
// for each different name.
func (x *Index) Agents(at plumbing.Hash) ([]Agent, error) {
	x.mu.RLock()
	defer x.mu.RUnlock()
	head, err := x.at(at)
	if err != nil {
		return nil, err
	}
	byWord, scanned := map[uint32]int{}, 0
	for n := range x.backwards(head) {
		if scanned++; scanned > maxScan {
			break
		}
		if a := x.commits[n].agent; a != 0 {
			byWord[a]++
		}
	}
	byName := map[string]*Agent{}
	var out []Agent
	for word, commits := range byWord {
		name := AgentName(x.words.list[word])
		key := strings.ToLower(name)
		if byName[key] == nil {
			byName[key] = &Agent{Name: name}
		}
		a := byName[key]
		a.Name, a.Commits = max(a.Name, name), a.Commits+commits
	}
	delete(byName, "")
	for _, a := range byName {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Agent) int {
		if a.Commits != b.Commits {
			return b.Commits - a.Commits
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out[:min(len(out), mostAgents)], nil
}
