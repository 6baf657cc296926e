// Package server puts the parts together: one Store, the faces in front of it,
// the listeners, and the commands that the operator gives on the host.
//
// A request's way through it (routes.go, middleware.go):
//
//	recover, request id, access log → security headers → is this host ours?
//	→ which wiki is meant (wiki.Addresses) → who is calling (oauth), and not too
//	often (limit) → one face
//
// The caller is an argument all the way; nothing is carried in a context.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"wikibot/api"
	"wikibot/api/manage"
	"wikibot/gitstore"
	"wikibot/hooks"
	"wikibot/limit"
	"wikibot/mcp"
	"wikibot/notes"
	"wikibot/oauth"
	"wikibot/search"
	"wikibot/web"
	"wikibot/webhooks"
	"wikibot/wiki"
)

// Server is a running site. New opens everything, Run serves, Close ends it.
type Server struct {
	cfg       Config
	log       *slog.Logger
	addresses wiki.Addresses

	store    *gitstore.Store
	who      *oauth.Authority
	find     *search.Engine
	pages    *web.Handler
	notes    *notes.Service
	webhooks *webhooks.Engine
	mcp      *mcp.Handler
	manage   *manage.Handler
	api      *api.Handler
	git      *gitHandler
	ssh      *sshServer // nil: SSH is off
	host     *Host
	door     *limit.Door

	listener net.Listener // browsers, git, agents
	sshPort  net.Listener // git over SSH; nil where it is off
	hookSock net.Listener // git's hooks, 0600
	ctrlSock net.Listener // wikibot admin and import, 0600
	sockets  *sockets

	site  *http.Server
	ctrl  *http.Server
	fresh bool // this start made the first account

	closing sync.Once
	closed  error
}

const (
	requestTimeout = 2 * time.Minute // of everything but git, whose transfers take long
	maxHeaderBytes = 64 << 10
)

// New opens the data, the listeners and the sockets, and makes what a first
// start needs. Nothing is served before Run. Each error says what to do; after
// one nothing is left open.
func New(ctx context.Context, cfg Config) (_ *Server, err error) {
	s := &Server{cfg: cfg, log: cfg.Log}
	if s.log == nil {
		s.log = slog.Default()
	}
	defer func() {
		if err != nil {
			s.Close()
		}
	}()
	if s.cfg.Data, err = filepath.Abs(cfg.Data); err != nil {
		return nil, err
	}
	addresses, err := cfg.Addresses()
	if err != nil {
		return nil, err
	}
	if err = writable(s.cfg.Data); err != nil {
		return nil, err
	}
	if s.store, err = openStore(ctx, s.cfg, addresses, s.log); err != nil {
		return nil, err
	}
	if s.listener, err = listen(cfg.Listen, "listen"); err != nil {
		return nil, err
	}
	s.cfg.Listen = opened(cfg.Listen, s.listener)
	if s.sshPort, s.cfg.SSHListen, err = listenSSH(cfg.SSHListen, s.log); err != nil {
		return nil, err
	}
	if s.addresses, err = s.cfg.Addresses(); err != nil {
		return nil, err
	}
	if s.who, err = openAuthority(s.cfg, s.store, s.addresses, s.log); err != nil {
		return nil, err
	}
	if s.find, err = openSearch(s.cfg, s.store, s.log); err != nil {
		return nil, err
	}
	s.host = &Host{Store: s.store, Who: s.who, Find: s.find, Addresses: s.addresses}
	if s.fresh, err = s.host.bootstrap(ctx); err != nil {
		return nil, err
	}
	if s.pages, err = openPages(s.cfg, s.store, s.who, s.find, s.addresses, s.log); err != nil {
		return nil, err
	}
	s.store.OnRewrite(s.pages.Forget)
	if err = s.openSockets(); err != nil {
		return nil, err
	}
	if s.addresses.Secure() && len(s.cfg.HTTP.TrustedProxies) == 0 {
		s.log.Warn("base_url is https, so a proxy stands in front of this server: name its address in http.trusted_proxies, or all visitors count as one in [rates]")
	}
	s.door = limit.NewDoor(s.cfg.Rates.limits())
	if err = s.openFaces(); err != nil {
		return nil, err
	}
	if s.git, err = s.openGit(); err != nil {
		return nil, err
	}
	if s.ssh, err = s.openSSH(); err != nil {
		return nil, err
	}
	s.site = &http.Server{
		Handler:           s.handler(),
		ReadHeaderTimeout: time.Duration(cfg.HTTP.HeaderTimeout),
		IdleTimeout:       time.Duration(cfg.HTTP.IdleTimeout),
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	s.ctrl = &http.Server{Handler: s.host.handler(s.log), ReadHeaderTimeout: time.Duration(cfg.HTTP.HeaderTimeout)}
	return s, nil
}

// Addresses are the site's addresses, with the port that was really opened.
func (s *Server) Addresses() wiki.Addresses { return s.addresses }

// Addr is the address that was really opened, which differs from Config.Listen
// for the port 0 and from Addresses behind a proxy.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// SSHAddr is the address that was really opened for git over SSH; nil where SSH is
// off.
func (s *Server) SSHAddr() net.Addr {
	if s.sshPort == nil {
		return nil
	}
	return s.sshPort.Addr()
}

// Store is the site's data.
func (s *Server) Store() *gitstore.Store { return s.store }

// Host gives the operator's commands, as the control socket does.
func (s *Server) Host() *Host { return s.host }

// Fresh reports whether this start made the site, and the sign-in link for its
// operator if so; the link is good for a day.
func (s *Server) Fresh(ctx context.Context) (link string, fresh bool, err error) {
	if !s.fresh {
		return "", false, nil
	}
	token, err := s.who.SignInLink(ctx, Operator, oauth.FirstLinkLifetime)
	if err != nil {
		return "", true, err
	}
	return s.who.LinkURL(token), true, nil
}

// Run serves until ctx ends, then stops accepting, lets requests and pushes in
// flight end (for at most the configured grace), and closes everything.
func (s *Server) Run(ctx context.Context) error {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	if s.ssh != nil {
		s.log.Info("listening for ssh", "address", s.SSHAddr().String(), "keys", s.ssh.fingerprints())
	}
	s.log.Info("listening", "address", s.Addr().String())
	failed := make(chan error, 4)
	var running sync.WaitGroup
	serve := func(what string, f func() error) {
		running.Go(func() {
			if err := f(); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
				failed <- fmt.Errorf("serving %s: %w", what, err)
			}
		})
	}
	serve("http", func() error { return s.site.Serve(s.listener) })
	if s.ssh != nil {
		serve("ssh", func() error { return s.ssh.serve(s.sshPort) })
	}
	serve("the control socket", func() error { return s.ctrl.Serve(s.ctrlSock) })
	serve("the hooks' socket", func() error { return hooks.Serve(background, s.store, s.hookSock, s.log) })
	running.Go(func() { s.who.Maintain(background) })

	var err error
	select {
	case <-ctx.Done():
		s.log.Info("stopping; a second signal ends at once")
	case err = <-failed:
	}
	err = errors.Join(err, s.drain())
	stop()
	s.hookSock.Close()
	running.Wait()
	return errors.Join(err, s.Close())
}

