package gitstore_test

import (
	"context"
	"fmt"
	"testing"

	"wikibot/gitstore"
)

// A program gets more nodes than are drawn.
func TestWholeGraph(t *testing.T) {
	pages := map[string][]byte{"Home.md": []byte("See [[P0]] and [[Nowhere]].\n")}
	const n = 5100
	for i := range n {
		pages[fmt.Sprintf("P%d.md", i)] = fmt.Appendf(nil, "See [[P%d]].\n", i+1)
	}
	ctx := context.Background()
	s, _ := site(t)
	if err := s.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "large", Owner: "alice", Pages: pages}); err != nil {
		t.Fatal(err)
	}
	v, err := s.View(ctx, host, "large")
	if err != nil {
		t.Fatal(err)
	}
	g, err := v.WholeGraph(ctx, "")
	if err != nil || len(g.Nodes) != n+3 || len(g.Edges) != n+2 || g.Truncated {
		t.Errorf("got %d nodes and %d edges (%v), want %d and %d", len(g.Nodes), len(g.Edges), err, n+3, n+2)
	}
	g, err = v.WholeGraph(ctx, "P509")
	if err != nil || len(g.Nodes) != 12 || len(g.Edges) != 10 {
		t.Errorf("below a prefix: %d nodes, %d edges (%v)", len(g.Nodes), len(g.Edges), err)
	}
}
