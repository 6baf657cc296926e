package mcp

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"wikibot/wiki"
)

func sample() []param {
	return []param{
		pathParam("The note."), revisionParam("The revision."), contentParam("The text."),
		{name: "new_path", kind: aText, aliases: []string{"to"}},
		limitParam(10, 200, "entries"), mergeParam(),
		{name: "operation", kind: aText, choices: []string{"append", "replace_section"}, def: ""},
		{name: "paths", kind: aTextList, max: 3},
		{name: "edits", kind: anObjectList, max: 2, of: []param{{name: "old_string", kind: aText, required: true, aliases: []string{"old_text"}}, {name: "new_string", kind: aText, required: true}}},
	}
}

func read(t *testing.T, text string) (args, error) {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return readArgs("tool", sample(), v)
}

// What a model sends under another name or in another type is taken where it can
// only mean one thing.
func TestArguments(t *testing.T) {
	for _, c := range []struct {
		sent, name string
		want       any
	}{
		{`{"path":"A"}`, "path", "A"},
		{`{"title":"A"}`, "path", "A"},
		{`{"Note_Path":"A"}`, "path", "A"},
		{`{"pagePath":"A"}`, "path", "A"},
		{`{"path":2024}`, "path", "2024"},
		{`{"path":["A"]}`, "path", "A"},
		{`"{\"path\":\"A\"}"`, "path", "A"},
		{`{"path":"A","newPath":"B"}`, "new_path", "B"},
		{`{"path":"A","new-path":"B"}`, "new_path", "B"},
		{`{"path":"A","to":"B"}`, "new_path", "B"},
		{`{"path":"A"}`, "limit", 10},
		{`{"path":"A","limit":null}`, "limit", 10},
		{`{"path":"A","limit":"5"}`, "limit", 5},
		{`{"path":"A","limit":5.0}`, "limit", 5},
		{`{"path":"A","limit":0}`, "limit", 1},
		{`{"path":"A","max_results":1e9}`, "limit", 200},
		{`{"path":"A","merge":"true"}`, "merge", true},
		{`{"path":"A","merge":1}`, "merge", true},
		{`{"path":"A","merge":"False"}`, "merge", false},
		{`{"path":"A","operation":"Replace-Section"}`, "operation", "replace_section"},
		{`{"path":"A","operation":""}`, "operation", ""},
		{`{"path":"A","paths":["x","y"]}`, "paths", []string{"x", "y"}},
		{`{"path":"A","paths":"x"}`, "paths", []string{"x"}},
		{`{"path":"A","paths":"[\"x\", \"y\"]"}`, "paths", []string{"x", "y"}},
		{`{"path":"A","paths":"x\ny\n"}`, "paths", []string{"x", "y"}},
		{`{"path":"A","text":"body"}`, "content", "body"},
	} {
		a, err := read(t, c.sent)
		if err != nil {
			t.Errorf("%s: %v", c.sent, err)
		} else if got := a.values[c.name]; !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %s is %#v, want %#v", c.sent, c.name, got, c.want)
		}
	}
	a, err := read(t, `{"path":"A","edits":{"old_text":"x","newString":""}}`)
	if err != nil || len(a.list("edits")) != 1 || a.list("edits")[0].text("old_string") != "x" || !a.list("edits")[0].has("new_string") || a.has("revision") {
		t.Errorf("edits: %v, %v", a, err)
	}
}

// What cannot be meant is refused with the next step.
func TestArgumentsRefused(t *testing.T) {
	for _, c := range []struct{ sent, want string }{
		{`{}`, "tool needs path: The note."},
		{`null`, "tool needs path"},
		{`[]`, `the arguments of tool are an object such as {"path":"…"}`},
		{`"x"`, "are an object"},
		{`{"path":"A","setcion":"x"}`, `tool has no parameter "setcion"`},
		{`{"path":"A","opration":"append"}`, "did you mean operation?"},
		{`{"path":"A","title":"B"}`, "one parameter under two names"},
		{`{"path":{"a":1}}`, "path of tool is a text"},
		{`{"path":["A","B"]}`, "path of tool is a text"},
		{`{"path":true}`, "path of tool is a text"},
		{`{"path":1e300}`, "path of tool is a text"},
		{`{"path":"A","limit":"many"}`, "whole number from 1 to 200"},
		{`{"path":"A","limit":1.5}`, "whole number"},
		{`{"path":"A","limit":true}`, "whole number"},
		{`{"path":"A","merge":"perhaps"}`, "true or false"},
		{`{"path":"A","operation":"apend"}`, "one of append, replace_section, for example append"},
		{`{"path":"A","paths":["a","b","c","d"]}`, "has 4 members; tool takes at most 3"},
		{`{"path":"A","paths":[1,{}]}`, "a list of texts"},
		{`{"path":"A","edits":[]}`, "a list of objects"},
		{`{"path":"A","edits":[{"old_string":"x"}]}`, "tool, edits 1, needs new_string"},
		{`{"path":"A","edits":[{"old_string":"x","new_string":"y","x":1}]}`, `has no parameter "x"`},
	} {
		_, err := read(t, c.sent)
		if !errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.sent, err, c.want)
		}
	}
	_, err := readArgs("tool", sample(), map[string]any{"path": "A", "content": strings.Repeat("ä", maxContent+1)})
	if !errors.Is(err, wiki.ErrTooLarge) || !strings.Contains(err.Error(), "1000001 characters; tool takes at most 1000000") {
		t.Errorf("a long text: %v", err)
	}
	if _, err := readArgs("tool", sample(), map[string]any{"path": "A", "content": strings.Repeat("ä", maxContent)}); err != nil {
		t.Errorf("the longest text: %v", err)
	}
}

func FuzzArguments(f *testing.F) {
	for _, s := range []string{`{"path":"A","edits":[{"old_string":"x","new_string":""}]}`, `"{\"path\":[[[]]]}"`, `{"\u0000":1,"PATH":2}`, `{"path":-9223372036854775809,"limit":1e400}`, `[[[[]]]]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var v any
		if json.Unmarshal([]byte(text), &v) != nil {
			return
		}
		a, err := readArgs("tool", sample(), v)
		if err != nil {
			if !errors.Is(err, wiki.ErrInvalid) || strings.ContainsAny(err.Error(), "\n\u2028") || len(err.Error()) > 4000 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if n := a.number("limit"); n < 1 || n > 200 || !a.has("path") || len(a.texts("paths")) > 3 || len(a.list("edits")) > 2 {
			t.Fatalf("%q: %v", text, a)
		}
		b, err := readArgs("tool", sample(), v)
		if err != nil || !reflect.DeepEqual(a, b) {
			t.Fatalf("%q is read in two ways: %v and %v", text, a, b)
		}
	})
}
