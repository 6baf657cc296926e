package markdown

import (
	"bytes"
	"hash/maphash"
	"html"
	"unicode/utf8"

	"github.com/yuin/goldmark/ast"

	"wikibot/wiki"
)

// Bounds of one rendering.
const (
	maxSource      = 2 << 20   // bytes of a page; a larger one is shown as its source
	maxEmbedDepth  = 4         // pages within pages
	maxEmbeds      = 100       // pages in one page
	maxEmbedSource = 1 << 20   // bytes of source of all of them
	maxHighlighted = 256 << 10 // bytes of code with colours in one page
	maxCodeBlock   = 64 << 10  // and in one block of it
)

// Render turns a page into safe HTML. It never fails because of what the page
// says: broken frontmatter, links to nothing and endless embeds are shown as
// such. The error is always nil at present; it is there for an Options that
// cannot be served. It is safe for concurrent use.
//
// A page of 4.5 kB takes a fraction of a millisecond; time and size of the
// result are bounded by the constants above, whatever the page.
func Render(src []byte, o Options) (*Rendered, error) {
	o = o.filled()
	r := &Rendered{}
	s := &session{o: &o, out: &bytes.Buffer{}, result: r}
	if !utf8.Valid(src) {
		src = bytes.ToValidUTF8(src, []byte("\ufffd"))
	}
	if len(src) > maxSource {
		r.Title = o.Path.Name()
		s.message("too-large", o.Texts.TooLarge)
		s.pre(src)
		r.HTML = s.out.Bytes()
		return r, nil
	}
	head, off := frontmatter(src)
	if off > 0 {
		props, err := parseProperties(head)
		if err != nil {
			s.badFrontmatter(head, err)
		}
		r.Properties = props
	}
	r.Title = title(r.Properties, src[off:], o.Path)
	s.out.Grow(2 * len(src))
	s.chain = append(s.chain, o.Path.Fold())
	s.page(src[off:], o.Path, "")
	r.HTML = sanitise(s.out, s.raw)
	r.deps = s.deps
	return r, nil
}

func (o Options) filled() Options {
	if o.Style == "" {
		o.Style = TargetFirst
	}
	if o.Names == nil {
		o.Names = nothing{}
	}
	if o.URLs == nil {
		o.URLs = rootURLs{}
	}
	if o.Texts == nil {
		o.Texts = English()
	}
	return o
}

// rootURLs is the URLs of Options that name none.
type rootURLs struct{}

func (rootURLs) Page(p wiki.PagePath) string   { return "/" + wiki.EscapePath(string(p)) }
func (rootURLs) File(f wiki.FilePath) string   { return "/" + wiki.EscapePath(string(f)) }
func (rootURLs) Create(p wiki.PagePath) string { return "/" + wiki.EscapePath(string(p)) }

// session is what a page and the pages embedded in it share.
type session struct {
	o      *Options
	out    *bytes.Buffer
	result *Rendered
	deps   deps

	chain       []string // folded paths of the pages around the present one
	embeds      int
	embedSource int
	highlighted int
	raw         bool // an author's HTML is in the output
}

// sheet is one page, or embedded page, being written. It is the writer that
// goldmark hands to the functions in nodes.go, which so find their state.
type sheet struct {
	*bytes.Buffer
	*session
	src    []byte
	path   wiki.PagePath
	prefix string // of the ids of footnotes: "" for the page itself
	pass   *pass
	ids    map[ast.Node]string // of headings
	ends   []string            // end tags of the links that are open
	inLink int                 // how many <a> are open
}

// Buffered and Flush make a sheet a goldmark util.BufWriter.
func (s *sheet) Buffered() int { return 0 }

// Flush does nothing: the buffer is the destination.
func (s *sheet) Flush() error { return nil }

// page renders a body; where section is not empty, only the section whose slug
// it is. It reports false if there is no such section.
func (s *session) page(body []byte, path wiki.PagePath, section string) bool {
	doc := parse(body, s.o.Style)
	sh := &sheet{Buffer: s.out, session: s, src: body, path: path}
	sh.pass = &pass{src: body, attr: sh.rawAttr, raw: map[ast.Node][]byte{}, ids: map[string]bool{}}
	if len(s.chain) == 1 {
		sh.ids = map[ast.Node]string{}
		var taken slugs
		sh.pass.heading = func(h *ast.Heading, text string) {
			id := taken.take(text)
			sh.ids[h] = id
			s.result.TOC = append(s.result.TOC, Heading{Level: h.Level, ID: id, Text: text})
		}
	} else {
		sh.prefix = "e" + itoa(s.embeds) + ":"
	}
	if section != "" && !narrow(doc, body, section) {
		return false
	}
	sh.pass.run(doc)
	// The functions in nodes.go return no errors and a buffer takes every write.
	_ = output.Render(sh, body, doc)
	return true
}

