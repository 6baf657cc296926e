package gitstore_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"wikibot/gitstore"
	"wikibot/wiki"
)

// TestAccountsAreTheAdministrators: nobody but administrators changes accounts,
// and a credential that was narrowed is no administrator's.
func TestAccountsAreTheAdministrators(t *testing.T) {
	s, dir := site(t)
	ctx := context.Background()
	must(t, s.AddUser(ctx, host, gitstore.NewUser{Name: "boss", Admin: true}))
	boss := wiki.Caller{User: "boss", Via: wiki.ViaWeb}
	narrowed, bound := boss, boss
	narrowed.Narrowed = wiki.Owner
	bound.Only, bound.OnlyID = "notes", "x"
	key, _ := newEd25519(t)
	must(t, s.AddKey(ctx, bob, "bob", key))
	k, err := gitstore.ParseSSHKey(key)
	must(t, err)
	for _, c := range []wiki.Caller{{}, alice, mallory, narrowed, bound, {Site: true, Only: "notes", Narrowed: wiki.Owner}} {
		for what, err := range map[string]error{
			"suspends":      s.SetSuspended(ctx, c, "bob", true),
			"deletes":       s.DeleteUser(ctx, c, "bob"),
			"makes":         s.SetAdmin(ctx, c, "mallory", true),
			"removes a key": s.RemoveKey(ctx, c, "bob", k.Fingerprint),
		} {
			if !errors.Is(err, wiki.ErrForbidden) && !errors.Is(err, wiki.ErrNotFound) {
				t.Errorf("%+v %s: %v", c, what, err)
			}
		}
		if _, err := s.Keys(ctx, c, "bob"); !errors.Is(err, wiki.ErrNotFound) {
			t.Errorf("%+v sees bob's keys: %v", c, err)
		}
	}
	if u, err := s.User(ctx, "bob"); err != nil || u.Suspended || u.Admin || len(u.SSHKeys) != 1 {
		t.Fatalf("bob is %+v, %v", u, err)
	}

	// The administrator does each, and of themselves what leaves somebody.
	must(t, s.SetSuspended(ctx, boss, "bob", true))
	if err := s.AddKey(ctx, bob, "bob", skED25519); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("suspended, bob adds a key: %v", err)
	}
	must(t, s.SetSuspended(ctx, boss, "bob", false))
	must(t, s.RemoveKey(ctx, bob, "bob", k.Fingerprint))
	for what, err := range map[string]error{
		"suspend themselves": s.SetSuspended(ctx, boss, "boss", true),
		"delete themselves":  s.DeleteUser(ctx, boss, "boss"),
		"step down":          s.SetAdmin(ctx, boss, "boss", false),
	} {
		if !errors.Is(err, wiki.ErrForbidden) || !strings.Contains(err.Error(), "only administrator") {
			t.Errorf("the last administrator may %s: %v", what, err)
		}
	}
	before := git(t, filepath.Join(dir, "admin.git"), "rev-parse", "main")
	must(t, s.SetAdmin(ctx, boss, "alice", false)) // she is none
	if got := git(t, filepath.Join(dir, "admin.git"), "rev-parse", "main"); got != before {
		t.Error("nothing changed, and there is a commit")
	}
	must(t, s.SetAdmin(ctx, boss, "alice", true))
	must(t, s.SetAdmin(ctx, boss, "boss", false))
	if err := s.SetSuspended(ctx, boss, "carol", true); !errors.Is(err, wiki.ErrForbidden) {
		t.Errorf("a former administrator suspends: %v", err)
	}
	must(t, s.DeleteUser(ctx, alice, "boss"))
	if err := s.AddUser(ctx, host, gitstore.NewUser{Name: "boss"}); !errors.Is(err, wiki.ErrExists) {
		t.Errorf("the name is given out again: %v", err)
	}
}
