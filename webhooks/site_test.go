package webhooks_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/notes"
	"wikibot/outbound"
	"wikibot/webhooks"
	"wikibot/wiki"
)

var (
	ctx     = context.Background()
	host    = wiki.Caller{Host: true, Via: wiki.ViaCLI}
	alice   = wiki.Caller{User: "alice", Via: wiki.ViaAPI}
	bob     = wiki.Caller{User: "bob", Via: wiki.ViaMCP, Agent: "Helper 1.0"}
	carol   = wiki.Caller{User: "carol", Via: wiki.ViaWeb}
	mallory = wiki.Caller{User: "mallory", Via: wiki.ViaWeb}
)

// place is a site with the wiki notes, which alice owns, bob edits and carol reads;
// mallory may do nothing there and owns the wiki den.
type place struct {
	t      testing.TB
	dir    string
	cfg    webhooks.Config
	client outbound.Config
	store  *gitstore.Store
	*webhooks.Engine
}

func newPlace(t testing.TB, set func(*place)) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	p.client = outbound.Config{HTTP: true, Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}
	p.cfg = webhooks.Config{First: time.Millisecond, Recheck: 10 * time.Millisecond}
	if set != nil {
		set(p)
	}
	p.open()
	t.Cleanup(func() { p.close() })
	for _, u := range []wiki.Username{"alice", "bob", "carol", "mallory"} {
		must(t, p.store.AddUser(ctx, host, gitstore.NewUser{Name: u}))
	}
	must(t, p.store.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "notes", Owner: "alice", Pages: map[string][]byte{"Home.md": []byte("# Home\n\nWelcome.\n")}}))
	must(t, p.store.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "den", Owner: "mallory", Pages: map[string][]byte{"Home.md": []byte("x\n")}}))
	must(t, p.store.SetGrant(ctx, alice, "notes", "bob", wiki.Editor))
	must(t, p.store.SetGrant(ctx, alice, "notes", "carol", wiki.Viewer))
	return p
}

func (p *place) open() {
	p.t.Helper()
	var err error
	p.store, err = gitstore.Open(ctx, gitstore.Config{Dir: p.dir, Domain: "example.org"})
	must(p.t, err)
	c := p.cfg
	c.Store, c.Notes, c.Client = p.store, notes.New(notes.Config{Store: p.store}), outbound.New(p.client)
	c.Addresses, err = wiki.ParseAddresses("https://wiki.example.org", wiki.LayoutPath)
	must(p.t, err)
	p.Engine, err = webhooks.Open(c)
	must(p.t, err)
}

func (p *place) close() {
	if err := p.Engine.Close(); err != nil {
		p.t.Error(err)
	}
	p.store.Close()
}

func (p *place) restart() {
	p.t.Helper()
	p.close()
	p.open()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write makes a commit in a wiki, as bob in notes and as mallory in den.
func (p *place) write(slug wiki.Slug, page wiki.PagePath, text string) wiki.Revision {
	p.t.Helper()
	c := bob
	if slug == "den" {
		c = mallory
	}
	res, err := p.store.Update(ctx, c, slug, gitstore.Meta{Message: "write " + string(page)}, func(tx *gitstore.Tx) error {
		return tx.Put(page, []byte(text), gitstore.PutOptions{Overwrite: true})
	})
	must(p.t, err)
	return res.Revision
}

// hook makes a webhook in notes, as alice.
func (p *place) hook(url string) (webhooks.Hook, string) {
	p.t.Helper()
	h, secret, err := p.Create(ctx, alice, "notes", webhooks.New{URL: url})
	must(p.t, err)
	return h, secret
}

// until waits until a webhook of notes is as it should be.
func (p *place) until(id string, what string, ok func(webhooks.Hook) bool) webhooks.Hook {
	p.t.Helper()
	var h webhooks.Hook
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		var err error
		h, err = p.Get(ctx, alice, "notes", id)
		must(p.t, err)
		if ok(h) {
			return h
		}
	}
	p.t.Fatalf("the webhook does not become %s: %+v", what, h)
	return h
}

// news is one request that a receiver got.
type news struct {
	id, signature string
	unix          int64
	raw           []byte
	Type          string
	Data          struct {
		Wiki, Revision, Author, Actor, Agent, Via, Message, URL string
		More                                                    int
		Pages, Files                                            []struct{ Path, Kind, From string }
	}
}

// receiver keeps what it gets and answers as it is told.
type receiver struct {
	t testing.TB
	*httptest.Server
	got chan news

	mu     sync.Mutex
	answer func(w http.ResponseWriter, r *http.Request, n news) // nil: 204
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{t: t, got: make(chan news, 10000)}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Server.Close)
	return r
}

func (r *receiver) answers(fn func(w http.ResponseWriter, r *http.Request, n news)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = fn
}

func (r *receiver) status(n int) {
	r.answers(func(w http.ResponseWriter, _ *http.Request, _ news) { w.WriteHeader(n) })
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	text, _ := io.ReadAll(req.Body)
	n := news{id: req.Header.Get("Webhook-Id"), signature: req.Header.Get("Webhook-Signature"), raw: text}
	n.unix, _ = strconv.ParseInt(req.Header.Get("Webhook-Timestamp"), 10, 64)
	if err := json.Unmarshal(text, &n); err != nil || req.Method != "POST" || req.Header.Get("Content-Type") != "application/json" {
		r.t.Errorf("a request of another kind: %s %v %v", req.Method, req.Header, err)
	}
	r.mu.Lock()
	answer := r.answer
	r.mu.Unlock()
	if answer == nil {
		w.WriteHeader(http.StatusNoContent)
	} else {
		answer(w, req, n)
	}
	r.got <- n
}

// next waits for the next request.
func (r *receiver) next() news {
	r.t.Helper()
	select {
	case n := <-r.got:
		return n
	case <-time.After(30 * time.Second):
		r.t.Fatal("no news")
	}
	return news{}
}

// wants checks the revisions of what comes next, one request each.
func (r *receiver) wants(revs ...wiki.Revision) {
	r.t.Helper()
	for i, rev := range revs {
		if n := r.next(); n.Data.Revision != string(rev) || n.Type != webhooks.TypeChange {
			r.t.Fatalf("news %d is %s of %s, want %s", i, n.Type, n.Data.Revision, rev)
		}
	}
}

// quiet checks that nothing has come.
func (r *receiver) quiet(why string) {
	r.t.Helper()
	select {
	case n := <-r.got:
		r.t.Errorf("%s: %s", why, n.raw)
	default:
	}
}

// signedBy checks a signature as a receiver does.
func (n news) signedBy(secret string) error {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil || len(key) != 32 || !strings.HasPrefix(secret, "whsec_") {
		return fmt.Errorf("the secret %q is none: %v", secret, err)
	}
	for _, s := range strings.Fields(n.signature) {
		if s == webhooks.Sign(key, n.id, n.unix, n.raw) {
			return nil
		}
	}
	return fmt.Errorf("%s is not by this secret", n.signature)
}
