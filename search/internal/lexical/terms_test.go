package lexical

import (
	"slices"
	"testing"
)

func TestTermsOfIsWhatADocumentHolds(t *testing.T) {
	x := New(Options{})
	const text = "Running the GitStore, full-text and all runs"
	x.Apply(nil, []Entry{{ID: 0, Prepared: x.Prepare(Text{Body: text})}})
	var held []string
	for _, n := range x.Tokens(0) {
		held = append(held, x.Term(n))
	}
	if got := x.TermsOf(text, ""); !slices.Equal(got, held) {
		t.Errorf("TermsOf = %q, a document holds %q", got, held)
	}
}

func TestSpeltGivesTheUsualWord(t *testing.T) {
	x := New(Options{})
	x.Apply(nil, []Entry{
		{ID: 0, Prepared: x.Prepare(Text{Body: "databases, databases and one database"})},
		{ID: 1, Prepared: x.Prepare(Text{Body: "gone"})},
	})
	stem := x.TermsOf("databases", "")[0]
	if got := x.Spelt(stem); got != "databases" {
		t.Errorf("Spelt(%q) = %q", stem, got)
	}
	if got := x.Spelt("nowhere"); got != "" {
		t.Errorf("a term that is not there is spelt %q", got)
	}
	x.Apply([]uint32{1}, nil)
	if got := x.Spelt(x.TermsOf("gone", "")[0]); got != "" {
		t.Errorf("a word that no document holds is spelt %q", got)
	}
}
