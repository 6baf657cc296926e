package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"wikibot/gitstore"
	"wikibot/oauth"
	"wikibot/search"
	"wikibot/web"
	"wikibot/wiki"
)

// openStore opens the data folder; on a first start that makes it.
func openStore(ctx context.Context, cfg Config, addresses wiki.Addresses, log *slog.Logger) (*gitstore.Store, error) {
	return gitstore.Open(ctx, gitstore.Config{
		Dir:      cfg.Data,
		Git:      cfg.Git,
		HooksDir: hooksDir(cfg.Data),
		Domain:   addresses.Domain(),
		Log:      log,
		Cache:    int64(cfg.Cache.Content),
		MaxPage:  int64(cfg.Limits.Page),
		MaxFile:  int64(cfg.Limits.Attachment),
		MaxPush:  int64(cfg.Limits.Push),
		Seed: func(n gitstore.NewWiki) (map[string][]byte, error) {
			fresh, err := bootstrapWiki(n.Slug, n.Name, n.Purpose, n.Owner)
			return fresh.Pages, err
		},
	})
}

func openPages(cfg Config, store *gitstore.Store, who *oauth.Authority, find *search.Engine, addresses wiki.Addresses, log *slog.Logger) (*web.Handler, error) {
	pages, err := web.New(web.Config{
		Store: store, Addresses: addresses, SiteName: store.SiteName(), Log: log,
		MaxPage: int64(cfg.Limits.Page), MaxFile: int64(cfg.Limits.Attachment), CacheBytes: int64(cfg.Cache.Rendered),
		RemoteImages: cfg.Markdown.RemoteImages, OneTime: who.OneTime, Search: find, HasMCP: true, HasAPI: true, OpenMCP: cfg.Agents.Visitors,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the pages: %w", err)
	}
	return pages, nil
}

// openSearch starts the search engine beside a store.
func openSearch(cfg Config, store *gitstore.Store, log *slog.Logger) (*search.Engine, error) {
	model, err := cfg.Search.Embedder.open()
	if err != nil {
		return nil, err
	}
	engine, err := search.Open(search.Config{
		Store: store, Memory: int64(cfg.Search.Memory), Language: cfg.Search.Language, Workers: cfg.Search.Workers, Embedder: model, Log: log,
	})
	if err != nil {
		return nil, fmt.Errorf("preparing the search: %w", err)
	}
	store.OnRewrite(engine.Forget)
	return engine, nil
}

func openAuthority(cfg Config, store *gitstore.Store, addresses wiki.Addresses, log *slog.Logger) (*oauth.Authority, error) {
	return oauth.Open(oauth.Config{
		Dir: store.CacheDir(), Token: store.Token, User: store.User, KeyOwner: store.KeyOwner,
		Addresses: addresses, Log: log,
		Idle: time.Duration(cfg.Sessions.Idle), Lifetime: time.Duration(cfg.Sessions.Lifetime),
	})
}

// OpenHost opens a data folder that no server runs on, for the operator's
// commands; a new folder is made as a first start makes it (then fresh is
// true). The error wraps gitstore.ErrInUse where a server has the folder.
func OpenHost(ctx context.Context, cfg Config, log *slog.Logger) (h *Host, fresh bool, close func() error, err error) {
	if cfg.Data, err = filepath.Abs(cfg.Data); err != nil {
		return nil, false, nil, err
	}
	addresses, err := cfg.Addresses()
	if err != nil {
		return nil, false, nil, err
	}
	if err := writable(cfg.Data); err != nil {
		return nil, false, nil, err
	}
	store, err := openStore(ctx, cfg, addresses, log)
	if err != nil {
		return nil, false, nil, err
	}
	who, err := openAuthority(cfg, store, addresses, log)
	if err != nil {
		return nil, false, nil, errors.Join(err, store.Close())
	}
	find, err := openSearch(cfg, store, log)
	if err != nil {
		return nil, false, nil, errors.Join(err, who.Close(), store.Close())
	}
	close = func() error { return errors.Join(find.Close(), who.Close(), store.Close()) }
	h = &Host{Store: store, Who: who, Find: find, Addresses: addresses}
	if fresh, err = h.bootstrap(ctx); err != nil {
		return nil, false, nil, errors.Join(err, close())
	}
	return h, fresh, close, nil
}

// writable makes the data folder where it is missing and tries to write into
// it, so that what is wrong is said before anything is half made.
func writable(dir string) error {
	err := os.MkdirAll(dir, 0o700)
	if err == nil {
		var f *os.File
		if f, err = os.CreateTemp(dir, ".writable-*"); err == nil {
			_, err = f.Write(make([]byte, 4096))
			err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name()))
		}
	}
	switch abs, _ := filepath.Abs(dir); {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return wiki.Unavailable("the disk that holds %s is full; free some space (df -h %s) and start again", abs, abs)
	case errors.Is(err, os.ErrPermission), errors.Is(err, syscall.EROFS):
		return wiki.Unavailable("the data folder %s cannot be written by user %d; give it to that user (chown -R %d %s) or choose another with --data", abs, os.Getuid(), os.Getuid(), abs)
	case errors.Is(err, syscall.ENOTDIR):
		return wiki.Unavailable("%s is a file, not a folder; choose another with --data", abs)
	default:
		return fmt.Errorf("the data folder %s cannot be used: %w", abs, err)
	}
}

