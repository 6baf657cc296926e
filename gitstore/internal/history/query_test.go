package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/wiki"
)

const prose = "One sentence.\nAnother sentence.\nA third sentence.\nAnd a fourth one.\n"

func (r *repo) commitNames(oids ...int) (out []wiki.Revision) {
	for _, i := range oids {
		out = append(out, revision(r.all[i-1]))
	}
	return out
}

func TestRenames(t *testing.T) {
	var s stream
	tree := files{"A.md": prose, "B.md": prose, "C.md": prose + "C.\n", "logo.png": "png"}
	s.commit("main", tree, "Begin")
	s.commit("main", files{"A.md": prose, "New/B.md": prose, "C.md": prose + "C.\n", "New/logo.png": "png"}, "Move by blob", 1)
	s.commit("main", files{"A.md": prose, "New/B.md": prose, "D.md": prose + "C, and more.\n", "New/logo.png": "png"}, "Move and edit", 2)
	// The texts alone would pair E with A and F with New/B by name or chance.
	server := "Swap\n\nWikibot-Actor: alice\nWikibot-Via: web\nWikibot-Renamed: A.md -> F.md\nWikibot-Renamed: New/B.md -> E.md"
	s.commit("main", files{"E.md": prose, "F.md": prose, "D.md": prose + "C, and more.\n", "New/logo.png": "png"}, server, 3)
	stream := strings.Replace(s.b.String(), "committer Bob Bobson <bob@example.org> "+"1700000245", "committer wikibot <"+serverEmail+"> 1700000245", 1)
	s.b.Reset()
	s.b.WriteString(stream)
	r := s.repo(t)
	x := r.build(r.head)

	for file, want := range map[string]string{
		"F.md":         "4 R A.md, 1 A ",
		"E.md":         "4 R New/B.md, 2 R B.md, 1 A ",
		"D.md":         "3 R C.md, 1 A ",
		"New/logo.png": "2 R logo.png, 1 A ",
		"C.md":         "3 D , 1 A ",
	} {
		log, _, err := x.Log(plumbing.ZeroHash, file, plumbing.ZeroHash, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, c := range log {
			got = append(got, fmt.Sprintf("%d %c %s", slices.Index(r.all, plumbing.NewHash(string(c.Revision)))+1, c.Kind, c.Changes[0].From))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("the log of %s is %q, want %q", file, got, want)
		}
	}
	c, err := x.Commit(wiki.Head)
	if err != nil {
		t.Fatal(err)
	}
	if c.Actor != "alice" || c.Via != wiki.ViaWeb || c.Body != "" || len(c.Changes) != 2 || c.Changes[0].Kind != wiki.Renamed {
		t.Errorf("the server's commit is shown as %+v", c)
	}
	blame, err := x.Blame(context.Background(), plumbing.ZeroHash, "D.md")
	if err != nil || len(blame) != 5 || blame[0].Path != "C" || blame[4].Path != "D" || blame[0].Commit.Revision != r.commitNames(1)[0] {
		t.Errorf("blame across a rename: %+v, %v", blame, err)
	}
}

func TestTrailersOfOthersAreNotBelieved(t *testing.T) {
	var s stream
	s.commit("main", files{"A.md": prose}, "Forged\n\nWikibot-Actor: alice\nWikibot-Key: k1")
	r := s.repo(t)
	x := r.build(r.head)
	c, err := x.Commit(wiki.Head)
	if err != nil || c.Actor != "" || !strings.Contains(c.Body, "Wikibot-Actor") {
		t.Errorf("a forged trailer is shown as %+v, %v", c, err)
	}
	if _, ok := x.FindKey("k1", time.Unix(0, 0)); ok {
		t.Error("a forged key is found")
	}
}

func appended(t *testing.T, x *Index, n int, message string, changes ...Change) plumbing.Hash {
	t.Helper()
	c := Commit{OID: plumbing.ComputeHash(plumbing.CommitObject, []byte(fmt.Sprint(n))), Message: message, Changes: changes,
		Author:    Signature{"Alice", "alice@example.org", time.Unix(int64(n)*60, 0)},
		Committer: Signature{"wikibot", serverEmail, time.Unix(int64(n)*60, 0)}}
	if h := x.Head(); !h.IsZero() {
		c.Parents = []plumbing.Hash{h}
	}
	if err := x.Append(c); err != nil {
		t.Fatal(err)
	}
	return c.OID
}

func TestFindKey(t *testing.T) {
	x := New(Options{ServerEmail: serverEmail})
	first := appended(t, x, 1, "One\n\nWikibot-Actor: alice\nWikibot-Via: api\nWikibot-Agent: Claude Code 2.1\nWikibot-Key: abc\n")
	appended(t, x, 2, "Two\n\nBody.\n\nWikibot-Via: api\n")
	c, ok := x.FindKey("abc", time.Unix(60, 0))
	if !ok || c.Revision != revision(first) || c.Agent != "Claude Code 2.1" || c.Via != wiki.ViaAPI {
		t.Errorf("FindKey: %+v, %v", c, ok)
	}
	for _, q := range []struct {
		key   string
		since int64
	}{{"abc", 61}, {"abd", 0}, {"", 0}} {
		if _, ok := x.FindKey(q.key, time.Unix(q.since, 0)); ok {
			t.Errorf("FindKey(%q, %d) found something", q.key, q.since)
		}
	}
	if c, _ := x.Commit(wiki.Head); c.Subject != "Two" || c.Body != "Body." {
		t.Errorf("the message is shown as %q, %q", c.Subject, c.Body)
	}
}

func TestSetClaimed(t *testing.T) {
	x := New(Options{ServerEmail: serverEmail})
	imported := appended(t, x, 1, "One\n\nWikibot-Actor: alice\nWikibot-Key: abc\n")
	own := appended(t, x, 2, "Two\n\nWikibot-Actor: bob\nWikibot-Key: def\n")
	if n := x.SetClaimed(imported); n != 1 {
		t.Errorf("%d commits claimed, want 1", n)
	}
	x.SetPushed(plumbing.ZeroHash, own, "carol", wiki.ViaSSH)
	for oid, want := range map[plumbing.Hash]wiki.Username{imported: "", own: "bob"} {
		if c, err := x.Commit(revision(oid)); err != nil || c.Actor != want {
			t.Errorf("the actor of %s is %q, want %q (%v)", c.Subject, c.Actor, want, err)
		}
	}
	_, before := x.FindKey("abc", time.Unix(0, 0))
	_, after := x.FindKey("def", time.Unix(0, 0))
	if before || !after {
		t.Errorf("the key of an imported commit is found: %v, of an own one: %v", before, after)
	}
}

func TestResolve(t *testing.T) {
	x := New(Options{})
	var all []plumbing.Hash
	for i := range 300 {
		all = append(all, appended(t, x, i, "m"))
	}
	for _, oid := range all {
		for _, digits := range []int{7, 8, 13, 40} {
			got, err := x.Resolve(wiki.Revision(oid.String()[:digits]))
			if err != nil || got != oid {
				t.Fatalf("Resolve of %d digits of %s: %s, %v", digits, oid, got, err)
			}
		}
	}
	for rev, want := range map[wiki.Revision]error{"0000000": wiki.ErrNotFound, "abc": wiki.ErrInvalid, "main~1": wiki.ErrInvalid} {
		if _, err := x.Resolve(rev); !errors.Is(err, want) {
			t.Errorf("Resolve(%q): %v, want %v", rev, err, want)
		}
	}
	twin := Commit{OID: all[299], Parents: []plumbing.Hash{x.Head()}}
	twin.OID[19]++
	if err := x.Append(twin); err != nil {
		t.Fatal(err)
	}
	if _, err := x.Resolve(revision(all[299])[:9]); !errors.Is(err, wiki.ErrInvalid) {
		t.Errorf("a prefix of two commits: %v", err)
	}
}

func TestChanges(t *testing.T) {
	var s stream
	a, b := files{"A.md": prose}, files{"A.md": prose + "more\n"}
	s.commit("main", a, "1 begin")                                                              // Bob
	s.commit("side", files{"A.md": prose, "Design/S.md": "s\n"}, "2 side", 1)                   // Çelik
	s.commit("main", b, "3 main", 1)                                                            // Alice
	s.commit("main", files{"A.md": prose + "more\n", "Design/S.md": "s\n"}, "4 merge", 3, 2)    // Bob
	s.commit("main", files{"A.md": "x\n", "Design/S.md": "t\n", "Z.md": "z\n"}, "5 several", 4) // Çelik
	r := s.repo(t)
	x := r.build(r.head)
	for name, c := range map[string]struct {
		filter Filter
		want   string
	}{
		"all":            {Filter{}, "5 A.md,Design/S.md,Z.md | 4  | 2 Design/S.md | 3 A.md | 1 A.md"},
		"author":         {Filter{Author: "alice"}, "3 A.md"},
		"address":        {Filter{Author: "BOB@example.org"}, "4  | 1 A.md"},
		"prefix":         {Filter{Prefix: "Design/"}, "5 A.md,Design/S.md,Z.md | 2 Design/S.md"},
		"as of the side": {Filter{At: r.all[1]}, "2 Design/S.md | 1 A.md"},
		"as of 3":        {Filter{At: r.all[2]}, "3 A.md | 1 A.md"},
	} {
		for _, limit := range []int{100, 1} {
			c.filter.Limit, c.filter.After = limit, plumbing.ZeroHash
			var got []string
			for range 20 {
				commits, next, err := x.Changes(c.filter)
				if err != nil {
					t.Fatal(err)
				}
				for _, c := range commits {
					var names []string
					for _, f := range c.Changes {
						names = append(names, f.File)
					}
					got = append(got, c.Subject[:1]+" "+strings.Join(names, ","))
				}
				if c.filter.After = next; next.IsZero() {
					break
				}
			}
			if strings.Join(got, " | ") != c.want {
				t.Errorf("%s, %d at a time: %q, want %q", name, limit, strings.Join(got, " | "), c.want)
			}
		}
	}
}

func TestSetPushed(t *testing.T) {
	for seed := range uint64(5) {
		r := randomHistory(t, seed+400, 120, true)
		x := r.build(r.head)
		old, new := r.all[40], r.all[80]
		if !x.Contains(old) || !x.Contains(new) {
			t.Fatal("every line is merged at the end")
		}
		want := strings.Fields(r.out("rev-list", new.String(), "^"+old.String()))
		if n := x.SetPushed(old, new, "bob", wiki.ViaHTTPS); n != len(want) {
			t.Errorf("seed %d: %d commits marked, want %d", seed, n, len(want))
		}
		x.SetPushed(plumbing.ZeroHash, r.head, "carol", wiki.ViaSSH)
		for _, oid := range r.all {
			who := wiki.Username("carol")
			if slices.Contains(want, oid.String()) {
				who = "bob"
			}
			if c, err := x.Commit(revision(oid)); err != nil || c.Actor != who {
				t.Errorf("seed %d: %s was brought in by %q, want %q (%v)", seed, oid, c.Actor, who, err)
			}
		}
	}
}

func TestSetPushedSurvivesReordering(t *testing.T) {
	var s stream
	s.commit("main", files{"A.md": "a\n"}, "1")
	s.commit("main", files{"A.md": "b\n"}, "2", 1)
	s.commit("clone", files{"A.md": "a\n", "B.md": "b\n"}, "3", 1)
	s.commit("main", files{"A.md": "b\n", "B.md": "b\n"}, "4 merge by the clone", 3, 2)
	r := s.repo(t)
	x := r.build(r.all[1])
	x.SetPushed(r.all[0], r.all[1], "alice", wiki.ViaHTTPS)
	if err := x.Advance(r.head); err != nil {
		t.Fatal(err)
	}
	if n := x.SetPushed(r.all[1], r.head, "bob", wiki.ViaSSH); n != 2 {
		t.Errorf("the push brought %d commits, want 2", n)
	}
	for i, want := range []wiki.Username{"", "alice", "bob", "bob"} {
		c, err := x.Commit(revision(r.all[i]))
		if err != nil || c.Actor != want {
			t.Errorf("commit %d was brought in by %q, want %q (%v)", i+1, c.Actor, want, err)
		}
	}
	// Pushed away: what the push took back is nobody's, what it brought is carol's.
	if err := x.Advance(r.all[1]); err != nil {
		t.Fatal(err)
	}
	if n := x.SetPushed(r.head, r.all[1], "carol", wiki.ViaHTTPS); n != 0 {
		t.Errorf("a push back brought %d commits", n)
	}
}
