package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/limit"
	"wikibot/wiki"
)

// Git over HTTP, the smart protocol (gitprotocol-http(5)), by the stock git
// programs: this server decides who may, gives git an environment built from
// nothing, and carries bytes both ways. What a push changes is decided in git's
// hooks, whose other end is here too (package hooks).

// gitConfig says how git is served.
type gitConfig struct {
	Store *gitstore.Store
	Log   *slog.Logger

	// The hooks' folder and what its scripts name, see hooks.Install. No
	// request is served while they are not in place.
	HooksDir, Binary, Socket string

	// Processes is how many git processes may run at once, 0 for 16; Waiting,
	// how many requests more may wait for one, 0 for 64. The rest is told to come
	// back (503).
	Processes, Waiting int

	// MaxPush bounds the bytes of one push, 0 for 2 GB.
	MaxPush int64

	// MaxFile is the largest attachment that the site takes.
	MaxFile int64

	// Unpack is the processor time that git may take for a push of any size, 0
	// for a minute; each megabyte that was sent adds a second.
	Unpack time.Duration

	// Account is the address of the page where people make tokens; a base
	// URL has no quotes in it.
	Account string

	// Admit counts a request and refuses it where there were too many; nil
	// for no limits. refs is true of the advertisement of refs.
	Admit func(r *http.Request, c wiki.Caller, push, refs bool) error

	// From is the network address of a request, by which visitors share the
	// processes; nil: all are one.
	From func(r *http.Request) netip.Addr
}

// gitHandler serves git over HTTP, and runs it for SSH as well (sshgit.go).
type gitHandler struct {
	gitConfig
	slots    gitSlots
	shares   *gitShares
	settings func(*gitRequest) []string // what git is told; benchmarks leave the hooks out
}

func newGitHandler(cfg gitConfig) *gitHandler {
	if cfg.Processes <= 0 {
		cfg.Processes = 16
	}
	if cfg.Waiting <= 0 {
		cfg.Waiting = 64
	}
	if cfg.MaxPush <= 0 {
		cfg.MaxPush = 2 << 30
	}
	if cfg.Unpack <= 0 {
		cfg.Unpack = unpackFree
	}
	g := &gitHandler{gitConfig: cfg, slots: newGitSlots(cfg.Processes, cfg.Waiting), shares: newGitShares(cfg.Processes, cfg.Waiting)}
	g.settings = g.transport
	return g
}

// The services of git.
const (
	uploadPack    = "git-upload-pack"    // clone and fetch
	receivePack   = "git-receive-pack"   // push
	uploadArchive = "git-upload-archive" // git archive --remote, over SSH only
)

// gitRequest is one request, parsed.
type gitRequest struct {
	caller   wiki.Caller
	slug     wiki.Slug // empty: admin.git
	service  string
	refs     bool   // the advertisement of refs, not the service itself
	protocol string // its version, see protocol
	id       string // by which the log names the request

	dir     string // set by repository, as manages is
	manages bool   // the caller may see refs/wikibot/*
}

// serve answers a request for a repository: of the wiki slug, or admin.git where
// slug is empty. rest is the escaped path after the repository's name, such as
// "/info/refs".
func (g *gitHandler) serve(w http.ResponseWriter, r *http.Request, c wiki.Caller, slug wiki.Slug, rest string) {
	c.Via = wiki.ViaHTTPS
	req, fault := parseGitRequest(r, rest)
	if fault != nil {
		fault.answer(w)
		return
	}
	req.caller, req.slug, req.id = c, slug, w.Header().Get(requestID)
	req.protocol = protocol(r.Header.Get("Git-Protocol"), req.service)
	if err := g.serveService(w, r, req); err != nil {
		g.answer(w, req, err)
	}
}

// httpFault is an error of the request itself, whoever sends it. git shows texts
// of the type text/plain to its user.
type httpFault struct {
	status int
	text   string
	allow  string // the header Allow
}

func (f *httpFault) Error() string { return f.text }

func (f *httpFault) answer(w http.ResponseWriter) {
	if f.allow != "" {
		w.Header().Set("Allow", f.allow)
	}
	http.Error(w, f.text, f.status)
}

func parseGitRequest(r *http.Request, rest string) (*gitRequest, *httpFault) {
	switch service := strings.TrimPrefix(rest, "/"); {
	case rest == "/info/refs":
		if r.Method != http.MethodGet {
			return nil, &httpFault{http.StatusMethodNotAllowed, "info/refs is read with GET", "GET"}
		}
		service := r.URL.Query().Get("service")
		if service == "" {
			return nil, &httpFault{http.StatusForbidden, "this server speaks git's smart HTTP protocol only; use git 1.6.6 or newer, and no http.proxy that drops the query", ""}
		}
		if service != uploadPack && service != receivePack {
			return nil, &httpFault{http.StatusForbidden, "the git service is not one of git-upload-pack, git-receive-pack", ""}
		}
		return &gitRequest{service: service, refs: true}, nil
	case service == uploadPack || service == receivePack:
		if r.Method != http.MethodPost {
			return nil, &httpFault{http.StatusMethodNotAllowed, "this is git's own address; clone with: git clone, and the address up to \".git\"", "POST"}
		}
		if want := "application/x-" + service + "-request"; r.Header.Get("Content-Type") != want {
			return nil, &httpFault{http.StatusUnsupportedMediaType, "the content type must be " + want, ""}
		}
		return &gitRequest{service: service}, nil
	case rest == "" || rest == "/":
		return nil, &httpFault{http.StatusNotFound, "this is the address of a git repository; give it to git clone", ""}
	}
	return nil, &httpFault{http.StatusNotFound, "not found: this server speaks git's smart HTTP protocol only, single files of a repository are not served", ""}
}

