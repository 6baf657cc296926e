package markdown_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"wikibot/markdown"
)

func TestFrontmatter(t *testing.T) {
	for _, c := range []struct {
		src   string
		props []markdown.Property
		body  string
		bad   bool
	}{
		{"no", nil, "no", false},
		{"---\ntitle: A b\ntags: [x, y]\nn: 3\nd: 2026-11-22\nyes: true\nnone:\nq: \"a: b\"\n---\nbody\n",
			[]markdown.Property{{"title", []string{"A b"}}, {"tags", []string{"x", "y"}}, {"n", []string{"3"}}, {"d", []string{"2026-11-22"}}, {"yes", []string{"true"}}, {"none", nil}, {"q", []string{"a: b"}}}, "body\n", false},
		{"---\na: {b: c, d: [e, f]}\nl:\n  - {g: h}\n---\n", []markdown.Property{{"a", []string{"{b: c, d: [e, f]}"}}, {"l", []string{"{g: h}"}}}, "", false},
		{"---\r\na: b\r\n---\r\nbody", []markdown.Property{{"a", []string{"b"}}}, "body", false},
		{"---\na: b\n...\nbody", []markdown.Property{{"a", []string{"b"}}}, "body", false},
		{"---\n---\nbody", nil, "body", false},
		{"---\n# only a remark\n---\nbody", nil, "body", false},
		{"---\nno end", nil, "---\nno end", false},
		{"----\na: b\n---\n", nil, "----\na: b\n---\n", false},
		{"\n---\na: b\n---\n", nil, "\n---\na: b\n---\n", false},
		{"---\n- a\n---\nbody", nil, "body", true},
		{"---\na: [b\n---\nbody", nil, "body", true},
		{"---\n\tx\n---\nbody", nil, "body", true},
		{"---\na: &x b\nc: *x\n---\n", []markdown.Property{{"a", []string{"b"}}, {"c", []string{"b"}}}, "", false},
		{"---\na: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n---\nbody", nil, "body", true},
		{"---\na: &a [*a]\n---\nbody", nil, "body", true},
		{"---\n" + strings.Repeat("x: "+strings.Repeat("y", 60)+"\n", 1200) + "---\nbody", nil, "body", true},
	} {
		start := time.Now()
		props, body, err := markdown.Frontmatter([]byte(c.src))
		if !reflect.DeepEqual(props, c.props) || string(body) != c.body || (err != nil) != c.bad {
			t.Errorf("%.80q: got %v, %q, %v", c.src, props, body, err)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("%.80q took %v", c.src, d)
		}
	}
}

func TestBadFrontmatterIsShown(t *testing.T) {
	r := render(t, "---\na: [<b>\n---\n# Title\n", nil)
	out := string(r.HTML)
	if !strings.Contains(out, `class="message frontmatter-error"`) || !strings.Contains(out, "<pre>a: [&lt;b&gt;\n</pre>") || !strings.Contains(out, ">Title") {
		t.Error(out)
	}
}

func FuzzFrontmatter(f *testing.F) {
	for _, s := range []string{"---\na: b\n---\nc", "---\na: &a [*a]\n---\n", "---\n? [a]\n: b\n---\n", "---\n!!binary x: y\n---\n", "---\n<<: {a: b}\n---\n", "---\na: |\n  b\n  c\n---\n", "\ufeff---\na: b\n---\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		props, body, err := markdown.Frontmatter([]byte(src))
		if !strings.HasSuffix(src, string(body)) || err != nil && props != nil {
			t.Fatalf("%q: %v %q %v", src, props, body, err)
		}
		size := 0
		for _, p := range props {
			for _, v := range p.Values {
				size += len(v)
			}
		}
		if size > 1<<20 {
			t.Fatalf("%q grew to %d bytes", src, size)
		}
		markdown.Title([]byte(src), "A/B")
	})
}

func TestTitle(t *testing.T) {
	for src, want := range map[string]string{
		"": "B", "text": "B", "# One\n# Two": "One", "---\ntitle: Front\n---\n# One": "Front", "---\nTitle: \"\"\n---\n# One": "One", "---\ntitle: [\n---\n# One": "One",
		"```\n# no\n```\n# yes": "yes", "~~~~\n# no\n~~~\n# no\n~~~~\n# yes": "yes", "    # no\n\n# yes": "yes", "Under\n===": "Under", "## Two\n\n# *One* `x` [[l|text]] #": "One x text",
		"#no\n# yes": "yes", "# Héllo, *w*": "Héllo, w", "# a_b_c": "a_b_c", "#": "B", "# ": "B", "  # in": "in", "\ufeff# Bom": "Bom",
	} {
		if got := markdown.Title([]byte(src), "A/B"); got != want {
			t.Errorf("%q: title %q, want %q", src, got, want)
		}
		if got := render(t, src, nil).Title; got != want {
			t.Errorf("%q: rendered title %q, want %q", src, got, want)
		}
	}
}
