package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/search"
	"wikibot/wiki"
)

// finder is a site with a search engine beside it.
type finder struct {
	*site
	*search.Engine
}

func openFinder(s *site) (*finder, error) {
	e, err := search.Open(search.Config{Store: s.Store, Memory: 4 << 30})
	if err != nil {
		return nil, err
	}
	return &finder{s, e}, nil
}

// ask searches once, however long the index takes.
func (f *finder) ask(ctx context.Context, text string) (*search.Answer, error) {
	for deadline := time.Now().Add(5 * time.Minute); ; {
		v, err := f.View(ctx, carol(), slug)
		if err != nil {
			return nil, err
		}
		a, err := f.Engine.Search(ctx, v, search.Request{Text: text})
		var notYet *search.NotReady
		if errors.As(err, &notYet) && time.Now().Before(deadline) {
			continue
		}
		return a, err
	}
}

// query fails when nothing is found, so that an index that is empty is not fast.
func (f *finder) query(ctx context.Context, text string) error {
	a, err := f.ask(ctx, text)
	if err == nil && a.Total == 0 {
		return fmt.Errorf("%q finds nothing", text)
	}
	return err
}

// search measures the fixture: six chunks or so a page.
func (b *bench) search() error { return b.searchOf("", b.fixture(b.size())) }

// searchOf measures one repository. The baseline of an index that is made is git that
// reads all pages; that of a query is git grep.
func (b *bench) searchOf(prefix, repo string) error {
	s, err := b.newSite(repo, 0)
	if err != nil {
		return err
	}
	defer s.remove()
	queries := []string{"page", "commit service", "git tree lock version", "section able project -store", `"see topic"`}
	if prefix != "" {
		queries = []string{"archive", "list files", "show the log of a repository", "compress directory -zip", `"specific directory"`}
	}
	if err := b.indexing(prefix, s, queries[0]); err != nil {
		return err
	}
	f, err := openFinder(s)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.query(b.ctx, queries[0]); err != nil {
		return err
	}
	v, err := f.View(b.ctx, carol(), slug)
	if err != nil {
		return err
	}
	st := f.Status(b.ctx, v)
	b.print(prefix+"search.memory", pair{ours: float64(st.Bytes) / 1e3 / float64(st.Chunks), base: float64(st.Chunks)}, "MB-for-1000-chunks", valueMost(3, "MB"))
	grep := p50(20, func(i int) error { return gitGrep(b.ctx, s.repo, queries[i%len(queries)]) })
	err = b.compare(prefix+"search.query", "µs", valueMost(8000, "µs"), p50(500, func(i int) error { return f.query(b.ctx, queries[i%len(queries)]) }), grep)
	if err != nil {
		return err
	}
	err = b.compare(prefix+"search.suggest", "µs", valueMost(2000, "µs"), p50(500, func(i int) error {
		got, err := f.Suggest(b.ctx, v, "p"[:1], 10)
		if err == nil && len(got) == 0 {
			return errors.New("nothing is suggested")
		}
		return err
	}), grep)
	if err != nil {
		return err
	}
	if err := b.beside(prefix, f, queries[0]); err != nil {
		return err
	}
	return b.fresh(prefix, f)
}

// beside is the slowest hundredth of page reads, and the usual write, while the wiki is
// indexed again and again.
func (b *bench) beside(prefix string, f *finder, query string) error {
	n := 0
	reads := func() (float64, error) {
		var all []float64
		for end := time.Now().Add(b.window); time.Now().Before(end); {
			t, err := times(1000, func(int) error { n++; return f.readPage(b.ctx, n) })
			if err != nil {
				return 0, err
			}
			all = append(all, t...)
		}
		return quantile(all, 0.99), nil
	}
	writes := func() (float64, error) {
		t, err := times(60, func(int) error { n++; return f.write(b.ctx, "Beside", fmt.Sprint(n)) })
		return quantile(t, 0.5) / 1e3, err
	}
	indexing := func(m measure) measure {
		return func() (float64, error) {
			ctx, stop := context.WithCancel(b.ctx)
			done := make(chan error, 1)
			go func() {
				var err error
				for err == nil && ctx.Err() == nil {
					f.Forget(slug)
					err = f.query(b.ctx, query)
				}
				done <- err
			}()
			v, err := m()
			stop()
			return v, errors.Join(err, <-done)
		}
	}
	if err := b.compare(prefix+"search.reads.p99", "µs", atMost(2), indexing(reads), reads); err != nil {
		return err
	}
	return b.compare(prefix+"search.writes.p50", "ms", atMost(3), indexing(writes), writes)
}

func (f *finder) write(ctx context.Context, page wiki.PagePath, text string) error {
	_, err := f.Update(ctx, bob(), slug, gitstore.Meta{}, func(tx *gitstore.Tx) error {
		return tx.Put(page, []byte(text), gitstore.PutOptions{Overwrite: true})
	})
	return err
}

func gitGrep(ctx context.Context, repo, query string) error {
	word, _, _ := strings.Cut(strings.Trim(query, `"`), " ")
	return git(ctx, repo, "grep", "-q", "-i", "-c", word, "main")
}

// indexing measures how long the first answer takes: from git, and from the saved
// file.
func (b *bench) indexing(prefix string, s *site, query string) error {
	first := func(anew bool) measure {
		var f *finder
		return once(func() (err error) {
			if f, err = openFinder(s); err != nil {
				return err
			}
			if anew {
				f.Forget(slug)
			}
			return nil
		}, func() error {
			return errors.Join(f.query(b.ctx, query), f.Close())
		})
	}
	read := once(nil, func() error {
		return git(b.ctx, s.repo, "grep", "-c", "-e", "never-to-be-found", "--or", "-e", "e", "main")
	})
	if err := b.compare(prefix+"search.cold", "ms", valueMost(5000, "ms"), first(true), read); err != nil {
		return err
	}
	return b.compare(prefix+"search.saved", "ms", valueMost(500, "ms"), first(false), read)
}

// fresh measures the time from an acknowledged write until it is found.
func (b *bench) fresh(prefix string, f *finder) error {
	n := 0
	lag := func(q float64) measure {
		return func() (float64, error) {
			var all []float64
			for range 60 {
				n++
				word := fmt.Sprintf("fresh%dword", n)
				if err := f.write(b.ctx, wiki.PagePath(fmt.Sprintf("Fresh %d", n%5)), "Now there is "+word+"."); err != nil {
					return 0, err
				}
				began := time.Now()
				for {
					a, err := f.ask(b.ctx, word)
					if err != nil {
						return 0, err
					}
					if a.Total > 0 {
						break
					}
				}
				all = append(all, millis(time.Since(began)))
			}
			return quantile(all, q), nil
		}
	}
	write := func() (float64, error) {
		t, err := times(20, func(i int) error {
			n++
			return f.write(b.ctx, "Baseline", fmt.Sprint(n))
		})
		return quantile(t, 0.5) / 1e3, err
	}
	if err := b.compare(prefix+"search.fresh.p50", "ms", valueMost(50, "ms"), lag(0.5), write); err != nil {
		return err
	}
	return b.compare(prefix+"search.fresh.p99", "ms", valueMost(500, "ms"), lag(0.99), write)
}
