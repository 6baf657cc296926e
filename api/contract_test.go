package api_test

import (
	"strings"
	"testing"

	"wikibot/api"
	"wikibot/notes"
)

// The goldens of the contract: what clients of it already speak, to the letter. What
// is ours on top stands behind it in the objects.

func TestContractPages(t *testing.T) {
	s := newSite(t)
	s.ask("", "GET", "/health", "").want(200, `{"status":"ok"}`)
	s.ask("bob", "PUT", "/pages/Design/Auth", `{"content":"---\ntitle: Who may\ncategory: Design\ntags: [a, b]\nconfidence: 0.5\n---\nSee [[Home]] and [[Nowhere]].\n","commit_message":"first words","extra":{"x":1}}`).
		want(201, `{"name":"Who may","path":"Design/Auth","revision":"REV","created":true}`)
	s.ask("carol", "GET", "/pages", "").want(200, `{"pages":[
		{"name":"Who may","path":"Design/Auth","category":"Design","tags":["a","b"],"last_updated":"DATE","content_length":4,"size":99},
		{"name":"Home","path":"Home","category":null,"tags":[],"last_updated":"DATE","content_length":3,"size":17}],"total":2}`)
	for query, want := range map[string]string{"prefix=Design/": `"total":1`, "category=design": `"total":1`, "tag=A": `"total":1`, "tag=a&category=x": `"total":0`, "updated_since=2001-01-01": `"total":2`, "updated_since=2999-01-01T00:00:00Z": `"total":0`, "limit=1": `"cursor":"Design/Auth.md"`} {
		s.ask("carol", "GET", "/pages?"+query, "").part(200, want)
	}
	s.ask("carol", "GET", "/pages?updated_since=yesterday", "").part(422, `"field":"updated_since"`)
	s.ask("carol", "GET", "/pages/Design/Auth", "").want(200, `{"name":"Who may","path":"Design/Auth",
		"content":"---\ntitle: Who may\ncategory: Design\ntags: [a, b]\nconfidence: 0.5\n---\nSee [[Home]] and [[Nowhere]].\n",
		"frontmatter":{"title":"Who may","category":"Design","tags":["a","b"],"confidence":0.5},"links_to":["Home","Design/Nowhere"],"linked_from":[],"revision":"REV",
		"last_commit":{"revision":"REV","author":"bob","date":"TIME","message":"first words","actor":"bob","via":"api"},"words":4}`)
	s.ask("carol", "GET", "/pages/Home", "").part(200, `"frontmatter":null,"links_to":[],"linked_from":["Design/Auth"]`)
	s.ask("carol", "GET", "/pages/Hom", "").part(404, `{"error":"Page not found: Hom`)
}

