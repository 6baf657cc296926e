package embed

import "fmt"

// TextError is the failure of one text where the others may well succeed: leave it
// out and go on.
type TextError struct {
	Index int // of the text in Embed's texts
	Err   error
}

func (e *TextError) Error() string {
	return fmt.Sprintf("text %d of the batch: %v", e.Index+1, e.Err)
}

func (e *TextError) Unwrap() error { return e.Err }
