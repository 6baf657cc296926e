package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"wikibot/api"
)

// What is ours on top of the contract.

func TestEntityTags(t *testing.T) {
	s := newSite(t)
	first := s.put("Plan", "one\n")
	a := s.ask("carol", "GET", "/pages/Plan", "").part(200, first)
	if got := a.header.Get("ETag"); got != `"`+first+`"` {
		t.Errorf("ETag %s, want the revision %s", got, first)
	}
	s.ask("carol", "GET", "/pages/Plan", "", `If-None-Match: "`+first+`"`).want(304, "")
	s.ask("carol", "GET", "/pages/Plan", "", `If-None-Match: "x", W/"`+first+`-gzip"`).want(304, "")
	list := s.ask("carol", "GET", "/pages", "").header.Get("ETag")
	s.ask("carol", "GET", "/pages", "", "If-None-Match: "+list).want(304, "")

	second := s.ask("bob", "PUT", "/pages/Plan", `{"content":"two\n"}`, `If-Match: "`+first+`"`).want(200, "").get("revision")
	s.ask("carol", "GET", "/pages", "", "If-None-Match: "+list).part(200, `"total":2`)
	s.ask("bob", "PUT", "/pages/Plan", `{"content":"three\n"}`, `If-Match: "`+first+`"`).part(412, `"code":"precondition_failed","current_revision":"`+second+`","current":"two\n"`)
	s.ask("bob", "PUT", "/pages/Plan", `{"content":"three\n","merge":true}`, `If-Match: "`+first+`"`).part(412, `precondition_failed`)
	s.ask("bob", "PATCH", "/pages/Plan", `{"old_string":"two","new_string":"x"}`, `If-Match: "`+first+`"`).part(412, `precondition_failed`)
	s.ask("bob", "PATCH", "/pages/Plan", `{"operations":[{"do":"append","content":"x"}]}`, `If-Match: "`+first+`"`).part(412, `precondition_failed`)
	s.ask("bob", "DELETE", "/pages/Plan", "", `If-Match: "`+first+`"`).part(412, `precondition_failed`)
	s.ask("bob", "DELETE", "/pages/Plan", `{"revision":"`+first+`"}`).part(409, `"code":"conflict"`)
	s.ask("bob", "POST", "/pages/Plan/rename", `{"new_path":"P"}`, `If-Match: "`+first+`"`).part(412, `precondition_failed`)
	s.ask("bob", "POST", "/pages/Plan/rename", `{"new_path":"Home"}`, `If-Match: "`+second+`"`).part(409, `"code":"exists"`)
	s.ask("bob", "POST", "/pages/Plan/restore", `{"revision":"`+first+`"}`, `If-Match: "`+first+`"`).part(412, `precondition_failed`)
	s.ask("bob", "PUT", "/pages/Plan", `{"content":"x","revision":"`+second+`"}`, `If-Match: "`+first+`"`).part(422, `"field":"revision"`)
	s.ask("bob", "PUT", "/pages/Plan", `{"content":"x"}`, `If-Match: what`).part(422, `"field":"If-Match"`)
	s.ask("bob", "PUT", "/pages/None", `{"content":"x"}`, `If-Match: *`).part(412, `precondition_failed`)
	s.ask("bob", "PUT", "/pages/Plan", `{"content":"x"}`, `If-Match: *`).part(409, `Revision required`)
	s.ask("bob", "PUT", "/pages/Plan", `{"content":"x"}`, `If-None-Match: *`).part(412, `precondition_failed`)
	s.ask("bob", "PUT", "/pages/Plan", `{"content":"x","create":true}`).part(409, `"code":"exists"`)
	s.ask("bob", "PUT", "/pages/New", `{"content":"x"}`, `If-None-Match: *`).part(201, `"created":true`)
	s.ask("bob", "PUT", "/pages/Plan", `{"content":"three\n"}`, `If-Match: "`+second+`"`).want(200, "")
	s.ask("bob", "POST", "/pages/Home/attachments", `{"filename":"a.txt","content":"aGk="}`).want(201, "")
	s.ask("bob", "POST", "/pages/Home/attachments", `{"filename":"a.txt","content":"aGkh"}`, `If-Match: "`+second+`"`).part(412, `precondition_failed`)
	s.ask("bob", "POST", "/pages/Home/attachments", `{"filename":"a.txt","content":"aGkh"}`, `If-None-Match: *`).part(412, `precondition_failed`)
	s.ask("bob", "POST", "/pages/Home/attachments", `{"filename":"a.txt","content":"aGkh","overwrite":false}`).part(409, `"code":"exists"`)
	tag := s.ask("bob", "GET", "/pages/Home/attachments/a.txt", "").header.Get("ETag")
	s.ask("bob", "DELETE", "/pages/Home/attachments/a.txt", "", "If-Match: "+tag).want(200, "")
}

