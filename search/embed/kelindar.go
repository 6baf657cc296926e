//go:build kelindar

package embed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/kelindar/search"

	"wikibot/wiki"
)

// Kelindar is an Embedder that runs llama.cpp in this process, through
// github.com/kelindar/search. That package looks for its shared library in an init
// and panics without it, before main: docs/embedders.md has what that means.
type Kelindar struct {
	id, path string

	mu    sync.Mutex // the model takes one text at a time, on as many cores as it likes
	model *search.Vectorizer
}

// NewKelindar names the model in a GGUF file, which is read once for that; it is loaded
// when the first text comes.
func NewKelindar(path string) (Embedder, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, wiki.Invalid("model", "model is to be the path of a GGUF file: %v", err)
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return nil, wiki.Invalid("model", "the model %s cannot be read: %v", path, err)
	}
	return &Kelindar{id: "kelindar:" + filepath.Base(path) + ":" + hex.EncodeToString(hash.Sum(nil)[:16]), path: path}, nil
}

// ID is the name and the SHA-256 of the model's file.
func (k *Kelindar) ID() string { return k.id }

// MaxBatch is small, since the texts go through the model one after the other.
func (k *Kelindar) MaxBatch() int { return 8 }

// Earlier knows no other model than its own.
func (k *Kelindar) Earlier(id string) (Embedder, bool) { return k, id == k.id }

// Embed asks ctx between texts; a text on its way cannot be stopped. Of a text that is
// too long for the model the first half is taken, once.
func (k *Kelindar) Embed(ctx context.Context, _ Kind, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		v, err := k.one(text)
		if errors.Is(err, wiki.ErrUnavailable) {
			return nil, err
		}
		if err != nil {
			v, err = k.one(firstHalf(text))
		}
		if err != nil {
			return nil, &TextError{Index: i, Err: err}
		}
		vectors[i] = v
	}
	return vectors, nil
}

func (k *Kelindar) one(text string) ([]float32, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.model == nil {
		model, err := search.NewVectorizer(k.path, 0)
		if err != nil {
			return nil, wiki.Unavailable("%s is no model that llama.cpp can load: %v", k.path, err)
		}
		k.model = model
	}
	v, err := k.model.EmbedText(strings.ReplaceAll(text, "\x00", " ")) // it goes to C
	if err != nil {
		return nil, err
	}
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return nil, wiki.Invalid("vector", "the model gave a vector that is zero or not finite")
	}
	return v, nil
}
