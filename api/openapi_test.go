package api_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"wikibot/api"
	"wikibot/api/manage"
	"wikibot/wiki"
)

func TestDocumentIsValid(t *testing.T) {
	for _, layout := range []wiki.Layout{wiki.LayoutPath, wiki.LayoutSubdomain} {
		s := newSite(t, func(c *api.Config) {
			c.Addresses.Layout = layout
			c.Manage = manage.New(manage.Config{Store: c.Store, Addresses: c.Addresses})
		})
		for _, path := range []string{"/w/notes/api/openapi.json", "/api/openapi.json"} {
			a := s.ask("carol", "GET", path, "").part(200, `"openapi": "3.1.0"`)
			doc, err := openapi3.NewLoader().LoadFromData([]byte(a.body))
			must(t, err)
			if err := doc.Validate(ctx); err != nil {
				t.Errorf("%s, %s: %v", layout, path, err)
			}
			if path == "/api/openapi.json" && (doc.Paths.Value("/api/wikis") == nil || doc.Paths.Len() < 39) {
				t.Errorf("%s: the site's document has %d paths: %v", layout, doc.Paths.Len(), doc.Paths.Keys())
			}
		}
		s.ask("carol", "GET", "/api", "").part(200, "/api/wikis/{slug}/tokens")
	}
}

// described is what the document says of the operations, by their ids.
func (s *site) described() map[string]*openapi3.Operation {
	s.t.Helper()
	if s.doc != nil {
		return s.doc
	}
	s.doc = map[string]*openapi3.Operation{}
	doc, err := openapi3.NewLoader().LoadFromData([]byte(s.send("alice", "GET", "/w/notes/api/openapi.json", "").body))
	must(s.t, err)
	for _, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			s.doc[op.OperationID] = op
		}
	}
	return s.doc
}

// check compares an answer with what the document says of it. Every answer that a
// test gets goes through it.
func (s *site) check(method, path string, a answer) {
	s.t.Helper()
	path, ok := strings.CutPrefix(path, "/w/notes/api/v1")
	if !ok || method == http.MethodOptions || method == http.MethodHead {
		return
	}
	path, _, _ = strings.Cut(path, "?")
	id, _, _, _, _ := s.OperationOf(method, path)
	op := s.described()[id]
	if id == "" || a.status == http.StatusNotModified {
		return
	}
	response := op.Responses.Value(strconv.Itoa(a.status))
	if response == nil {
		s.t.Errorf("%s answers %d, which the document does not have: %s", id, a.status, a.body)
		return
	}
	kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";")
	media := response.Value.Content[kind]
	if media == nil {
		s.t.Errorf("%s answers %d with %q, which the document does not have", id, a.status, kind)
		return
	}
	if kind == "application/json" {
		var v any
		must(s.t, json.Unmarshal([]byte(a.body), &v))
		if err := media.Schema.Value.VisitJSON(v, openapi3.EnableJSONSchema2020()); err != nil {
			s.t.Errorf("%s %s answers %d with what the document does not describe: %v\n%s", method, path, a.status, err, a.body)
		}
		for name := range v.(map[string]any) {
			if media.Schema.Value.Properties[name] == nil {
				s.t.Errorf("%s answers %d with the field %q, which the document does not have", id, a.status, name)
			}
		}
	}
	if s.met == nil {
		s.met = map[string]bool{}
	}
	if a.status < 300 {
		s.met[id] = true
	}
}

// TestEveryOperation drives all of them; ask checks the answers.
func TestEveryOperation(t *testing.T) {
	s := newSite(t)
	rev := s.put("Design/Auth", "---\ntags: [a]\ncategory: c\n---\n# Auth\n\nSee [[Home]] and [[Nowhere]].\n\n## Tokens\n\nA token.\n")
	for _, q := range []struct{ method, path, body string }{
		{"GET", "/health", ""}, {"GET", "/me", ""}, {"GET", "/tags", ""}, {"GET", "/categories?limit=1", ""},
		{"GET", "/pages", ""}, {"GET", "/pages/Home", ""}, {"GET", "/pages/Design/Auth?section=Tokens", ""},
		{"PATCH", "/pages/Design/Auth", `{"revision":"` + rev + `","edits":[{"old_string":"A token","new_string":"Two tokens"},{"old_string":"Two","new_string":"Three"}]}`},
		{"POST", "/pages/Design/Auth/edit", `{"operations":[{"do":"append_section","section":"Tokens","content":"More.\n"}]}`},
		{"GET", "/pages/Design/Auth/outline", ""}, {"GET", "/pages/Design/Auth/history", ""}, {"GET", "/pages/Design/Auth/diff", ""},
		{"POST", "/pages/Design/Auth/restore", `{"revision":"` + rev + `"}`}, {"POST", "/pages/Design/Auth/rename", `{"new_path":"Design/Who"}`},
		{"POST", "/commit", `{"operations":[{"do":"create","path":"A","content":"a\n"},{"do":"attach","path":"A","filename":"a.txt","content":"aGk="}]}`},
		{"POST", "/pages/read", `{"paths":["A","Home","None"]}`}, {"GET", "/changelog", ""}, {"GET", "/diff", ""}, {"GET", "/commits/HEAD?diff=true", ""},
		{"POST", "/commits/HEAD/revert", `{}`}, {"GET", "/suggest?q=ho", ""}, {"GET", "/reindex/status", ""}, {"GET", "/search?q=welcome", ""},
		{"GET", "/links", ""}, {"GET", "/links/Home", ""}, {"GET", "/orphans", ""}, {"GET", "/wanted", ""},
		{"POST", "/pages/Home/attachments", `{"filename":"a.txt","content":"aGk="}`}, {"GET", "/pages/Home/attachments", ""},
		{"GET", "/pages/Home/attachments/a.txt", ""}, {"DELETE", "/pages/Home/attachments/a.txt", ""}, {"DELETE", "/pages/Design/Who", ""},
	} {
		if a := s.ask("alice", q.method, q.path, q.body); a.status >= 300 {
			t.Errorf("%s %s: %d %s", q.method, q.path, a.status, a.body)
		}
	}
	elsewhere := map[string]bool{"followChanges": true, "semanticSearch": true, "reindex": true} // tests of their own
	for _, id := range s.Operations() {
		if !s.met[id] && !elsewhere[id] {
			t.Errorf("no answer of %s was checked", id)
		}
	}
}
