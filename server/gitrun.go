package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/hooks"
)

// gitIdle is how long one side of a transport may be silent before the
// connection is given up.
const gitIdle = 5 * time.Minute

// transport are the settings of a transport beyond those of every git child
// (gitstore.GitEnv).
func (g *gitConfig) transport(req *gitRequest) []string {
	all := []string{
		"core.hooksPath=" + g.HooksDir,
		"receive.procReceiveRefs=refs",
		"receive.advertisePushOptions=true",
		"receive.advertiseAtomic=true",
		"receive.fsckObjects=true",
		"receive.maxInputSize=" + strconv.FormatInt(g.MaxPush, 10),
		"uploadpack.allowFilter=true",
		// The filter sparse:oid takes any expression that names an object, hidden
		// refs included, and its error tells that object's name.
		"uploadpackfilter.allow=false",
		"uploadpackfilter.blob:none.allow=true",
		"uploadpackfilter.blob:limit.allow=true",
		"uploadpackfilter.tree.allow=true",
		"uploadpackfilter.object:type.allow=true",
		"uploadpackfilter.combine.allow=true",
		"uploadpack.allowAnySHA1InWant=false",
	}
	if !req.manages {
		all = append(all, "transfer.hideRefs=refs/wikibot")
	}
	return all
}

// protocolForm is what may stand in the header Git-Protocol; only its version is
// passed on, spelt by us.
var protocolForm = regexp.MustCompile(`^(?:[a-z0-9-]+(?:=[a-z0-9.-]+)?:)*version=([12])(?::[a-z0-9-]+(?:=[a-z0-9.-]+)?)*$`)

// protocol is the protocol version that the client asks for, "" for the first.
// Pushing knows no version 2 (gitprotocol-v2(5)).
func protocol(r *http.Request, service string) string {
	h := r.Header.Get("Git-Protocol")
	if len(h) > 256 {
		return ""
	}
	m := protocolForm.FindStringSubmatch(h)
	if m == nil || m[1] == "2" && service == receivePack {
		return ""
	}
	return m[1]
}

// command prepares git for a request.
func (g *gitHandler) command(ctx context.Context, r *http.Request, req *gitRequest) *exec.Cmd {
	args := []string{strings.TrimPrefix(req.service, "git-"), "--stateless-rpc"}
	if req.refs {
		args = append(args, "--http-backend-info-refs")
	}
	cmd := g.Store.GitCommand(ctx, req.dir, append(args, req.dir)...)
	cmd.Env = gitstore.GitEnv(req.dir, g.settings(req)...)
	if v := protocol(r, req.service); v != "" {
		cmd.Env = append(cmd.Env, "GIT_PROTOCOL=version="+v)
	}
	return cmd
}

// run runs git for one request. It returns an error only where nothing has been
// written yet. Later git tells the client in its own protocol what went wrong, or
// has ended in mid-sentence, which no client takes for a whole answer.
func (g *gitHandler) run(ctx context.Context, w http.ResponseWriter, r *http.Request, req *gitRequest) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	child := &gitChild{cmd: g.command(ctx, r, req), cancel: cancel}
	out := newGitAnswer(w, r, req)
	// The write deadline would outlast the request on a kept connection.
	defer out.control.SetWriteDeadline(time.Time{})
	if !req.refs {
		// Progress comes before git has read everything. HTTP/2 can do that
		// always.
		if err := out.control.EnableFullDuplex(); err != nil && !errors.Is(err, http.ErrNotSupported) {
			return err
		}
		var err error
		if child.body, err = g.body(r, req, out.control); err != nil {
			return err
		}
	}
	var answered chan error
	if req.service == receivePack && !req.refs {
		ch, err := hooks.Attach(child.cmd)
		if err != nil {
			return fmt.Errorf("opening the hooks' descriptors: %w", err)
		}
		child.started = ch.Started
		answered = make(chan error, 1)
		go func() {
			defer ch.Close()
			push := gitstore.Push{Caller: req.caller, Wiki: req.slug, Dir: req.dir}
			answered <- hooks.Answer(ctx, g.Store, push, ch.From, ch.To)
		}()
	}
	err := child.run(out)
	if answered != nil {
		if hidden := <-answered; hidden != nil {
			g.Log.Error("a push was refused", "wiki", req.slug, "user", req.caller.Name(), "id", w.Header().Get(requestID), "error", hidden)
		}
	}
	return g.ended(r.Context(), req, out, err)
}

// ended looks at how git ended.
func (g *gitHandler) ended(ctx context.Context, req *gitRequest, out *gitAnswer, err error) error {
	switch {
	case err == nil:
		return out.start() // git had nothing to say: a push of nothing
	case ctx.Err() != nil:
		return context.Canceled // the client has left
	case !out.started:
		return err
	}
	g.Log.Info("git ended early", "wiki", req.slug, "service", req.service, "user", req.caller.Name(), "error", err)
	return nil
}

// gitAnswer is the answer to a client. Its head is written with the first byte
// that git says, so that until then an error can still have a status.
type gitAnswer struct {
	w       http.ResponseWriter
	control *http.ResponseController
	kind    string // content type
	before  string // what comes before what git says
	started bool
}

func newGitAnswer(w http.ResponseWriter, r *http.Request, req *gitRequest) *gitAnswer {
	a := &gitAnswer{w: w, control: http.NewResponseController(w), kind: "application/x-" + req.service + "-result"}
	if req.refs {
		a.kind = "application/x-" + req.service + "-advertisement"
		if protocol(r, req.service) != "2" {
			line := "# service=" + req.service + "\n"
			a.before = fmt.Sprintf("%04x%s0000", len(line)+4, line)
		}
	}
	return a
}

func (a *gitAnswer) start() error {
	if a.started {
		return nil
	}
	a.started = true
	h := a.w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
	h.Set("Expires", "Fri, 01 Jan 1980 00:00:00 GMT")
	h.Set("Pragma", "no-cache")
	a.w.WriteHeader(http.StatusOK)
	_, err := io.WriteString(a.w, a.before)
	return err
}

// copyFrom carries what git says to the client as it comes. The error is one of
// writing: git may end whenever it likes.
func (a *gitAnswer) copyFrom(git io.Reader) error {
	buf := make([]byte, 64<<10)
	for {
		n, readErr := git.Read(buf)
		if n > 0 {
			if err := a.write(buf[:n], n < len(buf)); err != nil {
				return err
			}
		}
		if readErr != nil {
			return nil
		}
	}
}

func (a *gitAnswer) write(p []byte, flush bool) error {
	_ = a.control.SetWriteDeadline(time.Now().Add(gitIdle)) // not supported only in tests without a connection
	if err := a.start(); err != nil {
		return err
	}
	if _, err := a.w.Write(p); err != nil {
		return err
	}
	if !flush {
		return nil
	}
	return a.control.Flush()
}
