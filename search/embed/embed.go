// Package embed turns texts into vectors whose directions tell how near they are in
// meaning. It is the seam between a search index and a model, wherever that runs.
package embed

import "context"

// Kind says what a text is. Some models were trained with different prefixes for
// the two sides of a search.
type Kind uint8

// The kinds of text.
const (
	Document Kind = iota // a piece of a page, to be found
	Query                // what somebody asks for
)

// Embedder is a model. It is safe for concurrent use.
type Embedder interface {
	// ID names the model and everything that changes its vectors: vectors of
	// different ids are never compared. It holds no secret and may be saved, shown
	// and logged.
	ID() string

	// Embed gives one vector for each text, in their order, all of one length, each
	// finite and not all zero; not normalised. It takes any number of texts and sends
	// at most MaxBatch of them to the model at a time. Either every text has its
	// vector or there is an error; a *TextError names the one text at fault.
	Embed(ctx context.Context, k Kind, texts []string) ([][]float32, error)

	// MaxBatch is how many texts the model takes at a time; who has many and wants
	// to see progress, or to keep what is done, sends about so many.
	MaxBatch() int

	// Earlier is an embedder that still gives the vectors of an earlier id, so that
	// old vectors can be searched while new ones are made; false if there is none.
	Earlier(id string) (Embedder, bool)
}
