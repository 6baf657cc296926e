package search

import (
	"bytes"
	"strings"

	"wikibot/search/internal/query"
)

// maxPlaces is how many matches of one page are looked for.
const maxPlaces = 20

// scan reports whether a text matches the regular expressions of a query, and where its
// case counts its words, and where.
func scan(src []byte, q query.Query) (at [][2]int, ok bool) {
	for _, r := range q.Regexps {
		found := r.Expr.FindAllIndex(src, maxPlaces)
		n := 0
		for _, m := range found {
			if m[0] < m[1] {
				n++
				if !r.Not {
					at = append(at, [2]int{m[0], m[1]})
				}
			}
		}
		if n > 0 == r.Not {
			return nil, false
		}
	}
	if !q.Case {
		return at, true
	}
	some, wanted := false, false
	for _, g := range q.Groups {
		held := false
		for _, t := range g.Terms {
			if i := bytes.Index(src, []byte(t.Text)); i >= 0 && t.Text != "" {
				held = true
				if !g.Not {
					at = append(at, [2]int{i, i + len(t.Text)})
				}
			}
		}
		if held && g.Not || !held && g.Must {
			return nil, false
		}
		wanted = wanted || !g.Not
		some = some || held && !g.Not
	}
	return at, some || !wanted
}

// places are where some of the texts stand in a text, in order and apart.
func places(text string, wanted []string) (out [][2]int) {
	for at := 0; at < len(text); {
		best, size := -1, 0
		for _, w := range wanted {
			if i := strings.Index(text[at:], w); w != "" && i >= 0 && (best < 0 || i < best || i == best && len(w) > size) {
				best, size = i, len(w)
			}
		}
		if best < 0 {
			return out
		}
		out = append(out, [2]int{at + best, at + best + size})
		at += best + size
	}
	return out
}
