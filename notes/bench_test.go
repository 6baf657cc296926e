package notes_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
	"wikibot/notes"
	"wikibot/wiki"
)

// benched is a place whose wiki is a large repository: with WIKIBOT_DATA the tldr
// pages, else 2,000 pages made for it.
func benched(b *testing.B) (*place, []wiki.PagePath) {
	b.Helper()
	p := newPlace(b)
	if data := os.Getenv("WIKIBOT_DATA"); data != "" {
		dir := filepath.Join(b.TempDir(), "tldr.git")
		gitstoretest.Git(b, "", "clone", "-q", "--bare", filepath.Join(data, "tldr-pages.bundle"), dir)
		replace(b, p, dir)
	} else {
		replace(b, p, gitstoretest.Repo(b, 2000, 1000))
	}
	entries, _, err := p.view(carol).List(gitstore.ListOptions{})
	must(b, err)
	var pages []wiki.PagePath
	for _, e := range entries {
		pages = append(pages, e.Page)
	}
	if _, _, err := p.view(carol).LastSoon(ctx, pages[0]); err != nil {
		b.Fatal(err)
	}
	for !p.view(carol).HistoryAtHand(ctx) {
	}
	return p, pages
}

// replace puts another history behind the wiki's main.
func replace(b *testing.B, p *place, repo string) {
	b.Helper()
	dir := p.dir + "/wikis/notes.git"
	head := gitstoretest.Git(b, repo, "rev-parse", "HEAD")
	gitstoretest.Git(b, dir, "fetch", "-q", repo, "+HEAD:refs/heads/main")
	time.Sleep(20 * time.Millisecond)
	if got := p.view(carol).Head(); string(got) != head {
		b.Fatalf("the wiki is at %s, want %s", got, head)
	}
}

// quantiles reports p50 and p99 of what was measured.
func quantiles(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	if len(times) == 0 {
		return
	}
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(times[len(times)*99/100].Microseconds()), "p99-µs")
}

func BenchmarkRead(b *testing.B) {
	p, pages := benched(b)
	p.read(string(pages[0])) // links are read
	for _, clients := range []int{1, 16} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			b.ReportAllocs()
			times := make([]time.Duration, b.N)
			var next atomic.Int64
			var all sync.WaitGroup
			for range clients {
				all.Go(func() {
					for {
						i := int(next.Add(1)) - 1
						if i >= b.N {
							return
						}
						began := time.Now()
						v, err := p.store.View(ctx, carol, "notes")
						must(b, err)
						_, err = p.Read(ctx, v, notes.ReadRequest{Path: pages[i*7919%len(pages)]})
						must(b, err)
						times[i] = time.Since(began)
					}
				})
			}
			all.Wait()
			quantiles(b, times)
		})
	}
}

