package gitstore_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
	"wikibot/wiki"
)

// tokenText is a token's record as docs/format.md has it.
func tokenText(maker string) string {
	role := ""
	if maker == "" {
		role = "role = \"viewer\"\n"
	} else {
		maker = fmt.Sprintf("maker = %q\n", maker)
	}
	return fmt.Sprintf("schema = 1\nname = \"t\"\nhash = \"sha256:%x\"\n%s%screated_at = 2026-01-02T03:04:05Z\nlast_four = \"abcd\"\n", sha256.Sum256(nil), role, maker)
}

func ids(t testing.TB, list []gitstore.Token, err error) string {
	t.Helper()
	must(t, err)
	var out []string
	for _, k := range list {
		out = append(out, k.ID)
	}
	return strings.Join(out, " ")
}

// TestTokenFiles: new records lie in 256 folders, those of former versions are
// read where they lie, and what lies elsewhere is none.
func TestTokenFiles(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	adminGit, notesGit := filepath.Join(dir, "admin.git"), filepath.Join(dir, "wikis/notes.git")
	gitstoretest.Files(t, adminGit, "refs/wikibot/tokens", map[string]string{
		".wikibot/tokens/u-00112233445566ff.toml":    tokenText("bob"), // as it was
		".wikibot/tokens/11/u-11112233445566ff.toml": tokenText("bob"),
		".wikibot/tokens/00/u-22112233445566ff.toml": tokenText("bob"), // the wrong folder
		".wikibot/tokens/u-00.toml":                  tokenText("bob"),
		".wikibot/tokens/33/u-33112233445566ff.toml": "schema = 1\nrole = \"king\"\n",
	})
	gitstoretest.Files(t, notesGit, "refs/wikibot/tokens", map[string]string{
		".wikibot/tokens/w-notes-aabbccdd.toml":    tokenText(""),
		".wikibot/tokens/bb/w-notes-bbbbccdd.toml": tokenText(""),
	})
	time.Sleep(20 * time.Millisecond) // what others write is seen 10 ms late
	for id, want := range map[string]bool{
		"u-00112233445566ff": true, "u-11112233445566ff": true, "u-22112233445566ff": false, "u-33112233445566ff": false, "u-44112233445566ff": false,
		"u-00": false, "u-0011223344556600": false, "u-0011223344556/ff": false, "u-../../../../x.": false,
		"w-notes-aabbccdd": true, "w-notes-bbbbccdd": true, "w-notes-00000000": false, "w-nothere-aabbccdd": false, "w-notes-AABBCCDD": false, "": false, "w-": false,
	} {
		k, err := s.Token(ctx, id)
		if (err == nil) != want || err != nil && !errors.Is(err, wiki.ErrNotFound) {
			t.Errorf("%q: %+v, %v", id, k, err)
		}
	}
	list, err := s.TokensOf(ctx, bob, "bob")
	if got := ids(t, list, err); got != "u-00112233445566ff u-11112233445566ff" {
		t.Errorf("bob's: %s", got)
	}
	list, err = s.Tokens(ctx, alice, "notes")
	if got := ids(t, list, err); got != "w-notes-aabbccdd w-notes-bbbbccdd" {
		t.Errorf("the wiki's: %s", got)
	}
	must(t, s.RevokeToken(ctx, bob, "u-00112233445566ff"))
	must(t, s.RevokeToken(ctx, alice, "w-notes-bbbbccdd"))
	_, fresh, err := s.CreateToken(ctx, bob, gitstore.NewToken{User: "bob", Name: "new"})
	must(t, err)
	list, err = s.TokensOf(ctx, bob, "bob")
	if got := ids(t, list, err); got != fresh.ID+" u-11112233445566ff" {
		t.Errorf("bob's, newest first: %s", got)
	}
	files := git(t, adminGit, "ls-tree", "-r", "--name-only", "refs/wikibot/tokens")
	if want := fmt.Sprintf(".wikibot/tokens/%s/%s.toml", fresh.ID[2:4], fresh.ID); !strings.Contains(files, want) || strings.Contains(files, "u-00112233445566ff") {
		t.Errorf("the files are\n%s\nwant %s", files, want)
	}
	if got := git(t, notesGit, "ls-tree", "-r", "--name-only", "refs/wikibot/tokens"); got != ".wikibot/tokens/w-notes-aabbccdd.toml" {
		t.Errorf("the wiki's files are\n%s", got)
	}
}

