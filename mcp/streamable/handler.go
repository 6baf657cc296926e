package streamable

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"wikibot/limit"
)

// Config is what a Handler needs. Only Server must be given.
type Config struct {
	// Server has the tools, resources and prompts.
	Server *server.MCPServer

	// MaxBody is the most bytes of one message; more is 413. Default 16 MiB.
	MaxBody int64

	// Sessions is how many sessions there are at most, PeerSessions how many of
	// one Peer.Key; one more ends the one that was used least recently. Clients
	// seldom end their sessions themselves. Default 10,000 and 100.
	Sessions     int
	PeerSessions int

	// PeerRequests is how many requests and streams of one Peer.Key are served at
	// once; more is 429. Default 256.
	PeerRequests int

	// IdleAfter is how long a session without requests and streams stays. Default
	// 2 hours.
	IdleAfter time.Duration

	// Heartbeat is how often a silent stream gets a comment, and after what time a
	// call that has not said anything becomes a stream. Default 15 seconds.
	Heartbeat time.Duration

	// WriteTimeout is how long a client may take to read one event or answer, and a
	// second more for each 64 KiB of it. Default 30 seconds.
	WriteTimeout time.Duration

	// DetachedAfter is how long a call may go on whose stream was closed with
	// Detach. Default 2 minutes.
	DetachedAfter time.Duration

	// AllowedOrigins says which pages of other places may ask. Pages of the same
	// host always may, and so may everything that is no page. nil: none.
	AllowedOrigins func(origin string) bool

	// Subscribe is called when a peer begins to follow a resource; an error
	// refuses it. stop is called once, when that ends, for whatever reason. nil:
	// every URI may be followed.
	Subscribe func(p Peer, uri string) (stop func(), err error)

	// Answer may change what mcp-go answers, such as the code of an error: every
	// error of a resource or prompt is an internal one there. nil: nothing is changed.
	Answer func(ctx context.Context, response mcp.JSONRPCMessage) mcp.JSONRPCMessage

	// LargeArguments is the size of a tool call's params, in bytes, from which the
	// arguments are not given to mcp-go: a handler gets them from Arguments. 0:
	// never, and handlers find them in the request.
	LargeArguments int

	Log *slog.Logger
	Now func() time.Time
}

func (c *Config) defaults() {
	number := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	span := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	if c.MaxBody <= 0 {
		c.MaxBody = 16 << 20
	}
	number(&c.Sessions, 10_000)
	number(&c.PeerSessions, 100)
	number(&c.PeerRequests, 256)
	span(&c.IdleAfter, 2*time.Hour)
	span(&c.Heartbeat, 15*time.Second)
	span(&c.WriteTimeout, 30*time.Second)
	span(&c.DetachedAfter, 2*time.Minute)
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// Handler serves MCP at one address. Its methods may be called at once from many
// goroutines.
type Handler struct {
	cfg      Config
	table    *table
	watchers *watchers
	loud     *broadcaster
	bodies   *limit.Bytes // of those that are being worked on
	requests atomic.Int64 // names the requests that have no session
	budget   budget       // of what is kept for clients that come back

	closing   chan struct{}
	closeOnce sync.Once
	detached  sync.WaitGroup
}

// New makes a Handler. It must be closed.
func New(c Config) (*Handler, error) {
	if c.Server == nil {
		return nil, errors.New("streamable: Config.Server is missing")
	}
	c.defaults()
	most := max(largeBodies, 4*c.MaxBody)
	h := &Handler{cfg: c, watchers: newWatchers(), closing: make(chan struct{}), bodies: limit.NewBytes(most, most/4)}
	h.table = newTable(c)
	loud, err := newBroadcaster(h)
	if err != nil {
		return nil, err
	}
	h.loud = loud
	return h, nil
}

// Close ends every stream at once and every session; calls that are being
// answered go on, those that no client waits for end. New requests get 503.
func (h *Handler) Close() error {
	h.closeOnce.Do(func() {
		close(h.closing)
		h.loud.stop()
		h.table.end()
	})
	h.detached.Wait()
	return nil
}

// ServeHTTP answers one request of a peer. The server in front has checked the
// Host header and who asks.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request, p Peer) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	switch {
	case !h.origin(r):
		refuse(w, http.StatusForbidden, nil, mcp.INVALID_REQUEST, "pages of this origin may not use this server")
		return
	case h.ended():
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusServiceUnavailable, nil, mcp.INTERNAL_ERROR, "the server is being restarted; try again in a moment")
		return
	case !h.table.enter(p.Key):
		w.Header().Set("Retry-After", "1")
		refuse(w, http.StatusTooManyRequests, nil, mcp.INVALID_REQUEST, "too many requests and streams at once; end one and try again")
		return
	}
	defer h.table.leave(p.Key)
	switch r.Method {
	case http.MethodPost:
		h.post(w, r, p)
	case http.MethodGet:
		h.get(w, r, p)
	case http.MethodDelete:
		h.delete(w, r, p)
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		refuse(w, http.StatusMethodNotAllowed, nil, mcp.INVALID_REQUEST, "MCP is spoken with POST")
	}
}

func (h *Handler) ended() bool {
	select {
	case <-h.closing:
		return true
	default:
		return false
	}
}

// context is what handlers see: who asks, the session, and what is served here.
func (h *Handler) context(ctx context.Context, p Peer, s server.ClientSession) context.Context {
	ctx = withPeer(ctx, p)
	ctx = h.cfg.Server.WithContext(ctx, s)
	return server.WithSupportedProtocolVersions(ctx, versions())
}