func TestMarkdown(t *testing.T) {
	s := newSite(t)
	text := "---\ntitle: T\n---\n# Plan\n" + strings.Repeat("long ", 1000)
	rev := s.ask("bob", "PUT", "/pages/Plan?commit_message=as%20it%20is", text, "Content-Type: text/markdown; charset=utf-8").part(201, `"name":"T"`).get("revision")
	a := s.ask("carol", "GET", "/pages/Plan", "", "Accept: text/markdown, */*;q=0.1")
	if a.body != text || a.header.Get("Content-Type") != "text/markdown; charset=utf-8" || a.header.Get("ETag") != `"`+rev+`"` {
		t.Errorf("got %q with %v", a.body, a.header)
	}
	s.ask("carol", "GET", "/pages/Plan", "", "Accept: text/markdown, application/json").part(200, `"message":"as it is"`)
	s.ask("bob", "PUT", "/pages/Plan?revision="+rev, "short\n", "Content-Type: text/markdown").part(200, `"created":false`)
	s.ask("carol", "GET", "/pages/Plan?revision="+rev, "", "Accept: text/markdown").part(200, "long long")
	s.ask("carol", "GET", "/pages/Plan?revision="+rev[:9], "").part(200, "long long")
	s.ask("carol", "GET", "/pages?revision="+rev[:9], "").part(200, `"total":2`)
	s.ask("carol", "GET", "/pages?revision=HEAD~1", "").part(422, `"field":"revision"`)
	s.ask("carol", "GET", "/orphans?revision="+rev, "").part(422, `"field":"revision"`)
	s.ask("carol", "GET", "/pages/Home?revision=0123456789", "").part(404, `"code":"not_found"`)
	s.ask("carol", "GET", "/pages/Plan", "", "Accept: text/markdown", "Accept-Encoding: gzip").want(200, "short")
}

func TestMerging(t *testing.T) {
	s := newSite(t)
	base := s.put("Plan", "a\n\nb\n\nc\n")
	s.ask("bob", "PUT", "/pages/Plan", `{"content":"A\n\nb\n\nc\n","revision":"`+base+`"}`).want(200, "")
	s.ask("alice", "PUT", "/pages/Plan", `{"content":"a\n\nb\n\nC\n","merge":true}`, `If-Match: "`+base+`"`).part(412, "precondition_failed")
	s.ask("alice", "PUT", "/pages/Plan", `{"content":"a\n\nb\n\nC\n","revision":"`+base+`","merge":true}`).
		want(200, `{"name":"Plan","path":"Plan","revision":"REV","merged":true,"content":"A\n\nb\n\nC\n","created":false}`)
	s.ask("alice", "PATCH", "/pages/Plan", `{"old_string":"b","new_string":"B","revision":"`+base+`","merge":true}`).
		want(200, `{"name":"Plan","path":"Plan","revision":"REV","merged":true,"content":"A\n\nB\n\nC\n"}`)
	a := s.ask("alice", "PUT", "/pages/Plan", `{"content":"mine\n\nb\n\nc\n","revision":"`+base+`","merge":true}`).part(409, `"code":"conflict"`)
	if !strings.Contains(a.get("merged"), "<<<<<<<") || a.get("base") != "a\n\nb\n\nc\n" {
		t.Errorf("the conflict has no merge with markers: %s", a.body)
	}
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			s.send("bob", "PATCH", "/w/notes/api/v1/pages/Plan", fmt.Sprintf(`{"operations":[{"do":"append","content":"agent %d\n"}]}`, i))
		})
	}
	wg.Wait()
	if got := strings.Count(s.ask("carol", "GET", "/pages/Plan", "").get("content"), "agent "); got != 50 {
		t.Errorf("%d of 50 appends are there", got)
	}
}

