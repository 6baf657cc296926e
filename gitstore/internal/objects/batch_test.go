package objects

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
)

// editor makes one commit after another in a flat wiki of some pages.
type editor struct {
	tb       testing.TB
	db       *DB
	entries  []TreeEntry
	tree     plumbing.Hash
	head     plumbing.Hash
	revision int
}

func newEditor(tb testing.TB, db *DB, pages int) *editor {
	e := &editor{tb: tb, db: db}
	b := db.NewBatch()
	for p := range pages {
		oid := e.add(b, plumbing.BlobObject, []byte(gitstoretest.Page(p, 0)))
		e.entries = append(e.entries, TreeEntry{filemode.Regular, fmt.Sprintf("Page %d.md", p), oid})
	}
	e.commit(b)
	e.write(b)
	return e
}

func (e *editor) add(b *Batch, t plumbing.ObjectType, data []byte) plumbing.Hash {
	e.tb.Helper()
	oid, err := b.Add(t, data)
	if err != nil {
		e.tb.Fatal(err)
	}
	return oid
}

func (e *editor) write(b *Batch) {
	e.tb.Helper()
	if err := b.WritePack(); err != nil {
		e.tb.Fatal(err)
	}
}

// edit changes one page in the batch.
func (e *editor) edit(b *Batch) {
	e.tb.Helper()
	e.revision++
	p := e.revision * 7 % len(e.entries)
	e.entries[p].Hash = e.add(b, plumbing.BlobObject, []byte(gitstoretest.Page(p, e.revision)))
	e.commit(b)
}

func (e *editor) commit(b *Batch) {
	e.tb.Helper()
	data, err := EncodeTree(e.entries)
	if err != nil {
		e.tb.Fatal(err)
	}
	if e.tree, err = b.AddDelta(plumbing.TreeObject, e.tree, data); err != nil {
		e.tb.Fatal(err)
	}
	who := Signature{"Alice", "alice@example.org", time.Unix(1700000000+int64(e.revision), 0).UTC()}
	c := Commit{Tree: e.tree, Author: who, Committer: who, Message: fmt.Sprintf("Edit %d\n", e.revision)}
	if !e.head.IsZero() {
		c.Parents = []plumbing.Hash{e.head}
	}
	if data, err = c.Encode(); err != nil {
		e.tb.Fatal(err)
	}
	e.head = e.add(b, plumbing.CommitObject, data)
}

// fsck has git check everything that a folder of packs must be.
func fsck(tb testing.TB, dir string, head plumbing.Hash) {
	tb.Helper()
	gitstoretest.Git(tb, dir, "update-ref", "refs/heads/main", head.String())
	if out := gitstoretest.Git(tb, dir, "fsck", "--strict", "--full", "--no-dangling"); out != "" {
		tb.Errorf("git fsck: %s", out)
	}
	packs, err := filepath.Glob(dir + "/objects/pack/*.pack")
	if err != nil {
		tb.Fatal(err)
	}
	for _, p := range packs {
		gitstoretest.Git(tb, dir, "verify-pack", p)
		made := filepath.Join(tb.TempDir(), "made.idx")
		gitstoretest.Git(tb, dir, "index-pack", "--strict", "-o", made, p)
		got, err := os.ReadFile(strings.TrimSuffix(p, "pack") + "idx")
		if err != nil {
			tb.Fatal(err)
		}
		want, err := os.ReadFile(made)
		if err != nil || !bytes.Equal(got, want) {
			tb.Errorf("%s: our index is not the one that git makes (%v)", p, err)
		}
	}
}

func TestBatchIsWhatGitAccepts(t *testing.T) {
	dir := gitstoretest.Bare(t)
	db := open(t, dir)
	e := newEditor(t, db, 300)
	b := db.NewBatch()
	for range 100 {
		e.edit(b)
	}
	e.write(b)
	if got, want := b.Bytes(), int64(100*4500); got > want {
		t.Errorf("100 edits of a flat folder of 300 pages made a pack of %d bytes, want less than %d", got, want)
	}
	fsck(t, dir, e.head)
	sameAsGit(t, db, dir)
	log := gitstoretest.Git(t, dir, "log", "--format=%s", "main")
	if n := strings.Count(log, "\n") + 1; n != 101 {
		t.Errorf("git log shows %d commits, want 101", n)
	}
	info, err := os.Stat(db.packs.Load().packs[0].path + ".pack")
	if err != nil || info.Mode().Perm()&0o222 != 0 {
		t.Errorf("the pack's mode is %v, %v; want read-only", info.Mode(), err)
	}
}

