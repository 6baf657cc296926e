package search

import (
	"fmt"
	"strings"
	"testing"
)

func TestFilters(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"plan", ""},
		{"plan tag:git -category:draft", "tag=git -category=draft"},
		{`title:"the plan" updated:>=2026-01`, "title=the plan updated=>=2026-01"},
		{"updated:soon", ""}, // wrong
		{"http://example.org note:x", ""},
	} {
		var got []string
		for _, f := range Filters(test.text) {
			sign := ""
			if f.Not {
				sign = "-"
			}
			got = append(got, sign+f.Field+"="+f.Value)
			if said := test.text[f.From:f.To]; !strings.Contains(said, f.Field+":") {
				t.Errorf("%q: the place of %v is %q", test.text, f, said)
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%q: got %q, want %q", test.text, got, test.want)
		}
	}
}

func TestNarrow(t *testing.T) {
	for _, test := range []struct{ text, field, value, want string }{
		{"", "tag", "git", "tag:git"},
		{"plan", "tag", "git", "plan tag:git"},
		{"plan tag:git", "tag", "storage", "plan tag:git tag:storage"},
		{"category:event plan", "category", "trend", "plan category:trend"},
		{"-category:event plan", "category", "trend", "-category:event plan category:trend"},
		{"plan", "path", "Design/Git Store", `plan path:"Design/Git Store"`},
		{"updated:7d plan", "updated", ">=2026-01-01", "plan updated:>=2026-01-01"},
		{`"half a phr`, "tag", "git", `"half a phr" tag:git`},
		{"a OR", "tag", "git", "a tag:git"},
		{"/a  b/ tag:x", "category", "c", "/a  b/ tag:x category:c"},
		{"plan", "category", `say "so"`, ""},
		{"plan", "updated", "soon", ""},
		{"updated:soon", "tag", "git", ""},
		{strings.Repeat("x", 495), "tag", "git", ""},
		{"plan", "tag", "a tag:b\" -x", ""},
	} {
		got, ok := Narrow(test.text, test.field, test.value)
		if got != test.want || ok != (test.want != "") {
			t.Errorf("%q with %s:%s: got %q, %v, want %q", test.text, test.field, test.value, got, ok, test.want)
		}
	}
}

func TestWithout(t *testing.T) {
	text := `plan tag:git "a b" -title:"the plan" x`
	var got []string
	for _, f := range Filters(text) {
		got = append(got, Without(text, f))
	}
	want := []string{`plan "a b" -title:"the plan" x`, `plan tag:git "a b" x`}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzNarrow: what comes out says the condition and nothing else that was not
// said before.
func FuzzNarrow(f *testing.F) {
	f.Add("plan tag:git", "category", "a b")
	f.Add(`"half`, "tag", `x" y:z`)
	f.Add("a OR \xff", "author", "“bob”")
	f.Fuzz(func(t *testing.T, text, field, value string) {
		next, ok := Narrow(text, field, value)
		if !ok {
			return
		}
		before, after := Filters(text), Filters(next)
		if len(after) == 0 || len(after) > len(before)+1 {
			t.Fatalf("%q with %s:%q: %q has %v", text, field, value, next, after)
		}
		last := after[len(after)-1]
		if last.Field != field || last.Not {
			t.Errorf("%q with %s:%q: %q ends in %v", text, field, value, next, last)
		}
		if again := Filters(Without(next, last)); len(again) != len(after)-1 {
			t.Errorf("%q without %v has %v", next, last, again)
		}
	})
}
