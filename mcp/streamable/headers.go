package streamable

import (
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

const (
	typeJSON = "application/json"
	typeSSE  = "text/event-stream"
)

// accepts says whether the Accept headers of a request let through a media type
// (RFC 9110, 12.5.1). Without the header everything is welcome. A weight of 0
// takes a type out again.
func accepts(h http.Header, media string) bool {
	lines := h.Values("Accept")
	if len(lines) == 0 {
		return true
	}
	family, _, _ := strings.Cut(media, "/")
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			kind, params, _ := strings.Cut(part, ";")
			kind = strings.TrimSpace(kind)
			if !strings.EqualFold(kind, media) && !strings.EqualFold(kind, family+"/*") && kind != "*/*" {
				continue
			}
			if q := strings.ReplaceAll(params, " ", ""); q == "q=0" || strings.HasPrefix(q, "q=0.0") && strings.Trim(q[4:], "0") == "" {
				continue
			}
			return true
		}
	}
	return false
}

// isJSON says whether a request says that its body is JSON, in UTF-8 as JSON is.
func isJSON(h http.Header) bool {
	media, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || media != typeJSON {
		return false
	}
	charset, ok := params["charset"]
	return !ok || strings.EqualFold(charset, "utf-8")
}

// origin says whether a request comes from a place that may ask: from no page at
// all, from a page of the same host, or from one that the configuration allows.
// That is what keeps a page in a browser from speaking to a server that only the
// browser's machine reaches. The host itself is for the server in front to check:
// behind a proxy it is a public name on a loopback connection.
func (h *Handler) origin(r *http.Request) bool {
	values := r.Header.Values("Origin")
	if len(values) == 0 {
		return true
	}
	if len(values) > 1 {
		return false
	}
	o := values[0]
	if u, err := url.Parse(o); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && strings.EqualFold(u.Host, r.Host) {
		return true
	}
	return h.cfg.AllowedOrigins != nil && h.cfg.AllowedOrigins(o)
}

// versions are the protocol revisions that are served, newest first.
func versions() []string {
	return []string{mcp.ProtocolVersion20260728, mcp.ProtocolVersion20251125, mcp.ProtocolVersion20250618, mcp.ProtocolVersion20250326}
}

// knownVersion says whether a request before 2026-07-28 may name this revision in
// its header. None stands for 2025-03-26, which did not have the header yet.
func knownVersion(v string) bool {
	return v == "" || mcp.IsValidProtocolVersion(v)
}

// primes says whether a client of this revision wants an event with an id and no
// data at the beginning of a stream, to have a place to resume from (2025-11-25;
// older clients choke on empty data).
func primes(version string) bool { return version >= mcp.ProtocolVersion20251125 }