func TestBatchSkipsWhatIsPacked(t *testing.T) {
	dir := gitstoretest.Bare(t)
	db := open(t, dir)
	for i, want := range []int{1, 0} {
		b := db.NewBatch()
		for range 2 {
			if _, err := b.Add(plumbing.BlobObject, []byte("the same")); err != nil {
				t.Fatal(err)
			}
		}
		if b.Len() != want {
			t.Errorf("batch %d has %d objects, want %d", i, b.Len(), want)
		}
		if err := b.WritePack(); err != nil {
			t.Fatal(err)
		}
	}
	if n := db.PackCount(); n != 1 {
		t.Errorf("%d packs, want 1", n)
	}
}

// TestGarbageIsWrittenAgain: an object in a cruft pack may be dropped by git at
// any time, so it does not count as there when it is needed again.
func TestGarbageIsWrittenAgain(t *testing.T) {
	dir := gitstoretest.Bare(t)
	e := newEditor(t, open(t, dir), 3)
	fsck(t, dir, e.head)
	garbage := gitstoretest.GitIn(t, dir, "nobody needs this", "hash-object", "-w", "--stdin")
	gitstoretest.Git(t, dir, "repack", "--cruft", "-d", "-q")
	db := open(t, dir)
	if !db.Has(plumbing.NewHash(garbage)) {
		t.Fatal("the garbage cannot be read")
	}
	b := db.NewBatch()
	if oid := e.add(b, plumbing.BlobObject, []byte("nobody needs this")); oid.String() != garbage || b.Len() != 1 {
		t.Errorf("the batch has %d objects, %s; want the garbage %s again", b.Len(), oid, garbage)
	}
}

// TestReuseFreshensThePack: an object may be garbage in its pack, which gc
// drops by the pack's age.
func TestReuseFreshensThePack(t *testing.T) {
	dir := gitstoretest.Bare(t)
	newEditor(t, open(t, dir), 3)
	db := open(t, dir)
	file := db.packs.Load().packs[0].path + ".pack"
	old := time.Now().Add(-30 * 24 * time.Hour)
	if err := os.Chtimes(file, old, old); err != nil {
		t.Fatal(err)
	}
	b := db.NewBatch()
	if _, err := b.Add(plumbing.BlobObject, []byte(gitstoretest.Page(1, 0))); err != nil || b.Len() != 0 {
		t.Fatalf("the batch has %d objects, %v", b.Len(), err)
	}
	if info, err := os.Stat(file); err != nil || time.Since(info.ModTime()) > time.Minute {
		t.Errorf("the pack is still of %v (%v)", info.ModTime(), err)
	}
}

