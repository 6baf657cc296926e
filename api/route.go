package api

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"wikibot/wiki"
)

// operation is one call of the interface: a row of the table that routes and
// describes.
//
// In a pattern "{path}" stands for a page's path, one segment or more; "{filename}"
// and "{revision}" for one segment.
type operation struct {
	method  string
	pattern string // after "/v1/"
	id      string
	run     func(*call) (reply, error)

	needs   need
	read    bool // of a POST that changes nothing
	counted bool // run calls admit itself, when it knows the cost
	headTag bool // the answer is a function of the newest commit and the query
	now     bool // it tells of the newest state alone: no ?revision=
	dear    bool // it looks at a whole wiki: a few at once, see room

	about
}

// need is what a caller must be able to do before anything is looked at.
type need int

const (
	nothing need = iota // not even see the wiki
	toRead
	toWrite
)

// pathWords are what may stand behind a page's path, and whether every method means
// them or POST alone. Those that POST alone means never hide a page, since POST has
// no other meaning for one.
func pathWord(s string) (word, every bool) {
	switch s {
	case "history", "outline", "diff", "attachments":
		return true, true
	case "rename", "edit", "restore":
		return true, false
	}
	return false, false
}

// route is what a request's path names.
type route struct {
	op   *operation
	path string // of a page, decoded
	file string
	rev  string

	allow []string // the methods of the path; nil: there is no such path
}

// match finds the operation for a method and an escaped path after "/v1". Cost: the
// path and the table, once.
func match(table []operation, method, escaped string) route {
	segments := strings.Split(strings.TrimSuffix(strings.TrimPrefix(escaped, "/"), "/"), "/")
	var found route
	post := method == http.MethodPost
	for i := range table {
		op := &table[i]
		r, ok := op.fits(segments, post)
		if !ok {
			continue
		}
		found.allow = append(found.allow, op.method)
		if op.method == method || op.method == http.MethodGet && method == http.MethodHead {
			if found.op == nil {
				r.allow, r.op = found.allow, op
				found = r
			}
		}
	}
	if slices.Contains(found.allow, http.MethodGet) {
		found.allow = append(found.allow, http.MethodHead)
	}
	if found.allow != nil {
		found.allow = append(found.allow, http.MethodOptions)
	}
	slices.Sort(found.allow)
	found.allow = slices.Compact(found.allow)
	return found
}

// fits reports whether a pattern takes a path, and what its variables stand for.
func (o *operation) fits(have []string, post bool) (r route, ok bool) {
	want := strings.Split(o.pattern, "/")
	at := slices.Index(want, "{path}")
	if at < 0 {
		return r, len(want) == len(have) && r.bind(want, have)
	}
	behind := want[at+1:]
	if len(have) < len(want) || !r.bind(want[:at], have[:at]) {
		return r, false
	}
	page, rest := have[at:], have[at:][:0]
	if want[0] == "pages" { // elsewhere nothing stands behind a path
		page, rest = cutWord(page, post)
	}
	if len(rest) != len(behind) || !r.bind(behind, rest) {
		return r, false
	}
	r.path, ok = decode(strings.Join(page, "/"))
	return r, ok
}

// cutWord parts a page's path from the word behind it.
func cutWord(have []string, post bool) (page, word []string) {
	n := len(have)
	if n >= 3 && have[n-2] == "attachments" {
		return have[:n-2], have[n-2:]
	}
	if n >= 2 {
		if is, every := pathWord(have[n-1]); is && (every || post) {
			return have[:n-1], have[n-1:]
		}
	}
	return have, nil
}

func (r *route) bind(want, have []string) bool {
	for i, w := range want {
		s, ok := decode(have[i])
		switch {
		case !ok:
			return false
		case w == "{filename}":
			r.file = s
		case w == "{revision}":
			r.rev = s
		case w != have[i]:
			return false
		}
	}
	return true
}

// decode is a path without its percent-encoding; false where it is none, or empty.
func decode(escaped string) (string, bool) {
	s, err := url.PathUnescape(escaped)
	return s, err == nil && s != ""
}

// PagePath is the path of a page in the interface's URLs, so that no word of it is
// taken for one of the interface's own.
func PagePath(p wiki.PagePath) string {
	parts := strings.Split(wiki.EscapePath(string(p)), "/")
	var b strings.Builder
	for i, s := range parts {
		if i > 0 {
			word, _ := pathWord(s)
			if word || parts[i-1] == "attachments" {
				b.WriteString("%2F")
			} else {
				b.WriteByte('/')
			}
		}
		b.WriteString(s)
	}
	return b.String()
}