func TestIdempotencyKey(t *testing.T) {
	s := newSite(t)
	body := `{"operations":[{"do":"append","content":"once\n"}]}`
	first := s.ask("bob", "PATCH", "/pages/Home", body, "Idempotency-Key: k1").want(200, "")
	again := s.ask("bob", "PATCH", "/pages/Home", body, `Idempotency-Key: "k1"`)
	if again.status != 200 || again.get("revision") != first.get("revision") || again.header.Get("Idempotent-Replayed") != "true" || first.header.Get("Idempotent-Replayed") != "" {
		t.Errorf("got %d %s %v, want what came before: %s", again.status, again.body, again.header, first.body)
	}
	s.ask("bob", "PATCH", "/pages/Home", `{"operations":[{"do":"append","content":"twice\n"}]}`, "Idempotency-Key: k1").part(422, `idempotency key`)
	s.ask("bob", "PATCH", "/pages/Home", body, "Idempotency-Key: "+strings.Repeat("k", 300)).part(422, `"field":"Idempotency-Key"`)
	s.ask("bob", "PATCH", "/pages/Home", body, "Idempotency-Key: a", "Idempotency-Key: b").part(422, `"field":"Idempotency-Key"`)
	for _, q := range []struct{ method, path, body string }{
		{"PUT", "/pages/New", `{"content":"x\n"}`}, {"POST", "/pages/New/attachments", `{"filename":"a.txt","content":"aGk="}`},
		{"POST", "/pages/New/rename", `{"new_path":"Newer"}`}, {"DELETE", "/pages/Newer/attachments/a.txt", ""}, {"DELETE", "/pages/Newer", ""},
		{"POST", "/commit", `{"operations":[{"do":"create","path":"A","content":"a\n"}]}`},
	} {
		key := "Idempotency-Key: " + q.method + q.path
		a, b := s.ask("bob", q.method, q.path, q.body, key), s.ask("bob", q.method, q.path, q.body, key)
		if a.status >= 300 || b.status != a.status || b.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("%s %s: %d %s, then %d %s", q.method, q.path, a.status, a.body, b.status, b.body)
		} else if a.body != b.body {
			t.Errorf("%s %s: %s, then %s", q.method, q.path, a.body, b.body)
		}
	}
	if got := strings.Count(s.ask("bob", "GET", "/pages/Home", "").get("content"), "once"); got != 1 {
		t.Errorf("it was done %d times", got)
	}
}

func TestDryRun(t *testing.T) {
	s := newSite(t)
	s.put("Plan", "[[Home]]\n")
	head := s.ask("bob", "GET", "/me", "").body
	s.ask("bob", "POST", "/pages/Home/rename", `{"new_path":"Start","dry_run":true}`).want(200, `{"old_path":"Home","new_path":"Start","revision":"","updated_pages":["Plan"],"dry_run":true}`)
	s.ask("bob", "DELETE", "/pages/Plan", `{"dry_run":true}`).want(200, `{"deleted":false,"path":"Plan","dry_run":true}`)
	s.ask("bob", "POST", "/commit", `{"dry_run":true,"operations":[{"do":"create","path":"A","content":"a\n"},{"do":"delete","path":"Plan"}]}`).
		want(200, `{"revision":"","pages":[{"name":"A","path":"A","revision":"","created":true},{"name":"Plan","path":"Plan","revision":"","deleted":true}],"updated_pages":[],"files":[],"dry_run":true}`)
	s.ask("bob", "POST", "/commit", `{"dry_run":true,"operations":[{"do":"create","path":"Home","content":"a\n"}]}`).part(409, `"code":"exists"`)
	if got := s.ask("bob", "GET", "/me", "").body; got != head {
		t.Errorf("something was changed: %s, before %s", got, head)
	}
}

