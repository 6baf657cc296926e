package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	proto "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"wikibot/gitstore"
	"wikibot/limit"
	"wikibot/mcp/streamable"
	"wikibot/notes"
	"wikibot/search"
	"wikibot/wiki"
)

// Config is what the face works with. Store, Notes and Addresses must be given.
type Config struct {
	Store     *gitstore.Store
	Notes     *notes.Service
	Find      *search.Engine // nil: completions know paths alone
	Addresses wiki.Addresses
	Log       *slog.Logger     // nil: slog.Default()
	Now       func() time.Time // nil: time.Now

	// Version is the program's, as clients are told it.
	Version string

	// Caller looks at a request's credential again: for streams, which outlive the
	// moment in which it was checked. nil: the caller stays who they were, and the
	// policy alone is looked at again.
	Caller func(r *http.Request) (wiki.Caller, error)

	// Admit counts what a caller does; its error is *limit.Exceeded where it is too
	// much. nil: there is no limit.
	Admit func(r *http.Request, c wiki.Caller, a limit.Action, cost int) (limit.State, error)

	// Visitor names where a request without a token comes from, such as its network;
	// visitors share sessions' and streams' bounds with those of the same place. nil:
	// nobody is admitted without a token. Where it is given, wikis that everybody may
	// read are read without one; the site's endpoint wants a token always.
	Visitor func(r *http.Request) string

	// Origins are other sites whose pages may call from a browser, as the header
	// Origin names them.
	Origins []string

	// MaxBody is the most bytes of one message, Sessions how many sessions are
	// remembered, CredentialSessions how many of one credential in one wiki, and
	// Idle how long one stays that is not used. Of one credential in one wiki four
	// times CredentialStreams requests and streams are served at once, which the
	// transport counts together. 0: the transport's own defaults.
	MaxBody            int64
	Sessions           int
	CredentialSessions int
	CredentialStreams  int
	Idle               time.Duration

	// ResourceMetadata is the address of the metadata that tells a client without a
	// credential where to get one (RFC 9728), for the challenge of a 401. nil or
	// empty: there is none, and tokens are made by hand.
	ResourceMetadata func(slug wiki.Slug) string
}

// Handler answers agents. Its methods may be called at once from many goroutines.
type Handler struct {
	Config
	wikis *streamable.Handler // the endpoint of each wiki
	site  *streamable.Handler // the one at the apex
	news  *news
}

