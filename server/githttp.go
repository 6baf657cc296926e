package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// drainTime is how long a client may go on sending after git has ended.
const drainTime = 30 * time.Second

// run runs git for one request over HTTP. It returns an error only where nothing
// has been written yet. Later git tells the client in its own protocol what went
// wrong, or has ended in mid-sentence, which no client takes for a whole answer.
func (g *gitHandler) run(ctx context.Context, w http.ResponseWriter, r *http.Request, req *gitRequest) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := newGitAnswer(w, req)
	flags := []string{"--stateless-rpc"}
	if req.refs {
		flags = append(flags, "--http-backend-info-refs")
	}
	child := &gitChild{cmd: g.command(ctx, req, flags...), cancel: cancel, out: out.copyFrom, rest: out.awaitBody}
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
	err := g.drive(ctx, req, child)
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

func newGitAnswer(w http.ResponseWriter, req *gitRequest) *gitAnswer {
	a := &gitAnswer{w: w, control: http.NewResponseController(w), kind: "application/x-" + req.service + "-result"}
	if req.refs {
		a.kind = "application/x-" + req.service + "-advertisement"
		if req.protocol != "2" {
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

func (a *gitAnswer) copyFrom(git io.Reader) error { return carry(git, a.write) }

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

// awaitBody waits, after git has ended, for the rest of the request's body, so
// that the client gets to read the answer.
func (a *gitAnswer) awaitBody(fed <-chan error) error {
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	select {
	case err := <-fed:
		return err
	case <-timer.C:
	}
	_ = a.control.SetReadDeadline(time.Unix(1, 0)) // ends the read that feed waits in
	<-fed
	return nil
}