func TestCommit(t *testing.T) {
	s := newSite(t)
	rev := s.put("Plan", "# Plan\n\n## Now\n\nwrite\n")
	s.ask("bob", "POST", "/commit", `{"commit_message":"all at once","operations":[
		{"do":"create","path":"A","content":"a\n"},
		{"do":"edit","path":"Plan","revision":"`+rev+`","edits":[{"old_string":"write","new_string":"test"}]},
		{"do":"append_section","path":"Plan","section":"Now","content":"land\n"},
		{"do":"rename","path":"A","new_path":"B"},
		{"do":"attach","path":"B","filename":"a.txt","content":"aGk="},
		{"do":"rename_file","path":"B","filename":"a.txt","new_filename":"b.txt"}]}`).part(200, `"files":[{"path":"B/a.txt","size":2,"mime_type":"text/plain"},{"path":"B/b.txt","from":"B/a.txt","mime_type":"text/plain"}]`)
	s.ask("carol", "GET", "/changelog?limit=1", "").part(200, `"message":"all at once"`)
	s.ask("carol", "GET", "/pages/Plan", "").part(200, `test\nland\n`)
	a := s.ask("bob", "POST", "/commit", `{"operations":[{"do":"create","path":"C","content":"c\n"},{"do":"delete","path":"Nowhere"}]}`).part(404, `"operation":2`)
	if !strings.Contains(a.get("error"), "operation 2 (delete Nowhere)") {
		t.Errorf("got %s", a.body)
	}
	s.ask("carol", "GET", "/pages/C", "").part(404, "not found")
	for body, want := range map[string]string{
		`{}`: `"field":"operations"`, `{"operations":[]}`: `"field":"operations"`, `{"operations":{}}`: `operations must be an array`,
		`{"operations":[{"do":"fly","path":"A","content":""}]}`:                                                           `is no operation`,
		`{"operations":[{"do":"create","path":"A"}]}`:                                                                     `"field":"content"`,
		`{"operations":[{"do":"create","path":"../A","content":"x"}]}`:                                                    `"field":"path"`,
		`{"operations":[{"do":"attach","path":"Home","filename":"x/../../y","content":"aGk="}]}`:                          `"field":"filename"`,
		`{"operations":[{"do":"create","path":"A","content":"x"},{"do":"rename","path":"Home","new_path":"a\\b\u0000"}]}`: `"operation":2`,
		`{"operations":[{"do":"edit","path":"Home","old_string":"x","new_string":"y"}]}`:                                  `"field":"revision"`,
	} {
		s.ask("bob", "POST", "/commit", body).part(422, want)
	}
	before := len(s.counted)
	s.ask("carol", "POST", "/commit", `{"operations":[{"do":"create","path":"A","content":"x"}]}`).part(403, "forbidden")
	if got := fmt.Sprint(s.counted[before:]); got != "[1 1]" {
		t.Errorf("a refused commit counted as %s", got)
	}
	s.ask("bob", "POST", "/commit", `{"operations":[{"do":"delete","path":"None"},{"do":"delete","path":"None"},{"do":"delete","path":"None"}]}`)
	if got := s.counted[len(s.counted)-1]; got != "1 3" {
		t.Errorf("three operations counted as %s", got)
	}
}

