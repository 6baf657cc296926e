package streamable

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/mark3labs/mcp-go/mcp"
)

// encode writes a value as JSON on one line, without the escapes for HTML, which
// would make pages a good deal longer.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// envelope is a response with the client's id byte for byte: a number of more
// than 53 bits would not survive a float64.
func envelope(id json.RawMessage, member string, value []byte) []byte {
	if id == nil {
		id = json.RawMessage("null")
	}
	b := make([]byte, 0, len(id)+len(member)+len(value)+32)
	b = append(append(b, `{"jsonrpc":"2.0","id":`...), id...)
	b = append(append(append(b, ',', '"'), member...), '"', ':')
	return append(append(b, value...), '}')
}

// answer is what a request got.
type answer struct {
	body   []byte // the whole response
	code   int    // JSON-RPC code of an error; 0: a result
	failed bool   // an error, or the result of a tool that failed
}

// answerTo writes a response of the dispatcher for a client that asked with id.
func answerTo(id json.RawMessage, response mcp.JSONRPCMessage) (answer, error) {
	switch r := response.(type) {
	case mcp.JSONRPCResponse:
		b, err := encode(r.Result)
		if err != nil {
			return answer{}, err
		}
		tool, _ := r.Result.(*mcp.CallToolResult)
		if t, ok := r.Result.(mcp.CallToolResult); ok {
			tool = &t
		}
		return answer{body: envelope(id, "result", b), failed: tool != nil && tool.IsError}, nil
	case mcp.JSONRPCError:
		b, err := encode(r.Error)
		if err != nil {
			return answer{}, err
		}
		return answer{body: envelope(id, "error", b), code: r.Error.Code, failed: true}, nil
	default:
		b, err := encode(response)
		return answer{body: b}, err
	}
}

// named says which resource it was that was not found (SEP-2164), where the error
// does not say more already.
func (c *call) named(response mcp.JSONRPCMessage) mcp.JSONRPCMessage {
	e, ok := response.(mcp.JSONRPCError)
	if !ok || e.Error.Data != nil || c.msg.method != string(mcp.MethodResourcesRead) ||
		(e.Error.Code != mcp.RESOURCE_NOT_FOUND && e.Error.Code != mcp.INVALID_PARAMS) {
		return response
	}
	if uri, ok := mcp.ExtractHeaderName(mcp.MethodResourcesRead, c.msg.params); ok {
		e.Error.Data = map[string]any{"uri": uri}
	}
	return e
}

// fault is an error as an answer.
func fault(id json.RawMessage, code int, text string, data any) answer {
	b, err := encode(mcp.JSONRPCErrorDetails{Code: code, Message: text, Data: data})
	if err != nil {
		b = []byte(`{"code":-32603,"message":"internal error"}`)
	}
	return answer{body: envelope(id, "error", b), code: code, failed: true}
}

// writeJSON sends a body whole.
func writeJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", typeJSON)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has left
}

// refuse answers with a status and a JSON-RPC error, which clients show.
func refuse(w http.ResponseWriter, status int, id json.RawMessage, code int, text string) {
	writeJSON(w, status, fault(id, code, text, nil).body)
}
