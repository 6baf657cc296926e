package webhooks_test

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
	"wikibot/webhooks"
	"wikibot/wiki"
)

// mallory owns a wiki and wants the server to speak to its own network.
func TestNothingInside(t *testing.T) {
	inside := newReceiver(t)
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
	// Nothing is allowed here; http is, so that only the address is judged.
	p := newPlace(t, func(p *place) { p.client.Allow = nil })
	for _, bad := range []string{inside.URL, "http://[::1]:" + port + "/", "http://0.0.0.0:" + port + "/", "http://127.1:" + port + "/", "http://[::ffff:127.0.0.1]:" + port + "/"} {
		if _, _, err := p.Create(ctx, mallory, "den", webhooks.New{URL: bad}); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
	// By a name, and by a push, which is judged when it is sent.
	h, _, err := p.Create(ctx, mallory, "den", webhooks.New{URL: "http://localhost:" + port + "/"})
	must(t, err)
	must(t, p.store.AddWebhook(ctx, mallory, "den", gitstore.Webhook{ID: "raw", URL: inside.URL, Maker: "mallory", Active: true, Generation: 1}, 10))
	a, err := p.Ping(ctx, mallory, "den", h.ID)
	must(t, err)
	if a.OK() || a.Status != 0 || strings.Contains(a.Error, "127.") {
		t.Errorf("the ping: %+v", a)
	}
	p.write("den", "A", "1")
	for _, id := range []string{h.ID, "raw"} {
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
			got, err := p.Get(ctx, mallory, "den", id)
			if must(t, err); got.Standing == webhooks.Failing {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s is not tried: %+v", id, got)
			}
		}
	}
	inside.quiet("a webhook reached loopback")
}

// A receiver that redirects to where nobody may go is not followed.
func TestNoRedirect(t *testing.T) {
	inside, r := newReceiver(t), newReceiver(t)
	p := newPlace(t, nil)
	h, _ := p.hook(r.URL)
	r.answers(func(w http.ResponseWriter, req *http.Request, _ news) {
		w.Header().Set("Location", inside.URL)
		w.WriteHeader(307)
	})
	p.write("notes", "A", "1")
	h = p.until(h.ID, "failing", func(h webhooks.Hook) bool { return h.Standing == webhooks.Failing })
	if h.Last.Status != 307 || !strings.Contains(h.Last.Error, "redirect") {
		t.Errorf("%+v", h.Last)
	}
	inside.quiet("the redirect was followed")
}

// Receivers that answer nothing take no place from those that work, not in the same
// wiki and not when there are more of them than places.
func TestDeadReceivers(t *testing.T) {
	p := newPlace(t, func(p *place) {
		p.cfg.Parallel, p.cfg.PerWiki, p.cfg.First = 2, 50, time.Hour
		p.client.Timeout, p.client.Answer = time.Hour, time.Hour
	})
	dead, alive := newReceiver(t), newReceiver(t)
	p.hook(alive.URL)
	alive.wants(p.write("notes", "A", "1"))
	dead.status(500)
	var ids []string
	for i := range 6 {
		h, _ := p.hook(dead.URL + fmt.Sprint("/", i))
		ids = append(ids, h.ID)
	}
	alive.wants(p.write("notes", "A", "2"))
	for _, id := range ids {
		h := p.until(id, "failing", func(h webhooks.Hook) bool { return h.Standing == webhooks.Failing })
		if wait := time.Until(h.Next); wait < 40*time.Minute || wait > 80*time.Minute {
			t.Errorf("it is tried again in %s, want an hour, more or less a fifth", wait)
		}
	}
	// They are tried again, and a new one, and hang.
	hang, over := make(chan struct{}, 100), make(chan struct{})
	defer close(over)
	dead.answers(func(_ http.ResponseWriter, req *http.Request, _ news) {
		hang <- struct{}{}
		select {
		case <-over:
		case <-req.Context().Done():
		}
	})
	on := true
	for _, id := range ids {
		_, err := p.Update(ctx, alice, "notes", id, webhooks.Change{Active: &on})
		must(t, err)
	}
	p.hook(dead.URL + "/new")
	<-hang
	var revs []wiki.Revision
	for i := range 20 {
		revs = append(revs, p.write("notes", "B", fmt.Sprint(i)))
	}
	alive.wants(revs...)
	if n := len(hang); n > 0 {
		t.Errorf("%d more that failed have places, want 1 of 2", n)
	}
}

func TestDeletedWiki(t *testing.T) {
	p, r := newPlace(t, nil), newReceiver(t)
	h, secret, err := p.Create(ctx, mallory, "den", webhooks.New{URL: r.URL})
	must(t, err)
	r.wants(p.write("den", "A", "1"))
	_, err = p.store.DeleteWiki(ctx, mallory, "den", "den")
	must(t, err)
	if _, err := p.Get(ctx, mallory, "den", h.ID); err == nil {
		t.Error("the webhooks of a deleted wiki are there")
	}
	p.restart()
	if _, err := p.Secret(ctx, mallory, "den", h.ID); err == nil || secret == "" {
		t.Error("a secret of a deleted wiki is there")
	}
	r.quiet("news of a deleted wiki")
}

// A push may rewrite the history: the receiver is told that, and goes on.
func TestRewritten(t *testing.T) {
	p, r := newPlace(t, nil), newReceiver(t)
	h, _ := p.hook(r.URL)
	r.wants(p.write("notes", "A", "1"))
	p.until(h.ID, "told", func(h webhooks.Hook) bool { return h.Last != nil && h.Last.OK() })
	repo := filepath.Join(p.dir, "wikis", "notes.git")
	gitstoretest.Files(t, repo, "refs/heads/other", map[string]string{"Home.md": "new\n"})
	gitstoretest.Git(t, repo, "update-ref", "refs/heads/main", "refs/heads/other")
	head := strings.TrimSpace(gitstoretest.Git(t, repo, "rev-parse", "main"))
	for { // the server looks at the refs when it is asked
		v, err := p.store.View(ctx, alice, "notes")
		if must(t, err); string(v.Head()) == head {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if n := r.next(); n.Type != webhooks.TypeReset || n.Data.Revision != head || n.Data.Wiki != "notes" {
		t.Errorf("got %s", n.raw)
	}
	r.wants(p.write("notes", "B", "1"))
}

// By git: an owner's push is as good as the form.
func TestByConfiguration(t *testing.T) {
	p, r := newPlace(t, nil), newReceiver(t)
	must(t, p.store.AddWebhook(ctx, alice, "notes", gitstore.Webhook{ID: "mine", URL: r.URL, Maker: "alice", Active: true, Generation: 1}, 10))
	secret, err := p.Secret(ctx, alice, "notes", "mine")
	must(t, err)
	for i := range 100 { // it begins when the engine has seen it
		p.write("notes", "A", fmt.Sprint(i))
		select {
		case n := <-r.got:
			if err := n.signedBy(secret); err != nil {
				t.Error(err)
			}
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatal("nothing comes")
}
