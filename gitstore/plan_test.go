package gitstore_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"wikibot/acl"
	"wikibot/gitstore"
	"wikibot/wiki"
)

func status(p acl.Payment) *acl.Payment { return &p }

// behindBack is behind, and waits until the Store sees it: it believes its last
// look at the refs for 10 ms.
func behindBack(t *testing.T, dir, file, text string) {
	t.Helper()
	behind(t, dir, file, text)
	time.Sleep(20 * time.Millisecond)
}

func record(t testing.TB, dir string, slug string) string {
	t.Helper()
	return git(t, filepath.Join(dir, "admin.git"), "show", "main:wikis/"+slug[:2]+"/"+slug+".toml")
}

// TestPlanOfANewWiki: the record says the tier and for whom it was made.
func TestPlanOfANewWiki(t *testing.T) {
	s, dir := site(t)
	got := record(t, dir, "notes")
	for _, want := range []string{"tier = \"self\"\n", "owner = \"alice\"\n", "payment_status = \"free\"\n", "archived = false\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the record has no %q:\n%s", want, got)
		}
	}
	ctx := context.Background()
	if err := s.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "other", Owner: "bob", Tier: "fre"}); !errors.Is(err, wiki.ErrInvalid) || !strings.Contains(err.Error(), `(did you mean "free"?): use free, premium, self`) {
		t.Errorf("a tier that there is not: %v", err)
	}
	must(t, s.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "other", Owner: "bob", Tier: "free"}))
	if err := s.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "third", Owner: "bob", Tier: "free"}); !errors.Is(err, wiki.ErrLimit) || !errors.Is(err, wiki.ErrForbidden) ||
		err.Error() != `bob would have 2 wikis; the tier "free" allows 1: delete a wiki or give it to somebody else first, or ask the site's administrators for another tier` {
		t.Errorf("a second free wiki: %v", err)
	}
	must(t, s.CreateWiki(ctx, host, gitstore.NewWiki{Slug: "third", Owner: "bob", Tier: "premium"}))
	if err := s.SetPlan(ctx, host, "third", gitstore.PlanChange{Tier: "free"}); !errors.Is(err, wiki.ErrLimit) {
		t.Errorf("a second wiki becomes free: %v", err)
	}
	if err := s.SetPlan(ctx, host, "other", gitstore.PlanChange{Owner: "alice"}); !errors.Is(err, wiki.ErrLimit) {
		t.Errorf("a second wiki for alice: %v", err)
	}
	must(t, s.SetPlan(ctx, host, "other", gitstore.PlanChange{Owner: "carol"}))
}

