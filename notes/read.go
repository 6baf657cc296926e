package notes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/markdown"
	"wikibot/wiki"
)

// Note is a page as programs read it.
type Note struct {
	Path wiki.PagePath // as it is spelt in the wiki
	Meta
	Content     []byte              // raw, with its frontmatter, or the section that was asked for; shared, must not be modified
	Frontmatter []markdown.Property // in their order; nil: none
	LinksTo     []wiki.PagePath     // in the order of the text, also pages that do not exist
	LinkedFrom  []wiki.PagePath     // by name
	Revision    wiki.Revision       // the last commit that touched the page, as of the view
	Last        wiki.Commit         // that commit, without its changes
	Section     string              // full path of the section that Content is; empty: the whole page
	MovedFrom   wiki.PagePath       // the page was asked for under this name, which it no longer has
	Cut         *Cut                // Content is only a beginning; ReadMany alone does that
}

// ReadRequest says what to read of a page.
type ReadRequest struct {
	Path    wiki.PagePath
	Section string // as for markdown.FindSection; empty: the whole page
	NoLinks bool   // leave LinksTo and LinkedFrom empty
}

// Read reads a page. One that was renamed answers at its new place. An ErrNotFound
// names pages with near names. Cost: the page's text a few times, and the links;
// the first links of a wiki read all its pages (see View.Links).
func (s *Service) Read(ctx context.Context, v *gitstore.View, r ReadRequest) (*Note, error) {
	n, err := s.find(ctx, v, r.Path)
	if err != nil {
		return nil, err
	}
	if err := n.describe(ctx, v); err != nil {
		return nil, err
	}
	if r.Section != "" {
		sec, err := markdown.FindSection(n.Content, r.Section)
		if err != nil {
			return nil, err
		}
		n.Section, n.Content = sec.Name(), n.Content[sec.Start:sec.End]
	}
	if !r.NoLinks {
		if n.LinksTo, n.LinkedFrom, err = s.Links(ctx, v, n.Path); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// find reads a page's text, where it is now; a miss names near pages.
func (s *Service) find(ctx context.Context, v *gitstore.View, p wiki.PagePath) (*Note, error) {
	n, err := locate(v, p)
	if errors.Is(err, wiki.ErrNotFound) {
		return nil, s.missing(ctx, v, p)
	}
	return n, err
}

// locate is find without a look at near names.
func locate(v *gitstore.View, p wiki.PagePath) (*Note, error) {
	page, err := v.ReadPage(p)
	var moved *wiki.Moved
	if errors.As(err, &moved) {
		page, err = v.ReadPage(moved.To)
	}
	if errors.Is(err, wiki.ErrNotFound) {
		return nil, wiki.NotFound("Page not found: %s", p)
	}
	if err != nil {
		return nil, err
	}
	n := &Note{Path: page.Path, Content: page.Content}
	if moved != nil {
		n.MovedFrom = p
	}
	return n, nil
}

// describe fills in what the page says of itself, and its last change.
func (n *Note) describe(ctx context.Context, v *gitstore.View) error {
	props, body, _ := markdown.Frontmatter(n.Content)
	n.Frontmatter, n.Meta = props, metaOf(props, body, n.Path)
	last, _, err := v.LastSoon(ctx, n.Path)
	if err != nil {
		return fmt.Errorf("the last change of %q: %w", n.Path, err)
	}
	n.Revision, n.Last = last.Revision, last
	return nil
}

// Links are the pages that a page links to, in the order of its text, also those
// that do not exist; and the pages that link to it, by name. The page need not
// exist. See View.Links for the cost.
func (s *Service) Links(ctx context.Context, v *gitstore.View, p wiki.PagePath) (to, from []wiki.PagePath, err error) {
	tos, froms, err := v.Links(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	return ends(tos), ends(froms), nil
}

func ends(links []gitstore.PageLink) []wiki.PagePath {
	out := make([]wiki.PagePath, len(links))
	for i, l := range links {
		out[i] = l.Page
	}
	return out
}

// Bounds of what a miss looks for.
const (
	nearNames = 5
	nearWait  = 100 * time.Millisecond // for an index of titles that is not there yet
)

// missing is the error of a page that is not there. It begins as clients know it.
func (s *Service) missing(ctx context.Context, v *gitstore.View, p wiki.PagePath) error {
	text := "Page not found: " + string(p)
	if near := s.near(ctx, v, p); len(near) > 0 {
		names := make([]string, len(near))
		for i, q := range near {
			names[i] = string(q)
		}
		text += ". Pages with a similar name: " + strings.Join(names, ", ")
	} else {
		text += ". List the pages or search to find its path"
	}
	return &wiki.Error{Kind: wiki.ErrNotFound, Field: "path", Text: text}
}

// near are pages of that name in other folders, and pages whose name or title fits.
func (s *Service) near(ctx context.Context, v *gitstore.View, p wiki.PagePath) []wiki.PagePath {
	var out []wiki.PagePath
	add := func(q wiki.PagePath) {
		if len(out) < nearNames && !slices.Contains(out, q) {
			out = append(out, q)
		}
	}
	if v.Older() {
		return nil // names are known of the newest state
	}
	for _, q := range v.PagesNamed(p.Name()) {
		add(q)
	}
	if s.Find == nil || len(out) == nearNames {
		return out
	}
	ctx, cancel := context.WithTimeout(ctx, nearWait)
	defer cancel()
	found, err := s.Find.Suggest(ctx, v, p.Name(), nearNames)
	if err != nil {
		return out // it is only a hint
	}
	for _, f := range found {
		add(f.Page)
	}
	return out
}
