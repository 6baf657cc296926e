package web

import (
	"context"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"wikibot/acl"
	"wikibot/wiki"
)

func (s *site) faces() *site {
	s.handler.HasMCP, s.handler.HasAPI = true, true
	return s
}

var codeOf = regexp.MustCompile(`(?s)<pre class="copy"><code>(.*?)</code></pre>`)

// copies are the texts that the page of connecting offers to copy.
func copies(body string) (list []string) {
	for _, m := range codeOf.FindAllStringSubmatch(body, -1) {
		list = append(list, html.UnescapeString(m[1]))
	}
	return list
}

func one(t *testing.T, list []string, part string) string {
	t.Helper()
	found := ""
	for _, s := range list {
		if strings.Contains(s, part) {
			if found != "" {
				t.Errorf("%q is in several texts", part)
			}
			found = s
		}
	}
	if found == "" {
		t.Errorf("no text to copy has %q in it: %q", part, list)
	}
	return found
}

// TestClientLines: each client gets its own form, with this wiki's address in
// either layout, and what is JSON is JSON.
func TestClientLines(t *testing.T) {
	s := newSite(t).faces()
	for _, layout := range []wiki.Layout{wiki.LayoutPath, wiki.LayoutSubdomain} {
		at := "http://wiki.example/w/notes"
		if s.handler.Addresses.Layout = layout; layout == wiki.LayoutSubdomain {
			at = "http://notes.wiki.example"
		}
		body := s.get(bob, "/w/notes/-/connect").Body.String()
		list := copies(body)
		one(t, list, `claude mcp add --transport http notes `+at+`/mcp --header "Authorization: Bearer TOKEN"`)
		one(t, list, "codex mcp add notes --url "+at+"/mcp --bearer-token-env-var WIKIBOT_TOKEN")
		one(t, list, `curl -H "Authorization: Bearer TOKEN" `+at+"/api/v1/pages")
		one(t, list, `curl -H "Authorization: Bearer TOKEN" `+at+"/Home.md")
		one(t, list, "git config remote.origin.push HEAD:refs/merge/main")
		for _, c := range []struct{ mark, path, want string }{
			{`"mcpServers": {
    "notes": {
      "url"`, "mcpServers.notes.url", at + "/mcp"},
			{`"mcpServers": {
    "notes": {
      "type"`, "mcpServers.notes.headers.Authorization", "Bearer TOKEN"},
			{`"servers"`, "servers.notes.headers.Authorization", "Bearer ${input:notes-token}"},
			{"mcp-remote", "mcpServers.notes.env.AUTH_HEADER", "Bearer TOKEN"},
			{"--allow-http", "mcpServers.notes.command", "npx"},
		} {
			if got := inside(t, one(t, list, c.mark), c.path); got != c.want {
				t.Errorf("%s: %q, want %q", c.path, got, c.want)
			}
		}
		if !strings.Contains(body, "which this site does not offer yet") || strings.Contains(body, "No authentication") {
			t.Error("the page promises connectors for a wiki that not everybody may read")
		}
	}
	s.handler.Addresses.Layout = wiki.LayoutPath
	if err := s.store.SetAccess(context.Background(), alice, "notes", acl.Anonymous, acl.Granted, acl.Granted); err != nil {
		t.Fatal(err)
	}
	withoutBody(t, s.get(nobody, "/w/notes/-/connect").Body.String(), "No authentication", "needs no token") // MCP wants a token all the same
	s.handler.OpenMCP = true
	public := s.get(nobody, "/w/notes/-/connect")
	wantBody(t, public, "No authentication", "Add custom connector", "needs no token", "Sign in to make a token for an agent.")
	withoutBody(t, public.Body.String(), `value="agent"`, "which this site does not offer yet")
}

// inside is the text at a path of a JSON document.
func inside(t *testing.T, document, path string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(document), &v); err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	for key := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[key]
	}
	text, _ := v.(string)
	return text
}

// TestRemoteHTTP: only where there is no TLS, and not on this machine, is a client
// told to do without.
func TestRemoteHTTP(t *testing.T) {
	for address, want := range map[string]bool{
		"http://wiki.example/w/n/mcp": true, "https://wiki.example/w/n/mcp": false, "http://localhost:8080/w/n/mcp": false, "http://127.0.0.1:8080/mcp": false, "http://[::1]:8080/mcp": true,
	} {
		if got := strings.Contains(strings.Join(endpoint{URL: address}.remote(), " "), "--allow-http"); got != want {
			t.Errorf("%s: --allow-http is there: %v, want %v", address, got, want)
		}
	}
}

