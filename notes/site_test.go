package notes_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"wikibot/gitstore"
	"wikibot/notes"
	"wikibot/search"
	"wikibot/wiki"
)

var (
	ctx     = context.Background()
	host    = wiki.Caller{Host: true, Via: wiki.ViaCLI}
	alice   = wiki.Caller{User: "alice", Via: wiki.ViaAPI}
	bob     = wiki.Caller{User: "bob", Via: wiki.ViaMCP, Agent: "Helper 1.0"}
	carol   = wiki.Caller{User: "carol", Via: wiki.ViaMCP}
	mallory = wiki.Caller{User: "mallory", Via: wiki.ViaMCP}
)

// place is a site with the wiki notes, which alice owns, bob edits and carol
// reads; mallory may do nothing there.
type place struct {
	t     testing.TB
	dir   string
	store *gitstore.Store
	find  *search.Engine
	*notes.Service
}

func newPlace(t testing.TB) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	p.open()
	t.Cleanup(func() { p.close() })
	for _, u := range []wiki.Username{"alice", "bob", "carol", "mallory"} {
		must(t, p.store.AddUser(ctx, host, gitstore.NewUser{Name: u}))
	}
	must(t, p.store.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "notes", Owner: "alice", Pages: map[string][]byte{"Home.md": []byte("# Home\n\nWelcome.\n")}}))
	must(t, p.store.SetGrant(ctx, alice, "notes", "bob", wiki.Editor))
	must(t, p.store.SetGrant(ctx, alice, "notes", "carol", wiki.Viewer))
	return p
}

func (p *place) open() {
	p.t.Helper()
	var err error
	p.store, err = gitstore.Open(ctx, gitstore.Config{Dir: p.dir, Domain: "example.org"})
	must(p.t, err)
	p.find, err = search.Open(search.Config{Store: p.store})
	must(p.t, err)
	p.Service = notes.New(notes.Config{Store: p.store, Find: p.find})
}

func (p *place) close() {
	p.find.Close()
	p.store.Close()
}

// restart stops the site and starts it again on the same data.
func (p *place) restart() {
	p.t.Helper()
	p.close()
	p.open()
}

func (p *place) view(c wiki.Caller) *gitstore.View {
	p.t.Helper()
	v, err := p.store.View(ctx, c, "notes")
	must(p.t, err)
	return v
}

// do applies operations as bob and must succeed.
func (p *place) do(ops ...notes.Op) *notes.Applied {
	p.t.Helper()
	a, err := p.apply(bob, ops...)
	must(p.t, err)
	return a
}

func (p *place) apply(c wiki.Caller, ops ...notes.Op) (*notes.Applied, error) {
	return p.Apply(ctx, c, "notes", notes.ApplyRequest{Ops: ops})
}

// write saves a page, whatever is there.
func (p *place) write(path, text string) wiki.Revision {
	p.t.Helper()
	return p.do(notes.Op{Do: notes.Write, Path: wiki.PagePath(path), Content: []byte(text), Overwrite: true}).Commit
}

func (p *place) text(path string) string {
	p.t.Helper()
	page, err := p.view(alice).ReadPage(wiki.PagePath(path))
	must(p.t, err)
	return string(page.Content)
}

func (p *place) read(path string) *notes.Note {
	p.t.Helper()
	n, err := p.Read(ctx, p.view(carol), notes.ReadRequest{Path: wiki.PagePath(path)})
	must(p.t, err)
	return n
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantErr checks an error's kind and a part of its text.
func wantErr(t testing.TB, err, kind error, text string) {
	t.Helper()
	if !errors.Is(err, kind) || !strings.Contains(err.Error(), text) {
		t.Errorf("got %v; want %v with %q", err, kind, text)
	}
}
