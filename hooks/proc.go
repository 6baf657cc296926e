package hooks

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"wikibot/gitstore"
)

// procReceive speaks git's protocol for proc-receive hooks, version 1
// (githooks(5)), with receive-pack, and has the Store move the refs. No feature is
// asked for, since push options are known from pre-receive.
func (p *onePush) procReceive(ctx context.Context, in *bufio.Reader, w io.Writer) error {
	atomic, err := negotiate(in, w)
	if err != nil {
		return refuse(w, fmt.Errorf("negotiating with receive-pack: %w", err))
	}
	commands, err := readCommands(in)
	if err != nil {
		return refuse(w, fmt.Errorf("reading receive-pack's commands: %w", err))
	}
	push, err := p.take(commands)
	if err != nil {
		return rejectAll(w, commands, err)
	}
	results, err := p.store.ApplyPush(ctx, push, atomic)
	if err != nil {
		return rejectAll(w, commands, err)
	}
	var b strings.Builder
	answers := make(map[string]gitstore.RefResult, len(results))
	for _, r := range results {
		answers[r.Ref] = r
	}
	for _, c := range commands {
		r, found := answers[c.Ref]
		if !found {
			r.Reason = "the server gave no answer about this ref"
		}
		writeResult(&b, c, r)
	}
	return send(w, b.String()+"> "+flushPacket+"\nok")
}

// negotiate reads "version=1" with features after a NUL, one of which says that
// the push is atomic, and answers with the version alone.
func negotiate(in *bufio.Reader, w io.Writer) (atomic bool, err error) {
	line, err := readPacket(in)
	if err != nil {
		return false, err
	}
	version, features, _ := bytes.Cut(line, []byte{0})
	if string(version) != "version=1" {
		return false, fmt.Errorf("git speaks %q to proc-receive; wikibot knows version=1", version)
	}
	if _, err := readPacket(in); err != errFlush {
		return false, errors.Join(errors.New("no flush packet after the version"), err)
	}
	return slices.Contains(strings.Fields(string(features)), "atomic"), send(w, "> "+formatPacket("version=1")+"\n> "+flushPacket)
}

func readCommands(in *bufio.Reader) (commands []gitstore.RefCommand, err error) {
	for {
		line, err := readPacket(in)
		if err == errFlush && len(commands) > 0 {
			return commands, nil
		}
		if err != nil {
			return nil, err
		}
		if len(commands) == maxCommands {
			return nil, fmt.Errorf("more than %d commands", maxCommands)
		}
		c, err := parseCommand(string(line))
		if err != nil {
			return nil, err
		}
		commands = append(commands, c)
	}
}

// rejectAll refuses every command and shows why: in full above git's table, and
// as one line in it.
func rejectAll(w io.Writer, commands []gitstore.RefCommand, err error) error {
	lines, hidden := report(err)
	var b strings.Builder
	for _, l := range lines {
		b.WriteString("| " + l + "\n")
	}
	for _, c := range commands {
		writeResult(&b, c, gitstore.RefResult{Reason: "refused, see above"})
	}
	return errors.Join(hidden, send(w, b.String()+"> "+flushPacket+"\nok"))
}

// writeResult answers one command. A push that was merged, or that landed on
// another ref, names the old object and the ref but never the new object: the
// client does not have a merge, and without it takes what it pushed as the new
// state, which its next pull moves forward.
func writeResult(b *strings.Builder, c gitstore.RefCommand, r gitstore.RefResult) {
	packet := func(format string, args ...any) {
		b.WriteString("> " + formatPacket(fmt.Sprintf(format, args...)) + "\n")
	}
	if !r.OK {
		reason := printable(strings.Join(strings.Fields(r.Reason), " "))
		if reason == "" {
			reason = "refused"
		}
		packet("ng %s %s", c.Ref, reason)
		return
	}
	packet("ok %s", c.Ref)
	if r.Landed == "" || r.Landed == c.Ref || !isRef(r.Landed) {
		return
	}
	packet("option refname %s", r.Landed)
	if isObjectName(r.Old) {
		packet("option old-oid %s", r.Old)
	}
}
