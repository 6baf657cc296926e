package web

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// graphView is the graph of links: a list, over which script draws.
type graphView struct {
	frame
	Around    wiki.PagePath // the page in the middle; empty: the whole wiki
	Depth     int
	Prefix    string
	Existing  bool // without missing pages
	Graph     gitstore.Graph
	Rows      []graphRow
	More      int    // nodes that are not listed
	Data      string // address of the same graph as JSON
	Deeper    []depthLink
	WholeWiki string
}

// graphRow is a page of the list with the pages that it links to.
type graphRow struct {
	Node gitstore.GraphNode
	To   []gitstore.GraphNode
	More int // that are not shown
}

// depthLink leads to the graph of another depth.
type depthLink struct {
	Depth int
	URL   string
	On    bool
}

const (
	graphNodes = 1500 // drawn, and in the JSON where no limit is asked for
	graphRows  = 300  // listed
	graphTo    = 12   // targets of one row
)

// graphOptions reads what part of the graph is asked for: "around" a page, "depth" 1
// to 3, "prefix", "missing=no".
func (q *request) graphOptions() (gitstore.GraphOptions, error) {
	query := q.r.URL.Query()
	o := gitstore.GraphOptions{Prefix: query.Get("prefix"), Existing: query.Get("missing") == "no", Limit: graphNodes}
	if len(o.Prefix) > wiki.MaxPath {
		return o, wiki.Invalid("prefix", "%s", q.texts.get("wanted.long_prefix"))
	}
	if a := query.Get("around"); a != "" {
		p, err := wiki.ParsePagePath(a)
		if err != nil {
			return o, err
		}
		o.Around, o.Depth = p, 1
	}
	if d := query.Get("depth"); d != "" && o.Around != "" {
		n, err := strconv.Atoi(d)
		if err != nil || n < 1 || n > 3 {
			return o, wiki.Invalid("depth", "%s", q.texts.get("graph.bad_depth"))
		}
		o.Depth = n
	}
	return o, nil
}

// graph answers /-/graph.
func (q *request) graph() error {
	o, err := q.graphOptions()
	if err != nil {
		return err
	}
	if ok, err := q.haveLinks(); !ok {
		return err
	}
	return q.showCached("graph", func() (any, error) {
		g, err := q.view.Graph(q.r.Context(), o)
		if err != nil {
			return nil, err
		}
		title := q.texts.get("graph.title")
		if o.Around != "" {
			title = q.texts.get("graph.title_around", string(o.Around))
		}
		d := &graphView{frame: q.frame("graph", title, o.Around), Around: o.Around, Depth: o.Depth, Prefix: o.Prefix, Existing: o.Existing, Graph: g}
		d.Data, d.WholeWiki = q.withQuery("graph.json", graphQuery(o, o.Depth)), q.links().To("graph")
		for n := 1; n <= 3 && o.Around != ""; n++ {
			d.Deeper = append(d.Deeper, depthLink{n, q.withQuery("graph", graphQuery(o, n)), n == o.Depth})
		}
		d.list(g)
		return d, nil
	})
}

func graphQuery(o gitstore.GraphOptions, depth int) url.Values {
	v := url.Values{}
	if o.Around != "" {
		v.Set("around", string(o.Around))
		v.Set("depth", strconv.Itoa(depth))
	}
	if o.Prefix != "" {
		v.Set("prefix", o.Prefix)
	}
	if o.Existing {
		v.Set("missing", "no")
	}
	return v
}

// list shows the first pages of a graph with what they link to.
func (d *graphView) list(g gitstore.Graph) {
	at := 0 // in the edges, which are in the order of the nodes
	for i, n := range g.Nodes {
		row := graphRow{Node: n}
		for ; at < len(g.Edges) && g.Edges[at].From == i; at++ {
			if len(row.To) < graphTo {
				row.To = append(row.To, g.Nodes[g.Edges[at].To])
			} else {
				row.More++
			}
		}
		if len(d.Rows) == graphRows {
			d.More++
		} else {
			d.Rows = append(d.Rows, row)
		}
	}
}

// graphJSON is the graph for programs, as Package web's comment describes it.
type graphJSON struct {
	Nodes     []nodeJSON `json:"nodes"`
	Edges     []edgeJSON `json:"edges"`
	Pages     int        `json:"pages"`
	Truncated bool       `json:"truncated"`
}

type nodeJSON struct {
	Page    wiki.PagePath `json:"page"`
	URL     string        `json:"url"`
	Missing bool          `json:"missing,omitempty"`
	In      int           `json:"in"`
	Out     int           `json:"out"`
}

type edgeJSON struct {
	From  int `json:"from"`
	To    int `json:"to"`
	Count int `json:"count"`
}

// graphData answers /-/graph.json; "limit" asks for up to 5,000 nodes.
func (q *request) graphData() error {
	o, err := q.graphOptions()
	if err != nil {
		return err
	}
	if n, err := strconv.Atoi(q.r.URL.Query().Get("limit")); err == nil && n > 0 {
		o.Limit = n
	}
	if ready, err := q.awaitLinks(); !ready {
		return err
	}
	return q.cached(func() (*document, error) {
		g, err := q.view.Graph(q.r.Context(), o)
		if err != nil {
			return nil, err
		}
		out := graphJSON{Nodes: make([]nodeJSON, len(g.Nodes)), Edges: make([]edgeJSON, len(g.Edges)), Pages: g.Pages, Truncated: g.Truncated}
		for i, n := range g.Nodes {
			out.Nodes[i] = nodeJSON{n.Page, q.links().Page(n.Page), n.Missing, n.In, n.Out}
			if n.Missing {
				out.Nodes[i].URL = q.links().Create(n.Page)
			}
		}
		for i, e := range g.Edges {
			out.Edges[i] = edgeJSON(e)
		}
		b, err := json.Marshal(out)
		return &document{html: append(b, '\n'), mime: "application/json"}, err
	})
}

// awaitLinks is haveLinks for programs: it answers 503 with how far the reading is.
func (q *request) awaitLinks() (bool, error) {
	err := q.linksSoon()
	if !errors.Is(err, errReading) {
		return err == nil, err
	}
	read, total, _ := q.view.LinksProgress()
	b, err := json.Marshal(map[string]any{"error": map[string]string{"text": q.texts.get("reading.text", read, max(total, 1))}, "read": read, "total": total})
	if err != nil {
		return false, err
	}
	q.w.Header().Set("Retry-After", "2")
	q.w.Header().Set("Cache-Control", "private, no-store")
	q.send(http.StatusServiceUnavailable, &document{html: b, mime: "application/json"})
	return false, nil
}
