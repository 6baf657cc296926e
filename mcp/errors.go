package mcp

import (
	"context"
	"errors"
	"fmt"
	"strings"

	proto "github.com/mark3labs/mcp-go/mcp"

	"wikibot/limit"
	"wikibot/notes"
	"wikibot/wiki"
)

// failureOf says in words what went wrong and what to do next. internal is the
// error where its text is for the log alone.
func failureOf(err error) (f failure, internal error) {
	f.Message = err.Error()
	var op *notes.OpError
	if errors.As(err, &op) {
		f.Operation = op.Index + 1
	}
	var own *wiki.Error
	if errors.As(err, &own) {
		f.Field = own.Field
	}
	var c *wiki.Conflict
	var over *limit.Exceeded
	switch {
	case errors.As(err, &over):
		f.Code, f.RetryAfter = "rate_limited", over.Seconds()
		f.Message = fmt.Sprintf("%s. retry_after: %d seconds. Wait that long, then repeat the call; several notes at once (read_notes, commit_notes) need fewer calls", strings.TrimSuffix(err.Error(), "."), over.Seconds())
	case errors.As(err, &c):
		f.Code = "conflict"
		f.Path, f.CurrentRevision = string(c.Path), string(c.Current)
	default:
		f.Code = codeOf(err)
	}
	if f.Code == "internal" {
		return failure{Code: f.Code, Message: "internal error"}, err
	}
	return f, nil
}

// codeOf is the kind of an error as a program reads it. The narrower kinds come
// before those that they are as well.
func codeOf(err error) string {
	for _, k := range [...]struct {
		kind error
		code string
	}{
		{wiki.ErrNotFound, "not_found"}, {wiki.ErrLimit, "over_limit"}, {wiki.ErrForbidden, "forbidden"},
		{wiki.ErrExists, "exists"}, {wiki.ErrConflict, "conflict"}, {wiki.ErrTooLarge, "too_large"}, {wiki.ErrInvalid, "invalid"},
		{wiki.ErrUnauthenticated, "unauthenticated"}, {wiki.ErrPayment, "payment_required"}, {wiki.ErrUnavailable, "unavailable"},
		{context.Canceled, "unavailable"}, {context.DeadlineExceeded, "unavailable"},
	} {
		if errors.Is(err, k.kind) {
			return k.code
		}
	}
	return "internal"
}

// maxConflict is the most characters of each text that a conflict shows; a longer
// one is read with read_note.
const maxConflict = 20_000

// failedResult is a tool's error as its caller gets it. Whatever goes wrong inside
// a tool is one of these, so that the model reads it and can act.
func (h *Handler) failedResult(k *call, tool string, err error) *proto.CallToolResult {
	f, internal := failureOf(err)
	if internal != nil {
		f.RequestID = k.id
		f.Message = "internal error; the server's log has it under the request id " + f.RequestID + ". Try again once, then tell the operator"
		h.Log.Error("mcp: a tool failed", "tool", tool, "wiki", string(k.slug), "request", f.RequestID, "err", internal)
	}
	out := &proto.CallToolResult{IsError: true, Content: []proto.Content{textBlock(f.Message)}}
	var c *wiki.Conflict
	if errors.As(err, &c) {
		f.Message = conflictText(c, f.Message)
		out.Content = []proto.Content{textBlock(f.Message)}
		out.Content = append(out.Content, conflictTexts(c, &f)...)
	}
	out.StructuredContent = failed{Error: &f}
	return out
}

// conflictText is what happened and the next step.
func conflictText(c *wiki.Conflict, what string) string {
	what = strings.TrimSuffix(what, ".") + ". Nothing was saved."
	if c.Current == "" || c.Ours == nil {
		return what
	}
	return fmt.Sprintf("%s The current text is below: apply your change to it and call again with revision %s; or, where the tool takes merge, repeat the call with merge=true, which keeps both changes unless they touch the same lines.", what, c.Current)
}

// conflictTexts are both sides of a conflict, each within a boundary.
func conflictTexts(c *wiki.Conflict, f *failure) []proto.Content {
	var out []proto.Content
	mark := newBoundary()
	show := func(what string, text []byte) *string {
		if text == nil {
			return nil
		}
		part, all := cut(string(text), maxConflict)
		what += " of " + line(string(c.Path))
		if len(part) < len(text) {
			what += fmt.Sprintf(", its first %d of %d characters; read_note has all", maxConflict, all)
		}
		out = append(out, textBlock(mark.around(what, part)))
		return &part
	}
	f.CurrentContent = show("the current text", c.Ours)
	f.YourContent = show("your text", c.Theirs)
	return out
}

func textBlock(s string) proto.Content { return proto.TextContent{Type: "text", Text: s} }