func BenchmarkList(b *testing.B) {
	p, pages := benched(b)
	b.Logf("%d pages", len(pages))
	run := func(name string, r notes.ListRequest) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			total := 0
			for b.Loop() {
				l, err := p.List(ctx, p.view(carol), r)
				must(b, err)
				total = l.Total
			}
			b.ReportMetric(float64(total), "pages")
		})
	}
	run("first", notes.ListRequest{Limit: 50})
	run("middle", notes.ListRequest{Limit: 50, After: pages[len(pages)/2].FileName()})
	run("prefix", notes.ListRequest{Limit: 50, Prefix: string(pages[len(pages)/2][:3])})
	run("all", notes.ListRequest{})
	b.Run("first-filter-cold", func(b *testing.B) {
		for b.Loop() {
			s := notes.New(notes.Config{Store: p.store})
			_, err := s.List(ctx, p.view(carol), notes.ListRequest{Tag: "x", Limit: 50})
			must(b, err)
		}
	})
	run("filtered", notes.ListRequest{Tag: "x", Limit: 50})
	run("since", notes.ListRequest{Since: time.Now().Add(-100000 * time.Hour), Limit: 50})
	b.Run("first-after-write", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			p.write("Changed", fmt.Sprint(i))
			b.StartTimer()
			_, err := p.List(ctx, p.view(carol), notes.ListRequest{Limit: 50})
			must(b, err)
		}
	})
	b.Run("filtered-after-write", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			p.write("Changed", fmt.Sprint(-i))
			b.StartTimer()
			_, err := p.List(ctx, p.view(carol), notes.ListRequest{Limit: 50, Tag: "x"})
			must(b, err)
		}
	})
	b.Run("since-after-write", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			b.StopTimer()
			p.write("Changed", fmt.Sprint("s", i))
			b.StartTimer()
			_, err := p.List(ctx, p.view(carol), notes.ListRequest{Limit: 50, Since: time.Now().Add(-time.Hour)})
			must(b, err)
		}
	})
	b.Run("memory", func(b *testing.B) {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		s := notes.New(notes.Config{Store: p.store})
		_, err := s.List(ctx, p.view(carol), notes.ListRequest{Tag: "x", Since: time.Unix(1, 0)})
		must(b, err)
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(len(pages)), "B/page")
		runtime.KeepAlive(s)
	})
}

func BenchmarkApply(b *testing.B) {
	p, pages := benched(b)
	for _, test := range []struct {
		name string
		op   func(i int) notes.Op
	}{
		{"write", func(i int) notes.Op {
			return notes.Op{Do: notes.Write, Path: pages[i*7919%len(pages)], Content: fmt.Appendf(nil, "# Text\n\n%d\n", i), Overwrite: true}
		}},
		{"append", func(i int) notes.Op {
			return notes.Op{Do: notes.Append, Path: pages[i*7919%len(pages)], Content: []byte("x\n")}
		}},
	} {
		b.Run(test.name, func(b *testing.B) {
			times := make([]time.Duration, b.N)
			for i := range times {
				began := time.Now()
				p.do(test.op(i))
				times[i] = time.Since(began)
			}
			quantiles(b, times)
		})
	}
}

// BenchmarkWriters counts what many writers save in one wiki, and that all of it
// is there.
func BenchmarkWriters(b *testing.B) {
	for _, writers := range []int{8, 64} {
		for _, keyed := range []bool{false, true} {
			b.Run(fmt.Sprintf("%d/keys=%v", writers, keyed), func(b *testing.B) {
				p, _ := benched(b)
				before := p.commits(b)
				times := make([]time.Duration, b.N)
				var next atomic.Int64
				var all sync.WaitGroup
				began := time.Now()
				for w := range writers {
					all.Go(func() {
						c := wiki.Caller{User: "bob", Via: wiki.ViaMCP, Agent: fmt.Sprint("Writer ", w)}
						for {
							i := int(next.Add(1)) - 1
							if i >= b.N {
								return
							}
							r := notes.ApplyRequest{Ops: []notes.Op{{Do: notes.Write, Path: wiki.PagePath(fmt.Sprintf("Writers/%d/Page %d", w, i%1000)), Content: fmt.Appendf(nil, "text %d\n", i), Overwrite: true}}}
							if keyed {
								r.Key = fmt.Sprint(b.N, "-", i)
							}
							one := time.Now()
							_, err := p.Apply(context.Background(), c, "notes", r)
							must(b, err)
							times[i] = time.Since(one)
						}
					})
				}
				all.Wait()
				b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "writes/s")
				quantiles(b, times)
				if got := p.commits(b) - before; got != b.N {
					b.Errorf("%d commits, want %d", got, b.N)
				}
			})
		}
	}
}

func (p *place) commits(b *testing.B) (n int) {
	b.Helper()
	if _, err := fmt.Sscan(gitstoretest.Git(b, p.dir+"/wikis/notes.git", "rev-list", "--count", "main"), &n); err != nil {
		b.Fatal(err)
	}
	return n
}
