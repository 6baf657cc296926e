package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"
)

// compressFrom is the size from which an answer is compressed, in bytes.
const compressFrom = 1024

// Answer writes a value as JSON. Its ETag, if one is set, is that of the content
// before compression; a compressed answer has it with the coding's name, since a
// strong tag names bytes (RFC 9110, 8.8.3.3). NotModified and Tags understand both.
func (c *Codec) Answer(w http.ResponseWriter, r *http.Request, status int, v any) {
	b := c.buffer()
	defer c.release(b)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		c.Fail(w, r, err)
		return
	}
	c.Bytes(w, r, status, "application/json", b.Bytes())
}

// Room is a ResponseWriter that bounds the memory of answers: an answer is held until
// its client has taken it, which may take long. An error, which is small, is answered
// instead.
type Room interface {
	Room(bytes int) error
}

// Bytes writes a content of any type, compressed where that helps.
func (c *Codec) Bytes(w http.ResponseWriter, r *http.Request, status int, contentType string, body []byte) {
	if room, ok := w.(Room); ok {
		if err := room.Room(len(body)); err != nil {
			c.Fail(w, r, err)
			return
		}
	}
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "private, no-cache")
	}
	vary(h, "Authorization", "Cookie", "Accept", "Accept-Encoding")
	if len(body) >= compressFrom && status != http.StatusNoContent {
		var done func()
		if body, done = c.compress(h, coding(r.Header.Values("Accept-Encoding")), body); done != nil {
			defer done()
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // the client has left
	}
}

// vary adds names to the header Vary, each once.
func vary(h http.Header, names ...string) {
	have := strings.Join(h.Values("Vary"), ", ")
	for _, n := range names {
		if !strings.Contains(", "+have+",", ", "+n+",") {
			have = strings.TrimPrefix(have+", "+n, ", ")
		}
	}
	h.Set("Vary", have)
}

// compress is the body in a coding; done is nil where it stays as it is.
func (c *Codec) compress(h http.Header, coding string, body []byte) (out []byte, done func()) {
	b := c.buffer()
	switch {
	case coding == "zstd" && c.zstd != nil:
		b.Write(c.zstd.EncodeAll(body, b.AvailableBuffer()))
	case coding == "gzip":
		if !c.gzip(b, body) {
			c.release(b)
			return body, nil
		}
	default:
		c.release(b)
		return body, nil
	}
	h.Set("Content-Encoding", coding)
	if tag := h.Get("ETag"); tag != "" {
		h.Set("ETag", strings.TrimSuffix(tag, `"`)+"-"+coding+`"`)
	}
	return b.Bytes(), func() { c.release(b) }
}

func (c *Codec) gzip(into *bytes.Buffer, body []byte) bool {
	z := c.gzips.Get().(*gzip.Writer)
	defer c.gzips.Put(z)
	z.Reset(into)
	_, err := z.Write(body)
	if e := z.Close(); err == nil {
		err = e
	}
	return err == nil
}

// coding chooses the content coding of an answer (RFC 9110, 12.5.3): zstd or gzip,
// whichever the client likes better, zstd of equals; empty: none.
func coding(accept []string) string {
	best, weight := "", 0.0
	quality := map[string]float64{}
	parts := strings.Split(strings.Join(accept, ","), ",")
	for _, part := range parts[:min(len(parts), 20)] {
		name, q := weighted(part)
		quality[name] = q
	}
	for _, name := range []string{"zstd", "gzip"} {
		q, named := quality[name]
		if !named && name == "gzip" {
			q = quality["*"]
		}
		if q > weight {
			best, weight = name, q
		}
	}
	return best
}

// weighted is one element of an Accept header, in lower case, with its weight.
func weighted(part string) (name string, q float64) {
	name, params, _ := strings.Cut(part, ";")
	q = 1
	for _, p := range strings.Split(params, ";") {
		if v, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(p)), "q="); ok {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil || f < 0 || f > 1 {
				f = 0
			}
			q = f
		}
	}
	return strings.ToLower(strings.TrimSpace(name)), q
}

// Accepts reports whether a client would rather have the first of two media types
// (RFC 9110, 12.5.1). The second wins where they are equal, and without a header.
func Accepts(r *http.Request, first, second string) bool {
	a, b := 0.0, 0.0
	parts := strings.Split(strings.Join(r.Header.Values("Accept"), ","), ",")
	for _, part := range parts[:min(len(parts), 20)] {
		switch name, q := weighted(part); name {
		case first:
			a = q
		case second:
			b = q
		}
	}
	return a > b
}