// TestOneWikiForTwoAtOnce: of several creations at once as many pass as may.
func TestOneWikiForTwoAtOnce(t *testing.T) {
	s, _ := site(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for _, slug := range []wiki.Slug{"one", "two", "three", "four"} {
		wg.Go(func() {
			err := s.CreateWiki(context.Background(), host, gitstore.NewWiki{Slug: slug, Owner: "mallory", Tier: "free"})
			if err == nil {
				mu.Lock()
				made++
				mu.Unlock()
			} else if !errors.Is(err, wiki.ErrLimit) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if made != 1 {
		t.Errorf("%d wikis were made, want 1", made)
	}
}

// TestLapsed: nothing is changed through any face, reading goes on but for agents,
// and it is all back with the next request.
func TestLapsed(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	_, token, err := s.CreateToken(ctx, alice, gitstore.NewToken{Wiki: "notes", Role: wiki.Viewer})
	must(t, err)
	must(t, s.SetPlan(ctx, host, "notes", gitstore.PlanChange{Tier: "premium", Payment: status(acl.PaymentLapsed)}))
	for _, via := range []wiki.Via{wiki.ViaWeb, wiki.ViaAPI, wiki.ViaMCP, wiki.ViaHTTPS, wiki.ViaSSH, wiki.ViaCLI} {
		c := wiki.Caller{User: "alice", Via: via}
		_, err := put(t, s, c, "New", "x", gitstore.PutOptions{})
		_, _, tokenErr := s.CreateToken(ctx, c, gitstore.NewToken{Wiki: "notes", Role: wiki.Viewer})
		_, pushErr := s.Repository(ctx, c, "notes", true)
		for what, err := range map[string]error{
			"a page": err, "a grant": s.SetGrant(ctx, c, "notes", "mallory", wiki.Editor), "a token": tokenErr, "a push": pushErr,
			"settings": s.SetSettings(ctx, c, "notes", gitstore.Settings{Name: "x"}), "access": s.SetAccess(ctx, c, "notes", acl.Registered, acl.Granted, acl.Granted),
		} {
			if !errors.Is(err, wiki.ErrPayment) {
				t.Errorf("%s through %s: %v, want ErrPayment", what, via, err)
			}
		}
		if _, err := s.View(ctx, c, "notes"); (via == wiki.ViaMCP) != errors.Is(err, wiki.ErrPayment) {
			t.Errorf("reading through %s: %v", via, err)
		}
		if list, err := s.Wikis(ctx, c); err != nil || (len(list) == 0) != (via == wiki.ViaMCP) {
			t.Errorf("the list through %s: %v, %v", via, list, err)
		}
	}
	if _, err := s.View(ctx, mallory, "notes"); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("mallory: %v, want ErrNotFound", err)
	}
	if _, err := put(t, s, carol, "New", "x", gitstore.PutOptions{}); !errors.Is(err, wiki.ErrForbidden) || errors.Is(err, wiki.ErrPayment) {
		t.Errorf("carol, who may not write: %v, want ErrForbidden", err)
	}
	if stand := view(t, s, alice).Standing(); stand.Write || stand.Manage || !stand.Inspect || !stand.Revoke || !stand.Delete || !strings.Contains(stand.Frozen, "payment has lapsed") {
		t.Errorf("alice's standing is %+v", stand)
	}
	repo, err := s.Repository(ctx, alice, "notes", false)
	if err != nil || !repo.Manage {
		t.Errorf("alice fetches: %+v, %v, want the configuration's refs too", repo, err)
	} else {
		repo.Release()
	}
	aside := gitstore.RefCommand{Old: strings.Repeat("0", 40), New: git(t, filepath.Join(dir, "wikis/notes.git"), "rev-parse", "main"), Ref: "refs/heads/aside"}
	push := gitstore.Push{Caller: wiki.Caller{User: "bob", Via: wiki.ViaHTTPS}, Wiki: "notes", Commands: []gitstore.RefCommand{aside}}
	if err := s.CheckPush(ctx, &push); !errors.Is(err, wiki.ErrPayment) {
		t.Errorf("a push that was under way, in pre-receive: %v, want ErrPayment", err)
	}
	if res, err := s.ApplyPush(ctx, &push, false); err != nil || res[0].OK || !strings.Contains(res[0].Reason, "payment has lapsed") {
		t.Errorf("a push that was under way, in proc-receive: %+v, %v", res, err)
	}
	if list, err := s.Tokens(ctx, alice, "notes"); err != nil || len(list) != 1 {
		t.Errorf("alice's tokens: %v, %v", list, err)
	}
	must(t, s.RevokeToken(ctx, alice, token.ID))
	must(t, s.SetPlan(ctx, host, "notes", gitstore.PlanChange{Payment: status(acl.PaymentActive)}))
	if _, err := put(t, s, bob, "New", "x", gitstore.PutOptions{}); err != nil {
		t.Errorf("restored: %v", err)
	}
	if frozen := view(t, s, alice).Standing().Frozen; frozen != "" {
		t.Errorf("restored, but %q", frozen)
	}
}

// TestWhoSetsPlans: administrators and the operator, nobody else.
func TestWhoSetsPlans(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	must(t, s.AddUser(ctx, host, gitstore.NewUser{Name: "admin-of-all", Admin: true}))
	boss := wiki.Caller{User: "admin-of-all", Via: wiki.ViaAPI}
	narrowed := boss
	narrowed.Narrowed = wiki.Owner
	for _, c := range []wiki.Caller{{}, alice, mallory, narrowed, {Site: true, Narrowed: wiki.Owner, Only: "notes"}} {
		if err := s.SetPlan(ctx, c, "notes", gitstore.PlanChange{Tier: "premium"}); !errors.Is(err, wiki.ErrForbidden) {
			t.Errorf("%+v sets a plan: %v, want ErrForbidden", c, err)
		}
		if err := s.SetArchived(ctx, c, "notes", true); !errors.Is(err, wiki.ErrForbidden) {
			t.Errorf("%+v archives: %v, want ErrForbidden", c, err)
		}
		if _, err := s.Tiers(ctx, c); !errors.Is(err, wiki.ErrNotFound) {
			t.Errorf("%+v lists tiers: %v, want ErrNotFound", c, err)
		}
	}
	must(t, s.SetArchived(ctx, boss, "notes", true))
	if _, err := put(t, s, alice, "New", "x", gitstore.PutOptions{}); !errors.Is(err, wiki.ErrForbidden) || !strings.Contains(err.Error(), "archive") {
		t.Errorf("alice writes into the archive: %v", err)
	}
	if _, err := put(t, s, host, "New", "x", gitstore.PutOptions{}); err != nil {
		t.Errorf("the operator writes into the archive: %v", err)
	}
	before := git(t, filepath.Join(dir, "admin.git"), "rev-parse", "main")
	must(t, s.SetArchived(ctx, boss, "notes", true))
	if after := git(t, filepath.Join(dir, "admin.git"), "rev-parse", "main"); after != before {
		t.Error("a commit that changes nothing")
	}
	must(t, s.SetArchived(ctx, boss, "notes", false))
	if got := git(t, filepath.Join(dir, "admin.git"), "log", "-1", "--format=%an%n%B", "main"); !strings.Contains(got, "admin-of-all\n[api] Take from the archive: notes") || !strings.Contains(got, "Wikibot-Actor: admin-of-all") {
		t.Errorf("the commit says %s", got)
	}
	if err := s.SetArchived(ctx, boss, "nothing", true); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("a wiki that there is not: %v", err)
	}
	if err := s.SetPlan(ctx, boss, "notes", gitstore.PlanChange{Tier: "gold"}); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("a tier that there is not: %v", err)
	}
	if err := s.SetPlan(ctx, boss, "notes", gitstore.PlanChange{Owner: "nobody-here"}); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("an owner that there is not: %v", err)
	}
}