func TestReading(t *testing.T) {
	s := newSite(t)
	s.put("Plan", "# Plan\n\n## Now\n\nwrite the [[Wanted page]]\n\n## Later\n\nrest\n")
	s.ask("carol", "GET", "/pages/Plan?section=now", "").part(200, `"content":"## Now\n\nwrite the [[Wanted page]]\n\n"`)
	s.ask("carol", "GET", "/pages/Plan?section=never", "").part(404, `Plan > Later`)
	s.ask("carol", "GET", "/pages/Plan/outline", "").want(200, `{"name":"Plan","path":"Plan","revision":"REV","words":11,"size":58,"sections":[
		{"path":"Plan","level":1,"line":1,"words":11,"anchor":"plan"},{"path":"Plan > Now","level":2,"line":3,"words":6,"anchor":"now"},{"path":"Plan > Later","level":2,"line":7,"words":3,"anchor":"later"}]}`)
	s.ask("carol", "POST", "/pages/read", `{"paths":["Plan","Home","None"],"budget":70}`).part(200, `"left":[{"path":"Home","reason":"over_budget","chars":17`)
	s.ask("carol", "POST", "/pages/read", `{}`).part(422, `"field":"paths"`)
	s.ask("carol", "POST", "/pages/read", `{"paths":["../x"]}`).part(422, `"field":"path"`)
	if got := s.counted[len(s.counted)-1]; got != "0 1" {
		t.Errorf("reading several pages counted as %s", got)
	}
	s.ask("carol", "GET", "/wanted", "").want(200, `{"pages":[{"path":"Wanted page","links":1,"from":["Plan"]}],"total":1}`)
	s.ask("carol", "GET", "/orphans", "").want(200, `{"pages":["Plan"],"total":1}`)
	s.put("Other", "---\ntags: [one, Two]\n---\n")
	s.ask("carol", "GET", "/orphans?limit=1", "").want(200, `{"pages":["Other"],"total":2,"cursor":"1"}`)
	s.ask("carol", "GET", "/orphans?limit=1&cursor=1", "").want(200, `{"pages":["Plan"],"total":2}`)
	s.ask("carol", "GET", "/orphans?cursor=x", "").part(422, `"field":"cursor"`)
	s.ask("carol", "GET", "/orphans?limit=0", "").part(422, `"field":"limit"`)
	s.ask("carol", "GET", "/tags", "").want(200, `{"total":2,"tags":[{"name":"Two","pages":1},{"name":"one","pages":1}]}`)
	s.ask("carol", "GET", "/categories", "").want(200, `{"total":0,"categories":[]}`)
	s.ask("carol", "GET", "/me", "").want(200, `{"name":"carol","username":"carol","did":null,"role":"viewer","may":["read","propose"],"wiki":{"slug":"notes","name":"notes","purpose":"","home":"Home","revision":"REV",
		"url":"https://wiki.example/w/notes","api_url":"https://wiki.example/w/notes/api/v1","git_url":"https://wiki.example/w/notes.git","mcp_url":"https://wiki.example/w/notes/mcp"}}`)
	s.ask("bob-reads", "GET", "/me", "").part(200, `"role":"viewer"`)
	s.ask("bob-reads", "PUT", "/pages/X", `{"content":"x"}`).part(403, "forbidden")
}

func TestPast(t *testing.T) {
	s := newSite(t)
	first := s.put("Plan", "one\n")
	second := s.ask("bob", "PUT", "/pages/Plan", `{"content":"two\n","revision":"`+first+`"}`).get("revision")
	a := s.ask("carol", "GET", "/pages/Plan/diff", "").part(200, `"added":1,"removed":1,"diff":"diff --git a/Plan.md b/Plan.md`)
	if a.get("from") != first || a.get("to") != second {
		t.Errorf("got %s", a.body)
	}
	s.ask("carol", "GET", "/pages/Plan/diff?from="+first[:7]+"&to="+second, "", "Accept: text/x-diff").part(200, "\n-one\n+two\n")
	s.ask("carol", "GET", "/diff?from="+first, "").part(200, `+two`)
	s.ask("carol", "GET", "/commits/"+second[:8]+"?diff=true", "").part(200, `"pages":[{"path":"Plan","kind":"modified"}],"files":[],"diff":"diff --git`)
	s.ask("carol", "GET", "/commits/HEAD", "").part(200, second)
	s.ask("carol", "GET", "/commits/master", "").part(422, `"field":"revision"`)
	s.ask("carol", "GET", "/commits/0123456789", "").part(404, `not_found`)
	s.ask("bob", "POST", "/pages/Plan/restore", `{"revision":"`+first+`"}`).want(200, `{"name":"Plan","path":"Plan","revision":"REV"}`)
	s.ask("carol", "GET", "/pages/Plan", "").part(200, `"content":"one\n"`)
	s.ask("bob", "POST", "/pages/Plan/restore", `{}`).part(422, `"field":"revision"`)
	s.ask("bob", "POST", "/commits/HEAD/revert", `{"dry_run":true}`).part(200, `"dry_run":true`)
	s.ask("bob", "POST", "/commits/HEAD/revert", `{"commit_message":"back"}`).part(200, `"path":"Plan"`)
	s.ask("carol", "GET", "/pages/Plan", "").part(200, `"content":"two\n"`)
	s.ask("bob", "POST", "/commits/"+first+"/revert", ``).part(409, `"code":"conflict"`)
	s.ask("carol", "POST", "/commits/HEAD/revert", ``).part(403, `forbidden`)
}

