package search

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"wikibot/search/embed"
	"wikibot/wiki"
)

// toy is a model whose vectors are told by a few words of the text, with a sense for
// animals: it finds what words do not.
type toy struct {
	id      string
	earlier []string // ids whose vectors it still makes

	mu    sync.Mutex
	texts map[string]int // how often each document was embedded; guarded by mu
	down  bool           // it does not answer; guarded by mu
	bad   string         // a text that it cannot take; guarded by mu
	odd   string         // a text for which it gives nothing that can be used; guarded by mu
}

func (m *toy) ID() string    { return m.id }
func (m *toy) MaxBatch() int { return 8 }

func (m *toy) Earlier(id string) (embed.Embedder, bool) {
	for _, e := range m.earlier {
		if e == id {
			return &toy{id: id}, true
		}
	}
	return nil, false
}

func (m *toy) Embed(ctx context.Context, kind embed.Kind, texts []string) ([][]float32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, errors.New("the model is down")
	}
	out := make([][]float32, len(texts))
	for i, text := range texts {
		if m.bad != "" && strings.Contains(text, m.bad) {
			return nil, &embed.TextError{Index: i, Err: errors.New("too long")}
		}
		if m.odd != "" && strings.Contains(text, m.odd) {
			return nil, errors.New("a vector holds NaN")
		}
		if kind == embed.Document && m.texts != nil {
			m.texts[text]++
		}
		v := make([]float32, 4)
		for k, sense := range [][]string{{"zebra", "horse", "animal"}, {"ship", "boat", "vessel"}, {"bread", "food"}} {
			for _, w := range sense {
				v[k] += float32(strings.Count(strings.ToLower(text), w))
			}
		}
		sum := sha256.Sum256([]byte(m.id + text))
		v[3] = 0.01 + float32(sum[0])/2560
		out[i] = v
	}
	return out, nil
}

