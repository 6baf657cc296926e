package hooks

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

const (
	approvalLife = 60 * time.Second // between the two hooks of a push on the host
	askTimeout   = 30 * time.Second // for a hook to say what it has to say
	maxHostHooks = 64               // hooks of pushes on the host at one time
)

// HostStore is a Store that also lends repositories: a *gitstore.Store.
type HostStore interface {
	Store
	Repository(ctx context.Context, c wiki.Caller, slug wiki.Slug, write bool) (*gitstore.Repository, error)
}

// Host answers the hooks of pushes that somebody made on the machine itself, with
// git push to the folder of a repository. Whoever may do that may read and write
// the data folder, so the caller is the host (wiki.Caller.Host).
type Host struct {
	Store HostStore
	Data  string // the data folder: admin.git and wikis/<slug>.git in it are the repositories
	Log   *slog.Logger

	mu       sync.Mutex
	approved map[peer]*hostPush // between pre-receive and proc-receive; guarded by mu
}

// hostPush is a push on the host between its two hooks.
type hostPush struct {
	onePush
	dir  string // the repository's folder as the Store names it
	done func() // gives the repository back; runs once
	end  *time.Timer
}

// Listen opens the hooks' socket, for this user alone, in place of one that a
// former server left behind. The caller holds the lock of the data folder.
func Listen(path string) (net.Listener, error) {
	if len(path) > MaxSocket {
		return nil, wiki.Unavailable("the path of the hooks' socket %q has %d bytes, at most %d are possible: choose a data folder with a shorter path", path, len(path), MaxSocket)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("removing the former socket: %w", err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("opening the hooks' socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return ln, nil
}

// Serve answers hooks on ln until ctx ends; it closes ln. Hooks that are being
// answered then get their answer first.
func (h *Host) Serve(ctx context.Context, ln net.Listener) error {
	h.mu.Lock()
	h.approved = map[peer]*hostPush{}
	h.mu.Unlock()
	stop := context.AfterFunc(ctx, func() { ln.Close() })
	defer stop()
	var running sync.WaitGroup
	defer running.Wait()
	slots := make(chan struct{}, maxHostHooks)
	for {
		slots <- struct{}{}
		conn, err := ln.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return fmt.Errorf("waiting for hooks: %w", err)
		}
		running.Go(func() {
			defer func() { <-slots }()
			defer conn.Close()
			if err := h.answer(context.WithoutCancel(ctx), conn.(*net.UnixConn)); err != nil {
				h.Log.Error("a push on the host was refused", "error", err)
			}
		})
	}
}

func (h *Host) answer(ctx context.Context, conn *net.UnixConn) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	who, err := peerOf(conn)
	if err != nil {
		return refuse(conn, fmt.Errorf("%w: %w", err, wiki.Forbidden("the server's socket answers only git's hooks of its own user and of root; push as that user, or over HTTP")))
	}
	if err := conn.SetReadDeadline(time.Now().Add(askTimeout)); err != nil {
		return err
	}
	in := bufio.NewReaderSize(conn, 16<<10)
	req, err := readRequest(in)
	if err == io.EOF {
		return nil // somebody looked whether the server is there
	}
	if err != nil {
		return refuse(conn, wiki.Invalid("", "%v", err))
	}
	push, err := h.push(ctx, who, req)
	if err != nil {
		return refuse(conn, err)
	}
	kept := false
	push.keep = func() { kept = true; h.keep(who, push) }
	err = push.answer(ctx, req, in, conn)
	if !kept {
		push.done()
	}
	return err
}

// push is the state of the push that a hook belongs to: a new one for
// pre-receive, and for proc-receive the one that pre-receive of the same
// receive-pack process left, which can be taken once.
func (h *Host) push(ctx context.Context, who peer, req *request) (*hostPush, error) {
	if req.hook == "pre-receive" {
		return h.begin(ctx, req.directory)
	}
	h.mu.Lock()
	push := h.approved[who]
	delete(h.approved, who)
	h.mu.Unlock()
	if push == nil {
		// proc-receive without an approval says by itself what is missing.
		return &hostPush{done: func() {}}, nil
	}
	push.end.Stop() // too late is as well: what is out of the map is ours alone
	if !sameFolder(push.dir, req.directory) {
		push.done()
		return nil, wiki.Forbidden("pre-receive approved a push into another repository")
	}
	return push, nil
}

// begin finds the repository that a hook runs in and takes it for writing, so
// that maintenance keeps away until the push is over.
func (h *Host) begin(ctx context.Context, dir string) (*hostPush, error) {
	caller := wiki.Caller{Host: true, Via: wiki.ViaCLI}
	slug, err := h.slugOf(dir)
	if err != nil {
		return nil, err
	}
	repo, err := h.Store.Repository(ctx, caller, slug, true)
	if err != nil {
		return nil, err
	}
	if !sameFolder(repo.Dir, dir) {
		repo.Release()
		return nil, wiki.Forbidden("%s is not a repository of this server", dir)
	}
	return &hostPush{
		onePush: onePush{store: h.Store, push: gitstore.Push{Caller: caller, Wiki: slug, Dir: repo.Dir}},
		dir:     repo.Dir,
		done:    sync.OnceFunc(repo.Release),
	}, nil
}

// keep waits for the push's proc-receive, for as long as its receive-pack lives
// and at most approvalLife.
func (h *Host) keep(who peer, push *hostPush) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if old := h.approved[who]; old != nil {
		old.done()
	}
	h.approved[who] = push
	push.end = time.AfterFunc(approvalLife, func() { h.forget(who, push) })
	go func() {
		for deadline := time.Now().Add(approvalLife); time.Now().Before(deadline) && h.waiting(who, push); {
			if !who.alive() {
				h.forget(who, push)
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}()
}

func (h *Host) waiting(who peer, push *hostPush) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.approved[who] == push
}

func (h *Host) forget(who peer, push *hostPush) {
	h.mu.Lock()
	mine := h.approved[who] == push
	if mine {
		delete(h.approved, who)
	}
	h.mu.Unlock()
	if mine {
		push.done()
	}
}

// slugOf is the wiki whose repository lies in dir; empty for admin.git.
func (h *Host) slugOf(dir string) (wiki.Slug, error) {
	elsewhere := wiki.Forbidden("%q is not a repository of the server that answers its hooks: start \"wikibot serve\" with the data folder that it is in", printable(dir))
	if !filepath.IsAbs(dir) {
		return "", elsewhere
	}
	if sameFolder(filepath.Join(h.Data, "admin.git"), dir) {
		return "", nil
	}
	name, isGit := strings.CutSuffix(filepath.Base(dir), ".git")
	slug, err := wiki.ParseSlug(name)
	if !isGit || err != nil || !sameFolder(filepath.Join(h.Data, "wikis", name+".git"), dir) {
		return "", elsewhere
	}
	return slug, nil
}

func sameFolder(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
