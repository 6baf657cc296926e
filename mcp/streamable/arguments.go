package streamable

import (
	"context"
	"encoding/json"

	"github.com/mark3labs/mcp-go/mcp"
)

type argumentsKey struct{}

// Arguments are those of a tool call, decoded as mcp-go does it (objects as
// map[string]any). A handler behind a transport with Config.LargeArguments reads
// them here; req.Params.Arguments is empty where they were large.
func Arguments(ctx context.Context, req mcp.CallToolRequest) any {
	raw, ok := ctx.Value(argumentsKey{}).(json.RawMessage)
	if !ok {
		return req.Params.Arguments
	}
	var v any
	if json.Unmarshal(raw, &v) != nil { // it was decoded as a part of the message
		return nil
	}
	return v
}

// setAside takes large arguments out of a tool call before mcp-go gets it, which
// goes through a message about ten times before a tool is called: with a page of
// 100 kB that is 10 ms of a processor. They travel in the context, as all that a
// handler of mcp-go is handed beside the message.
func (c *call) setAside(ctx context.Context, body []byte) (context.Context, []byte) {
	if n := c.h.cfg.LargeArguments; n <= 0 || len(c.msg.params) < n || c.msg.method != string(mcp.MethodToolsCall) {
		return ctx, body
	}
	var p map[string]json.RawMessage
	if json.Unmarshal(c.msg.params, &p) != nil {
		return ctx, body
	}
	large := p["arguments"]
	if len(large) == 0 || large[0] != '{' {
		return ctx, body
	}
	p["arguments"] = json.RawMessage("{}")
	slim, err := json.Marshal(struct {
		JSONRPC string                     `json:"jsonrpc"`
		ID      json.RawMessage            `json:"id,omitempty"`
		Method  string                     `json:"method"`
		Params  map[string]json.RawMessage `json:"params"`
	}{"2.0", c.msg.id, c.msg.method, p})
	if err != nil {
		return ctx, body
	}
	return context.WithValue(ctx, argumentsKey{}, large), slim
}
