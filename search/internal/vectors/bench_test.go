package vectors

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkTop is an exact scan for the ten nearest. Wanted with AVX2: 0.8 ms for
// 10,000 vectors and 16 ms for 100,000.
func BenchmarkTop(b *testing.B) {
	const dim = 384
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1_000, 10_000, 100_000} {
		s := New(dim)
		for id := range uint32(n) {
			if err := s.Put(id, random(r, dim)); err != nil {
				b.Fatal(err)
			}
		}
		q := random(r, dim)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Top(context.Background(), q, 10, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(s.Bytes())/float64(n), "bytes/vector")
		})
	}
}
