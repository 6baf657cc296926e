package gitstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"wikibot/wiki"
)

// GraphOptions choose part of the graph of links.
type GraphOptions struct {
	Around   wiki.PagePath // only this page and those that Depth links lead to or from; empty: the whole wiki
	Depth    int           // 1 to 3; 0: 1. Only with Around
	Prefix   string        // only pages whose path begins so, and the missing pages that they link to
	Limit    int           // most nodes; 0 or more than 5,000: 5,000
	Existing bool          // leave missing pages out
}

// Graph is pages and the links between them.
type Graph struct {
	Nodes     []GraphNode // by name
	Edges     []GraphEdge // by From, then To
	Pages     int         // how many nodes there would be without Limit; around a page, how many were met
	Truncated bool        // nodes were left out
}

// GraphNode is a page of the graph. Its counts are of the whole wiki, not of what
// the graph shows.
type GraphNode struct {
	Page    wiki.PagePath
	Missing bool
	Out, In int // how many other pages it links to, and link to it
}

// GraphEdge says that one page links to another; From and To are places in Nodes.
type GraphEdge struct {
	From, To int
	Count    int // how many links
}

const maxGraph = 5000

// Graph is the graph of links, without special pages (wiki.PagePath.Special) and
// without links of a page to itself. Where there are more nodes than Limit, those
// stay that have the most links, or around a page those that are nearest to it, then
// by name, so that equal wikis give equal graphs. It costs a look at each page and
// link that could be in it; see Links for the first call. wiki.ErrNotFound where
// there is neither a page Around nor a link to it.
func (v *View) Graph(ctx context.Context, o GraphOptions) (g Graph, err error) {
	if o.Limit <= 0 || o.Limit > maxGraph {
		o.Limit = maxGraph
	}
	if o.Depth < 0 || o.Depth > 3 {
		return g, wiki.Invalid("depth", "the depth of a graph is 1, 2 or 3")
	}
	err = v.linked(ctx, func(x *linkIndex) error {
		b := graphBuilder{x: x, o: o, out: map[wiki.PagePath]map[wiki.PagePath]int{}, spelt: map[string]wiki.PagePath{}}
		var chosen []wiki.PagePath
		var err error
		if o.Around != "" {
			chosen, err = b.around(ctx)
		} else {
			chosen, err = b.whole(ctx)
		}
		if err != nil {
			return err
		}
		g = b.graph(chosen)
		return ctx.Err()
	})
	return g, err
}

// graphBuilder makes one graph; it is used under the index's lock.
type graphBuilder struct {
	x     *linkIndex
	o     GraphOptions
	out   map[wiki.PagePath]map[wiki.PagePath]int // targets of a page, as targets has found them
	spelt map[string]wiki.PagePath                // missing pages by their fold
	met   int
}

// whole chooses among all pages below Prefix.
func (b *graphBuilder) whole(ctx context.Context) ([]wiki.PagePath, error) {
	set := map[wiki.PagePath]bool{}
	for _, p := range b.x.names.pages {
		if b.shown(p) && strings.HasPrefix(string(p), b.o.Prefix) {
			set[p] = true
		}
	}
	if !b.o.Existing {
		for p := range maps.Clone(set) {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			for t := range b.targets(p) {
				if b.missing(t) && b.shown(t) {
					set[t] = true
				}
			}
		}
	}
	all := slices.Collect(maps.Keys(set))
	if b.met = len(all); b.met <= b.o.Limit {
		return all, nil
	}
	degree := make(map[wiki.PagePath]int, len(all))
	for _, p := range all {
		degree[p] = len(b.targets(p)) + len(b.x.into[p.Fold()])
	}
	slices.SortFunc(all, func(p, q wiki.PagePath) int {
		return cmp.Or(cmp.Compare(degree[q], degree[p]), cmp.Compare(p, q))
	})
	return all[:b.o.Limit], nil
}

// around goes from one page outwards, level by level and by name.
func (b *graphBuilder) around(ctx context.Context) ([]wiki.PagePath, error) {
	start := b.x.at(b.o.Around)
	if b.missing(start) && len(b.x.into[start.Fold()]) == 0 {
		return nil, wiki.NotFound("there is no page %q, and no link to one", start)
	}
	if b.missing(start) {
		start = b.spelling(start)
	}
	seen := map[wiki.PagePath]bool{start: true}
	chosen, level := []wiki.PagePath{start}, []wiki.PagePath{start}
	for range max(1, b.o.Depth) {
		next := map[wiki.PagePath]bool{}
		for _, p := range level {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			for t := range b.targets(p) {
				next[t] = true
			}
			for s := range b.x.into[p.Fold()] {
				next[s] = true
			}
		}
		level = level[:0]
		for _, p := range slices.Sorted(maps.Keys(next)) {
			if !seen[p] && b.shown(p) && strings.HasPrefix(string(p), b.o.Prefix) {
				seen[p] = true
				level = append(level, p)
			}
		}
		b.met = len(seen)
		chosen = append(chosen, level[:min(len(level), b.o.Limit-len(chosen))]...)
		if len(chosen) == b.o.Limit {
			break
		}
	}
	return chosen, nil
}

// graph is the graph of the chosen pages.
func (b *graphBuilder) graph(chosen []wiki.PagePath) Graph {
	slices.Sort(chosen)
	place := make(map[wiki.PagePath]int, len(chosen))
	g := Graph{Nodes: make([]GraphNode, len(chosen)), Pages: b.met, Truncated: b.met > len(chosen)}
	for i, p := range chosen {
		place[p] = i
		g.Nodes[i] = GraphNode{Page: p, Missing: b.missing(p), Out: len(b.targets(p)), In: len(b.x.into[p.Fold()])}
	}
	for i, p := range chosen {
		first := len(g.Edges)
		for t, n := range b.targets(p) {
			if to, ok := place[t]; ok {
				g.Edges = append(g.Edges, GraphEdge{i, to, n})
			}
		}
		slices.SortFunc(g.Edges[first:], func(a, b GraphEdge) int { return cmp.Compare(a.To, b.To) })
	}
	return g
}

// targets are the other pages that a page links to, and how often. Spellings of one
// missing page are one.
func (b *graphBuilder) targets(p wiki.PagePath) map[wiki.PagePath]int {
	if m, ok := b.out[p]; ok {
		return m
	}
	var m map[wiki.PagePath]int
	if l := b.x.pages[p]; l != nil {
		m = make(map[wiki.PagePath]int, len(l.to))
		for _, t := range l.to {
			if t.Page == "" || t.Page == p {
				continue
			}
			to := t.Page
			if !t.Exists {
				to = b.spelling(to)
			}
			m[to]++
		}
	}
	b.out[p] = m
	return m
}

// spelling is what a missing page is called.
func (b *graphBuilder) spelling(p wiki.PagePath) wiki.PagePath {
	fold := p.Fold()
	to, ok := b.spelt[fold]
	if !ok {
		to = b.x.spelling(fold)
		b.spelt[fold] = to
	}
	return to
}

func (b *graphBuilder) missing(p wiki.PagePath) bool {
	_, there := b.x.names.pages[p.Fold()]
	return !there
}

func (b *graphBuilder) shown(p wiki.PagePath) bool {
	return !p.Special() && !(b.o.Existing && b.missing(p))
}
