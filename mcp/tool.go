package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"

	proto "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"wikibot/limit"
	"wikibot/mcp/streamable"
)

// tool is one thing that an agent can do. What a client sees of it and how its
// arguments are read come from the same list of parameters.
type tool struct {
	name   string
	title  string // for people
	doc    string // for the model: what it does, when to use it and when another
	params []param
	out    any // the zero value of its structured result

	writes      bool // shown to those who may write
	destructive bool // it may take away or replace what is there
	idempotent  bool // the same call again changes nothing more

	// cost is how many operations a call counts as; nil: one.
	cost func(args) int
	run  func(context.Context, *call, args) (*result, error)
}

// result is what a tool gives back.
type result struct {
	text string   // the first block
	more []string // further blocks
	data any      // the structured content
	raw  []proto.Content
}

// plain is a result with nothing but its facts and their text.
func plain(text string, data any) (*result, error) { return &result{text: text, data: data}, nil }

// protocol is the tool as clients see it.
func (t *tool) protocol() (proto.Tool, error) {
	in, err := json.Marshal(inputSchema(t.params))
	if err != nil {
		return proto.Tool{}, fmt.Errorf("schema of %s: %w", t.name, err)
	}
	out, err := json.Marshal(outputSchema(t.out))
	if err != nil {
		return proto.Tool{}, fmt.Errorf("schema of %s: %w", t.name, err)
	}
	reads, no, destroys, again := !t.writes, false, t.destructive, t.idempotent || !t.writes
	return proto.Tool{
		Name: t.name, Title: t.title, Description: t.doc,
		RawInputSchema: in, RawOutputSchema: out,
		Annotations: proto.ToolAnnotation{Title: t.title, ReadOnlyHint: &reads, DestructiveHint: &destroys, IdempotentHint: &again, OpenWorldHint: &no},
	}, nil
}

// handler is the tool as mcp-go calls it. What goes wrong is a result for the model
// to read; only a message without a caller is an error of the protocol.
func (h *Handler) handler(t *tool) server.ToolHandlerFunc {
	return func(ctx context.Context, req proto.CallToolRequest) (out *proto.CallToolResult, err error) {
		k, err := callOf(ctx)
		if err != nil {
			return nil, err
		}
		defer func() {
			if p := recover(); p != nil {
				out, err = h.failedResult(k, t.name, fmt.Errorf("panic: %v\n%s", p, debug.Stack())), nil
			}
		}()
		r, err := h.do(ctx, k, t, streamable.Arguments(ctx, req))
		if err != nil {
			return h.failedResult(k, t.name, err), nil
		}
		out = &proto.CallToolResult{Content: []proto.Content{textBlock(r.text)}, StructuredContent: r.data}
		for _, s := range r.more {
			out.Content = append(out.Content, textBlock(s))
		}
		out.Content = append(out.Content, r.raw...)
		return out, nil
	}
}

// do reads the arguments, counts the call and runs it. A call whose arguments are
// wrong counts too, as one.
func (h *Handler) do(ctx context.Context, k *call, t *tool, sent any) (*result, error) {
	a, wrong := readArgs(t.name, t.params, sent)
	action, cost := limit.Read, 1
	if t.writes {
		action = limit.Write
	}
	if wrong == nil && t.cost != nil {
		cost = max(1, t.cost(a))
	}
	if err := k.admit(action, cost); err != nil {
		return nil, err
	}
	if wrong != nil {
		return nil, wrong
	}
	return t.run(ctx, k, a)
}
