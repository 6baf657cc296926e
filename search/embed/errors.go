package embed

import (
	"errors"
	"fmt"

	"wikibot/wiki"
)

// TextError is the failure of one text where the others may well succeed: leave it
// out and go on. It is an ErrInvalid.
type TextError struct {
	Index int // of the text in Embed's texts
	Err   error
}

func (e *TextError) Error() string {
	return fmt.Sprintf("text %d of the batch, counted from 0: %v", e.Index, e.Err)
}

// Unwrap gives the kind, so that errors.Is works on it.
func (e *TextError) Unwrap() error { return wiki.ErrInvalid }

// ServiceError is the failure of an embedding service. It is an ErrUnavailable: the
// search goes on without vectors. Its text is for the operator, with the next step;
// it holds neither the key nor a text that was sent.
type ServiceError struct {
	Endpoint string // its URL
	Status   int    // HTTP, or 0 if there was no answer
	Text     string
}

func (e *ServiceError) Error() string {
	return fmt.Sprintf("the embedding service %s: %s", e.Endpoint, e.Text)
}

// Unwrap makes errors.Is(err, wiki.ErrUnavailable) true.
func (e *ServiceError) Unwrap() error { return wiki.ErrUnavailable }

// status is the HTTP status behind an error, or 0.
func status(err error) int {
	var s *ServiceError
	if errors.As(err, &s) {
		return s.Status
	}
	return 0
}
