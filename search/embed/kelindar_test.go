//go:build !kelindar

package embed

import (
	"errors"
	"strings"
	"testing"

	"wikibot/wiki"
)

// A build with kelindar needs its library before any test could run.
func TestWithoutKelindar(t *testing.T) {
	e, err := NewKelindar("model.gguf")
	if e != nil || !errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), "docs/embedders.md") {
		t.Errorf("got %v, %v", e, err)
	}
}
