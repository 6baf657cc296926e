package web

import (
	"errors"
	"html/template"

	"wikibot/gitstore"
	"wikibot/markdown"
	"wikibot/wiki"
)

// renderKey names a rendered text: the same blob reads differently elsewhere in
// the tree (relative links) and under other settings.
type renderKey struct {
	slug   wiki.Slug
	path   wiki.PagePath
	blob   string
	style  markdown.Style
	remote bool
}

// rendered is a cached markdown.Rendered; it is used only while Fresh says that
// what it links to is as it was.
type rendered struct{ *markdown.Rendered }

func (r *rendered) size() int64 { return int64(len(r.HTML))*2 + int64(len(r.TOC))*100 }

// Body is the sanitised HTML, safe to be part of a page.
func (r *rendered) Body() template.HTML { return template.HTML(r.HTML) }

// HasHeading reports whether the text brings its own title as a heading of the
// first level, so that the page needs no other.
func (r *rendered) HasHeading() bool {
	return len(r.TOC) > 0 && r.TOC[0].Level == 1
}

// Contents is the table of contents: headings below the title, where there are
// enough to need one.
func (r *rendered) Contents() []markdown.Heading {
	list := r.TOC
	if r.HasHeading() {
		list = list[1:]
	}
	if len(list) < 2 {
		return nil
	}
	return list
}

// renderPage renders a page of the view v, from the cache where it can.
func (q *request) renderPage(v *gitstore.View, p wiki.Page) (*rendered, error) {
	set := v.Settings()
	key := renderKey{q.slug, p.Path, p.Blob, set.LinkStyle, q.remoteImages(v)}
	if r, ok := q.renders.get(key); ok && r.Fresh(v) {
		return r, nil
	}
	r, err := q.renderText(v, p.Path, p.Content)
	if err != nil {
		return nil, err
	}
	q.renders.put(key, r)
	return r, nil
}

// renderText renders a text as the page p would show it.
func (q *request) renderText(v *gitstore.View, p wiki.PagePath, src []byte) (*rendered, error) {
	set := v.Settings()
	r, err := markdown.Render(src, markdown.Options{
		Path: p, Style: set.LinkStyle, Names: v, URLs: urls{q.links()}, AllowRemoteImages: q.remoteImages(v), Texts: q.words,
	})
	if err != nil {
		return nil, err
	}
	return &rendered{r}, nil
}

// special renders the nearest page of that name ("_Sidebar", "_Footer") in the
// folder of p or above it; nil where there is none.
func (q *request) special(v *gitstore.View, name string, p wiki.PagePath) (*rendered, error) {
	for dir := p.Parent(); ; dir = dir.Parent() {
		at := name
		if dir != "" {
			at = string(dir) + "/" + name
		}
		if real, ok := v.Page(at); ok {
			page, err := v.ReadPage(real)
			if err == nil {
				return q.renderPage(v, page)
			}
			if !errors.Is(err, wiki.ErrNotFound) { // an older state did not have it
				return nil, err
			}
		}
		if dir == "" {
			return nil, nil
		}
	}
}

// remoteImages reports whether a wiki's pages may show images from other
// servers: its owners must want it and the operator allow it.
func (q *request) remoteImages(v *gitstore.View) bool {
	return q.RemoteImages && v.Settings().RemoteImages
}
