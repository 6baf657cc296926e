package gitstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/gitstore/gitstoretest"
	"wikibot/wiki"
)

// people is a site with accounts: "name" a person, "name!" an administrator,
// "name-" one who is suspended.
func people(names ...string) *site {
	st := (&site{}).copy()
	for _, n := range names {
		u := &User{Name: wiki.Username(strings.TrimRight(n, "!-"))}
		u.Admin, u.Suspended = strings.Contains(n, "!"), strings.Contains(n, "-")
		st.put(u)
	}
	return st
}

func TestGuardPeople(t *testing.T) {
	yes := []string{"ci.skip", confirmRemovals}
	for _, c := range []struct {
		was, now string
		options  []string
		want     string // part of the question; empty: none
	}{
		{"op! al bo", "op! al bo", nil, ""},
		{"op! al bo ca", "op! al- bo- ca-", nil, ""},
		{"op! al bo ca da", "op! al- bo- ca- da-", nil, "from 4 people: al, bo, ca, da"},
		{"op! al bo ca da", "op!", nil, "from 4 people"},
		{"op! al bo ca da", "op!", yes, ""},
		{"op! al! bo! ca! da! e!", "op! al! bo ca da e", nil, "from 4 people"},
		{"op! al- bo- ca- da- e-", "op!", nil, ""}, // they had nothing to lose
		{"op! al!", "op! al", nil, "a single administrator would be left; al would"},
		{"op! al!", "op! al-!", nil, "a single administrator"},
		{"op! al!", "op!", yes, ""},
		{"op! al!", "op! al", []string{"confirm"}, `the push option "confirm" is not known`},
		{"op! al! bo!", "op! al! bo", nil, ""},
		{"op!", "op! al", nil, ""},
		{"op! al", "op al!", nil, ""}, // the one for the other: as many as before
	} {
		was, now := people(strings.Fields(c.was)...), people(strings.Fields(c.now)...)
		var changes []change
		for name := range was.users.all() {
			changes = append(changes, change{path: userFile(wiki.Username(string(name) + "x"))}) // somebody else's
			changes = append(changes, change{path: "users/" + pad(name)[:2] + "/" + pad(name) + ".toml"})
		}
		was, now = padded(was), padded(now)
		got := was.guardPeople(now, changes, c.options)
		if text := fmt.Sprint(got.OrNil()); (len(got) > 0) != (c.want != "") || !strings.Contains(strings.ReplaceAll(text, "0", ""), c.want) {
			t.Errorf("%s → %s with %v: got %q, want %q", c.was, c.now, c.options, text, c.want)
		}
	}
}

// pad makes a name long enough for its folder.
func pad(name wiki.Username) string { return (string(name) + "00")[:max(2, len(name))] }

func padded(st *site) *site {
	out := (&site{}).copy()
	for _, u := range st.users.all() {
		v := *u
		v.Name = wiki.Username(pad(u.Name))
		out.put(&v)
	}
	return out
}

func TestGuardGrants(t *testing.T) {
	grants := func(text string) *acl.Policy {
		p := &acl.Policy{Schema: 1, Grants: map[string]wiki.Role{}}
		for _, f := range strings.Fields(text) {
			name, role, _ := strings.Cut(f, "=")
			p.Grants[name], _ = wiki.ParseRole(role)
		}
		return p
	}
	many := ""
	for i := range 20 {
		many += fmt.Sprintf(" did:x:%d=viewer", i)
	}
	st := people("al", "bo", "ca", "da", "ed")
	const all = "al=owner bo=editor ca=editor da=editor ed=viewer"
	for _, c := range []struct {
		was, now string
		options  []string
		asks     bool
	}{
		{all, "al=owner bo=editor", nil, false},
		{all, "al=owner", nil, true},
		{all, "al=owner bo=viewer ca=viewer da=viewer", nil, true},
		{all, "al=owner bo=owner ca=owner da=owner ed=owner", nil, false},
		{all, "al=owner", []string{confirmRemovals}, false},
		{all, "al=owner", []string{"confirm-removal"}, true},
		{all + many, "al=owner" + many, nil, false}, // four of 25
		{all + many, "al=owner bo=editor ca=editor da=editor ed=viewer", nil, true},
		{"al=owner g1=editor g2=editor g3=editor g4=editor", "al=owner", nil, false}, // they are gone
	} {
		got := st.guardGrants(grants(c.was), grants(c.now), c.options)
		if (len(got) > 0) != c.asks {
			t.Errorf("%s → %s with %v: %v, want a question: %v", c.was, c.now, c.options, got, c.asks)
		}
	}
}

