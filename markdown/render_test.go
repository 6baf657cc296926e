package markdown_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"wikibot/markdown"
)

func TestRender(t *testing.T) {
	n := newNames(map[string]string{"A/B.md": "", "A/C.md": "", "X/D.md": "", "A/pic.png": "", "A/doc.pdf": ""})
	const ext = ` rel="nofollow noopener noreferrer"`
	const miss = ` rel="nofollow" title="This page does not exist yet"`
	for _, c := range []struct{ src, want string }{
		{"[[C]]", `<p><a class="internal" href="/w/x/A/C">C</a></p>`},
		{"[[C|the *text*]]", `<p><a class="internal" href="/w/x/A/C">the *text*</a></p>`},
		{"[[D#Some Section]]", `<p><a class="internal" href="/w/x/X/D#some-section">D &gt; Some Section</a></p>`},
		{"[[#Here]]", `<p><a class="internal" href="#here">Here</a></p>`},
		{"[[Nope]]", `<p><a class="missing" href="/w/x/-/edit/A/Nope"` + miss + `>Nope</a></p>`},
		{"[[a//b]]", `<p><span class="invalid">a//b</span></p>`},
		{"![[pic.png|300x20]]", `<p><img src="/w/x/A/pic.png" alt="pic.png" width="300" height="20" loading="lazy"></p>`},
		{"![[pic.png|what]]", `<p><img src="/w/x/A/pic.png" alt="what" loading="lazy"></p>`},
		{"![[doc.pdf]]", `<p><a class="attachment" href="/w/x/A/doc.pdf">doc.pdf</a></p>`},
		{"![[no.png]]", `<p><span class="missing file">no.png</span></p>`},
		{"![alt *x*](pic.png)", `<p><img src="/w/x/A/pic.png" alt="alt x" loading="lazy"></p>`},
		{"![alt](https://x.org/y.png)", `<p><a class="external" href="https://x.org/y.png"` + ext + `>alt</a></p>`},
		{"[![alt](https://x.org/y.png)](C.md)", `<p><a class="internal" href="/w/x/A/C"><span class="external">alt</span></a></p>`},
		{"[x](https://x.org/a?b=c#d)", `<p><a class="external" href="https://x.org/a?b=c#d"` + ext + `>x</a></p>`},
		{"see https://x.org/a_b_c. (www.x.org) me@x.org", `<p>see <a class="external" href="https://x.org/a_b_c"` + ext + `>https://x.org/a_b_c</a>. (<a class="external" href="http://www.x.org"` + ext + `>www.x.org</a>) <a class="external" href="mailto:me@x.org"` + ext + `>me@x.org</a></p>`},
		{"[x](javascript:alert(1))", `<p><span class="invalid">x</span></p>`},
		{"[a [[C]] b](D)", `<p><a class="missing" href="/w/x/-/edit/A/D"` + miss + `>a C b</a></p>`},
		{"==m== a==b ~~s~~", `<p><mark>m</mark> a==b <del>s</del></p>`},
		{"$a<b$ $5 and $6 $`x$y`$ $$z$$", `<p><span class="math inline">a&lt;b</span> $5 and $6 <span class="math inline">x$y</span> <span class="math display">z</span></p>`},
		{"$$\na\n\nb\n$$", "<div class=\"math display\">a\n\nb</div>"},
		{"$$ a $$", `<div class="math display">a</div>`},
		{"```math\na\n```", `<div class="math display">a</div>`},
		{"```mermaid\na --> b\n```", "<pre class=\"mermaid\">a --&gt; b\n</pre>"},
		{"```\na <b>\n```", "<pre class=\"chroma\"><code>a &lt;b&gt;\n</code></pre>"},
		{"```Go\nreturn 1\n```", "<pre class=\"chroma\"><code class=\"language-go\"><span class=\"k\">return</span> <span class=\"mi\">1</span>\n</code></pre>"},
		{"```no such\nx\n```", "<pre class=\"chroma\"><code class=\"language-no\">x\n</code></pre>"},
		{"# A b\n# A b\n# A b-1\n# Ünï ☃ c_d", `<h1 id="a-b">A b <a class="anchor" href="#a-b" aria-label="Link to this section"></a></h1>
<h1 id="a-b-1">A b <a class="anchor" href="#a-b-1" aria-label="Link to this section"></a></h1>
<h1 id="a-b-1-1">A b-1 <a class="anchor" href="#a-b-1-1" aria-label="Link to this section"></a></h1>
<h1 id="ünï--c_d">Ünï ☃ c_d <a class="anchor" href="#%C3%BCn%C3%AF--c_d" aria-label="Link to this section"></a></h1>`},
		{"> [!Warning]\n> x", "<div class=\"alert alert-warning\">\n<p class=\"alert-title\">Warning</p>\n<p>x</p>\n</div>"},
		{"> [!tip]- Own *title*\n> x\n> y", "<div class=\"alert alert-tip\">\n<p class=\"alert-title\">Own <em>title</em></p>\n<p>x\ny</p>\n</div>"},
		{"> [!NOTE]\n>\n> x", "<div class=\"alert alert-note\">\n<p class=\"alert-title\">Note</p>\n<p>x</p>\n</div>"},
		{"> [!other]\n> x", "<blockquote>\n<p>[!other]\nx</p>\n</blockquote>"},
		{"> [!NOTE]x", "<blockquote>\n<p>[!NOTE]x</p>\n</blockquote>"},
		{"- [ ] a\n- [x] b", "<ul>\n<li class=\"task\"><input disabled=\"\" type=\"checkbox\"> a</li>\n<li class=\"task\"><input checked=\"\" disabled=\"\" type=\"checkbox\"> b</li>\n</ul>"},
		{"T\n: D", "<dl>\n<dt>T</dt>\n<dd>D</dd>\n</dl>"},
		{"a[^x]\n\n[^x]: n", "<p>a<sup class=\"footnote-ref\" id=\"fnref:1\"><a href=\"#fn:1\">1</a></sup></p>\n<section class=\"footnotes\" aria-label=\"Footnotes\">\n<ol>\n<li id=\"fn:1\">\n<p>n <a class=\"footnote-back\" href=\"#fnref:1\" aria-label=\"Back to the text\">↩︎</a></p>\n</li>\n</ol>\n</section>"},
		{"<kbd class=x onclick=y>K</kbd> <b>b", "<p><kbd>K</kbd> <b>b</b></p>"},
		{"<details open>\n<summary>S</summary>\n\n*x*\n\n</details>\n\ny", "<details open=\"\">\n<summary>S</summary>\n<p><em>x</em></p>\n</details>\n<p>y</p>"},
		{"<div>\n\nx\n\n</div></div>\n\ny", "<div>\n<p>x</p>\n</div>\n<p>y</p>"},
		{"<a id=\"Top\">x</a> [y](#Top)", `<p><a id="user:Top">x</a> <a class="internal" href="#user:Top">y</a></p>`},
		{"<img src=\"pic.png\" width=\"40\" alt=\"a\">", `<img src="/w/x/A/pic.png" width="40" alt="a">`},
		{"<p align=\"center\"><a href=\"C.md\">x</a></p>", `<p align="center"><a href="/w/x/A/C" class="internal">x</a></p>`},
		{"|a|b|\n|:-|-:|\n|[[C\\|x]]|y|", "<table>\n<thead>\n<tr>\n<th align=\"left\">a</th>\n<th align=\"right\">b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td align=\"left\"><a class=\"internal\" href=\"/w/x/A/C\">x</a></td>\n<td align=\"right\">y</td>\n</tr>\n</tbody>\n</table>"},
	} {
		if got := strings.TrimSpace(string(render(t, c.src, n).HTML)); got != c.want {
			t.Errorf("%q\n got %s\nwant %s", c.src, got, c.want)
		}
	}
}