// listen opens an address; flag is what it was set with, for errors.
func listen(address, flag string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		by := ""
		if who := portOwner(address); who != "" {
			by = " by " + who
		}
		return nil, wiki.Unavailable("%s is in use already%s; end that program or choose another address with --%s", address, by, flag)
	case errors.Is(err, os.ErrPermission):
		return nil, wiki.Unavailable("%s may not be opened by user %d (ports below 1024 are kept for root); use --%s with a port from 1024 on, and a reverse proxy or the firewall in front of it", address, os.Getuid(), flag)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, wiki.Unavailable("%s is no address of this machine; use --%s with 127.0.0.1, or 0.0.0.0 for all of its addresses, and the port", address, flag)
	}
	return nil, wiki.Unavailable("%q cannot be listened on: %v; --%s reads like 127.0.0.1:8080", address, err, flag)
}

// listenSSH opens the address for SSH, where it is on; at is the address with the
// port that was really opened. "auto" is content with SSH being off where its port
// is taken.
func listenSSH(address string, log *slog.Logger) (l net.Listener, at string, err error) {
	want := address
	switch address {
	case "":
		return nil, "", nil
	case sshAuto:
		want = sshAutoAddr
	}
	l, err = listen(want, "ssh-listen")
	switch {
	case err == nil:
		return l, opened(want, l), nil
	case address == sshAuto:
		log.Warn("git over SSH is off, since its usual address cannot be had; choose another with --ssh-listen", "error", err)
		return nil, "", nil
	}
	return nil, "", err
}

// openSSH prepares git over SSH; nil where it is off. Its keys are made at the first
// start with SSH.
func (s *Server) openSSH() (*sshServer, error) {
	if s.sshPort == nil {
		return nil, nil
	}
	keys, err := openHostKeys(s.store.SecretsDir())
	if err != nil {
		return nil, err
	}
	return newSSHServer(sshConfig{
		Store: s.store, Who: s.who, Git: s.git, Door: s.door, Addresses: s.addresses, Limits: s.cfg.SSH, Keys: keys, Log: s.log,
	}), nil
}

// opened is the configured address with the port that was really opened, which
// differs for the port 0.
func opened(configured string, l net.Listener) string {
	host, _, err := net.SplitHostPort(configured)
	_, port, portErr := net.SplitHostPort(l.Addr().String())
	if err != nil || portErr != nil {
		return l.Addr().String()
	}
	return net.JoinHostPort(host, port)
}
