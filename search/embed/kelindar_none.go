//go:build !kelindar

package embed

import "wikibot/wiki"

// NewKelindar is an ErrInvalid in this build; see docs/embedders.md.
func NewKelindar(string) (Embedder, error) {
	return nil, wiki.Invalid("kind", "this program was built without kelindar; docs/embedders.md tells how to build one with it")
}
