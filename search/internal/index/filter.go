package index

import (
	"path"
	"slices"
	"strings"

	"wikibot/search/internal/query"
	"wikibot/wiki"
)

// filter is what the query's filters and Keep let through, by slot; nil: all. Times and
// authors are not known here: Keep is for them.
func (x *Index) filter(q Question) func(slot uint32) bool {
	var tests []func(*page) bool
	for _, f := range q.Query.Filters {
		if t := pageTest(f); t != nil {
			tests = append(tests, t)
		}
	}
	if len(tests) == 0 && q.Keep == nil {
		return nil
	}
	const yes, no = 1, 2
	known := make([]uint8, len(x.pages)) // many chunks ask for one page
	return func(slot uint32) bool {
		if known[slot] == 0 {
			p := x.pages[slot]
			known[slot] = no
			if !slices.ContainsFunc(tests, func(t func(*page) bool) bool { return !t(p) }) && (q.Keep == nil || q.Keep(p.path)) {
				known[slot] = yes
			}
		}
		return known[slot] == yes
	}
}

// pageTest is one filter over the table; nil for those that need history.
func pageTest(f query.Filter) func(*page) bool {
	want := wiki.Fold(f.Value)
	var test func(*page) bool
	switch f.Field {
	case query.Path:
		test = func(p *page) bool { return underPath(p.fold, want) }
	case query.Tag:
		test = func(p *page) bool {
			return slices.ContainsFunc(p.tags, func(t string) bool {
				t = strings.TrimLeft(wiki.Fold(t), "#")
				return t == want || strings.HasPrefix(t, want+"/") // tags may be nested: "area/search"
			})
		}
	case query.Category:
		test = func(p *page) bool { return wiki.Fold(p.category) == want }
	case query.Title:
		test = func(p *page) bool { return strings.Contains(wiki.Fold(p.title), want) }
	default:
		return nil
	}
	if f.Not {
		return func(p *page) bool { return !test(p) }
	}
	return test
}

// underPath reports whether a folded path is the wanted one, lies below it, or matches
// it as a pattern (* and ? within a component).
func underPath(p, want string) bool {
	if strings.ContainsAny(want, "*?[") {
		for at := p; ; {
			if ok, err := path.Match(want, at); ok && err == nil {
				return true
			}
			i := strings.LastIndexByte(at, '/')
			if i < 0 {
				return false
			}
			at = at[:i]
		}
	}
	return p == want || strings.HasPrefix(p, want+"/")
}
