package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
)

// read compares reads of one page with a running git that is asked by object
// name: it needs no path, no policy and no look at the refs.
func (b *bench) read() error { return b.readOf("", b.fixture(b.size())) }

func (b *bench) readOf(prefix, repo string) error {
	s, err := b.newSite(repo, 0)
	if err != nil {
		return err
	}
	defer s.remove()
	cat, err := startCatFile(b.ctx, s.repo)
	if err != nil {
		return err
	}
	defer cat.close()
	const hot, reads, asked = 100, 20_000, 2_000
	byName := p50(asked, func(i int) error { return cat.read(s.page(i % hot).Blob) })
	err = b.compare(prefix+"read.hot", "µs", atMost(0.2), p50(reads, func(i int) error { return s.readPage(b.ctx, i%hot) }), byName)
	if err != nil {
		return err
	}
	v, err := s.View(b.ctx, carol(), slug)
	if err != nil {
		return err
	}
	cached := p50(reads, func(i int) error { _, err := v.ReadPage(s.page(i % hot).Page); return err })
	if err := b.compare(prefix+"read.cached", "µs", atMost(0.02), cached, byName); err != nil {
		return err
	}
	if err := s.close(); err != nil {
		return err
	}
	bare, err := openSite(b.ctx, s.dir, 1) // a cache that keeps nothing
	if err != nil {
		return err
	}
	defer bare.remove()
	n, m := 0, 0
	return b.compare(prefix+"read.uncached", "µs", atMost(0.8),
		p50(asked, func(int) error { n++; return bare.readPage(b.ctx, n) }),
		p50(asked, func(int) error { m++; return cat.read(s.page(m).Blob) }))
}

// readBusy is the slowest hundredth of reads, of pages all over the wiki, while
// the repository is written to.
func (b *bench) readBusy() error {
	s, err := b.newSite(b.fixture(b.size()), 0)
	if err != nil {
		return err
	}
	defer s.remove()
	n := 0
	p99 := func() (float64, error) {
		var all []float64
		for end := time.Now().Add(b.window); time.Now().Before(end); {
			t, err := times(1000, func(int) error { n++; return s.readPage(b.ctx, n) })
			if err != nil {
				return 0, err
			}
			all = append(all, t...)
		}
		return quantile(all, 0.99), nil
	}
	if _, err := p99(); err != nil { // fills the cache
		return err
	}
	beside := func(work func(ctx context.Context) error) measure {
		return func() (float64, error) {
			ctx, stop := context.WithCancel(b.ctx)
			done := make(chan error, 1)
			go func() { done <- work(ctx) }()
			v, err := p99()
			stop()
			return v, errors.Join(err, <-done)
		}
	}
	writers := beside(func(ctx context.Context) error { _, err := s.writers(ctx, 8); return err })
	if err := b.compare("read.p99.writers", "µs", atMost(2), writers, p99); err != nil {
		return err
	}
	repack := beside(func(ctx context.Context) error { return repackUntil(ctx, s.repo) })
	return b.compare("read.p99.repack", "µs", atMost(1.5), repack, p99)
}

// repackUntil repacks the whole repository again and again, as the upkeep does
// with a part of it.
func repackUntil(ctx context.Context, repo string) error {
	for ctx.Err() == nil {
		err := git(context.WithoutCancel(ctx), repo, "-c", "pack.threads=1", "repack", "-a", "-d", "-q")
		if err != nil {
			return err
		}
	}
	return nil
}

// writers keeps n writers busy until ctx ends and counts the commits.
func (s *site) writers(ctx context.Context, n int) (int, error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	var total int
	var failed error
	for w := range n {
		wg.Go(func() {
			done := 0
			var err error
			for ctx.Err() == nil && err == nil {
				p := s.page(w*1009 + done*31).Page
				if err = s.put(context.WithoutCancel(ctx), p, gitstoretest.Page(w, done)+fmt.Sprintln(w, done)); err == nil {
					done++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total += done
			failed = errors.Join(failed, err)
		})
	}
	wg.Wait()
	return total, failed
}

// openCold is the first page of wikis that are not open yet, beside a git that
// is started for one page.
func (b *bench) openCold() error {
	repo := b.fixture(b.size())
	from, err := b.prepared(repo)
	if err != nil {
		return err
	}
	dir := b.folder("site")
	if err := copyTree(from, dir); err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	first := func() (float64, error) {
		s, err := open(b.ctx, dir, 0)
		if err != nil {
			return 0, err
		}
		defer s.Close()
		began := time.Now()
		_, err = s.Page(b.ctx, carol(), slug, "Topic 3/Page 305")
		return millis(time.Since(began)), err
	}
	spawned := once(nil, func() error {
		return git(b.ctx, filepath.Join(dir, "wikis", string(slug)+".git"), "cat-file", "blob", "main:Topic 3/Page 305.md")
	})
	of := func(m measure) measure { // one opening is short: take the middle of some
		return func() (float64, error) {
			var all []float64
			for range 7 {
				v, err := m()
				if err != nil {
					return 0, err
				}
				all = append(all, v)
			}
			return median(all), nil
		}
	}
	return b.compare("open.cold", "ms", atMost(0.35), of(first), of(spawned))
}

// snapshot is what the names of a wiki's pages cost in memory, and the time to
// have them after opening.
func (b *bench) snapshot() error {
	repo := b.fixture(b.size())
	s, err := b.newSite(repo, 1)
	if err != nil {
		return err
	}
	pages := len(s.pages)
	if err := s.close(); err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	var sizes []float64
	load := func() (float64, error) {
		store, err := open(b.ctx, s.dir, 1)
		if err != nil {
			return 0, err
		}
		defer store.Close()
		v, err := store.View(b.ctx, carol(), slug)
		if err != nil {
			return 0, err
		}
		before := heap()
		began := time.Now()
		list, _, err := v.List(gitstore.ListOptions{})
		took := millis(time.Since(began))
		if err != nil || len(list) != pages {
			return 0, errors.Join(err, fmt.Errorf("%d pages, want %d", len(list), pages))
		}
		list = nil
		sizes = append(sizes, float64(heap()-before)/float64(pages))
		return took, nil
	}
	list := once(nil, func() error { return git(b.ctx, s.repo, "ls-tree", "-r", "main") })
	p, err := b.versus(load, list)
	if err != nil {
		return err
	}
	b.print("snapshot.load", p, "ms", valueMost(20, "ms"))
	size := median(sizes)
	const path, blob = 24, 20 // what the names alone take
	b.print("snapshot.size", pair{size, path + blob, size / (path + blob)}, "B", valueMost(150, "B"))
	return nil
}
