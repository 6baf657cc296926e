package hooks

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// Store is what decides about pushes: a *gitstore.Store.
type Store interface {
	// CheckPush says what is wrong with a push whose objects are in quarantine.
	CheckPush(ctx context.Context, p *gitstore.Push) error
	// ApplyPush moves the refs of a push that CheckPush approved; all or none of
	// them where it is atomic.
	ApplyPush(ctx context.Context, p *gitstore.Push, atomic bool) ([]gitstore.RefResult, error)
}

// Answer is the server's end of the conversation of one push that the server
// started: r and w are the pipes that Attach made. push says who pushes (Caller)
// and where to (Wiki, Dir); its other fields are what the hooks report. Answer
// returns when no process holds the other end of r any more, so it has to run
// beside the wait for git; w it closes as soon as there is nothing more to say.
// Whatever goes wrong refuses the push and is told to the pusher; the error is what
// only the log should hear.
func Answer(ctx context.Context, store Store, push gitstore.Push, r io.Reader, w io.WriteCloser) error {
	p := &onePush{store: store, push: push}
	in := bufio.NewReaderSize(r, 16<<10)
	var logged []error
	for {
		req, err := readRequest(in)
		switch {
		case err == io.EOF:
			return errors.Join(append(logged, w.Close())...)
		case err != nil:
			logged = append(logged, refuse(w, wiki.Invalid("", "%v", err)))
		default:
			logged = append(logged, p.answer(ctx, req, in, w))
		}
		if err != nil || req.hook == "proc-receive" {
			// That was the last word, or what follows cannot be understood.
			// Nobody may block for an answer, nor in writing.
			logged = append(logged, w.Close())
			_, err := io.Copy(io.Discard, in)
			return errors.Join(append(logged, err)...)
		}
	}
}

// onePush is the state of one push between its two hooks. It is what a
// proc-receive has to show: approvals cannot be borrowed, since each push has its
// own value.
type onePush struct {
	store    Store
	push     gitstore.Push  // who and where; Commands and the like are empty
	asked    bool           // pre-receive has run
	approved *gitstore.Push // what pre-receive got approved; nil before, after a refusal and once used
	keep     func()         // called on approval before the pusher hears of it; may be nil
}

// answer answers one hook. A panic in the Store refuses the push and leaves the
// server running.
func (p *onePush) answer(ctx context.Context, req *request, in *bufio.Reader, w io.Writer) (err error) {
	defer func() {
		if v := recover(); v != nil {
			p.approved = nil
			err = errors.Join(refuse(w, errors.New("panic")), fmt.Errorf("panic: %v\n%s", v, debug.Stack()))
		}
	}()
	if req.hook == "pre-receive" {
		return p.preReceive(ctx, req, w)
	}
	return p.procReceive(ctx, in, w)
}

func (p *onePush) preReceive(ctx context.Context, req *request, w io.Writer) error {
	if p.asked {
		p.approved = nil
		return refuse(w, wiki.Forbidden("pre-receive ran twice in one push"))
	}
	p.asked = true
	if len(req.commands) == 0 {
		return refuse(w, wiki.Invalid("", "the push names no ref"))
	}
	quarantine, err := req.quarantineIn(p.push.Dir)
	if err != nil {
		return refuse(w, fmt.Errorf("%w: %w", err, wiki.Forbidden("the hook's variables do not belong to a push into this repository (GIT_QUARANTINE_PATH and its like); push again without setting them")))
	}
	push := p.push
	push.Commands, push.Options, push.Quarantine = req.commands, req.options, quarantine
	if err := p.store.CheckPush(ctx, &push); err != nil {
		return refuse(w, err)
	}
	p.approved = &push
	if p.keep != nil {
		p.keep()
	}
	return send(w, "ok")
}

// refuse tells the pusher why and ends the conversation of one hook. The error is
// for the log.
func refuse(w io.Writer, err error) error {
	lines, hidden := report(err)
	var b strings.Builder
	for _, l := range lines {
		b.WriteString("| " + l + "\n")
	}
	return errors.Join(hidden, send(w, b.String()+"no"))
}

func send(w io.Writer, s string) error {
	if _, err := io.WriteString(w, s+"\n"); err != nil {
		return fmt.Errorf("answering the hook: %w", err)
	}
	return nil
}

// take is what may be applied of an approved push, once: the commands that git
// hands to proc-receive. Git leaves out those that it refused by itself (a hidden
// ref), so they may be fewer than were approved, but never others.
func (p *onePush) take(commands []gitstore.RefCommand) (*gitstore.Push, error) {
	approved := p.approved
	p.approved = nil
	if approved == nil {
		return nil, wiki.Forbidden("pre-receive did not run in this push or refused it, so nothing was checked; tell the operator to restart \"wikibot serve\", which mends its hooks")
	}
	left := make(map[gitstore.RefCommand]bool, len(approved.Commands))
	for _, c := range approved.Commands {
		left[c] = true
	}
	for _, c := range commands {
		if !left[c] {
			return nil, wiki.Forbidden("pre-receive did not approve the change of %s from %.8s to %.8s in this push", c.Ref, c.Old, c.New)
		}
		delete(left, c)
	}
	push := *approved
	push.Commands, push.Quarantine = slices.Clone(commands), ""
	return &push, nil
}
