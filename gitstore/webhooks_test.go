package gitstore_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
	"wikibot/wiki"
)

func TestWebhooks(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	a := gitstore.Webhook{ID: "a", URL: "https://a.example/", Name: "A", Maker: "alice", Active: true, Generation: 1}
	b := gitstore.Webhook{ID: "b-2", URL: "http://b.example:8080/x?y", Prefix: "Docs/", Maker: "alice", Generation: 3}
	must(t, s.AddWebhook(ctx, alice, "notes", a, 2))
	must(t, s.AddWebhook(ctx, alice, "notes", b, 2))
	got, err := s.Webhooks(ctx, alice, "notes")
	must(t, err)
	if len(got) != 2 || got[0] != a || got[1] != b {
		t.Errorf("got %+v", got)
	}
	c := a
	c.ID = "c"
	for _, test := range []struct {
		name string
		err  error
		want error
	}{
		{"one too many", s.AddWebhook(ctx, alice, "notes", c, 2), wiki.ErrForbidden},
		{"an id that is taken", s.AddWebhook(ctx, alice, "notes", a, 9), wiki.ErrExists},
		{"a bad address", s.SetWebhook(ctx, alice, "notes", "a", func(w *gitstore.Webhook) error { w.URL = "https://u@x.example/"; return nil }), wiki.ErrInvalid},
		{"nobody's", s.SetWebhook(ctx, alice, "notes", "a", func(w *gitstore.Webhook) error { w.Maker = "zoe"; return nil }), wiki.ErrInvalid},
		{"one that is not there", s.SetWebhook(ctx, alice, "notes", "x", func(*gitstore.Webhook) error { return nil }), wiki.ErrNotFound},
		{"removing one that is not there", s.RemoveWebhook(ctx, alice, "notes", "x"), wiki.ErrNotFound},
		{"an editor adds", s.AddWebhook(ctx, bob, "notes", c, 9), wiki.ErrForbidden},
		{"an editor removes", s.RemoveWebhook(ctx, bob, "notes", "a"), wiki.ErrForbidden},
		{"a stranger", s.RemoveWebhook(ctx, mallory, "notes", "a"), wiki.ErrNotFound},
	} {
		if !errors.Is(test.err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, test.err, test.want)
		}
	}
	for _, who := range []wiki.Caller{bob, mallory, {}} {
		if list, err := s.Webhooks(ctx, who, "notes"); err == nil {
			t.Errorf("%s sees %v", who.Name(), list)
		}
	}
	repo := filepath.Join(dir, "wikis", "notes.git")
	must(t, s.SetWebhook(ctx, alice, "notes", "b-2", func(w *gitstore.Webhook) error { w.Active, w.ID = true, "other"; return nil }))
	must(t, s.RemoveWebhook(ctx, alice, "notes", "a"))
	want := "schema = 1\n\n[webhooks.b-2]\nurl = \"http://b.example:8080/x?y\"\nprefix = \"Docs/\"\nmaker = \"alice\"\nactive = true\ngeneration = 3"
	if got := strings.TrimSpace(gitstoretest.Git(t, repo, "show", "refs/wikibot/config:.wikibot/webhooks.toml")); got != want {
		t.Errorf("the file is\n%s\nwant\n%s", got, want)
	}
	if log := gitstoretest.Git(t, repo, "log", "--format=%s", "refs/wikibot/audit"); strings.Count(log, "config refs/wikibot/config by alice") < 4 {
		t.Errorf("the audit has\n%s", log)
	}
}

// TestWebhooksByGit: what owners write into the configuration is judged as a whole.
func TestWebhooksByGit(t *testing.T) {
	s, dir := site(t)
	repo := filepath.Join(dir, "wikis", "notes.git")
	try := func(text string) error { // as a push is judged, seen by the owner
		t.Helper()
		before := view(t, s, alice).Key()
		gitstoretest.Files(t, repo, "refs/wikibot/config", map[string]string{".wikibot/webhooks.toml": text})
		for view(t, s, alice).Key() == before {
			time.Sleep(time.Millisecond)
		}
		return view(t, s, alice).Faulty()
	}
	must(t, try("schema = 1\n# mine\n[webhooks.x] # here\nurl = 'https://x.example/' # there\nmaker = 'alice'\n"))
	list, err := s.Webhooks(context.Background(), alice, "notes")
	must(t, err)
	if want := (gitstore.Webhook{ID: "x", URL: "https://x.example/", Maker: "alice", Active: true, Generation: 1}); len(list) != 1 || list[0] != want {
		t.Errorf("got %+v", list)
	}
	must(t, s.SetWebhook(context.Background(), alice, "notes", "x", func(w *gitstore.Webhook) error { w.Generation++; return nil }))
	want := "schema = 1\n# mine\n[webhooks.x] # here\nurl = 'https://x.example/' # there\nmaker = 'alice'\ngeneration = 2"
	if got := strings.TrimSpace(gitstoretest.Git(t, repo, "show", "refs/wikibot/config:.wikibot/webhooks.toml")); got != want {
		t.Errorf("edited it is\n%s", got)
	}
	for text, want := range map[string]string{
		"":                           "webhooks.toml:1: schema = 0 is missing",
		"schema = 1\n[webhook.x]\n":  "webhooks.toml:2:2: unknown key webhook at the top",
		"schema = 1\n[webhooks.X]\n": "webhooks.toml:2:11: \"X\" is no id",
		"schema = 1\n[webhooks.x]\nurl = 'https://10.0.0.1./'\nmaker = 'alice'\n":                                   "webhooks.toml:3:7: url: the host is no name",
		"schema = 1\n[webhooks.x]\nurl = 'https://x.example/'\nmaker = 'zoe'\n":                                     "webhooks.toml:4:9: maker: there is no user \"zoe\"",
		"schema = 1\n[webhooks.x]\nurl = 'https://x.example/'\n":                                                    "maker is missing",
		"schema = 1\n[webhooks.x]\nurl = 'https://x.example/'\nmaker = 'alice'\nactive = 1\n":                       "webhooks.toml:5:10: ",
		"schema = 1\n[webhooks.x]\nurl = 'https://x.example/'\nmaker = 'alice'\nsecret = 'a'\n":                     "webhooks.toml:5:1: unknown key secret in [webhooks.x]",
		"schema = 1\n[webhooks.x]\nurl = 'https://x.example/'\nmaker = 'alice'\nname = \"a\\nb\"\ngeneration = 0\n": "webhooks.toml:5:8: name must be one line of at most 100 bytes\n.wikibot/webhooks.toml:6:14: generation = 0",
	} {
		if err := try(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	if list, err = s.Webhooks(context.Background(), alice, "notes"); err != nil || len(list) != 1 {
		t.Errorf("after refused pushes: %v, %v", list, err)
	}
}
