package api_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"wikibot/api"
	"wikibot/wiki"
)

// follow opens an event stream over a real connection. The lines arrive one by one;
// the channel closes with the stream.
func (s *site) follow(server *httptest.Server, as, query string, headers ...string) (status int, lines <-chan string, end func()) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/w/notes/api/v1/events"+query, nil)
	must(s.t, err)
	r.Header.Set("Authorization", "Bearer "+as)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	answer, err := http.DefaultClient.Do(r)
	must(s.t, err)
	out := make(chan string, 100)
	go func() {
		defer close(out)
		defer answer.Body.Close()
		for in := bufio.NewScanner(answer.Body); in.Scan(); {
			out <- in.Text()
		}
	}()
	if answer.StatusCode == 200 {
		if got := answer.Header.Get("Content-Type") + answer.Header.Get("X-Accel-Buffering"); got != "text/event-streamno" {
			s.t.Errorf("headers of a stream: %v", answer.Header)
		}
		for l := range out { // the stream has begun
			if strings.HasPrefix(l, "retry: ") {
				break
			}
		}
	}
	return answer.StatusCode, out, cancel
}

// event is the next event of a stream, without comments; empty at its end.
func event(lines <-chan string) string {
	var all []string
	for l := range lines {
		switch {
		case strings.HasPrefix(l, ":"):
		case l != "":
			all = append(all, l)
		case len(all) > 0:
			return plain(strings.Join(all, "\n"))
		}
	}
	return ""
}

func newServer(t *testing.T, s *site) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	return server
}

func TestEvents(t *testing.T) {
	s := newSite(t)
	server := newServer(t, s)
	_, lines, end := s.follow(server, "carol", "")
	defer end()
	first := s.put("Plan", "one\n")
	want := "event: change\nid: REV\n" + `data: {"revision":"REV","author":"bob","actor":"bob","via":"api","date":"TIME","message":"[api] Create: Plan","pages":[{"path":"Plan","kind":"added"}],"files":[]}`
	if got := event(lines); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	s.ask("bob", "POST", "/pages/Plan/rename", `{"new_path":"Other"}`).want(200, "")
	if got := event(lines); !strings.Contains(got, `{"path":"Other","kind":"renamed","from":"Plan"}`) {
		t.Errorf("got %s", got)
	}
	// Another one goes on behind the first commit, and one follows a folder.
	for _, how := range []struct{ query, header string }{{"?after=" + first, "X: y"}, {"", "Last-Event-ID: " + first}, {"?after=4b825dc642cb6eb9a060e54bf8d69288fbee4904", "Last-Event-ID: " + first}} {
		_, again, end := s.follow(server, "carol", how.query, how.header)
		if got := event(again); !strings.Contains(got, "[api] Rename") {
			t.Errorf("%v: got %s", how, got)
		}
		end()
	}
	_, reset, end2 := s.follow(server, "carol", "?after=4b825dc642cb6eb9a060e54bf8d69288fbee4904")
	defer end2()
	if got := event(reset); got != "event: reset\nid: REV\ndata: {\"revision\":\"REV\"}" {
		t.Errorf("got %s", got)
	}
	if status, _, end := s.follow(server, "carol", "?after=HEAD~3"); status != 422 {
		t.Errorf("a revision that is none: %d", status)
		end()
	}
	if status, _, end := s.follow(server, "mallory", ""); status != 404 {
		t.Errorf("mallory follows: %d", status)
		end()
	}
}

func TestEventsEnd(t *testing.T) {
	s := newSite(t, func(c *api.Config) { c.Heartbeat = 20 * time.Millisecond })
	server := newServer(t, s)
	_, carol, end := s.follow(server, "carol", "")
	defer end()
	_, bob, end2 := s.follow(server, "bob", "")
	defer end2()
	_, alice, end3 := s.follow(server, "alice", "")
	defer end3()
	for l := range carol { // a heartbeat
		if strings.HasPrefix(l, ": still") {
			break
		}
	}
	// carol's grant goes, and bob's token: nothing more reaches them, and no event is
	// needed for it.
	must(t, s.store.SetGrant(ctx, wiki.Caller{User: "alice", Via: wiki.ViaAPI}, "notes", "carol", wiki.NoRole))
	if got := event(carol); got != "" {
		t.Errorf("carol still gets %s", got)
	}
	s.mu.Lock()
	s.revoked["bob"] = true
	s.mu.Unlock()
	if got := event(bob); got != "" {
		t.Errorf("bob still gets %s", got)
	}
	s.ask("alice", "PUT", "/pages/Secret", `{"content":"x"}`).want(201, "")
	if got := event(alice); !strings.Contains(got, "Secret") {
		t.Errorf("alice gets %s", got)
	}
	s.Close()
	for i := 0; s.OpenStreams() > 0 && i < 2000; i++ {
		time.Sleep(5 * time.Millisecond)
	}
	if n := s.OpenStreams(); n != 0 {
		t.Errorf("after Close %d streams are open", n)
	}
	if got := event(alice); got != "" {
		t.Errorf("after Close alice gets %s", got)
	}
}

func TestEventsAreBounded(t *testing.T) {
	s := newSite(t, func(c *api.Config) { c.CredentialStreams, c.Streams = 2, 3 })
	server := newServer(t, s)
	for i, want := range []struct {
		as     string
		status int
	}{{"carol", 200}, {"carol", 200}, {"carol", 429}, {"bob", 200}, {"alice", 503}} {
		status, _, end := s.follow(server, want.as, "")
		defer end()
		if status != want.status {
			t.Errorf("stream %d of %s: %d, want %d", i, want.as, status, want.status)
		}
	}
}
