package streamable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"
)

// ahead is how many notifications a handler may be ahead of its client; then it
// waits. It bounds the memory of a call with a slow reader.
const ahead = 16

var (
	errGone    = errors.New("the client is gone")
	errSession = errors.New("the session has ended")
	errClosing = errors.New("the server is being closed")
	errLate    = errors.New("the client has not come back for its stream")
)

// call is one JSON-RPC request that is being answered, and the ClientSession that
// mcp-go sees meanwhile. Two goroutines work on it: one runs the dispatcher, and
// the one that serves the HTTP request writes what comes out, so that nothing but
// that one ever touches the ResponseWriter.
type call struct {
	*state          // of the session, or of this request alone
	h      *Handler // never nil
	sess   *session // nil: a request of 2026-07-28
	name   string   // what mcp-go knows the session by
	peer   Peer
	msg    *message

	ctx    context.Context
	cancel context.CancelCauseFunc

	slots    chan struct{}                // taken before a notification is said
	said     chan mcp.JSONRPCNotification // as long as slots, so that mcp-go never finds it full
	asked    chan []byte                  // requests of the server
	detach   chan struct{}                // the handler wants the stream closed and go on
	done     chan answer                  // the answer
	listener *listener                    // nil: not subscriptions/listen
	trace    *transcript                  // nil: the stream cannot be resumed
	dead     bool                         // nobody reads any more; of the serving goroutine
}

func (h *Handler) newCall(ctx context.Context, s *session, p Peer, m *message) *call {
	c := &call{h: h, sess: s, peer: p, msg: m,
		slots: make(chan struct{}, ahead), said: make(chan mcp.JSONRPCNotification, ahead),
		asked: make(chan []byte), detach: make(chan struct{}, 1), done: make(chan answer, 1)}
	if s != nil {
		c.state, c.name = &s.state, s.id
	} else {
		c.state, c.name = &state{}, fmt.Sprintf("request-%d", h.requests.Add(1))
		if m.method == string(mcp.MethodSubscriptionsListen) {
			c.listener = newListener(c)
			c.state.follow = c.listener.follow
		}
	}
	// The request's own context ends when the connection does; who is to hear of
	// that is decided below (serve).
	c.ctx, c.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	return c
}

// SessionID is what mcp-go keeps the requests apart by that may be cancelled.
func (c *call) SessionID() string { return c.name }

// NotificationChannel lets mcp-go say one notification: it sends to what it gets
// here without waiting, and drops what finds no room. So the waiting is done
// here: a place is taken first, and where the client reads slowly the handler
// waits with it. nil where nobody is there any more.
func (c *call) NotificationChannel() chan<- mcp.JSONRPCNotification {
	select {
	case c.slots <- struct{}{}:
		return c.said
	default:
	}
	select {
	case c.slots <- struct{}{}:
		return c.said
	case <-c.ctx.Done():
		return nil
	}
}