// TestTierBehindTheBack: a main that names a tier which there is not is not in
// force: the plan before it stays, also after a restart, and nothing is built on
// it until somebody puts it right.
func TestTierBehindTheBack(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	good := record(t, dir, "notes")
	behindBack(t, dir, "wikis/no/notes.toml", strings.Replace(good, `"self"`, `"gold"`, 1)+"\n# a comment\n")
	if got := read(t, s, carol, "Home"); !strings.Contains(got, "Welcome") {
		t.Errorf("carol reads %q", got)
	}
	_, err := put(t, s, alice, "New", "x", gitstore.PutOptions{})
	must(t, err)
	if err := s.SetPlan(ctx, host, "notes", gitstore.PlanChange{Tier: "premium"}); !errors.Is(err, wiki.ErrUnavailable) {
		t.Errorf("a change on top of a bad main: %v", err)
	}
	behindBack(t, dir, "wikis/no/notes.toml", good+"\n# a comment\n")
	eventually(t, "main does not come into force", func() bool { return s.Trouble(ctx, host) == nil })
	must(t, s.SetPlan(ctx, host, "notes", gitstore.PlanChange{Tier: "premium"}))
	if got := record(t, dir, "notes"); !strings.Contains(got, "# a comment") {
		t.Errorf("the comment is lost:\n%s", got)
	}
	behindBack(t, dir, "site.toml", "schema = 1\ndefault_tier = \"gold\"\n")
	for range 2 {
		if _, err := put(t, s, alice, "New", "y", gitstore.PutOptions{Overwrite: true}); err != nil {
			t.Errorf("the tiers that loaded last are not in force: %v", err)
		}
		if s.Trouble(ctx, host) == nil {
			t.Error("nobody says that main does not load")
		}
		must(t, s.Close())
		s = open(t, dir)
	}
}

// TestUnknownTier: where nothing better is known than a record that names a tier
// which there is not, the wiki is read and not changed, and the log says so.
func TestUnknownTier(t *testing.T) {
	s, dir := site(t)
	good := record(t, dir, "notes")
	must(t, s.Close())
	behind(t, dir, "wikis/no/notes.toml", strings.Replace(good, `"self"`, `"gold"`, 1)+"\n")
	git(t, filepath.Join(dir, "admin.git"), "update-ref", "-d", "refs/wikibot/good")
	var log bytes.Buffer
	s, err := gitstore.Open(context.Background(), gitstore.Config{Dir: dir, Log: slog.New(slog.NewTextHandler(&log, nil))})
	must(t, err)
	defer s.Close()
	if got := read(t, s, carol, "Home"); !strings.Contains(got, "Welcome") {
		t.Errorf("carol reads %q", got)
	}
	if _, err := put(t, s, alice, "New", "x", gitstore.PutOptions{}); !errors.Is(err, wiki.ErrForbidden) || !strings.Contains(err.Error(), `"gold"`) {
		t.Errorf("alice writes: %v, want ErrForbidden", err)
	}
	if stand := view(t, s, alice).Standing(); stand.Write || !strings.Contains(stand.Frozen, `"gold"`) {
		t.Errorf("alice's standing is %+v", stand)
	}
	if !strings.Contains(log.String(), "tier is not known") || !strings.Contains(log.String(), "gold") {
		t.Errorf("the log says %s", log.String())
	}
	must(t, s.SetPlan(context.Background(), host, "notes", gitstore.PlanChange{Tier: "self"}))
	_, err = put(t, s, alice, "New", "x", gitstore.PutOptions{})
	must(t, err)
}
