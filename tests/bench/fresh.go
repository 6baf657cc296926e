package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"wikibot/wiki"
)

// searchFaces measures through the real server how soon a search finds what was
// acknowledged: a page saved in a browser, and one pushed over HTTP. The baseline is
// the write itself.
func (b *bench) searchFaces() error {
	s, err := b.newServed(b.fixture(b.size()))
	if err != nil {
		return err
	}
	defer s.remove()
	c, err := dial(s.addr)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	if _, err := s.found(c, "page"); err != nil { // the index is made
		return err
	}
	n := 0
	save := func() (string, error) {
		n++
		word := fmt.Sprintf("fresh%dsaved", n)
		a, err := c.do(s.saving(wiki.PagePath(fmt.Sprintf("Fresh/Page %d", n)), "Now there is "+word+".\n"), true)
		if err == nil && a.status != http.StatusSeeOther {
			err = fmt.Errorf("saving: status %d: %.400q", a.status, a.body)
		}
		return word, err
	}
	if err := b.freshOf(s, c, "save", 60, save); err != nil {
		return err
	}
	clone := b.folder("clone")
	remote := fmt.Sprintf("http://bob:%s@%s/w/%s.git", s.editor, s.addr, slug)
	if err := git(b.ctx, b.work, "clone", "-q", remote, clone); err != nil {
		return err
	}
	push := func() (string, error) {
		n++
		word := fmt.Sprintf("fresh%dpushed", n)
		err := os.WriteFile(filepath.Join(clone, fmt.Sprintf("Pushed %d.md", n)), []byte("Now there is "+word+".\n"), 0o644)
		return word, errors.Join(err, git(b.ctx, clone, "add", "-A"), git(b.ctx, clone, "commit", "-qm", word), git(b.ctx, clone, "push", "-q"))
	}
	return b.freshOf(s, c, "push", 15, push)
}

// freshOf writes and then searches until it is found, so many times in a round.
func (b *bench) freshOf(s *served, c *client, name string, each int, write func() (word string, err error)) error {
	var written []float64 // milliseconds, of the same round
	lag := func(q float64) measure {
		return func() (float64, error) {
			var all []float64
			written = nil
			for range each {
				began := time.Now()
				word, err := write()
				if err != nil {
					return 0, err
				}
				written = append(written, millis(time.Since(began)))
				took, err := s.found(c, word)
				if err != nil {
					return 0, err
				}
				all = append(all, millis(took))
			}
			return quantile(all, q), nil
		}
	}
	base := func() (float64, error) {
		if len(written) == 0 { // this round begins with the baseline
			if _, err := lag(0.5)(); err != nil {
				return 0, err
			}
		}
		return quantile(written, 0.5), nil
	}
	if err := b.compare("search."+name+".p50", "ms", valueMost(50, "ms"), lag(0.5), base); err != nil {
		return err
	}
	return b.compare("search."+name+".p99", "ms", valueMost(500, "ms"), lag(0.99), base)
}

// found asks until a word is found and tells how long that took.
func (s *served) found(c *client, word string) (time.Duration, error) {
	request := bytes.Replace(get(s.addr, at("search.json", "")+"?q="+word, s.reader), []byte("gzip"), []byte("identity"), 1) // it is read here
	began := time.Now()
	for {
		a, err := c.do(request, true)
		if err != nil {
			return 0, err
		}
		if a.status == http.StatusOK && strings.Contains(string(a.body), `"total":`) && !strings.Contains(string(a.body), `"total":0`) {
			return time.Since(began), nil
		}
		if a.status != http.StatusOK && a.status != http.StatusServiceUnavailable {
			return 0, fmt.Errorf("searching: status %d: %.400q", a.status, a.body)
		}
		if time.Since(began) > time.Minute {
			return 0, fmt.Errorf("%q is not found after a minute: %.400q", word, a.body)
		}
	}
}
