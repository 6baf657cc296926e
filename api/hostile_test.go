package api_test

import (
	"fmt"
	"strings"
	"testing"

	"wikibot/api"
)

func TestHostilePaths(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{"../me", "%2e%2e/x", "a/../../x", ".git/config", "a%00b", "a//b", "%2Fetc", ".wikibot/acl", "a%0Ab", "%ff", strings.Repeat("a", 300), strings.Repeat("a/", 600) + "b"} {
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			a := s.ask("bob", method, "/pages/"+path, `{"content":"x"}`)
			if a.status != 422 && a.status != 404 {
				t.Errorf("%s %.40s: %d %s", method, path, a.status, a.body)
			}
		}
		a := s.ask("bob", "GET", "/pages/Home/attachments/"+path, "")
		if a.status != 422 && a.status != 404 {
			t.Errorf("attachment %.40s: %d %s", path, a.status, a.body)
		}
	}
	s.ask("bob", "GET", "/pages?prefix=%ff", "").part(422, `"field":"prefix"`)
	s.ask("bob", "GET", "/pages?tag=a%00", "").part(422, `"field":"tag"`)
	s.ask("bob", "GET", "/pages?tag=%zz", "").part(422, `percent-encoding`)
	s.ask("bob", "GET", "/pages?tag="+strings.Repeat("a", 70_000), "").part(422, `too long`)
}

// What mallory may not read does not exist: every call answers as for a wiki that is
// not there.
func TestStrangers(t *testing.T) {
	s := newSite(t)
	for _, q := range []struct{ method, path, body string }{
		{"GET", "/me", ""}, {"GET", "/pages", ""}, {"GET", "/pages/Home", ""}, {"PUT", "/pages/Home", `{"content":"x"}`}, {"PATCH", "/pages/Home", `{`}, {"DELETE", "/pages/Home", ""},
		{"POST", "/pages/Home/rename", `{"new_path":"x"}`}, {"GET", "/changelog", ""}, {"GET", "/search?q=x", ""}, {"GET", "/semantic-search?q=x", ""}, {"GET", "/links", ""}, {"GET", "/events", ""},
		{"POST", "/commit", `{"operations":[]}`}, {"POST", "/pages/read", `{}`}, {"GET", "/suggest?q=h", ""}, {"POST", "/reindex", ""}, {"GET", "/reindex/status", ""}, {"GET", "/commits/HEAD", ""}, {"GET", "/pages?limit=x", ""},
		{"GET", "/pages/Home/attachments", ""}, {"GET", "/tags", ""}, {"GET", "/wanted", ""}, {"GET", "/pages/Home?revision=0123456", ""},
	} {
		for as, status := range map[string]int{"mallory": 404, "": 401} {
			here := s.ask(as, q.method, "/w/notes/api/v1"+q.path, q.body, "Content-Type: application/json")
			none := s.ask(as, q.method, "/w/nothing/api/v1"+q.path, q.body, "Content-Type: application/json")
			if here.status != status || strings.ReplaceAll(here.body, "notes", "X") != strings.ReplaceAll(none.body, "nothing", "X") || none.status != status {
				t.Errorf("%s %s as %q: %d %s; of a wiki that is not there: %d %s", q.method, q.path, as, here.status, here.body, none.status, none.body)
			}
		}
	}
	a := s.ask("wrong", "GET", "/pages", "").part(401, `"code":"unauthenticated"`)
	if got := a.header.Get("WWW-Authenticate"); got != `Bearer realm="wikibot", error="invalid_token"` {
		t.Errorf("got %q", got)
	}
}

func TestHostileBodies(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct {
		body   string
		status int
	}{
		{strings.Repeat("[", 100_000), 422}, {`{"content":` + strings.Repeat("[", 50_000), 422}, {`{"content":"` + strings.Repeat("a", 2<<20) + `"}`, 413},
		{`{"content":"\ud800"}`, 422}, {"{\"content\":\"\xff\"}", 422}, {`{"content":"a"} x`, 422}, {`[]`, 422}, {`{"content":1}`, 422}, {`{"content":null}`, 422}, {`null`, 422}, {`{"content":"a","merge":"yes"}`, 422},
		{`{"content":"a","revision":"--upload-pack=x"}`, 422}, {`{"content":"a","revision":"HEAD^"}`, 422},
	} {
		if a := s.ask("bob", "PUT", "/pages/New", tt.body); a.status != tt.status {
			t.Errorf("%.40s: %d %s, want %d", tt.body, a.status, a.body, tt.status)
		}
	}
	s.ask("carol", "GET", "/pages/New", "").part(404, "")
	many := `{"operations":[` + strings.TrimSuffix(strings.Repeat(`{"do":"append","path":"Home","content":"x"},`, 201), ",") + `]}`
	s.ask("bob", "POST", "/commit", many).part(422, "at most 200")
	s.ask("bob", "PATCH", "/pages/Home", `{"operations":[`+strings.TrimSuffix(strings.Repeat(`{"do":"append","content":"x"},`, 201), ",")+`]}`).part(422, "at most 200")
	s.ask("carol", "POST", "/pages/read", `{"paths":[`+strings.TrimSuffix(strings.Repeat(`"Home",`, 101), ",")+`]}`).part(422, "at most 100")
}

