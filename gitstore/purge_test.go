package gitstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
	"wikibot/wiki"
)

const leaked = "hunter2-Zq8!vW"

// leaky is a site whose wiki notes had a secret on the page Key, which was edited
// away, and whose audit has an entry of each kind.
func leaky(t *testing.T, dir string) *troubled {
	t.Helper()
	x := newTroubled(t, dir)
	ctx := context.Background()
	put := func(page, text string) {
		t.Helper()
		if _, err := x.s.Update(ctx, owner, "notes", Meta{}, func(tx *Tx) error { return tx.Put(wiki.PagePath(page), []byte(text), PutOptions{Overwrite: true}) }); err != nil {
			t.Fatal(err)
		}
	}
	put("Home", pageText("Home", 1))
	put("Key", "the key is "+leaked+"\n")
	put("Key", "ask alice\n")
	put("Home", pageText("Home", 2))
	if err := x.s.SetAccess(ctx, owner, "notes", acl.Registered, acl.Granted, acl.Granted); err != nil {
		t.Fatal(err)
	}
	repo := x.s.wikiDir("notes")
	head := gitstoretest.Git(t, repo, "rev-parse", "main")
	for ref, oid := range map[string]string{"refs/heads/old": gitstoretest.Git(t, repo, "rev-parse", "main~2"), "refs/tags/now": head} {
		x.pushRef(ref, strings.Repeat("0", 40), oid)
	}
	lost := gitstoretest.Git(t, repo, "commit-tree", "-p", head, "-m", "force-pushed away", head+"^{tree}")
	x.pushRef("refs/heads/gone", strings.Repeat("0", 40), lost)
	x.pushRef("refs/heads/gone", lost, head)
	return x
}

func (x *troubled) pushRef(ref, old, new string) {
	x.Helper()
	p := &Push{Caller: editor, Wiki: "notes", Commands: []RefCommand{{Old: old, New: new, Ref: ref}}}
	res, err := x.s.ApplyPush(context.Background(), p, false)
	if err != nil || !res[0].OK {
		x.Fatalf("pushing %s: %v %+v", ref, err, res)
	}
}

// objectsOf is the content of all objects of a repository, reached or not, and of all
// its files.
func objectsOf(t *testing.T, repo string) string {
	t.Helper()
	text := gitstoretest.Git(t, repo, "cat-file", "--batch-all-objects", "--batch", "--unordered")
	for _, f := range strings.Fields(findIn(t, repo)) {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text += string(data)
	}
	return text
}

