package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"time"

	"wikibot/limit"
	"wikibot/mcp"
	"wikibot/notes"
	"wikibot/wiki"
)

// The faces for programs. What they do with a wiki is one notes.Service.

// openFaces prepares them; s.door must be there.
func (s *Server) openFaces() (err error) {
	s.notes = notes.New(notes.Config{Store: s.store, Find: s.find, Log: s.log, MaxPage: int64(s.cfg.Limits.Page)})
	agents := s.cfg.Agents
	s.mcp, err = mcp.New(mcp.Config{
		Store: s.store, Notes: s.notes, Find: s.find, Addresses: s.addresses, Log: s.log, Version: version(),
		Caller: s.who.Caller, Admit: s.take,
		Origins: agents.origins(), MaxBody: s.cfg.agentsBody(), Sessions: agents.Sessions, Idle: time.Duration(agents.SessionIdle),
	})
	if err != nil {
		return fmt.Errorf("preparing MCP: %w", err)
	}
	return nil
}

// version is the program's as its build knows it: a release, or a commit.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, set := range info.Settings {
		if set.Key == "vcs.revision" {
			return set.Value
		}
	}
	return ""
}

// take counts what a program does, for faces that count by themselves, and says how
// much is left.
func (s *Server) take(r *http.Request, c wiki.Caller, a limit.Action, cost int) (limit.State, error) {
	return s.door.Take(bucket(c), s.from(r), a, cost)
}

// identifyToken says whose token a request bears. Cookies count for nothing, so that
// no page makes a browser act.
func (s *Server) identifyToken(r *http.Request) (wiki.Caller, error) {
	if len(r.Header.Values("Authorization")) == 0 {
		return wiki.Caller{}, nil
	}
	secret, _ := s.who.Presented(r)
	return s.try(r, secret, func(netip.Addr) (wiki.Caller, error) { return s.who.Caller(r) })
}

// serveMCP hands a request on to the face for agents; slug is empty at the apex.
func (s *Server) serveMCP(w http.ResponseWriter, r *http.Request, slug wiki.Slug) {
	deadline(w)
	c, err := s.identifyToken(r)
	switch {
	case err != nil:
		s.mcp.Unauthenticated(w, r, slug, err)
	case slug == "":
		s.mcp.ServeSite(w, r, c)
	default:
		s.mcp.ServeWiki(w, r, c, slug)
	}
}