// narrow leaves of a document only the section with a slug: its heading and what
// follows up to the next heading of its level.
func narrow(doc ast.Node, src []byte, slug string) bool {
	var taken slugs
	level := 0
	for c := doc.FirstChild(); c != nil; {
		next := c.NextSibling()
		h, isHeading := c.(*ast.Heading)
		switch {
		case level == 0 && isHeading && taken.take(nodeText(h, src)) == slug:
			level = h.Level
		case level == 0, level < 0 && c.Kind() != footnoteList:
			if c.Kind() != ast.KindLinkReferenceDefinition {
				doc.RemoveChild(doc, c)
			}
		case isHeading && h.Level <= level:
			level = -1
			doc.RemoveChild(doc, c)
		}
		c = next
	}
	return level != 0
}

func (s *session) badFrontmatter(head []byte, err error) {
	s.message("frontmatter-error", s.o.Texts.BadFrontmatter+": "+err.Error())
	s.pre(head)
}

// message is a remark of the renderer in place of something.
func (s *session) message(class, text string) {
	s.out.WriteString(`<p class="message ` + class + `">`)
	s.out.WriteString(html.EscapeString(text))
	s.out.WriteString("</p>\n")
}

func (s *session) pre(text []byte) {
	s.out.WriteString("<pre>")
	escape(s.out, text)
	s.out.WriteString("</pre>\n")
}

// embed shows a page, or a section of it, within another.
func (s *sheet) embed(t Target, l Link) {
	key := t.Page.Fold()
	for _, c := range s.chain {
		if c == key {
			s.message("embed-error", s.o.Texts.EmbedCycle+": "+string(t.Page))
			return
		}
	}
	if len(s.chain) > maxEmbedDepth || s.embeds >= maxEmbeds || s.embedSource > maxEmbedSource {
		s.message("embed-error", s.o.Texts.EmbedTooDeep+": "+string(t.Page))
		return
	}
	src, ok := s.o.Names.Text(t.Page)
	s.deps.text(t.Page, src, ok)
	s.embeds++
	s.embedSource += len(src)
	if s.embedSource > maxEmbedSource {
		s.message("embed-error", s.o.Texts.EmbedTooDeep+": "+string(t.Page))
		return
	}
	if !utf8.Valid(src) {
		src = bytes.ToValidUTF8(src, []byte("\ufffd"))
	}
	props, body, _ := Frontmatter(src)
	s.WriteString(`<div class="embed"><p class="embed-title">`)
	s.open(l, t)
	name := title(props, body, t.Page)
	if l.Anchor != "" {
		name += " > " + l.Anchor
	}
	escape(s.Buffer, []byte(name))
	s.close()
	s.WriteString("</p>\n<div class=\"embed-body\">\n")
	s.chain = append(s.chain, key)
	found := s.page(body, t.Page, t.Anchor)
	s.chain = s.chain[:len(s.chain)-1]
	if !found {
		s.message("embed-error", s.o.Texts.EmbedNoSection+": "+l.Anchor)
	}
	s.WriteString("</div></div>\n")
}

// deps is what a rendering has asked about the wiki, with the answers.
type deps struct {
	links []dep
	seen  map[dep]bool
	texts []textDep
}

type dep struct {
	from   wiki.PagePath
	kind   Kind
	target string
	anchor string
	answer Target
}

type textDep struct {
	page wiki.PagePath
	ok   bool
	sum  uint64
}

// textSeed keys the hashes of embedded texts; nobody outside can find collisions.
var textSeed = maphash.MakeSeed()

func (d *deps) text(p wiki.PagePath, src []byte, ok bool) {
	d.texts = append(d.texts, textDep{p, ok, maphash.Bytes(textSeed, src)})
}

func (d *deps) link(from wiki.PagePath, l Link, t Target) {
	e := dep{from, l.Kind, l.Target, l.Anchor, t}
	if t.External || l.Target == "" || d.seen[e] {
		return
	}
	if d.seen == nil {
		d.seen = map[dep]bool{}
	}
	d.seen[e] = true
	d.links = append(d.links, e)
}

// Fresh reports whether everything that the page's links and embeds resolved to
// is as it was, so that the HTML is still right. It costs a few look-ups for each
// different link.
func (r *Rendered) Fresh(n Names) bool {
	if n == nil {
		n = nothing{}
	}
	for _, d := range r.deps.links {
		if Resolve(n, d.from, Link{Kind: d.kind, Target: d.target, Anchor: d.anchor}) != d.answer {
			return false
		}
	}
	for _, d := range r.deps.texts {
		src, ok := n.Text(d.page)
		if ok != d.ok || maphash.Bytes(textSeed, src) != d.sum {
			return false
		}
	}
	return true
}
