package lexical

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"wikibot/search/internal/query"
)

// corpus makes texts whose words follow Zipf's law, as those of languages do.
type corpus struct {
	r     *rand.Rand
	zipf  *rand.Zipf
	words []string
}

func newCorpus(vocabulary int) *corpus {
	r := rand.New(rand.NewPCG(1, 2))
	c := &corpus{r: r, zipf: rand.NewZipf(r, 1.15, 2.7, uint64(vocabulary-1)), words: make([]string, vocabulary)}
	onsets := strings.Fields("b c d f g h l m n p r s t v w st tr pl ch br sh th qu gr")
	nuclei := strings.Fields("a e i o u ai ea ou io")
	ends := strings.Fields("ing ed s er tion ly al ness")
	for i := range c.words {
		var b strings.Builder
		for n := i + 3; n > 0; n /= 60 { // frequent words are short
			b.WriteString(onsets[r.IntN(len(onsets))] + nuclei[r.IntN(len(nuclei))])
		}
		if i > 50 && r.IntN(3) == 0 {
			b.WriteString(ends[r.IntN(len(ends))])
		}
		c.words[i] = b.String()
	}
	return c
}

// text is about n words, with capitals, commas, full stops and some hyphens.
func (c *corpus) text(n int) string {
	var b strings.Builder
	for i := range n {
		w := c.words[c.zipf.Uint64()]
		switch {
		case i%14 == 0:
			w = strings.ToUpper(w[:1]) + w[1:]
		case i%14 == 13:
			w += "."
		case i%14 == 6:
			w += ","
		}
		b.WriteString(w)
		if c.r.IntN(80) == 0 {
			b.WriteByte('-')
		} else {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

func (c *corpus) texts(n, words int) []Text {
	out := make([]Text, n)
	for i := range out {
		out[i] = Text{Head: c.text(5), Body: c.text(words)}
	}
	return out
}

// fill indexes texts under the numbers from 0, as a caller would: in portions.
func fill(x *Index, texts []Text) {
	add := make([]Entry, 0, 500)
	for i, t := range texts {
		add = append(add, Entry{uint32(i), x.Prepare(t)})
		if len(add) == cap(add) || i == len(texts)-1 {
			x.Apply(nil, add)
			add = add[:0]
		}
	}
}

// processor is how long the process has run on a processor, the collector included:
// what others do on the machine does not count.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkIndex(b *testing.B) {
	for _, words := range []int{30, 60, 150} {
		b.Run(fmt.Sprintf("words=%d", words), func(b *testing.B) {
			texts := newCorpus(60_000).texts(15_000, words)
			var before, after runtime.MemStats
			var x *Index
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&before)
			b.ReportAllocs()
			busy := processor(b)
			b.ResetTimer()
			for range b.N {
				x = New(Options{})
				fill(x, texts)
			}
			b.ReportMetric(float64(len(texts)*b.N)/b.Elapsed().Seconds(), "chunks/s")
			b.ReportMetric(float64(len(texts)*b.N)/(processor(b)-busy).Seconds(), "chunks/cpu-s")
			b.StopTimer()
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/15, "heap-B/1000chunks")
			b.ReportMetric(float64(x.Bytes())/15, "Bytes/1000chunks")
			runtime.KeepAlive(x)
		})
	}
}

// What a program would take that only counts the words of the same texts in a map:
// the measure for BenchmarkIndex/words=60 in the same run.
func BenchmarkBaseline(b *testing.B) {
	texts := newCorpus(60_000).texts(15_000, 60)
	busy := processor(b)
	b.ResetTimer()
	for range b.N {
		counts := map[string]int{}
		for _, t := range texts {
			for _, w := range strings.Fields(t.Head + " " + t.Body) {
				counts[strings.ToLower(w)]++
			}
		}
	}
	b.ReportMetric(float64(len(texts)*b.N)/(processor(b)-busy).Seconds(), "chunks/cpu-s")
}

// A page of five chunks changes within a large index.
func BenchmarkUpdate(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("chunks=%d", n), func(b *testing.B) {
			c := newCorpus(100_000)
			x := New(Options{})
			fill(x, c.texts(n, 60))
			page := c.texts(5*200, 60)
			b.ResetTimer()
			for i := range b.N {
				var add []Entry
				var ids []uint32
				for j := range 5 {
					id := uint32((i*977 + j*31) % n)
					ids = append(ids, id)
					add = append(add, Entry{id, x.Prepare(page[(i*5+j)%len(page)])})
				}
				x.Apply(ids, add)
			}
		})
	}
}

// Queries of two to eight words; each has one of the ten most frequent words.
func BenchmarkMatch(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		c := newCorpus(100_000)
		x := New(Options{})
		fill(x, c.texts(n, 60))
		var plain, phrases, prefixes []string
		for i := range 64 {
			var ws []string
			for range 2 + i%7 {
				ws = append(ws, c.words[c.zipf.Uint64()])
			}
			plain = append(plain, strings.Join(append(ws, c.words[i%10]), " "))
			phrases = append(phrases, fmt.Sprintf("%q %s", c.words[i%10]+" "+c.words[i%7], ws[0]))
			prefixes = append(prefixes, c.words[i*50][:2]+"* "+ws[0])
		}
		for _, kind := range []struct {
			name    string
			queries []string
		}{{"words", plain}, {"phrase", phrases}, {"prefix", prefixes}} {
			b.Run(fmt.Sprintf("chunks=%d/%s", n, kind.name), func(b *testing.B) {
				var times []time.Duration
				for i := range b.N {
					q, err := query.Parse(kind.queries[i%len(kind.queries)])
					if err != nil {
						b.Fatal(err)
					}
					start := time.Now()
					m, err := x.Match(context.Background(), q)
					if err != nil {
						b.Fatal(err)
					}
					m.Release()
					times = append(times, time.Since(start))
				}
				slices.Sort(times)
				b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
				b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
			})
		}
	}
}

func BenchmarkRead(b *testing.B) {
	x := New(Options{})
	fill(x, newCorpus(60_000).texts(15_000, 60))
	saved := x.Append(nil)
	b.Run("Append", func(b *testing.B) {
		b.SetBytes(int64(len(saved)))
		for range b.N {
			saved = x.Append(saved[:0])
		}
	})
	b.Run("Read", func(b *testing.B) {
		b.SetBytes(int64(len(saved)))
		b.ReportAllocs()
		for range b.N {
			if _, _, err := Read(saved); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkSuggest(b *testing.B) {
	c := newCorpus(100_000)
	x := New(Options{})
	fill(x, c.texts(20_000, 60))
	b.Run("Spellings", func(b *testing.B) {
		for i := range b.N {
			x.Spellings(c.words[i*7%5000]+"x", 5)
		}
	})
	b.Run("Words", func(b *testing.B) {
		for i := range b.N {
			x.Words(c.words[i*7%5000][:2], 10)
		}
	})
}

func BenchmarkHighlight(b *testing.B) {
	c := newCorpus(100_000)
	x := New(Options{})
	fill(x, c.texts(1000, 60))
	text := c.text(300)
	q, err := query.Parse(c.text(4))
	if err != nil {
		b.Fatal(err)
	}
	for range b.N {
		x.Highlight(q, text, "en")
	}
}
