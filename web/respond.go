package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"wikibot/wiki"
)

// docKey names an assembled answer: the wiki, the address with its query, the
// state of the content and what the answer shows of its reader.
type docKey struct {
	slug    wiki.Slug
	address string
	state   string
	variant string
}

// document is an answer that may be sent again. Its bytes never change.
type document struct {
	html    []byte
	file    string // instead of html: an embedded asset, read when it is first asked for
	mime    string
	policy  string // Content-Security-Policy; empty: the one of pages
	index   bool   // search engines may keep it
	partial bool   // something was not ready: not to be cached
	gzOnce  sync.Once
	gz      []byte // set by gzOnce; nil where it would not be smaller
}

func (d *document) size() int64 { return int64(len(d.html)) * 5 / 4 }

func (d *document) gzipped() []byte {
	d.gzOnce.Do(func() {
		if d.file != "" {
			d.gz, _ = assetFiles.ReadFile(d.file + ".gz") // the bundles have one
		}
		if d.gz == nil {
			d.gz = gzipBytes(d.text(), 5)
		}
	})
	return d.gz
}

// text is what is sent where it is not compressed.
func (d *document) text() []byte {
	if d.file == "" {
		return d.html
	}
	b, err := assetFiles.ReadFile(d.file)
	if err != nil {
		panic(fmt.Sprintf("an embedded file is gone: %v", err)) // it was listed at the start
	}
	return b
}

func gzipBytes(b []byte, level int) []byte {
	if len(b) < 500 {
		return nil
	}
	var buf bytes.Buffer
	z, _ := gzip.NewWriterLevel(&buf, level) // errs on bad levels only
	z.Write(b)
	z.Close()
	if buf.Len() >= len(b) {
		return nil
	}
	return buf.Bytes()
}

// digest is a short name for a sequence of texts.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:12])
}

// maxCachedQuery bounds the queries whose answers are kept, so that nobody fills
// the cache with addresses of their invention at no cost.
const maxCachedQuery = 120

// key names the answer to this request, should it be one that is kept.
func (q *request) key() docKey {
	k := docKey{slug: q.slug, address: q.rest, state: q.view.Key(), variant: q.variant()}
	if q.r.URL.RawQuery != "" {
		k.address += "?" + q.r.URL.RawQuery
	}
	return k
}

// kept answers a GET from the entity tag or the cache of documents, before
// anything else is looked at. A tag or a document of this key exists only where
// the same address was answered in the same state to a reader of the same
// standing.
func (q *request) kept(k docKey) bool {
	tag := `W/"` + digest(q.version, string(k.slug), k.address, k.state, k.variant) + `"`
	fresh := etagMatches(q.r.Header.Get("If-None-Match"), tag)
	doc, ok := (*document)(nil), false
	if !fresh {
		if doc, ok = q.docs.get(k); !ok {
			return false
		}
	}
	q.tagged(tag)
	if fresh {
		q.notModified()
	} else {
		q.send(http.StatusOK, doc)
	}
	return true
}

func (q *request) tagged(tag string) {
	h := q.w.Header()
	h["Etag"] = []string{tag}
	h["Cache-Control"] = revalidate
	if h["Vary"] = varies; q.negotiable() {
		h["Vary"] = variesByKind
	}
}

var (
	revalidate = []string{"private, no-cache"}
	varies     = []string{"Cookie, Authorization, Accept-Encoding"}

	// variesByKind is for pages, which come as HTML or as Markdown.
	variesByKind = []string{"Cookie, Authorization, Accept-Encoding, Accept"}
)

// cached builds a document that depends on nothing but the key, keeps it and
// sends it. That it is not there yet, kept has found.
func (q *request) cached(build func() (*document, error)) error {
	doc, err := build()
	if err != nil {
		return err
	}
	if doc.partial {
		q.w.Header().Set("Cache-Control", "private, no-store")
		q.send(http.StatusOK, doc)
		return nil
	}
	k := q.key()
	if len(q.r.URL.RawQuery) <= maxCachedQuery {
		q.docs.put(k, doc)
	}
	q.tagged(`W/"` + digest(q.version, string(k.slug), k.address, k.state, k.variant) + `"`)
	q.send(http.StatusOK, doc)
	return nil
}

