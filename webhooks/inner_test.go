package webhooks

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"wikibot/wiki"
)

// A signature is of the id, the time and the body.
func TestSign(t *testing.T) {
	key := []byte("\x30\x9e\xd9\xb1\x5b\x73\x8e\x5e\x0c\x7a\x5b\x4c\x5b\x3f\x2a\x11\x8e\x6d\x3c\x2b\x1a\x09\xf8\xe7")
	a := Sign(key, "msg_1", 1700000000, []byte(`{"a":1}`))
	if !strings.HasPrefix(a, "v1,") || len(a) != 3+44 {
		t.Errorf("the signature is %q", a)
	}
	for _, other := range []string{Sign(key[1:], "msg_1", 1700000000, []byte(`{"a":1}`)), Sign(key, "msg_2", 1700000000, []byte(`{"a":1}`)),
		Sign(key, "msg_1", 1700000001, []byte(`{"a":1}`)), Sign(key, "msg_1", 1700000000, []byte(`{"a":2}`))} {
		if other == a {
			t.Error("another message has the same signature")
		}
	}
}

func TestRetryAfterHeader(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "-5": 0, "1e9": 0, "soon": 0, "4000000000": maxRetryAfter, "99999999999999999999": 0,
		"Sun, 22 Nov 2026 12:05:00 GMT": 5 * time.Minute, "Sun, 22 Nov 2026 11:00:00 GMT": 0, "Sun, 22 Nov 2099 11:00:00 GMT": maxRetryAfter,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("Retry-After %q is %s, want %s", text, got, want)
		}
	}
}

func TestBackoff(t *testing.T) {
	for tries, want := range map[int]time.Duration{1: 5 * time.Second, 2: 20 * time.Second, 3: 80 * time.Second, 7: 20480 * time.Second, 8: maxBackoff, 1 << 30: maxBackoff} {
		for range 50 {
			if got := backoff(5*time.Second, tries); got < want*4/5 || got > want*6/5 {
				t.Fatalf("after %d tries %s, want %s more or less a fifth", tries, got, want)
			}
		}
	}
}

// A body is bounded whatever the commit is.
func TestBodyIsBounded(t *testing.T) {
	w := &worker{e: &Engine{}, key: "k", slug: "notes"}
	var d data
	var changes []wiki.FileChange
	for range 300_000 {
		changes = append(changes, wiki.FileChange{Kind: wiki.Added, File: strings.Repeat("x", 200) + ".md"})
	}
	if !d.list(changes, "") || len(d.Pages)+d.More != 300_000 || d.More == 0 {
		t.Errorf("%d listed, %d more", len(d.Pages), d.More)
	}
	d.Message = cut(strings.Repeat("ü", 1<<20), maxMessage)
	if !utf8.ValidString(d.Message) || len(d.Message) > maxMessage+3 {
		t.Errorf("the message has %d bytes", len(d.Message))
	}
	if m := w.finish(body{Type: TypeChange, Data: d}); len(m.body) > 300<<10 {
		t.Errorf("the body has %d bytes", len(m.body))
	}
}

func TestKey(t *testing.T) {
	dir := t.TempDir()
	key, err := openKey(dir)
	if err != nil || len(key) != 32 {
		t.Fatal(key, err)
	}
	again, err := openKey(dir)
	if err != nil || string(again) != string(key) {
		t.Errorf("another key: %v", err)
	}
	name := filepath.Join(dir, keyFile)
	for what, spoil := range map[string]func() error{
		"others can read it": func() error { return os.Chmod(name, 0o644) },
		"it is short":        func() error { return os.WriteFile(name, key[:31], 0o600) },
		"it is a link":       func() error { return os.Rename(name, name+"2") },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		if what == "it is a link" {
			if err := os.Symlink(name+"2", name); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := openKey(dir); err == nil {
			t.Errorf("%s, and it is taken", what)
		}
		os.Remove(name)
		os.Remove(name + "2")
		if err := os.WriteFile(name, key, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Places that are given back are free again, and hosts that nobody uses are forgotten.
func TestLanes(t *testing.T) {
	l := newLanes(4)
	ctx, cancel := context.WithCancel(context.Background())
	var leave []func()
	for range perHost {
		f, err := l.enter(ctx, "a", true)
		if err != nil {
			t.Fatal(err)
		}
		leave = append(leave, f)
	}
	f, err := l.enter(ctx, "a", false) // the other lane of the same host
	if err != nil {
		t.Fatal(err)
	}
	leave = append(leave, f)
	cancel()
	if _, err := l.enter(ctx, "a", true); err == nil {
		t.Error("a third one on one host")
	}
	for _, f := range leave {
		f()
	}
	if len(l.hosts) != 0 || len(l.proven) != 0 || len(l.others) != 0 {
		t.Errorf("left: %v, %d, %d", l.hosts, len(l.proven), len(l.others))
	}
}

// FuzzRow: a damaged row begins anew or is a row; it never stops the server.
func FuzzRow(f *testing.F) {
	good, _ := json.Marshal(row{Cursor: "0123456789012345678901234567890123456789", Recent: []string{"0123"}, Tries: 3, Answers: []Answer{{ID: "msg_1", Status: 500}}})
	for _, s := range []string{string(good), "", "{", `{"cursor":"x"}`, `{"cursor":7}`, `{"answers":[{}]}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r := parseRow(text)
		if _, err := wiki.ParseRevision(string(r.Cursor)); err != nil {
			t.Fatalf("%q has the cursor %q", text, r.Cursor)
		}
		r.answered(Answer{})
		r.sent("0123456789012345678901234567890123456789")
		if len(r.Answers) > maxAnswers || len(r.Recent) > maxRecent {
			t.Fatalf("%d answers, %d recent", len(r.Answers), len(r.Recent))
		}
	})
}
