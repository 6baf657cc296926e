package server

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/mux"

	"wikibot/wiki"
)

// handler is the whole site. The order is the way of a request, see the
// package's documentation.
func (s *Server) handler() http.Handler {
	r := mux.NewRouter().UseEncodedPath().SkipClean(true)
	r.Path("/health").Methods(http.MethodGet, http.MethodHead).HandlerFunc(s.health)
	r.Path("/api/internal/check-slug").Methods(http.MethodGet, http.MethodHead).MatcherFunc(s.isInternal).HandlerFunc(s.manage.CheckSlug)
	ours := r.MatcherFunc(func(r *http.Request, _ *mux.RouteMatch) bool { return s.ourHost(r.Host) }).Subrouter()
	auth := s.guarded(s.who.Handler())
	ours.Path("/auth/link").Handler(auth)
	ours.Path("/auth/logout").Handler(auth)
	ours.Path("/auth/sign-in").Methods(http.MethodGet, http.MethodHead).HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.who.KeepNext(w, r)
		s.serveSite(w, r)
	})
	ours.MatcherFunc(s.isWiki).HandlerFunc(s.serveWiki)
	ours.PathPrefix("/admin.git/").HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.serveGit(w, r, "", strings.TrimPrefix(r.URL.EscapedPath(), "/admin.git"))
	})
	ours.PathPrefix("/").HandlerFunc(s.serveSite)
	r.PathPrefix("/").HandlerFunc(s.misdirected)
	r.NotFoundHandler = http.HandlerFunc(s.misdirected) // "*" and other targets that are no path
	return s.observe(secure(s.addresses.Secure(), r))
}

// isWiki is true of requests for one wiki, in either layout.
func (s *Server) isWiki(r *http.Request, _ *mux.RouteMatch) bool {
	slug, _, _ := s.addresses.Locate(r.Host, r.URL.EscapedPath())
	return slug != ""
}

func (s *Server) serveWiki(w http.ResponseWriter, r *http.Request) {
	slug, rest, elsewhere := s.addresses.Locate(r.Host, r.URL.EscapedPath())
	if elsewhere {
		redirect(w, r, s.addresses.Elsewhere(slug, rest))
		return
	}
	if git, ok := strings.CutPrefix(rest, "/repo.git"); ok && (git == "" || git[0] == '/') {
		s.serveGit(w, r, slug, git)
		return
	}
	if s.serveFace(w, r, slug, rest) {
		return
	}
	deadline(w)
	if isAsset(rest) {
		s.pages.ServeWiki(w, r, wiki.Caller{}, slug, rest)
		return
	}
	c, ok := s.caller(w, r)
	if !ok {
		return
	}
	s.pages.ServeWiki(w, r, c, slug, rest)
}

// isAsset is true of the program's own files, which are the same for everybody:
// who asks for them is not looked at.
func isAsset(path string) bool { return strings.HasPrefix(path, "/assets/") }

func (s *Server) serveSite(w http.ResponseWriter, r *http.Request) {
	if s.serveFace(w, r, "", r.URL.EscapedPath()) {
		return
	}
	deadline(w)
	if isAsset(r.URL.EscapedPath()) {
		s.pages.ServeSite(w, r, wiki.Caller{})
		return
	}
	c, ok := s.caller(w, r)
	if !ok {
		return
	}
	s.pages.ServeSite(w, r, c)
}

// serveGit hands a request for a repository on. git sends its credential as Basic
// only; a browser's cookie means nothing here, so no page can make a browser
// push.
func (s *Server) serveGit(w http.ResponseWriter, r *http.Request, slug wiki.Slug, rest string) {
	c, err := s.identifyGit(r, isPush(r, rest))
	switch {
	case tooMany(w, err):
		return
	case errors.Is(err, wiki.ErrUnauthenticated):
		s.git.challenge(w, err)
		return
	case err != nil:
		s.internal(w, err)
		return
	}
	s.git.serve(w, r, c, slug, rest)
}

// caller says who is calling, or answers the request itself where the
// credential does not hold, or a limit was met.
func (s *Server) caller(w http.ResponseWriter, r *http.Request) (wiki.Caller, bool) {
	c, err := s.identify(r)
	if err == nil {
		err = s.admit(r, c)
	}
	switch {
	case err == nil:
		c.Via = wiki.ViaWeb
		return c, true
	case s.pages.TooMany(w, r, c, err):
	case !errors.Is(err, wiki.ErrUnauthenticated):
		s.internal(w, err)
	case r.Header.Get("Authorization") != "":
		s.unauthorized(w, err)
	default:
		s.who.ShowEnded(w, s.next(r), err)
	}
	return wiki.Caller{}, false
}

// next is where a browser comes back to after signing in, as a path of the apex:
// this page, where it is one.
func (s *Server) next(r *http.Request) string {
	if r.Method != http.MethodGet {
		return "/"
	}
	slug, rest, _ := s.addresses.Locate(r.Host, r.URL.EscapedPath())
	if slug != "" {
		rest = "/w/" + string(slug) + rest
	}
	if r.URL.RawQuery != "" {
		rest += "?" + r.URL.RawQuery
	}
	return rest
}

// unauthorized answers a program whose token does not hold (RFC 6750, 3.1).
func (s *Server) unauthorized(w http.ResponseWriter, err error) {
	w.Header().Add("WWW-Authenticate", `Bearer realm="wikibot", error="invalid_token"`)
	w.Header().Add("WWW-Authenticate", `Basic realm="wikibot", charset="UTF-8"`)
	text := "the credential is not good"
	if told := (*wiki.Error)(nil); errors.As(err, &told) {
		text = told.Text
	}
	http.Error(w, text, http.StatusUnauthorized)
}

// internal answers a failure that is not the client's; its text is in the log
// under the request id that the client sees.
func (s *Server) internal(w http.ResponseWriter, err error) {
	id := w.Header().Get(requestID)
	s.log.Error("request failed", "id", id, "error", err)
	http.Error(w, "internal error; the server's log has more under the request id "+id, http.StatusInternalServerError)
}

// redirect leads to the address in the configured layout, with the query. 308
// keeps the method and the body of what is not a read (RFC 9110, 15.4.9).
func redirect(w http.ResponseWriter, r *http.Request, to string) {
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	status := http.StatusPermanentRedirect
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		status = http.StatusMovedPermanently
		// The layout may change back; a browser would remember for ever.
		w.Header().Set("Cache-Control", "max-age=3600")
	}
	http.Redirect(w, r, to, status)
}

// deadline bounds how long a request may take to arrive and its answer to
// leave. git has none here: a push or a clone may take long.
func deadline(w http.ResponseWriter) {
	c := http.NewResponseController(w)
	until := time.Now().Add(requestTimeout)
	_ = c.SetReadDeadline(until) // not supported only in tests without a connection
	_ = c.SetWriteDeadline(until)
}

// health says that the site is served: the configuration is loaded and the
// policy can be read.
func (s *Server) health(w http.ResponseWriter, r *http.Request) {
	status, text := http.StatusOK, "ok"
	if err := s.store.Ready(); err != nil {
		status, text = http.StatusServiceUnavailable, "unavailable"
		s.log.Error("the site cannot be read", "error", err)
	}
	if status == http.StatusOK && s.store.Degraded() {
		text = "degraded" // it is served; the log says what is not as it should be
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"status": text}) // the client has left
}