// drain ends the listeners and waits for what is in flight.
func (s *Server) drain() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(s.cfg.Grace))
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.drainSSH(ctx) }()
	err := s.endStreams()
	err = errors.Join(err, s.site.Shutdown(ctx), s.ctrl.Shutdown(ctx), <-ended)
	if err == nil {
		return nil
	}
	s.log.Warn("some requests did not end in time and were cut off", "grace", s.cfg.Grace)
	return errors.Join(s.site.Close(), s.ctrl.Close())
}

func (s *Server) drainSSH(ctx context.Context) error {
	if s.ssh == nil {
		return nil
	}
	err := s.sshPort.Close()
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, s.ssh.drain(ctx))
}

// Close ends whatever is open: the queue of writes is written, sockets are
// removed, locks are released. It may be called more than once.
func (s *Server) Close() error {
	s.closing.Do(func() {
		for _, l := range []net.Listener{s.listener, s.sshPort, s.hookSock, s.ctrlSock} {
			if l != nil {
				l.Close() // closed by drain already in the usual case
			}
		}
		if s.sockets != nil {
			s.sockets.remove() // while the lock on the data is still ours
		}
		s.closed = errors.Join(s.closed, s.endStreams())
		if s.who != nil {
			s.closed = errors.Join(s.closed, s.who.Close())
		}
		if s.find != nil {
			s.closed = errors.Join(s.closed, s.find.Close())
		}
		if s.store != nil {
			s.closed = errors.Join(s.closed, s.store.Close())
		}
	})
	return s.closed
}

// openSockets opens the sockets for git's hooks and for commands.
func (s *Server) openSockets() (err error) {
	if s.sockets, err = newSockets(s.cfg.Data); err != nil {
		return err
	}
	if s.hookSock, err = s.sockets.listen(s.sockets.hooks()); err != nil {
		return err
	}
	if s.ctrlSock, err = s.sockets.listen(s.sockets.control()); err != nil {
		return err
	}
	return nil
}

// openGit installs git's hooks, which name this program and the hooks' socket,
// and prepares git over HTTP.
func (s *Server) openGit() (*gitHandler, error) {
	binary, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program's own file: %w", err)
	}
	dir := hooksDir(s.cfg.Data)
	if err := hooks.Install(dir, binary, s.sockets.hooks()); err != nil {
		return nil, fmt.Errorf("installing git's hooks: %w", err)
	}
	return newGitHandler(gitConfig{
		Store: s.store, Log: s.log,
		HooksDir: dir, Binary: binary, Socket: s.sockets.hooks(),
		Processes: s.cfg.Limits.GitProcesses, MaxPush: int64(s.cfg.Limits.Push), MaxFile: int64(s.cfg.Limits.Attachment), Admit: s.admitGit, From: s.from,
		Account: s.addresses.Site("/-/account"),
	}), nil
}

// hooksDir is where git's hooks are; each repository's configuration names it.
func hooksDir(data string) string { return filepath.Join(data, "hooks") }
