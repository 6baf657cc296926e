package gitstore

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"golang.org/x/crypto/ssh"

	"wikibot/wiki"
)

// manyPeople is how many accounts the site of these benchmarks has.
const manyPeople = 10_000

// personText is the record of the i-th person, with a DID and an SSH key.
func personText(i int) (wiki.Username, []byte) {
	name := wiki.Username(fmt.Sprintf("%c%c-%d", 'a'+i%26, 'a'+i/26%26, i))
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	pub, _ := ssh.NewPublicKey(ed25519.NewKeyFromSeed(seed).Public())
	did := strings.Map(func(r rune) rune { return r%26 + 'a' }, fmt.Sprintf("%024d", i))
	return name, fmt.Appendf(nil, "schema = 1\ndid = \"did:plc:%s\"\ncreated_at = 2026-11-22T14:50:07Z\nssh_keys = [%q]\n",
		did, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(pub)))+" "+string(name)+"@laptop")
}

// crowded is a site with manyPeople accounts.
func crowded(b *testing.B) (*Store, string) {
	b.Helper()
	dir := b.TempDir()
	s, err := Open(context.Background(), Config{Dir: dir, NoUpkeep: true, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	err = s.admin.do(&job{ctx: context.Background(), caller: operator, run: func(bt *batch) error {
		head, err := bt.head(refMain)
		if err != nil {
			return err
		}
		root := head.root
		for i := range manyPeople {
			name, text := personText(i)
			oid, err := bt.addBlob(text)
			if err != nil {
				return err
			}
			if root, err = root.with(userFile(name), &entry{mode: modeFile, oid: oid}); err != nil {
				return err
			}
		}
		if err := bt.followSite(root); err != nil {
			return err
		}
		commit, err := bt.commit(refMain, root, commitInfo{author: signature{"x", "x@x"}, message: "many\n", when: time.Now()})
		bt.loaded.commit = commit
		return err
	}})
	if err != nil {
		b.Fatal(err)
	}
	return s, dir
}

// pushedPerson is a push of one more account, whose objects are there already.
func pushedPerson(b *testing.B, s *Store, n int) *Push {
	b.Helper()
	head := s.admin.state.Load().main()
	name, text := personText(n)
	bt := s.admin.newBatch(s.admin.state.Load())
	oid, err := bt.addBlob(text)
	if err != nil {
		b.Fatal(err)
	}
	root, err := head.root.with(userFile(name), &entry{mode: modeFile, oid: oid})
	if err != nil {
		b.Fatal(err)
	}
	tree, err := bt.writeFolder(root, "x:")
	if err != nil {
		b.Fatal(err)
	}
	text = fmt.Appendf(nil, "tree %s\nparent %s\nauthor x <x@x> 1795359027 +0000\ncommitter x <x@x> 1795359027 +0000\n\nAdd\n", tree, head.commit)
	commit, err := bt.objs.Add(plumbing.CommitObject, text)
	if err == nil {
		err = bt.objs.WritePack()
	}
	if err != nil {
		b.Fatal(err)
	}
	return &Push{Caller: operator, Dir: s.admin.dir, Commands: []RefCommand{{Old: head.commit.String(), New: commit.String(), Ref: refMain}}}
}

// BenchmarkPeople sets a change of one among 10,000 people beside loading all of
// them: what each push and each sign-up would cost without the difference of trees.
func BenchmarkPeople(b *testing.B) {
	s, _ := crowded(b)
	ctx := context.Background()
	b.Run("load-all", func(b *testing.B) {
		b.ReportAllocs()
		main := s.admin.state.Load().main()
		for b.Loop() {
			st, _, faults, err := s.admin.siteAt((&site{}).copy(), tip{root: emptyFolder()}, main.commit)
			if err != nil || faults != nil || st.users.len() < manyPeople {
				b.Fatal(st.users.len(), faults, err)
			}
		}
	})
	b.Run("follow-one", func(b *testing.B) { // what checking a push costs, and what loading it does
		b.ReportAllocs()
		st := s.admin.state.Load()
		name, text := personText(manyPeople)
		oid := plumbing.ComputeHash(plumbing.BlobObject, text)
		root, err := st.main().root.with(userFile(name), &entry{mode: modeFile, oid: oid})
		if err != nil {
			b.Fatal(err)
		}
		src := s.admin.reading(blobs{oid: text})
		for b.Loop() {
			if _, err := st.site.followPush(st.main().root, root, src, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	n := manyPeople
	b.Run("push", func(b *testing.B) { // both halves, durable
		b.ReportAllocs()
		b.StopTimer()
		for range b.N {
			n++
			p := pushedPerson(b, s, n)
			b.StartTimer()
			err := s.CheckPush(ctx, p)
			var res []RefResult
			if err == nil {
				res, err = s.ApplyPush(ctx, p, false)
			}
			b.StopTimer()
			if err != nil || !res[0].OK {
				b.Fatal(res, err)
			}
		}
	})
	b.Run("add-user", func(b *testing.B) { // durable
		b.ReportAllocs()
		for b.Loop() {
			n++
			name, _ := personText(n)
			if err := s.AddUser(ctx, operator, NewUser{Name: name}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("suspend", func(b *testing.B) { // durable
		b.ReportAllocs()
		on := false
		for b.Loop() {
			on = !on
			if err := s.SetSuspended(ctx, operator, "aa-0", on); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("create-token", func(b *testing.B) { // durable; the people do not change
		b.ReportAllocs()
		for b.Loop() {
			if _, _, err := s.CreateToken(ctx, operator, NewToken{User: "aa-0"}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
