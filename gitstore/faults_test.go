package gitstore

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"wikibot/acl"
	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
	"wikibot/wiki"
)

// A disk that is full or fails refuses the write and nothing else: the old
// state stays and is served, nothing is half done, and the first write after
// the trouble succeeds.

// troubled is a site on a disk whose faults can be set.
type troubled struct {
	*testing.T
	s    *Store
	disk *disk.Faulty
	dir  string
	n    int // operations so far, for names
	// packs has git pack what was pushed before the push is applied.
	packs bool
}

func newTroubled(t *testing.T, dir string) *troubled {
	t.Helper()
	x := &troubled{T: t, disk: disk.NewFaulty(disk.OS{}), dir: dir}
	s, err := quiet(dir, x.disk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.s.Close(); err != nil {
			t.Error(err)
		}
	})
	x.s = s
	ctx := context.Background()
	err = errors.Join(
		s.AddUser(ctx, operator, NewUser{Name: "alice"}),
		s.AddUser(ctx, operator, NewUser{Name: "bob"}),
		s.CreateWiki(ctx, operator, NewWiki{Slug: "notes", Owner: "alice", Pages: map[string][]byte{"Home.md": []byte(pageText("Home", 0))}}),
		s.SetGrant(ctx, owner, "notes", "bob", wiki.Editor))
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// state is everything that a site says of itself: all refs as git sees them,
// and what the Store serves.
func (x *troubled) state() string {
	x.Helper()
	var b strings.Builder
	wikis, err := x.s.Wikis(context.Background(), operator)
	if err != nil {
		x.Fatal(err)
	}
	folders, err := os.ReadDir(filepath.Join(x.dir, "wikis"))
	fmt.Fprintln(&b, len(wikis), len(folders), err)
	for _, repo := range []string{"wikis/notes.git", "admin.git"} {
		fmt.Fprintln(&b, repo, gitstoretest.Git(x.T, filepath.Join(x.dir, repo), "for-each-ref"))
	}
	v, err := x.s.View(context.Background(), owner, "notes")
	if err != nil {
		x.Fatal(err)
	}
	page, err := v.ReadPage("Home")
	if err != nil {
		x.Fatal(err)
	}
	if _, err := pageVersion("Home", string(page.Content)); err != nil {
		x.Error(err)
	}
	tokens, err := x.s.Tokens(context.Background(), owner, "notes")
	fmt.Fprintln(&b, string(page.Content), v.Policy().Propose, len(tokens), err)
	return b.String()
}

// durable is one kind of change, which must succeed when it is tried again after
// a fault.
type durable struct {
	name string
	do   func(x *troubled) error
}

func changes() []durable {
	ctx := context.Background()
	return []durable{
		{"edit", func(x *troubled) error {
			_, err := x.s.Update(ctx, owner, "notes", Meta{}, func(tx *Tx) error {
				return tx.Put("Home", []byte(pageText("Home", x.n)), PutOptions{Overwrite: true})
			})
			return err
		}},
		{"configuration", func(x *troubled) error {
			level := acl.Registered
			if v, err := x.s.View(ctx, owner, "notes"); err != nil || v.Policy().Propose == level {
				level = acl.Granted
			}
			return x.s.SetAccess(ctx, owner, "notes", acl.Registered, acl.Granted, level)
		}},
		{"token", func(x *troubled) error {
			_, _, err := x.s.CreateToken(ctx, owner, NewToken{Wiki: "notes", Role: wiki.Viewer, Name: "t"})
			return err
		}},
		{"person", func(x *troubled) error {
			return x.s.AddUser(ctx, operator, NewUser{Name: wiki.Username(fmt.Sprintf("person%d", x.n))})
		}},
		{"wiki", func(x *troubled) error {
			return x.s.CreateWiki(ctx, operator, NewWiki{Slug: wiki.Slug(fmt.Sprintf("wiki-%d", x.n)), Owner: "alice", Pages: map[string][]byte{"Home.md": []byte("x\n")}})
		}},
		{"push", func(x *troubled) error { return x.push() }},
	}
}

