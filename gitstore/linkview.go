package gitstore

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"wikibot/markdown"
	"wikibot/wiki"
)

// linked runs fn over the index of links, brought to this view's state or beyond,
// while nobody changes it.
func (v *View) linked(ctx context.Context, fn func(x *linkIndex) error) error {
	for range 3 { // an idle wiki forgets its index
		if err := v.repo.followLinks(ctx, v.state); err != nil {
			return err
		}
		l := &v.repo.links
		l.mu.RLock()
		if l.now != nil {
			defer l.mu.RUnlock()
			return fn(l.now)
		}
		l.mu.RUnlock()
	}
	return wiki.Unavailable("the links of this wiki are being read; try again in a moment")
}

// Links are the links of a page to other pages, in the order of its text, and of
// other pages to it, by their names; of several links between two pages the first
// counts. AllLinks has every one. The first call for a wiki reads all its pages
// (about 40 µs each); if ctx ends before that is done, its error is ctx's and the
// reading goes on (LinksProgress). Later calls cost the answer, and what has changed
// since.
func (v *View) Links(ctx context.Context, p wiki.PagePath) (to, from []PageLink, err error) {
	err = v.linked(ctx, func(x *linkIndex) error {
		at := x.at(p)
		seen := map[wiki.PagePath]bool{at: true}
		x.each(at, func(l markdown.Link, t markdown.Target) bool {
			if t.Page != "" && !seen[t.Page] {
				seen[t.Page] = true
				to = append(to, pageLink(l, t))
			}
			return true
		})
		for _, source := range x.sources(at) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			x.between(source, at, func(l PageLink) bool {
				from = append(from, l)
				return false
			})
		}
		return nil
	})
	return to, from, err
}

// AllLinks is every link of a page in the order of its text, to pages (itself
// included) and to attachments, and every link of other pages to it, by their names
// and lines; of each at most limit (0: all). more is true where that left some out.
// It costs the answer; see Links for the first call.
func (v *View) AllLinks(ctx context.Context, p wiki.PagePath, limit int) (to, from []PageLink, more bool, err error) {
	full := func(list []PageLink) bool {
		if limit > 0 && len(list) == limit {
			more = true
		}
		return limit > 0 && len(list) == limit
	}
	err = v.linked(ctx, func(x *linkIndex) error {
		at := x.at(p)
		x.each(at, func(l markdown.Link, t markdown.Target) bool {
			switch {
			case t.Page == "" && t.File == "":
			case full(to):
				return false
			default:
				to = append(to, pageLink(l, t))
			}
			return true
		})
		for _, source := range x.sources(at) {
			if ctx.Err() != nil || full(from) {
				return ctx.Err()
			}
			x.between(source, at, func(l PageLink) bool {
				if full(from) {
					return false
				}
				from = append(from, l)
				return true
			})
		}
		return nil
	})
	return to, from, more, err
}

// LinkFilter narrows what a gardener asks for.
type LinkFilter struct {
	Prefix string // only links that stand on pages whose path begins so; for Orphans only such pages
	Skip   int    // leave out as many from the front
	Limit  int    // most entries; 0: all
}

// part is what a filter leaves of a list.
func part[T any](list []T, f LinkFilter) []T {
	list = list[min(max(f.Skip, 0), len(list)):]
	if f.Limit > 0 && len(list) > f.Limit {
		list = list[:f.Limit]
	}
	return list
}

// Wanted is a page that others link to and that does not exist.
type Wanted struct {
	Page  wiki.PagePath
	Links int        // how many links lead to it
	Pages int        // from how many pages
	From  []PageLink // the first link of each of those pages, by name; at most 50
}

// wantedFrom is how many pages a Wanted names.
const wantedFrom = 50

