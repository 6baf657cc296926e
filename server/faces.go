package server

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"wikibot/api"
	"wikibot/api/manage"
	"wikibot/limit"
	"wikibot/mcp"
	"wikibot/notes"
	"wikibot/outbound"
	"wikibot/webhooks"
	"wikibot/wiki"
)

// The faces for programs: REST below /api, MCP at /mcp. A face counts a request itself, once it
// knows whether it reads or writes, and looks at the credential of a stream again
// for as long as the stream is open.

// openFaces prepares them.
func (s *Server) openFaces() (err error) {
	s.notes = notes.New(notes.Config{Store: s.store, Find: s.find, Log: s.log, MaxPage: int64(s.cfg.Limits.Page)})
	agents := s.cfg.Agents
	visitor := func(r *http.Request) string { return limit.Network(s.from(r)).String() }
	if !agents.Visitors {
		visitor = nil
	}
	s.mcp, err = mcp.New(mcp.Config{
		Store: s.store, Notes: s.notes, Find: s.find, Addresses: s.addresses, Log: s.log, Version: Version(),
		Caller: s.mcpAgain, Admit: s.count, Visitor: visitor,
		Origins: agents.origins(), MaxBody: s.cfg.agentsBody(), Sessions: agents.Sessions, CredentialStreams: agents.CredentialStreams, Idle: time.Duration(agents.SessionIdle),
	})
	if err != nil {
		return fmt.Errorf("preparing MCP: %w", err)
	}
	if err = s.openWebhooks(); err != nil {
		return err
	}
	s.manage = manage.New(manage.Config{Store: s.store, Addresses: s.addresses, Webhooks: s.webhooks, Begin: bootstrapWiki, Admit: s.count, Log: s.log})
	s.api, err = api.New(api.Config{
		Store: s.store, Notes: s.notes, Find: s.find, Addresses: s.addresses, Log: s.log, Manage: s.manage,
		Caller: s.who.Caller, Admit: s.count,
		Origins: agents.origins(), MaxBody: s.cfg.agentsBody(), Streams: agents.Streams, CredentialStreams: agents.CredentialStreams,
	})
	if err != nil {
		return fmt.Errorf("preparing the REST interface: %w", err)
	}
	return nil
}

// openWebhooks starts telling other programs of changes.
func (s *Server) openWebhooks() (err error) {
	c := s.cfg.Webhooks
	client := outbound.New(outbound.Config{
		Allow: prefixes(c.Allow), Deny: prefixes(c.Deny), HTTP: c.HTTP, Timeout: time.Duration(c.Timeout),
		UserAgent: "wikibot/" + Version() + " (+" + s.addresses.Site("/") + ")",
	})
	s.webhooks, err = webhooks.Open(webhooks.Config{
		Store: s.store, Notes: s.notes, Client: client, Addresses: s.addresses, Log: s.log,
		PerWiki: c.PerWiki, Site: c.Site, Parallel: c.Parallel, First: time.Duration(c.Retry),
	})
	if err != nil {
		return fmt.Errorf("preparing webhooks: %w", err)
	}
	s.pages.Webhooks = s.webhooks
	return nil
}

// endStreams ends what would stay open for as long as its client likes. It may be
// called more than once.
func (s *Server) endStreams() (err error) {
	if s.webhooks != nil {
		err = s.webhooks.Close()
	}
	if s.api != nil {
		s.api.Close()
	}
	if s.mcp != nil {
		err = errors.Join(err, s.mcp.Close())
	}
	return err
}

// serveFace hands a request for a wiki or, with an empty slug, for the apex to the
// face that the path names; false where it names none.
func (s *Server) serveFace(w http.ResponseWriter, r *http.Request, slug wiki.Slug, path string) bool {
	switch {
	case path == "/mcp" || path == "/mcp/":
		s.serveMCP(w, r, slug)
	case path == "/api" || strings.HasPrefix(path, "/api/"):
		s.serveAPI(w, r, slug, strings.TrimPrefix(path, "/api"))
	case strings.HasPrefix(path, "/.well-known/"):
		s.wellKnown(w)
	default:
		return false
	}
	return true
}

func (s *Server) serveMCP(w http.ResponseWriter, r *http.Request, slug wiki.Slug) {
	deadline(w)
	c, err := s.mcpCaller(r)
	switch {
	case err != nil:
		s.mcp.Unauthenticated(w, r, slug, err)
	case slug == "":
		s.mcp.ServeSite(w, r, c)
	default:
		s.mcp.ServeWiki(w, r, c, slug)
	}
}

// serveAPI takes a token, or the session of a browser.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, slug wiki.Slug, path string) {
	deadline(w)
	c, err := s.identify(r)
	c.Via = wiki.ViaAPI
	switch {
	case err != nil:
		s.api.Refuse(w, r, slug, err)
	case slug == "":
		s.api.ServeSite(w, r, c, path)
	default:
		s.api.ServeWiki(w, r, c, slug, path)
	}
}

// isInternal is true of requests that this machine or one of its proxies makes for
// itself: it comes straight from there, to no name by which visitors know the site,
// and for nobody else. A proxy that hands on visitors' requests gives itself away by
// the header or by the name.
func (s *Server) isInternal(r *http.Request, _ *mux.RouteMatch) bool {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	forwarded := r.Header.Get("X-Forwarded-For") != "" || r.Header.Get("Forwarded") != "" || r.Header.Get("X-Real-Ip") != ""
	// A foreign name that leads to this machine was sent by a page in a browser on it
	// (DNS rebinding); one by which visitors know the site, for a visitor. A proxy that
	// is trusted may know us by any other name.
	host := hostname(r.Host)
	straight := loopback(host) || s.trusted(from) && !s.ourHost(r.Host)
	return err == nil && !forwarded && straight && (loopback(from) || s.trusted(from))
}

// mcpCaller says who makes a request of MCP. A cookie means nothing there, so no
// page can make a browser speak to it as its user.
func (s *Server) mcpCaller(r *http.Request) (wiki.Caller, error) {
	if len(r.Header.Values("Authorization")) == 0 {
		return wiki.Caller{Via: wiki.ViaMCP}, nil
	}
	c, err := s.identify(r)
	c.Via = wiki.ViaMCP
	return c, err
}

// mcpAgain is mcpCaller for a stream that goes on: that its credential does not hold
// any more is no attempt to guess one.
func (s *Server) mcpAgain(r *http.Request) (wiki.Caller, error) {
	if len(r.Header.Values("Authorization")) == 0 {
		return wiki.Caller{}, nil
	}
	return s.who.Caller(r)
}

// count takes what a face is about to do from the caller's bucket.
func (s *Server) count(r *http.Request, c wiki.Caller, a limit.Action, cost int) (limit.State, error) {
	return s.door.Take(bucket(c), s.from(r), a, cost)
}

// wellKnown answers what clients of OAuth look for (RFC 8414, RFC 9728): this site
// is no authorization server, and a program reads that more easily as JSON.
func (s *Server) wellKnown(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, `{"error":"not_found","error_description":"there is nothing at this address; a program signs in here with a token"}`+"\n") // the client has left
}