func TestCookies(t *testing.T) {
	s := newSite(t)
	const cookie, json = "Cookie: session=bob", "Content-Type: application/json"
	body := `{"content":"x\n"}`
	s.ask("", "GET", "/pages/Home", "", cookie).part(200, "Welcome")
	s.ask("", "PUT", "/pages/A", body, cookie, json, "Sec-Fetch-Site: same-origin").part(201, "created")
	s.ask("", "PUT", "/pages/B", body, cookie, json, "Sec-Fetch-Site: cross-site").part(403, "another web site")
	s.ask("", "PUT", "/pages/B", body, cookie, json, "Sec-Fetch-Site: same-site").part(403, "another web site")
	s.ask("", "PUT", "/pages/B", body, cookie, json, "Origin: https://evil.example").part(403, "another web site")
	s.ask("", "PUT", "/pages/B", body, cookie, "Content-Type: text/plain", "Sec-Fetch-Site: same-origin").part(415, "application/json")
	s.ask("", "POST", "/pages/A/rename", `{"new_path":"B"}`, cookie, "Sec-Fetch-Site: same-origin").part(415, "application/json")
	s.ask("", "POST", "/reindex", "", cookie, "Origin: https://evil.example").part(403, "another web site")
	s.ask("", "POST", "/pages/read", `{"paths":["Home"]}`, cookie, json, "Origin: null").part(403, "another web site")
	s.ask("", "DELETE", "/pages/A", "", cookie, "Sec-Fetch-Site: same-origin").part(200, `"deleted":true`)
	// With a token nobody else has made the browser send it.
	s.ask("bob", "PUT", "/pages/B", body, "Origin: https://app.example").part(201, "created")
	s.ask("", "GET", "/pages/B", "", cookie).part(200, "x")
}

func TestOrigins(t *testing.T) {
	const origin, other = "Origin: https://app.example", "Origin: https://evil.example"
	s := newSite(t)
	for name := range s.ask("bob", "GET", "/pages", "", origin).header {
		if strings.HasPrefix(name, "Access-Control") {
			t.Errorf("%s without configuration", name)
		}
	}
	s = newSite(t, func(c *api.Config) { c.Origins = []string{"https://app.example"} })
	a := s.ask("bob", "GET", "/pages", "", origin)
	if a.header.Get("Access-Control-Allow-Origin") != "https://app.example" || a.header.Get("Access-Control-Allow-Credentials") != "" || !strings.Contains(strings.Join(a.header.Values("Vary"), ", "), "Origin") {
		t.Errorf("got %v", a.header)
	}
	if a := s.ask("bob", "GET", "/pages", "", other); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("another site may read: %v", a.header)
	}
	const ask = "Access-Control-Request-Method: PUT"
	a = s.ask("", "OPTIONS", "/pages/Home", "", origin, ask)
	if a.status != 204 || !strings.Contains(a.header.Get("Access-Control-Allow-Methods"), "PUT") || !strings.Contains(a.header.Get("Access-Control-Allow-Headers"), "If-Match") {
		t.Errorf("got %d %v", a.status, a.header)
	}
	if a := s.ask("", "OPTIONS", "/pages/Home", "", other, ask); a.header.Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("another site may write: %v", a.header)
	}
	if a := s.ask("wrong", "GET", "/pages", "", origin); a.status != 401 || a.header.Get("Access-Control-Allow-Origin") == "" {
		t.Errorf("the site cannot read why: %d %v", a.status, a.header)
	}
	s.ask("", "PUT", "/pages/X", `{"content":"x"}`, origin, "Cookie: session=bob", "Content-Type: application/json").part(403, "another web site")
}

func TestAgent(t *testing.T) {
	s := newSite(t)
	s.ask("bob", "PUT", "/pages/A", `{"content":"x\n"}`, "Wikibot-Agent: A\u202e  bad\x01 name "+strings.Repeat("z", 200)).part(201, "")
	got := fmt.Sprint(s.ask("carol", "GET", "/pages/A", "").body)
	if !strings.Contains(got, `"agent":"A bad name zzz`) || strings.Contains(got, strings.Repeat("z", 101)) {
		t.Errorf("got %s", got)
	}
}

// FuzzBodies: no body makes anything but an answer of the description; see check.
func FuzzBodies(f *testing.F) {
	for i, s := range []string{`{"content":"x"}`, `{"revision":"0123456","old_string":"a","new_string":"b"}`, `{"operations":[{"do":"append","content":"x"}]}`, `{"operations":[{"do":"rename","path":"Home","new_path":"A"}]}`,
		`{"new_path":"X","dry_run":true}`, `{"filename":"a.txt","content":"aGk="}`, `{"paths":["Home"],"budget":5}`, `{"edits":[{}]}`, `{"operations":[{"do":"attach","path":"A","filename":"..","content":"="}]}`, `{"operations":null,"edits":null}`} {
		f.Add(i, s)
	}
	s := newSite(f)
	s.described()
	calls := []string{"PUT /pages/Home", "PATCH /pages/Home", "POST /commit", "POST /pages/Home/rename", "POST /pages/Home/attachments", "POST /pages/read", "DELETE /pages/A", "POST /pages/Home/restore", "POST /commits/HEAD/revert", "POST /pages/A/edit"}
	f.Fuzz(func(t *testing.T, which int, body string) {
		method, path, _ := strings.Cut(calls[uint(which)%uint(len(calls))], " ")
		a := s.send("bob", method, "/w/notes/api/v1"+path, body)
		if a.status >= 500 {
			t.Errorf("%s %s %q: %d %s", method, path, body, a.status, a.body)
		}
	})
}