// New makes a Handler; it must be closed.
func New(c Config) (*Handler, error) {
	if c.Store == nil || c.Notes == nil || c.Addresses.Base.Host == "" {
		return nil, errors.New("mcp: Config needs Store, Notes and Addresses")
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	h := &Handler{Config: c}
	h.news = newNews(h)
	wikis, err := h.wikiServer()
	if err != nil {
		return nil, err
	}
	site, err := h.siteServer()
	if err != nil {
		return nil, err
	}
	if h.wikis, err = streamable.New(h.transport(wikis, h.news.subscribe)); err != nil {
		return nil, err
	}
	if h.site, err = streamable.New(h.transport(site, nil)); err != nil {
		return nil, errors.Join(err, h.wikis.Close())
	}
	h.news.begin()
	return h, nil
}

// Close ends every stream and session.
func (h *Handler) Close() error {
	h.news.close()
	return errors.Join(h.wikis.Close(), h.site.Close())
}

func (h *Handler) transport(s *server.MCPServer, subscribe func(streamable.Peer, string) (func(), error)) streamable.Config {
	return streamable.Config{
		Server: s, MaxBody: h.MaxBody, Sessions: h.Sessions, PeerSessions: h.CredentialSessions, PeerRequests: 4 * h.CredentialStreams, IdleAfter: h.Idle,
		AllowedOrigins: h.allowed,
		LargeArguments: 1 << 10,
		Subscribe:      subscribe, Answer: answer, Log: h.Log, Now: h.Now,
	}
}

// wikiServer is the one server of mcp-go for all wikis: the tools are the same
// everywhere, and each message says which wiki and who.
func (h *Handler) wikiServer() (*server.MCPServer, error) {
	s := h.newServer(server.WithResourceCapabilities(true, true), server.WithCompletions(),
		server.WithPromptCompletionProvider(completions{h}), server.WithResourceCompletionProvider(completions{h}))
	if err := h.addTools(s, wikiToolList()); err != nil {
		return nil, err
	}
	h.addResources(s)
	h.addPrompts(s)
	return s, nil
}

func (h *Handler) siteServer() (*server.MCPServer, error) {
	s := h.newServer()
	return s, h.addTools(s, siteTools())
}

// wikiToolList are a wiki's tools in the order in which clients list them: what is
// used most comes first.
func wikiToolList() []*tool {
	var out []*tool
	for _, list := range [][]*tool{wikiTools(), readTools(), searchTools(), listTools(), historyTools(), writeTools(), commitTools(), fileTools(), connectorTools()} {
		out = append(out, list...)
	}
	return out
}

func (h *Handler) newServer(more ...server.ServerOption) *server.MCPServer {
	hooks := &server.Hooks{}
	hooks.AddOnRequestInitialization(func(ctx context.Context, _ any, message any) error {
		raw, _ := message.(json.RawMessage)
		var m struct {
			Method string `json:"method"`
		}
		if json.Unmarshal(raw, &m) != nil {
			return nil // mcp-go says so itself
		}
		return h.admitMessage(ctx, m.Method)
	})
	hooks.AddAfterInitialize(func(ctx context.Context, _ any, _ *proto.InitializeRequest, out *proto.InitializeResult) {
		h.introduce(ctx, &out.Instructions, &out.ServerInfo)
	})
	hooks.AddAfterDiscover(func(ctx context.Context, _ any, _ *proto.DiscoverRequest, out *proto.DiscoverResult) {
		info := h.implementation()
		h.introduce(ctx, &out.Instructions, &info)
		out.EnsureResultMeta().SetServerInfo(info)
	})
	hooks.AddAfterListResources(h.listResources)
	hooks.AddAfterListTools(h.listTools)
	own := h.implementation()
	return server.NewMCPServer(own.Name, own.Version, append(more,
		server.WithToolCapabilities(false), server.WithTitle(own.Title), server.WithHooks(hooks))...)
}

func (h *Handler) implementation() proto.Implementation {
	return proto.Implementation{Name: "wikibot", Title: "wikibot", Version: or(h.Version, "devel")}
}

func (h *Handler) addTools(s *server.MCPServer, list []*tool) error {
	for _, t := range list {
		shown, err := t.protocol()
		if err != nil {
			return err
		}
		s.AddTool(shown, h.handler(t))
	}
	return nil
}

// listTools puts the list into its order and leaves out what the caller's standing
// does not allow. A tool that is called all the same answers with what is missing:
// the Store decides, not the list.
func (h *Handler) listTools(ctx context.Context, _ any, _ *proto.ListToolsRequest, out *proto.ListToolsResult) {
	k, err := callOf(ctx)
	if err != nil {
		out.Tools = []proto.Tool{}
		return
	}
	list := siteTools()
	if k.slug != "" {
		list = wikiToolList()
	}
	write := false
	if k.slug != "" {
		may, err := h.Store.Standing(ctx, k.caller, k.slug)
		write = err == nil && may.Write
	}
	byName := make(map[string]proto.Tool, len(out.Tools))
	for _, t := range out.Tools {
		byName[t.Name] = t
	}
	out.Tools = make([]proto.Tool, 0, len(list))
	for _, t := range list {
		if shown, ok := byName[t.name]; ok && (write || !t.writes) {
			out.Tools = append(out.Tools, shown)
		}
	}
}

// requestID is the header by which the server names a request in answers and in the
// log.
const requestID = "X-Request-Id"

// ServeWiki answers at a wiki's endpoint. c is whose token the request bears; the
// zero Caller, nobody's.
func (h *Handler) ServeWiki(w http.ResponseWriter, r *http.Request, c wiki.Caller, slug wiki.Slug) {
	if h.cors(w, r) {
		return
	}
	if c.Credential == "" && h.Visitor == nil {
		h.Unauthenticated(w, r, slug, nil)
		return
	}
	c.Via = wiki.ViaMCP
	k := &call{h: h, r: r, id: w.Header().Get(requestID), caller: c, slug: slug, faults: &faults{}, rates: &rates{}}
	switch _, err := k.view(r.Context()); {
	case c.Credential == "" && (errors.Is(err, wiki.ErrNotFound) || errors.Is(err, wiki.ErrUnauthenticated)):
		h.Unauthenticated(w, r, slug, nil)
		return
	case err != nil:
		h.refuse(w, r, slug, err)
		return
	}
	h.wikis.ServeHTTP(&rated{ResponseWriter: w, rates: k.rates}, r, k.peer())
}

// ServeSite answers at the apex's endpoint.
func (h *Handler) ServeSite(w http.ResponseWriter, r *http.Request, c wiki.Caller) {
	if h.cors(w, r) {
		return
	}
	if c.Credential == "" {
		h.Unauthenticated(w, r, "", nil)
		return
	}
	c.Via = wiki.ViaMCP
	k := &call{h: h, r: r, id: w.Header().Get(requestID), caller: c, faults: &faults{}, rates: &rates{}}
	h.site.ServeHTTP(&rated{ResponseWriter: w, rates: k.rates}, r, k.peer())
}

// peer is the call for the transport. A session belongs to one credential in one
// wiki, or to the visitors from one place.
func (k *call) peer() streamable.Peer {
	credential, who := k.caller.Credential, k.caller.Name()
	if credential == "" && k.h.Visitor != nil {
		credential = "visitor " + k.h.Visitor(k.r)
		who = credential
	}
	return streamable.Peer{
		Key:   fmt.Sprintf("%s %s", k.slug, credential),
		Who:   who,
		Scope: string(k.slug),
		Value: k,
		Check: func() error { return k.check(context.WithoutCancel(k.r.Context())) },
	}
}
