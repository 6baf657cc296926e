package web

import (
	"context"
	"strings"
	"testing"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// claude is alice's agent over MCP, robot her program over REST.
var (
	claude = wiki.Caller{User: "alice", Via: wiki.ViaMCP, Agent: "Claude Code 2.1"}
	robot  = wiki.Caller{User: "alice", Via: wiki.ViaAPI}
)

// write puts a page as somebody, with a message.
func (s *site) write(c wiki.Caller, p wiki.PagePath, text, message string) wiki.Revision {
	s.t.Helper()
	res, err := s.store.Update(context.Background(), c, "notes", gitstore.Meta{Message: message}, func(tx *gitstore.Tx) error {
		return tx.Put(p, []byte(text), gitstore.PutOptions{Overwrite: true})
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return res.Revision
}

func withoutBody(t *testing.T, body string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(body, p) {
			t.Errorf("the page has %q\n%.1500s", p, mainOf(body))
		}
	}
}

func TestAttribution(t *testing.T) {
	s := newSite(t)
	s.write(alice, "Plan", "one\ntwo\nthree\n", "by hand")
	rev := s.write(claude, "Plan", "one\nTWO\nthree\nfour\n", "by <agent>")
	s.write(robot, "Log", "x\n", "by program")
	const via = `<span class="via">via <a href="/w/notes/-/changelog?via=mcp" title="How the change came in">mcp</a> (<a href="/w/notes/-/changelog?agent=Claude%20Code" title="The program that wrote on this person&#39;s behalf"><bdi>Claude Code 2.1</bdi></a>)</span>`
	for _, path := range []string{"/w/notes/Plan", "/w/notes/-/changelog", "/w/notes/-/history/Plan", "/w/notes/-/commit/" + string(rev)} {
		wantBody(t, s.get(bob, path), via)
	}
	wantBody(t, s.get(bob, "/w/notes/-/changelog.atom"), "<name>alice via mcp (Claude Code 2.1)</name>", "<name>alice via api</name>", "<name>alice</name>")
	wantBody(t, s.get(bob, "/w/notes/-/changelog"), `href="/w/notes/-/changelog?agent=Claude&#43;Code"><bdi>Claude Code</bdi> <span class="count">1</span>`)

	for query, want := range map[string]string{
		"agent=claude+code": "agent", "agent=*": "agent", "via=mcp": "agent", "via=api": "program", "via=api&agent=*": "", "author=alice&via=web": "hand", "agent=Nobody": "",
	} {
		for _, view := range []string{"changelog", "changelog.atom", "history/Plan"} {
			w := s.get(bob, "/w/notes/-/"+view+"?"+query)
			wantStatus(t, w, 200)
			for message, kind := range map[string]string{"by hand": "hand", "by &lt;agent&gt;": "agent", "by program": "program"} {
				wanted := kind == want && !(view == "history/Plan" && kind == "program")
				if got := strings.Contains(w.Body.String(), message); got != wanted {
					t.Errorf("%s?%s: %q is there: %v, want %v", view, query, message, got, wanted)
				}
			}
		}
	}
	wantBody(t, s.get(bob, "/w/notes/-/changelog?agent=%3Cscript%3E"), "Only changes that &lt;script&gt; wrote for somebody.")
	wantBody(t, s.get(bob, "/w/notes/-/history/Plan?agent=Nobody"), "No changes.")
	wantStatus(t, s.get(bob, "/w/notes/-/history/Nothing?agent=*"), 404)
	wantStatus(t, s.get(bob, "/w/notes/-/changelog?agent="+strings.Repeat("x", maxFilter+1)), 422)
	wantStatus(t, s.get(mallory, "/w/notes/-/changelog?agent=*"), 404)
}

func TestFilterGoesOn(t *testing.T) {
	s := newSite(t)
	for i := range changesPage + 1 {
		s.write(claude, "Log", strings.Repeat("x\n", i+1), "entry")
		s.write(alice, "Log", strings.Repeat("x\n", i+1)+"y\n", "between")
	}
	for _, view := range []string{"changelog", "history/Log"} {
		first := s.get(bob, "/w/notes/-/"+view+"?agent=Claude+Code&via=mcp").Body.String()
		_, rest, ok := strings.Cut(first, `rel="next" href="`)
		if !ok {
			t.Fatalf("%s: there is no second page", view)
		}
		next, _, _ := strings.Cut(rest, `"`)
		second := s.get(bob, strings.NewReplacer("&amp;", "&", "&#43;", "+").Replace(next)).Body.String()
		if got := strings.Count(mainOf(second), ">entry<"); got != 1 {
			t.Errorf("%s: the second page has %d entries of the agent, want 1", view, got)
		}
		withoutBody(t, first, ">between<")
		withoutBody(t, second, ">between<")
	}
}

func TestBlameByAgent(t *testing.T) {
	s := newSite(t)
	s.write(alice, "Plan", "one\ntwo\nthree\n", "by hand")
	rev := s.write(claude, "Plan", "one\nTWO\nthree\nfour\n", "by agent")
	s.write(alice, "Plan", "one\nTWO\nthree\nfour\nfive\n", "by hand again")

	plain := s.get(bob, "/w/notes/-/blame/Plan")
	wantBody(t, plain, "alice via mcp (Claude Code 2.1)", "3 of 5 lines were written by people", `<bdi>Claude Code</bdi> <span class="count">2</span>`)
	withoutBody(t, mainOf(plain.Body.String()), " marked")
	for query, want := range map[string]int{"agent=claude+code": 2, "agent=*": 2, "agent=Claude+Code+2.1": 2, "agent=Cursor": 0} {
		w := s.get(bob, "/w/notes/-/blame/Plan?"+query)
		if got := strings.Count(w.Body.String(), ` marked agent">`); got != want {
			t.Errorf("%s: %d parts are marked, want %d", query, got, want)
		}
		wantBody(t, w, itoa(want)+" of 5 lines")
	}
	only := s.get(bob, "/w/notes/-/blame/Plan?agent=Claude+Code&only=yes")
	wantBody(t, only, `id="L2"`, `id="L4"`)
	withoutBody(t, only.Body.String(), `id="L1"`, `id="L3"`, `id="L5"`)
	wantBody(t, s.get(bob, "/w/notes/-/blame/Plan?agent=*&revision="+string(rev)), "2 of 4 lines")
	withoutBody(t, s.get(bob, "/w/notes/-/blame/Home").Body.String(), "chips agents")
}