var secretForm = regexp.MustCompile(`wbt_[a-z0-9-]+_[A-Za-z0-9_-]{43}`)

// TestAgentToken: a token for an agent is made on the page that shows the lines,
// stands in each of them once, and is one of the wiki's for who manages it and of
// the person for everybody else.
func TestAgentToken(t *testing.T) {
	s := newSite(t).faces()
	ask := url.Values{"for": {"agent"}, "name": {"Claude"}, "role": {"viewer"}, "days": {"30"}}
	form := s.get(alice, "/w/notes/-/connect")
	wantBody(t, form, `value="Agent of alice"`, "It reaches this wiki alone", `<option value="editor" selected>`, "TOKEN stands for the token")
	withoutBody(t, form.Body.String(), `<option value="owner"`)

	made := s.post(alice, "/w/notes/-/connect", ask)
	wantStatus(t, made, 200)
	secret := secretForm.FindString(made.Body.String())
	if !strings.HasPrefix(secret, "wbt_w-notes-") {
		t.Fatalf("alice's agent got %q, want a token of the wiki", secret)
	}
	list := copies(made.Body.String())
	one(t, list, `--header "Authorization: Bearer `+secret+`"`)
	one(t, list, "export WIKIBOT_TOKEN="+secret)
	if strings.Contains(strings.Join(list, "\n"), "TOKEN\"") || strings.Contains(made.Body.String(), "TOKEN stands") {
		t.Error("a line still has the place of the token in it")
	}
	if got := made.Header().Get("Cache-Control"); got != "private, no-store" {
		t.Errorf("the page with the token is cached: %q", got)
	}
	if secretForm.MatchString(s.get(alice, "/w/notes/-/connect").Body.String()) {
		t.Error("the token is shown again")
	}
	tokens, err := s.store.Tokens(context.Background(), alice, "notes")
	if err != nil || len(tokens) != 1 || tokens[0].Role != wiki.Viewer || tokens[0].User != "alice" || tokens[0].Name != "Claude" {
		t.Errorf("the wiki's tokens: %+v, %v", tokens, err)
	}

	own := s.post(bob, "/w/notes/-/connect", ask)
	wantStatus(t, own, 200)
	if secret := secretForm.FindString(own.Body.String()); !strings.HasPrefix(secret, "wbt_u-") {
		t.Errorf("bob's agent got %q, want a token of bob", secret)
	}
	withoutBody(t, s.get(bob, "/w/notes/-/connect").Body.String(), `<option value="editor"`) // he only reads
}

func TestAgentTokenRefused(t *testing.T) {
	s := newSite(t).faces()
	ask := func(role string) url.Values {
		return url.Values{"for": {"agent"}, "name": {"Claude"}, "role": {role}, "days": {"30"}}
	}
	token := alice
	token.Credential = "u-0123456789abcdef"
	for _, c := range []struct {
		name string
		who  wiki.Caller
		form url.Values
		want int
	}{
		{"owner", alice, ask("owner"), 422}, {"no role", alice, ask(""), 422}, {"no name", alice, url.Values{"for": {"agent"}, "role": {"viewer"}, "days": {"30"}}, 422},
		{"by token", token, ask("viewer"), 403}, {"mallory", mallory, ask("viewer"), 404}, {"visitor", nobody, ask("viewer"), 404},
		{"something else", alice, url.Values{"for": {"more"}}, 422},
	} {
		w := s.post(c.who, "/w/notes/-/connect", c.form)
		if w.Code != c.want || secretForm.MatchString(w.Body.String()) {
			t.Errorf("%s: status %d, want %d, with a token: %v", c.name, w.Code, c.want, secretForm.MatchString(w.Body.String()))
		}
	}
	wantStatus(t, s.post(alice, "/w/notes/-/connect", ask("viewer"), "Sec-Fetch-Site", "cross-site"), 403)
	withoutBody(t, s.get(token, "/w/notes/-/connect").Body.String(), `value="agent"`)
	s.handler.HasMCP, s.handler.HasAPI = false, false
	plain := s.get(alice, "/w/notes/-/connect").Body.String()
	withoutBody(t, plain, "claude mcp add", `value="agent"`)
	wantStatus(t, s.post(alice, "/w/notes/-/connect", ask("viewer")), 403)
}