// notModified leaves the policy out: a browser takes the headers of a 304 over
// those that it has stored, and each document has a policy of its own
// (RFC 9111, section 3.2).
func (q *request) notModified() {
	q.w.Header().Del("Content-Security-Policy")
	q.w.WriteHeader(http.StatusNotModified)
}

// etagMatches is the weak comparison of RFC 9110, section 13.1.2.
func etagMatches(header, tag string) bool {
	if header == "" {
		return false
	}
	tag = strings.TrimPrefix(tag, "W/")
	for one := range strings.SplitSeq(header, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}

// send writes a document, gzipped where the client takes it.
func (q *request) send(status int, d *document) {
	h := q.w.Header()
	if d.mime == "" {
		h["Content-Type"] = htmlType
	} else {
		h.Set("Content-Type", d.mime)
	}
	if d.policy != "" {
		h.Set("Content-Security-Policy", d.policy)
	}
	if !d.index {
		h.Set("X-Robots-Tag", "noindex")
	}
	var body []byte
	if acceptsGzip(q.r) {
		body = d.gzipped()
	}
	if body != nil {
		h.Set("Content-Encoding", "gzip")
	} else {
		body = d.text()
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	q.w.WriteHeader(status)
	if q.r.Method != http.MethodHead {
		q.w.Write(body)
	}
}

var htmlType = []string{"text/html; charset=utf-8"}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" || name == "*" {
			weight = strings.ReplaceAll(weight, " ", "")
			return weight != "q=0" && weight != "q=0.0" && weight != "q=0.00" && weight != "q=0.000"
		}
	}
	return false
}

// page executes a template into a document.
func (q *request) page(name string, data any) (*document, error) {
	b, err := q.templates.execute(name, data)
	if err != nil {
		return nil, err
	}
	return &document{html: b, policy: q.policy()}, nil
}

// show executes a template and sends it, uncached.
func (q *request) show(status int, name string, data any) error {
	doc, err := q.page(name, data)
	if err != nil {
		return err
	}
	q.w.Header().Set("Cache-Control", "private, no-store")
	q.send(status, doc)
	return nil
}

// showCached is show for a view that depends on the wiki's content alone.
func (q *request) showCached(name string, data func() (any, error)) error {
	return q.cached(func() (*document, error) {
		d, err := data()
		if err != nil {
			return nil, err
		}
		return q.page(name, d)
	})
}

// redirect sends the browser to a path of this site (never elsewhere) with 303,
// so that a reload does not repeat a change.
func (q *request) redirect(to string) error {
	q.w.Header().Set("Cache-Control", "no-store")
	q.w.Header().Set("Location", to)
	q.w.WriteHeader(http.StatusSeeOther)
	return nil
}

// local is to if it is a path of this very host, else otherwise: a form's
// "return" must not lead elsewhere ("//evil", "/\evil").
func local(to, otherwise string) string {
	if len(to) > 2000 || !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.ContainsAny(to, "\\\r\n\t") {
		return otherwise
	}
	return to
}

// Policies (CSP 3). A page runs the site's own script and nothing else; images
// from elsewhere only where the wiki's settings allow them.
const (
	basePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; font-src 'self'; media-src 'self'; frame-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; img-src 'self'"
	filePolicy = "sandbox; default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)

func (q *request) policy() string {
	if q.view != nil && q.remoteImages(q.view) {
		return basePolicy + " https:"
	}
	return basePolicy
}

var (
	nosniff  = []string{"nosniff"}
	referrer = []string{"same-origin"}
	policies = []string{basePolicy}
	opener   = []string{"same-origin"}
	features = []string{"camera=(), geolocation=(), microphone=(), payment=(), usb=()"}
)

func setSecurityHeaders(h http.Header) {
	h["X-Content-Type-Options"] = nosniff
	h["Referrer-Policy"] = referrer
	h["Content-Security-Policy"] = policies
	h["Cross-Origin-Opener-Policy"] = opener
	h["Permissions-Policy"] = features
}