// TestWhoMakesAndEndsTokens is the table of who may. What a token could do for
// its own sake, it may not: it would outlive its end.
func TestWhoMakesAndEndsTokens(t *testing.T) {
	s, _ := site(t)
	ctx := context.Background()
	must(t, s.AddUser(ctx, host, gitstore.NewUser{Name: "dave", Admin: true}))
	v := view(t, s, alice)
	id := v.Policy().Wiki
	person := func(name wiki.Username) wiki.Caller {
		return wiki.Caller{User: name, Via: wiki.ViaWeb, Credential: "s-0123456789ab"}
	}
	narrowed := person("alice")
	narrowed.Narrowed = wiki.Owner
	token, bound := person("alice"), narrowed
	token.Credential, bound.Credential = "u-0123456789abcdef", "w-notes-01234567"
	bound.Only, bound.OnlyID = "notes", id
	site := wiki.Caller{Site: true, Narrowed: wiki.Owner, Only: "notes", OnlyID: id, Credential: "w-notes-01234567"}
	callers := map[string]wiki.Caller{
		"alice": person("alice"), "bob": person("bob"), "mallory": person("mallory"), "dave": person("dave"), "host": host, "visitor": {},
		"narrowed": narrowed, "token": token, "bound": bound, "site": site,
	}
	for who, c := range callers {
		_, ofWiki, wikiErr := s.CreateToken(ctx, c, gitstore.NewToken{Wiki: "notes", Role: wiki.Viewer})
		_, ofBob, bobErr := s.CreateToken(ctx, c, gitstore.NewToken{User: "bob"})
		if got, want := wikiErr == nil, who == "alice" || who == "host" || who == "narrowed"; got != want {
			t.Errorf("%s makes a token of the wiki: %v", who, wikiErr)
		}
		if got, want := bobErr == nil, who == "bob" || who == "host"; got != want {
			t.Errorf("%s makes a token of bob's: %v", who, bobErr)
		}
		if wikiErr == nil && who != "host" && ofWiki.User != "alice" || bobErr == nil && ofBob.User != "bob" {
			t.Errorf("%s: made by %q and %q", who, ofWiki.User, ofBob.User)
		}
		_, ofWiki, err := s.CreateToken(ctx, host, gitstore.NewToken{Wiki: "notes", Role: wiki.Viewer})
		must(t, err)
		_, ofBob, err = s.CreateToken(ctx, host, gitstore.NewToken{User: "bob"})
		must(t, err)
		wikiErr, bobErr = s.RevokeToken(ctx, c, ofWiki.ID), s.RevokeToken(ctx, c, ofBob.ID)
		if got, want := wikiErr == nil, who == "alice" || who == "host" || who == "narrowed" || who == "token" || who == "bound" || who == "site"; got != want {
			t.Errorf("%s ends a token of the wiki: %v", who, wikiErr)
		}
		if got, want := bobErr == nil, who == "bob" || who == "host" || who == "dave"; got != want {
			t.Errorf("%s ends a token of bob's: %v", who, bobErr)
		}
		self := c
		if self.Credential = ofBob.ID; bobErr != nil {
			if err := s.RevokeToken(ctx, self, ofBob.ID); err != nil {
				t.Errorf("%s: a token cannot end itself: %v", who, err)
			}
		}
		_, listErr := s.TokensOf(ctx, c, "bob")
		if got, want := listErr == nil, who == "bob" || who == "host" || who == "dave"; got != want {
			t.Errorf("%s lists bob's tokens: %v", who, listErr)
		}
		_, listErr = s.Tokens(ctx, c, "notes")
		if got, want := listErr == nil, who == "alice" || who == "host" || who == "narrowed" || who == "token" || who == "bound" || who == "site"; got != want {
			t.Errorf("%s lists the wiki's tokens: %v", who, listErr)
		}
	}
	// Bob's own, narrowed: neither a list nor the end of another.
	_, other, err := s.CreateToken(ctx, bob, gitstore.NewToken{User: "bob"})
	must(t, err)
	little := bob
	little.Narrowed, little.Credential = wiki.Viewer, "u-0123456789abcdef"
	if err := s.RevokeToken(ctx, little, other.ID); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("a narrowed token ended another: %v", err)
	}
	if _, err := s.TokensOf(ctx, little, "bob"); !errors.Is(err, wiki.ErrForbidden) {
		t.Errorf("a narrowed token lists others: %v", err)
	}
}

