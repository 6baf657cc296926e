package api_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"wikibot/api"
	"wikibot/wiki"
)

func TestRoutes(t *testing.T) {
	s := newSite(t)
	for _, tt := range []struct{ method, path, want string }{
		{"GET", "/pages", "listPages"}, {"GET", "/pages/", "listPages"},
		{"GET", "/pages/Home", "readPage Home"}, {"HEAD", "/pages/Home", "readPage Home"}, {"GET", "/pages/Home/", "readPage Home"},
		{"GET", "/pages/a/b%20c/d", "readPage a/b c/d"}, {"GET", "/pages/a%2Fb", "readPage a/b"},
		{"GET", "/pages/history", "readPage history"}, {"GET", "/pages/a/history", "pageHistory a"}, {"GET", "/pages/a%2Fhistory", "readPage a/history"},
		{"GET", "/pages/a%2fhistory/history", "pageHistory a/history"}, {"GET", "/pages/history/history", "pageHistory history"},
		{"PUT", "/pages/a/history", " [GET HEAD OPTIONS]"}, {"PUT", "/pages/a%2Fhistory", "writePage a/history"},
		{"GET", "/pages/a/edit", "readPage a/edit"}, {"PUT", "/pages/a/rename", "writePage a/rename"}, {"POST", "/pages/a/rename", "renamePage a"},
		{"POST", "/pages/a/edit", "editPagePost a"}, {"POST", "/pages/a/restore", "restorePage a"}, {"POST", "/pages/a/b/restore", "restorePage a/b"},
		{"GET", "/pages/a/attachments", "listAttachments a"}, {"POST", "/pages/a/attachments", "uploadAttachment a"}, {"GET", "/pages/attachments", "readPage attachments"},
		{"GET", "/pages/a/attachments/f.png", "readAttachment a f.png"}, {"DELETE", "/pages/a/b/attachments/f%2Fg", "deleteAttachment a/b f/g"},
		{"GET", "/pages/a%2Fattachments%2Fb", "readPage a/attachments/b"}, {"GET", "/pages/a/attachments/history", "readAttachment a history"},
		{"GET", "/pages/attachments/b", "readPage attachments/b"},
		{"POST", "/pages/read", "readPages"}, {"GET", "/pages/read", "readPage read"}, {"POST", "/pages/Home", " [DELETE GET HEAD OPTIONS PATCH PUT]"},
		{"GET", "/links", "linkGraph"}, {"GET", "/links/a/history", "pageLinks a/history"},
		{"GET", "/commits/abc", "readCommit  abc"}, {"POST", "/commits/abc/revert", "revertCommit  abc"}, {"GET", "/commits", ""}, {"GET", "/commits/a/b", ""},
		{"GET", "/reindex/status", "reindexStatus"}, {"GET", "", ""}, {"GET", "/", ""}, {"GET", "//", ""}, {"GET", "/pages//", ""}, {"GET", "/pages/%zz", ""}, {"GET", "/PAGES", ""},
		{"GET", "/pages/../me", "readPage ../me"}, // not a page's path, see TestHostilePaths
	} {
		id, page, file, rev, allow := s.OperationOf(tt.method, tt.path)
		got := strings.TrimRight(fmt.Sprint(id, " ", page, " ", file+rev), " ")
		if id == "" && allow != nil {
			got = fmt.Sprint(" ", allow)
		}
		if got != tt.want {
			t.Errorf("%s %s: got %q, want %q", tt.method, tt.path, got, tt.want)
		}
	}
}

// FuzzRoutes: whatever the path, the router answers, and the path of a page that
// PagePath has made leads to that page with every word behind it.
func FuzzRoutes(f *testing.F) {
	for _, s := range []string{"Home", "a/history", "a/attachments/b", "%2F", "..", "a//b", "read", "attachments", "a/%00", "É/edit"} {
		f.Add("GET", s)
	}
	s := newSite(f)
	f.Fuzz(func(t *testing.T, method, path string) {
		s.OperationOf(method, path)
		p, err := wiki.ParsePagePath(path)
		if err != nil {
			return
		}
		escaped := "/pages/" + api.PagePath(p)
		if u, err := url.Parse(escaped); err != nil || u.EscapedPath() != escaped {
			t.Fatalf("%q: %q is no path: %v", p, escaped, err)
		}
		for _, tt := range []struct{ method, behind, id string }{
			{"GET", "", "readPage"}, {"PUT", "", "writePage"}, {"DELETE", "", "deletePage"}, {"GET", "/history", "pageHistory"}, {"POST", "/rename", "renamePage"},
			{"GET", "/attachments", "listAttachments"}, {"GET", "/attachments/f", "readAttachment"},
		} {
			if id, page, _, _, _ := s.OperationOf(tt.method, escaped+tt.behind); id != tt.id || page != string(p) {
				t.Errorf("%s %s%s: %s of %q, want %s of %q", tt.method, escaped, tt.behind, id, page, tt.id, p)
			}
		}
	})
}
