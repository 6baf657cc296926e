package web

import (
	"fmt"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// TestTokenBox: what the list says of tokens, and that a long one is cut.
func TestTokenBox(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	list := []gitstore.Token{
		{ID: "a", Expires: now}, {ID: "b", Expires: now.Add(time.Second), Role: wiki.Viewer}, {ID: "c", Role: wiki.Owner},
	}
	b := newTokenBox("person", "/", list, now)
	for i, want := range []tokenRow{{Rights: "tokens.role_all", Over: true}, {Rights: "tokens.role_viewer"}, {Rights: "tokens.role_owner"}} {
		if got := b.List[i]; got.Rights != want.Rights || got.Over != want.Over {
			t.Errorf("token %s: %s, over %t", got.ID, got.Rights, got.Over)
		}
	}
	for i := range 300 {
		list = append(list, gitstore.Token{ID: fmt.Sprint(i)})
	}
	if b = newTokenBox("wiki", "/", list, now); len(b.List) != mostTokens || b.More != 103 {
		t.Errorf("%d tokens and %d more", len(b.List), b.More)
	}
	b.choose("viewer", "0")
	for _, choices := range [][]tokenChoice{b.Roles, b.Days} {
		chosen := 0
		for _, c := range choices {
			if c.Chosen {
				chosen++
			}
		}
		if chosen != 1 {
			t.Errorf("%d choices are chosen in %+v", chosen, choices)
		}
	}
	texts, err := loadTexts()
	if err != nil {
		t.Fatal(err)
	}
	for _, box := range []*tokenBox{b, newTokenBox("person", "/", nil, now)} {
		for _, c := range append(box.Roles, box.Days...) {
			if _, err := texts.lookup(c.Label); err != nil {
				t.Error(err)
			}
		}
	}
}
