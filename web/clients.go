package web

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"

	"wikibot/wiki"
)

// client is a program that speaks MCP, with what it is to be given to reach one
// wiki: either to be copied to a command line, or into a file.
type client struct {
	Name string // key of the catalogue, like Text
	Text string
	Copy []snippet
}

// snippet is a text to copy.
type snippet struct {
	File string // where it goes; empty: a command line, or a field of a form
	Code string
}

// tokenPlace stands in the lines where a token goes.
const tokenPlace = "TOKEN"

// endpoint is what the clients' lines are made from.
type endpoint struct {
	Name   string // what the wiki is called in a client's settings: its slug
	URL    string // of MCP
	Token  string
	Public bool // everybody may read, so clients that take no token can as well
}

// Forms of the clients' files, each with its fields in the order in which its
// documentation has them.
type (
	mcpServer struct {
		Type    string            `json:"type,omitempty"`
		URL     string            `json:"url,omitempty"`
		Headers map[string]string `json:"headers,omitempty"`
		Command string            `json:"command,omitempty"`
		Args    []string          `json:"args,omitempty"`
		Env     map[string]string `json:"env,omitempty"`
	}
	mcpServers struct {
		Servers map[string]mcpServer `json:"mcpServers"`
	}
	codeInput struct {
		Type        string `json:"type"`
		ID          string `json:"id"`
		Description string `json:"description"`
		Password    bool   `json:"password"`
	}
	codeServers struct {
		Inputs  []codeInput          `json:"inputs"`
		Servers map[string]mcpServer `json:"servers"`
	}
)

// clients are the programs with the lines for this wiki, the most used first.
// Sources: the programs' own documentation of autumn 2026.
func (e endpoint) clients(ask string) []client {
	bearer := map[string]string{"Authorization": "Bearer " + e.Token}
	one := func(s mcpServer) string { return pretty(mcpServers{map[string]mcpServer{e.Name: s}}) }
	list := []client{
		{"clients.claude_code", "clients.claude_code_text", []snippet{
			{"", "claude mcp add --transport http " + e.Name + " " + e.URL + " --header \"Authorization: Bearer " + e.Token + "\""}}},
		{"clients.claude", "clients.claude_private", nil},
		{"clients.cursor", "clients.cursor_text", []snippet{
			{"~/.cursor/mcp.json", one(mcpServer{URL: e.URL, Headers: bearer})}}},
		{"clients.code", "clients.code_text", []snippet{{".vscode/mcp.json", pretty(codeServers{
			Inputs:  []codeInput{{"promptString", e.Name + "-token", ask, true}},
			Servers: map[string]mcpServer{e.Name: {Type: "http", URL: e.URL, Headers: map[string]string{"Authorization": "Bearer ${input:" + e.Name + "-token}"}}},
		})}}},
		{"clients.chatgpt", "clients.chatgpt_private", nil},
		{"clients.codex", "clients.codex_text", []snippet{
			{"", "export WIKIBOT_TOKEN=" + e.Token + "\ncodex mcp add " + e.Name + " --url " + e.URL + " --bearer-token-env-var WIKIBOT_TOKEN"}}},
		{"clients.other", "clients.other_text", []snippet{
			{"mcp.json", one(mcpServer{Type: "http", URL: e.URL, Headers: bearer})}}},
		{"clients.remote", "clients.remote_text", []snippet{
			{"claude_desktop_config.json", one(mcpServer{Command: "npx", Args: e.remote(), Env: map[string]string{"AUTH_HEADER": "Bearer " + e.Token}})}}},
	}
	if e.Public {
		for i := range list {
			switch list[i].Name {
			case "clients.claude":
				list[i].Text, list[i].Copy = "clients.claude_public", []snippet{{"", e.URL}}
			case "clients.chatgpt":
				list[i].Text, list[i].Copy = "clients.chatgpt_public", []snippet{{"", e.URL}}
			}
		}
	}
	return list
}

// remote are the arguments of mcp-remote, which speaks HTTP for a client that
// cannot. The header has no space of its own, because some clients lose what
// follows one; without TLS it wants to be told that this is meant, except for the
// two names of this machine that it knows.
func (e endpoint) remote() []string {
	args := []string{"-y", "mcp-remote", e.URL, "--header", "Authorization:${AUTH_HEADER}"}
	if u, err := url.Parse(e.URL); err == nil && u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" {
		args = append(args, "--allow-http")
	}
	return args
}

// commands are lines for REST: the list of pages, one as Markdown, and a write.
func (q *request) commands(api, token string) []snippet {
	auth := "curl -H \"Authorization: Bearer " + token + "\" "
	home := q.absolute(q.links().Page(q.view.Settings().Home)) + wiki.PageSuffix
	if strings.ContainsAny(home, "$&") { // of what an escaped path has, all that a shell takes for its own
		home = "'" + home + "'"
	}
	return []snippet{
		{"", auth + api + "/pages"},
		{"", auth + home},
		{"", auth + "-X PUT --json '{\"content\": \"# First\\n\"}' " + api + "/pages/Notes/First"},
	}
}

// pretty is JSON for people to read and copy.
func pretty(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	_ = enc.Encode(v) // strings and maps of them always encode
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}
