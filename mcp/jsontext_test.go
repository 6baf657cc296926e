package mcp

import (
	"errors"
	"strings"
	"testing"
)

// JSON in a text is bounded as a message is: what is in the text does not count as one
// value.
func TestJSONInATextIsBounded(t *testing.T) {
	for what, s := range map[string]string{
		"objects": "[" + strings.Repeat("{},", maxTextValues/2) + "{}]", "texts": "[" + strings.Repeat(`"",`, maxTextValues) + `""]`,
		"nested": strings.Repeat("[", maxTextValues+1), "after a quote": `["\\",` + strings.Repeat("0,", maxTextValues) + "0]",
	} {
		var v any
		if err := decodeText(s, &v); !errors.Is(err, errManyValues) || v != nil {
			t.Errorf("%s: %v", what, err)
		}
		list := param{name: "paths", kind: aTextList, max: 3}
		if _, err := list.readTexts("tool", s); err == nil {
			t.Errorf("%s are a list of texts", what)
		}
		objects := param{name: "operations", kind: anObjectList, max: 3}
		if _, err := objects.readObjects("tool", s); err == nil {
			t.Errorf("%s are operations", what)
		}
	}
	var v []string
	commas := strings.Repeat(`,{[\"`, maxTextValues)
	if err := decodeText(`["`+commas+`"]`, &v); err != nil || len(v) != 1 {
		t.Errorf("a text with commas: %v, %d", err, len(v))
	}
	if n := len(textList(strings.Repeat("a\n", 2*maxTextValues))); n > maxTextValues+1 {
		t.Errorf("%d lines are taken apart", n)
	}
}
