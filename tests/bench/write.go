package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"wikibot/gitstore/gitstoretest"
)

// commitLoop is what everybody can do without wikibot: a checkout, in which
// each edit is a `git add` and a `git commit`, with stock settings, that is,
// less durable than ours.
type commitLoop struct {
	dir string
	n   int
}

func (b *bench) newCommitLoop(repo string) (*commitLoop, error) {
	l := &commitLoop{dir: b.folder("loop")}
	return l, git(b.ctx, b.work, "clone", "-q", "--no-hardlinks", repo, l.dir)
}

func (l *commitLoop) commit(ctx context.Context) error {
	l.n++
	file := gitstoretest.PagePath(l.n * 31 % 1000)
	if err := os.WriteFile(filepath.Join(l.dir, file), []byte(gitstoretest.Page(l.n, l.n)), 0o644); err != nil {
		return err
	}
	if err := git(ctx, l.dir, "add", "--", file); err != nil {
		return err
	}
	return git(ctx, l.dir, "commit", "-q", "-m", fmt.Sprint("Edit ", l.n))
}

// rate is commits a second of the loop.
func (l *commitLoop) rate(ctx context.Context, window time.Duration) (float64, error) {
	began, n := time.Now(), 0
	for ; time.Since(began) < window; n++ {
		if err := l.commit(ctx); err != nil {
			return 0, err
		}
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// commit compares durable edits with that loop.
func (b *bench) commit() error {
	repo := b.fixture(b.size())
	s, err := b.newSite(repo, 0)
	if err != nil {
		return err
	}
	defer s.remove()
	loop, err := b.newCommitLoop(repo)
	if err != nil {
		return err
	}
	defer os.RemoveAll(loop.dir)
	n := 0
	// Not one by one in turns: our syncs would pay for what git has left unsynced.
	one := p50(300, func(int) error {
		n++
		return s.put(b.ctx, s.page(n*31).Page, gitstoretest.Page(n, n))
	})
	if err := b.compare("commit.p50", "µs", atMost(0.10), one, p50(15, func(int) error { return loop.commit(b.ctx) })); err != nil {
		return err
	}
	for _, w := range []struct {
		writers int
		least   float64
	}{{1, 12}, {8, 45}, {64, 170}} {
		ours := func() (float64, error) {
			ctx, stop := context.WithTimeout(b.ctx, b.window)
			defer stop()
			began := time.Now()
			done, err := s.writers(ctx, w.writers)
			return float64(done) / time.Since(began).Seconds(), err
		}
		base := func() (float64, error) { return loop.rate(b.ctx, b.window) }
		if err := b.compare(fmt.Sprintf("commit.rate.%d", w.writers), "1/s", atLeast(w.least), ours, base); err != nil {
			return err
		}
	}
	return nil
}

// packs counts the packs while one writer commits for as long as an hour has
// seconds.
func (b *bench) packs() error {
	repo := b.fixture(1000, 1000)
	s, err := b.newSite(repo, 0)
	if err != nil {
		return err
	}
	defer s.remove()
	commits := 3600
	if b.short {
		commits = 600
	}
	most := 0
	for i := range commits {
		if err := s.put(b.ctx, s.page(i*31).Page, gitstoretest.Page(i, i)); err != nil {
			return err
		}
		if i%10 == 0 || i == commits-1 {
			n, err := countPacks(s.repo)
			if err != nil {
				return err
			}
			most = max(most, n)
		}
	}
	b.print("packs.hour", pair{float64(most), float64(commits), float64(most) / float64(commits)}, "packs", valueMost(64, "packs"))
	return nil
}

func countPacks(repo string) (n int, err error) {
	list, err := os.ReadDir(filepath.Join(repo, "objects", "pack"))
	for _, e := range list {
		if strings.HasSuffix(e.Name(), ".pack") {
			n++
		}
	}
	if n == 0 && err == nil {
		err = errors.New("the repository has no pack")
	}
	return n, err
}
