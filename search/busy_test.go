package search

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// TestSearchingBesideWriters: whoever has saved a page finds it at once, whatever others
// do meanwhile, and nobody is shown what was never written.
func TestSearchingBesideWriters(t *testing.T) {
	p := newPlace(t, func(c *Config) { c.Memory = 200 << 10; c.Embedder = &toy{id: "toy-1"} })
	p.wiki("other")
	ctx := context.Background()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(w)))
			for i := range 25 {
				slug := wiki.Slug([]string{"notes", "other"}[r.IntN(2)])
				word := fmt.Sprintf("word%dof%d", i, w)
				path := wiki.PagePath(fmt.Sprintf("Page %d", r.IntN(10)))
				mine := wiki.PagePath(fmt.Sprintf("Writer %d", w))
				_, err := p.store.Update(ctx, alice, slug, gitstore.Meta{}, func(tx *gitstore.Tx) error {
					if err := tx.Put(path, []byte("# Shared\n\nby "+word), gitstore.PutOptions{Overwrite: true}); err != nil {
						return err
					}
					return tx.Put(mine, []byte("# Mine\n\nit is "+word), gitstore.PutOptions{Overwrite: true})
				})
				if err != nil {
					t.Error(err)
					return
				}
				v, err := p.store.View(ctx, carol, slug)
				if err != nil {
					t.Error(err)
					return
				}
				a, err := p.e.Search(ctx, v, Request{Text: word, Mode: Mode([]string{"", "hybrid", "semantic"}[r.IntN(3)])})
				if err != nil {
					t.Error(err)
					return
				}
				seen := false
				for _, res := range a.Results {
					seen = seen || res.Page == mine
				}
				if a.Mode != Semantic && !seen {
					t.Errorf("%s is not found on %s: %+v", word, mine, a)
				}
				if _, err := p.e.Suggest(ctx, v, "pag", 5); err != nil {
					t.Error(err)
				}
				if _, err := p.e.Semantic(ctx, v, SemanticRequest{Text: "by " + word}); err != nil {
					t.Error(err)
				}
				p.e.Status(ctx, v)
			}
		})
	}
	wg.Go(func() {
		for range 10 {
			v, err := p.store.View(ctx, alice, "notes")
			if err != nil {
				t.Error(err)
				return
			}
			if err := p.e.Reindex(ctx, v); err != nil && !errors.Is(err, wiki.ErrConflict) {
				t.Error(err)
			}
			p.e.Forget("other")
		}
	})
	wg.Wait()
}
