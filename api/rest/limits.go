package rest

import (
	"net/http"

	"wikibot/limit"
)

// Limits tells a client what its bucket holds, see limit.State.Header.
func Limits(h http.Header, policy string, s limit.State) {
	if rate, left := s.Header(policy); rate != "" {
		h.Set("RateLimit-Policy", rate)
		h.Set("RateLimit", left)
	}
}