func findIn(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			fmt.Fprintln(&b, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func (x *troubled) purge() (*PurgeReport, error) {
	return x.s.Purge(context.Background(), operator, "notes", PurgeRequest{Text: leaked})
}

// TestPurgeKeepsTheAudit: each entry names the new commit, or says that it is gone.
func TestPurgeKeepsTheAudit(t *testing.T) {
	x := leaky(t, filepath.Join(t.TempDir(), "data"))
	repo := x.s.wikiDir("notes")
	r, err := x.s.wiki("notes")
	if err != nil {
		t.Fatal(err)
	}
	before, err := r.auditChain(plumbing.ZeroHash)
	if err != nil {
		t.Fatal(err)
	}
	report, err := x.purge()
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(objectsOf(t, repo), leaked) {
		t.Error("the secret is still there")
	}
	if got := gitstoretest.Git(t, repo, "rev-parse", "main"); got != string(report.Head) {
		t.Errorf("main is at %s, the report says %s", got, report.Head)
	}
	if r, err = x.s.wiki("notes"); err != nil {
		t.Fatal(err)
	}
	after, err := r.auditChain(plumbing.ZeroHash)
	if err != nil || len(after) != len(before)+1 || after[len(before)].Action != "purge" {
		t.Fatalf("%d entries became %d, %v", len(before), len(after), err)
	}
	gone := 0
	for i, e := range after[:len(before)] {
		was := before[i]
		if e.Action != was.Action || e.Ref != was.Ref || e.Actor != was.Actor || !e.when.Equal(was.when) {
			t.Errorf("entry %d was %+v and is %+v", i, was, e)
		}
		if e.Gone {
			gone++
			continue
		}
		if _, err := gitstoretest.TryGit(repo, "", "merge-base", "--is-ancestor", e.New, e.Ref); err != nil && e.Ref != "refs/heads/gone" {
			t.Errorf("entry %d names %s, which is not on %s", i, e.New, e.Ref)
		}
		if !r.objects.Has(plumbing.NewHash(e.New)) {
			t.Errorf("entry %d names %s, which is nowhere", i, e.New)
		}
	}
	if gone != 1 {
		t.Errorf("%d entries are marked as gone, want the one that was force-pushed away", gone)
	}
	// Nothing is void, and nothing happened behind the server's back.
	if err := x.s.Close(); err != nil {
		t.Fatal(err)
	}
	if x.s, err = quiet(x.dir, x.disk); err != nil {
		t.Fatal(err)
	}
	if _, err := x.s.View(context.Background(), owner, "notes"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	if r, err = x.s.wiki("notes"); err != nil {
		t.Fatal(err)
	}
	again, err := r.auditChain(plumbing.ZeroHash)
	if err != nil || len(again) != len(after) {
		t.Errorf("after a restart there are %d entries instead of %d, %v: %+v", len(again), len(after), err, again[len(again)-1])
	}
}

// TestPurgeOnAFailingDisk: whichever operation fails, there is the old repository or
// the new one, whole, and so it is after the next start.
func TestPurgeOnAFailingDisk(t *testing.T) {
	outcomes := map[string]int{}
	everyFault(t, func(fault disk.Fault) bool {
		dir := filepath.Join(memory(t), "data")
		x := leaky(t, dir)
		repo := x.s.wikiDir("notes")
		refs := gitstoretest.Git(t, repo, "for-each-ref")
		x.disk.Set(fault)
		_, err := x.purge()
		met := x.disk.Count(fault.Op) >= fault.N
		x.disk.Set()
		look := func(when string) (held bool) {
			t.Helper()
			held = strings.Contains(objectsOf(t, repo), leaked)
			if now := gitstoretest.Git(t, repo, "for-each-ref"); held != (now == refs) {
				t.Errorf("%v, %s: the secret is there: %t, the refs are\n%s", fault, when, held, now)
			}
			gitstoretest.Git(t, repo, "fsck", "--strict", "--no-dangling")
			v, err := x.s.View(context.Background(), owner, "notes")
			if err != nil {
				t.Fatalf("%v, %s: %v", fault, when, err)
			}
			page, err := v.ReadPage("Home")
			if err != nil || string(page.Content) != pageText("Home", 2) {
				t.Errorf("%v, %s: Home: %v", fault, when, err)
			}
			return held
		}
		held := look("at once")
		if err == nil && held {
			t.Errorf("%v: it said that it was done", fault)
		}
		outcomes[fmt.Sprint(err == nil, held)]++
		if _, err := x.s.Update(context.Background(), owner, "notes", Meta{}, func(tx *Tx) error {
			return tx.Put("Home", []byte(pageText("Home", 2)), PutOptions{Overwrite: true})
		}); err != nil {
			t.Errorf("%v: the wiki cannot be written any more: %v", fault, err)
		}
		if err := x.s.Close(); err != nil {
			t.Error(err)
		}
		if x.s, err = quiet(dir, x.disk); err != nil {
			t.Fatalf("%v: %v", fault, err)
		}
		if again := look("after a start"); again != held {
			t.Errorf("%v: the secret is there: %t, after a start %t", fault, held, again)
		}
		left, _ := filepath.Glob(filepath.Join(dir, "wikis/.*"))
		if len(left) > 0 {
			t.Errorf("%v: left behind: %v", fault, left)
		}
		return met
	})
	t.Log(outcomes)
	if (outcomes["false true"] < 5 || outcomes["true false"] < 1) && !testing.Short() {
		t.Errorf("of the outcomes there were %v", outcomes)
	}
}

// TestStartInAPurge: the machine stops in the moment in which the repositories change
// places.
func TestStartInAPurge(t *testing.T) {
	for name, leave := range map[string]func(dir, ready string) error{
		"before":           func(dir, ready string) error { return os.CopyFS(ready, os.DirFS(dir)) },
		"in the middle":    func(dir, ready string) error { return os.Rename(dir, ready) },
		"half of it there": func(dir, ready string) error { return os.MkdirAll(ready+"/objects", 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			x := leaky(t, filepath.Join(t.TempDir(), "data"))
			repo := x.s.wikiDir("notes")
			refs := gitstoretest.Git(t, repo, "for-each-ref")
			if err := x.s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := leave(repo, x.s.purgedDir("notes")); err != nil {
				t.Fatal(err)
			}
			var err error
			if x.s, err = quiet(x.dir, x.disk); err != nil {
				t.Fatal(err)
			}
			if got := gitstoretest.Git(t, repo, "for-each-ref"); got != refs {
				t.Errorf("the refs are\n%s\nwant\n%s", got, refs)
			}
			left, _ := filepath.Glob(filepath.Join(x.dir, "wikis/.*"))
			if len(left) > 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

// TestPurgeDropsEveryMemory: caches, indexes and followers do not go on with what was.
func TestPurgeDropsEveryMemory(t *testing.T) {
	ctx := context.Background()
	x := leaky(t, filepath.Join(t.TempDir(), "data"))
	news, cancel := x.s.Subscribe(10)
	defer cancel()
	var forgot []wiki.Slug
	x.s.OnRewrite(func(slug wiki.Slug) { forgot = append(forgot, slug) })
	v, err := x.s.View(ctx, owner, "notes")
	if err != nil {
		t.Fatal(err)
	}
	cursor, key, names := v.Head(), v.Key(), v.NamesKey()
	list, _, err := v.History(ctx, "Key", "", 10)
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	secret, err := v.At(ctx, list[1].Revision)
	if err != nil {
		t.Fatal(err)
	}
	if page, err := secret.ReadPage("Key"); err != nil || !strings.Contains(string(page.Content), leaked) {
		t.Fatal(err)
	}
	r := v.repo
	blob := plumbing.NewHash(gitstoretest.Git(t, r.dir, "rev-parse", string(list[1].Revision)+":Key.md"))
	if _, _, err := r.objects.Get(blob); err != nil {
		t.Fatal(err)
	}
	r.saveHistory()
	if _, err := x.purge(); err != nil {
		t.Fatal(err)
	}
	if len(forgot) != 1 || forgot[0] != "notes" {
		t.Errorf("forgot %v", forgot)
	}
	if _, _, err := r.objects.Get(blob); err == nil {
		t.Error("the content is still in the cache")
	}
	if _, err := os.Stat(r.historyDir()); err == nil {
		t.Error("the index of history stays")
	}
	select {
	case ev := <-news:
		if !ev.Rewritten || ev.Wiki != "notes" || ev.Old != "" {
			t.Errorf("the event is %+v", ev)
		}
	case <-time.After(time.Second):
		t.Error("followers hear nothing")
	}
	if v, err = x.s.View(ctx, owner, "notes"); err != nil {
		t.Fatal(err)
	}
	if v.Key() == key || v.NamesKey() == names {
		t.Error("the keys of caches are what they were")
	}
	if _, err := v.Changed(cursor); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("a follower's cursor: %v", err)
	}
	if _, err := v.At(ctx, list[1].Revision); !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("the old revision: %v", err)
	}
	now, _, err := v.History(ctx, "Key", "", 10)
	if err != nil || len(now) != 2 || now[1].Revision == list[1].Revision || now[1].Author != list[1].Author || !now[1].Date.Equal(list[1].Date) {
		t.Errorf("the history is %+v, %v", now, err)
	}
	if old, err := v.At(ctx, now[1].Revision); err != nil {
		t.Error(err)
	} else if page, err := old.ReadPage("Key"); err != nil || string(page.Content) != "the key is ***removed***\n" {
		t.Errorf("the old revision reads %q, %v", page.Content, err)
	}
	// A revision of before cannot be written on, and says so.
	_, err = x.s.Update(ctx, owner, "notes", Meta{}, func(tx *Tx) error {
		return tx.Put("Home", []byte("x"), PutOptions{Expect: cursor})
	})
	if !errors.Is(err, wiki.ErrConflict) && !errors.Is(err, wiki.ErrNotFound) {
		t.Errorf("an edit of an old revision: %v", err)
	}
}

// TestPurgedContentDoesNotComeBack: neither under another commit.
func TestPurgedContentDoesNotComeBack(t *testing.T) {
	ctx := context.Background()
	x := leaky(t, filepath.Join(t.TempDir(), "data"))
	if _, err := x.purge(); err != nil {
		t.Fatal(err)
	}
	repo := x.s.wikiDir("notes")
	head := gitstoretest.Git(t, repo, "rev-parse", "main")
	blob := gitstoretest.GitIn(t, repo, "the key is "+leaked+"\n", "hash-object", "-w", "--stdin")
	tree := gitstoretest.GitIn(t, repo, "100644 blob "+blob+"\tKey2.md\n", "mktree")
	commit := gitstoretest.Git(t, repo, "commit-tree", "-p", head, "-m", "again", tree)
	quarantine := filepath.Join(repo, "objects", "tmp_objdir-incoming-abc")
	for _, oid := range []string{blob, tree, commit} {
		if err := errors.Join(os.MkdirAll(filepath.Join(quarantine, oid[:2]), 0o755), os.Rename(filepath.Join(repo, "objects", oid[:2], oid[2:]), filepath.Join(quarantine, oid[:2], oid[2:]))); err != nil {
			t.Fatal(err)
		}
	}
	err := x.s.CheckPush(ctx, &Push{Caller: editor, Wiki: "notes", Dir: repo, Quarantine: quarantine, Commands: []RefCommand{{Old: head, New: commit, Ref: refMain}}})
	var faults wiki.Faults
	if !errors.As(err, &faults) || !strings.Contains(faults.Error(), "history of this wiki was rewritten") {
		t.Errorf("the content comes back: %v", err)
	}
}

func FuzzPurged(f *testing.F) {
	f.Add([]byte(strings.Repeat("ab", 20) + "\n"))
	f.Add([]byte("x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		set := map[plumbing.Hash]bool{}
		if parsePurged(data, set) != nil {
			return
		}
		var list []plumbing.Hash
		for oid := range set {
			list = append(list, oid)
		}
		again := map[plumbing.Hash]bool{}
		if err := parsePurged(formatPurged(list), again); err != nil || len(again) != len(set) {
			t.Errorf("%q: %d became %d, %v", data, len(set), len(again), err)
		}
		if !bytes.Equal(formatPurged(list), formatPurged(append(list, list...))) {
			t.Error("an object is named twice")
		}
	})
}

func TestFetches(t *testing.T) {
	x := newTroubled(t, filepath.Join(t.TempDir(), "data"))
	now := time.Date(2026, 2, 1, 12, 0, 30, 0, time.UTC)
	x.s.now = func() time.Time { return now }
	for i := range maxFetches + 10 {
		now = now.Add(time.Minute)
		x.s.NoteFetch(wiki.Caller{User: "bob", Via: wiki.ViaHTTPS, Credential: fmt.Sprintf("u-%016d", i)}, "notes")
	}
	x.s.NoteFetch(wiki.Caller{Via: wiki.ViaHTTPS}, "notes")
	x.s.NoteFetch(wiki.Caller{User: "bob"}, "nothere")
	x.s.NoteFetch(wiki.Caller{User: "boss"}, "")
	check := func() {
		t.Helper()
		list, err := x.s.Fetches("notes")
		if err != nil || len(list) != maxFetches {
			t.Fatalf("%d fetches, %v", len(list), err)
		}
		if list[0].User != "" || !list[0].When.Equal(now.Truncate(time.Minute)) {
			t.Errorf("the latest is %+v", list[0])
		}
		for _, f := range list {
			if f.Credential == "u-0000000000000000" {
				t.Error("the oldest was kept")
			}
		}
	}
	check()
	if err := x.s.Close(); err != nil {
		t.Fatal(err)
	}
	var err error
	if x.s, err = quiet(x.dir, x.disk); err != nil {
		t.Fatal(err)
	}
	check()
	if err := os.WriteFile(filepath.Join(x.dir, "cache/fetches/notes.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := x.s.Close(); err != nil {
		t.Fatal(err)
	}
	if x.s, err = quiet(x.dir, x.disk); err != nil {
		t.Fatal(err)
	}
	if list, err := x.s.Fetches("notes"); err != nil || len(list) != 0 {
		t.Errorf("a damaged file: %v, %v", list, err)
	}
}
