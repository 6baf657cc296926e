package markdown

import (
	"bytes"
	"strings"
)

// canonical reports whether HTML has exactly the form that this package writes:
// known elements, closed in order; known attributes, each as key="value" with
// "<", ">" and quotes escaped; URLs that are relative or have a harmless scheme.
// Such HTML a browser can read in one way only, and the policy would not change
// it; to find that out costs a small part of asking the policy. It is stricter than need be: what
// it does not know goes to the policy.
func canonical(b []byte) bool {
	if bytes.IndexByte(b, 0) >= 0 {
		return false
	}
	var open []string
	for {
		i := bytes.IndexByte(b, '<')
		if i < 0 {
			return len(open) == 0
		}
		b = b[i+1:]
		end := len(b) > 0 && b[0] == '/'
		if end {
			b = b[1:]
		}
		n := 0
		for n < len(b) && (b[n] >= 'a' && b[n] <= 'z' || b[n] >= '1' && b[n] <= '6') {
			n++
		}
		keys, known := canonicalElements[string(b[:n])]
		if !known {
			return false
		}
		tag := string(b[:n])
		b = b[n:]
		if end {
			if len(b) == 0 || b[0] != '>' || len(open) == 0 || open[len(open)-1] != tag {
				return false
			}
			open = open[:len(open)-1]
			continue
		}
		if b, known = canonicalAttrs(b, keys); !known {
			return false
		}
		switch tag {
		case "br", "hr", "img", "input":
		default:
			open = append(open, tag)
		}
	}
}

// canonicalElements are the elements that pages without raw HTML consist of, and
// their attributes beside class and id.
var canonicalElements = map[string]string{
	"a": "href rel title aria-label", "blockquote": "", "br": "", "code": "", "dd": "", "del": "", "div": "",
	"dl": "", "dt": "", "em": "", "h1": "", "h2": "", "h3": "", "h4": "", "h5": "", "h6": "", "hr": "",
	"img": "src alt width height loading referrerpolicy", "input": "type checked disabled", "li": "", "mark": "",
	"ol": "start", "p": "", "pre": "", "section": "aria-label", "span": "", "strong": "", "sup": "", "table": "",
	"tbody": "", "td": "align", "th": "align", "thead": "", "tr": "", "ul": "",
}

// canonicalAttrs reads ` key="value"` … `>` and gives what follows.
func canonicalAttrs(b []byte, keys string) (rest []byte, ok bool) {
	for {
		switch {
		case len(b) > 0 && b[0] == '>':
			return b[1:], true
		case len(b) == 0 || b[0] != ' ':
			return nil, false
		}
		eq := bytes.Index(b, []byte(`="`))
		if eq < 0 {
			return nil, false
		}
		key := string(b[1:eq])
		b = b[eq+2:]
		q := bytes.IndexByte(b, '"')
		if q < 0 || bytes.ContainsAny(b[:q], "<>`\n\r\t") && (key == "href" || key == "src" || bytes.IndexByte(b[:q], '<') >= 0) {
			return nil, false
		}
		value := string(b[:q])
		b = b[q+1:]
		switch {
		case key == "class" || key == "id":
		case !hasWord(keys, key):
			return nil, false
		case (key == "href" || key == "src") && !harmlessURL(value), key == "type" && value != "checkbox":
			return nil, false
		}
	}
}

// harmlessURL is true of paths, fragments and the schemes that Resolve lets
// through. Character references of "&", "'" and quotes may be in the value; none
// of them can be part of a scheme.
func harmlessURL(u string) bool {
	if strings.HasPrefix(u, "/") {
		return len(u) < 2 || u[1] != '/' && u[1] != '\\'
	}
	if u == "" || u[0] == '#' {
		return true
	}
	for _, s := range [...]string{"https://", "http://", "mailto:", "tel:"} {
		if strings.HasPrefix(u, s) {
			return true
		}
	}
	return false
}