func TestMethods(t *testing.T) {
	s := newSite(t)
	a := s.ask("carol", "HEAD", "/pages/Home", "")
	if a.status != 200 || a.body != "" || a.header.Get("Content-Length") == "0" || a.header.Get("ETag") == "" {
		t.Errorf("HEAD: %d %q %v", a.status, a.body, a.header)
	}
	for path, want := range map[string]string{"/pages/Home": "DELETE, GET, HEAD, OPTIONS, PATCH, PUT", "/pages": "GET, HEAD, OPTIONS", "/commit": "OPTIONS, POST", "/pages/Home/history": "GET, HEAD, OPTIONS"} {
		a := s.ask("carol", "OPTIONS", path, "")
		if got := a.header.Get("Allow"); a.status != 204 || got != want {
			t.Errorf("OPTIONS %s: %d %q, want %q", path, a.status, got, want)
		}
		a = s.ask("carol", "TRACE", path, "").part(405, `"code":"method_not_allowed"`)
		if got := a.header.Get("Allow"); got != want {
			t.Errorf("TRACE %s: Allow %q, want %q", path, got, want)
		}
	}
	for path, want := range map[string]int{"/pages/Home/rename": 404, "/pages/Home/": 200, "/pages/read": 404, "/pages/history": 404} {
		s.ask("carol", "GET", path, "").part(want, "")
	}
	s.ask("carol", "GET", "/nothing", "").part(404, "see /api")
	s.ask("carol", "OPTIONS", "/nothing", "").part(404, "see /api")
	s.ask("carol", "GET", "/w/notes/api/v2/pages", "").part(404, "see /api")
	s.ask("carol", "GET", "/w/notes/api/v1x", "").part(404, "see /api")
	s.ask("carol", "GET", "/api/me", "").part(404, "see /api")
}

func TestRates(t *testing.T) {
	s := newSite(t)
	a := s.ask("carol", "GET", "/pages", "")
	if got := a.header.Get("RateLimit-Policy") + " " + a.header.Get("RateLimit"); got != `"reads";q=10;w=1 "reads";r=9;t=1` {
		t.Errorf("got %s", got)
	}
	s.full = true
	a = s.ask("carol", "GET", "/pages", "").part(429, `"code":"rate_limited","retry_after":3`)
	if a.header.Get("Retry-After") != "3" || a.header.Get("RateLimit") != `"reads";r=0;t=1` {
		t.Errorf("got %v", a.header)
	}
	s.ask("bob", "POST", "/commit", `{"operations":[{"do":"create","path":"A","content":"a\n"}]}`).part(429, `rate_limited`)
	s.ask("carol", "GET", "/health", "").want(200, `{"status":"ok"}`)
}

func TestFrontmatter(t *testing.T) {
	s := newSite(t)
	for i, tt := range []struct{ src, want string }{
		{"title: T\nn: 1\nf: 0.5\nb: true\nd: 2026-01-02\nz: null\nlist: [a]\nmap: {b: 1, a: [2]}", `{"title":"T","n":1,"f":0.5,"b":true,"d":"2026-01-02","z":null,"list":["a"],"map":{"b":1,"a":[2]}}`},
		{"s: '1'\ni: .inf\nbig: 12345678901234567890\nt: 2026-01-02 03:04:05", `{"s":"1","i":".inf","big":"12345678901234567890","t":"2026-01-02 03:04:05"}`},
		{"a: &x [1, 2]\nb: *x", `{"a":[1,2],"b":[1,2]}`},
		{"- a", `null`},
		{"a: [b", `null`},
	} {
		b, err := json.Marshal(map[string]string{"content": "---\n" + tt.src + "\n---\ntext\n"})
		must(t, err)
		path := fmt.Sprint("/pages/F", i)
		s.ask("bob", "PUT", path, string(b)).want(201, "")
		if a := s.ask("carol", "GET", path, ""); !strings.Contains(a.body, `"frontmatter":`+tt.want+`,"links_to"`) {
			t.Errorf("%q: got %s, want %s", tt.src, a.body, tt.want)
		}
	}
}

func TestPagePath(t *testing.T) {
	for p, want := range map[string]string{"A/B": "A/B", "A/history": "A%2Fhistory", "history": "history", "a/attachments/b": "a%2Fattachments%2Fb", "Wh?t/#": "Wh%3Ft/%23"} {
		if got := api.PagePath(wikiPath(t, p)); got != want {
			t.Errorf("%s: got %s, want %s", p, got, want)
		}
	}
}
