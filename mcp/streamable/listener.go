package streamable

import (
	"sync"

	"github.com/mark3labs/mcp-go/mcp"
)

// listener is what a stream of subscriptions/listen (2026-07-28) adds to its
// call: what the client asked for, and what is to be sent. What says the same as
// something that is still to be sent is left out, so at most three lists and the
// resources that are followed are ever in the queue.
type listener struct {
	c            *call
	acknowledged bool          // of the serving goroutine: nothing is sent before that
	wake         chan struct{} // something is in the queue

	mu     sync.Mutex
	filter mcp.SubscriptionFilter
	keys   map[string]struct{} // of the queue
	queue  []mcp.JSONRPCNotification
}

func newListener(c *call) *listener {
	return &listener{c: c, wake: make(chan struct{}, 1), keys: make(map[string]struct{})}
}

func (l *listener) who() Peer { return l.c.peer }

func (l *listener) follow(uri string) (func(), error) { return l.c.h.watch(l, uri) }

func (l *listener) hear(key string, n mcp.JSONRPCNotification) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, ok := l.keys[key]; ok {
		return
	}
	l.keys[key] = struct{}{}
	l.queue = append(l.queue, n)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// take empties the queue.
func (l *listener) take() []mcp.JSONRPCNotification {
	l.mu.Lock()
	defer l.mu.Unlock()
	queue := l.queue
	l.queue = nil
	clear(l.keys)
	return queue
}

func (l *listener) wants(method string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch method {
	case mcp.MethodNotificationToolsListChanged:
		return l.filter.ToolsListChanged
	case mcp.MethodNotificationPromptsListChanged:
		return l.filter.PromptsListChanged
	case mcp.MethodNotificationResourcesListChanged:
		return l.filter.ResourcesListChanged
	}
	return false
}

// SetSubscriptionFilter is called by mcp-go when the stream begins, with what the
// server grants, and with an empty filter when it ends.
func (c *call) SetSubscriptionFilter(f mcp.SubscriptionFilter) {
	l := c.listener
	if l == nil {
		return
	}
	l.mu.Lock()
	l.filter = f
	l.mu.Unlock()
	w := c.h.watchers
	w.mu.Lock()
	defer w.mu.Unlock()
	if f.IsEmpty() {
		delete(w.streams, l)
	} else {
		w.streams[l] = struct{}{}
	}
}

func (c *call) SubscriptionFilter() (mcp.SubscriptionFilter, bool) {
	l := c.listener
	if l == nil {
		return mcp.SubscriptionFilter{}, false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.filter, true
}
