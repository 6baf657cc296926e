package oauth

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"wikibot/wiki"
)

var (
	home      = netip.MustParseAddr("192.0.2.1")
	elsewhere = netip.MustParseAddr("192.0.2.2")
)

func withPassword(password string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth("alice", password)
	return r
}

// once makes a one-time token of alice's for the wiki notes.
func (s *site) once(push bool) string {
	s.t.Helper()
	token, err := s.OneTime(s.t.Context(), wiki.Caller{User: "alice", Credential: "s-0123456789ab"}, "notes", "f00d", push)
	if err != nil {
		s.t.Fatal(err)
	}
	return token
}

func (s *site) good(token string, push bool, from netip.Addr) {
	s.t.Helper()
	c, err := s.GitCaller(withPassword(token), push, from)
	if err != nil || c.User != "alice" || c.DID != "did:web:alice.example" || c.Only != "notes" || c.OnlyID != "f00d" || c.Narrowed != wiki.NoRole || !strings.HasPrefix(c.Credential, "o-") {
		s.t.Errorf("caller = %+v, %v", c, err)
	}
}

func (s *site) bad(token string, push bool, from netip.Addr, what string) {
	s.t.Helper()
	if c, err := s.GitCaller(withPassword(token), push, from); !errors.Is(err, wiki.ErrUnauthenticated) || c != (wiki.Caller{}) {
		s.t.Errorf("%s: caller = %+v, %v; want ErrUnauthenticated", what, c, err)
	}
}

func TestOneTimeToken(t *testing.T) {
	s := newSite(t, "https://wiki.example", wiki.LayoutPath)
	fetch, push := s.once(false), s.once(true)
	if !strings.HasPrefix(fetch, "wbo_") || len(fetch) != len("wbo_")+43 {
		t.Errorf("it reads %q", fetch)
	}
	s.wait(9 * time.Minute)
	s.bad(fetch, true, home, "pushing with a token for fetching")
	s.bad(push, false, home, "fetching with a token for pushing")
	for range 5 { // one command, several requests
		s.good(fetch, false, home)
		s.good(push, true, home)
		s.wait(20 * time.Second)
	}
	s.bad(fetch, false, elsewhere, "a replay from another address")
	s.good(fetch, false, home)
	s.wait(21 * time.Second)
	s.bad(fetch, false, home, "two minutes after the first use")
	s.bad(push, true, home, "two minutes after the first use")

	late := s.once(false)
	s.wait(10 * time.Minute)
	s.bad(late, false, home, "ten minutes later, unused")

	v6 := s.once(false)
	s.good(v6, false, netip.MustParseAddr("2001:db8:1:2::1"))
	s.good(v6, false, netip.MustParseAddr("2001:db8:1:2::ffff"))
	s.bad(v6, false, netip.MustParseAddr("2001:db8:1:3::1"), "another network")
}

// TestOneTimeTokenIsForGit: nothing else takes one, and it is no cookie.
func TestOneTimeTokenIsForGit(t *testing.T) {
	s := newSite(t, "https://wiki.example", wiki.LayoutPath)
	token := s.once(false)
	s.refused(bearer(token), "as Bearer, for a page")
	s.refused(withPassword(token), "as a password, for a page")
	s.refused(withCookie(&http.Cookie{Name: s.cookieName(), Value: token}), "as a cookie")
	if c, err := s.GitCaller(withCookie(s.signIn("alice")), true, home); err != nil || c != (wiki.Caller{}) {
		t.Errorf("a cookie for git: %+v, %v", c, err)
	}
	r := withPassword(token)
	r.Header.Add("Authorization", "Bearer x")
	if c, err := s.GitCaller(r, false, home); !errors.Is(err, wiki.ErrUnauthenticated) {
		t.Errorf("two headers: %+v, %v", c, err)
	}
	r = httptest.NewRequest("GET", "/", nil)
	r.SetBasicAuth(token, "")
	if _, err := s.GitCaller(r, false, home); !errors.Is(err, wiki.ErrUnauthenticated) || !strings.Contains(err.Error(), "user name") {
		t.Errorf("as the user name: %v", err)
	}
	for what, guess := range map[string]string{"shorter": token[:len(token)-1], "longer": token + "A", "another": "wbo_" + goodSecret, "the prefix": "wbo_", "the hash's text": "wbo_" + strings.Repeat("A", 43)} {
		s.bad(guess, false, home, what)
	}
	s.good(token, false, home)
}

