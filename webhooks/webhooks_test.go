package webhooks_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
	"wikibot/webhooks"
	"wikibot/wiki"
)

func TestDelivery(t *testing.T) {
	p, r := newPlace(t, nil), newReceiver(t)
	h, secret := p.hook(r.URL + "/x")
	if h.Standing != webhooks.Working || h.Maker != "alice" || !h.Active || len(h.ID) != 16 || h.Last != nil {
		t.Errorf("made: %+v", h)
	}
	rev := p.write("notes", "A b", "one\n")
	n := r.next()
	if err := n.signedBy(secret); err != nil {
		t.Error(err)
	}
	if d := n.Data; n.Type != "wiki.change" || d.Wiki != "notes" || d.Revision != string(rev) || d.Author != "bob" || d.Actor != "bob" || d.Agent != "Helper 1.0" ||
		d.Via != "mcp" || !strings.Contains(d.Message, "write A b") || d.URL != "https://wiki.example.org/w/notes/-/commit/"+string(rev) ||
		fmt.Sprint(d.Pages) != "[{A b added }]" || len(d.Files) != 0 {
		t.Errorf("got %s", n.raw)
	}
	if strings.Contains(string(n.raw), "@") {
		t.Errorf("an address of mail is told: %s", n.raw)
	}
	_, err := p.store.Update(ctx, bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
		if err := tx.Rename("A b", "C", gitstore.RenameOptions{}); err != nil {
			return err
		}
		if err := tx.Attach("C/x.bin", []byte{1}, gitstore.AttachOptions{}); err != nil {
			return err
		}
		return tx.Put("Home", []byte("new\n"), gitstore.PutOptions{Overwrite: true})
	})
	must(t, err)
	n = r.next()
	if got := fmt.Sprint(n.Data.Pages, n.Data.Files); !strings.Contains(got, "{C renamed A b}") || !strings.Contains(got, "{Home modified }") || !strings.Contains(got, "[{C/x.bin added }]") {
		t.Errorf("got %s", n.raw)
	}
	// Each once, in order.
	var revs []wiki.Revision
	for i := range 30 {
		revs = append(revs, p.write("notes", "P", fmt.Sprint(i)))
	}
	r.wants(revs...)
	p.until(h.ID, "told", func(h webhooks.Hook) bool { return h.Last != nil && h.Last.Revision == revs[29] })
	r.quiet("something came twice")
	list, err := p.Deliveries(ctx, alice, "notes", h.ID)
	must(t, err)
	if len(list) != 20 || list[0].Revision != revs[29] || list[0].Status != 204 || list[0].Try != 1 || list[0].Took <= 0 {
		t.Errorf("the answers: %d, %+v", len(list), list[0])
	}
}

func TestPrefix(t *testing.T) {
	p, r := newPlace(t, nil), newReceiver(t)
	_, _, err := p.Create(ctx, alice, "notes", webhooks.New{URL: r.URL, Prefix: "Docs/"})
	must(t, err)
	p.write("notes", "Other", "x")
	in := p.write("notes", "Docs/In", "x")
	r.wants(in)
	_, err = p.store.Update(ctx, bob, "notes", gitstore.Meta{}, func(tx *gitstore.Tx) error {
		if err := tx.Rename("Docs/In", "Out", gitstore.RenameOptions{}); err != nil {
			return err
		}
		return tx.Put("Secret plan", []byte("x"), gitstore.PutOptions{Create: true})
	})
	must(t, err)
	if n := r.next(); fmt.Sprint(n.Data.Pages) != "[{Out renamed Docs/In}]" {
		t.Errorf("got %s", n.raw)
	}
}

// What fails is sent again, with the same id and before all that came later.
func TestRetry(t *testing.T) {
	p, r := newPlace(t, nil), newReceiver(t)
	h, secret := p.hook(r.URL)
	var tries atomic.Int32
	r.answers(func(w http.ResponseWriter, _ *http.Request, _ news) {
		if tries.Add(1) <= 3 {
			w.WriteHeader(500)
		}
	})
	a, b := p.write("notes", "A", "1"), p.write("notes", "B", "1")
	first := r.next()
	for range 3 {
		if n := r.next(); n.id != first.id || n.Data.Revision != string(a) || n.signedBy(secret) != nil || string(n.raw) != string(first.raw) {
			t.Errorf("again: %s %s", n.id, n.raw)
		}
	}
	if n := r.next(); n.Data.Revision != string(b) || n.id == first.id {
		t.Errorf("after it: %s", n.raw)
	}
	h = p.until(h.ID, "well again", func(h webhooks.Hook) bool { return h.Standing == webhooks.Working && h.Last.Revision == b })
	list, err := p.Deliveries(ctx, alice, "notes", h.ID)
	must(t, err)
	if len(list) != 5 || list[1].Try != 4 || list[4].Status != 500 || list[4].Error != "the receiver answered 500 Internal Server Error" {
		t.Errorf("the answers: %+v", list)
	}
	r.quiet("something came twice")
}