// run hands the message to the dispatcher. A panic in a handler is an internal
// error of this request alone.
func (c *call) run(body []byte) {
	a := fault(c.msg.id, mcp.INTERNAL_ERROR, "internal error", nil)
	defer func() {
		if p := recover(); p != nil {
			c.h.cfg.Log.Error("panic in an MCP request", "method", c.msg.method, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
		c.done <- a
	}()
	ctx, body := c.setAside(c.h.context(c.ctx, c.peer, c), body)
	response := c.h.cfg.Server.HandleMessage(ctx, body)
	if c.h.cfg.Answer != nil {
		response = c.h.cfg.Answer(ctx, response)
	}
	out, err := answerTo(c.msg.id, c.named(response))
	if err != nil {
		c.h.cfg.Log.Error("an MCP answer cannot be written as JSON", "method", c.msg.method, "error", err)
		return
	}
	a = out
}

// serve writes what the call says until it is answered, and returns the answer;
// detached: the client was sent away and will come back for it. out is nil where
// no client is connected (any more).
func (c *call) serve(gone <-chan struct{}, out *stream) (a answer, detached bool) {
	beat := time.NewTicker(c.h.cfg.Heartbeat)
	defer beat.Stop()
	ended, closing := c.ends()
	for {
		var queued <-chan struct{}
		if c.listener != nil && c.listener.acknowledged {
			queued = c.listener.wake
		}
		select {
		case n := <-c.said:
			c.notify(out, n)
		case b := <-c.asked:
			c.say(out, b)
		case <-queued:
			for _, n := range c.listener.take() {
				c.tell(out, n)
			}
		case <-beat.C:
			c.beat(out)
		case <-c.detach:
			if out != nil && c.begin(out) {
				return answer{}, true
			}
		case <-gone:
			gone = nil
			c.end(errGone)
		case <-ended:
			ended = nil
			c.end(errSession)
		case <-closing:
			closing = nil
			c.cancel(errClosing)
		case a = <-c.done:
			for len(c.said) > 0 {
				c.notify(out, <-c.said)
			}
			return a, false
		}
	}
}

// ends returns what ends the call from outside: its session, and, where it is a
// stream without end, the closing of the Handler.
func (c *call) ends() (session, closing <-chan struct{}) {
	if c.sess != nil {
		session = c.sess.ended
	}
	if c.listener != nil {
		closing = c.h.closing
	}
	return session, closing
}

// end cancels the call: nobody waits for it.
func (c *call) end(why error) {
	c.dead = true
	c.cancel(why)
}

func (c *call) notify(out *stream, n mcp.JSONRPCNotification) {
	<-c.slots
	c.tell(out, n)
	if c.listener != nil {
		c.listener.acknowledged = true // it is the first thing that mcp-go says
	}
}

// tell writes a notification.
func (c *call) tell(out *stream, n mcp.JSONRPCNotification) {
	if c.listener != nil {
		n = tag(n, c.msg.id)
	}
	b, err := encode(n)
	if err != nil {
		c.h.cfg.Log.Error("an MCP notification cannot be written as JSON", "method", n.Method, "error", err)
		return
	}
	c.say(out, b)
}

// tag says on each message of a subscription which one it belongs to.
func tag(n mcp.JSONRPCNotification, id json.RawMessage) mcp.JSONRPCNotification {
	meta := map[string]any{}
	for k, v := range n.Params.Meta {
		meta[k] = v
	}
	meta[mcp.MetaKeySubscriptionID] = id
	n.Params.Meta = meta
	return n
}

// say writes one message of the call before its answer.
func (c *call) say(out *stream, b []byte) {
	if out == nil {
		c.trace.add(b)
		return
	}
	if c.dead {
		return
	}
	if err := c.peer.check(); err != nil {
		c.end(err)
		return
	}
	if c.begin(out) {
		c.written(out.send(event{id: c.trace.add(b), data: b}))
	}
}

// begin makes the response a stream. In a session it can be resumed; a client
// that wants it gets a place to resume from at once.
func (c *call) begin(out *stream) bool {
	if c.dead || out.started {
		return !c.dead
	}
	out.begin()
	if c.sess != nil {
		c.trace = c.sess.newTranscript()
		if v := c.ProtocolVersion(); primes(v) {
			c.written(out.send(event{id: c.trace.place(0), retry: retryAfter}))
		}
	}
	return !c.dead
}

func (c *call) beat(out *stream) {
	if c.sess != nil {
		c.h.table.touch(c.sess)
	}
	if out == nil || c.dead {
		return
	}
	if err := c.peer.check(); err != nil {
		c.end(err)
		return
	}
	if c.begin(out) {
		c.written(out.beat())
	}
}

func (c *call) written(err error) {
	if err != nil {
		c.end(errGone)
	}
}

// finish sends the answer: as an event where the response is a stream, else as
// JSON with the status that the protocol's revision has for it.
func (c *call) finish(w http.ResponseWriter, out *stream, a answer) {
	switch {
	case out.started:
		e := event{id: c.trace.finish(a.body), data: a.body}
		if !c.dead && c.peer.check() == nil {
			_ = out.send(e) // the client has left
		}
	case c.dead && context.Cause(c.ctx) != errGone && context.Cause(c.ctx) != errSession:
		refuse(w, http.StatusForbidden, c.msg.id, mcp.INVALID_REQUEST, "this credential no longer holds; sign in again")
	default:
		out.deadline(len(a.body))
		writeJSON(w, c.status(a), a.body)
	}
}

// status is the HTTP status of an answer. Before 2026-07-28 every answer is a 200.
func (c *call) status(a answer) int {
	if c.sess != nil {
		return http.StatusOK
	}
	return modernStatus(a.code)
}

var (
	_ server.SessionWithLogging                  = (*call)(nil)
	_ server.SessionWithClientInfo               = (*call)(nil)
	_ server.SessionWithResourceSubscriptionsErr = (*call)(nil)
	_ server.SessionWithSubscriptionFilter       = (*call)(nil)
	_ server.SessionWithSampling                 = (*call)(nil)
	_ server.SessionWithElicitation              = (*call)(nil)
	_ server.SessionWithRoots                    = (*call)(nil)
	_ server.SessionWithProtocolVersion          = (*call)(nil)
)
