package web

import (
	"net/url"
	"slices"
	"strings"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// blameView says for each line who wrote it.
type blameView struct {
	frame
	Chunks []chunk
	Rev    wiki.Revision
	Old    *wiki.Commit

	Lines   int
	People  int // lines that no agent wrote
	Agents  []sourceChoice
	Agent   string // "agent" of the address: whose lines are marked
	Marked  int    // lines
	Only    bool   // "only": the others are left out
	OnlyURL string
	AllURL  string // all lines, still marked
	Plain   string // nothing marked
}

// chunk is consecutive lines of one commit.
type chunk struct {
	Commit *wiki.Commit
	Path   wiki.PagePath
	Lines  []wiki.BlameLine
	Odd    bool
	Marked bool
	Before wiki.Revision // parent: where the walk back goes on
}

// AnyAgent reports whether the lines of all agents are marked.
func (d *blameView) AnyAgent() bool { return d.Agent == gitstore.AnyAgent }

func (q *request) blame(p wiki.PagePath) error {
	return q.showCached("blame", func() (any, error) {
		v, rev, old, err := q.asOf()
		if err != nil {
			return nil, err
		}
		page, err := v.ReadPage(p)
		if err != nil {
			return nil, err
		}
		if manyLines(page.Content) {
			return nil, wiki.Invalid("path", "%s", q.texts.get("blame.many_lines", maxLines))
		}
		lines, err := v.Blame(q.r.Context(), p)
		if err != nil {
			return nil, err
		}
		d := &blameView{frame: q.frame("blame", q.texts.get("blame.title", string(p)), p), Chunks: chunks(lines), Rev: rev, Old: old, Lines: len(lines)}
		query := q.r.URL.Query()
		d.Agent, d.Only = query.Get("agent"), query.Get("only") == "yes"
		d.mark(q.links().View("blame", p))
		return d, nil
	})
}

func chunks(lines []wiki.BlameLine) []chunk {
	var list []chunk
	for _, l := range lines {
		if n := len(list); n == 0 || list[n-1].Commit.Revision != l.Commit.Revision {
			c := chunk{Commit: l.Commit, Path: l.Path, Odd: n%2 == 1}
			if len(l.Commit.Parents) > 0 {
				c.Before = l.Commit.Parents[0]
			}
			list = append(list, c)
		}
		last := &list[len(list)-1]
		last.Lines = append(last.Lines, l)
	}
	return list
}

// mark counts the lines of each agent and marks those of the one asked for. path
// is the view's address.
func (d *blameView) mark(path string) {
	lines := map[string]int{}
	for i := range d.Chunks {
		c := &d.Chunks[i]
		if c.Commit.Agent == "" {
			d.People += len(c.Lines)
			continue
		}
		lines[gitstore.AgentName(c.Commit.Agent)] += len(c.Lines)
		if c.Marked = d.Agent != "" && gitstore.IsAgent(c.Commit.Agent, d.Agent); c.Marked {
			d.Marked += len(c.Lines)
		}
	}
	for name, n := range lines {
		d.Agents = append(d.Agents, sourceChoice{Name: name, Count: n, URL: d.at(path, name, false), Chosen: gitstore.IsAgent(name, d.Agent)})
	}
	slices.SortFunc(d.Agents, func(a, b sourceChoice) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Name, b.Name)
	})
	d.OnlyURL, d.AllURL, d.Plain = d.at(path, d.Agent, true), d.at(path, d.Agent, false), d.at(path, "", false)
	if d.Only = d.Only && d.Agent != ""; d.Only {
		d.Chunks = slices.DeleteFunc(d.Chunks, func(c chunk) bool { return !c.Marked })
	}
}

func (d *blameView) at(path, agent string, only bool) string {
	v := url.Values{}
	if agent != "" {
		v.Set("agent", agent)
	}
	if only {
		v.Set("only", "yes")
	}
	if d.Rev != wiki.Head {
		v.Set("revision", string(d.Rev))
	}
	if len(v) == 0 {
		return path
	}
	return path + "?" + v.Encode()
}
