// Package api is the REST interface of one wiki, /api/v1: it parses requests into
// the words of package notes, calls one method, and formats the answer.
//
// Everything is in one table, see operations: it routes, and the OpenAPI document
// and the readable page are made from it.
//
// # Paths
//
// A page's path follows /v1/pages/ with its slashes as they are:
// /v1/pages/Design/Auth. Behind it may stand a word that asks for something of the
// page:
//
//	history outline diff attachments attachments/FILE      with every method
//	rename edit restore                                    with POST
//
// A page whose own last segment is such a word is reached with the slash before it
// encoded: the page "Design/history" is /v1/pages/Design%2Fhistory, and its history
// /v1/pages/Design%2Fhistory/history.
//
// # Entity tags
//
// The ETag of a page is the revision that last touched it, that of a list the
// newest commit of the wiki. If-Match on a write means the same as the field
// revision, but what is stale is 412 and not 409.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"wikibot/api/openapi"
	"wikibot/api/rest"
	"wikibot/gitstore"
	"wikibot/limit"
	"wikibot/notes"
	"wikibot/search"
	"wikibot/wiki"
)

// Manage is the management interface at the apex.
type Manage interface {
	// Serve answers a request; rest is the escaped path after "/api".
	Serve(w http.ResponseWriter, r *http.Request, c wiki.Caller, rest string)
}

// Describer is a Manage that also describes itself.
type Describer interface {
	// Describe adds the interface's operations, with paths that begin behind "/api".
	// Errors may refer to #/components/responses/Problem.
	Describe(d *openapi.Document)
}

// Config says what the interface works with.
type Config struct {
	Store     *gitstore.Store
	Notes     *notes.Service
	Find      *search.Engine
	Addresses wiki.Addresses
	Log       *slog.Logger     // nil: slog.Default()
	Now       func() time.Time // nil: time.Now
	Manage    Manage           // nil: there is no management interface

	// Caller looks at the request's credential again: before every event of a stream
	// and at every heartbeat. Required.
	Caller func(r *http.Request) (wiki.Caller, error)
	// Admit counts a request; *limit.Exceeded where it is over a rate. nil: no rates.
	Admit func(r *http.Request, c wiki.Caller, a limit.Action, cost int) (limit.State, error)

	MaxBody int64 // bytes of a request's body; 0: 16 MiB

	// Origins are the web sites ("https://app.example.org") whose scripts may use the
	// interface, with a token and never with cookies; "*": any. Empty: none.
	Origins []string

	Streams           int           // event streams at once; 0: 10,000
	CredentialStreams int           // of one credential, or of anonymous visitors together for each wiki; 0: 20
	Heartbeat         time.Duration // of event streams; 0: 15 s
}

// largeBodies is how many bytes of bodies are worked on together, or four of the
// largest where that is more; a quarter of it for one person, and for all visitors.
const largeBodies = 64 << 20

// Bounds of answers that are being written, in bytes, a quarter for one person; and of
// operations that look at a whole wiki, half for one person, for whom a hundred wait.
const (
	largeAnswers = 256 << 20
	dearAtOnce   = 8
	dearInLine   = 100
)

// Handler answers the interface for all wikis. It is safe for concurrent use.
type Handler struct {
	Config
	codec   *rest.Codec
	table   []operation
	page    *readable
	streams streams
	bodies  *limit.Bytes // of requests that are being worked on
	answers *limit.Bytes // that are being taken by their clients
	dear    *limit.Slots // for operations that look at a whole wiki
	cross   *http.CrossOriginProtection
	running context.Context // ends when the Handler closes
	stop    context.CancelFunc
}

// New is a Handler.
func New(c Config) (*Handler, error) {
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Streams <= 0 {
		c.Streams = 10_000
	}
	if c.CredentialStreams <= 0 {
		c.CredentialStreams = 20
	}
	if c.Heartbeat <= 0 {
		c.Heartbeat = 15 * time.Second
	}
	if c.Store == nil || c.Notes == nil || c.Caller == nil {
		return nil, errors.New("the REST interface needs a Store, Notes and a way to look at credentials again")
	}
	most := max(largeBodies, 4*c.MaxBody)
	h := &Handler{
		Config: c, table: operations(), cross: http.NewCrossOriginProtection(), bodies: limit.NewBytes(most, most/4),
		answers: limit.NewBytes(largeAnswers, largeAnswers/4), dear: limit.NewSlots(dearAtOnce, dearAtOnce/2, dearInLine),
		codec: rest.NewCodec(rest.Options{MaxBody: c.MaxBody, Log: c.Log}),
	}
	var err error
	if h.page, err = newReadable(); err != nil {
		return nil, err
	}
	h.running, h.stop = context.WithCancel(context.Background())
	h.streams = streams{most: c.Streams, each: c.CredentialStreams, of: map[string]int{}}
	return h, nil
}

// Close ends the event streams.
func (h *Handler) Close() { h.stop() }

// ServeWiki answers a request for one wiki. path is the escaped path after "/api".
func (h *Handler) ServeWiki(w http.ResponseWriter, r *http.Request, c wiki.Caller, slug wiki.Slug, path string) {
	h.origin(w, r)
	switch path {
	case "", "/", "/openapi.json":
		h.serveDescription(w, r, c, slug, path)
		return
	}
	below, ok := strings.CutPrefix(path, "/v1")
	if !ok || below != "" && below[0] != '/' {
		h.codec.Fail(w, r, noSuchCall(path))
		return
	}
	h.serve(w, r, c, slug, below)
}

// ServeSite answers a request at the apex; what is not the interface's description
// is handed on to management.
func (h *Handler) ServeSite(w http.ResponseWriter, r *http.Request, c wiki.Caller, path string) {
	h.origin(w, r)
	switch {
	case path == "" || path == "/" || path == "/openapi.json":
		h.serveDescription(w, r, c, "", path)
	case r.Method == http.MethodOptions && h.preflight(w, r):
	case h.Manage != nil:
		h.Manage.Serve(w, r, c, path)
	default:
		h.codec.Fail(w, r, noSuchCall(path))
	}
}

// Refuse answers a request with an error that was met before the interface was
// asked: a credential that does not hold, a limit.
func (h *Handler) Refuse(w http.ResponseWriter, r *http.Request, _ wiki.Slug, err error) {
	h.origin(w, r)
	if r.Method == http.MethodOptions && h.preflight(w, r) {
		return // a browser asks without the credential
	}
	h.codec.Fail(w, r, err)
}

func noSuchCall(path string) error {
	return wiki.NotFound("there is no call %q: see /api for those that there are", path)
}
