package lexical

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"wikibot/search/internal/query"
)

// One writer, and readers beside it that see each page whole: its two documents hold
// the same number, always.
func TestWriterAndReaders(t *testing.T) {
	x := New(Options{})
	q, err := query.Parse(`"page number" w* -nothing`)
	if err != nil {
		t.Fatal(err)
	}
	var done atomic.Bool
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for !done.Load() {
				m, err := x.Match(context.Background(), q)
				if err != nil || len(m.IDs)%2 != 0 {
					t.Errorf("%d documents, %v", len(m.IDs), err)
					return
				}
				for _, id := range m.IDs {
					for _, term := range x.Tokens(id) {
						x.Term(term)
					}
				}
				m.Release()
				x.Words("w", 3)
				x.Spellings("wodr1", 3)
				x.Highlight(q, "the page number w1", "")
				x.Prepare(Text{Body: fmt.Sprintf("page number w%d", x.Len())})
				x.Bytes()
				x.Dead()
				x.Append(nil)
			}
		})
	}
	for i := range 300 {
		p := x.Prepare(Text{Head: "page number", Body: fmt.Sprintf("w%d word%d", i, i)})
		at := uint32(i % 20 * 2)
		if i%7 == 0 {
			x.Apply([]uint32{at, at + 1}, nil)
			continue
		}
		x.Apply([]uint32{at, at + 1}, []Entry{{at, p}, {at + 1, p}})
	}
	done.Store(true)
	wg.Wait()
	check(t, x)
}
