package search

import (
	"context"
	"errors"
	"sync"
	"time"

	"wikibot/search/embed"
	"wikibot/search/internal/index"
	"wikibot/wiki"
)

// maxEmbed bounds how long a search waits for the model; then the other arms answer.
const maxEmbed = 5 * time.Second

// restAsking is how long no search waits for a model after one has done so in vain.
const restAsking = 10 * time.Second

// errResting: the model did not answer a moment ago.
var errResting = errors.New("the embedding model did not answer a moment ago")

// asked keeps the vectors of the latest queries, so that the next page of an answer
// costs nothing. It is safe for concurrent use; the zero value is ready.
type asked struct {
	mu    sync.Mutex
	rest  time.Time            // until when the model is not asked, since it did not answer; guarded by mu
	made  map[string][]float32 // by model and text; guarded by mu
	order []string             // oldest first; guarded by mu
}

const maxAsked = 256

func (a *asked) get(key string) []float32 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.made[key]
}

func (a *asked) resting(now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return now.Before(a.rest)
}

func (a *asked) restUntil(t time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.rest = t
}

func (a *asked) put(key string, v []float32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.made == nil {
		a.made = map[string][]float32{}
	}
	if _, ok := a.made[key]; !ok {
		if a.order = append(a.order, key); len(a.order) > maxAsked {
			delete(a.made, a.order[0])
			a.order = a.order[1:]
		}
	}
	a.made[key] = v
}

// question is the vector of a query by the model whose vectors answer; nil without
// one. An error means that the model does not answer now.
func (e *Engine) question(ctx context.Context, x *index.Index, text string) ([]float32, string, error) {
	model, _ := x.Serving()
	if model == "" || e.Embedder == nil {
		return nil, "", nil
	}
	by := e.Embedder
	if by.ID() != model {
		earlier, ok := by.Earlier(model)
		if !ok {
			return nil, "", nil
		}
		by = earlier
	}
	key := model + "\x00" + text
	if v := e.asked.get(key); len(v) == x.Dim() {
		return v, model, nil
	}
	if e.asked.resting(e.Now()) {
		return nil, "", errResting
	}
	soon, cancel := context.WithTimeout(ctx, maxEmbed)
	defer cancel()
	made, err := by.Embed(soon, embed.Query, []string{text})
	if err != nil {
		var fault *embed.TextError // of this query alone
		if ctx.Err() == nil && !errors.As(err, &fault) {
			e.asked.restUntil(e.Now().Add(restAsking))
		}
		return nil, "", err
	}
	if len(made) != 1 || len(made[0]) != x.Dim() {
		return nil, "", wiki.Unavailable("the embedding model gave a vector of another length than before")
	}
	e.asked.put(key, made[0])
	return made[0], model, nil
}
