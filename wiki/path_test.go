package wiki

import (
	"errors"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestPageNames(t *testing.T) {
	for _, test := range []struct{ in, page, file string }{
		{"Home", "Home", "Home.md"},
		{"Design/Auth.md", "Design/Auth", "Design/Auth.md"},
		{"What? 100%", "What? 100%", "What%3F 100%25.md"},
		{`a<b>:"|*\`, `a<b>:"|*\`, `a%3Cb%3E%3A%22%7C%2A%5C.md`},
		{"aux", "aux", "%61ux.md"},
		{"Con.fig", "Con.fig", "%43on.fig.md"},
		{"COM1/x", "COM1/x", "%43OM1/x.md"},
		{"auxiliary", "auxiliary", "auxiliary.md"},
		{"etc.", "etc.", "etc%2E.md"},
		{"space ", "space ", "space%20.md"},
		{"dir./x", "dir./x", "dir%2E/x.md"},
		{"#tag & co", "#tag & co", "#tag & co.md"},
		{"cafe\u0301", "café", "café.md"},
		{"日本語/ページ", "日本語/ページ", "日本語/ページ.md"},
		{"مرحبا", "مرحبا", "مرحبا.md"},
		{"👩‍🚀 crew", "👩‍🚀 crew", "👩‍🚀 crew.md"},
		{"_Sidebar", "_Sidebar", "_Sidebar.md"},
	} {
		p, err := ParsePagePath(test.in)
		if err != nil || string(p) != test.page || p.FileName() != test.file {
			t.Errorf("ParsePagePath(%q) = %q, file %q, %v; want %q, %q", test.in, p, p.FileName(), err, test.page, test.file)
		}
		if back, ok := PageOfFile(test.file); !ok || back != p {
			t.Errorf("PageOfFile(%q) = %q, %v; want %q", test.file, back, ok, p)
		}
		if err := CheckFile(test.file); err != nil {
			t.Errorf("CheckFile(%q): %v", test.file, err)
		}
	}
}

func TestBadNames(t *testing.T) {
	for _, in := range []string{
		"", "/", "/a", "a/", "a//b", ".", "..", "../a", "a/../b", ".git/x", "a/.hidden", "a\x00b", "a\nb", "a\x7fb",
		"a\u202eb", "a\u2066b", "\u200dx", "a\ufeff", "a\u2028b", "x\xff", "a.md.md", "a.MD/b", "git~1/x", "a.md/b",
		strings.Repeat("x", 254), strings.Repeat("%", 90), strings.Repeat("dir/", 300) + "x",
	} {
		if p, err := ParsePagePath(in); err == nil || !errors.Is(err, ErrInvalid) {
			t.Errorf("ParsePagePath(%q) = %q, %v; want ErrInvalid", in, p, err)
		}
	}
	for _, file := range []string{"What?.md", "a%2e.md", "a%zz.md", "%41.md", "cafe\u0301.md", "aux.md", "a .md/x.png", ".wikibot/acl.toml", "x/.gitattributes", "a%2Fb.md"} {
		if err := CheckFile(file); err == nil {
			t.Errorf("CheckFile(%q) accepts it", file)
		}
		if p, ok := PageOfFile(file); ok {
			t.Errorf("PageOfFile(%q) = %q", file, p)
		}
	}
}

func TestFold(t *testing.T) {
	for _, same := range [][2]string{{"Design/My_Page", "design/my page"}, {"STRASSE", "straße"}, {"Éa", "e\u0301A"}, {"ΣΊΣΥΦΟΣ", "σίσυφος"}} {
		if Fold(same[0]) != Fold(same[1]) {
			t.Errorf("Fold(%q) = %q, Fold(%q) = %q; want the same", same[0], Fold(same[0]), same[1], Fold(same[1]))
		}
	}
	if Fold("a-b") == Fold("a b") {
		t.Error("a hyphen folds to a space")
	}
}

// FuzzPageNames: a name that is accepted has one file name, which leads back to
// it, works on every system, and stays inside the tree.
func FuzzPageNames(f *testing.F) {
	for _, s := range []string{"Home", "What? 100%", "aux/con.x", "é", "a. /b .", "👩‍🚀", "%41", "a%2e", "x\u0301", "..", "con.md", "ǅ_ß"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := ParsePagePath(s)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("ParsePagePath(%q): %v", s, err)
			}
			return
		}
		file := p.FileName()
		if back, ok := PageOfFile(file); !ok || back != p {
			t.Fatalf("PageOfFile(%q) = %q, %v; want %q", file, back, ok, p)
		}
		if again, err := ParsePagePath(string(p)); err != nil || again != p {
			t.Fatalf("ParsePagePath(%q) = %q, %v the second time", p, again, err)
		}
		if path.Clean("/"+file) != "/"+file || len(file) > MaxPath || !utf8.ValidString(file) {
			t.Fatalf("%q becomes the file %q", p, file)
		}
		for _, c := range strings.Split(strings.TrimSuffix(file, PageSuffix), "/") {
			if strings.ContainsAny(c, `<>:"|?*\`) || strings.HasSuffix(c, ".") || strings.HasSuffix(c, " ") || c[0] == '.' || len(c) > MaxComponent || deviceName(c) {
				t.Fatalf("%q has the part %q, which some system refuses", file, c)
			}
			if strings.ContainsFunc(c, unicode.IsControl) {
				t.Fatalf("%q has a control character", file)
			}
		}
		if plain(string(p)) && encodePath(string(p)) != slowEncode(string(p)) {
			t.Fatalf("the two ways to encode %q differ", p)
		}
		if Fold(Fold(string(p))) != Fold(string(p)) {
			t.Fatalf("folding %q twice gives something else", p)
		}
	})
}

func slowEncode(p string) string {
	parts := strings.Split(p, "/")
	for i, c := range parts {
		parts[i] = encodeComponent(c)
	}
	return strings.Join(parts, "/")
}

// FuzzFiles: whatever a pushed tree holds, a file is a page under one name or
// none, and CheckFile and PageOfFile agree.
func FuzzFiles(f *testing.F) {
	for _, s := range []string{"Home.md", "a/b.png", "What%3F.md", "aux.md", "%61ux.md", "a%2e.md", ".x", "x..md"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, file string) {
		p, isPage := PageOfFile(file)
		q, isFile := PathOfFile(file)
		if isPage && isFile {
			t.Fatalf("%q is the page %q and the attachment %q", file, p, q)
		}
		if isPage && p.FileName() != file || isFile && q.FileName() != file {
			t.Fatalf("%q does not come back", file)
		}
		if ok := CheckFile(file) == nil; ok != (isPage || isFile) && file != ".redirects.toml" {
			t.Fatalf("CheckFile(%q) says %v; page %v, attachment %v", file, ok, isPage, isFile)
		}
	})
}

func TestAddresses(t *testing.T) {
	byPath, err := ParseAddresses("https://Wiki.example.org", LayoutPath)
	if err != nil {
		t.Fatal(err)
	}
	byHost, err := ParseAddresses("https://example.org:8443", LayoutSubdomain)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ got, want string }{
		{byPath.Page("notes", "Design/What? #1"), "/w/notes/Design/What%3F%20%231"},
		{byPath.Page("notes", "-/x"), "/w/notes/-/page/-/x"},
		{byPath.Page("notes", "API"), "/w/notes/-/page/API"},
		{byPath.View("notes", "history", "A/B"), "/w/notes/-/history/A/B"},
		{byPath.Git("notes"), "https://wiki.example.org/w/notes.git"},
		{byHost.Page("notes", "A"), "/A"},
		{byHost.Git("notes"), "https://notes.example.org:8443/repo.git"},
		{byHost.Elsewhere("notes", "/A?x=1"), "https://notes.example.org:8443/A?x=1"},
		{byPath.Elsewhere("notes", "/repo.git/info/refs"), "https://wiki.example.org/w/notes.git/info/refs"},
	} {
		if test.got != test.want {
			t.Errorf("got %s, want %s", test.got, test.want)
		}
	}
	for _, test := range []struct {
		a         Addresses
		host, url string
		slug      Slug
		rest      string
		elsewhere bool
	}{
		{byPath, "wiki.example.org", "/w/notes/A/B", "notes", "/A/B", false},
		{byPath, "wiki.example.org", "/w/notes.git/info/refs", "notes", "/repo.git/info/refs", false},
		{byPath, "notes.wiki.example.org", "/A", "notes", "/A", true},
		{byHost, "notes.example.org:8443", "/repo.git/info/refs", "notes", "/repo.git/info/refs", false},
		{byHost, "example.org:8443", "/w/notes/A", "notes", "/A", true},
		{byPath, "wiki.example.org", "/w/..%2fadmin/x", "", "/w/..%2fadmin/x", false},
		{byPath, "wiki.example.org", "/w/admin/x", "", "/w/admin/x", false},
		{byPath, "wiki.example.org", "/", "", "/", false},
	} {
		slug, rest, elsewhere := test.a.Locate(test.host, test.url)
		if slug != test.slug || rest != test.rest || elsewhere != test.elsewhere {
			t.Errorf("Locate(%s, %s) = %q, %q, %v; want %q, %q, %v", test.host, test.url, slug, rest, elsewhere, test.slug, test.rest, test.elsewhere)
		}
	}
	for _, bad := range []string{"", "wiki.example.org", "ftp://x", "https://x/path", "https://x?y", "https://u@x"} {
		if _, err := ParseAddresses(bad, LayoutPath); err == nil {
			t.Errorf("ParseAddresses(%q) accepts it", bad)
		}
	}
	if _, err := ParseAddresses("http://127.0.0.1:8080", LayoutSubdomain); err == nil {
		t.Error("sub-domains of an IP address are accepted")
	}
}

func TestSSHAddresses(t *testing.T) {
	for _, test := range []struct{ host, clone, admin, command string }{
		{"", "", "", ""},
		{"wiki.example.org", "ssh://git@wiki.example.org/notes.git", "ssh://git@wiki.example.org/admin.git", "ssh git@wiki.example.org login"},
		{"wiki.example.org:2222", "ssh://git@wiki.example.org:2222/notes.git", "ssh://git@wiki.example.org:2222/admin.git", "ssh -p 2222 git@wiki.example.org login"},
		{"[::1]", "ssh://git@[::1]/notes.git", "ssh://git@[::1]/admin.git", "ssh git@::1 login"},
		{"[::1]:2222", "ssh://git@[::1]:2222/notes.git", "ssh://git@[::1]:2222/admin.git", "ssh -p 2222 git@::1 login"},
	} {
		a := Addresses{SSHHost: test.host}
		got := []string{a.SSH("notes"), a.SSH(""), a.SSHCommand("login")}
		if want := []string{test.clone, test.admin, test.command}; !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", test.host, got, want)
		}
	}
	for host, ok := range map[string]bool{"a": true, "git.example.org": true, "git.example.org:22": true, "[::1]": true, "[::1]:22": true, "127.0.0.1:1": true,
		"": false, "ssh://x": false, "git@x": false, "x/y": false, "x:": false, "x:99999": false, "::1": false, "-oProxyCommand=x": false, "a b": false, "x:22x": false} {
		if _, err := ParseSSHHost(host); (err == nil) != ok {
			t.Errorf("ParseSSHHost(%q): %v", host, err)
		}
	}
}

func TestSmallNames(t *testing.T) {
	for in, ok := range map[string]bool{"notes": true, "a-b": true, "ab": false, "Notes": false, "-ab": false, "admin": false, "a_b": false, strings.Repeat("a", 31): false} {
		if _, err := ParseSlug(in); (err == nil) != ok {
			t.Errorf("ParseSlug(%q): %v", in, err)
		}
	}
	for in, ok := range map[string]bool{"": true, "HEAD": true, "abcdef1": true, "ABCDEF1": true, "abcdef": false, "--output=x": false, "main": false, strings.Repeat("a", 41): false, "abcdef1^": false} {
		if _, err := ParseRevision(in); (err == nil) != ok {
			t.Errorf("ParseRevision(%q): %v", in, err)
		}
	}
	for in, ok := range map[string]bool{"did:plc:ewvi7nxzyoun6zhxrhs64oiz": true, "did:web:example.org": true, "did:plc:short": false, "did:key:z6Mk": false, "did:web:../x": false} {
		if _, err := ParseDID(in); (err == nil) != ok {
			t.Errorf("ParseDID(%q): %v", in, err)
		}
	}
}
