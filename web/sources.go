package web

import (
	"net/url"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// sources narrow a list of changes to those of one person, program or face:
// "author", "agent", "via" and "prefix" of the address, and "after" for more.
type sources struct {
	Author string
	Agent  string // with or without its version; gitstore.AnyAgent: any
	Via    string
	Prefix string
	after  string
	path   string // of the view

	Vias   []sourceChoice
	Agents []sourceChoice
}

// sourceChoice is one value that a list can be narrowed to.
type sourceChoice struct {
	Value, Name string
	Count       int
	URL         string
	Chosen      bool
}

// vias are the faces that a change may have come by, most usual first.
var vias = [...]wiki.Via{wiki.ViaWeb, wiki.ViaMCP, wiki.ViaAPI, wiki.ViaHTTPS, wiki.ViaSSH, wiki.ViaCLI}

// maxFilter bounds each part of a filter, in bytes.
const maxFilter = 1000

// sources reads the filter of a view at that path.
func (q *request) sources(path string) (*sources, error) {
	query := q.r.URL.Query()
	after, err := q.cursor()
	if err != nil {
		return nil, err
	}
	s := &sources{Author: query.Get("author"), Agent: query.Get("agent"), Via: query.Get("via"), Prefix: query.Get("prefix"), after: after, path: path}
	for _, v := range []string{s.Author, s.Agent, s.Via, s.Prefix} {
		if len(v) > maxFilter {
			return nil, wiki.Invalid("filter", "%s", q.texts.get("wanted.long_prefix"))
		}
	}
	for _, v := range vias {
		s.Vias = append(s.Vias, sourceChoice{Value: string(v), Name: q.texts.get("via." + string(v)), Chosen: s.Via == string(v)})
	}
	return s, nil
}

// options ask the store for at most limit of the changes.
func (s *sources) options(limit int) gitstore.ChangesOptions {
	return gitstore.ChangesOptions{After: s.after, Limit: limit, Author: s.Author, Agent: s.Agent, Via: wiki.Via(s.Via), Prefix: s.Prefix}
}

// Any reports whether something is left out.
func (s *sources) Any() bool { return s.Author != "" || s.Agent != "" || s.Via != "" || s.Prefix != "" }

// First reports whether the newest of all changes leads the list.
func (s *sources) First() bool { return s.after == "" && !s.Any() }

// Later reports whether the list goes on from an earlier page.
func (s *sources) Later() bool { return s.after != "" }

// AnyAgent reports whether the list is of all agents' changes.
func (s *sources) AnyAgent() bool { return s.Agent == gitstore.AnyAgent }

// Newest is the address of the first page of this list.
func (s *sources) Newest() string { return s.at(s.path, "") }

// Plain is the address of the list without the filter.
func (s *sources) Plain() string { return s.path }

// Older is the address of the page behind a cursor.
func (s *sources) Older(next string) string { return s.at(s.path, next) }

// At is the address of another view with the same filter.
func (s *sources) At(path string) string { return s.at(path, "") }

func (s *sources) at(path, after string) string {
	v := url.Values{}
	for name, value := range map[string]string{"author": s.Author, "agent": s.Agent, "via": s.Via, "prefix": s.Prefix, "after": after} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}

// offer fills in the agents to choose from, where there are any.
func (s *sources) offer(list []gitstore.AgentCount) {
	for _, a := range list {
		other := *s
		other.Agent = a.Name
		s.Agents = append(s.Agents, sourceChoice{Value: a.Name, Name: a.Name, Count: a.Commits, URL: other.at(s.path, ""), Chosen: gitstore.IsAgent(a.Name, s.Agent) && !s.AnyAgent()})
	}
}

// byline says in one line who made a change and how it came: "alice", or
// "alice via mcp (Claude Code 2.1)".
func byline(c wiki.Commit) string {
	line := authorName(c)
	if c.Via != "" && (c.Via != wiki.ViaWeb || c.Agent != "") {
		line += " via " + string(c.Via)
	}
	if c.Agent != "" {
		line += " (" + c.Agent + ")"
	}
	return line
}