// TestWhoMakesOneTimeTokens: people who are signed in as themselves.
func TestWhoMakesOneTimeTokens(t *testing.T) {
	s := newSite(t, "https://wiki.example", wiki.LayoutPath)
	for what, c := range map[string]wiki.Caller{
		"a visitor":          {},
		"a static token":     {User: "alice", Credential: "u-0123456789abcdef"},
		"a wiki's token":     {User: "alice", Only: "notes", OnlyID: "f00d", Credential: "w-notes-01234567"},
		"a narrowed one":     {User: "alice", Narrowed: wiki.Viewer, Credential: "s-0123456789ab"},
		"the site's":         {Site: true, Only: "notes", OnlyID: "f00d", Narrowed: wiki.Owner},
		"who is not there":   {User: "nobody", Credential: "s-0123456789ab"},
		"a one-time token's": {User: "alice", Only: "notes", OnlyID: "f00d", Credential: "o-0123456789ab"},
	} {
		if token, err := s.OneTime(t.Context(), c, "notes", "f00d", true); err == nil || token != "" {
			t.Errorf("%s made one", what)
		}
	}
}

// TestOneTimeTokenEndsWithThePerson: it is worth what its person is at the moment.
func TestOneTimeTokenEndsWithThePerson(t *testing.T) {
	s := newSite(t, "https://wiki.example", wiki.LayoutPath)
	token := s.once(false)
	s.good(token, false, home)
	alice := s.people["alice"]
	alice.Suspended = true
	s.people["alice"] = alice
	s.bad(token, false, home, "of a suspended person")
	delete(s.people, "alice")
	s.bad(token, false, home, "of a person who is gone")
}

// TestDeletedCacheEndsOneTimeTokens, whether the file is deleted or comes back
// with old rows under a new epoch. No secret is in the file.
func TestDeletedCacheEndsOneTimeTokens(t *testing.T) {
	s := newSite(t, "https://wiki.example", wiki.LayoutPath)
	token := s.once(false)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.dir, "sessions.db")
	data, err := os.ReadFile(file)
	if err != nil || bytes.Contains(data, []byte(token[4:])) {
		t.Errorf("the file holds the token's text, or %v", err)
	}
	s.open("https://wiki.example", wiki.LayoutPath)
	s.good(token, false, home)
	if err := s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(metaBucket()).Delete([]byte("epoch")) }); err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.open("https://wiki.example", wiki.LayoutPath)
	s.bad(token, false, home, "under another epoch")
	s.Close()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	s.open("https://wiki.example", wiki.LayoutPath)
	s.bad(token, false, home, "after the cache was deleted")
}

// TestOneTimeTokensHaveAnEnd: a person has at most sixteen, and what is over is
// swept.
func TestOneTimeTokensHaveAnEnd(t *testing.T) {
	s := newSite(t, "https://wiki.example", wiki.LayoutPath)
	mallorys, err := s.OneTime(t.Context(), wiki.Caller{User: "mallory", Credential: "s-1"}, "notes", "f00d", false)
	if err != nil {
		t.Fatal(err)
	}
	var tokens []string
	for range maxOnce + 2 {
		tokens = append(tokens, s.once(false))
		s.wait(time.Second)
	}
	for i, token := range tokens {
		if i < 2 {
			s.bad(token, false, home, fmt.Sprintf("token %d of %d", i, len(tokens)))
		} else {
			s.good(token, false, home)
		}
	}
	if c, err := s.GitCaller(withPassword(mallorys), false, home); err != nil || c.User != "mallory" {
		t.Errorf("alice's tokens ended mallory's: %+v, %v", c, err)
	}
	s.wait(15 * time.Minute)
	if err := s.clean(cleanRows); err != nil {
		t.Fatal(err)
	}
	s.db.View(func(tx *bbolt.Tx) error {
		for _, name := range [][]byte{onceBucket(), onceOfBucket()} {
			if n := tx.Bucket(name).Stats().KeyN; n != 0 {
				t.Errorf("%s has %d rows left", name, n)
			}
		}
		return nil
	})
}

// TestFirstUseFromTwoNetworks: of two who use it at the same time one goes on.
func TestFirstUseFromTwoNetworks(t *testing.T) {
	s := newSite(t, "https://wiki.example", wiki.LayoutPath)
	for range 20 {
		token := s.once(true)
		var good atomic.Int32
		var all sync.WaitGroup
		for _, from := range []netip.Addr{home, elsewhere} {
			all.Go(func() {
				if _, err := s.GitCaller(withPassword(token), true, from); err == nil {
					good.Add(1)
				}
			})
		}
		all.Wait()
		if good.Load() != 1 {
			t.Fatalf("%d networks used one token", good.Load())
		}
	}
}
