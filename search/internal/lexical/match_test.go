package lexical

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Which documents a query finds.
func TestMatch(t *testing.T) {
	x := index(t, Options{},
		"the quick brown fox jumps over the lazy dog",
		"GitStore is the one door to the data",
		"a git store, and what a store is for",
		"full-text search of snake_case names",
		"the gitstore's full text",
		"信息检索系统很快",
		"检索信息。索引",
		"universe, universal truth",
		"running dogs; runners run",
		"",
	)
	for _, c := range []struct {
		q    string
		want []uint32
	}{
		{"fox", []uint32{0}},
		{"Foxes", []uint32{0}},
		{"gitstore", []uint32{1, 4}},
		{"GitStore", []uint32{1, 2, 4}},
		{"git-store", []uint32{1, 2, 4}},
		{"git store", []uint32{1, 2}},
		{`"git store"`, []uint32{1, 2}},
		{`"gitstore"`, []uint32{1, 4}},
		{`"gitstore is"`, []uint32{1}},
		{`"git store is"`, []uint32{1}},
		{`"store is for"`, []uint32{2}},
		{`"the gitstore"`, []uint32{4}},
		{`"is the one"`, []uint32{1}},
		{`"one the"`, nil},
		{"fulltext", []uint32{3}},
		{"full_text", []uint32{3, 4}},
		{"snakeCase", []uint32{3}},
		{"dog -fox", []uint32{8}},
		{"+dog +lazy", []uint32{0}},
		{"+dog lazy", []uint32{0, 8}},
		{"fox OR universe", []uint32{0, 7}},
		{"uni*", []uint32{7}},
		{"universi*", nil},
		{"universa*", []uint32{7}},
		{"runni*", []uint32{8}},
		{"runni* -running", nil},
		{"检索", []uint32{5, 6}},
		{"信息检索", []uint32{5}},
		{`"信息检索"`, []uint32{5}},
		{"系", []uint32{5}},
		{"统", []uint32{5}},
		{"索", []uint32{5, 6}},
		{"-the", []uint32{2, 3, 5, 6, 7, 8, 9}},
		{"-the -检索", []uint32{2, 3, 7, 8, 9}},
		{"", []uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"nothing", nil},
		{"-nothing fox", []uint32{0}},
	} {
		if got := match(t, x, c.q); !slices.Equal(got.IDs, c.want) || got.Truncated {
			t.Errorf("%s: %v, want %v (truncated %v)", c.q, got.IDs, c.want, got.Truncated)
		}
	}
}

func TestMasksAndUnknown(t *testing.T) {
	x := index(t, Options{}, "alpha beta", "beta gamma", "alpha gamma delta")
	got := match(t, x, "alpha gamma OR delta nothing beta nichts*")
	if want := []uint32{0b1001, 0b1010, 0b0011}; !slices.Equal(got.Masks, want) || got.Groups != 5 {
		t.Errorf("masks %b of %d, want %b", got.Masks, got.Groups, want)
	}
	var unknown []string
	for _, u := range got.Unknown {
		unknown = append(unknown, u.Text)
	}
	if fmt.Sprint(unknown) != "[nothing nichts]" {
		t.Errorf("unknown: %v", unknown)
	}
}

// A compound whose whole is known is known, though no document holds its parts.
func TestKnownWhole(t *testing.T) {
	x := index(t, Options{}, "gitstore")
	for q, want := range map[string]int{"GitStore": 0, "GitStores": 0, `"git-store"`: 0, "GitShop": 1} {
		if got := match(t, x, q); len(got.Unknown) != want {
			t.Errorf("%s: unknown %v", q, got.Unknown)
		}
	}
}

// A prefix scores as if all its words were one.
func TestPrefixScore(t *testing.T) {
	x := index(t, Options{}, "alpha alpine beta", "alpha", "alpine", "gamma", "gamma delta")
	y := index(t, Options{}, "al al beta", "al", "al", "gamma", "gamma delta")
	got, want := match(t, x, "al*"), match(t, y, "al")
	for i, s := range got.Scores {
		if diff := s - want.Scores[i]; diff > 1e-6 || diff < -1e-6 {
			t.Errorf("%v, want %v", got.Scores, want.Scores)
		}
	}
}

// within is the intersection, however far apart the documents are.
func TestWithin(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 500 {
		var docs, list, want []uint32
		held := map[uint32]bool{}
		for id, step := uint32(r.IntN(3)), 1+r.IntN(40); id < 600; id += 1 + uint32(r.IntN(step)) {
			list = append(list, posting(id, uint32(1+r.IntN(300))))
			held[id] = true
		}
		for id, step := uint32(r.IntN(3)), 1+r.IntN(40); id < 600; id += 1 + uint32(r.IntN(step)) {
			docs = append(docs, id)
			if held[id] {
				want = append(want, id)
			}
		}
		if got := within(docs, list); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}
