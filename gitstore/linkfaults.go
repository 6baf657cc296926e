package gitstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"wikibot/markdown"
	"wikibot/wiki"
)

// BrokenLink is a link that leads to something that is not there: the page that
// holds it, and the link with what it names.
type BrokenLink struct {
	From wiki.PagePath
	PageLink
}

// BrokenFiles are the links to attachments and images that do not exist, by page and
// line and of total. It costs a look at the pages that have such links; see Links for
// the first call.
func (v *View) BrokenFiles(ctx context.Context, f LinkFilter) (list []BrokenLink, total int, err error) {
	err = v.linked(ctx, func(x *linkIndex) error {
		for _, p := range slices.Sorted(maps.Keys(x.broken)) {
			if !strings.HasPrefix(string(p), f.Prefix) {
				continue
			}
			x.each(p, func(l markdown.Link, t markdown.Target) bool {
				if t.File != "" && !t.Exists {
					if total++; total > f.Skip && (f.Limit == 0 || len(list) < f.Limit) {
						list = append(list, BrokenLink{p, pageLink(l, t)})
					}
				}
				return true
			})
		}
		return ctx.Err()
	})
	return list, total, err
}

// maxAnchorPages is how many pages one BrokenAnchors reads that no earlier one has
// read as they are.
const maxAnchorPages = 2000

// BrokenAnchors are the links to sections that a page does not have, by page and
// line and of total. Each page that is linked so is read once as
// long as it does not change (about 40 µs), at most 2,000 by one call: unread counts
// the pages that are left to the next. It costs a look at each link besides; see
// Links for the first call.
func (v *View) BrokenAnchors(ctx context.Context, f LinkFilter) (list []BrokenLink, total, unread int, err error) {
	c := anchorCheck{repo: v.repo, known: map[wiki.PagePath]*anchors{}}
	var all []anchorLink
	err = v.linked(ctx, func(x *linkIndex) error {
		c.root, c.style = x.seen, x.style
		for p, l := range x.pages {
			if !strings.HasPrefix(string(p), f.Prefix) {
				continue
			}
			for i, t := range l.to {
				if t.Page != "" && t.Exists && t.Anchor != "" {
					all = append(all, anchorLink{BrokenLink{p, pageLink(l.links[i], t)}, l.links[i]})
				}
			}
		}
		return ctx.Err()
	})
	if err != nil {
		return nil, 0, 0, err
	}
	slices.SortStableFunc(all, func(a, b anchorLink) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Line, b.Line))
	})
	for _, l := range all {
		if ctx.Err() != nil {
			return nil, 0, 0, ctx.Err()
		}
		there, err := c.leads(l)
		if err != nil {
			return nil, 0, 0, err
		}
		if there {
			continue
		}
		if total++; total > f.Skip && (f.Limit == 0 || len(list) < f.Limit) {
			list = append(list, l.BrokenLink)
		}
	}
	return list, total, c.unread, nil
}

// anchorLink is a link to a section, to be checked.
type anchorLink struct {
	BrokenLink
	link markdown.Link
}

// anchors are the ids of one text.
type anchors struct{ headings, raw []string }

// anchorCheck looks sections up in the pages of one tree.
type anchorCheck struct {
	repo   *repo
	root   *folder
	style  markdown.Style
	known  map[wiki.PagePath]*anchors // nil: there is no such text, or it is left to the next call
	reads  int
	unread int
}

func (c *anchorCheck) leads(l anchorLink) (bool, error) {
	a, ok := c.known[l.Page]
	if !ok {
		var err error
		if a, err = c.of(l.Page); err != nil {
			return false, err
		}
		c.known[l.Page] = a
	}
	if a == nil {
		return true, nil
	}
	if _, ok := slices.BinarySearch(a.headings, l.Anchor); ok {
		return true, nil
	}
	_, ok = slices.BinarySearch(a.raw, l.link.Anchor)
	return ok && l.link.Target == "", nil
}

func (c *anchorCheck) of(p wiki.PagePath) (*anchors, error) {
	e, ok, err := c.root.file(p.FileName())
	if err != nil || !ok {
		return nil, err
	}
	if a, ok := c.repo.anchors.get(e.oid); ok {
		return a, nil
	}
	if c.reads == maxAnchorPages {
		c.unread++
		return nil, nil
	}
	c.reads++
	text, err := c.repo.blob(e.oid)
	if err != nil {
		return nil, err
	}
	a := &anchors{}
	a.headings, a.raw = markdown.Anchors(text, c.style)
	c.repo.anchors.put(e.oid, a)
	return a, nil
}