func TestTextFirst(t *testing.T) {
	r, _ := markdown.Render([]byte("[[text|C]] [[C]] ![[300|p.png]] ![[p.png|300]]"), markdown.Options{Path: "A/B", Style: markdown.TextFirst, Names: pagesOf("A/C.md", "p.png")})
	want := `<p><a class="internal" href="/A/C">text</a> <a class="internal" href="/A/C">C</a> <img src="/p.png" alt="p.png" width="300" loading="lazy"> <img src="/p.png" alt="p.png" width="300" loading="lazy"></p>`
	if got := strings.TrimSpace(string(r.HTML)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// Text nested deeper than a browser goes stays readable.
func TestDeepText(t *testing.T) {
	src := strings.Repeat("*a **b ", 150) + "core" + strings.Repeat("** *", 150)
	if out := string(render(t, src, nil).HTML); !strings.Contains(out, "core") || strings.Count(out, "<strong>") > 150 {
		t.Errorf("%.2000s", out)
	}
	links := markdown.Links([]byte(strings.Repeat("> ", 500)+"[[x]]"), markdown.TargetFirst)
	if len(links) != 1 {
		t.Errorf("%d links", len(links))
	}
}

func TestRemoteImages(t *testing.T) {
	r, _ := markdown.Render([]byte("![a](https://x.org/y.png) <img src=\"https://x.org/z.png\"> ![b](data:image/png;base64,x)"), markdown.Options{AllowRemoteImages: true})
	want := `<p><img src="https://x.org/y.png" alt="a" loading="lazy" referrerpolicy="no-referrer"> <img src="https://x.org/z.png"> <span class="invalid">b</span></p>`
	if got := strings.TrimSpace(string(r.HTML)); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

func TestRendered(t *testing.T) {
	r := render(t, "---\ntags: [a, b]\n---\n# One `x`\n## Two\n$y$\n```mermaid\nz\n```\n> ## Three", nil)
	want := []markdown.Heading{{Level: 1, ID: "one-x", Text: "One x"}, {Level: 2, ID: "two", Text: "Two"}, {Level: 2, ID: "three", Text: "Three"}}
	if !reflect.DeepEqual(r.TOC, want) || r.Title != "One x" || !r.Math || !r.Mermaid || !reflect.DeepEqual(r.Properties, []markdown.Property{{Key: "tags", Values: []string{"a", "b"}}}) {
		t.Errorf("%+v", r)
	}
	if r = render(t, "x", nil); r.Math || r.Mermaid || r.TOC != nil || r.Properties != nil {
		t.Errorf("%+v", r)
	}
}

func TestEmbed(t *testing.T) {
	n := newNames(map[string]string{
		"A/B.md": "", "A/C.md": "---\ntitle: The C\n---\n# Top\nlead [[D]] [r]\n## Sec\nsec[^1] [[D]]\n### Deeper\nd\n## Next\nno\n\n[r]: D.md\n[^1]: foot", "A/D.md": "d",
		"Loop.md": "a\n\n![[Loop2]]", "Loop2.md": "b\n\n![[Loop]]", "A/B/Own.md": "![x](x.png)", "A/B/Own/x.png": "",
	})
	for _, c := range []struct {
		src       string
		has, lack []string
	}{
		{"![[C]]", []string{`<div class="embed"><p class="embed-title"><a class="internal" href="/w/x/A/C">The C</a></p>`, "<h1>Top</h1>", `href="/w/x/A/D">D</a>`, `id="e1:fn:1"`}, []string{"<p><div", "<h1 id"}},
		{"![[C#Sec]]", []string{"<h2>Sec</h2>", "<h3>Deeper</h3>", `href="/w/x/A/C#sec">The C &gt; Sec`, "foot"}, []string{"Top", "lead", "Next", ">no"}},
		{"![[C#Nope]]", []string{`class="message embed-error">The page has no such section: Nope`}, []string{"Top"}},
		{"x ![[C]]", []string{`<p>x <a class="internal" href="/w/x/A/C">C</a></p>`}, []string{"Top"}},
		{"- ![[D]]\n- y", []string{`<li><div class="embed">`}, nil},
		{"![[Nope]]", []string{`class="missing"`}, nil},
		{"![[Loop]]", []string{"<p>a</p>", "<p>b</p>", "This page would contain itself here: Loop<"}, nil},
		{"![[B]]", []string{"This page would contain itself here: A/B<"}, nil},
		{"![[Own]]", []string{`src="/w/x/A/B/Own/x.png"`}, nil},
	} {
		r := render(t, c.src, n)
		for _, want := range c.has {
			if !strings.Contains(string(r.HTML), want) {
				t.Errorf("%q lacks %q:\n%s", c.src, want, r.HTML)
			}
		}
		for _, bad := range c.lack {
			if strings.Contains(string(r.HTML), bad) {
				t.Errorf("%q has %q:\n%s", c.src, bad, r.HTML)
			}
		}
		if len(r.TOC) != 0 {
			t.Errorf("%q: headings of an embed in the contents: %v", c.src, r.TOC)
		}
	}
	plain, _ := markdown.Render([]byte("# x\n![[C]]"), markdown.Options{Path: "A/B", Names: n, Plain: true})
	if s := string(plain.HTML); strings.Contains(s, "embed") || strings.Contains(s, "anchor") {
		t.Error(s)
	}
}

// Embeds that multiply end early: 4^n pages would be shown otherwise.
func TestEmbedBounds(t *testing.T) {
	texts := map[string]string{}
	for i := range 10 {
		texts[fmt.Sprintf("P%d.md", i)] = strings.Repeat(fmt.Sprintf("![[P%d]]\n\n", i+1), 4) + strings.Repeat("x", 1000)
	}
	r := render(t, "![[P0]]", newNames(texts))
	if s := string(r.HTML); len(s) > 1<<20 || !strings.Contains(s, "too many pages within pages") {
		t.Errorf("%d bytes", len(s))
	}
}

func TestFresh(t *testing.T) {
	base := map[string]string{"A/B.md": "", "A/C.md": "embedded [[Deep]]", "Home.md": "", "A/pic.png": ""}
	r := render(t, "[[C]] [[Nope]] [h](../Home.md) ![p](pic.png) [x](https://x.org) [[#y]]\n\n![[C]]", newNames(base))
	with := func(file, text string) *names {
		m := map[string]string{file: text}
		for k, v := range base {
			if _, ok := m[k]; !ok {
				m[k] = v
			}
		}
		return newNames(m)
	}
	without := func(file string) *names {
		m := map[string]string{}
		for k, v := range base {
			if k != file {
				m[k] = v
			}
		}
		return newNames(m)
	}
	for what, n := range map[string]*names{"same": newNames(base), "another page": with("Z.md", ""), "another file": with("z.png", ""), "text of a linked page": with("Home.md", "new")} {
		if !r.Fresh(n) {
			t.Errorf("%s: stale", what)
		}
	}
	for what, n := range map[string]*names{"red link turned blue": with("A/Nope.md", ""), "page nearer": with("A/B/C.md", ""), "link of the embed": with("Q/Deep.md", ""), "text of the embed": with("A/C.md", "new"),
		"page gone": without("Home.md"), "embed gone": without("A/C.md"), "image gone": without("A/pic.png"), "image nearer": with("A/B/pic.png", "")} {
		fresh := r.Fresh(n)
		if what == "page nearer" { // beside comes before below: nothing changes
			fresh = !fresh
		}
		if fresh {
			t.Errorf("%s: fresh", what)
		}
	}
}

func TestDetectStyle(t *testing.T) {
	detect := func(texts ...string) markdown.Style {
		return markdown.DetectStyle(func(yield func(string, []byte) bool) {
			for _, s := range texts {
				if !yield("P", []byte(s)) {
					return
				}
			}
		}, func(t string) bool { return t == "Page" || t == "Other" })
	}
	for _, c := range []struct {
		src  string
		want markdown.Style
	}{
		{"[[Page|text]] [[Other#x|text]]", markdown.TargetFirst},
		{"[[text|Page]] [[text|Other#x]] [[Page|x]]", markdown.TextFirst},
		{"[[Page]] [[x|y]] `[[text|Page]]` ![[Page|300]]", markdown.TargetFirst},
		{"", markdown.TargetFirst},
	} {
		if got := detect(c.src, ""); got != c.want {
			t.Errorf("%q: %s", c.src, got)
		}
	}
}

func TestPlainText(t *testing.T) {
	src := "---\na: b\n---\n# T *x*\n\nA [[P|link]], [other](x) and `code`\nnext &amp; $x$.\n\n- one\n- two\n\n| a | b |\n|---|---|\n| c | d |\n\n```go\nf()\n```\n<div>raw</div>\n\n> quote\n\n[r]: x\n"
	want := "T x\nA link, other and code next & x.\none\ntwo\na b\nc d\nf()\nquote"
	if got := markdown.PlainText([]byte(src)); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestSlug(t *testing.T) {
	for in, want := range map[string]string{"Hello, World!": "hello-world", " A  B ": "a--b", "Über 漢字": "über-漢字", "a_b-c.d": "a_b-cd", "emoji 🎉 x": "emoji--x", "1.2 Three": "12-three"} {
		if got := markdown.Slug(in); got != want {
			t.Errorf("Slug(%q) = %q, want %q", in, got, want)
		}
		if s := markdown.Slug(in); markdown.Slug(s) != s {
			t.Errorf("Slug(Slug(%q)) differs", in)
		}
	}
}

func TestTooLarge(t *testing.T) {
	r := render(t, strings.Repeat("<b> ", 1<<20), nil)
	if !strings.Contains(string(r.HTML[:200]), "too-large") || strings.Contains(string(r.HTML), "<b>") || r.Title != "B" {
		t.Errorf("%.300s", r.HTML)
	}
}

// Parser, writer, policy and lexers are shared by all requests.
func TestConcurrent(t *testing.T) {
	src, n := benchPage()
	want := string(render(t, src, n).HTML)
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			for range 5 {
				if got := string(render(t, src, n).HTML); got != want {
					t.Error("differs")
				}
				render(t, "<b>x</b> ```js\nf()\n```", n)
				markdown.Links([]byte(src), markdown.TextFirst)
			}
		})
	}
}
