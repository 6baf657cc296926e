package mcp_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

type schema struct {
	Type       string
	Properties map[string]any
	Required   []string
}

type listed struct {
	Name, Title, Description string
	In                       schema          `json:"inputSchema"`
	Out                      json.RawMessage `json:"outputSchema"`
	Annotations              map[string]any
}

func (s *site) list(who, path string) []listed {
	s.t.Helper()
	r := s.ask(who, path, "tools/list", nil)
	var l struct{ Tools []listed }
	must(s.t, json.Unmarshal(r.Result, &l))
	return l.Tools
}

func (s *site) schemas(who string) map[string]listed {
	out := map[string]listed{}
	for _, t := range s.list(who, notesMCP) {
		out[t.Name] = t
	}
	return out
}

var contract = []string{"read_note", "write_note", "edit_note", "list_notes", "search_notes", "semantic_search", "get_links", "get_history", "get_recent_changes",
	"rename_note", "delete_note", "find_orphaned_notes", "list_attachments", "upload_attachment", "download_attachment", "delete_attachment"}

// What is listed depends on the role; every tool is described and annotated.
func TestList(t *testing.T) {
	s := newSite(t)
	bob, carol := s.schemas("bob"), s.schemas("carol")
	for _, name := range append(contract, "search", "fetch", "read_notes", "get_outline", "get_diff", "commit_notes", "restore_note", "get_wiki_info") {
		if _, ok := bob[name]; !ok {
			t.Errorf("an editor does not see %s", name)
		}
	}
	for name, tool := range bob {
		a := tool.Annotations
		reads, _ := a["readOnlyHint"].(bool)
		destroys, ok := a["destructiveHint"].(bool)
		_, idem := a["idempotentHint"].(bool)
		if open, known := a["openWorldHint"].(bool); !known || open || !ok || !idem || a["title"] == "" {
			t.Errorf("%s: annotations %v", name, a)
		}
		if reads && destroys {
			t.Errorf("%s reads and destroys", name)
		}
		if _, sees := carol[name]; sees != reads {
			t.Errorf("%s: a viewer sees it: %v, it reads only: %v", name, sees, reads)
		}
		if len(tool.Description) < 40 || len(tool.Description) > 800 || tool.Title == "" || tool.In.Type != "object" {
			t.Errorf("%s: %q, %q, %v", name, tool.Title, tool.Description, tool.In)
		}
		for p, v := range tool.In.Properties {
			if d, _ := v.(map[string]any)["description"].(string); d == "" {
				t.Errorf("%s: %s is not described", name, p)
			}
		}
	}
	if l := s.list("bob", notesMCP); l[0].Name != "get_wiki_info" {
		t.Errorf("the list begins with %s", l[0].Name)
	}
	for _, tool := range s.list("bob", "/mcp") {
		if reads, _ := tool.Annotations["readOnlyHint"].(bool); !reads {
			t.Errorf("%s at the apex writes", tool.Name)
		}
		if !slices.Contains([]string{"list_wikis", "search", "fetch"}, tool.Name) && !slices.Contains(tool.In.Required, "wiki") {
			t.Errorf("%s at the apex does not need wiki", tool.Name)
		}
	}
}

// Structured content fits the schema that was published for it, errors too.
func TestOutputSchemas(t *testing.T) {
	s := newSite(t)
	tools := s.schemas("bob")
	valid := func(tool string, c called) {
		t.Helper()
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(tools[tool].Out)))
		must(t, err)
		compiler := jsonschema.NewCompiler()
		must(t, compiler.AddResource("mem:///out.json", doc))
		compiled, err := compiler.Compile("mem:///out.json")
		must(t, err)
		v, err := jsonschema.UnmarshalJSON(strings.NewReader(string(c.Data)))
		must(t, err)
		if err := compiled.Validate(v); err != nil {
			t.Errorf("%s: %v\n%s", tool, err, c.Data)
		}
		if err := compiled.Validate(map[string]any{}); err == nil {
			t.Errorf("%s: the schema takes anything", tool)
		}
	}
	rev := s.revision("Home")
	for _, c := range []struct {
		tool string
		a    m
	}{
		{"read_note", m{"path": "Design/Auth"}}, {"read_note", m{"path": "Home"}}, {"read_notes", m{"paths": []any{"Home", "No"}}}, {"get_outline", m{"path": "Design/Auth"}},
		{"list_notes", nil}, {"search_notes", m{"query": "token"}}, {"semantic_search", m{"query": "token"}}, {"get_related", m{"path": "Home"}},
		{"search", m{"query": "token"}}, {"fetch", m{"id": "Home"}}, {"get_links", m{"path": "Home"}}, {"get_history", m{"path": "Home"}}, {"get_recent_changes", nil},
		{"get_diff", nil}, {"find_orphaned_notes", nil}, {"find_wanted_notes", nil}, {"find_broken_links", nil}, {"get_wiki_info", nil}, {"list_attachments", m{"path": "Home"}},
		{"write_note", m{"path": "A", "content": "x"}}, {"edit_note", m{"path": "A", "operation": "append", "content": "y"}},
		{"rename_note", m{"path": "A", "new_path": "B"}}, {"restore_note", m{"path": "Home", "revision": rev}}, {"delete_note", m{"path": "B"}},
		{"commit_notes", m{"operations": m{"operation": "write", "path": "C", "content": "x"}}},
		{"upload_attachment", m{"path": "C", "filename": "a.txt", "content": "aGk="}}, {"download_attachment", m{"path": "C", "filename": "a.txt"}}, {"delete_attachment", m{"path": "C", "filename": "a.txt"}},
	} {
		valid(c.tool, s.run("bob", c.tool, c.a))
		delete(tools, "")
		bad := m{"no such parameter": 1}
		valid(c.tool, s.fail("bob", c.tool, bad, ""))
	}
	valid("write_note", s.fail("bob", "write_note", m{"path": "Home", "content": "x"}, "Revision required"))
}
