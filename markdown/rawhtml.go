package markdown

import (
	"bytes"
	"html"
	"slices"
	"strings"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/text"
	xhtml "golang.org/x/net/html"
)

// rawAllowed are the elements that raw HTML may use, with the attributes that
// each keeps beside those of rawGlobal. All others are left out, their contents
// stay; the contents of rawDropped go too.
var rawAllowed = map[string]string{
	"a": "href", "abbr": "", "b": "", "bdi": "", "bdo": "dir", "blockquote": "", "br": "", "caption": "",
	"center": "", "cite": "", "code": "", "col": "span", "colgroup": "span", "dd": "", "del": "", "details": "open",
	"dfn": "", "div": "align", "dl": "", "dt": "", "em": "", "figcaption": "", "figure": "",
	"h1": "align", "h2": "align", "h3": "align", "h4": "align", "h5": "align", "h6": "align",
	"hr": "", "i": "", "img": "src alt width height align", "ins": "", "kbd": "", "li": "value", "mark": "",
	"ol": "start", "p": "align", "pre": "", "q": "", "rp": "", "rt": "", "ruby": "", "s": "", "samp": "",
	"small": "", "span": "", "strong": "", "sub": "", "summary": "", "sup": "", "table": "", "tbody": "",
	"td": "align colspan rowspan", "tfoot": "", "th": "align colspan rowspan", "thead": "", "tr": "align",
	"u": "", "ul": "", "var": "", "wbr": "",
}

const rawGlobal = "title lang dir id name"

var rawVoid = map[string]bool{"br": true, "col": true, "hr": true, "img": true, "wbr": true}

// rawDropped are elements whose text is not for reading.
var rawDropped = map[string]bool{
	"script": true, "style": true, "iframe": true, "object": true, "embed": true, "noscript": true,
	"template": true, "textarea": true, "select": true, "title": true, "svg": true, "math": true, "xmp": true,
	"noembed": true, "noframes": true, "plaintext": true, "audio": true, "video": true, "canvas": true,
}

// maxRawOpen bounds how many raw elements are open at once.
const maxRawOpen = 60

var kindRawEnd = ast.NewNodeKind("RawEnd")

// rawEnd closes the raw elements that its siblings left open.
type rawEnd struct{ ast.BaseInline }

func (n *rawEnd) Kind() ast.NodeKind            { return kindRawEnd }
func (n *rawEnd) Dump(source []byte, level int) { ast.DumpHelper(n, source, level, nil, nil) }

// clean rewrites the raw HTML of a node to what is allowed. open are the
// elements that its siblings before it left open: only those can be closed.
func (p *pass) clean(n ast.Node, open *[]string, inLink bool) {
	if p.raw == nil && p.link == nil {
		return
	}
	frag, base := rawText(n, p.src)
	z := xhtml.NewTokenizer(bytes.NewReader(frag))
	var out []byte
	pos, dropped := 0, ""
	for {
		tt := z.Next()
		if tt == xhtml.ErrorToken {
			break
		}
		raw := z.Raw()
		at := pos
		pos += len(raw)
		switch tt {
		case xhtml.TextToken:
			if dropped == "" {
				out = append(out, html.EscapeString(string(z.Text()))...)
			}
		case xhtml.StartTagToken, xhtml.SelfClosingTagToken:
			size := len(raw)
			name, _ := z.TagName()
			tag := string(name)
			switch attrs, ok := rawAllowed[tag]; {
			case dropped != "":
			case rawDropped[tag]:
				if tt == xhtml.StartTagToken {
					dropped = tag
				}
			case ok && len(*open) < maxRawOpen && !(inLink && tag == "a"):
				out = p.startTag(out, z, tag, attrs, rawSpan{frag, base, at, size})
				if !rawVoid[tag] {
					*open = append(*open, tag)
				}
			}
		case xhtml.EndTagToken:
			name, _ := z.TagName()
			if dropped == string(name) {
				dropped = ""
			} else if dropped == "" {
				out = endTag(out, open, string(name))
			}
		}
	}
	if p.raw != nil {
		p.raw[n] = out
	}
}

// endTag closes an element and those opened within it, if it is open.
func endTag(out []byte, open *[]string, tag string) []byte {
	for i := len(*open) - 1; i >= 0; i-- {
		if (*open)[i] == tag {
			out = closeTags(out, (*open)[i:])
			*open = (*open)[:i]
			return out
		}
	}
	return out
}