// push brings a commit on top of main that git made in the repository, as its
// objects are when receive-pack asks proc-receive.
func (x *troubled) push() error {
	repo := filepath.Join(x.dir, "wikis/notes.git")
	head := gitstoretest.Git(x.T, repo, "rev-parse", "main")
	blob := gitstoretest.GitIn(x.T, repo, pageText("Pushed", x.n), "hash-object", "-w", "--stdin")
	var list []string
	for _, line := range strings.Split(gitstoretest.Git(x.T, repo, "ls-tree", "main"), "\n") {
		if !strings.HasSuffix(line, "\tPushed.md") {
			list = append(list, line)
		}
	}
	tree := gitstoretest.GitIn(x.T, repo, strings.Join(append(list, "100644 blob "+blob+"\tPushed.md"), "\n")+"\n", "mktree")
	commit := gitstoretest.Git(x.T, repo, "commit-tree", "-p", head, "-m", "Push", tree)
	p := &Push{Caller: editor, Wiki: "notes", Dir: repo, Commands: []RefCommand{{Old: head, New: commit, Ref: refMain}}}
	if x.packs {
		gitstoretest.Git(x.T, repo, "update-ref", "refs/heads/kept", commit)
		gitstoretest.Git(x.T, repo, "repack", "-d", "-q")
	}
	for _, oid := range []string{blob, tree, commit} {
		p.folders = append(p.folders, filepath.Join(repo, "objects", oid[:2]))
	}
	results, err := x.s.ApplyPush(context.Background(), p, false)
	if err == nil && !results[0].OK {
		err = errors.New(results[0].Reason)
	}
	return err
}

// TestFailingDisk fails each operation on the disk of each kind of change, one
// after the other, until the change needs no more of them.
func TestFailingDisk(t *testing.T) {
	const most = 200 // operations of one change; a bound for the test's own faults
	for _, c := range changes() {
		t.Run(c.name, func(t *testing.T) {
			x := newTroubled(t, filepath.Join(memory(t), "data"))
			refused, step := 0, 1
			if c.name == "wiki" && !soaking() {
				step = 5 // making one takes some hundred operations
			}
			for _, f := range []disk.Fault{
				{Op: disk.OpCreate, Err: syscall.ENOSPC, Stays: true},
				{Op: disk.OpWrite, Err: syscall.ENOSPC, Stays: true},
				{Op: disk.OpMkdir, Err: syscall.ENOSPC, Stays: true},
				{Op: disk.OpRename, Err: syscall.ENOSPC, Stays: true},
				{Op: disk.OpCreate, Err: syscall.EDQUOT},
				{Op: disk.OpWrite, Err: syscall.EIO},
				{Op: disk.OpRename, Err: syscall.EIO},
				{Op: disk.OpSync, Err: syscall.EIO},
				{Op: disk.OpSync, Err: syscall.EIO, Stays: true},
				{Op: disk.OpSyncDir, Err: syscall.EIO},
				{Op: disk.OpSyncDir, Err: syscall.EIO, Stays: true},
			} {
				for f.N = 1; f.N < most; f.N += step {
					if !x.survives(c, f) {
						break
					}
					refused++
				}
			}
			if refused < 10 {
				t.Errorf("only %d faults were met", refused)
			}
			t.Logf("%d faults", refused)
			x.reopened()
		})
	}
}

// reopened starts the site anew and compares its audit with its refs.
func (x *troubled) reopened() {
	x.Helper()
	if err := errors.Join(fsckAll(x.dir), x.s.Close()); err != nil {
		x.Error(err)
	}
	s, err := quiet(x.dir, x.disk)
	if err != nil {
		x.Fatal(err)
	}
	x.s = s
	for _, r := range s.opened() {
		if _, err := truthful(r); err != nil {
			x.Errorf("%s: %v", r.name, err)
		}
	}
}

