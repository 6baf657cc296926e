package web

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"wikibot/merge"
	"wikibot/wiki"
)

func TestLocal(t *testing.T) {
	for to, want := range map[string]string{
		"/w/notes/Home":                 "/w/notes/Home",
		"/w/notes/A?x=1#y":              "/w/notes/A?x=1#y",
		"//evil.example":                "/",
		"/\\evil.example":               "/",
		"https://evil.example":          "/",
		"javascript:alert(1)":           "/",
		"":                              "/",
		"/a\r\nSet-Cookie: x":           "/",
		"/" + strings.Repeat("a", 3000): "/",
	} {
		if got := local(to, "/"); got != want {
			t.Errorf("local(%.40q): got %.40q, want %.40q", to, got, want)
		}
	}
}

func TestEtagMatches(t *testing.T) {
	for _, test := range []struct {
		header, tag string
		want        bool
	}{
		{`W/"a"`, `W/"a"`, true}, {`"a"`, `W/"a"`, true}, {`"b", W/"a"`, `W/"a"`, true}, {`*`, `W/"a"`, true},
		{``, `W/"a"`, false}, {`"b"`, `W/"a"`, false}, {`a`, `W/"a"`, false},
	} {
		if got := etagMatches(test.header, test.tag); got != test.want {
			t.Errorf("etagMatches(%q, %q): got %v", test.header, test.tag, got)
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	for header, want := range map[string]bool{
		"gzip": true, "br, gzip;q=0.8": true, "*": true, "": false, "br": false, "gzip;q=0": false, "gzip; q=0.0": false, "identity": false,
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Encoding", header)
		if got := acceptsGzip(r); got != want {
			t.Errorf("%q: got %v", header, got)
		}
	}
}

func TestServeAs(t *testing.T) {
	for kind, want := range map[string]string{
		"image/png": "image/png inline", "image/svg+xml": "image/svg+xml inline", "application/pdf": "application/pdf attachment",
		"text/csv; charset=utf-8": "text/plain; charset=utf-8 inline", "text/plain": "text/plain; charset=utf-8 inline", "video/mp4": "video/mp4 inline",
		"text/html; charset=utf-8": "text/html attachment", "application/xhtml+xml": "application/xhtml+xml attachment", "text/javascript": "text/javascript attachment",
		"application/zip": "application/zip attachment", "": "application/octet-stream attachment", "text/xml": "text/xml attachment",
	} {
		gotType, gotDisposition := serveAs(kind)
		if got := gotType + " " + gotDisposition; got != want {
			t.Errorf("%q: got %q, want %q", kind, got, want)
		}
	}
}

func TestTyped(t *testing.T) {
	for in, want := range map[string]string{"a\r\nb": "a\nb\n", "a\rb\n": "a\nb\n", "": "", "a\n\n": "a\n\n", "\n": "\n"} {
		if got := string(typed(in)); got != want {
			t.Errorf("typed(%q): got %q, want %q", in, got, want)
		}
	}
}

func TestPairs(t *testing.T) {
	h := merge.Lines([]byte("a\nb\nc\nd\n"), []byte("a\nB\nC\nX\nd\n"), 3)
	if len(h) != 1 {
		t.Fatalf("%d hunks", len(h))
	}
	var got []string
	for _, p := range pairs(h[0]) {
		text := func(l *merge.Line) string {
			if l == nil {
				return "·"
			}
			return fmt.Sprintf("%c%s", l.Kind, strings.TrimSuffix(l.Text, "\n"))
		}
		got = append(got, text(p.Left)+"|"+text(p.Right))
	}
	if want := " a| a -b|+B -c|+C ·|+X  d| d"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", strings.Join(got, " "), want)
	}
}

// FuzzParsePage: an address that is accepted names a page that leads back to
// it.
func FuzzParsePage(f *testing.F) {
	for _, s := range []string{"Home", "Design/Auth", "What%3F%20100%25", "%F0%9F%A6%A6", "a//b", "..%2F", "%zz", "%ff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parsePage(s)
		if err != nil {
			return
		}
		again, err := parsePage(wiki.EscapePath(string(p)))
		if err != nil || again != p {
			t.Errorf("%q names %q, which comes back as %q, %v", s, p, again, err)
		}
	})
}

func TestNumbered(t *testing.T) {
	f := wiki.FilePath("A/pic.png")
	for n, want := range []wiki.FilePath{2: "A/pic (2).png", 3: "A/pic (3).png", 4: "A/pic (4).png"} {
		if n >= 2 {
			if f = numbered(f, n); f != want {
				t.Errorf("got %q, want %q", f, want)
			}
		}
	}
}

func TestTree(t *testing.T) {
	tr := buildTree([]wiki.Entry{
		{Page: "b", File: "b.md"}, {Page: "A", File: "A.md"}, {Page: "A/x", File: "A/x.md"}, {File: "A/pic.png"}, {Page: "Folder/In/Deep", File: "Folder/In/Deep.md"},
		{Page: "_Sidebar", File: "_Sidebar.md"}, {File: "b/only.pdf"},
	})
	if tr.pages != 4 {
		t.Errorf("%d pages, want 4 without the special one", tr.pages)
	}
	var names []string
	for _, n := range tr.root.Children {
		names = append(names, n.Name)
	}
	if got, want := strings.Join(names, " "), "A Folder b"; got != want {
		t.Errorf("got %q, want folders first: %q", got, want)
	}
	for path, want := range map[string]bool{"A": true, "A/pic.png": true, "Folder/In": true, "Nope": false, "A/Nope": false} {
		if got := tr.find(path) != nil; got != want {
			t.Errorf("find(%q): got %v", path, got)
		}
	}
	if n := tr.find("b"); n.IsFolder() {
		t.Error("a page with attachments alone counts as a folder")
	}
	if n := tr.find("Folder"); n.Below() != 1 || n.Page != "" {
		t.Errorf("Folder has %d pages below", n.Below())
	}
}

func TestTreeWriter(t *testing.T) {
	addresses, err := wiki.ParseAddresses("http://wiki.example", wiki.LayoutPath)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := loadTexts()
	if err != nil {
		t.Fatal(err)
	}
	entries := []wiki.Entry{{Page: `<b>"x"&y`}, {Page: "F/Open/Here"}, {Page: "F/Open"}, {Page: "G/Closed"}}
	for i := range 100 {
		entries = append(entries, wiki.Entry{Page: wiki.PagePath(fmt.Sprintf("G/p%d", i))}, wiki.Entry{Page: wiki.PagePath(fmt.Sprintf("z%d", i))})
	}
	w := treeWriter{links: links{addresses, "notes"}, texts: texts, here: "F/Open/Here"}
	w.list(buildTree(entries).root, "/w/notes/-/index")
	got := w.String()
	for _, want := range []string{
		`<details open data-path="F"><summary><span>F</span></summary>`, `<summary><a href="/w/notes/F/Open">Open</a></summary>`,
		`<a class="leaf" href="/w/notes/F/Open/Here" aria-current="page">Here</a>`, `<a class="closed" href="/w/notes/-/index/G">G</a>`,
		`&lt;b&gt;&#34;x&#34;&amp;y</a>`, `href="/w/notes/%3Cb%3E%22x%22&amp;y"`, `<a class="more" href="/w/notes/-/index">and 43 more</a>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the tree lacks %s", want)
		}
	}
	if strings.Contains(got, "Closed") || strings.Contains(got, "<b>") {
		t.Error("a closed folder of a large wiki is filled, or a name is not escaped")
	}
}