func TestRetryAfter(t *testing.T) {
	p, r := newPlace(t, nil), newReceiver(t)
	h, _ := p.hook(r.URL)
	r.answers(func(w http.ResponseWriter, _ *http.Request, _ news) {
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(503)
	})
	p.write("notes", "A", "1")
	r.next()
	h = p.until(h.ID, "failing", func(h webhooks.Hook) bool { return h.Standing == webhooks.Failing })
	if wait := time.Until(h.Next); wait < 100*time.Minute || wait > 2*time.Hour {
		t.Errorf("it is tried again in %s, want two hours", wait)
	}
	// An owner need not wait: turning it on tries at once.
	r.status(200)
	on := true
	_, err := p.Update(ctx, alice, "notes", h.ID, webhooks.Change{Active: &on})
	must(t, err)
	r.next()
	p.until(h.ID, "well", func(h webhooks.Hook) bool { return h.Standing == webhooks.Working })
}

func TestGone(t *testing.T) {
	p, r := newPlace(t, nil), newReceiver(t)
	h, _ := p.hook(r.URL)
	r.status(410)
	p.write("notes", "A", "1")
	r.next()
	h = p.until(h.ID, "off", func(h webhooks.Hook) bool { return h.Standing == webhooks.Off })
	if !strings.Contains(h.Reason, "410") {
		t.Errorf("the reason is %q", h.Reason)
	}
	p.write("notes", "B", "1")
	p.restart()
	p.until(h.ID, "off", func(h webhooks.Hook) bool { return h.Standing == webhooks.Off })
	r.status(200)
	on := true
	_, err := p.Update(ctx, alice, "notes", h.ID, webhooks.Change{Active: &on})
	must(t, err)
	p.until(h.ID, "on", func(h webhooks.Hook) bool { return h.Standing == webhooks.Working })
	// It begins at the present: what came while it was off is not sent.
	for n := 0; ; n++ { // the worker takes the present some time after the update
		rev := p.write("notes", "C", fmt.Sprint(n))
		select {
		case got := <-r.got:
			if got.Data.Pages[0].Path != "C" {
				t.Errorf("sent after it was off: %s, the last is %s", got.raw, rev)
			}
			return
		case <-time.After(100 * time.Millisecond):
		}
		if n == 100 {
			t.Fatal("nothing comes any more")
		}
	}
}

func TestGivesUp(t *testing.T) {
	p := newPlace(t, func(p *place) { p.cfg.GiveUp = 20 * time.Millisecond })
	r := newReceiver(t)
	h, _ := p.hook(r.URL)
	r.status(302)
	p.write("notes", "A", "1")
	h = p.until(h.ID, "off", func(h webhooks.Hook) bool { return h.Standing == webhooks.Off })
	if !strings.Contains(h.Reason, "nothing was taken for") || h.Last.Status != 302 {
		t.Errorf("%+v, %+v", h, h.Last)
	}
}

