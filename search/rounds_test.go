package search

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikibot/search/internal/index"
	"wikibot/wiki"
)

// over waits until a round has ended and nothing runs.
func (s *site) over(t *testing.T, round uint64) {
	t.Helper()
	for range 2000 {
		s.mu.Lock()
		over := s.ended >= round && !s.running
		s.mu.Unlock()
		if over {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatal("the round does not end")
}

// TestAnIndexThatWasPutAwayMeanwhile: between the end of a round and the one who waits
// for it another wiki may need the memory.
func TestAnIndexThatWasPutAwayMeanwhile(t *testing.T) {
	p := newPlace(t, nil)
	s, v := p.e.site("notes"), p.view("notes")
	s.running = true // a round, as it seems
	type answer struct {
		x   *index.Index
		err error
	}
	got := make(chan answer)
	go func() {
		x, _, err := s.ready(context.Background(), v)
		got <- answer{x, err}
	}()
	for range 2000 {
		s.mu.Lock()
		if s.asked > 0 {
			s.ended, s.running = s.asked, false // and what it made was put away
			close(s.changed)
			s.changed = make(chan struct{})
			s.mu.Unlock()
			break
		}
		s.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	if a := <-got; a.x == nil || a.err != nil {
		t.Errorf("got index %v, error %v", a.x, a.err)
	}
}

// TestLagIsCountedFromTheLastRound: what several asked for at once is answered by one
// round, after which nothing is behind.
func TestLagIsCountedFromTheLastRound(t *testing.T) {
	p := newPlace(t, nil)
	p.finds("notes", "welcome", "Home")
	s := p.e.site("notes")
	s.over(t, 1)
	s.mu.Lock()
	s.asked++
	s.mu.Unlock()
	s.over(t, s.kick())
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.behind.IsZero() {
		t.Errorf("behind since %v", s.behind)
	}
}

// TestReindexingIsSaved though the commit is the same: what was saved before may be what
// somebody wants to be rid of.
func TestReindexingIsSaved(t *testing.T) {
	p := newPlace(t, nil)
	p.finds("notes", "welcome", "Home")
	p.e.site("notes").save()
	must(t, os.RemoveAll(p.e.dir("notes")))
	v, err := p.store.View(context.Background(), alice, "notes")
	must(t, err)
	_, err = p.e.ReindexNow(context.Background(), v, func(int, int) {})
	must(t, err)
	must(t, p.e.Close())
	if files, err := filepath.Glob(filepath.Join(p.e.dir("notes"), "*"+indexSuffix)); len(files) != 1 {
		t.Errorf("saved files: %q, %v", files, err)
	}
}

// TestReindexingTwice: as long as one goes on, another would only cost.
func TestReindexingTwice(t *testing.T) {
	p := newPlace(t, func(c *Config) { c.Workers = 1 })
	pages := map[string]string{}
	for i := range many + 1 {
		pages[fmt.Sprintf("Page %d", i)] = "A harbour."
	}
	p.save("notes", pages)
	p.finds("notes", "welcome", "Home")
	s := p.e.site("notes")
	s.over(t, 1)
	v, err := p.store.View(context.Background(), alice, "notes")
	must(t, err)
	p.e.builds <- struct{}{} // it has to wait
	must(t, p.e.Reindex(context.Background(), v))
	for range 3 {
		if err := p.e.Reindex(context.Background(), v); !errors.Is(err, wiki.ErrConflict) {
			t.Errorf("while it is being made: %v", err)
		}
		if st := p.e.Status(context.Background(), v); st.State != Building || st.Done > 0 {
			t.Errorf("while it is being made: %+v", st)
		}
		time.Sleep(10 * time.Millisecond)
	}
	p.finds("notes", "welcome", "Home")
	<-p.e.builds
	s.over(t, s.kick())
	must(t, p.e.Reindex(context.Background(), v))
}

// TestAnIndexThatIsMadeAnewIsFitted, though the one before is being fitted meanwhile.
func TestAnIndexThatIsMadeAnewIsFitted(t *testing.T) {
	p := newPlace(t, nil)
	pages := map[string]string{}
	for i := range index.RelatedFrom {
		pages[fmt.Sprintf("Page %d", i)] = fmt.Sprintf("The sailor number %d steered a vessel into harbour %d.", i%5, i%7)
	}
	p.save("notes", pages)
	p.e.fits <- struct{}{} // it has to wait
	p.finds("notes", "welcome", "Home")
	v, err := p.store.View(context.Background(), alice, "notes")
	must(t, err)
	_, err = p.e.ReindexNow(context.Background(), v, func(int, int) {})
	must(t, err)
	<-p.e.fits
	for range 2000 {
		if p.e.Status(context.Background(), v).Related {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Error("there are no related terms")
}

// TestWordsThatAreGoneTakeNoMemory, however long the server runs.
func TestWordsThatAreGoneTakeNoMemory(t *testing.T) {
	p := newPlace(t, nil)
	pages := map[string]string{}
	for i := range 60 {
		var b strings.Builder
		for k := range 250 {
			fmt.Fprintf(&b, "word%dx%d ", i, k)
		}
		pages[fmt.Sprintf("Page %d", i)] = b.String()
	}
	p.save("notes", pages)
	p.search("notes", "welcome")
	before := p.e.Status(context.Background(), p.view("notes")).Bytes
	for name := range pages {
		pages[name] = "Short."
	}
	p.save("notes", pages)
	p.finds("notes", "word3x3")
	s := p.e.site("notes")
	s.over(t, s.kick())
	if after := p.e.Status(context.Background(), p.view("notes")).Bytes; after > before/4 {
		t.Errorf("the index takes %d bytes after %d", after, before)
	}
	p.finds("notes", "welcome", "Home")
}

// TestWhoAskedBeforeAHistoryWasRewritten is answered after it, and not told that there
// is no wiki.
func TestWhoAskedBeforeAHistoryWasRewritten(t *testing.T) {
	p := newPlace(t, nil)
	s := p.e.site("notes")
	p.e.Forget("notes")
	if x, _, err := s.ready(context.Background(), p.view("notes")); x == nil || err != nil {
		t.Errorf("got index %v, error %v", x, err)
	}
}
