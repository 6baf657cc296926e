package index

import (
	"slices"
	"testing"
)

// TestOwnKeepsTheArms: what words have found goes on saying so when other arms
// come in.
func TestOwnKeepsTheArms(t *testing.T) {
	s := &scored{ids: []uint32{4, 7}, scores: []float32{2, 0}, masks: []uint32{1, 0}}
	s.own()
	if want := []Arms{Words, 0}; !slices.Equal(s.by, want) {
		t.Errorf("got %v, want %v", s.by, want)
	}
}