// After a stop, each commit that was not taken is sent, none twice.
func TestRestart(t *testing.T) {
	p, r := newPlace(t, nil), newReceiver(t)
	h, secret := p.hook(r.URL)
	a := p.write("notes", "A", "1")
	r.wants(a)
	p.until(h.ID, "told", func(h webhooks.Hook) bool { return h.Last != nil && h.Last.OK() })
	hang, asked := make(chan struct{}), make(chan struct{}, 100)
	r.answers(func(_ http.ResponseWriter, req *http.Request, _ news) {
		asked <- struct{}{}
		select {
		case <-req.Context().Done():
		case <-hang:
		}
	})
	b := p.write("notes", "B", "1")
	<-asked
	p.close() // in the middle of the request
	close(hang)
	r.status(200)
	p.open()
	c := p.write("notes", "C", "1")
	var got []string
	for !slices.Contains(got, string(c)) {
		n := r.next()
		if n.signedBy(secret) != nil {
			t.Error("after a restart the secret is another")
		}
		if !slices.Contains(got, n.Data.Revision) {
			got = append(got, n.Data.Revision) // b may have come before the stop, and broke off
		}
	}
	if want := []string{string(b), string(c)}; !slices.Equal(got, want) {
		t.Errorf("after the restart came %v, want %v", got, want)
	}
	if list, err := p.Deliveries(ctx, alice, "notes", h.ID); err != nil || list[len(list)-1].Revision != a {
		t.Errorf("the answers are lost: %v, %v", list, err)
	}
	// Without its cache it begins at the present.
	p.until(h.ID, "told", func(h webhooks.Hook) bool { return h.Last.Revision == c && h.Last.OK() })
	p.close()
	must(t, os.Remove(filepath.Join(p.dir, "cache", "webhooks.db")))
	for len(r.got) > 0 {
		<-r.got
	}
	p.open()
	for i := 0; ; i++ {
		d := p.write("notes", "D", fmt.Sprint(i))
		select {
		case n := <-r.got:
			if n.Data.Pages[0].Path != "D" || n.signedBy(secret) != nil {
				t.Errorf("without its cache: %s, the last is %s", n.raw, d)
			}
			return
		case <-time.After(100 * time.Millisecond):
		}
		if i == 100 {
			t.Fatal("nothing comes any more")
		}
	}
}

// A webhook reads on behalf of its maker.
func TestMaker(t *testing.T) {
	p, r := newPlace(t, nil), newReceiver(t)
	must(t, p.store.SetGrant(ctx, alice, "notes", "bob", wiki.Owner))
	h, _, err := p.Create(ctx, bob, "notes", webhooks.New{URL: r.URL})
	must(t, err)
	r.wants(p.write("notes", "A", "1"))
	must(t, p.store.SetGrant(ctx, alice, "notes", "bob", wiki.Editor))
	p.write("notes", "B", "1")
	h = p.until(h.ID, "resting", func(h webhooks.Hook) bool { return h.Standing == webhooks.Resting })
	if !strings.Contains(h.Reason, "its maker bob does not manage the wiki any more") {
		t.Errorf("the reason is %q", h.Reason)
	}
	r.quiet("it is told although bob manages nothing")
	on := true
	h, err = p.Update(ctx, alice, "notes", h.ID, webhooks.Change{Active: &on})
	if must(t, err); h.Maker != "alice" {
		t.Errorf("the maker is %s", h.Maker)
	}
	if n := r.next(); n.Data.Pages[0].Path != "B" { // it goes on where it rested
		t.Errorf("got %s", n.raw)
	}
	// Suspended people are nobody.
	must(t, p.store.SetGrant(ctx, alice, "notes", "bob", wiki.Owner))
	must(t, p.store.SetSuspended(ctx, host, "alice", true))
	p.write("notes", "C", "1")
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(time.Millisecond) {
		h, err = p.Get(ctx, bob, "notes", h.ID)
		if must(t, err); h.Standing == webhooks.Resting {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%+v", h)
		}
	}
	r.quiet("it is told although alice is suspended")
}

func TestWhoSees(t *testing.T) {
	p, r := newPlace(t, nil), newReceiver(t)
	h, _ := p.hook(r.URL)
	yes := true
	for _, c := range []struct {
		who  wiki.Caller
		want error
	}{{bob, wiki.ErrForbidden}, {carol, wiki.ErrForbidden}, {mallory, wiki.ErrNotFound}, {wiki.Caller{}, wiki.ErrUnauthenticated}} {
		_, err := p.List(ctx, c.who, "notes")
		errs := []error{err}
		_, err = p.Get(ctx, c.who, "notes", h.ID)
		errs = append(errs, err)
		_, _, err = p.Create(ctx, c.who, "notes", webhooks.New{URL: "nonsense"})
		errs = append(errs, err)
		_, err = p.Update(ctx, c.who, "notes", h.ID, webhooks.Change{Active: &yes})
		errs = append(errs, err, p.Delete(ctx, c.who, "notes", h.ID))
		_, err = p.Secret(ctx, c.who, "notes", h.ID)
		errs = append(errs, err)
		_, err = p.Rotate(ctx, c.who, "notes", h.ID)
		errs = append(errs, err)
		_, err = p.Ping(ctx, c.who, "notes", h.ID)
		errs = append(errs, err)
		_, err = p.Deliveries(ctx, c.who, "notes", h.ID)
		errs = append(errs, err)
		for i, err := range errs {
			if err == nil || c.who.User != "" && !errors.Is(err, c.want) {
				t.Errorf("%s, call %d: %v, want %v", c.who.Name(), i, err, c.want)
			}
			if err.Error() != errs[0].Error() && errors.Is(c.want, wiki.ErrNotFound) {
				t.Errorf("%s, call %d tells more: %v", c.who.Name(), i, err)
			}
		}
	}
	r.quiet("a request was made")
}

