package streamable

import (
	"errors"
	"net/http"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// postModern answers a message of 2026-07-28, which stands alone: no session is
// looked for, and none is begun (SEP-2567, SEP-2575).
func (h *Handler) postModern(w http.ResponseWriter, r *http.Request, p Peer, m *message, body []byte) {
	if a, ok := h.checkModern(r.Header, m); !ok {
		writeJSON(w, http.StatusBadRequest, a.body)
		return
	}
	c := h.newCall(r.Context(), nil, p, m)
	defer c.cancel(nil)
	defer c.unfollow()
	if !m.request() {
		c.quietly(body)
		w.WriteHeader(http.StatusAccepted)
		return
	}
	go c.run(body)
	out := newStream(w, h.cfg.WriteTimeout)
	a, _ := c.serve(r.Context().Done(), out)
	c.finish(w, out, a)
}

// checkModern looks at what headers and body say of each other: intermediaries
// decide by the headers, so the two must agree (SEP-2243).
func (h *Handler) checkModern(header http.Header, m *message) (answer, bool) {
	mismatch := func(text string) (answer, bool) { return fault(m.id, mcp.HEADER_MISMATCH, text, nil), false }
	named, declared := header.Get(mcp.HeaderProtocolVersion), m.version()
	switch {
	case m.response():
		return fault(m.id, mcp.INVALID_REQUEST, "responses of clients left the protocol with 2026-07-28; send the request again with inputResponses", nil), false
	case named == "":
		return mismatch("the header Mcp-Protocol-Version is missing; it repeats " + mcp.MetaKeyProtocolVersion)
	case declared == "" && m.request():
		return fault(m.id, mcp.INVALID_PARAMS, "params._meta has no "+mcp.MetaKeyProtocolVersion, nil), false
	case declared != "" && declared != named:
		return mismatch("the header Mcp-Protocol-Version says " + clip(named) + ", " + mcp.MetaKeyProtocolVersion + " says " + clip(declared))
	case !mcp.IsValidProtocolVersion(named):
		e := mcp.UnsupportedProtocolVersionError{Version: clip(named), Supported: versions()}.JSONRPCError()
		return fault(m.id, e.Error.Code, e.Error.Message, e.Error.Data), false
	}
	if !m.request() {
		return answer{}, true
	}
	if err := h.checkHeaders(header, m, named); err != nil {
		return mismatch(err.Error())
	}
	return answer{}, true
}

func (h *Handler) checkHeaders(header http.Header, m *message, version string) error {
	for _, name := range []string{mcp.HeaderMethod, mcp.HeaderName, mcp.HeaderProtocolVersion} {
		if len(header.Values(name)) > 1 {
			return errors.New("the header " + name + " is there twice")
		}
	}
	method := mcp.MCPMethod(m.method)
	if err := mcp.ValidateStandardHeaders(header.Get, version, method, m.params); err != nil {
		return err
	}
	if method != mcp.MethodToolsCall {
		return nil
	}
	name, _ := mcp.ExtractHeaderName(method, m.params)
	tool := h.cfg.Server.GetTool(name)
	if tool == nil || !annotated(&tool.Tool) {
		return nil
	}
	return mcp.ValidateParamHeadersLookup(func(name string) (string, bool) {
		values := header.Values(name)
		if len(values) == 0 {
			return "", false
		}
		return values[0], true
	}, &tool.Tool, m.params)
}

// annotated says whether a tool may have parameters that travel in headers. To
// find out which ones takes reading its schema whole, at each call.
func annotated(t *mcp.Tool) bool {
	if len(t.RawInputSchema) > 0 {
		return strings.Contains(string(t.RawInputSchema), "x-mcp-header")
	}
	return mentions(t.InputSchema.Properties, 0)
}

func mentions(v any, depth int) bool {
	m, ok := v.(map[string]any)
	if !ok || depth > maxDepth {
		return !ok && v != nil && !plain(v)
	}
	for key, inner := range m {
		if key == "x-mcp-header" || mentions(inner, depth+1) {
			return true
		}
	}
	return false
}

// plain says whether a value of a schema cannot hold another schema; of other
// types one does not know, and looks closer.
func plain(v any) bool {
	switch v.(type) {
	case string, bool, int, int64, float64, []string, []any:
		return true
	}
	return false
}

// clip keeps a header's value from filling an error.
func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// modernStatus is the HTTP status that 2026-07-28 has for an error.
func modernStatus(code int) int {
	switch code {
	case mcp.METHOD_NOT_FOUND:
		return http.StatusNotFound
	case mcp.HEADER_MISMATCH, mcp.MISSING_REQUIRED_CLIENT_CAPABILITY, mcp.UNSUPPORTED_PROTOCOL_VERSION,
		mcp.INVALID_REQUEST, mcp.INVALID_PARAMS, mcp.PARSE_ERROR:
		return http.StatusBadRequest
	}
	return http.StatusOK
}

// notModern answers GET and DELETE, which 2026-07-28 does not have.
func notModern(w http.ResponseWriter) {
	w.Header().Set("Allow", http.MethodPost)
	refuse(w, http.StatusMethodNotAllowed, nil, mcp.INVALID_REQUEST, "2026-07-28 has only POST; listen with subscriptions/listen")
}