// WantedPages are the pages that are linked and missing, those that most pages link
// to first, then by name, of total. It costs a look at each page that is linked, and
// the answer; see Links for the first call.
func (v *View) WantedPages(ctx context.Context, f LinkFilter) (list []Wanted, total int, err error) {
	err = v.linked(ctx, func(x *linkIndex) error {
		type missing struct {
			fold  string
			pages int
		}
		var all []missing
		for fold, from := range x.into {
			if _, there := x.names.pages[fold]; there {
				continue
			}
			n := 0
			for p := range from {
				if strings.HasPrefix(string(p), f.Prefix) {
					n++
				}
			}
			if n > 0 {
				all = append(all, missing{fold, n})
			}
		}
		slices.SortFunc(all, func(a, b missing) int {
			return cmp.Or(cmp.Compare(b.pages, a.pages), cmp.Compare(a.fold, b.fold))
		})
		total = len(all)
		for _, m := range part(all, f) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			list = append(list, x.wanted(m.fold, f.Prefix))
		}
		return nil
	})
	return list, total, err
}

// wanted describes a missing page, as those pages want it whose path begins so.
func (x *linkIndex) wanted(fold, prefix string) Wanted {
	w := Wanted{Page: x.spelling(fold)}
	for _, source := range x.sources(w.Page) {
		if !strings.HasPrefix(string(source), prefix) {
			continue
		}
		w.Pages, w.Links = w.Pages+1, w.Links+int(x.into[fold][source])
		if len(w.From) == wantedFrom {
			continue
		}
		x.between(source, w.Page, func(l PageLink) bool {
			w.From = append(w.From, l)
			return false
		})
	}
	return w
}

// spelling is what a missing page is called: as the first page by name that links to
// it has it first.
func (x *linkIndex) spelling(fold string) (name wiki.PagePath) {
	first := wiki.PagePath("")
	for p := range x.into[fold] {
		if first == "" || p < first {
			first = p
		}
	}
	x.each(first, func(_ markdown.Link, t markdown.Target) bool {
		if t.Page != "" && t.Page.Fold() == fold {
			name = t.Page
		}
		return name == ""
	})
	return name
}

// Orphans are the pages that no other page links to, by name and of total, without
// the wiki's home page and the special ones (wiki.PagePath.Special). It costs a look
// at each page; see Links for the first call.
func (v *View) Orphans(ctx context.Context, f LinkFilter) (list []wiki.PagePath, total int, err error) {
	home := v.Settings().Home.Fold()
	err = v.linked(ctx, func(x *linkIndex) error {
		for fold, p := range x.names.pages {
			if len(x.into[fold]) == 0 && fold != home && !p.Special() && strings.HasPrefix(string(p), f.Prefix) {
				list = append(list, p)
			}
		}
		return ctx.Err()
	})
	slices.Sort(list)
	return part(list, f), len(list), err
}

// at is a page's true spelling, or p as it is where there is none.
func (x *linkIndex) at(p wiki.PagePath) wiki.PagePath {
	if at, ok := x.names.pages[p.Fold()]; ok {
		return at
	}
	return p
}

// each goes through the links of a page until fn returns false.
func (x *linkIndex) each(p wiki.PagePath, fn func(markdown.Link, markdown.Target) bool) {
	l := x.pages[p]
	if l == nil {
		return
	}
	for i := range l.links {
		if !fn(l.links[i], l.to[i]) {
			return
		}
	}
}

// between goes through the links of one page to another, there or missing; the page
// of each is the one that it stands on.
func (x *linkIndex) between(source, to wiki.PagePath, fn func(PageLink) bool) {
	fold := to.Fold()
	x.each(source, func(l markdown.Link, t markdown.Target) bool {
		if t.Page != to && (t.Exists || t.Page == "" || t.Page.Fold() != fold) {
			return true
		}
		from := pageLink(l, t)
		from.Page, from.Exists = source, true
		return fn(from)
	})
}

func pageLink(l markdown.Link, t markdown.Target) PageLink {
	return PageLink{Page: t.Page, File: t.File, Anchor: t.Anchor, Exists: t.Exists, Line: l.Line, Section: l.Section, Text: l.Text}
}