func TestManage(t *testing.T) {
	p := newPlace(t, func(p *place) { p.cfg.PerWiki = 3 })
	r := newReceiver(t)
	h, secret := p.hook(r.URL)
	a, err := p.Ping(ctx, alice, "notes", h.ID)
	must(t, err)
	n := r.next()
	if a.Status != 204 || n.Type != "ping" || n.id != a.ID || n.signedBy(secret) != nil || n.Data.Wiki != "notes" {
		t.Errorf("the ping: %+v, %s", a, n.raw)
	}
	if again, err := p.Secret(ctx, alice, "notes", h.ID); err != nil || again != secret {
		t.Errorf("the secret is another: %v", err)
	}
	rotated, err := p.Rotate(ctx, alice, "notes", h.ID)
	must(t, err)
	if _, err := p.Ping(ctx, alice, "notes", h.ID); err != nil || rotated == secret {
		t.Errorf("rotated: %v", err)
	}
	if n := r.next(); n.signedBy(secret) != nil || n.signedBy(rotated) != nil {
		t.Errorf("for a day both count: %s", n.signature)
	}
	other, _ := p.hook(r.URL)
	if s, err := p.Secret(ctx, alice, "notes", other.ID); err != nil || s == secret || s == rotated {
		t.Errorf("two webhooks have one secret: %v", err)
	}
	p.hook(r.URL)
	if _, _, err := p.Create(ctx, alice, "notes", webhooks.New{URL: r.URL}); !errors.Is(err, wiki.ErrForbidden) || !strings.Contains(err.Error(), "at most 3 webhooks") {
		t.Errorf("a fourth one: %v", err)
	}
	for _, bad := range []string{"", "ftp://x.example/", "http://10.0.0.1/", "https://[::1]/", "http://u:p@x.example/"} {
		if _, err := p.Update(ctx, alice, "notes", h.ID, webhooks.Change{URL: &bad}); !errors.Is(err, wiki.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, _, err := p.Create(ctx, wiki.Caller{Host: true}, "notes", webhooks.New{URL: r.URL}); !errors.Is(err, wiki.ErrForbidden) {
		t.Errorf("made by nobody: %v", err)
	}
	must(t, p.Delete(ctx, alice, "notes", h.ID))
	if _, err := p.Get(ctx, alice, "notes", h.ID); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	// Nothing secret is in git, or anywhere but in the folder of keys.
	repo := filepath.Join(p.dir, "wikis", "notes.git")
	if all := gitstoretest.Git(t, repo, "log", "-p", "--all", "--format=%B"); strings.Contains(all, "whsec") || strings.Contains(all, secret[6:]) {
		t.Error("a secret is in git")
	}
	info, err := os.Stat(filepath.Join(p.dir, "secrets", "webhooks.key"))
	if must(t, err); info.Mode().Perm() != 0o600 || info.Size() != 32 {
		t.Errorf("the key is %v", info)
	}
}

// An owner turns one off: nothing is sent; on: from then on.
func TestTurnedOff(t *testing.T) {
	p, r := newPlace(t, nil), newReceiver(t)
	h, _ := p.hook(r.URL)
	r.wants(p.write("notes", "A", "1"))
	off, on := false, true
	h, err := p.Update(ctx, alice, "notes", h.ID, webhooks.Change{Active: &off})
	if must(t, err); h.Standing != webhooks.Off {
		t.Errorf("%+v", h)
	}
	// Another webhook says when the news has gone round.
	other := newReceiver(t)
	p.hook(other.URL)
	other.wants(p.write("notes", "B", "1"))
	r.quiet("it is told although it is off")
	_, err = p.Update(ctx, alice, "notes", h.ID, webhooks.Change{Active: &on})
	must(t, err)
	for i := range 100 {
		p.write("notes", "C", fmt.Sprint(i))
		select {
		case n := <-r.got:
			if n.Data.Pages[0].Path != "C" {
				t.Errorf("of the time when it was off: %s", n.raw)
			}
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
	t.Fatal("nothing comes any more")
}
