package gitstore_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"wikibot/gitstore"
	"wikibot/wiki"
)

func BenchmarkUpdate(b *testing.B) {
	s, _ := site(b)
	ctx := context.Background()
	b.ResetTimer()
	for i := range b.N {
		_, err := s.Update(ctx, bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
			return tx.Put(wiki.PagePath(fmt.Sprintf("Folder %d/Page %d", i%50, i%1000)), []byte(fmt.Sprintf("text %d\n", i)), gitstore.PutOptions{Overwrite: true})
		})
		must(b, err)
	}
}

func BenchmarkUpdateParallel(b *testing.B) {
	for _, writers := range []int{8, 64} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			s, _ := site(b)
			ctx := context.Background()
			b.SetParallelism(writers / runtime.GOMAXPROCS(0))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					_, err := s.Update(ctx, bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
						return tx.Put(wiki.PagePath(fmt.Sprintf("Folder %d/Page %d", i%50, i%1000)), []byte(fmt.Sprintf("text %d\n", i)), gitstore.PutOptions{Overwrite: true})
					})
					must(b, err)
				}
			})
		})
	}
}

func BenchmarkPage(b *testing.B) {
	s, _ := site(b)
	ctx := context.Background()
	for b.Loop() {
		if _, err := s.Page(ctx, carol, "notes", "Home"); err != nil {
			b.Fatal(err)
		}
	}
}
