package tests

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// atOnce sends one request N times at once with the present person's token, as so
// many agents do: at-once N METHOD ADDRESS BODY ['Header: value'…] by REST, or
// at-once N mcp TOOL ARGUMENTS. In the body, the arguments and the headers, {{n}} is the
// agent's number, from 1. Standard output has a line "COUNT STATUS" for each status,
// where a tool that fails has the status "error", and under them each different answer
// once, on one line.
func atOnce(s *site, ts *testscript.TestScript, neg bool, args []string) {
	usage(ts, len(args) >= 4 && !neg, "at-once N METHOD ADDRESS BODY [HEADER]… | at-once N mcp TOOL ARGUMENTS")
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	var mu sync.Mutex
	statuses, answers := map[string]int{}, map[string]bool{}
	ts.Check(together(n, func(i int) error {
		own := make([]string, len(args))
		for k, a := range args {
			own[k] = strings.ReplaceAll(a, "{{n}}", strconv.Itoa(i+1))
		}
		status, answer, err := s.oneOfMany(own[1:])
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		statuses[status]++
		answers[strings.ReplaceAll(strings.TrimSpace(answer), "\n", " ")] = true
		return nil
	}))
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		fmt.Fprintf(ts.Stdout(), "%d %s\n", statuses[status], status)
	}
	for _, a := range slices.Sorted(maps.Keys(answers)) {
		fmt.Fprintln(ts.Stdout(), a)
	}
}

// oneOfMany sends one of them, without a trace in the story's state.
func (s *site) oneOfMany(args []string) (status, answer string, err error) {
	if args[0] != "mcp" {
		status, b, err := s.program(args[0], args[1], args[2], args[3:])
		return strconv.Itoa(status), string(b), err
	}
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",`+
		`"io.modelcontextprotocol/clientInfo":{"name":"story","title":"Story Client","version":"1.0"},"io.modelcontextprotocol/clientCapabilities":{}}}}`, args[1], args[2])
	code, b, err := s.program(http.MethodPost, "/w/notes/mcp", body, []string{"Accept: application/json, text/event-stream",
		"MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: " + args[1]})
	if err != nil {
		return "", "", err
	}
	var r struct {
		Result struct {
			Content []struct{ Text string }
			IsError bool
		}
	}
	if err := json.Unmarshal(b, &r); err != nil || len(r.Result.Content) == 0 {
		return "", "", fmt.Errorf("status %d: %s", code, b)
	}
	if r.Result.IsError {
		return "error", r.Result.Content[0].Text, nil
	}
	return strconv.Itoa(code), r.Result.Content[0].Text, nil
}

// program sends a body as a program with the present person's token does.
func (s *site) program(method, address, body string, headers []string) (int, []byte, error) {
	u, err := s.address(address)
	if err != nil {
		return 0, nil, err
	}
	r, err := http.NewRequest(method, base, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, nil, err
	}
	r.URL, r.Host = u, u.Host
	r.Header.Set("Content-Type", "application/json")
	if t := s.me().token; t != "" {
		r.Header.Set("Authorization", "Bearer "+t)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	res, err := s.client().Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return res.StatusCode, b, err
}
