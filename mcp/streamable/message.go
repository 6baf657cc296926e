package streamable

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/mark3labs/mcp-go/mcp"
)

// What a message may be. mcp-go decodes a message several times over, into
// values that take twenty and more times their text; so the text is looked at
// first, without decoding.
const (
	maxDepth  = 64      // brackets within brackets
	maxValues = 100_000 // values, keys not counted
	maxID     = 256     // bytes of a request's id
)

// Bounds of messages that call no tool: only what a tool is given is large, and mcp-go
// decodes a message about ten times. One that opens something that stays, a session or
// a stream, is kept for as long as that.
const (
	maxOther   = 256 << 10 // bytes
	maxOpening = 128 << 10
)

// room is the most bytes that the body of such a message may have.
func (m *message) room() int {
	switch m.method {
	case string(mcp.MethodToolsCall):
		return math.MaxInt
	case string(mcp.MethodInitialize), string(mcp.MethodSubscriptionsListen):
		return maxOpening
	}
	return maxOther
}

// message is a JSON-RPC 2.0 message (jsonrpc.org/specification) as far as the
// transport must know it.
type message struct {
	id     json.RawMessage // as the client wrote it; nil: a notification
	method string          // empty: a response
	params json.RawMessage
	result json.RawMessage // of a response
	fault  json.RawMessage // of a response
	meta   map[string]json.RawMessage
}

func (m *message) request() bool  { return m.method != "" && m.id != nil }
func (m *message) response() bool { return m.method == "" }

// version is the protocol revision that params._meta declares, or "".
func (m *message) version() string {
	var v string
	_ = json.Unmarshal(m.meta[mcp.MetaKeyProtocolVersion], &v) // not a string: none
	return v
}

// badMessage is why a body is refused: a JSON-RPC code and what to do.
type badMessage struct {
	code int
	text string
	id   json.RawMessage // where it is known
}

func (e *badMessage) Error() string { return e.text }

// parse reads a body. It takes one walk over the text and one decoding of the
// outer members; the cost is linear in len(body), and nothing nested deeper than
// maxDepth or of more than maxValues values is decoded at all.
func parse(body []byte) (*message, error) {
	if err := precheck(body); err != nil {
		return nil, err
	}
	var m struct {
		JSONRPC json.RawMessage `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  json.RawMessage `json:"method"`
		Params  json.RawMessage `json:"params"`
		Result  json.RawMessage `json:"result"`
		Error   json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return nil, &badMessage{code: mcp.PARSE_ERROR, text: "the body is not valid JSON; send one JSON-RPC message"}
	}
	out := &message{id: m.ID, params: m.Params, result: m.Result, fault: m.Error}
	bad := func(text string) (*message, error) {
		return nil, &badMessage{code: mcp.INVALID_REQUEST, text: text, id: knownID(m.ID)}
	}
	if knownID(m.ID) == nil && m.ID != nil {
		return bad("the id is neither a string nor a number, or longer than 256 bytes; choose another id")
	}
	if string(m.JSONRPC) != `"2.0"` {
		return bad(`this is not JSON-RPC 2.0; say "jsonrpc": "2.0"`)
	}
	if m.Method == nil {
		if m.ID == nil || (m.Result == nil && m.Error == nil) {
			return bad("the message has neither a method nor, as a response, an id and a result or an error")
		}
		return out, nil
	}
	if json.Unmarshal(m.Method, &out.method) != nil || out.method == "" {
		return bad("the method is not a name")
	}
	if m.Params == nil {
		return out, nil
	}
	if m.Params[0] != '{' {
		return nil, &badMessage{code: mcp.INVALID_PARAMS, text: "params is not an object", id: knownID(m.ID)}
	}
	var p struct {
		Meta json.RawMessage `json:"_meta"`
	}
	if err := json.Unmarshal(m.Params, &p); err != nil || (p.Meta != nil && json.Unmarshal(p.Meta, &out.meta) != nil) {
		return nil, &badMessage{code: mcp.INVALID_PARAMS, text: "params._meta is not an object", id: knownID(m.ID)}
	}
	return out, nil
}

// knownID returns the id where it is one that may be sent back, else nil.
func knownID(id json.RawMessage) json.RawMessage {
	if len(id) == 0 || len(id) > maxID || (id[0] != '"' && id[0] != '-' && (id[0] < '0' || id[0] > '9')) {
		return nil
	}
	return id
}

// precheck walks over the text of a message and refuses what would be dear to
// decode or be read in two ways: nesting deeper than maxDepth, more than
// maxValues values, an array (batches left the protocol in 2025-06-18), and an
// outer member that is there twice or in another case (encoding/json would take
// the last one, and "METHOD" for "method"). Whether the rest is JSON is for the
// decoder to say.
func precheck(body []byte) error {
	var seen [6]bool
	depth, values := 0, 1
	key := true // in the outer object: the next string is a key
	for i := 0; i < len(body); i++ {
		switch c := body[i]; c {
		case '"':
			end := stringEnd(body, i)
			if depth == 1 && key {
				if err := outerMember(body[i+1:max(i+1, end-1)], &seen); err != nil {
					return err
				}
				key = false
			}
			i = end - 1
		case '{', '[':
			if depth == 0 && c == '[' {
				return &badMessage{code: mcp.INVALID_REQUEST, text: "batches are not served; send one message in each request"}
			}
			if depth++; depth > maxDepth {
				return &badMessage{code: mcp.INVALID_REQUEST, text: fmt.Sprintf("the message is nested deeper than %d levels; send it flatter", maxDepth)}
			}
			values++
		case '}', ']':
			depth--
		case ',':
			values++
			key = true
		}
		if values > maxValues {
			return &badMessage{code: mcp.INVALID_REQUEST, text: fmt.Sprintf("the message has more than %d values; send less at once", maxValues)}
		}
	}
	return nil
}

// stringEnd returns the place behind the string that begins at body[at], or the
// end of the body.
func stringEnd(body []byte, at int) int {
	for i := at + 1; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(body)
}

// member says which outer member of a message a name is, whatever its case, and
// whether it is written as it must be; -1: none of them.
func member(name []byte) (index int, exact bool) {
	for i, m := range [...]string{"jsonrpc", "id", "method", "params", "result", "error"} {
		if strings.EqualFold(m, string(name)) {
			return i, m == string(name)
		}
	}
	return -1, false
}

func outerMember(name []byte, seen *[6]bool) error {
	if bytes.IndexByte(name, '\\') >= 0 {
		return &badMessage{code: mcp.INVALID_REQUEST, text: "an outer member's name has an escape; write it plainly"}
	}
	i, exact := member(name)
	if i < 0 {
		return nil
	}
	if !exact || seen[i] {
		return &badMessage{code: mcp.INVALID_REQUEST, text: fmt.Sprintf("the member %q is there twice or in another case", name)}
	}
	seen[i] = true
	return nil
}