func TestContractWrites(t *testing.T) {
	s := newSite(t)
	first := s.put("Plan", "one\n")
	s.ask("bob", "PUT", "/pages/Plan", `{"content":"two\n"}`).
		part(409, `{"error":"Revision required when updating an existing page. Read the page first to get the current revision.`)
	second := s.ask("bob", "PUT", "/pages/Plan", `{"content":"two\n","revision":"`+first+`"}`).
		want(200, `{"name":"Plan","path":"Plan","revision":"REV","created":false}`).get("revision")
	a := s.ask("bob", "PUT", "/pages/Plan", `{"content":"three\n","revision":"`+first+`"}`).
		part(409, `{"error":"Revision mismatch: page has been modified since last read.`)
	if got := a.get("current_revision"); got != second {
		t.Errorf("current revision %s, want %s", got, second)
	}
	if a.get("current") != "two\n" || a.get("yours") != "three\n" || a.get("base") != "one\n" {
		t.Errorf("the conflict has not all texts: %s", a.body)
	}
	s.ask("bob", "PUT", "/pages/Plan", `{"revision":"`+second+`"}`).part(422, `"field":"content"`)

	for body, want := range map[string]string{
		`{"old_string":"a","new_string":"b"}`:                             `"field":"revision"`,
		`{"revision":"` + second + `","new_string":"b"}`:                  `"field":"old_string"`,
		`{"revision":"` + second + `","old_string":"two"}`:                `"field":"new_string"`,
		`{"revision":"` + second + `"}`:                                   `"field":"old_string"`,
		`{"revision":"` + second + `","old_string":"","new_string":"b"}`:  `old_string is empty`,
		`{"revision":"` + second + `","old_string":"a","new_string":"a"}`: `"error":"old_string and new_string are identical`,
		`{"revision":"` + second + `","old_string":"x","new_string":"a"}`: `"error":"old_string not found in page content`,
	} {
		s.ask("bob", "PATCH", "/pages/Plan", body).part(422, want)
	}
	third := s.ask("bob", "PATCH", "/pages/Plan", `{"revision":"`+second[:8]+`","old_string":"two","new_string":"two two","commit_message":"twice"}`).
		want(200, `{"name":"Plan","path":"Plan","revision":"REV"}`).get("revision")
	s.ask("bob", "PATCH", "/pages/Plan", `{"revision":"`+third+`","old_string":"two","new_string":"x"}`).
		part(422, `"error":"old_string is ambiguous: found 2 occurrences. Provide a longer unique string.`)
	s.ask("bob", "PATCH", "/pages/Plan", `{"revision":"`+first+`","old_string":"one","new_string":"x"}`).part(409, `"current_revision":"`+third+`"`)
	s.ask("bob", "PATCH", "/pages/Plan", `{"revision":"`+first+`","old_string":"two two","new_string":"x"}`).part(409, `"current_revision":"`+third+`"`)
	s.ask("bob", "PATCH", "/pages/Nowhere", `{"revision":"`+first+`","old_string":"one","new_string":"x"}`).part(404, "Page not found: Nowhere")

	s.put("Other", "[[Plan|the plan]] and [[Plan#one]]\n")
	s.ask("bob", "POST", "/pages/Plan/rename", `{}`).part(422, `"field":"new_path"`)
	s.ask("bob", "POST", "/pages/Plan/rename", `{"new_path":"Plan"}`).part(422, `"error"`)
	s.ask("bob", "POST", "/pages/Plan/rename", `{"new_path":"Home"}`).part(409, `"code":"exists"`)
	s.ask("bob", "POST", "/pages/Nowhere/rename", `{"new_path":"X"}`).part(404, "Page not found: Nowhere")
	s.ask("bob", "POST", "/pages/Plan/rename", `{"new_path":"Plans/2027"}`).
		want(200, `{"old_path":"Plan","new_path":"Plans/2027","revision":"REV","updated_pages":["Other"]}`)
	s.ask("bob", "GET", "/pages/Other", "").part(200, `"content":"[[2027|the plan]] and [[2027#one]]\n"`)
	s.ask("bob", "GET", "/pages/Plan", "").part(200, `"moved_from":"Plan"`)
	s.ask("bob", "DELETE", "/pages/Other", `{"commit_message":"away"}`).want(200, `{"deleted":true,"path":"Other","revision":"REV"}`)
	s.ask("bob", "DELETE", "/pages/Other", ``).part(404, "Page not found: Other")
	s.ask("carol", "PUT", "/pages/X", `{"content":"x"}`).part(403, `"code":"forbidden"`)
	s.ask("carol", "DELETE", "/pages/Home", ``).part(403, `"code":"forbidden"`)
}

func TestContractHistoryAndLinks(t *testing.T) {
	s := newSite(t)
	rev := s.put("Plan", "See [[Home]].\n")
	s.ask("bob", "PUT", "/pages/Plan", `{"content":"See [[Home]] and [[Wanted]].\n","revision":"`+rev+`","commit_message":"more"}`, "Wikibot-Agent: Helper 1.0").want(200, "")
	s.ask("carol", "GET", "/pages/Plan/history", "").want(200, `{"path":"Plan","history":[
		{"revision":"REV","author":"bob","date":"TIME","message":"more","actor":"bob","agent":"Helper 1.0","via":"api","kind":"modified","path":"Plan"},
		{"revision":"REV","author":"bob","date":"TIME","message":"[api] Create: Plan","actor":"bob","via":"api","kind":"added","path":"Plan"}]}`)
	a := s.ask("carol", "GET", "/pages/Plan/history?limit=1", "").part(200, `"cursor":"`)
	s.ask("carol", "GET", "/pages/Plan/history?limit=1&cursor="+a.get("cursor"), "").part(200, "[api] Create: Plan")
	s.ask("carol", "GET", "/pages/Nowhere/history", "").part(404, "Nowhere")
	a = s.ask("carol", "GET", "/changelog", "").part(200, `{"entries":[{"revision":"`)
	if got := a.get("total"); got != "3" || !strings.Contains(plain(a.body), `"message":"more","actor":"bob","agent":"Helper 1.0","via":"api","pages_affected":["Plan"]}`) {
		t.Errorf("got %s", a.body)
	}
	for query, want := range map[string]string{"limit=1": `"total":1,"cursor"`, "agent=helper": `"total":1`, "author=bob": `"total":2`, "via=web": `"total":0`, "since=2999-01-01": `"total":0`, "prefix=Pl": `"total":2`} {
		s.ask("carol", "GET", "/changelog?"+query, "").part(200, want)
	}
	s.ask("carol", "GET", "/changelog?via=pigeon", "").part(422, `"field":"via"`)
	s.ask("carol", "GET", "/links", "").want(200, `{"nodes":["Home","Plan","Wanted"],"edges":[{"source":"Plan","target":"Home"},{"source":"Plan","target":"Wanted"}],"missing":["Wanted"]}`)
	s.ask("carol", "GET", "/links/Home", "").want(200, `{"path":"Home","links_to":[],"linked_from":["Plan"]}`)
	s.ask("carol", "GET", "/links/Nowhere", "").part(404, "Nowhere")
}

