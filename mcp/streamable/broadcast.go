package streamable

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
)

// follower is who may be told something: a session, or a stream of
// subscriptions/listen.
type follower interface {
	who() Peer
	hear(key string, n mcp.JSONRPCNotification)
}

// spot is where a resource is.
type spot struct{ scope, uri string }

// watchers knows who follows which resource, and which streams listen.
type watchers struct {
	mu      sync.Mutex
	byURI   map[spot]map[follower]struct{}
	streams map[*listener]struct{}
}

func newWatchers() *watchers {
	return &watchers{byURI: make(map[spot]map[follower]struct{}), streams: make(map[*listener]struct{})}
}

// watch lets f follow a resource until the returned function is called.
func (h *Handler) watch(f follower, uri string) (stop func(), err error) {
	end := func() {}
	if h.cfg.Subscribe != nil {
		if end, err = h.cfg.Subscribe(f.who(), uri); err != nil {
			return nil, err
		}
	}
	w, at := h.watchers, spot{f.who().Scope, uri}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.byURI[at] == nil {
		w.byURI[at] = make(map[follower]struct{})
	}
	w.byURI[at][f] = struct{}{}
	return func() {
		w.mu.Lock()
		delete(w.byURI[at], f)
		if len(w.byURI[at]) == 0 {
			delete(w.byURI, at)
		}
		w.mu.Unlock()
		if end != nil {
			end()
		}
	}, nil
}

func (w *watchers) of(at spot) []follower {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]follower, 0, len(w.byURI[at]))
	for f := range w.byURI[at] {
		list = append(list, f)
	}
	return list
}

func (w *watchers) listening() []*listener {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]*listener, 0, len(w.streams))
	for l := range w.streams {
		list = append(list, l)
	}
	return list
}

// Updated tells the peers that follow a resource of a scope, and match, that it has
// changed; nil: all of them match. It does not wait for anybody; a client that has no
// stream just now is told when it opens one. The cost grows with the number of those
// that follow this resource.
func (h *Handler) Updated(scope string, match func(Peer) bool, uri string) {
	n := notification(mcp.MethodNotificationResourceUpdated, map[string]any{"uri": uri})
	for _, f := range h.watchers.of(spot{scope, uri}) {
		if match == nil || match(f.who()) {
			f.hear(n.Method+" "+uri, n)
		}
	}
}

// ListChanged tells the peers that match that a list has changed: tools, prompts
// or resources, by the method of the notification, such as
// mcp.MethodNotificationResourcesListChanged. Streams of 2026-07-28 hear of what
// they asked for. The cost grows with the number of sessions.
func (h *Handler) ListChanged(match func(Peer) bool, method string) {
	h.broadcast(match, notification(method, nil))
}

func (h *Handler) broadcast(match func(Peer) bool, n mcp.JSONRPCNotification) {
	for _, s := range h.table.list() {
		if s.Initialized() && (match == nil || match(s.who())) {
			s.hear(n.Method, n)
		}
	}
	for _, l := range h.watchers.listening() {
		if l.wants(n.Method) && (match == nil || match(l.who())) {
			l.hear(n.Method, n)
		}
	}
}

func notification(method string, params map[string]any) mcp.JSONRPCNotification {
	return mcp.JSONRPCNotification{JSONRPC: mcp.JSONRPC_VERSION,
		Notification: mcp.Notification{Method: method, Params: mcp.NotificationParams{AdditionalFields: params}}}
}

// hear puts a notification into the session's inbox.
func (s *session) hear(key string, n mcp.JSONRPCNotification) {
	b, err := encode(n)
	if err != nil {
		s.h.cfg.Log.Error("an MCP notification cannot be written as JSON", "method", n.Method, "error", err)
		return
	}
	s.inbox.put(key, b)
}

// broadcaster is the one session that mcp-go knows as registered: what the server
// says to all its clients (tools/list_changed after AddTool, for example) goes to
// it, and from it to every session and stream. It also lets idle sessions go.
type broadcaster struct {
	state
	h    *Handler
	name string
	in   chan mcp.JSONRPCNotification
	quit chan struct{}
	gone chan struct{}
}

const sweepEvery = time.Minute

func newBroadcaster(h *Handler) (*broadcaster, error) {
	b := &broadcaster{h: h, name: "broadcast-" + rand.Text(), in: make(chan mcp.JSONRPCNotification, 256), quit: make(chan struct{}), gone: make(chan struct{})}
	b.Initialize()
	if err := h.cfg.Server.RegisterSession(context.Background(), b); err != nil {
		return nil, err
	}
	go b.run()
	return b, nil
}

func (b *broadcaster) SessionID() string { return b.name }

func (b *broadcaster) NotificationChannel() chan<- mcp.JSONRPCNotification { return b.in }

func (b *broadcaster) run() {
	defer close(b.gone)
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	for {
		select {
		case n := <-b.in:
			b.h.broadcast(nil, n)
		case <-sweep.C:
			b.h.table.sweep()
		case <-b.quit:
			return
		}
	}
}

func (b *broadcaster) stop() {
	b.h.cfg.Server.UnregisterSession(context.Background(), b.name)
	close(b.quit)
	<-b.gone
}