func TestFullDiskLeavesNothing(t *testing.T) {
	for _, fault := range []disk.Fault{
		{Op: disk.OpWrite, N: 1, Err: syscall.ENOSPC}, {Op: disk.OpWrite, N: 2, Err: syscall.ENOSPC},
		{Op: disk.OpSync, N: 1, Err: syscall.EIO}, {Op: disk.OpSync, N: 2, Err: syscall.EIO},
		{Op: disk.OpCreate, N: 1, Err: syscall.EROFS}, {Op: disk.OpCreate, N: 2, Err: syscall.EROFS},
		{Op: disk.OpRename, N: 1, Err: syscall.EIO}, {Op: disk.OpRename, N: 2, Err: syscall.EIO},
		{Op: disk.OpSyncDir, N: 1, Err: syscall.EIO},
	} {
		t.Run(fmt.Sprintf("%s %d", fault.Op, fault.N), func(t *testing.T) {
			dir := gitstoretest.Bare(t)
			db, err := Open(disk.NewFaulty(disk.OS{}, fault), dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			b := db.NewBatch()
			oid, err := b.Add(plumbing.BlobObject, []byte("text"))
			if err != nil {
				t.Fatal(err)
			}
			if err := b.WritePack(); !errors.Is(err, fault.Err) {
				t.Errorf("WritePack = %v, want %v", err, fault.Err)
			}
			if list, err := os.ReadDir(dir + "/objects/pack"); err != nil || len(list) > 0 {
				t.Errorf("left behind: %v, %v", list, err)
			}
			if db.Has(oid) {
				t.Error("the object is there")
			}
			if err := b.WritePack(); err != nil || !db.Has(oid) {
				t.Errorf("again with a sound disk: %v", err)
			}
		})
	}
}

// unsynced is the disk without its waiting.
type unsynced struct{ disk.OS }

type unsyncedFile struct{ disk.File }

func (unsynced) SyncDir(string) error { return nil }
func (unsyncedFile) Sync() error      { return nil }

func (u unsynced) OpenFile(name string, flag int, perm os.FileMode) (disk.File, error) {
	f, err := u.OS.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return unsyncedFile{f}, nil
}

// TestFold: 600 packs of one edit each, folded as they come, stay under 64; a
// reader that looks everything up meanwhile misses nothing.
func TestFold(t *testing.T) {
	dir := gitstoretest.Bare(t)
	db, err := Open(unsynced{}, dir, NewCache(32<<20))
	if err != nil {
		t.Fatal(err)
	}
	e := newEditor(t, db, 50)
	stop := make(chan struct{})
	var reader sync.WaitGroup
	first := e.head
	reader.Go(func() { readAgain(t, db, first, stop) })
	most := 0
	for range 600 {
		b := db.NewBatch()
		e.edit(b)
		e.write(b)
		if most = max(most, db.PackCount()); db.PackCount()%8 == 0 {
			if _, err := db.Fold(context.Background(), FoldOptions{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(stop)
	reader.Wait()
	if most >= 64 {
		t.Errorf("up to %d packs, want fewer than 64", most)
	}
	fsck(t, dir, e.head)
	sameAsGit(t, db, dir)
	sameAsGit(t, open(t, dir), dir)
	if files, _ := filepath.Glob(dir + "/objects/pack/*"); len(files) != 2*db.PackCount() {
		t.Errorf("%d files for %d packs: %v", len(files), db.PackCount(), files)
	}
}

func readAgain(t *testing.T, db *DB, oid plumbing.Hash, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		if _, _, err := db.GetUncached(oid); err != nil {
			t.Error(err)
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// TestFoldOnAFullDisk: whatever fails, the old packs stay, and nothing else.
func TestFoldOnAFullDisk(t *testing.T) {
	dir := gitstoretest.Bare(t)
	faulty := disk.NewFaulty(disk.OS{})
	db, err := Open(faulty, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	e := newEditor(t, db, 5)
	for range 4 {
		b := db.NewBatch()
		e.edit(b)
		e.write(b)
	}
	for _, fault := range []disk.Fault{
		{Op: disk.OpCreate, N: 1, Err: syscall.EROFS}, {Op: disk.OpWrite, N: 1, Err: syscall.ENOSPC}, {Op: disk.OpWrite, N: 3, Err: syscall.ENOSPC},
		{Op: disk.OpSync, N: 1, Err: syscall.EIO}, {Op: disk.OpRename, N: 2, Err: syscall.EIO}, {Op: disk.OpSyncDir, N: 1, Err: syscall.EIO},
	} {
		faulty.Set(fault)
		if _, err := db.Fold(context.Background(), FoldOptions{FanIn: 2}); !errors.Is(err, fault.Err) {
			t.Errorf("%s %d: Fold = %v, want %v", fault.Op, fault.N, err, fault.Err)
		}
		if files, _ := filepath.Glob(dir + "/objects/pack/*"); len(files) != 10 || db.PackCount() != 5 {
			t.Errorf("%s %d: left %d files: %v", fault.Op, fault.N, len(files), files)
		}
	}
	faulty.Set()
	if res, err := db.Fold(context.Background(), FoldOptions{FanIn: 2}); err != nil || res.Folded != 5 {
		t.Errorf("with a sound disk: %+v, %v", res, err)
	}
	fsck(t, dir, e.head)
}

// TestFoldOfDuplicates: the same objects in several packs, some as deltas, are
// there once afterwards.
func TestFoldOfDuplicates(t *testing.T) {
	dir := gitstoretest.Bare(t)
	none := open(t, dir)
	head := plumbing.ZeroHash
	for i := range 8 {
		// Each DB was opened before the others wrote, so none knows of them.
		db := &DB{fs: none.fs, dir: none.dir, packDir: none.packDir}
		db.packs.Store(&packSet{})
		e := newEditor(t, db, 40)
		b := db.NewBatch()
		for range i + 1 {
			e.edit(b)
		}
		e.write(b)
		head = e.head
	}
	db := open(t, dir)
	before := db.PackCount()
	res, err := db.Fold(context.Background(), FoldOptions{FanIn: 2})
	if err != nil {
		t.Fatal(err)
	}
	if before < 9 || res.Folded < before-1 {
		t.Fatalf("%d packs, folded %+v", before, res)
	}
	fsck(t, dir, head)
	sameAsGit(t, db, dir)
}

func TestStorerServesGoGit(t *testing.T) {
	dir := gitstoretest.Bare(t)
	db := open(t, dir)
	e := newEditor(t, db, 20)
	b := db.NewBatch()
	e.edit(b)
	for _, s := range []*Storer{db.Storer(b), db.Storer(nil)} {
		c, err := object.GetCommit(s, e.head)
		if err != nil {
			t.Fatal(err)
		}
		parent, err := c.Parent(0)
		if err != nil {
			t.Fatal(err)
		}
		patch, err := parent.Patch(c)
		if err != nil {
			t.Fatal(err)
		}
		if got := len(patch.FilePatches()); got != 1 {
			t.Errorf("the patch has %d files, want 1", got)
		}
		if !b.written {
			e.write(b)
		}
	}
	if _, err := object.GetCommit(db.Storer(nil), e.tree); !errors.Is(err, plumbing.ErrObjectNotFound) {
		t.Errorf("a tree read as a commit: %v", err)
	}
}
