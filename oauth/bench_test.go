package oauth_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"wikibot/gitstore"
	"wikibot/gitstore/gitstoretest"
	"wikibot/oauth"
	"wikibot/wiki"
)

// BenchmarkTokenCheck is a request's credential from the header to the caller,
// on a site with 1,000 tokens of one wiki and 10,000 of people, all of them in
// turn. The records are read from git.
func BenchmarkTokenCheck(b *testing.B) {
	dir := b.TempDir()
	ctx := context.Background()
	open := func() *gitstore.Store {
		s, err := gitstore.Open(ctx, gitstore.Config{Dir: dir, Domain: "example.org"})
		if err != nil {
			b.Fatal(err)
		}
		return s
	}
	s := open()
	host := wiki.Caller{Host: true, Via: wiki.ViaCLI}
	for i := range 10 {
		if err := s.AddUser(ctx, host, gitstore.NewUser{Name: wiki.Username(fmt.Sprint("person", i))}); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "notes", Owner: "person0"}); err != nil {
		b.Fatal(err)
	}
	s.Close()
	text := base64.RawURLEncoding.EncodeToString(make([]byte, 32))
	record := func(i int) string {
		return fmt.Sprintf("schema = 1\nname = \"t\"\nhash = \"sha256:%x\"\nrole = \"editor\"\nmaker = \"person%d\"\ncreated_at = 2026-01-02T03:04:05Z\nlast_four = \"AAAA\"\n", sha256.Sum256([]byte(text)), i%10)
	}
	ofWiki, ofPeople := map[string]string{}, map[string]string{}
	var wikiTokens, peopleTokens []string
	for i := range 11_000 {
		name := fmt.Sprintf("%x", sha256.Sum256(fmt.Append(nil, i)))
		if i < 1000 {
			id := "w-notes-" + name[:8]
			ofWiki[".wikibot/tokens/"+name[:2]+"/"+id+".toml"] = record(i)
			wikiTokens = append(wikiTokens, "wbt_"+id+"_"+text)
			continue
		}
		id := "u-" + name[:16]
		ofPeople[".wikibot/tokens/"+name[:2]+"/"+id+".toml"] = record(i)
		peopleTokens = append(peopleTokens, "wbt_"+id+"_"+text)
	}
	gitstoretest.Files(b, filepath.Join(dir, "wikis/notes.git"), "refs/wikibot/tokens", ofWiki)
	gitstoretest.Files(b, filepath.Join(dir, "admin.git"), "refs/wikibot/tokens", ofPeople)

	s = open()
	defer s.Close()
	addresses, err := wiki.ParseAddresses("https://wiki.example.org", wiki.LayoutPath)
	if err != nil {
		b.Fatal(err)
	}
	a, err := oauth.Open(oauth.Config{Dir: b.TempDir(), Token: s.Token, User: s.User, Addresses: addresses})
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	requests := func(tokens []string) []*http.Request {
		var out []*http.Request
		for _, t := range tokens {
			r, _ := http.NewRequest("GET", "/", nil) // never fails
			r.Header.Set("Authorization", "Bearer "+t)
			if _, err := a.Caller(r); err != nil {
				b.Fatal(err)
			}
			out = append(out, r)
		}
		return out
	}
	for name, list := range map[string][]*http.Request{"wiki-1000": requests(wikiTokens), "people-10000": requests(peopleTokens)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := a.Caller(list[i%len(list)]); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"-parallel", func(b *testing.B) {
			b.RunParallel(func(p *testing.PB) {
				for i := 0; p.Next(); i++ {
					if _, err := a.Caller(list[i%len(list)]); err != nil {
						b.Error(err)
						return
					}
				}
			})
		})
	}
}
