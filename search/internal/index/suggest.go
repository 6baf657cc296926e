package index

import (
	"cmp"
	"slices"
	"strings"

	"wikibot/search/internal/query"
	"wikibot/wiki"
)

// Named is a page whose name was suggested.
type Named struct {
	Path  wiki.PagePath
	Title string
}

// Suggest is up to n pages for a name that is being typed: those whose title or name
// begins so, then those with a word that does, then those that hold it anywhere, each
// by length and path. It looks at every page's names, about 50 ns each.
func (x *Index) Suggest(typed string, n int) []Named {
	want := wiki.Fold(strings.Join(strings.Fields(typed), " "))
	if want == "" || n <= 0 {
		return nil
	}
	type candidate struct {
		rank, length int
		slot         uint32
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	order := func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.length, b.length), cmp.Compare(x.pages[a.slot].path, x.pages[b.slot].path))
	}
	all := make([]candidate, 0, n+1) // the best so far, in order
	for slot, p := range x.pages {
		if p == nil {
			continue
		}
		rank := 4
		for _, name := range p.names {
			rank = min(rank, nameRank(name, want))
		}
		c := candidate{rank, len(p.title), uint32(slot)}
		if rank == 4 || len(all) == n && order(c, all[n-1]) > 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(all, c, order)
		all = slices.Insert(all, at, c)
		all = all[:min(n, len(all))]
	}
	out := make([]Named, 0, n)
	for _, c := range all[:min(n, len(all))] {
		out = append(out, Named{x.pages[c.slot].path, x.pages[c.slot].title})
	}
	return out
}

// nameRank is how well a name fits what was typed: 0 it is that, 1 it begins so, 2 a
// word of it does, 3 it holds it, 4 it does not.
func nameRank(name, want string) int {
	i := strings.Index(name, want)
	switch {
	case i < 0:
		return 4
	case len(name) == len(want):
		return 0
	case i == 0:
		return 1
	}
	for ; i >= 0; i = next(name, want, i) {
		if i > 0 && strings.IndexByte(" /-_.(", name[i-1]) >= 0 {
			return 2
		}
	}
	return 3
}

func next(name, want string, from int) int {
	i := strings.Index(name[from+1:], want)
	if i < 0 {
		return -1
	}
	return from + 1 + i
}

// Spelling is the word nearest to one that has no hits; empty where there is none.
func (x *Index) Spelling(word string) string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	if all := x.lex.Spellings(word, 1); len(all) > 0 {
		return all[0]
	}
	return ""
}

// Highlight is the bytes of a text that a query's words match.
func (x *Index) Highlight(q query.Query, text, language string) [][2]int {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.lex.Highlight(q, text, language)
}
