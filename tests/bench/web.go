package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
	"wikibot/wiki"
)

const clients = 8

// served is a running server on a copy of the prepared site.
type served struct {
	*process
	dir, repo string
	reader    string // token of carol's
	editor    string // token of bob's
	pages     []wiki.Entry
}

func (b *bench) newServed(repo string) (*served, error) {
	s, err := b.newSite(repo, 0)
	if err != nil {
		return nil, err
	}
	return b.servedFrom(s)
}

// servedFrom closes a site and starts a server on it.
func (b *bench) servedFrom(s *site, flags ...string) (_ *served, err error) {
	out := &served{dir: s.dir, repo: s.repo, pages: s.pages}
	if out.reader, _, err = s.CreateToken(b.ctx, host(), gitstore.NewToken{User: "carol", Name: "bench"}); err != nil {
		return nil, err
	}
	if out.editor, _, err = s.CreateToken(b.ctx, host(), gitstore.NewToken{User: "bob", Name: "bench"}); err != nil {
		return nil, err
	}
	if err := s.close(); err != nil {
		return nil, err
	}
	out.process, err = b.serve(out.dir, flags...)
	return out, err
}

func (s *served) remove() error { return errors.Join(s.stop(), os.RemoveAll(s.dir)) }

// at is the address of a page's view; "" is the page.
func at(view string, p wiki.PagePath) string {
	path := "/w/" + string(slug) + "/"
	if view != "" {
		path += "-/" + view + "/"
	}
	for i, part := range strings.Split(string(p), "/") {
		if i > 0 {
			path += "/"
		}
		path += url.PathEscape(part)
	}
	return strings.TrimSuffix(path, "/")
}

// ask sends one request on a connection of its own and wants a status.
func ask(addr string, request []byte, status int) (answer, error) {
	c, err := dial(addr)
	if err != nil {
		return answer{}, err
	}
	defer c.conn.Close()
	a, err := c.do(request, true)
	if err == nil && a.status != status {
		err = fmt.Errorf("status %d, want %d, for %.60q: %.400q", a.status, status, request, a.body)
	}
	return a, err
}

// askWhole asks until the answer may be kept: while an index is being made after
// the first start, parts of a page are left out and it has no tag.
func askWhole(addr string, request []byte) (answer, error) {
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		a, err := ask(addr, request, http.StatusOK)
		if err != nil || a.etag != "" {
			return a, err
		}
		if time.Now().After(end) {
			return a, fmt.Errorf("no answer with a tag for %.60q", request)
		}
	}
}

// http drives a server with pages that are warm, answers of no change, and
// lists of history; the baseline is a server that does nothing but answer with
// as many bytes.
func (b *bench) http() error { return b.httpOf("", b.fixture(b.size())) }

func (b *bench) httpOf(prefix, repo string) error {
	s, err := b.newServed(repo)
	if err != nil {
		return err
	}
	defer s.remove()
	const hot = 50
	var pages, same [][]byte
	size := 0
	for _, e := range s.pages[:hot] {
		request := get(s.addr, at("", e.Page), s.reader)
		a, err := askWhole(s.addr, request)
		if err != nil {
			return err
		}
		size += len(a.body) / hot
		pages = append(pages, request)
		same = append(same, get(s.addr, at("", e.Page), s.reader, "If-None-Match: "+a.etag))
	}
	bare, err := b.spawn(os.Args[0], bareArg, fmt.Sprint(size))
	if err != nil {
		return err
	}
	defer bare.stop()
	plain := [][]byte{get(bare.addr, "/", "")}
	none := [][]byte{get(bare.addr, "/", "", `If-None-Match: "bare"`)}
	for _, f := range []struct {
		name       string
		requests   [][]byte
		bare       [][]byte
		status     int
		rate, slow float64 // wanted: at least a second, p99 at most in ms
	}{
		{"http.page", pages, plain, 200, 10_000, 10},
		{"http.304", same, none, 304, 15_000, 0},
	} {
		if err := b.driven(prefix+f.name, s.addr, bare.addr, f.requests, f.bare, f.status, f.rate, f.slow); err != nil {
			return err
		}
	}
	return nil
}