// isPush reports whether a request of git is part of a push.
func isPush(r *http.Request, rest string) bool {
	if rest == "/info/refs" {
		return r.URL.Query().Get("service") == receivePack
	}
	return rest == "/"+receivePack
}

// serveService checks, in this order: may the caller do it, are the hooks in
// place, is there a process to spare. An error is answered by the caller; nothing
// has been written then.
func (g *gitHandler) serveService(w http.ResponseWriter, r *http.Request, req *gitRequest) error {
	ctx := r.Context()
	repo, err := g.repository(ctx, req)
	if err == nil {
		defer repo.Release()
	}
	if g.Admit != nil && (err == nil || !req.caller.Anonymous()) {
		err = errors.Join(g.Admit(r, req.caller, req.service == receivePack, req.refs), err)
	}
	if err != nil {
		return err
	}
	if req.service == uploadPack && !req.refs {
		if err := readAhead(w, r); err != nil {
			return err
		}
	}
	address := ""
	if g.From != nil {
		address = limit.Network(g.From(r)).String()
	}
	give, err := g.process(ctx, req.caller, address)
	if err != nil {
		return err
	}
	defer give()
	return g.run(ctx, w, r, req)
}

const (
	// aheadBytes holds what a fetch asks for, but for the very largest.
	aheadBytes = 256 << 10
	// aheadWait is how long a client may take to send it.
	aheadWait = 30 * time.Second
)

// readAhead reads what a fetch asks for before it gets a git process, so that
// clients that send nothing hold none.
func readAhead(w http.ResponseWriter, r *http.Request) error {
	c := http.NewResponseController(w)
	if err := c.SetReadDeadline(time.Now().Add(aheadWait)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	head, err := io.ReadAll(io.LimitReader(r.Body, aheadBytes))
	if err != nil {
		return &httpFault{http.StatusRequestTimeout, "the request did not come in time, or broke off; fetch again", ""}
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(head), r.Body), r.Body}
	return nil
}

// answer turns an error into a status. Who is not signed in gets the challenge
// that git needs to ask for a token, and the same one whether the wiki exists or
// not.
func (g *gitHandler) answer(w http.ResponseWriter, req *gitRequest, err error) {
	text, told, fault := "", (*wiki.Error)(nil), (*httpFault)(nil)
	if errors.As(err, &told) {
		text = told.Text
	}
	denied := errors.Is(err, wiki.ErrNotFound) || errors.Is(err, wiki.ErrForbidden) || errors.Is(err, wiki.ErrUnauthenticated)
	switch {
	case req.refs && req.caller.Anonymous() && isTooMany(w, err):
		// git sends no credential before it is asked for one: who has one goes
		// on with it, however many ask from the same address without.
		g.challenge(w, err)
	case tooMany(w, err):
	case errors.As(err, &fault):
		fault.answer(w)
	case denied && req.caller.Anonymous():
		g.challenge(w, nil)
	case errors.Is(err, wiki.ErrNotFound):
		http.Error(w, "there is no such wiki, or you may not read it: check the address, and that the token is for this wiki", http.StatusNotFound)
	case errors.Is(err, wiki.ErrPayment): // fetching goes on; git shows its user the text
		http.Error(w, text, http.StatusPaymentRequired)
	case denied:
		if text == "" {
			text = "you may read this wiki but not push to it; ask an owner for the role editor"
		}
		http.Error(w, text, http.StatusForbidden)
	case errors.Is(err, wiki.ErrTooLarge):
		http.Error(w, text, http.StatusRequestEntityTooLarge)
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "5")
		http.Error(w, "the server is busy with other clones and pushes; try again in a moment", http.StatusServiceUnavailable)
	case errors.Is(err, context.Canceled): // the client has left
	case errors.Is(err, wiki.ErrUnavailable):
		g.Log.Error("git is not served", "wiki", req.slug, "id", req.id, "error", err)
		http.Error(w, text, http.StatusServiceUnavailable)
	default:
		g.Log.Error("git request failed", "wiki", req.slug, "id", req.id, "error", err)
		http.Error(w, "internal error; the server's log has more under the request id "+req.id, http.StatusInternalServerError)
	}
}

// challenge asks git for a user name and a password (RFC 7617) and tells its user
// where to get one; err says what was wrong with the one that came, if any did.
func (g *gitHandler) challenge(w http.ResponseWriter, err error) {
	realm, text := "wikibot: any user name, a token as password", "sign in with any user name and a token as the password"
	told, often := (*wiki.Error)(nil), (*limit.Exceeded)(nil)
	if errors.As(err, &told) {
		text = told.Text + "\n" + text
	} else if errors.As(err, &often) {
		text = often.Error() + "\n" + text
	}
	if g.Account != "" {
		realm += ", from " + g.Account
		text += "; you make one at " + g.Account
	}
	w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Basic realm="%s", charset="UTF-8"`, realm))
	http.Error(w, text, http.StatusUnauthorized)
}
