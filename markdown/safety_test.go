package markdown_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"wikibot/markdown"
	"wikibot/wiki"
)

// unsafe says what is dangerous in HTML as a browser would read it within a
// page's <div>, or "".
func unsafe(text string) string {
	doc, err := html.Parse(strings.NewReader(`<body><div id="OUTER"><div id="BOX">` + text + `</div><p id="AFTER"></p></div>`))
	if err != nil {
		return "" // deeper than 512 elements, where a browser stops nesting as well
	}
	var box *html.Node
	bad := ""
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "html", "head", "body":
			if len(n.Attr) > 0 {
				return "attributes on <" + n.Data + ">"
			}
			continue
		}
		id := attr(n, "id")
		switch {
		case id == "OUTER":
			continue
		case id == "BOX" && box == nil:
			box = n
			continue
		}
		if id == "AFTER" {
			for p := n.Parent; p != nil; p = p.Parent {
				if p == box {
					return "an element stays open past the end"
				}
			}
			if n.PrevSibling != box || attr(n.Parent, "id") != "OUTER" {
				return "the box was closed or an element left open"
			}
			continue
		}
		if why := unsafeElement(n); why != "" {
			bad = why
		}
	}
	return bad
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func unsafeElement(n *html.Node) string {
	if n.Namespace != "" {
		return "foreign element " + n.Data
	}
	switch n.Data {
	case "script", "style", "iframe", "object", "embed", "form", "svg", "math", "link", "meta", "base", "template",
		"frame", "frameset", "applet", "textarea", "select", "button", "video", "audio", "source", "noscript", "title":
		return "element " + n.Data
	case "input":
		if attr(n, "type") != "checkbox" {
			return "input"
		}
	}
	for _, a := range n.Attr {
		k := strings.ToLower(a.Key)
		switch {
		case strings.HasPrefix(k, "on"), k == "style", k == "srcset", k == "formaction", k == "name", k == "ping",
			k == "background", k == "target", k == "is", k == "slot", k == "accesskey", k == "contenteditable":
			return "attribute " + k
		case k == "id" && strings.ContainsAny(a.Val, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") && !strings.HasPrefix(a.Val, "user:"):
			return "id " + a.Val
		case k == "href", k == "src":
			u, err := url.Parse(strings.TrimSpace(a.Val))
			if err != nil {
				return "URL that does not parse: " + a.Val
			}
			switch strings.ToLower(u.Scheme) {
			case "", "http", "https", "mailto", "tel":
			default:
				return "scheme of " + a.Val
			}
			if k == "src" && (u.Scheme != "" || u.Host != "" || strings.HasPrefix(a.Val, "//")) {
				return "remote src " + a.Val
			}
			if k == "href" && u.Host != "" && !strings.Contains(attr(n, "rel"), "noopener") {
				return "external link without rel: " + a.Val
			}
		}
	}
	return ""
}

// wikiOfAttacks has a page for embeds to reach and files that browsers can run.
func wikiOfAttacks() *names {
	return newNames(map[string]string{
		"A/B.md": "![[C]]", "A/C.md": "# C\n<script>alert(1)</script>\n<img src=x onerror=alert(1)>\n![[B]]\n</div></div></div>\n",
		"A/evil.svg": "", "A/evil.html": "", "A/x.md": "x", `A/"onload="x.md`: "", "pic.png": "",
	})
}

// attacks are inputs that went wrong in some wiki or renderer.
var attacks = []string{
	"<script>alert(1)</script>", "<SCRIPT SRC=//x.org/x.js></SCRIPT>", "<scr<script>ipt>alert(1)</script>",
	"<img src=x onerror=alert(1)>", "<img src=\"pic.png\" onload=alert(1)>", "<svg onload=alert(1)>", "<svg><script>alert(1)</script></svg>",
	"<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
	"<iframe src=javascript:alert(1)></iframe>", "<object data=x></object><embed src=x>", "<form action=x><input name=a><button>b</button></form>",
	"<a href=javascript:alert(1)>x</a>", "<a href=\"java\tscript:alert(1)\">x</a>", "<a href=\"&#106;avascript:alert(1)\">x</a>",
	"<a href=\" javascript:alert(1)\">x</a>", "<a href=\"//evil.org\">x</a>", "<img src=//evil.org/x.png>", "<img srcset=\"//evil.org/x 1x\">",
	"[x](javascript:alert(1))", "[x](JaVaScRiPt:alert(1))", "[x](java&#x0A;script:alert(1))", "[x](<java\tscript:alert(1)>)", "[x](javascript&colon;alert(1))",
	"[x](data:text/html;base64,PHN2Zz4=)", "![x](data:image/svg+xml;base64,PHN2Zz4=)", "[x](vbscript:x)", "<javascript:alert(1)>", "<data:text/html,x>",
	"![x](https://evil.org/track.png)", "[![x](https://evil.org/track.png)](https://evil.org)", "![x](//evil.org/x.png)", "[a][b]\n\n[b]: javascript:alert(1)",
	"[[javascript:alert(1)]]", "[[x|<img src=x onerror=alert(1)>]]", "[[x\"onmouseover=\"alert(1)]]", "![[javascript:alert(1)]]", "![[evil.svg]]", "![[evil.html]]",
	"![[x|300\" onload=\"alert(1)]]", "![[https://evil.org/x.png]]", "![[C]]", "![[C#\"><script>alert(1)</script>]]",
	"```mermaid\n</pre><script>alert(1)</script>\n```", "```mermaid\ngraph TD; A[\"<img src=x onerror=alert(1)>\"]\n```", "```\"><script>alert(1)</script>\nx\n```",
	"```go\" onload=\"alert(1)\nx\n```", "$</span><script>alert(1)</script>$", "$$\n</div><script>alert(1)</script>\n$$", "# <script>alert(1)</script>",
	"# x\" onload=\"alert(1)", "# HEAD {#id onclick=alert(1)}", "<h1 id=BOX>x</h1>", "<a name=BOX>x</a>", "<div id=\"AFTER\">", "<div style=\"background:url(//evil.org)\">x</div>",
	"<style>*{background:url(//evil.org)}</style>", "<link rel=stylesheet href=//evil.org>", "<meta http-equiv=refresh content=0;url=//evil.org>", "<base href=//evil.org>",
	"</div></div></div></body></html>", "<div><div><div>", "<table><tr><td>", "<details><summary>x", "</p></p>", "<!-- <script> -->", "<![CDATA[<script>alert(1)</script>]]>", "<?php x ?>",
	"> [!NOTE] <script>alert(1)</script>\n> x", "==<script>alert(1)</script>==", "---\ntitle: <script>alert(1)</script>\n---\n# x", "---\n: [<script>alert(1)</script>\n---\nx",
	"[^1]\n\n[^1]: <script>alert(1)</script>", "[^\"><script>]: x\n\n[^\"><script>]", "- [ ] <script>alert(1)</script>", "| <script> |\n|---|\n| </table></div> |",
	"<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">", "<textarea><script>alert(1)</script>", "<xmp><p title=\"</xmp><svg/onload=alert(1)>\">", "<p title='\"><script>alert(1)</script>'>",
	"<a href=\"#\" style=\"position:fixed;inset:0\">x</a>", "<img src=pic.png alt='\"><script>x'>", "<details open=\"\" ontoggle=alert(1)>x</details>", "<b <script>alert(1)</script>", "a\x00b<scr\x00ipt>",
	"\xff<script>\xfe", "<plaintext>x", "<body onload=alert(1)>", "<html onclick=x>", "<frameset><frame src=x>", "<select><option><img src=x onerror=x></select>",
	"*a <b>x* y</b> <i>", "- <div>\n- </div></div>\n", "> <ul><li>\n\n</ul></blockquote>", "[<a href=x>y</a>](z)", "[[[a]]](b)", "[a [[b]] c](d)", "http://x.org/\"onmouseover=alert(1)",
	"www.x.org/'><script>", "a@b.org\"><script>", "<http://x.org/\"onmouseover=\"alert(1)>", "![\"><script>alert(1)</script>](pic.png)", "![x](pic.png \"\\\" onload=alert(1)\")",
	"<table><tr><td><form></td></tr></table><input type=image src=x>", "<li></ul></div>", "<dl><dd></dl></div>", "<caption></div>", "<a><a></a></div></a>", "<ruby><rt></div>",
}

func TestNoScriptSurvives(t *testing.T) {
	n := wikiOfAttacks()
	for _, a := range attacks {
		for _, src := range []string{a, "text " + a + " text", "> " + a, "- " + a, "<div>\n" + a, "# " + a, "| a |\n|--|\n| " + a + " |", "[x " + a + " y](z)"} {
			out := string(render(t, src, n).HTML)
			if why := unsafe(out); why != "" {
				t.Errorf("%q: %s\n%s", src, why, out)
			}
		}
	}
}

// The oracle of the tests above must know what is bad.
func TestUnsafe(t *testing.T) {
	for _, bad := range []string{"<script>x</script>", "<img src=x onerror=y>", "<a href='javascript:x'>", "<img src='https://x.org/y'>", "</div>", "<div>",
		"<p style='x'>", "<svg></svg>", "<a href='https://x.org'>x</a>", "<p id=Toc>", "<form></form>", "<a name=x>y</a>"} {
		if unsafe(bad) == "" {
			t.Errorf("%q passes for safe", bad)
		}
	}
	if why := unsafe(`<h1 id="a">x</h1><a href="/x">y</a><img src="/z.png">`); why != "" {
		t.Error(why)
	}
}

func FuzzRender(f *testing.F) {
	for _, a := range attacks {
		f.Add(a)
	}
	n := wikiOfAttacks()
	f.Fuzz(func(t *testing.T, src string) {
		r := render(t, src, n)
		if why := unsafe(string(r.HTML)); why != "" {
			t.Errorf("%q: %s\n%s", src, why, r.HTML)
		}
		if !r.Fresh(n) {
			t.Errorf("%q: not fresh at once", src)
		}
		seen := map[string]bool{}
		for _, h := range r.TOC {
			if seen[h.ID] {
				t.Errorf("%q: two headings have the id %q", src, h.ID)
			}
			seen[h.ID] = true
		}
	})
}

// Texts that make a careless parser or matcher take minutes must cost a moment.
func TestBoundedTime(t *testing.T) {
	n := newNames(map[string]string{"A/B.md": strings.Repeat("![[B1]]\n\n", 50), "A/B1.md": strings.Repeat("![[B2]]\n\n", 50),
		"A/B2.md": strings.Repeat("![[B3]]\n\n", 50), "A/B3.md": strings.Repeat("![[B4]]\n\n", 50), "A/B4.md": strings.Repeat("word ", 1000)})
	const k = 100_000
	r := strings.Repeat
	for name, src := range map[string]string{
		"brackets": r("[", k), "images": r("![", k), "wikilinks": r("[[", k), "closing": r("]", k), "nested links": r("[", k/2) + "a" + r("](b)", k/2),
		"nested images": r("![", k/2) + "a" + r("](b)", k/2), "quotes": r(">", k), "quotes over lines": r(r("> ", 200)+"a\n", 500), "stars": r("*", k), "star words": r("*a ", k),
		"stars, then scores": r("*a ", k/2) + r("b_ ", k/2), "alternating": r("*_", k) + "a" + r("_*", k), "a**b": r("a**b", k/2), "lists": r("- ", k), "ordered": r("1. ", k),
		"backticks": ticks(2000), "tags": r("<", k), "open tags": r("<a ", k), "attributes": "<a " + r("x=' ", k), "comments": r("<!--", k), "instructions": r("<?", k), "divs": r("<div>", k), "div lines": r("<div>\n\n", k/2),
		"autolinks": r("<http:", k), "urls": r("http://", k), "mails": r("a@", k), "mail words": r("a_", k) + "@", "dots": r("www.", k), "dollars": r("$a ", k), "marks": r("==a", k), "tildes": r("~a ", k),
		"footnotes": r("[^1]", k/2) + "\n\n[^1]: x", "many footnotes": manyFootnotes(20000), "definitions": r("[a]: b\n", k/4), "table": r("|", k) + "\n" + r("|-", k), "table rows": "|a|\n|-|\n" + r("|", k), "headings": r("# a\n", k/2),
		"same heading": r("# a\n\n# a-1\n\n", k/8), "one line": r("word ", 200_000), "one word": r("a", 1<<20), "entities": r("&amp;", k), "backslashes": r("\\", k), "definitions list": r("a\n: b\n\n", k/8), "tabs": r("\t", k), "spaces": r(" ", k) + "x",
		"embeds": r("![[B]]\n\n", 1000), "alert": r("> [!NOTE]\n> > ", k/16), "yaml": "---\na: &a [" + r("x,", 1000) + "]\n" + r("b: [*a,*a,*a]\n", 100) + "---\n", "deep yaml": "---\na: " + r("[", 50_000) + "\n---\n", "code": "```go\n" + r("func(", 10_000) + "\n```",
		"regexp code": "```perl\n" + r("s/a", 10_000) + "\n```", "math code": "```tex\n" + r("$a", 10_000) + "\n```", "carriage returns": r("a\r", k), "task": r("- [ ] ", k/4), "quoted html": r("> <div>\n", k/8), "emphasis depth": r("*a **b ", k/8) + r("** *", k/8),
	} {
		src := []byte(src)
		for what, f := range map[string]func(){
			"Render": func() { render(t, string(src), n) }, "Links": func() { markdown.Links(src, markdown.TargetFirst) },
			"Title": func() { markdown.Title(src, "A/B") },
		} {
			start := time.Now()
			f()
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("%s of %q took %v", what, name, d)
			} else if d > 500*time.Millisecond {
				t.Logf("%s of %q took %v", what, name, d)
			}
		}
	}
}

func ticks(n int) string {
	var b strings.Builder
	for i := 1; i < n; i++ {
		b.WriteString(strings.Repeat("`", i%500+1) + " ")
	}
	return b.String()
}

func manyFootnotes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("[^" + wiki.PagePath(strings.Repeat("x", i%7)).Name() + string(rune('a'+i%26)) + "] ")
	}
	for i := range n {
		b.WriteString("\n\n[^" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + "]: note")
	}
	return b.String()
}
