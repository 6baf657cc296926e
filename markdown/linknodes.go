package markdown

import (
	"net/url"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// resolve asks Resolve and notes the answer for Fresh.
func (s *sheet) resolve(l Link) Target {
	t := Resolve(s.o.Names, s.path, l)
	s.deps.link(s.path, l, t)
	return t
}

// href is the address of a target, "" where it has none, and the class of a link
// to it.
func (s *sheet) href(l Link, t Target) (href, class string) {
	switch {
	case t.External:
		return t.URL, "external"
	case t.Page != "" && !t.Exists:
		return s.o.URLs.Create(t.Page), "missing"
	case t.Page == s.path && t.Exists && l.Target == "":
		return "#" + fragment(s.local(l, t)), "internal"
	case t.Page != "" && t.Anchor != "":
		return s.o.URLs.Page(t.Page) + "#" + fragment(t.Anchor), "internal"
	case t.Page != "":
		return s.o.URLs.Page(t.Page), "internal"
	case t.File != "" && t.Exists:
		return s.o.URLs.File(t.File), "attachment"
	case t.File != "":
		return "", "missing file"
	}
	return "", "invalid"
}

// fragment is an id as the fragment of a URL.
func fragment(id string) string {
	for i := 0; i < len(id); i++ {
		if c := id[i]; c >= 0x80 || c == '%' {
			return (&url.URL{Fragment: id}).String()[1:]
		}
	}
	return id
}

// local is the id that a link within the page leads to.
func (s *sheet) local(l Link, t Target) string {
	if s.pass.ids[l.Anchor] {
		return userID + l.Anchor
	}
	return t.Anchor
}

// open begins a link to a target; close ends it. What leads nowhere is a <span>,
// as is a link within a link.
func (s *sheet) open(l Link, t Target) {
	href, class := s.href(l, t)
	if href == "" || s.inLink > 0 {
		s.WriteString(`<span class="` + class + `">`)
		s.ends = append(s.ends, "</span>")
		return
	}
	s.WriteString(`<a class="` + class + `"`)
	s.attr("href", href)
	switch class {
	case "external":
		s.attr("rel", externalRel)
	case "missing":
		s.attr("rel", "nofollow")
		s.attr("title", s.o.Texts.Create)
	}
	s.WriteByte('>')
	s.ends = append(s.ends, "</a>")
	s.inLink++
}

func (s *sheet) close() {
	end := s.ends[len(s.ends)-1]
	s.ends = s.ends[:len(s.ends)-1]
	s.WriteString(end)
	if end == "</a>" {
		s.inLink--
	}
}

func (s *sheet) link(n *ast.Link, entering bool) ast.WalkStatus {
	if !entering {
		s.close()
		return ast.WalkContinue
	}
	l, _ := inlineLink(s.src, n, s.pass.defs)
	s.open(l, s.resolve(l))
	return ast.WalkContinue
}

func (s *sheet) autoLink(n *ast.AutoLink, entering bool) ast.WalkStatus {
	if !entering {
		return ast.WalkContinue
	}
	label := n.Label(s.src)
	u := string(n.URL(s.src))
	if n.AutoLinkType == ast.AutoLinkEmail && !strings.HasPrefix(strings.ToLower(u), "mailto:") {
		u = "mailto:" + u
	}
	l := Link{Kind: Inline, Target: u}
	r := resolver{Names: nothing{}}
	t, done := r.external(l)
	if !done {
		t = Target{}
	}
	s.open(l, t)
	escape(s.Buffer, label)
	s.close()
	return ast.WalkSkipChildren
}

func (s *sheet) image(n *ast.Image, entering bool) ast.WalkStatus {
	if entering {
		l, _ := inlineLink(s.src, n, s.pass.defs)
		s.picture(l, s.resolve(l), nodeText(n, s.src), "", "")
	}
	return ast.WalkSkipChildren
}

// picture shows an image, or a link where it is none or may not be loaded.
func (s *sheet) picture(l Link, t Target, alt, width, height string) {
	src := ""
	switch {
	case t.File != "" && t.Exists && isImage(t.File):
		src = s.o.URLs.File(t.File)
	case t.External && s.o.AllowRemoteImages && strings.HasPrefix(strings.ToLower(t.URL), "http"):
		src = t.URL
	default:
		s.open(l, t)
		if alt == "" {
			alt = l.Target
		}
		escape(s.Buffer, []byte(alt))
		s.close()
		return
	}
	s.WriteString("<img")
	s.attr("src", src)
	s.attr("alt", alt)
	if width != "" {
		s.attr("width", width)
	}
	if height != "" {
		s.attr("height", height)
	}
	s.WriteString(` loading="lazy"`)
	if t.External {
		s.WriteString(` referrerpolicy="no-referrer"`)
	}
	s.WriteByte('>')
}

// block reports whether an embedded page stands alone in its paragraph, so that
// it is shown in full. Elsewhere it is a link.
func (s *sheet) block(n *wikiLink) bool {
	if n.link.Kind != Embed || n.plain || s.o.Plain || n.PreviousSibling() != nil || n.NextSibling() != nil {
		return false
	}
	if k := n.Parent().Kind(); k != ast.KindParagraph && k != ast.KindTextBlock {
		return false
	}
	t := s.resolve(n.link)
	return t.Page != "" && t.Exists
}

func (s *sheet) wikiLink(n *wikiLink, entering bool) ast.WalkStatus {
	if !entering {
		return ast.WalkContinue
	}
	l := n.link
	if n.plain {
		escape(s.Buffer, []byte(n.label()))
		return ast.WalkContinue
	}
	t := s.resolve(l)
	switch {
	case l.Kind == Embed && s.block(n):
		s.embed(t, l)
	case l.Kind == Embed && t.Page == "":
		width, height, sized := parseSize(l.Text)
		alt := l.Text
		if !sized {
			width, height = "", ""
		}
		if sized || alt == "" {
			alt = l.Target
		}
		s.picture(l, t, alt, width, height)
	default:
		s.open(l, t)
		escape(s.Buffer, []byte(n.label()))
		s.close()
	}
	return ast.WalkContinue
}

// rawAttr gives the new value of an href or src in raw HTML, and the class that
// goes with it; no value leaves the attribute out.
func (s *sheet) rawAttr(l Link) (value, class string) {
	t := s.resolve(l)
	href, class := s.href(l, t)
	if l.Kind != Image {
		if href == "" {
			class = ""
		}
		return href, class
	}
	if t.File != "" && t.Exists && isImage(t.File) {
		return href, ""
	}
	if t.External && s.o.AllowRemoteImages && strings.HasPrefix(strings.ToLower(t.URL), "http") {
		return href, ""
	}
	return "", ""
}
