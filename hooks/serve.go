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

// host answers the hooks of pushes that somebody made on the machine itself, with
// git push to the folder of a repository. Whoever may do that may read and write
// the data folder, so the caller is the host (wiki.Caller.Host).
type host struct {
	store HostStore
	log   *slog.Logger

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

// Serve answers the hooks of pushes that are made on the host, straight into a
// repository's folder, on a Unix socket that only this user may open (its path has
// at most MaxSocket bytes). It returns when ctx ends, closes ln, and gives hooks
// that are being answered their answer first.
func Serve(ctx context.Context, store HostStore, ln net.Listener, log *slog.Logger) error {
	h := &host{store: store, log: log, approved: map[peer]*hostPush{}}
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
				h.log.Error("a push on the host was refused", "error", err)
			}
		})
	}
}

func (h *host) answer(ctx context.Context, conn *net.UnixConn) (err error) {
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
func (h *host) push(ctx context.Context, who peer, req *request) (*hostPush, error) {
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
func (h *host) begin(ctx context.Context, dir string) (*hostPush, error) {
	caller := wiki.Caller{Host: true, Via: wiki.ViaCLI}
	slug, err := slugOf(dir)
	if err != nil {
		return nil, err
	}
	repo, err := h.store.Repository(ctx, caller, slug, true)
	if errors.Is(err, wiki.ErrNotFound) {
		return nil, elsewhere(dir)
	}
	if err != nil {
		return nil, err
	}
	if !sameFolder(repo.Dir, dir) {
		repo.Release()
		return nil, elsewhere(dir)
	}
	return &hostPush{
		onePush: onePush{store: h.store, push: gitstore.Push{Caller: caller, Wiki: slug, Dir: repo.Dir}},
		dir:     repo.Dir,
		done:    sync.OnceFunc(repo.Release),
	}, nil
}

// keep waits for the push's proc-receive, for as long as its receive-pack lives
// and at most approvalLife.
func (h *host) keep(who peer, push *hostPush) {
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

func (h *host) waiting(who peer, push *hostPush) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.approved[who] == push
}

func (h *host) forget(who peer, push *hostPush) {
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

// slugOf is the wiki that a repository's folder is named after; empty for
// admin.git. Whether it is that wiki's folder is for the caller to compare.
func slugOf(dir string) (wiki.Slug, error) {
	name, isGit := strings.CutSuffix(filepath.Base(dir), ".git")
	if isGit && name == "admin" {
		return "", nil
	}
	slug, err := wiki.ParseSlug(name)
	if !isGit || !filepath.IsAbs(dir) || err != nil {
		return "", elsewhere(dir)
	}
	return slug, nil
}

func elsewhere(dir string) error {
	return wiki.Forbidden("%q is not a repository of the server that answers its hooks: start \"wikibot serve\" with the data folder that it is in", printable(dir))
}

func sameFolder(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}
