package markdown

import (
	"bytes"
	"html"
	"strings"
	"testing"

	xhtml "golang.org/x/net/html"
)

func TestCanonical(t *testing.T) {
	for _, good := range []string{"", "text &lt;", `<p class="x">a <a class="internal" href="/x">b</a><br></p>`, `<img src="/a.png" alt="&#34;">`, `<input checked="" disabled="" type="checkbox">`} {
		if !canonical([]byte(good)) {
			t.Errorf("%q goes to the policy", good)
		}
	}
	for _, bad := range []string{"<", "<p", "<p>", "</p>", "<p></p></p>", "<p><em></p></em>", "<script></script>", "<P></P>", "<p ></p>", "<p onclick=\"x\"></p>", "<p class=x></p>", "<p class='x'></p>", `<p class="x"id="y"></p>`,
		`<a href="javascript:x"></a>`, `<a href="//x.org"></a>`, `<a href="/\x.org"></a>`, `<a href=" /x"></a>`, `<a href="x:y"></a>`, `<a href="JAVASCRIPT:x"></a>`, `<a href="&#106;avascript:x"></a>`, `<img onerror="x">`, `<input type="image">`,
		"<!-- x -->", "<p/>", "<p title=\"<\"></p>", "a\x00", `<svg></svg>`, `<a style="x"></a>`, `<img src="data:x">`, "<pre\n></pre>", "<?x?>", "<p class =\"x\"></p>"} {
		if canonical([]byte(bad)) {
			t.Errorf("%q passes for canonical", bad)
		}
	}
}

// Every page without raw HTML must take the short way; else it is only slow, and
// nobody notices.
func TestPagesAreCanonical(t *testing.T) {
	const src = "# Ünï\n[[a]] [b](c) ![d](https://x.org/e) https://x.org/?a=b&c='d\"e' `f` *g* **h** ==i== ~~j~~ $k$ [^1]\n\n[^1]: l\n\n" +
		"3. m\n4. n\n\n- [x] o\n\n|p|q|\n|:-|-:|\n|r|s|\n\n> [!note]\n> t\n\n```go\nu := `v`\n```\n\nw\n: x  \ny\n\n---\n<https://z.org/éü> ![[n.png]] a@b.org\n\n```mermaid\nx\n```\n\n$$\ny\n$$\n"
	o := Options{Path: "A/B"}.filled()
	s := &session{o: &o, out: &bytes.Buffer{}, result: &Rendered{}}
	s.chain = []string{"a/b"}
	s.page([]byte(src), "A/B", "")
	if s.raw || !canonical(s.out.Bytes()) {
		t.Errorf("goes to the policy:\n%s", s.out)
	}
	before := s.out.String()
	if after := string(policy.SanitizeBytes([]byte(before))); html.UnescapeString(after) != html.UnescapeString(before) {
		t.Errorf("the policy makes of\n%s\nthis:\n%s", before, after)
	}
}

// What passes for canonical must be for the policy what it is without it, up to
// the spelling of characters.
func FuzzCanonical(f *testing.F) {
	for _, s := range []string{`<p class="x">a <a class="internal" href="/x">b</a><br></p>`, `<a href="https://x.org/'">x</a>`, `<img src="/a" alt="x>y">`, `<ol start="3"><li>a</li></ol>`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !canonical([]byte(s)) {
			return
		}
		z := xhtml.NewTokenizer(strings.NewReader(s))
		for tt := z.Next(); tt != xhtml.ErrorToken; tt = z.Next() {
			tok := z.Token()
			if tt == xhtml.CommentToken || tt == xhtml.DoctypeToken {
				t.Fatalf("%q has %v", s, tok)
			}
			if _, ok := canonicalElements[tok.Data]; tt != xhtml.TextToken && !ok {
				t.Fatalf("%q has <%s>", s, tok.Data)
			}
			for _, a := range tok.Attr {
				if a.Key == "href" || a.Key == "src" {
					if u := html.UnescapeString(a.Val); scheme(u) != "" && !harmlessURL(u) || strings.HasPrefix(u, "//") {
						t.Fatalf("%q has the URL %q", s, u)
					}
				} else if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
					t.Fatalf("%q has the attribute %q", s, a.Key)
				}
			}
		}
	})
}