func TestSecrets(t *testing.T) {
	token := "wbt_u-0123456789abcdef_" + strings.Repeat("Az09_-x", 7)[:43]
	for text, want := range map[string]string{
		"nothing here": "",
		"a PRIVATE KEY is never to be pasted, nor a wbt_ token":  "",
		"wbt_u-0123456789abcdef_short":                           "",
		"wbt_u-0123456789abcdef":                                 "",
		"x\n  -----BEGIN PRIVATE KEY-----":                       "f:2:8: a private key",
		"-----BEGIN RSA PRIVATE KEY-----":                        "f:1:6: a private key",
		"-----BEGIN PGP PRIVATE KEY BLOCK-----":                  "f:1:6: a private key",
		"PuTTY-User-Key-File-3: ssh-ed25519":                     "f:1:1: a private key",
		"key = \"" + token + "\"":                                "f:1:8: the token wbt_u-0123456789abcdef_… stands here whole",
		"# wbt_w-my-wiki-01234567_" + strings.Repeat("a", 43):    "f:1:3: the token wbt_w-my-wiki-01234567_…",
		"\n\n" + token + "\n-----BEGIN OPENSSH PRIVATE KEY-----": "f:4:6: a private key",
	} {
		got := secretFaults("f", "", []byte(text))
		if (len(got) > 0) != (want != "") || want != "" && !strings.HasPrefix(got[0].String(), want) {
			t.Errorf("%q: %v, want %q", text, got, want)
		}
		if strings.Contains(fmt.Sprint(got), token[len(token)-20:]) {
			t.Errorf("%q is told", text)
		}
	}
}

// blobs are objects in memory.
type blobs map[plumbing.Hash][]byte

func (b blobs) Get(oid plumbing.Hash) (plumbing.ObjectType, []byte, error) {
	if data, ok := b[oid]; ok {
		return plumbing.BlobObject, data, nil
	}
	return 0, nil, plumbing.ErrObjectNotFound
}

// FuzzPersonRecord: whatever somebody pushes as a person's record, it loads or it
// has faults with their place, and nobody else's standing changes.
func FuzzPersonRecord(f *testing.F) {
	for _, s := range []string{"schema = 1\n", "schema = 1\nadmin = true\ndid = \"did:plc:ewvi7nxzyoun6zhxrhs64oiz\"\n", "schema = 9", "schema = 1\nssh_keys = [\"x\", 1]\n", "", "[users]\n", "schema = 1\ndeleted = true\n"} {
		f.Add(s)
	}
	base := people("op!", "alice", "bob")
	f.Fuzz(func(t *testing.T, text string) {
		oid := plumbing.ComputeHash(plumbing.BlobObject, []byte(text))
		r := &repo{name: admin, store: &Store{log: slog.New(slog.DiscardHandler), ctx: context.Background()}, source: blobs{oid: []byte(text)}}
		e := &entry{name: "bob.toml", mode: modeFile, oid: oid}
		next, faults, err := base.after([]change{{path: "users/bo/bob.toml", old: e, new: e}}, r)
		if err != nil {
			t.Fatal(err)
		}
		loaded := next.users.has("bob") || next.deleted.has("bob")
		if len(faults) == 0 != loaded && len(faults) == 0 {
			t.Fatalf("%q is neither loaded nor at fault", text)
		}
		for _, f := range faults {
			if f.File != "users/bo/bob.toml" || f.Line < 1 || f.Text == "" {
				t.Fatalf("%q: %+v", text, f)
			}
		}
		if next.users.get("alice") != base.users.get("alice") || !next.users.has("op") || !base.users.has("bob") || next.admins < 1 {
			t.Fatalf("%q changes others", text)
		}
		secretFaults("f", "", []byte(text))
	})
}

// TestTreesThatNameThemselves: a push of a few objects whose tree has more files, or
// more empty folders, than any machine has memory, or paths without end, is refused
// at once, on main and on a configuration.
func TestTreesThatNameThemselves(t *testing.T) {
	x := newTroubled(t, t.TempDir())
	dir := x.notes()
	entry := func(mode, name, oid string) string {
		return mode + " " + map[string]string{"040000": "tree", "100644": "blob"}[mode] + " " + oid + "\t" + name
	}
	grow := func(leaf string, levels, each int, name string) string {
		for range levels {
			var list []string
			for i := range each {
				list = append(list, entry("040000", name+string(rune('a'+i)), leaf))
			}
			leaf = gitstoretest.GitIn(t, dir, strings.Join(list, "\n")+"\n", "mktree")
		}
		return leaf
	}
	blob := gitstoretest.GitIn(t, dir, "x", "hash-object", "-w", "--stdin")
	file := gitstoretest.GitIn(t, dir, entry("100644", "x.md", blob)+"\n", "mktree")
	empty := gitstoretest.GitIn(t, dir, "", "mktree")
	for what, tree := range map[string]string{
		"files":   grow(file, 12, 10, "d"),
		"folders": grow(empty, 40, 2, "d"),
		"a path":  grow(file, 60, 1, strings.Repeat("long", 50)),
	} {
		for _, ref := range []string{refMain, refConfig} {
			head := gitstoretest.Git(t, dir, "rev-parse", ref)
			commit := gitstoretest.Git(t, dir, "commit-tree", "-p", head, "-m", "x", tree)
			err := x.s.CheckPush(context.Background(), &Push{Caller: owner, Wiki: "notes", Dir: dir, Commands: []RefCommand{{Old: head, New: commit, Ref: ref}}})
			if err == nil || !errors.Is(err, wiki.ErrInvalid) {
				t.Errorf("%s on %s: %v", what, ref, err)
			}
		}
	}
}
