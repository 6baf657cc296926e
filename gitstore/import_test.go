package gitstore_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// TestImportedMarksAreClaims: mallory brings a repository whose commits pretend
// to be the server's own work; history shows them as claimed.
func TestImportedMarksAreClaims(t *testing.T) {
	s, _ := site(t)
	ctx := context.Background()
	_, err := s.AdoptWiki(ctx, host, gitstore.NewWiki{Slug: "forged", Owner: "alice"}, func(ctx context.Context, in *gitstore.Incoming) error {
		stream := "commit refs/heads/main\nauthor alice <alice@users.noreply.example.org> 1700000000 +0000\ncommitter wikibot <" + gitstore.ServerEmail + "> 1700000000 +0000\n" +
			"data <<END\n[web] Create: Home\n\nWikibot-Actor: alice\nWikibot-Via: web\nEND\nM 644 inline Home.md\ndata 5\nHome\n\nM 644 inline What?.md\ndata 2\nx\n\n"
		cmd := exec.Command("git", "-C", in.Dir, "fast-import", "--quiet")
		cmd.Stdin = strings.NewReader(stream)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return in.Rearrange(ctx, []gitstore.Move{{From: "What?.md", To: "What%3F.md"}}, "[import] map names")
	})
	must(t, err)
	v, err := s.View(ctx, alice, "forged")
	must(t, err)
	c, err := v.Last(ctx, "Home")
	must(t, err)
	if c.Actor != "" || !c.Claimed() {
		t.Errorf("the forged commit counts as done by %q via %q", c.Actor, c.Via)
	}
	if c, err = v.Last(ctx, "What?"); err != nil || c.Actor != "operator" {
		t.Errorf("the server's own commit on top is by %q, %v", c.Actor, err)
	}
	if got := git(t, filepath.Join(s.CacheDir(), "../wikis/forged.git"), "log", "--format=%s", "refs/wikibot/audit"); !strings.Contains(got, "import refs/heads/main") {
		t.Errorf("the audit says %q", got)
	}
}

// TestSiteTokensMakeNoTokens: what nobody's standing bounds does not multiply.
func TestSiteTokensMakeNoTokens(t *testing.T) {
	s, _ := site(t)
	ctx := context.Background()
	_, tok, err := s.CreateToken(ctx, host, gitstore.NewToken{Wiki: "notes", Role: wiki.Owner})
	must(t, err)
	full, err := s.Token(ctx, tok.ID)
	must(t, err)
	c := wiki.Caller{Site: true, Credential: tok.ID, Narrowed: wiki.Owner, Only: "notes", OnlyID: full.WikiID, Via: wiki.ViaAPI}
	if _, err := s.View(ctx, c, "notes"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.CreateToken(ctx, c, gitstore.NewToken{Wiki: "notes", Role: wiki.Viewer}); err == nil {
		t.Error("a token of the site made another")
	}
}
