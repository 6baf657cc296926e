package related

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/metrics"
	"testing"
)

// zipf makes documents of 60 words whose frequencies fall as in a language, a third of
// the words about one of 200 topics. Ids are in the order of a first occurrence.
func zipf(docs int) Corpus {
	r := rand.New(rand.NewPCG(9, 9))
	common, own := rand.NewZipf(r, 1.15, 5, 150_000), rand.NewZipf(r, 1.1, 5, 500)
	ids := map[uint64]uint32{}
	var c Corpus
	for range docs {
		topic := uint64(1 + r.IntN(200))
		doc := make([]uint32, 60)
		for i := range doc {
			word := common.Uint64()
			if r.IntN(3) == 0 {
				word = topic*1_000_000 + own.Uint64()
			}
			id, known := ids[word]
			if !known {
				id = uint32(len(ids))
				ids[word] = id
			}
			doc[i] = id
		}
		c.Docs = append(c.Docs, doc)
	}
	c.Terms = len(ids)
	return c
}

// BenchmarkFit gives the time of a fit, and the memory at its peak beyond the corpus.
func BenchmarkFit(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			c := zipf(n)
			heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
			runtime.GC()
			metrics.Read(heap)
			before, peak := heap[0].Value.Uint64(), uint64(0)
			var m *Model
			for b.Loop() {
				var err error
				m, err = Fit(context.Background(), c, Options{Yield: func() {
					metrics.Read(heap)
					peak = max(peak, heap[0].Value.Uint64())
				}})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(peak-before)/1e6, "MB-peak")
			b.ReportMetric(float64(m.Bytes())/1e6, "MB-model")
			b.ReportMetric(float64(c.Terms), "terms")
		})
	}
}

// BenchmarkEmbed is one document of 60 words. Wanted: 20 µs.
func BenchmarkEmbed(b *testing.B) {
	c := zipf(2000)
	m, err := Fit(context.Background(), c, Options{})
	if err != nil {
		b.Fatal(err)
	}
	i := 0
	for b.Loop() {
		m.Embed(c.Docs[i%len(c.Docs)])
		i++
	}
}

func BenchmarkNear(b *testing.B) {
	c := zipf(3000)
	m, err := Fit(context.Background(), c, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		m.Near(5, 40)
	}
	b.ReportMetric(float64(m.Len()), "terms")
}
