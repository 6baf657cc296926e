package streamable

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/mark3labs/mcp-go/mcp"

	"wikibot/limit"
)

// largeBodies is how many bytes of bodies are worked on together (or four of the
// largest, if that is more); a quarter of it for one Peer.Who: somebody could else
// make the server hold thousands of them.
const largeBodies = 64 << 20

// post answers one message.
func (h *Handler) post(w http.ResponseWriter, r *http.Request, p Peer) {
	if !isJSON(r.Header) {
		refuse(w, http.StatusUnsupportedMediaType, nil, mcp.INVALID_REQUEST, "send Content-Type: application/json")
		return
	}
	if !accepts(r.Header, typeJSON) || !accepts(r.Header, typeSSE) {
		refuse(w, http.StatusNotAcceptable, nil, mcp.INVALID_REQUEST, "send Accept: application/json, text/event-stream")
		return
	}
	body, done, ok := h.body(w, r, p)
	if !ok {
		return
	}
	defer done()
	m, err := parse(body)
	var bad *badMessage
	if errors.As(err, &bad) {
		refuse(w, http.StatusBadRequest, bad.id, bad.code, bad.text)
		return
	}
	if room := m.room(); len(body) > room {
		refuse(w, http.StatusRequestEntityTooLarge, m.id, mcp.INVALID_REQUEST, fmt.Sprintf("%s takes at most %d bytes; only calls of tools take more: send less", cmp.Or(clip(m.method), "a response"), room))
		return
	}
	header := r.Header.Get(mcp.HeaderProtocolVersion)
	if mcp.IsModernProtocol(header) || mcp.IsModernProtocol(m.version()) {
		h.postModern(w, r, p, m, body)
		return
	}
	h.postSession(w, r, p, m, body)
}

// body reads a request's body, at most MaxBody bytes. done gives back what it
// counts for.
func (h *Handler) body(w http.ResponseWriter, r *http.Request, p Peer) (body []byte, done func(), ok bool) {
	tooLarge := func() {
		refuse(w, http.StatusRequestEntityTooLarge, nil, mcp.INVALID_REQUEST, "the message is too large; send less at once")
	}
	if r.ContentLength > h.cfg.MaxBody {
		tooLarge()
		return nil, nil, false
	}
	counted, done := h.bodies.Reader(p.owner(), r.Body)
	body, err := io.ReadAll(http.MaxBytesReader(w, counted, h.cfg.MaxBody))
	if err == nil {
		return body, done, true
	}
	done()
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		tooLarge()
	case errors.Is(err, limit.ErrFull):
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, nil, mcp.INTERNAL_ERROR, "too many large messages at once; try again in a moment")
	default:
		refuse(w, http.StatusBadRequest, nil, mcp.PARSE_ERROR, "the body did not come whole; send it again")
	}
	return nil, nil, false
}

// postSession answers a message of the revisions before 2026-07-28.
func (h *Handler) postSession(w http.ResponseWriter, r *http.Request, p Peer, m *message, body []byte) {
	if m.request() && m.method == string(mcp.MethodInitialize) {
		h.initialize(w, r, p, m, body)
		return
	}
	if v := r.Header.Get(mcp.HeaderProtocolVersion); !knownVersion(v) {
		refuse(w, http.StatusBadRequest, m.id, mcp.INVALID_REQUEST, "this protocol version is not served; initialize again to agree on one")
		return
	}
	s, ok := h.session(w, r, p, m)
	if !ok {
		return
	}
	switch {
	case m.response():
		s.answered(m)
		w.WriteHeader(http.StatusAccepted)
	case !m.request():
		c := h.newCall(r.Context(), s, p, m)
		defer c.cancel(nil)
		c.quietly(body)
		w.WriteHeader(http.StatusAccepted)
	default:
		h.request(w, r, s, p, m, body)
	}
}

// quietly hands on a message that has no answer: a notification of the client.
func (c *call) quietly(body []byte) {
	go c.run(body)
	c.serve(nil, nil)
}

// session finds the session that a request names. One that is not this peer's
// does not exist.
func (h *Handler) session(w http.ResponseWriter, r *http.Request, p Peer, m *message) (*session, bool) {
	ids := r.Header.Values(mcp.HeaderSessionID)
	if len(ids) != 1 || ids[0] == "" {
		refuse(w, http.StatusBadRequest, m.id, mcp.INVALID_REQUEST, "the header Mcp-Session-Id is missing; initialize first and send what the answer's header says")
		return nil, false
	}
	s := h.table.find(ids[0], p)
	if s == nil {
		refuse(w, http.StatusNotFound, m.id, mcp.INVALID_REQUEST, "there is no such session (any more); initialize a new one")
		return nil, false
	}
	return s, true
}

// initialize begins a session.
func (h *Handler) initialize(w http.ResponseWriter, r *http.Request, p Peer, m *message, body []byte) {
	s := h.newSession(p)
	h.table.add(s)
	w.Header().Set(mcp.HeaderSessionID, s.id)
	c := h.newCall(r.Context(), s, p, m)
	defer c.cancel(nil)
	go c.run(body)
	out := newStream(w, h.cfg.WriteTimeout)
	a, _ := c.serve(r.Context().Done(), out)
	if a.failed {
		w.Header().Del(mcp.HeaderSessionID)
		h.table.remove(s)
	}
	c.finish(w, out, a)
}

// request answers a request in a session; one that came before, with the same id
// and the same bytes, gets the answer that it got then.
func (h *Handler) request(w http.ResponseWriter, r *http.Request, s *session, p Peer, m *message, body []byte) {
	keep, kept := s.kept.begin(r.Context(), h.keeps(m), m.id, body)
	if kept != nil {
		writeJSON(w, http.StatusOK, kept)
		return
	}
	c := h.newCall(r.Context(), s, p, m)
	go c.run(body)
	out := newStream(w, h.cfg.WriteTimeout)
	a, detached := c.serve(r.Context().Done(), out)
	if detached {
		h.detached.Add(1)
		go c.goOn(keep)
		return
	}
	keep.end(a)
	c.finish(w, out, a)
	c.cancel(nil)
}

func (h *Handler) delete(w http.ResponseWriter, r *http.Request, p Peer) {
	if mcp.IsModernProtocol(r.Header.Get(mcp.HeaderProtocolVersion)) {
		notModern(w)
		return
	}
	s, ok := h.session(w, r, p, &message{})
	if !ok {
		return
	}
	h.table.remove(s)
	w.WriteHeader(http.StatusNoContent)
}
