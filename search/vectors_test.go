package search

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"wikibot/search/embed"
)

// TestTheFileOfVectorsIsReadOnce, not for every commit.
func TestTheFileOfVectorsIsReadOnce(t *testing.T) {
	p := newPlace(t, func(c *Config) { c.Embedder = &toy{id: "toy-1"} })
	p.save("notes", animals())
	p.search("notes", "zebra")
	p.embedded("toy-1")
	s := p.e.site("notes")
	s.mu.Lock()
	before := s.vectors.file
	s.mu.Unlock()
	p.save("notes", map[string]string{"Harbour": "A boat."})
	p.search("notes", "boat")
	p.embedded("toy-1")
	s.mu.Lock()
	defer s.mu.Unlock()
	if before == nil || s.vectors.file != before {
		t.Error("the file was opened again")
	}
}

// wide is a toy whose vectors are longer, under the same name.
type wide struct{ *toy }

func (m wide) Embed(ctx context.Context, k embed.Kind, texts []string) ([][]float32, error) {
	all, err := m.toy.Embed(ctx, k, texts)
	for i := range all {
		all[i] = append(all[i], 0, 0)
	}
	return all, err
}

// TestAModelThatChangedUnderItsName: vectors of another length are of another model, so
// all are made anew.
func TestAModelThatChangedUnderItsName(t *testing.T) {
	p := newPlace(t, func(c *Config) { c.Embedder = &toy{id: "toy-1"} })
	p.save("notes", animals())
	p.search("notes", "zebra")
	p.embedded("toy-1")
	p.again(func(c *Config) { c.Embedder = wide{&toy{id: "toy-1"}} })
	p.save("notes", map[string]string{"Harbour": "A boat."})
	p.search("notes", "boat")
	p.embedded("toy-1")
	if a := p.semantic("vessel"); len(a.Hits) == 0 || a.Model != "toy-1" || p.e.site("notes").index.Dim() != 6 {
		t.Errorf("with longer vectors: %+v, dimension %d", a, p.e.site("notes").index.Dim())
	}
	p.again(func(c *Config) { c.Embedder = wide{&toy{id: "toy-1"}} })
	p.search("notes", "boat")
	p.embedded("toy-1")
}

// TestTheFileOfVectorsDoesNotGrowForEver: vectors of texts that are gone go too.
func TestTheFileOfVectorsDoesNotGrowForEver(t *testing.T) {
	model := func(c *Config) { c.Embedder = &toy{id: "toy-1"} }
	p := newPlace(t, model)
	for k := range 4 {
		pages := map[string]string{}
		for i := range 600 {
			pages[fmt.Sprintf("Page %d", i)] = fmt.Sprintf("A zebra, %d of %d.", i, k)
		}
		p.save("notes", pages)
		p.search("notes", "zebra")
		p.embedded("toy-1")
		p.again(model)
	}
	p.search("notes", "zebra")
	p.embedded("toy-1")
	s := p.e.site("notes")
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.vectors.at); n > 1500 {
		t.Errorf("%d vectors are kept for 601 chunks", n)
	}
}

// TestAFolderWithBrackets is a folder like another.
func TestAFolderWithBrackets(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a[b")
	p := newPlace(t, func(c *Config) { c.Dir = dir })
	p.save("notes", animals())
	p.search("notes", "zebra")
	p.again(func(c *Config) { c.Dir = dir })
	p.search("notes", "zebra")
	if n := p.e.site("notes").read.Load(); n != 0 {
		t.Errorf("%d pages were read though the index was saved", n)
	}
	_ = os.RemoveAll(dir)
}

// slow is a model that never answers.
type slow struct {
	*toy
	calls chan struct{}
}

func (m slow) Embed(ctx context.Context, k embed.Kind, texts []string) ([][]float32, error) {
	if k == embed.Query {
		m.calls <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return m.toy.Embed(ctx, k, texts)
}

// TestAModelThatHangs is not waited for by every search.
func TestAModelThatHangs(t *testing.T) {
	m := slow{&toy{id: "toy-1"}, make(chan struct{}, 10)}
	p := newPlace(t, func(c *Config) { c.Embedder = m })
	p.save("notes", animals())
	p.search("notes", "zebra")
	p.embedded("toy-1")
	for i := range 3 {
		if _, err := p.e.Search(context.Background(), p.view("notes"), Request{Text: fmt.Sprintf("zebra %d", i), Mode: Hybrid}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(m.calls); n != 1 {
		t.Errorf("the model was asked %d times", n)
	}
}

// TestCloseIsQuick while the model hangs.
func TestCloseWhileAModelHangs(t *testing.T) {
	m := hangs{&toy{id: "toy-1"}, make(chan struct{}, 10)}
	p := newPlace(t, func(c *Config) { c.Embedder = m })
	p.save("notes", animals())
	p.search("notes", "zebra")
	<-m.calls
	done := make(chan error)
	go func() { done <- p.e.Close() }()
	select {
	case err := <-done:
		must(t, err)
	case <-time.After(10 * time.Second):
		t.Error("it does not close")
	}
}

type hangs slow

func (m hangs) Embed(ctx context.Context, _ embed.Kind, _ []string) ([][]float32, error) {
	m.calls <- struct{}{}
	<-ctx.Done()
	return nil, ctx.Err()
}