// survives makes a change with one fault, then without. It reports whether the
// change met the fault.
func (x *troubled) survives(c durable, f disk.Fault) (met bool) {
	x.Helper()
	auditLine := regexp.MustCompile(`(?m)^.*refs/wikibot/audit$`)
	x.n++
	before := x.state()
	x.disk.Set(f)
	err := c.do(x)
	met = x.disk.Count(f.Op) >= f.N
	x.disk.Set()
	what := fmt.Sprintf("%s with the %d. %s failing (%v, stays %t)", c.name, f.N, f.Op, f.Err, f.Stays)
	if !met {
		if err != nil {
			x.Errorf("%s: the fault was not met and yet: %v", what, err)
		}
		return false
	}
	if err == nil {
		// What failed was needed for nothing: a temporary file, say. The
		// change must be there then.
		if x.state() == before {
			x.Errorf("%s: it was acknowledged and is lost", what)
		}
		return true
	}
	if !errors.Is(err, wiki.ErrUnavailable) {
		x.Errorf("%s: %v, want ErrUnavailable", what, err)
	}
	after := x.state()
	if f.Op == disk.OpRename && f.Stays {
		// A ref that has moved cannot be moved back where no rename works: the
		// audit's entry stays, and the next start marks it void.
		before, after = auditLine.ReplaceAllString(before, ""), auditLine.ReplaceAllString(after, "")
	}
	if after != before {
		x.Errorf("%s: it was refused (%v) and the state went from\n%sto\n%s", what, err, before, after)
	}
	if left := x.unlocked(); left != "" {
		x.Errorf("%s: %s was left behind", what, left)
	}
	if err := c.do(x); err != nil {
		x.Errorf("%s: the next try, on a sound disk: %v", what, err)
	}
	if x.state() == before {
		x.Errorf("%s: the next try changed nothing", what)
	}
	return true
}

// unlocked looks for a lock that would block the next writer.
func (x *troubled) unlocked() (left string) {
	_ = filepath.WalkDir(x.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && filepath.Dir(path) != x.dir && (strings.HasSuffix(path, ".lock") || strings.HasPrefix(d.Name(), "tmp_")) {
			left = path
		}
		return nil
	})
	return left
}

// TestFullDisk fills a real one, where this machine lets the test mount it; the
// injected faults of TestFailingDisk are the same test everywhere else.
func TestFullDisk(t *testing.T) {
	at := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=4m", "wikibot-test", at).CombinedOutput(); err != nil {
		t.Logf("no file system of the test's own: %s", bytes.TrimSpace(out))
		return
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", at).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", out)
		}
	})
	x := newTroubled(t, filepath.Join(at, "data"))
	for round := range 5 {
		filler := filepath.Join(at, "filler")
		fill(t, filler)
		before := x.state()
		for _, c := range changes() {
			if c.name == "push" {
				continue // git itself needs room for its objects
			}
			x.n++
			if err := c.do(x); !errors.Is(err, wiki.ErrUnavailable) {
				t.Errorf("round %d: %s on a full disk: %v, want ErrUnavailable", round, c.name, err)
			}
		}
		noise := make([]byte, 1<<20)
		rand.Read(noise)
		_, err := x.s.Update(context.Background(), owner, "notes", Meta{}, func(tx *Tx) error {
			return tx.Attach("big.bin", noise, AttachOptions{Replace: true})
		})
		if !errors.Is(err, wiki.ErrUnavailable) {
			t.Errorf("round %d: an attachment on a full disk: %v, want ErrUnavailable", round, err)
		}
		if after := x.state(); after != before {
			t.Errorf("round %d: the state went from\n%sto\n%s", round, before, after)
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		for _, c := range changes() {
			if err := c.do(x); err != nil {
				t.Errorf("round %d: %s after there was room again: %v", round, c.name, err)
			}
		}
	}
	if err := fsckAll(x.dir); err != nil {
		t.Error(err)
	}
}

// TestPushFolderGone: git repack on the host removes the folders of loose
// objects once they are in a pack, also while a push of them is on its way.
func TestPushFolderGone(t *testing.T) {
	x := newTroubled(t, filepath.Join(t.TempDir(), "data"))
	x.packs = true
	before := x.state()
	if err := x.push(); err != nil {
		t.Error(err)
	}
	if x.state() == before {
		t.Error("main did not move")
	}
	if err := fsckAll(x.dir); err != nil {
		t.Error(err)
	}
}

// fill takes all the room that there is.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 16; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			if !errors.Is(err, syscall.ENOSPC) {
				t.Fatal(err)
			}
			size /= 2
		}
	}
}