// TestTokensHaveAnEnd: nobody fills the site with tokens.
func TestTokensHaveAnEnd(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	files := map[string]string{}
	for i := range 199 {
		id := fmt.Sprintf("u-%02x112233445566ff", i)
		files[".wikibot/tokens/"+id[2:4]+"/"+id+".toml"] = tokenText("bob")
	}
	gitstoretest.Files(t, filepath.Join(dir, "admin.git"), "refs/wikibot/tokens", files)
	time.Sleep(20 * time.Millisecond)
	_, last, err := s.CreateToken(ctx, bob, gitstore.NewToken{User: "bob"})
	must(t, err)
	if _, _, err := s.CreateToken(ctx, bob, gitstore.NewToken{User: "bob"}); !errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), "revoke one") {
		t.Errorf("the 201st: %v", err)
	}
	if _, _, err := s.CreateToken(ctx, carol, gitstore.NewToken{User: "carol"}); err != nil {
		t.Errorf("carol's first: %v", err)
	}
	must(t, s.RevokeToken(ctx, bob, last.ID))
	if _, _, err := s.CreateToken(ctx, bob, gitstore.NewToken{User: "bob"}); err != nil {
		t.Errorf("after one was revoked: %v", err)
	}
}

// TestTokensAtOnce: many make, list and revoke at the same time; the lists agree
// with what is there.
func TestTokensAtOnce(t *testing.T) {
	s, _ := site(t)
	ctx := context.Background()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				_, a, err := s.CreateToken(ctx, bob, gitstore.NewToken{User: "bob"})
				if err != nil {
					t.Error(err)
					return
				}
				_, _, err = s.CreateToken(ctx, carol, gitstore.NewToken{User: "carol"})
				_, listErr := s.TokensOf(ctx, bob, "bob")
				if err := errors.Join(err, listErr, s.RevokeToken(ctx, bob, a.ID)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	bobs, err := s.TokensOf(ctx, bob, "bob")
	must(t, err)
	carols, err := s.TokensOf(ctx, carol, "carol")
	if err != nil || len(bobs) != 0 || len(carols) != 40 {
		t.Errorf("bob has %d, carol %d, %v; want 0 and 40", len(bobs), len(carols), err)
	}
}

// BenchmarkCreateToken: one token more, beside 100 and 10,000 of others.
func BenchmarkCreateToken(b *testing.B) {
	for _, n := range []int{100, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			s, dir := site(b)
			files := map[string]string{}
			for i := range n {
				id := fmt.Sprintf("u-%016x", sha256.Sum256(fmt.Append(nil, i)))[:18]
				files[".wikibot/tokens/"+id[2:4]+"/"+id+".toml"] = tokenText(fmt.Sprint("p", i))
			}
			gitstoretest.Files(b, filepath.Join(dir, "admin.git"), "refs/wikibot/tokens", files)
			time.Sleep(20 * time.Millisecond)
			ctx := context.Background()
			_, err := s.TokensOf(ctx, bob, "bob") // the index is made once
			must(b, err)
			b.ResetTimer()
			for b.Loop() {
				_, k, err := s.CreateToken(ctx, host, gitstore.NewToken{User: "bob"})
				must(b, err)
				_, err = s.Token(ctx, k.ID)
				must(b, err)
			}
		})
	}
}