// lists drives servers with lists of history: first as readers do, who ask for the
// same list until something is saved, then each time with another query, so that
// every list is made anew. The baseline is a wiki of 500 commits whose lists are
// as long: a longer history must cost no more.
func (b *bench) lists() error {
	pages, commits := 1000, 100_000
	if b.short {
		commits = 5_000
	}
	long, page, err := b.listed(pages, commits)
	if err != nil {
		return err
	}
	defer long.remove()
	short, _, err := b.listed(pages, 500)
	if err != nil {
		return err
	}
	defer short.remove()
	for _, name := range []string{"changelog", "history"} {
		if name == "changelog" {
			err = b.list(name, "", long, short)
		} else {
			err = b.list(name, page, long, short)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// listed is a server with a history, at whose end one page has as many changes
// as a list shows.
func (b *bench) listed(pages, commits int) (*served, wiki.PagePath, error) {
	s, err := b.newSite(b.fixture(pages, commits), 0)
	if err != nil {
		return nil, "", err
	}
	p := s.page(0).Page
	for i := range 60 {
		if err := s.put(b.ctx, p, gitstoretest.Page(0, i)); err != nil {
			return nil, "", err
		}
	}
	out, err := b.servedFrom(s)
	return out, p, err
}

func (b *bench) list(name string, p wiki.PagePath, long, short *served) error {
	of := func(s *served, n int) (measure, error) {
		requests := [][]byte{get(s.addr, at(name, p), s.reader)}
		for i := range n {
			requests = append(requests, get(s.addr, at(name, p)+fmt.Sprint("?n=", i), s.reader))
		}
		if _, err := askWhole(s.addr, requests[0]); err != nil {
			return nil, err
		}
		return func() (float64, error) {
			l, err := drive(b.ctx, s.addr, clients, b.window, requests, http.StatusOK)
			return l.rate, err
		}, nil
	}
	for _, kind := range []struct {
		name    string
		queries int
		want    want
	}{{"rate", 0, valueLeast(2_000, "/s")}, {"anew", 5000, atLeast(0.8)}} {
		ours, err := of(long, kind.queries)
		if err != nil {
			return err
		}
		base, err := of(short, kind.queries)
		if err != nil {
			return err
		}
		if err := b.compare("http."+name+"."+kind.name, "1/s", kind.want, ours, base); err != nil {
			return err
		}
	}
	return nil
}

// driven is the rate and, where wanted, the p99 of one kind of request.
func (b *bench) driven(name, addr, bareAddr string, requests, bare [][]byte, status int, rate, slow float64) error {
	var p99s, bareP99s []float64
	of := func(addr string, requests [][]byte, p99 *[]float64) measure {
		return func() (float64, error) {
			l, err := drive(b.ctx, addr, clients, b.window, requests, status)
			*p99 = append(*p99, l.p99)
			return l.rate, err
		}
	}
	if _, err := drive(b.ctx, addr, clients, b.window/3, requests, status); err != nil { // warm
		return fmt.Errorf("%s: %w", name, err)
	}
	p, err := b.versus(of(addr, requests, &p99s), of(bareAddr, bare, &bareP99s))
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	b.print(name+".rate", p, "1/s", valueLeast(rate, "/s"))
	if slow > 0 {
		ours, base := median(p99s), median(bareP99s)
		b.print(name+".p99", pair{ours, base, ours / base}, "ms", valueMost(slow, "ms"))
	}
	return nil
}

// save is one person saving pages, and 64 at once.
func (b *bench) save() error {
	repo := b.fixture(b.size())
	s, err := b.newServed(repo)
	if err != nil {
		return err
	}
	defer s.remove()
	loop, err := b.newCommitLoop(repo)
	if err != nil {
		return err
	}
	defer os.RemoveAll(loop.dir)
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	n := 0
	one := func() (float64, error) {
		t, err := times(60, func(int) error {
			n++
			a, err := c.do(s.saving(wiki.PagePath(fmt.Sprintf("Saved/Page %d", n)), gitstoretest.Page(n, n)), true)
			if err == nil && a.status != http.StatusSeeOther {
				err = fmt.Errorf("status %d: %.400q", a.status, a.body)
			}
			return err
		})
		return quantile(t, 0.5) / 1000, err
	}
	git := func() (float64, error) {
		v, err := p50(15, func(int) error { return loop.commit(b.ctx) })()
		return v / 1000, err
	}
	if err := b.compare("save.p50", "ms", valueMost(5, "ms"), one, git); err != nil {
		return err
	}
	return b.saveAll(s)
}

// saving is the request that saves a new page.
func (s *served) saving(p wiki.PagePath, text string) []byte {
	return post(s.addr, at("edit", p), s.editor, url.Values{"content": {text}, "action": {"save"}, "base": {""}}.Encode())
}

// saveAll has 64 people save their pages at once and then looks for each.
func (b *bench) saveAll(s *served) error {
	const people, each = 64, 20
	var wg sync.WaitGroup
	var mu sync.Mutex
	bad, lost := 0, 0
	var failed error
	name := func(i, n int) wiki.PagePath { return wiki.PagePath(fmt.Sprintf("Crowd %d/Page %d", i, n)) }
	text := func(i, n int) string { return fmt.Sprintf("text of %d by %d\n", n, i) }
	for i := range people {
		wg.Go(func() {
			c, err := dial(s.addr)
			for n := 0; n < each && err == nil; n++ {
				var a answer
				if a, err = c.do(s.saving(name(i, n), text(i, n)), false); a.status != http.StatusSeeOther {
					mu.Lock()
					bad++
					mu.Unlock()
				}
			}
			mu.Lock()
			failed = errors.Join(failed, err)
			mu.Unlock()
		})
	}
	wg.Wait()
	if failed != nil {
		return failed
	}
	cat, err := startCatFile(b.ctx, s.repo)
	if err != nil {
		return err
	}
	defer cat.close()
	for i := range people {
		for n := range each {
			got, err := cat.text("main:" + name(i, n).FileName())
			if err != nil || got != text(i, n) {
				lost++
			}
		}
	}
	b.print("save.64.refused", pair{float64(bad), people * each, float64(bad) / (people * each)}, "saves", valueMost(0, "saves"))
	b.print("save.64.lost", pair{float64(lost), people * each, float64(lost) / (people * each)}, "saves", valueMost(0, "saves"))
	return nil
}

// start is from the program's start to the first page, and the memory of a site
// whose wikis have been visited and are idle.
func (b *bench) start() error {
	s, err := b.newServed(b.fixture(b.size()))
	if err != nil {
		return err
	}
	if err := s.stop(); err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	ours := func() (float64, error) {
		began := time.Now()
		p, err := b.serve(s.dir)
		if err != nil {
			return 0, err
		}
		_, err = ask(p.addr, get(p.addr, at("", s.pages[5].Page), s.reader), http.StatusOK)
		took := millis(time.Since(began))
		return took, errors.Join(err, p.stop())
	}
	bare := func() (float64, error) {
		began := time.Now()
		p, err := b.spawn(os.Args[0], bareArg, "10000")
		if err != nil {
			return 0, err
		}
		_, err = ask(p.addr, get(p.addr, "/", ""), http.StatusOK)
		took := millis(time.Since(began))
		return took, errors.Join(err, p.stop())
	}
	if err := b.compare("start.page", "ms", valueMost(500, "ms"), ours, bare); err != nil {
		return err
	}
	return b.idle()
}

// idle is the memory of a server after somebody has visited each of 100 wikis.
func (b *bench) idle() error {
	const wikis = 100
	dir := b.folder("idle")
	defer os.RemoveAll(dir)
	slugs, err := b.manyWikis(dir, wikis, 100)
	if err != nil {
		return err
	}
	s, err := open(b.ctx, dir, 0)
	if err != nil {
		return err
	}
	token, _, err := s.CreateToken(b.ctx, host(), gitstore.NewToken{User: "carol", Name: "bench"})
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	p, err := b.serve(dir)
	if err != nil {
		return err
	}
	defer p.stop()
	before, err := p.memory("VmRSS")
	if err != nil {
		return err
	}
	for _, slug := range slugs {
		for _, page := range []string{"Home", "Page%201"} {
			if _, err := ask(p.addr, get(p.addr, "/w/"+string(slug)+"/"+page, token), http.StatusOK); err != nil {
				return err
			}
		}
	}
	time.Sleep(2 * time.Second)
	after, err := p.memory("VmRSS")
	if err != nil {
		return err
	}
	b.print("memory.100wikis", pair{after, before, after / before}, "MB", valueMost(120, "MB"))
	return nil
}
