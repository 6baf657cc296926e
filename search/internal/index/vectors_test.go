package index

import (
	"context"
	"testing"

	"wikibot/search/internal/query"
)

// TestAVectorOfAnotherModel is not compared with those that answer now: the words do.
func TestAVectorOfAnotherModel(t *testing.T) {
	x := New("en")
	x.Apply(nil, []*Prepared{x.Prepare(Source{Path: "A", Blob: "1", Content: []byte("A harbour.")})})
	x.UseModel("new")
	for h := range x.Hashes() {
		if err := x.PutVectors("new", map[Hash][]float32{h: {1, 0}}); err != nil {
			t.Fatal(err)
		}
	}
	q := Question{Query: query.Words("harbour"), Vector: []float32{0, 1}, Model: "old"}
	for _, v := range [][]float32{{1, 0}, {1, 0, 0}} {
		q.Vector = v
		pages, err := x.Pages(context.Background(), q, 0, 10)
		if err != nil || pages.Arms != Words || pages.Total != 1 {
			t.Errorf("pages: %+v, %v", pages, err)
		}
		some, err := x.Chunks(context.Background(), q, 5, 2)
		if err != nil || some.Arms != Words || some.Total != 1 {
			t.Errorf("chunks: %+v, %v", some, err)
		}
	}
	x.DropVectors("new")
	if missing, _ := x.Missing(0, 10, func(Hash) bool { return false }); len(missing) != 1 {
		t.Errorf("%d are missing after all were dropped", len(missing))
	}
}
