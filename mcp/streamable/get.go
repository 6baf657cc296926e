package streamable

import (
	"net/http"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// get opens a stream for what the server says by itself in a session, or resumes
// the stream of a call (Last-Event-ID).
func (h *Handler) get(w http.ResponseWriter, r *http.Request, p Peer) {
	version := r.Header.Get(mcp.HeaderProtocolVersion)
	switch {
	case mcp.IsModernProtocol(version):
		notModern(w)
		return
	case !accepts(r.Header, typeSSE):
		refuse(w, http.StatusNotAcceptable, nil, mcp.INVALID_REQUEST, "this is an MCP endpoint; a program opens its stream with Accept: text/event-stream")
		return
	case !knownVersion(version):
		refuse(w, http.StatusBadRequest, nil, mcp.INVALID_REQUEST, "this protocol version is not served; initialize again to agree on one")
		return
	}
	s, ok := h.session(w, r, p, &message{})
	if !ok {
		return
	}
	g := &getter{h: h, s: s, p: p, r: r, out: newStream(w, h.cfg.WriteTimeout)}
	// What the server in front allows for reading a request would end the stream.
	// (net/http takes it off by itself when it has read a body.)
	_ = g.out.rc.SetReadDeadline(time.Time{}) // a writer without deadlines is a test's
	last := r.Header.Get(mcp.HeaderLastEventID)
	if last == "" {
		g.own(0, false)
		return
	}
	number, n, ok := parseEventID(last)
	if ok && number == 0 {
		g.own(n, true)
		return
	}
	if t := s.transcript(number); ok && t != nil {
		g.resume(t, n)
		return
	}
	refuse(w, http.StatusBadRequest, nil, mcp.INVALID_REQUEST, "what came after that event is not kept any more; send the request again")
}

// getter serves one GET.
type getter struct {
	h   *Handler
	s   *session
	p   Peer
	r   *http.Request
	out *stream
}

// own serves the session's own stream until the client, the session or the peer's
// right to it is gone.
func (g *getter) own(after uint64, resumed bool) {
	reader := g.s.inbox.open(after, resumed)
	defer g.s.inbox.close(reader)
	g.out.begin()
	first := g.out.beat
	if primes(g.s.ProtocolVersion()) {
		first = func() error { return g.out.send(event{id: eventID(0, reader.at), retry: retryAfter}) }
	}
	if first() != nil {
		return
	}
	beat := time.NewTicker(g.h.cfg.Heartbeat)
	defer beat.Stop()
	for {
		e, ok, changed := g.s.inbox.take(reader)
		if !ok {
			if !g.wait(changed, beat) {
				return
			}
			continue
		}
		if g.p.check() != nil || g.out.send(e) != nil {
			return
		}
	}
}

// resume sends what the stream of a call had after event n, and what it still
// gets.
func (g *getter) resume(t *transcript, n uint64) {
	g.out.begin()
	if g.out.beat() != nil {
		return
	}
	beat := time.NewTicker(g.h.cfg.Heartbeat)
	defer beat.Stop()
	for {
		list, over, changed := t.after(n)
		for _, e := range list {
			if g.p.check() != nil || g.out.send(e) != nil {
				return
			}
			_, n, _ = parseEventID(e.id)
		}
		if over || !g.wait(changed, beat) {
			return
		}
	}
}

// wait returns true when there is something to look at.
func (g *getter) wait(changed <-chan struct{}, beat *time.Ticker) bool {
	for {
		select {
		case <-changed:
			return true
		case <-beat.C:
			g.h.table.touch(g.s)
			if g.p.check() != nil || g.out.beat() != nil {
				return false
			}
		case <-g.r.Context().Done():
			return false
		case <-g.s.ended:
			return false
		case <-g.h.closing:
			return false
		}
	}
}
