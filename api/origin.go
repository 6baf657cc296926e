package api

import (
	"net/http"
	"slices"
	"strings"

	"wikibot/api/rest"
	"wikibot/wiki"
)

const (
	corsMethods = "GET, HEAD, POST, PUT, PATCH, DELETE"
	corsTakes   = "Authorization, Content-Type, Accept, If-Match, If-None-Match, Idempotency-Key, Last-Event-ID, Wikibot-Agent"
	corsGives   = "ETag, RateLimit, RateLimit-Policy, Retry-After, Idempotent-Replayed, X-Request-Id, Allow"
)

// origin lets the scripts of configured sites read the answer (the Fetch Standard,
// "CORS protocol"). There is no Access-Control-Allow-Credentials: a browser sends no
// cookie along, or keeps the answer to itself.
func (h *Handler) origin(w http.ResponseWriter, r *http.Request) {
	if len(h.Origins) == 0 {
		return
	}
	w.Header().Add("Vary", "Origin")
	if origin := r.Header.Get("Origin"); h.allowed(origin) {
		w.Header().Set("Access-Control-Allow-Origin", origin)
		w.Header().Set("Access-Control-Expose-Headers", corsGives)
	}
}

func (h *Handler) allowed(origin string) bool {
	return origin != "" && (slices.Contains(h.Origins, "*") || slices.Contains(h.Origins, strings.ToLower(origin)))
}

// preflight answers a browser that asks on behalf of another site whether a request
// may be made, and reports whether it was that.
func (h *Handler) preflight(w http.ResponseWriter, r *http.Request) bool {
	if r.Header.Get("Access-Control-Request-Method") == "" || !h.allowed(r.Header.Get("Origin")) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Methods", corsMethods)
	w.Header().Set("Access-Control-Allow-Headers", corsTakes)
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

// safeOrigin refuses what another site may have made a browser send: a browser adds
// the cookie by itself, and a password that it was once asked for (Basic), but never
// another header Authorization. With a cookie a body must be JSON or Markdown, which a
// form cannot send.
func (h *Handler) safeOrigin(r *http.Request) error {
	if rest.ByHand(r) {
		return nil
	}
	if h.cross.Check(r) != nil {
		return wiki.Forbidden("this request came from another web site with a browser's cookie or password, or without any credential: send a token as \"Authorization: Bearer …\"")
	}
	if r.Header.Get("Authorization") != "" {
		return nil
	}
	if r.Method == http.MethodDelete && r.ContentLength == 0 {
		return nil
	}
	if !rest.IsJSON(r) && !rest.IsMarkdown(r) {
		return &rest.Status{Status: http.StatusUnsupportedMediaType, Code: "unsupported_media_type",
			Err: wiki.Invalid("Content-Type", "without a token the body must be sent as Content-Type: application/json")}
	}
	return nil
}
