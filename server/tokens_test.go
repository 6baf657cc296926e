package server

import (
	"fmt"
	"net/http"
	"net/http/httptrace"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikibot/gitstore/gitstoretest"
	"wikibot/wiki"
)

// TestTokensEndOnAnOpenConnection: whatever ends a token is in force with the
// next request, on a connection that was opened before as on any other.
func TestTokensEndOnAnOpenConnection(t *testing.T) {
	s := start(t, testConfig(t))
	do := func(cmd Command) string {
		t.Helper()
		a, err := s.Host().Do(t.Context(), cmd, nil)
		if err != nil {
			t.Fatal(err)
		}
		return a.Line
	}
	do(Command{Do: "user add", User: "bob"})
	do(Command{Do: "wiki create", Wiki: "second"})
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	defer client.CloseIdleConnections()
	first := true
	get := func(what, slug, token string, want int) {
		t.Helper()
		reused := false
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }})
		r, err := http.NewRequestWithContext(ctx, "GET", "http://"+s.listener.Addr().String()+"/w/"+slug+".git/info/refs?service=git-upload-pack", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth("x", token)
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		for b := make([]byte, 4096); err == nil; {
			_, err = res.Body.Read(b)
		}
		res.Body.Close()
		if res.StatusCode != want || reused == first {
			t.Errorf("%s: %s, want %d; the connection was open before: %t", what, res.Status, want, reused)
		}
		first = false
	}
	users := func(name, text string) {
		t.Helper()
		gitstoretest.Files(t, filepath.Join(s.cfg.Data, "admin.git"), "refs/heads/main", map[string]string{name: text})
		time.Sleep(20 * time.Millisecond) // written behind the server's back: seen 10 ms late
	}
	for _, c := range []struct {
		what string
		end  func(id string)
	}{
		{"revoked", func(id string) { do(Command{Do: "token revoke", Name: id}) }},
		{"demoted", func(string) { do(Command{Do: "grant", Wiki: "notes", User: "bob", Role: "none"}) }},
		{"suspended", func(string) { users("users/bo/bob.toml", "schema = 1\nsuspended = true\n") }},
		{"deleted", func(string) { users("users/bo/bob.toml", "schema = 1\ndeleted = true\n") }}, // last: the name is not given out again
	} {
		what, end := c.what, c.end
		users("users/bo/bob.toml", "schema = 1\n")
		do(Command{Do: "grant", Wiki: "notes", User: "bob", Role: "editor"})
		token := do(Command{Do: "token create", User: "bob"})
		get("good", "notes", token, http.StatusOK)
		end(strings.Split(token, "_")[1])
		want := http.StatusUnauthorized
		if what == "demoted" {
			want = http.StatusNotFound
		}
		get(what, "notes", token, want)
	}

	// A wiki that is deleted takes its tokens along, and a repository that is
	// put into its place does not wake them.
	token := s.token(t, "second", "owner")
	get("of the second wiki", "second", token, http.StatusOK)
	id := strings.Split(token, "_")[1]
	rec, err := s.Store().Token(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	do(Command{Do: "wiki delete", Wiki: "second", Confirm: "second"})
	get("of a deleted wiki", "second", token, http.StatusUnauthorized)
	c := wiki.Caller{Site: true, Narrowed: wiki.Owner, Only: "second", OnlyID: "another", Credential: id}
	users("wikis/se/second.toml", fmt.Sprintf("schema = 1\nid = %q\n", rec.WikiID))
	if _, err := s.Store().View(t.Context(), c, "second"); err == nil {
		t.Error("a token of another wiki of this name is honoured")
	}
}