func closeTags(out []byte, open []string) []byte {
	for _, tag := range slices.Backward(open) {
		out = append(append(append(out, "</"...), tag...), '>')
	}
	return out
}

// rawSpan is where a tag stands: its fragment, the fragment's offset in the body
// (-1: not in one piece) and the tag's place in the fragment.
type rawSpan struct {
	frag     []byte
	base     int
	at, size int
}

func (p *pass) startTag(out []byte, z *xhtml.Tokenizer, tag, attrs string, where rawSpan) []byte {
	out = append(append(out, '<'), tag...)
	class := ""
	for more := true; more; {
		var k, v []byte
		k, v, more = z.TagAttr()
		key, value := string(k), string(v)
		if !hasWord(attrs, key) && !hasWord(rawGlobal, key) {
			continue
		}
		switch key {
		case "href", "src":
			value, class = p.rawLink(key, value, where)
			if value == "" {
				continue
			}
		case "id", "name":
			if tag != "a" && key == "name" || value == "" || len(value) > 200 || strings.ContainsAny(value, " \t\r\n\f\"'<>`") {
				continue
			}
			if p.ids != nil {
				p.ids[value] = true
			}
			key, value = "id", userID+value
		case "align":
			value = strings.ToLower(value)
			if value != "left" && value != "right" && value != "center" {
				continue
			}
		case "width", "height", "colspan", "rowspan", "span", "start", "value":
			if !digits(value) {
				continue
			}
		}
		out = appendAttr(out, key, value)
	}
	if class != "" {
		out = appendAttr(out, "class", class)
	}
	if class == "external" {
		out = appendAttr(out, "rel", externalRel)
	}
	return append(out, '>')
}

// userID begins every id that comes from raw HTML; no heading's slug has a colon.
const userID = "user:"

// rawLink tells of a link in raw HTML and gives its new value and class.
func (p *pass) rawLink(key, value string, where rawSpan) (string, string) {
	l := Link{Kind: Inline, raw: true, Target: value, Section: p.section}
	if key == "src" {
		l.Kind = Image
	}
	if i := splitURL([]byte(value)); i >= 0 {
		l.Target = value[:i]
		if hash := strings.IndexByte(value[i:], '#'); hash >= 0 {
			l.Anchor = value[i+hash+1:]
		}
	}
	if where.base >= 0 {
		l.Start = where.base + where.at
		l.End = l.Start + where.size
		l.TargetStart, l.TargetEnd = l.Start, l.Start
		tag := where.frag[where.at : where.at+where.size]
		if i := bytes.Index(tag, []byte(l.Target)); i >= 0 && bytes.LastIndex(tag, []byte(l.Target)) == i && l.Target != "" {
			l.TargetStart, l.TargetEnd = l.Start+i, l.Start+i+len(l.Target)
		}
	}
	if p.link != nil {
		p.link(l)
	}
	if p.attr == nil {
		return "", ""
	}
	return p.attr(l)
}

// rawText is the source of a node of raw HTML and, where it is in one piece, its
// offset.
func rawText(n ast.Node, src []byte) (frag []byte, base int) {
	var segs *text.Segments
	var last text.Segment
	switch n := n.(type) {
	case *ast.RawHTML:
		segs = n.Segments
	case *ast.HTMLBlock:
		segs = n.Lines()
		if n.HasClosure() {
			last = n.ClosureLine
		}
	}
	base, end := -1, -1
	if segs.Len() > 0 {
		base = segs.At(0).Start
		end = base
	} else if last.Stop > last.Start {
		base, end = last.Start, last.Start
	}
	add := func(s text.Segment) {
		if s.Start != end || s.Padding != 0 {
			base = -1
		}
		end = s.Stop
		frag = append(frag, s.Value(src)...)
	}
	for i := range segs.Len() {
		add(segs.At(i))
	}
	if last.Stop > last.Start {
		add(last)
	}
	return frag, base
}

func hasWord(list, word string) bool {
	for len(list) > 0 {
		var w string
		w, list, _ = strings.Cut(list, " ")
		if w == word {
			return true
		}
	}
	return false
}

func appendAttr(b []byte, key, value string) []byte {
	b = append(append(append(b, ' '), key...), `="`...)
	b = append(b, html.EscapeString(value)...)
	return append(b, '"')
}
