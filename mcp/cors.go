package mcp

import "net/http"

// cors lets pages of the configured sites call from a browser (the Fetch standard's
// CORS protocol), and answers a browser's preflight, which bears no credential. It
// reports whether that was the whole request. Without configured sites no page may.
// A cookie never counts, so Allow-Credentials is not sent.
func (h *Handler) cors(w http.ResponseWriter, r *http.Request) (done bool) {
	w.Header().Set("Vary", "Origin")
	origin := r.Header.Get("Origin")
	if origin == "" || !h.allowed(origin) {
		return false
	}
	w.Header().Set("Access-Control-Allow-Origin", origin)
	w.Header().Set("Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id")
	if r.Method != http.MethodOptions || r.Header.Get("Access-Control-Request-Method") == "" {
		return false
	}
	w.Header().Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
	w.Header().Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name")
	w.Header().Set("Access-Control-Max-Age", "600")
	w.WriteHeader(http.StatusNoContent)
	return true
}

func (h *Handler) allowed(origin string) bool {
	for _, o := range h.Origins {
		if o == origin {
			return true
		}
	}
	return false
}