func (m *toy) set(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

func (p *place) semantic(q string) *SemanticAnswer {
	p.t.Helper()
	a, err := p.e.Semantic(context.Background(), p.view("notes"), SemanticRequest{Text: q, Mode: Semantic})
	must(p.t, err)
	return a
}

// embedded waits until n chunks have a vector of the configured model.
func (p *place) embedded(model string) {
	p.t.Helper()
	for range 2000 {
		st := p.e.Status(context.Background(), p.view("notes"))
		if st.Serving == model && st.Embedded == st.Chunks && st.Lag == (Lag{}) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.t.Fatalf("not embedded: %+v", p.e.Status(context.Background(), p.view("notes")))
}

func animals() map[string]string {
	return map[string]string{"Stripes": "A zebra stands there.", "Sea": "The ship leaves.", "Kitchen": "Bread is baked."}
}

func TestMeaningIsFound(t *testing.T) {
	m := &toy{id: "toy-1", texts: map[string]int{}}
	p := newPlace(t, func(c *Config) { c.Embedder = m })
	p.save("notes", animals())
	p.search("notes", "zebra")
	p.embedded("toy-1")
	a := p.semantic("horse")
	if len(a.Hits) == 0 || a.Hits[0].Page != "Stripes" || a.Model != "toy-1" || fmt.Sprint(a.Arms) != "[vectors]" {
		t.Fatalf("asked for a horse: %+v", a)
	}
	if d := a.Hits[0].Distance; d < 0 || d > 0.1 {
		t.Errorf("distance %v", d)
	}
	if !strings.HasPrefix(a.Hits[0].Text, "[Stripes] ") || a.Hits[0].Chunks != 1 {
		t.Errorf("the chunk: %+v", a.Hits[0])
	}
	// A text is embedded once, though its page changes elsewhere and the server
	// starts again.
	p.save("notes", map[string]string{"Sea": "", "Harbour": "A boat."})
	p.search("notes", "boat")
	p.embedded("toy-1")
	p.again(func(c *Config) { c.Embedder = m })
	p.search("notes", "boat")
	p.embedded("toy-1")
	if a := p.semantic("vessel"); a.Hits[0].Page != "Harbour" {
		t.Errorf("asked for a vessel: %+v", a.Hits)
	}
	m.set(func() {
		for text, n := range m.texts {
			if n != 1 {
				t.Errorf("%q was embedded %d times", text, n)
			}
		}
	})
}

// TestAnotherModel: while the new one embeds, the old vectors answer.
func TestAnotherModel(t *testing.T) {
	p := newPlace(t, func(c *Config) { c.Embedder = &toy{id: "toy-1"} })
	p.save("notes", animals())
	p.search("notes", "zebra")
	p.embedded("toy-1")
	second := &toy{id: "toy-2", earlier: []string{"toy-1"}, down: true}
	p.again(func(c *Config) { c.Embedder = second })
	p.search("notes", "zebra")
	for range 2000 {
		if st := p.e.Status(context.Background(), p.view("notes")); st.Serving == "toy-1" && st.Error != "" {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if a := p.semantic("horse"); a.Model != "toy-1" || a.Hits[0].Page != "Stripes" {
		t.Fatalf("while the new model is down: %+v", a)
	}
	second.set(func() { second.down = false })
	p.again(func(c *Config) { c.Embedder = second }) // rather than wait for the pause to end
	p.search("notes", "zebra")
	p.embedded("toy-2")
	if a := p.semantic("horse"); a.Model != "toy-2" || a.Hits[0].Page != "Stripes" {
		t.Errorf("with the new model: %+v", a)
	}
}

func TestAModelThatIsDown(t *testing.T) {
	m := &toy{id: "toy-1", bad: "Bread"}
	p := newPlace(t, func(c *Config) { c.Embedder = m })
	p.save("notes", animals())
	p.search("notes", "zebra")
	for range 2000 { // all but the one that it cannot take, and that is no reason to stop
		if st := p.e.Status(context.Background(), p.view("notes")); st.Embedded == st.Chunks-1 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if a := p.semantic("horse"); fmt.Sprint(a.Arms) != "[vectors]" || a.Hits[0].Page != "Stripes" {
		t.Fatalf("one text was refused: %+v", a)
	}
	m.set(func() { m.down = true })
	a, err := p.e.Semantic(context.Background(), p.view("notes"), SemanticRequest{Text: "a zebra somewhere"})
	must(t, err)
	if fmt.Sprint(a.Arms) != "[lexical]" || a.Model != "" || a.Hits[0].Page != "Stripes" {
		t.Errorf("the model is down: %+v", a)
	}
	b, err := p.e.Search(context.Background(), p.view("notes"), Request{Text: "zebra standing", Mode: Hybrid})
	must(t, err)
	if b.Partial == "" || len(b.Results) == 0 {
		t.Errorf("the model is down: %+v", b)
	}
}

// TestOneTextDoesNotHoldUpTheOthers: the model gives nonsense for one of them, always.
func TestOneTextDoesNotHoldUpTheOthers(t *testing.T) {
	m := &toy{id: "toy-1", odd: "Bread"}
	p := newPlace(t, func(c *Config) { c.Embedder = m })
	p.save("notes", animals())
	p.search("notes", "zebra")
	for range 6000 {
		if st := p.e.Status(context.Background(), p.view("notes")); st.Embedded == st.Chunks-1 {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if a := p.semantic("horse"); fmt.Sprint(a.Arms) != "[vectors]" || a.Hits[0].Page != "Stripes" {
		t.Fatalf("one text has no vector: %+v", a)
	}
}

// TestRelatedTerms: above some chunks, words that keep company are found without any
// model, and the answer says so.
func TestRelatedTerms(t *testing.T) {
	p := newPlace(t, nil)
	pages := map[string]string{}
	for i := range 260 {
		text := "The sailor steered the vessel into the harbour past the lighthouse while gulls followed the vessel."
		switch i % 8 {
		case 1:
			text = "The sailor moored the ship in the harbour below the lighthouse while gulls circled the ship."
		case 2:
			text = "The baker kneaded dough for the oven and sold loaves of rye to the village at dawn."
		case 3, 4:
			text = "The teacher wrote letters on the blackboard while pupils copied sentences into notebooks."
		case 5, 6:
			text = "A gardener planted tulips beside roses and watered both beds before rain came."
		case 7:
			text = "The baker heated the oven and sold rolls of wheat to the village at noon."
		}
		pages[fmt.Sprintf("Page %03d", i)] = text + fmt.Sprintf(" It was day %d.", i)
	}
	p.save("notes", pages)
	p.search("notes", "vessel")
	for range 4000 {
		if p.e.Status(context.Background(), p.view("notes")).Related {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	a := p.semantic("rye loaves")
	if fmt.Sprint(a.Arms) != "[related]" || a.Model != "" || len(a.Hits) != 5 {
		t.Fatalf("arms %v, %d hits", a.Arms, len(a.Hits))
	}
	for _, h := range a.Hits {
		if !strings.Contains(h.Text, "baker") {
			t.Errorf("rye loaves: %q", h.Text)
		}
	}
	related := p.search("notes", "vessel").Related
	if len(related) == 0 {
		t.Error("no related words")
	}
	p.again(nil)
	p.search("notes", "vessel")
	if !p.e.Status(context.Background(), p.view("notes")).Related {
		t.Error("the related terms were not saved")
	}
	if got := p.search("notes", "vessel").Related; fmt.Sprint(got) != fmt.Sprint(related) {
		t.Errorf("after a restart %q are related, before %q", got, related)
	}
}

func TestSemanticLimits(t *testing.T) {
	p := newPlace(t, nil)
	for _, r := range []SemanticRequest{{}, {Text: " "}, {Text: "x", N: 51}, {Text: "x", N: -1}, {Text: "x", MaxPerPage: 11}, {Text: strings.Repeat("x ", 5000)}} {
		if _, err := p.e.Semantic(context.Background(), p.view("notes"), r); !errors.Is(err, wiki.ErrInvalid) {
			t.Errorf("%+v: %v", r, err)
		}
	}
}
