package mcpclients

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"wikibot/server"
	"wikibot/wiki"
)

// site is a real server with the wiki notes, on loopback.
type site struct {
	t   *testing.T
	srv *server.Server
	url string
}

// startSite serves a new site; alice owns notes, bob edits and carol reads it,
// mallory is nobody there.
func startSite(t *testing.T) *site {
	t.Helper()
	cfg := server.Default()
	cfg.Data, cfg.Listen = t.TempDir(), "127.0.0.1:0"
	cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	ctx, stop := context.WithCancel(context.Background())
	srv, err := server.New(ctx, cfg)
	if err != nil {
		stop()
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		srv.Close()
	})
	s := &site{t: t, srv: srv, url: "http://" + srv.Addr().String()}
	for name, role := range map[string]wiki.Role{"alice": wiki.Owner, "bob": wiki.Editor, "carol": wiki.Viewer, "mallory": wiki.NoRole} {
		s.host(server.Command{Do: "user add", User: name})
		if role != wiki.NoRole {
			s.host(server.Command{Do: "grant", Wiki: "notes", User: name, Role: role.String()})
		}
	}
	for range 1000 {
		if res, err := http.Get(s.url + "/health"); err == nil {
			res.Body.Close()
			return s
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the server does not answer")
	return nil
}

// host gives a command of the operator.
func (s *site) host(cmd server.Command) string {
	s.t.Helper()
	a, err := s.srv.Host().Do(context.Background(), cmd, nil)
	if err != nil {
		s.t.Fatalf("%s: %v", cmd.Do, err)
	}
	return a.Line
}

// token makes a token of a person.
func (s *site) token(user string) string {
	s.t.Helper()
	return s.host(server.Command{Do: "token create", User: user})
}

// signedIn is an address on loopback under which requests bear a token: the suite
// cannot send one.
func (s *site) signedIn(token string) string {
	target, err := url.Parse(s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	proxy := httptest.NewServer(&httputil.ReverseProxy{FlushInterval: -1, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host // as proxies do
			r.Out.Header.Set("Authorization", "Bearer "+token)
		}})
	s.t.Cleanup(proxy.Close)
	return proxy.URL
}

// What applies to a wiki passes there as well.
func TestWikiConforms(t *testing.T) {
	s := startSite(t)
	url := s.signedIn(s.token("alice")) + "/w/notes/mcp"
	for revision, least := range map[string]int{"2025-11-25": 10, "2026-07-28": 9} {
		t.Run(revision, func(t *testing.T) { conforms(t, "wiki", revision, url, least) })
	}
}
