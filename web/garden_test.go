package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"wikibot/wiki"
)

// TestFirstReadingOfLinks: who comes while the links are read for the first time sees
// how far that is, and the page itself once they are.
func TestFirstReadingOfLinks(t *testing.T) {
	seen := map[string]bool{}
	for range 5 { // the reading of a small wiki may be done before anybody looks
		for path, reading := range map[string]string{"wanted": "Reading links", "graph": "Reading links", "graph.json": `"read":`} {
			s := newSite(t)
			s.handler.linksWait = 0
			w := s.get(bob, "/w/notes/-/"+path)
			if strings.Contains(w.Body.String(), reading) {
				seen[path] = true
				if h := w.Header(); h.Get("Refresh")+h.Get("Retry-After") != "2" || h.Get("Etag") != "" || (w.Code == http.StatusOK) != (path != "graph.json") {
					t.Errorf("%s is answered %d with %v", path, w.Code, h)
				}
			}
			s.handler.linksWait = 1 << 40
			if w = s.get(bob, "/w/notes/-/"+path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Nowhere") || w.Header().Get("Refresh") != "" {
				t.Errorf("%s once the links are read: %d %s", path, w.Code, w.Body)
			}
		}
		if len(seen) == 3 {
			return
		}
	}
	t.Errorf("only %v said that the links are being read", seen)
}

// TestLinkPagesTellOnlyReaders: for those who may not read a wiki its links and its
// history are those of a wiki that there is not; nothing on the pages runs.
func TestLinkPagesTellOnlyReaders(t *testing.T) {
	s := newSite(t)
	evil := `x"><script>alert(1)</script>`
	s.post(alice, "/w/notes/-/edit/Evil", url.Values{"content": {"[[" + evil + "]] [x](#" + evil + ") ![y](" + evil + ".png)\n\n# " + evil}, "message": {evil}, "action": {"save"}})
	ask := url.QueryEscape(evil)
	for _, path := range []string{
		"/-/wanted", "/-/wanted?prefix=" + ask, "/-/wanted?show=" + ask, "/-/graph", "/-/graph?around=Evil&depth=3", "/-/graph?prefix=" + ask, "/-/graph.json", "/-/graph.json?around=Nothing",
		"/-/history-search", "/-/history-search?q=alert", "/-/history-search?q=" + ask + "&prefix=" + ask + "&author=" + ask + "&since=" + ask, "/-/history-search?regex=yes&q=" + url.QueryEscape("(<script>alert(1)</script>"),
	} {
		if m := inlineScript.FindString(s.get(alice, "/w/notes"+path).Body.String()); m != "" {
			t.Errorf("%s: %q on the page", path, m)
		}
		for _, who := range []wiki.Caller{nobody, mallory} {
			secret, absent := s.get(who, "/w/notes"+path), s.get(who, "/w/absent"+path)
			if secret.Code != absent.Code || strings.ReplaceAll(secret.Body.String(), "notes", "absent") != absent.Body.String() {
				t.Errorf("%s at %q: %d and %d, or the pages differ", who.Name(), path, secret.Code, absent.Code)
			}
		}
	}
	if s.logged.Len() > 0 {
		t.Errorf("internal errors: %s", s.logged.String())
	}
}
