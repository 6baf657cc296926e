package api

import (
	"strings"

	"wikibot/gitstore"
	"wikibot/search"
	"wikibot/wiki"
)

type searchAnswer struct {
	Query      string       `json:"query"`
	Results    []searchItem `json:"results"`
	Total      int          `json:"total" doc:"Pages found, in this part and the others."`
	Mode       string       `json:"mode" enum:"lexical,semantic,hybrid"`
	DidYouMean string       `json:"did_you_mean,omitempty" doc:"The query with words that are found, where one is not."`
	Partial    string       `json:"partial,omitempty" doc:"Why not everything was looked at."`
	Cursor     string       `json:"cursor,omitempty"`
}

type searchItem struct {
	Name    string  `json:"name"`
	Path    string  `json:"path"`
	Snippet string  `json:"snippet"`
	Score   float64 `json:"score" min:"0" max:"1"`
	Section string  `json:"section,omitempty" doc:"Path of the section that fits best."`
}

func (k *call) search() (reply, error) {
	q := k.query.Get("q")
	if strings.TrimSpace(q) == "" {
		return reply{}, wiki.Invalid("q", "q is missing: give what to search for, as /search?q=words")
	}
	mode, err := search.ParseMode(k.query.Get("mode"), search.Lexical)
	if err != nil {
		return reply{}, err
	}
	skip, limit, err := k.part(50, 100)
	if err != nil {
		return reply{}, err
	}
	found, err := k.Notes.Search(k.ctx, k.head, q, mode, skip, limit)
	if err != nil {
		return reply{}, err
	}
	a := searchAnswer{Query: q, Results: make([]searchItem, len(found.Results)), Total: found.Total, Mode: string(found.Mode), DidYouMean: found.DidYouMean, Partial: found.Partial}
	for i, r := range found.Results {
		a.Results[i] = searchItem{Name: r.Name(), Path: string(r.Page), Snippet: r.Text(), Score: r.Score, Section: strings.Join(r.Section, " > ")}
	}
	a.Cursor = next(skip, len(a.Results), a.Total)
	return reply{body: a}, nil
}

type semanticAnswer struct {
	Query   string         `json:"query"`
	Results []semanticItem `json:"results"`
	Total   int            `json:"total"`
}

type semanticItem struct {
	Name          string  `json:"name"`
	Path          string  `json:"path"`
	Text          string  `json:"text" doc:"The whole chunk."`
	Snippet       string  `json:"snippet" doc:"At most 150 characters."`
	Distance      float64 `json:"distance" doc:"Smaller is nearer."`
	Section       string  `json:"section"`
	SectionPath   string  `json:"section_path"`
	ChunkIndex    int     `json:"chunk_index"`
	TotalChunks   int     `json:"total_chunks"`
	PageWordCount int     `json:"page_word_count"`
}

func (k *call) semantic() (reply, error) {
	q := k.query.Get("q")
	if strings.TrimSpace(q) == "" {
		return reply{}, wiki.Invalid("q", "q is missing: give a text, as /semantic-search?q=words")
	}
	n, err := k.number("n", 5, 1, 50)
	if err != nil {
		return reply{}, err
	}
	each, err := k.number("max_chunks_per_page", 2, 1, 10)
	if err != nil {
		return reply{}, err
	}
	mode, err := search.ParseMode(k.query.Get("mode"), "")
	if err != nil {
		return reply{}, err
	}
	found, err := k.Notes.Semantic(k.ctx, k.head, search.SemanticRequest{Text: q, N: n, MaxPerPage: each, Mode: mode})
	if err != nil {
		return reply{}, err
	}
	a := semanticAnswer{Query: q, Results: make([]semanticItem, len(found.Hits)), Total: len(found.Hits)}
	for i, h := range found.Hits {
		a.Results[i] = semanticItem{
			Name: h.Title, Path: string(h.Page), Text: h.Text, Snippet: h.Snippet, Distance: h.Distance, Section: h.Section,
			SectionPath: strings.Join(h.Sections, " > "), ChunkIndex: h.Chunk, TotalChunks: h.Chunks, PageWordCount: h.PageWords,
		}
	}
	return reply{body: a}, nil
}

type suggestAnswer struct {
	Query       string        `json:"query"`
	Suggestions []suggestItem `json:"suggestions"`
}

type suggestItem struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

func (k *call) suggest() (reply, error) {
	n, err := k.number("n", 10, 1, 50)
	if err != nil {
		return reply{}, err
	}
	if k.Find == nil {
		return reply{}, wiki.Unavailable("this site has no search index; list the pages instead")
	}
	q := k.query.Get("q")
	list, err := k.Find.Suggest(k.ctx, k.head, q, n)
	if err != nil {
		return reply{}, err
	}
	a := suggestAnswer{Query: q, Suggestions: make([]suggestItem, len(list))}
	for i, s := range list {
		var name strings.Builder
		for _, part := range s.Title {
			name.WriteString(part.Text)
		}
		a.Suggestions[i] = suggestItem{Name: name.String(), Path: string(s.Page)}
	}
	return reply{body: a}, nil
}

