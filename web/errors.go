package web

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"wikibot/limit"
	"wikibot/wiki"
)

// errorPage is the page of an error; each names the next step.
type errorPage struct {
	frame
	Status int
	Head   string
	Text   string
	Faults []string
	Next   []crumb
	Hint   bool // suggest signing in
}

// formError turns what reading a form may fail with into words.
func formError(err error) error {
	var large *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &large):
		return &wiki.Error{Kind: wiki.ErrTooLarge, Text: "the form is larger than " + byteSize(large.Limit) + "; make it smaller, or use git push"}
	}
	return wiki.Invalid("form", "the form cannot be read: %v", err)
}

// status is the HTTP status of a kind of error, and the key of its heading.
func status(err error) (int, string) {
	switch {
	case errors.Is(err, wiki.ErrNotFound):
		return http.StatusNotFound, "error.not_found"
	case errors.Is(err, wiki.ErrUnauthenticated):
		return http.StatusUnauthorized, "error.unauthenticated"
	case errors.Is(err, wiki.ErrPayment):
		return http.StatusPaymentRequired, "error.payment"
	case errors.Is(err, wiki.ErrLimit):
		return http.StatusForbidden, "error.limit"
	case errors.Is(err, wiki.ErrForbidden):
		return http.StatusForbidden, "error.forbidden"
	case errors.Is(err, wiki.ErrConflict):
		return http.StatusConflict, "error.conflict"
	case errors.Is(err, wiki.ErrTooLarge):
		return http.StatusRequestEntityTooLarge, "error.too_large"
	case errors.Is(err, wiki.ErrInvalid):
		return http.StatusUnprocessableEntity, "error.invalid"
	case errors.Is(err, wiki.ErrUnavailable):
		return http.StatusServiceUnavailable, "error.unavailable"
	}
	return http.StatusInternalServerError, "error.internal"
}

// fail answers with the page of an error. What the caller may not read looks
// exactly like what does not exist; an internal error shows a number that the
// log knows.
func (q *request) fail(err error) {
	if q.r.Context().Err() != nil {
		return // nobody is waiting
	}
	code, key := status(err)
	e := &errorPage{frame: q.frame("error", q.texts.get(key), ""), Status: code, Head: q.texts.get(key)}
	e.Hint = q.caller.Anonymous() && (code == http.StatusNotFound || code == http.StatusForbidden || code == http.StatusUnauthorized)
	switch {
	case code == http.StatusInternalServerError:
		id := requestID()
		q.Log.Error("request failed", "id", id, "method", q.r.Method, "wiki", string(q.slug), "path", q.rest, "error", err)
		e.Text = q.texts.get("error.internal_text", id)
	case code == http.StatusNotFound && q.view == nil && q.slug != "":
		e.Text = q.texts.get("error.no_wiki", string(q.slug))
	default:
		e.Text, e.Faults = q.errorText(err, code)
	}
	if code == http.StatusServiceUnavailable {
		q.w.Header().Set("Retry-After", "10")
	}
	if code == http.StatusUnauthorized {
		q.w.Header().Set("WWW-Authenticate", `Bearer realm="wikibot"`) // RFC 9110, 15.5.2; no scheme that makes a browser ask
	}
	if q.text {
		q.w.Header().Del("Etag")
		q.w.Header().Set("Cache-Control", "private, no-store")
		q.w.Header()["Vary"] = variesByKind
		http.Error(q.w, strings.TrimSpace(e.Text+strings.Join(e.Faults, "\n")), code)
		return
	}
	e.Next = q.nextSteps(code)
	q.sendError(e)
}

// errorText is what an error says to its reader: its own words where it was
// written for people, else those of its kind.
func (q *request) errorText(err error, code int) (string, []string) {
	var faults wiki.Faults
	var told *wiki.Error
	var conflict *wiki.Conflict
	switch {
	case errors.As(err, &faults):
		lines := make([]string, len(faults))
		for i, f := range faults {
			lines[i] = f.String()
		}
		return "", lines
	case errors.As(err, &told):
		return told.Text, nil
	case errors.As(err, &conflict):
		return conflict.Error(), nil
	}
	return q.texts.get("error." + map[int]string{
		http.StatusPaymentRequired: "payment_text", http.StatusNotFound: "nothing_here", http.StatusForbidden: "forbidden_text", http.StatusUnauthorized: "unauthenticated_text",
		http.StatusConflict: "conflict_text", http.StatusRequestEntityTooLarge: "too_large_text",
		http.StatusUnprocessableEntity: "invalid_text", http.StatusServiceUnavailable: "unavailable_text",
	}[code]), nil
}

func (q *request) nextSteps(code int) []crumb {
	if q.view == nil {
		return []crumb{{Name: q.texts.get("error.to_site"), URL: q.Addresses.Site("/")}}
	}
	l := q.links()
	steps := []crumb{{q.texts.get("error.to_home"), l.Root()}, {q.texts.get("error.to_index"), l.To("index")}}
	if code == http.StatusServiceUnavailable && !q.isPost() {
		steps = append([]crumb{{q.texts.get("error.retry"), q.here()}}, steps...)
	}
	return steps
}

// TooMany answers a request that met a limit (RFC 6585, section 4) and reports
// whether err is of one: a page for a browser, a line of text for everybody else.
// c is who asked, as far as that is known. No data is looked at, and the page is
// made once for each look and text, so refusing costs less than answering.
func (h *Handler) TooMany(w http.ResponseWriter, r *http.Request, c wiki.Caller, err error) bool {
	var told *limit.Exceeded
	if !errors.As(err, &told) {
		return false
	}
	head := w.Header()
	head.Set("Retry-After", strconv.Itoa(told.Seconds()))
	head.Set("Cache-Control", "private, no-store")
	if !strings.Contains(r.Header.Get("Accept"), "text/html") {
		http.Error(w, told.Error(), http.StatusTooManyRequests)
		return true
	}
	setSecurityHeaders(head)
	q := &request{Handler: h, w: w, r: r, caller: c, rest: r.URL.EscapedPath()}
	key := docKey{address: "too many: " + told.Error(), variant: q.theme() + "|" + q.who()}
	doc, ok := h.docs.get(key)
	if !ok {
		e := &errorPage{frame: q.bareFrame("error", h.texts.get("error.too_many")), Status: http.StatusTooManyRequests, Head: h.texts.get("error.too_many"), Text: sentence(told.Error())}
		e.Next = q.nextSteps(e.Status)
		if doc, err = q.page("error", e); err != nil {
			h.Log.Error("the error page failed", "error", err)
			http.Error(w, told.Error(), http.StatusTooManyRequests)
			return true
		}
		h.docs.put(key, doc)
	}
	q.send(http.StatusTooManyRequests, doc)
	return true
}

// sentence is an error's line as a page says it.
func sentence(line string) string {
	first, size := utf8.DecodeRuneInString(line)
	return string(unicode.ToUpper(first)) + line[size:] + "."
}

// sendError writes the page, or, should even that fail, one line of text.
func (q *request) sendError(e *errorPage) {
	q.w.Header().Del("Etag")
	doc, err := q.page("error", e)
	if err != nil {
		q.Log.Error("the error page failed", "error", err)
		http.Error(q.w, http.StatusText(e.Status), e.Status)
		return
	}
	q.w.Header().Set("Cache-Control", "private, no-store")
	q.send(e.Status, doc)
}

func requestID() string {
	var b [6]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}
