package web

import (
	"errors"
	"strconv"
	"strings"

	"wikibot/wiki"
)

// A page is also to be had as it is written: at its address with ".md" behind it,
// which no attachment can have, and at its own address by who asks for
// text/markdown. Both take "?revision=". The entity tag is the page's revision, the
// last commit that touched it, as REST names it. Errors are one line of text.

// asksMarkdown reports whether the request would rather have a page's Markdown
// than its HTML: it names text/markdown, and text/html no more than that. What a
// browser sends never does. (RFC 9110, section 12.5.1; cost: the header's length.)
func (q *request) asksMarkdown() bool {
	accept := q.r.Header.Get("Accept")
	if q.isPost() || accept == "" || !q.negotiable() {
		return false
	}
	text, page := 0.0, 0.0
	for one := range strings.SplitSeq(accept, ",") {
		kind, rest, _ := strings.Cut(one, ";")
		switch strings.ToLower(strings.TrimSpace(kind)) {
		case "text/markdown":
			text = max(text, weight(rest))
		case "text/html":
			page = max(page, weight(rest))
		}
	}
	return text > 0 && text >= page
}

// weight is the q of a range in an Accept header; 1 where it has none, 0 where it
// is none.
func weight(parameters string) float64 {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		w, err := strconv.ParseFloat(value, 64)
		if err != nil || w < 0 || w > 1 {
			return 0
		}
		return w
	}
	return 1
}

// negotiable reports whether the address may be of a page, whose answer depends on
// what is asked for.
func (q *request) negotiable() bool {
	return !strings.HasPrefix(q.rest, "/-/") || strings.HasPrefix(q.rest, "/-/page/")
}

// namedPage answers /-/page/…, where pages are whose names mean something else in
// addresses.
func (q *request) namedPage(arg string) error {
	p, err := parsePage(arg)
	switch {
	case err != nil:
		return err
	case strings.HasSuffix(arg, wiki.PageSuffix):
		return q.markdown(p, wiki.PageSuffix)
	}
	return q.showPage(p)
}

// markdown answers with the page p as it is written, now or as it was, or with a
// redirect to where it is; suffix is what the address has behind the page.
func (q *request) markdown(p wiki.PagePath, suffix string) error {
	q.text = true
	rev, err := q.revision("revision")
	if err != nil {
		return err
	}
	v := q.view
	if rev != wiki.Head {
		if v, err = v.At(q.r.Context(), rev); err != nil {
			return err
		}
	}
	page, err := v.ReadPage(p)
	moved := (*wiki.Moved)(nil)
	switch {
	case errors.As(err, &moved):
		return q.redirect(q.keepQuery(q.links().Page(moved.To) + suffix))
	case errors.Is(err, wiki.ErrNotFound):
		return wiki.NotFound("%s", q.texts.get("error.no_page", string(p)))
	case err != nil:
		return err
	case page.Path != p:
		return q.redirect(q.keepQuery(q.links().Page(page.Path) + suffix))
	}
	last, _, err := v.LastSoon(q.r.Context(), p)
	if err != nil {
		return err
	}
	h, tag := q.w.Header(), `"`+string(last.Revision)+`"`
	h.Set("Etag", tag)
	h["Cache-Control"], h["Vary"] = revalidate, variesByKind
	h.Set("Content-Location", withRevision(q.links().Page(p)+wiki.PageSuffix, rev))
	if etagMatches(q.r.Header.Get("If-None-Match"), tag) {
		q.notModified()
		return nil
	}
	h.Set("Last-Modified", last.Date.UTC().Format(httpTime))
	h.Set("Link", "<"+q.absolute(q.links().Page(p))+`>; rel="canonical"`)
	q.sendPlain(page.Content, "text/markdown; charset=utf-8")
	return nil
}

// httpTime is the form of dates in headers (RFC 9110, 5.6.7).
const httpTime = "Mon, 02 Jan 2006 15:04:05 GMT"

// sendPlain sends bytes that are nothing to a browser but text. They are not
// compressed: a strong entity tag is of these very bytes.
func (q *request) sendPlain(body []byte, kind string) {
	h := q.w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", filePolicy)
	h.Set("X-Robots-Tag", "noindex")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	q.w.WriteHeader(200)
	if q.r.Method != "HEAD" {
		q.w.Write(body)
	}
}
