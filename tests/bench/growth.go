package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// heap is the memory in use, in bytes, after what is not in use was freed.
func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// growth compares hot reads in a large site with those in a small one.
func (b *bench) growth() error {
	return errors.Join(b.growPages(), b.growWikis())
}

func (b *bench) growPages() error {
	many := 100_000
	if b.short {
		many = 10_000
	}
	small, err := b.newSite(b.fixture(100, 100), 0)
	if err != nil {
		return err
	}
	defer small.remove()
	large, err := b.newSite(b.fixture(many, 1000), 0)
	if err != nil {
		return err
	}
	defer large.remove()
	read := func(s *site) measure {
		return p50(20_000, func(i int) error { return s.readPage(b.ctx, i%100) })
	}
	return b.compare(fmt.Sprintf("growth.pages.%d", many), "µs", atMost(1.5), read(large), read(small))
}

func (b *bench) growWikis() error {
	many := 1000
	if b.short {
		many = 100
	}
	one, err := b.newSite(b.fixture(100, 100), 0)
	if err != nil {
		return err
	}
	defer one.remove()
	dir := b.folder("wikis")
	defer os.RemoveAll(dir)
	slugs, err := b.manyWikis(dir, many, 3)
	if err != nil {
		return err
	}
	s, err := open(b.ctx, dir, 0)
	if err != nil {
		return err
	}
	defer s.Close()
	for _, slug := range slugs { // all are open and have been read
		if _, err := s.Page(b.ctx, carol(), slug, "Page 1"); err != nil {
			return err
		}
	}
	read := p50(20_000, func(i int) error {
		_, err := s.Page(b.ctx, carol(), slugs[i%100*7%many], "Page 1")
		return err
	})
	return b.compare(fmt.Sprintf("growth.wikis.%d", many), "µs", atMost(1.5), read, p50(20_000, func(i int) error { return one.readPage(b.ctx, i%100) }))
}

// manyWikis makes a site of n wikis with some pages each, readable for carol.
func (b *bench) manyWikis(dir string, n, pages int) ([]wiki.Slug, error) {
	s, err := open(b.ctx, dir, 0)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	for _, who := range []wiki.Username{"alice", "carol"} {
		if err := s.AddUser(b.ctx, host(), gitstore.NewUser{Name: who}); err != nil {
			return nil, err
		}
	}
	files := map[string][]byte{"Home.md": []byte("# Home\n\nSee [[Page 1]].\n")}
	for p := range pages {
		files[fmt.Sprintf("Page %d.md", p)] = []byte(fmt.Sprintf("# Page %d\n\nSome words.\n", p))
	}
	out := make([]wiki.Slug, n)
	for i := range out {
		out[i] = wiki.Slug(fmt.Sprintf("wiki-%04d", i))
		owner := wiki.Username("alice")
		if i%2 == 0 {
			owner = "carol"
		}
		if err := s.CreateWiki(b.ctx, host(), gitstore.NewWiki{Slug: out[i], Owner: owner, Pages: files}); err != nil {
			return nil, err
		}
		if owner == "alice" {
			if err := s.SetGrant(b.ctx, host(), out[i], "carol", wiki.Viewer); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