type reindexAnswer struct {
	Status string `json:"status" enum:"started"`
}

func (k *call) reindex() (reply, error) {
	if k.Find == nil {
		return reply{}, wiki.Unavailable("this site has no search index")
	}
	if err := k.Find.Reindex(k.ctx, k.head); err != nil {
		return reply{}, err
	}
	return reply{status: 202, body: reindexAnswer{Status: "started"}}, nil
}

type indexStatus struct {
	Status        string `json:"status" enum:"idle,in_progress,complete,error"`
	PagesIndexed  int    `json:"pages_indexed"`
	ChunksCreated int    `json:"chunks_created"`
	PagesTotal    int    `json:"pages_total,omitempty" doc:"While it is being built."`
	Revision      string `json:"revision,omitempty" doc:"The commit that the index knows."`
	Error         string `json:"error,omitempty"`
}

func (k *call) reindexStatus() (reply, error) {
	if k.Find == nil {
		return reply{}, wiki.Unavailable("this site has no search index")
	}
	s := k.Find.Status(k.ctx, k.head)
	a := indexStatus{Status: string(s.State), PagesIndexed: s.Pages, ChunksCreated: s.Chunks, Revision: string(s.Commit), Error: s.Error}
	if s.State == search.Building {
		a.PagesIndexed, a.PagesTotal = s.Done, s.Total
	}
	return reply{body: a}, nil
}

type graphAnswer struct {
	Nodes   []string   `json:"nodes" doc:"Pages, and pages that are linked to and do not exist."`
	Edges   []edgeItem `json:"edges"`
	Missing []string   `json:"missing" doc:"Those of nodes that do not exist."`
}

type edgeItem struct {
	Source string `json:"source"`
	Target string `json:"target"`
}

func (k *call) graph() (reply, error) {
	g, err := k.head.WholeGraph(k.ctx, k.query.Get("prefix"))
	if err != nil {
		return reply{}, err
	}
	a := graphAnswer{Nodes: make([]string, len(g.Nodes)), Edges: make([]edgeItem, len(g.Edges)), Missing: []string{}}
	for i, n := range g.Nodes {
		a.Nodes[i] = string(n.Page)
		if n.Missing {
			a.Missing = append(a.Missing, string(n.Page))
		}
	}
	for i, e := range g.Edges {
		a.Edges[i] = edgeItem{Source: a.Nodes[e.From], Target: a.Nodes[e.To]}
	}
	return reply{body: a}, nil
}

type linksAnswer struct {
	Path       string   `json:"path"`
	LinksTo    []string `json:"links_to"`
	LinkedFrom []string `json:"linked_from"`
}

func (k *call) links() (reply, error) {
	at, ok := k.head.Page(string(k.page))
	if !ok {
		at = k.page
	}
	to, from, err := k.Notes.Links(k.ctx, k.head, at)
	if err != nil {
		return reply{}, err
	}
	if !ok && len(from) == 0 {
		_, err := k.Notes.Outline(k.ctx, k.head, k.page) // says what is near
		if err != nil {
			return reply{}, err
		}
	}
	return reply{body: linksAnswer{Path: string(at), LinksTo: texts(to), LinkedFrom: texts(from)}}, nil
}

type orphansAnswer struct {
	Pages  []string `json:"pages"`
	Total  int      `json:"total"`
	Cursor string   `json:"cursor,omitempty"`
}

func (k *call) orphans() (reply, error) {
	skip, limit, err := k.part(0, 100_000)
	if err != nil {
		return reply{}, err
	}
	list, total, err := k.head.Orphans(k.ctx, gitstore.LinkFilter{Prefix: k.query.Get("prefix"), Skip: skip, Limit: limit})
	if err != nil {
		return reply{}, err
	}
	return reply{body: orphansAnswer{Pages: texts(list), Total: total, Cursor: next(skip, len(list), total)}}, nil
}

type wantedAnswer struct {
	Pages  []wantedItem `json:"pages" doc:"Pages that others link to and that do not exist."`
	Total  int          `json:"total"`
	Cursor string       `json:"cursor,omitempty"`
}

type wantedItem struct {
	Path  string   `json:"path"`
	Links int      `json:"links" doc:"How many links lead to it."`
	From  []string `json:"from" doc:"Pages that link to it; at most 50."`
}

func (k *call) wanted() (reply, error) {
	skip, limit, err := k.part(0, 100_000)
	if err != nil {
		return reply{}, err
	}
	list, total, err := k.head.WantedPages(k.ctx, gitstore.LinkFilter{Prefix: k.query.Get("prefix"), Skip: skip, Limit: limit})
	if err != nil {
		return reply{}, err
	}
	a := wantedAnswer{Pages: make([]wantedItem, len(list)), Total: total, Cursor: next(skip, len(list), total)}
	for i, m := range list {
		a.Pages[i] = wantedItem{Path: string(m.Page), Links: m.Links, From: make([]string, len(m.From))}
		for j, l := range m.From {
			a.Pages[i].From[j] = string(l.Page)
		}
	}
	return reply{body: a}, nil
}
