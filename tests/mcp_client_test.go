package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// mcpClient is an MCP client of revision 2026-07-28, as an agent's program is one,
// with the present person's token (see token):
//
//	mcp call TOOL [NAME=TEXT | NAME:=JSON | NAME=@FILE]…
//	mcp list                        the names of the tools, one a line
//	mcp ask METHOD [PARAMS]         the result as JSON
//	mcp post STATUS BODY [HEADER…]  a body as it is, or @FILE
//
// Before them -at ADDRESS names another endpoint than that of the wiki notes, -as
// NAME another client. Standard output has the texts of all blocks of a result, and
// "structured" behind them in ask's way with -data. With ! a call must fail: the
// tool's error is on standard output, one of the protocol on standard error.
func mcpClient(s *site, ts *testscript.TestScript, neg bool, args []string) {
	c := &agent{s: s, ts: ts, at: "/w/notes/mcp", name: "Story Client"}
	for len(args) > 1 && strings.HasPrefix(args[0], "-") {
		switch args[0] {
		case "-at":
			c.at, args = args[1], args[2:]
		case "-as":
			c.name, args = args[1], args[2:]
		case "-data":
			c.data, args = true, args[1:]
		default:
			ts.Fatalf("mcp has no %s", args[0])
		}
	}
	usage(ts, len(args) >= 1, "mcp [-at ADDRESS] [-as NAME] [-data] call | list | ask | post …")
	var err error
	switch verb, rest := args[0], args[1:]; verb {
	case "call":
		usage(ts, len(rest) >= 1, "mcp call TOOL [NAME=TEXT | NAME:=JSON | NAME=@FILE]…")
		err = c.call(rest[0], rest[1:])
	case "list":
		err = c.list()
	case "ask":
		usage(ts, len(rest) >= 1, "mcp ask METHOD [PARAMS]")
		err = c.ask(rest)
	case "post":
		usage(ts, len(rest) >= 2, "mcp post STATUS BODY [HEADER…]")
		err = c.post(rest)
	default:
		ts.Fatalf("mcp does not know %s", verb)
	}
	outcome(ts, neg, err)
}

type agent struct {
	s    *site
	ts   *testscript.TestScript
	at   string
	name string
	data bool
}

func (c *agent) send(method, name string, params map[string]any) (json.RawMessage, error) {
	params["_meta"] = map[string]any{
		"io.modelcontextprotocol/protocolVersion":    "2026-07-28",
		"io.modelcontextprotocol/clientInfo":         map[string]any{"name": "story", "title": c.name, "version": "1.0"},
		"io.modelcontextprotocol/clientCapabilities": map[string]any{},
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return nil, err
	}
	header := c.header()
	header.Set("MCP-Protocol-Version", "2026-07-28")
	header.Set("Mcp-Method", method)
	if name != "" {
		header.Set("Mcp-Name", name)
	}
	status, answer, err := c.quietly(body, header)
	if err != nil {
		return nil, err
	}
	var r struct {
		Result json.RawMessage
		Error  *struct {
			Code    int
			Message string
		}
	}
	if err := json.Unmarshal(answer, &r); err != nil || r.Result == nil && r.Error == nil {
		return nil, fmt.Errorf("status %d: %s", status, answer)
	}
	if r.Error != nil {
		return nil, fmt.Errorf("error %d: %s", r.Error.Code, r.Error.Message)
	}
	return r.Result, nil
}

func (c *agent) header() http.Header {
	h := http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json, text/event-stream"}, "Origin": {""}, "Sec-Fetch-Site": {""}, "Cookie": {""}}
	if t := c.s.me().token; t != "" {
		h.Set("Authorization", "Bearer "+t)
	}
	return h
}

// quietly sends a body and leaves the story's output alone.
func (c *agent) quietly(body []byte, header http.Header) (int, []byte, error) {
	r, err := http.NewRequest(http.MethodPost, base+c.at, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	for k, v := range header {
		if len(v) == 1 && v[0] != "" {
			r.Header[k] = v
		}
	}
	if host := header.Get("Host"); host != "" {
		r.Host = host
	}
	res, err := c.s.client().Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		return 0, nil, err
	}
	for _, k := range sortedKeys(res.Header) {
		fmt.Fprintf(c.ts.Stderr(), "%s: %s\n", k, strings.Join(res.Header[k], ", "))
	}
	return res.StatusCode, b.Bytes(), nil
}

func (c *agent) call(tool string, list []string) error {
	arguments := map[string]any{}
	for _, a := range list {
		name, value, ok := strings.Cut(a, "=")
		if !ok {
			return fmt.Errorf("%q is no argument", a)
		}
		if name, isJSON := strings.CutSuffix(name, ":"); isJSON {
			var v any
			if err := json.Unmarshal([]byte(value), &v); err != nil {
				return err
			}
			arguments[name] = v
			continue
		}
		if file, ok := strings.CutPrefix(value, "@"); ok {
			value = c.ts.ReadFile(file)
		}
		arguments[name] = value
	}
	result, err := c.send("tools/call", tool, map[string]any{"name": tool, "arguments": arguments})
	if err != nil {
		return err
	}
	var r struct {
		Content []struct{ Text string }
		Data    json.RawMessage `json:"structuredContent"`
		IsError bool
	}
	if err := json.Unmarshal(result, &r); err != nil {
		return err
	}
	for _, b := range r.Content {
		fmt.Fprintln(c.ts.Stdout(), b.Text)
	}
	if c.data {
		fmt.Fprintf(c.ts.Stdout(), "%s\n", r.Data)
	}
	if r.IsError {
		return fmt.Errorf("%s failed: %s", tool, r.Content[0].Text)
	}
	return nil
}

func (c *agent) list() error {
	result, err := c.send("tools/list", "", map[string]any{})
	if err != nil {
		return err
	}
	var r struct{ Tools []struct{ Name string } }
	if err := json.Unmarshal(result, &r); err != nil {
		return err
	}
	for _, t := range r.Tools {
		fmt.Fprintln(c.ts.Stdout(), t.Name)
	}
	return nil
}

func (c *agent) ask(args []string) error {
	params := map[string]any{}
	if len(args) > 1 {
		if err := json.Unmarshal([]byte(args[1]), &params); err != nil {
			return err
		}
	}
	name, _ := params["name"].(string)
	if uri, ok := params["uri"].(string); ok {
		name = uri
	}
	result, err := c.send(args[0], name, params)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(result); err != nil {
		return err
	}
	fmt.Fprint(c.ts.Stdout(), out.String())
	return nil
}

func (c *agent) post(args []string) error {
	body := args[1]
	if file, ok := strings.CutPrefix(body, "@"); ok {
		body = c.ts.ReadFile(file)
	}
	more, err := c.s.headers(args[2:])
	if err != nil {
		return err
	}
	header := c.header()
	for k, v := range more {
		header[k] = v
	}
	status, answer, err := c.quietly([]byte(body), header)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.ts.Stdout(), "%s\n", answer[:min(len(answer), 4000)])
	if fmt.Sprint(status) != args[0] {
		return fmt.Errorf("status %d, want %s: %.500s", status, args[0], answer)
	}
	return nil
}
