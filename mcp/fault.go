package mcp

import (
	"context"
	"errors"
	"sync"

	proto "github.com/mark3labs/mcp-go/mcp"
	"github.com/mark3labs/mcp-go/server"

	"wikibot/limit"
)

// faults are the errors of the protocol that the handlers of one HTTP request gave,
// by their texts. mcp-go hands every error of a resource or prompt on as an
// internal one, with its text alone; answer gives it its code back.
type faults struct {
	mu   sync.Mutex
	list map[string]fault
}

type fault struct {
	code int
	data failure
}

// codeLimited is the error of a message over a limit, one of JSON-RPC's own range
// for servers.
const codeLimited = -32000

// protocolError is an error that a client sees as one of the protocol. What is for
// the log alone goes there.
func (k *call) protocolError(ctx context.Context, err error) error {
	f, internal := failureOf(err)
	if internal != nil {
		k.h.Log.Error("mcp: a request failed", "wiki", string(k.slug), "request", k.id, "err", internal)
		f.RequestID, f.Message = k.id, "internal error; the server's log has it under the request id "+k.id
	}
	k.faults.mu.Lock()
	defer k.faults.mu.Unlock()
	if k.faults.list == nil {
		k.faults.list = map[string]fault{}
	}
	k.faults.list[f.Message] = fault{codeFor(ctx, f.Code), f}
	return errors.New(f.Message)
}

// codeFor is the JSON-RPC code of a kind of error. What is not found has one of its
// own before revision 2026-07-28.
func codeFor(ctx context.Context, kind string) int {
	switch kind {
	case "rate_limited", "unavailable":
		return codeLimited
	case "internal":
		return proto.INTERNAL_ERROR
	case "not_found":
		if !proto.IsModernProtocol(server.RequestProtocolVersion(ctx)) {
			return proto.RESOURCE_NOT_FOUND
		}
	}
	return proto.INVALID_PARAMS
}

// answer gives an error of ours its code and its facts.
func answer(ctx context.Context, response proto.JSONRPCMessage) proto.JSONRPCMessage {
	e, ok := response.(proto.JSONRPCError)
	if !ok {
		return response
	}
	k, err := callOf(ctx)
	if err != nil {
		return response
	}
	k.faults.mu.Lock()
	defer k.faults.mu.Unlock()
	if f, ok := k.faults.list[e.Error.Message]; ok {
		e.Error.Code, e.Error.Data = f.code, f.data
	}
	return e
}

// admitMessage counts every request that is no tool call, also those that begin a
// session; tool calls are counted by their tool.
func (h *Handler) admitMessage(ctx context.Context, method string) error {
	if proto.MCPMethod(method) == proto.MethodToolsCall {
		return nil
	}
	k, err := callOf(ctx)
	if err != nil {
		return err
	}
	if err := k.admit(limit.Read, 1); err != nil {
		return k.protocolError(ctx, err)
	}
	return nil
}
