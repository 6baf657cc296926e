package mcp

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"wikibot/limit"
	"wikibot/wiki"
)

// Unauthenticated answers a request whose credential does not hold (err) or that has
// none (nil): 401 with a challenge (RFC 6750, section 3). It says the same of wikis
// that exist and that do not. Where the address has shown too many bad credentials,
// err is *limit.Exceeded and the answer 429.
func (h *Handler) Unauthenticated(w http.ResponseWriter, r *http.Request, slug wiki.Slug, err error) {
	if w.Header().Get("Access-Control-Allow-Origin") == "" && h.cors(w, r) {
		return
	}
	var over *limit.Exceeded
	if errors.As(err, &over) || err != nil && !errors.Is(err, wiki.ErrUnauthenticated) && !errors.Is(err, wiki.ErrNotFound) {
		h.refuse(w, r, slug, err)
		return
	}
	challenge := []string{`realm="wikibot"`}
	f := failure{Code: "unauthenticated", Message: "MCP needs a token: send it as \"Authorization: Bearer wbt_…\". The wiki's page \"Connect\" shows how to make one"}
	if err != nil {
		challenge = append(challenge, `error="invalid_token"`)
		f.Message = "the token is wrong, revoked, expired or for another wiki; make one for this wiki on its page \"Connect\""
	}
	if h.ResourceMetadata != nil {
		if at := h.ResourceMetadata(slug); at != "" && !strings.ContainsAny(at, "\"\\\r\n") {
			challenge = append(challenge, `resource_metadata="`+at+`"`)
		}
	}
	w.Header().Set("WWW-Authenticate", "Bearer "+strings.Join(challenge, ", "))
	answerError(w, http.StatusUnauthorized, f)
}

// refuse answers a request that gets no further than here.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, slug wiki.Slug, err error) {
	var over *limit.Exceeded
	switch {
	case errors.As(err, &over):
		f, _ := failureOf(err)
		w.Header().Set("Retry-After", strconv.Itoa(over.Seconds()))
		answerError(w, http.StatusTooManyRequests, f)
	case errors.Is(err, wiki.ErrNotFound), errors.Is(err, wiki.ErrUnauthenticated):
		h.Unauthenticated(w, r, slug, wiki.ErrUnauthenticated)
	case errors.Is(err, wiki.ErrPayment):
		f, _ := failureOf(err)
		answerError(w, http.StatusPaymentRequired, f)
	case errors.Is(err, wiki.ErrForbidden):
		f, _ := failureOf(err)
		answerError(w, http.StatusForbidden, f)
	case errors.Is(err, wiki.ErrUnavailable):
		f, _ := failureOf(err)
		w.Header().Set("Retry-After", "5")
		answerError(w, http.StatusServiceUnavailable, f)
	default:
		id := w.Header().Get(requestID)
		h.Log.Error("mcp: a request failed", "wiki", string(slug), "request", id, "err", err)
		answerError(w, http.StatusInternalServerError, failure{Code: "internal", Message: "internal error", RequestID: id})
	}
}

// answerError writes an error as REST does: {"error": text, "code": …}.
func answerError(w http.ResponseWriter, status int, f failure) {
	o := object{{"error", f.Message}, {"code", f.Code}}
	if f.RetryAfter > 0 {
		o = append(o, member{"retry_after", f.RetryAfter})
	}
	if f.RequestID != "" {
		o = append(o, member{"request_id", f.RequestID})
	}
	b, err := json.Marshal(o)
	if err != nil {
		b = []byte(`{"error":"internal error","code":"internal"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}
