package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
	"wikibot/wiki"
)

// edited makes a site in which one page has many revisions, with a commit-graph
// for stock git, and closes it, so that the index of history is saved.
func (b *bench) edited(repo string, revisions int) (dir string, p wiki.PagePath, err error) {
	s, err := b.newSite(repo, 0)
	if err != nil {
		return "", "", err
	}
	p = s.page(7).Page
	text := []byte(gitstoretest.Page(3, 0))
	for i := range revisions {
		at := 200 + i*131%(len(text)-400)
		edit := fmt.Sprintf("\nline %d of %d\n", i, revisions)
		copy(text[at:], edit)
		if err := s.put(b.ctx, p, string(text)); err != nil {
			return "", "", err
		}
	}
	v, err := s.View(b.ctx, carol(), slug)
	if err != nil {
		return "", "", err
	}
	if _, _, err := v.History(b.ctx, p, "", 50); err != nil {
		return "", "", err
	}
	if err := s.close(); err != nil {
		return "", "", err
	}
	for _, args := range [][]string{{"repack", "-a", "-d", "-q"}, {"commit-graph", "write", "--reachable", "--changed-paths", "--no-progress"}} {
		if err := git(b.ctx, s.repo, args...); err != nil {
			return "", "", err
		}
	}
	return s.dir, p, nil
}

func (b *bench) revisions() int {
	if b.short {
		return 50
	}
	return 300
}

// afterOpen is the measure of something that is asked of a wiki first, in
// milliseconds.
func (b *bench) afterOpen(dir string, before func() error, ask func(*gitstore.View) error) measure {
	return func() (float64, error) {
		if before != nil {
			if err := before(); err != nil {
				return 0, err
			}
		}
		s, err := open(b.ctx, dir, 0)
		if err != nil {
			return 0, err
		}
		defer s.Close()
		v, err := s.View(b.ctx, carol(), slug)
		if err != nil {
			return 0, err
		}
		began := time.Now()
		err = ask(v)
		return millis(time.Since(began)), err
	}
}

// warm is the middle time of something that was asked before, in milliseconds.
func (b *bench) warm(dir string, ask func(*gitstore.View) error) measure {
	return func() (float64, error) {
		s, err := open(b.ctx, dir, 0)
		if err != nil {
			return 0, err
		}
		defer s.Close()
		t, err := times(50, func(int) error {
			v, err := s.View(b.ctx, carol(), slug)
			if err != nil {
				return err
			}
			return ask(v)
		})
		return quantile(t, 0.5) / 1000, err
	}
}

func repoOf(dir string) string { return filepath.Join(dir, "wikis", string(slug)+".git") }

// history is the log of one page.
func (b *bench) history() error { return b.historyOf("", b.fixture(b.size())) }

func (b *bench) historyOf(prefix, repo string) error {
	dir, p, err := b.edited(repo, b.revisions())
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ask := func(v *gitstore.View) error { _, _, err := v.History(b.ctx, p, "", 50); return err }
	log := once(nil, func() error { return git(b.ctx, repoOf(dir), "log", "main", "--", p.FileName()) })
	if err := b.compare(prefix+"history.cold", "ms", atMost(1.5), b.afterOpen(dir, nil, ask), log); err != nil {
		return err
	}
	return b.compare(prefix+"history.warm", "ms", valueMost(1, "ms"), b.warm(dir, ask), log)
}

// blame is of a page with many revisions.
func (b *bench) blame() error { return b.blameOf("", b.fixture(b.size())) }

func (b *bench) blameOf(prefix, repo string) error {
	dir, p, err := b.edited(repo, b.revisions())
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ask := func(v *gitstore.View) error { _, err := v.Blame(b.ctx, p); return err }
	blame := once(nil, func() error { return git(b.ctx, repoOf(dir), "blame", "--line-porcelain", "main", "--", p.FileName()) })
	if err := b.compare(prefix+"blame.cold", "ms", atMost(1), b.afterOpen(dir, nil, ask), blame); err != nil {
		return err
	}
	return b.compare(prefix+"blame.warm", "ms", valueMost(5, "ms"), b.warm(dir, ask), blame)
}

// last is the last change of all pages, without anything saved, and what
// following one commit costs afterwards.
func (b *bench) last() error { return b.lastOf("", b.fixture(b.size())) }

func (b *bench) lastOf(prefix, repo string) error {
	s, err := b.newSite(repo, 0)
	if err != nil {
		return err
	}
	defer s.remove()
	if err := s.close(); err != nil {
		return err
	}
	forget := func() error { return os.RemoveAll(filepath.Join(s.dir, "cache", "history")) }
	all := func(v *gitstore.View) error { _, err := v.LastAll(b.ctx); return err }
	log := once(nil, func() error { return git(b.ctx, s.repo, "log", "--name-only", "main") })
	if err := b.compare(prefix+"last.build", "ms", atMost(1.3), b.afterOpen(s.dir, forget, all), log); err != nil {
		return err
	}
	again, err := openSite(b.ctx, s.dir, 0)
	if err != nil {
		return err
	}
	defer again.close()
	one := once(nil, func() error { return git(b.ctx, s.repo, "log", "-1", "--name-only", "main") })
	follow := func() (float64, error) { v, err := again.follow(b.ctx, 200); return v / 1000, err }
	p, err := b.versus(follow, one)
	if err != nil {
		return err
	}
	p.ours, p.base = p.ours*1000, p.base*1000
	b.print(prefix+"last.follow", p, "µs", valueMost(50, "µs"))
	return nil
}

// follow makes n commits, looks at a page's last change after each, and gives the
// middle of the microseconds that this takes the index.
func (s *site) follow(ctx context.Context, n int) (float64, error) {
	v, err := s.View(ctx, carol(), slug)
	if err != nil {
		return 0, err
	}
	if _, err := v.LastAll(ctx); err != nil { // the index is there
		return 0, err
	}
	took := make([]float64, n)
	for i := range took {
		if err := s.put(ctx, s.page(i*31).Page, fmt.Sprintln("followed", i, time.Now())); err != nil {
			return 0, err
		}
		if v, err = s.View(ctx, carol(), slug); err != nil {
			return 0, err
		}
		began := time.Now()
		if _, err = v.Last(ctx, s.page(1).Page); err != nil {
			return 0, err
		}
		took[i] = micros(time.Since(began))
	}
	return median(took), nil
}