func TestContractSearch(t *testing.T) {
	s := newSite(t)
	s.put("Storm", "# Storm\n\nA storm brings wind and heavy rain over the harbour tonight.\n")
	_, err := s.find.ReindexNow(ctx, view(t, s, "alice"), func(int, int) {})
	must(t, err)
	s.ask("carol", "GET", "/search", "").part(422, `"field":"q"`)
	s.ask("carol", "GET", "/search?q=harbour", "").part(200, `{"query":"harbour","results":[{"name":"Storm","path":"Storm","snippet":"`)
	s.ask("carol", "GET", "/search?q=nothingofit", "").want(200, `{"query":"nothingofit","results":[],"total":0,"mode":"lexical"}`)
	a := s.ask("carol", "GET", "/semantic-search?q=harbour%20storm&n=1", "").part(200, `{"query":"harbour storm","results":[{"name":"Storm","path":"Storm","text":"`)
	for _, field := range []string{`"snippet":"`, `"distance":0`, `"section":"Storm"`, `"section_path":"Storm"`, `"chunk_index":0`, `"total_chunks":1`, `"page_word_count":12`, `"total":1}`} {
		a.part(200, field)
	}
	s.ask("carol", "GET", "/semantic-search", "").part(422, `"field":"q"`)
	s.ask("carol", "GET", "/semantic-search?q=x&n=51", "").part(422, `"field":"n"`)
	s.ask("carol", "POST", "/reindex", "").part(403, `"code":"forbidden"`)
	s.ask("carol", "GET", "/reindex/status", "").part(200, `{"status":"complete","pages_indexed":2,"chunks_created":2`)
	s.ask("alice", "POST", "/reindex", "").want(202, `{"status":"started"}`)
}

// Without an index the calls that need one are unavailable.
func TestNoIndex(t *testing.T) {
	s := newSite(t, func(c *api.Config) { c.Find, c.Notes = nil, notes.New(notes.Config{Store: c.Store}) })
	for _, path := range []string{"/search?q=x", "/semantic-search?q=x", "/suggest?q=x", "/reindex/status"} {
		a := s.ask("carol", "GET", path, "").part(503, `"code":"unavailable"`)
		if a.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
	}
}

func TestContractAttachments(t *testing.T) {
	s := newSite(t)
	s.ask("bob", "POST", "/pages/Home/attachments", `{"filename":"a b.txt","content":"aGVsbG8K","commit_message":"a file"}`).
		want(201, `{"filename":"a b.txt","path":"Home","size":6,"mime_type":"text/plain","revision":"REV"}`)
	s.ask("carol", "GET", "/pages/Home/attachments", "").
		want(200, `{"attachments":[{"filename":"a b.txt","size":6,"mime_type":"text/plain","last_modified":"TIME","revision":"REV"}],"total":1,"path":"Home"}`)
	s.ask("carol", "GET", "/pages/Home/attachments/a%20b.txt", "").
		want(200, `{"filename":"a b.txt","content":"aGVsbG8K","size":6,"mime_type":"text/plain","revision":"REV"}`)
	s.ask("carol", "GET", "/pages/Home/attachments/none.txt", "").part(404, `Attachment not found: none.txt`)
	s.ask("bob", "POST", "/pages/Home/attachments", `{"filename":"a.txt"}`).part(422, `"field":"content"`)
	s.ask("bob", "POST", "/pages/Home/attachments", `{"content":"aGVsbG8K"}`).part(422, `"field":"filename"`)
	s.ask("bob", "POST", "/pages/Home/attachments", `{"filename":"../x","content":"aGVsbG8K"}`).part(422, `"field":"filename"`)
	s.ask("bob", "POST", "/pages/Home/attachments", `{"filename":"x","content":"%%"}`).part(422, `not base64`)
	s.ask("bob", "POST", "/pages/Nowhere/attachments", `{"filename":"x","content":"aGVsbG8K"}`).part(404, `Page not found: Nowhere`)
	s.ask("bob", "DELETE", "/pages/Home/attachments/a%20b.txt", "").want(200, `{"deleted":true,"filename":"a b.txt","revision":"REV"}`)
	s.ask("bob", "DELETE", "/pages/Home/attachments/a%20b.txt", "").part(404, `"code":"not_found"`)
}
