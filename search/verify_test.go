package search

import (
	"slices"
	"strings"
	"testing"
)

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		text   string
		wanted []string
		want   [][2]int
	}{
		{"", []string{"a"}, nil},
		{"a b a", nil, nil},
		{"a b a", []string{""}, nil},
		{"a b a", []string{"a", "a"}, [][2]int{{0, 1}, {4, 5}}},
		{"abcab", []string{"ab", "abc"}, [][2]int{{0, 3}, {3, 5}}}, // the longest
		{"aaa", []string{"aa"}, [][2]int{{0, 2}}},
		{"xabx", []string{"b", "ab", "z"}, [][2]int{{1, 3}}},
	} {
		if got := places(c.text, slices.Clone(c.wanted)); !slices.Equal(got, c.want) {
			t.Errorf("places(%q, %q): got %v, want %v", c.text, c.wanted, got, c.want)
		}
	}
	if got := places(strings.Repeat("a", 50_000), []string{"a", "b", "c"}); len(got) != maxPlaces {
		t.Errorf("of 50,000 places %d were given, want %d", len(got), maxPlaces)
	}
}
