package rest

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"wikibot/limit"
	"wikibot/wiki"
)

// Problem is an error as it stands in JSON.
type Problem struct {
	Error           string `json:"error" doc:"What happened and the next step."`
	Code            string `json:"code" doc:"The kind of error, see the list of codes." example:"not_found"`
	Field           string `json:"field,omitempty" doc:"The part of the request that is at fault."`
	Operation       int    `json:"operation,omitempty" doc:"Of a commit with several operations: which one is at fault, from 1. None of them was done."`
	CurrentRevision string `json:"current_revision,omitempty" doc:"Of a conflict: the revision that the page has now."`
	RetryAfter      int    `json:"retry_after,omitempty" doc:"Seconds after which it is worth trying again."`
	RequestID       string `json:"request_id,omitempty" doc:"Of an internal error: the name under which the operator finds its cause."`

	// Of a conflict: the texts, where they are known and not too large together.
	Current *string  `json:"current,omitempty" doc:"Of a conflict: the page's text now."`
	Yours   *string  `json:"yours,omitempty" doc:"Of a conflict: the text that you wanted to save."`
	Base    *string  `json:"base,omitempty" doc:"Of a conflict: the text that you began from."`
	Merged  *string  `json:"merged,omitempty" doc:"Of a merge that met a conflict: both texts, with markers as git sets them."`
	Omitted []string `json:"omitted,omitempty" doc:"Texts that were left out because they are too large: read the page instead."`
}

// Kind is one row of the table of errors.
type Kind struct {
	Err    error
	Status int
	Code   string
	About  string
}

// Table is what each kind of error becomes. The first that fits counts. What fits
// none is internal: 500, with nothing of its text.
func Table() []Kind {
	return []Kind{
		{wiki.ErrPayment, http.StatusPaymentRequired, "payment_required", "The wiki's payment has lapsed, or its tier does not include this."},
		{wiki.ErrTooLarge, http.StatusRequestEntityTooLarge, "too_large", "Over a limit on size."},
		{wiki.ErrLimit, http.StatusForbidden, "over_limit", "Over a limit of the wiki's tier."},
		{wiki.ErrUnauthenticated, http.StatusUnauthorized, "unauthenticated", "No credential, or one that does not hold."},
		{wiki.ErrForbidden, http.StatusForbidden, "forbidden", "You may read it, but not do this."},
		{wiki.ErrNotFound, http.StatusNotFound, "not_found", "It does not exist, or you may not know that it does."},
		{wiki.ErrExists, http.StatusConflict, "exists", "There is something of that name already."},
		{wiki.ErrConflict, http.StatusConflict, "conflict", "It has changed since you read it."},
		{wiki.ErrInvalid, http.StatusUnprocessableEntity, "invalid", "The request can never be accepted as it is."},
		{wiki.ErrUnavailable, http.StatusServiceUnavailable, "unavailable", "Not possible at the moment; nothing was changed."},
	}
}

// Status is an error with the status and code of an answer chosen by hand, for what
// HTTP knows and the wiki does not: 405, 412, 415.
type Status struct {
	Status     int
	Code       string
	Err        error
	RetryAfter int // seconds; 0: trying again does not help
}

func (s *Status) Error() string { return s.Err.Error() }

func (s *Status) Unwrap() error { return s.Err }

// Precondition makes a conflict that an If-Match met into a 412 (RFC 9110, 13.1.1).
func Precondition(err error) error {
	if !errors.Is(err, wiki.ErrConflict) {
		return err
	}
	return &Status{Status: http.StatusPreconditionFailed, Code: "precondition_failed", Err: err}
}

// retryUnavailable is when something unavailable is worth another try, in seconds.
const retryUnavailable = 2

// ProblemOf is the status and the object that tell of an error.
func ProblemOf(err error) (int, Problem) {
	var by *Status
	var many *limit.Exceeded
	switch {
	case errors.As(err, &many):
		return http.StatusTooManyRequests, Problem{Error: many.Error(), Code: "rate_limited", RetryAfter: many.Seconds()}
	case errors.As(err, &by):
		p := Problem{Error: err.Error(), Code: by.Code, RetryAfter: by.RetryAfter}
		p.details(err)
		return by.Status, p
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusServiceUnavailable, Problem{Error: "it took too long and was given up: try again, or ask for less", Code: "unavailable", RetryAfter: retryUnavailable}
	}
	for _, k := range Table() {
		if !errors.Is(err, k.Err) {
			continue
		}
		p := Problem{Error: err.Error(), Code: k.Code}
		if k.Err == wiki.ErrUnavailable {
			p.RetryAfter = retryUnavailable
		}
		p.details(err)
		return k.Status, p
	}
	return http.StatusInternalServerError, Problem{Error: "internal error", Code: "internal"}
}

// details fills in what an error knows beside its text.
func (p *Problem) details(err error) {
	var field *wiki.Error
	if errors.As(err, &field) {
		p.Field = field.Field
	}
	var c *wiki.Conflict
	if errors.As(err, &c) {
		p.CurrentRevision = string(c.Current)
		p.texts(c)
	}
}

// mostTexts bounds the texts of a conflict together, in bytes. Those that help most
// stay: the merge with its markers, then the text now.
const mostTexts = 1 << 20

func (p *Problem) texts(c *wiki.Conflict) {
	left := mostTexts
	for _, t := range []struct {
		name string
		text []byte
		into **string
	}{{"merged", c.Merged, &p.Merged}, {"current", c.Ours, &p.Current}, {"yours", c.Theirs, &p.Yours}, {"base", c.Base, &p.Base}} {
		switch {
		case t.text == nil:
		case len(t.text) > left:
			p.Omitted = append(p.Omitted, t.name)
		default:
			s := string(t.text)
			left -= len(s)
			*t.into = &s
		}
	}
}

// Fail answers with an error. An internal one is logged whole, and its answer names
// the request only.
func (c *Codec) Fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // the client has left
	}
	status, p := ProblemOf(err)
	c.FailWith(w, r, status, p, err)
}

// FailWith is Fail with a Problem that was made before.
func (c *Codec) FailWith(w http.ResponseWriter, r *http.Request, status int, p Problem, err error) {
	h := w.Header()
	h.Del("ETag")
	h.Set("Cache-Control", "no-store")
	switch status {
	case http.StatusInternalServerError:
		p.RequestID = h.Get("X-Request-Id")
		c.Log.Error("request failed", "id", p.RequestID, "method", r.Method, "path", r.URL.EscapedPath(), "error", err)
		p.Error = "internal error; the operator finds its cause in the log under the request id"
	case http.StatusUnauthorized:
		challenge := `Bearer realm="wikibot"`
		if r.Header.Get("Authorization") != "" {
			challenge += `, error="invalid_token"` // RFC 6750, 3.1
		}
		h.Set("WWW-Authenticate", challenge)
	}
	if p.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(p.RetryAfter))
	}
	c.Answer(w, r, status, p)
}

// MethodNotAllowed is the error of a method that a path does not have; it sets the
// header Allow (RFC 9110, 15.5.6).
func MethodNotAllowed(w http.ResponseWriter, method string, allow []string, hint string) error {
	list := strings.Join(allow, ", ")
	w.Header().Set("Allow", list)
	text := method + " is not possible here: use " + list
	if hint != "" {
		text += ". " + hint
	}
	return &Status{Status: http.StatusMethodNotAllowed, Code: "method_not_allowed", Err: wiki.Invalid("", "%s", text)}
}
