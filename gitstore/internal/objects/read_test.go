package objects

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
)

// hashObject has git write a loose object.
func hashObject(t testing.TB, dir, text string) plumbing.Hash {
	t.Helper()
	return plumbing.NewHash(gitstoretest.GitIn(t, dir, text, "hash-object", "-w", "--stdin"))
}

func TestLooseObjects(t *testing.T) {
	dir := gitstoretest.Bare(t)
	for _, text := range []string{"", "a", strings.Repeat("text ", 10_000), string([]byte{0, 1, 2, 0})} {
		hashObject(t, dir, text)
	}
	gitstoretest.GitIn(t, dir, "", "mktree")
	if n := sameAsGit(t, open(t, dir), dir); n != 5 {
		t.Errorf("compared %d objects, want 5", n)
	}
}

// TestSeesWhatGitDoes: what git writes, packs and drops beside an open DB is
// seen by the next look-up.
func TestSeesWhatGitDoes(t *testing.T) {
	dir := gitstoretest.Bare(t)
	db, err := Open(disk.OS{}, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		text := strings.Repeat("x", i)
		oid := hashObject(t, dir, text)
		if i%3 == 0 {
			// Packed and pruned: it is in a pack that did not exist at the
			// last look, within the same tick of the clock perhaps.
			gitstoretest.GitIn(t, dir, oid.String()+"\n", "pack-objects", "-q", "objects/pack/pack")
			gitstoretest.Git(t, dir, "prune-packed")
		}
		if _, data, err := db.Get(oid); err != nil || string(data) != text {
			t.Fatalf("object %d: %q, %v", i, data, err)
		}
		if missing := plumbing.NewHash(strings.Repeat("ab", 19) + "ff"); db.Has(missing) {
			t.Fatal("has what nobody wrote")
		}
	}
}

// TestMissesAreCheap: a negative look-up does not read the folder of packs.
func TestMissesAreCheap(t *testing.T) {
	dir := gitstoretest.Bare(t)
	fsys := disk.NewFaulty(disk.OS{})
	db, err := Open(fsys, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(2 * disk.Granularity)
	db.Has(plumbing.NewHash("01"))
	fsys.Set()
	for i := range 100 {
		if db.Has(plumbing.Hash{1, byte(i)}) {
			t.Fatal("has what nobody wrote")
		}
	}
	if n := fsys.Count(disk.OpRead); n > 100 { // one open of the loose file each
		t.Errorf("100 misses cost %d reads", n)
	}
}

func TestMissing(t *testing.T) {
	db := open(t, gitstoretest.Bare(t))
	oid := plumbing.NewHash(strings.Repeat("12", 20))
	_, _, err := db.Get(oid)
	var missing *MissingError
	if !errors.Is(err, plumbing.ErrObjectNotFound) || !errors.As(err, &missing) || missing.Object != oid {
		t.Errorf("Get = %v", err)
	}
	if _, err := db.Size(oid); !errors.Is(err, plumbing.ErrObjectNotFound) {
		t.Errorf("Size = %v", err)
	}
}

// TestReadersOutliveRepack: what was open when git repacked stays readable.
func TestReadersOutliveRepack(t *testing.T) {
	dir := gitstoretest.Copy(t, gitstoretest.Repo(t, 1000, 1000))
	db, err := Open(disk.OS{}, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := db.packs.Load()
	gitstoretest.Git(t, dir, "repack", "-a", "-d", "-f", "-q")
	sameAsGit(t, db, dir)
	if err := db.Refresh(); err != nil {
		t.Fatal(err)
	}
	if db.packs.Load().packs[0] == set.packs[0] {
		t.Error("the old pack is still in use after a refresh")
	}
	sameAsGit(t, db, dir)
}

func TestQuarantine(t *testing.T) {
	dir := gitstoretest.Bare(t)
	cache := NewCache(1 << 20)
	db, err := Open(disk.OS{}, dir, cache)
	if err != nil {
		t.Fatal(err)
	}
	known := hashObject(t, dir, "known")
	extra := filepath.Join(dir, "objects", "tmp_objdir-incoming-x")
	other := gitstoretest.Bare(t)
	pushed := hashObject(t, other, "pushed")
	packed := hashObject(t, other, "packed")
	if err := os.CopyFS(extra, os.DirFS(filepath.Join(other, "objects"))); err != nil {
		t.Fatal(err)
	}
	gitstoretest.GitIn(t, other, packed.String()+"\n", "pack-objects", "-q", filepath.Join(extra, "pack", "pack"))
	q, err := OpenQuarantine(db, extra)
	if err != nil {
		t.Fatal(err)
	}
	for oid, want := range map[plumbing.Hash]string{known: "known", pushed: "pushed", packed: "packed"} {
		if _, data, err := q.Get(oid); err != nil || string(data) != want {
			t.Errorf("%s in quarantine: %q, %v", want, data, err)
		}
		if n, err := q.Size(oid); err != nil || n != int64(len(want)) {
			t.Errorf("the size of %s in quarantine: %d, %v", want, n, err)
		}
		if got, err := q.Resolve(oid.String()[:10]); err != nil || got != oid {
			t.Errorf("resolving %s in quarantine: %s, %v", want, got, err)
		}
	}
	if db.Has(pushed) || db.Has(packed) {
		t.Error("the repository sees what is in quarantine")
	}
}

// TestCacheIsNotShared: what one repository has read, another that shares the
// cache still does not have.
func TestCacheIsNotShared(t *testing.T) {
	cache := NewCache(1 << 20)
	a, b := gitstoretest.Bare(t), gitstoretest.Bare(t)
	oid := hashObject(t, a, "secret of a")
	first, err := Open(disk.OS{}, a, cache)
	if err != nil {
		t.Fatal(err)
	}
	second, err := Open(disk.OS{}, b, cache)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := first.Get(oid); err != nil {
		t.Fatal(err)
	}
	if _, _, err := second.Get(oid); !errors.Is(err, plumbing.ErrObjectNotFound) {
		t.Errorf("read through the cache of another repository: %v", err)
	}
}

func TestCacheIsBounded(t *testing.T) {
	const limit = 1 << 20
	c := NewCache(limit)
	for i := range 10_000 {
		var oid plumbing.Hash
		oid[0], oid[1], oid[5] = byte(i), byte(i>>8), byte(i*7)
		c.put(oidKey(1, oid), plumbing.BlobObject, make([]byte, 1000))
	}
	if s := c.Stats(); s.Bytes > limit || s.Entries < 300 {
		t.Errorf("%+v in a cache of %d bytes", s, limit)
	}
	c.put(oidKey(1, plumbing.Hash{1}), plumbing.BlobObject, make([]byte, limit/8))
	if _, _, ok := c.get(oidKey(1, plumbing.Hash{1})); ok {
		t.Error("a large object is kept")
	}
}

func TestResolve(t *testing.T) {
	dir := gitstoretest.Copy(t, gitstoretest.Repo(t, 1000, 1000))
	loose := hashObject(t, dir, "loose")
	db := open(t, dir)
	tip := gitstoretest.Git(t, dir, "rev-parse", "main")
	for _, want := range []string{tip, loose.String()} {
		for _, n := range []int{12, 13, 40} {
			if got, err := db.Resolve(strings.ToUpper(want[:n])); err != nil || got.String() != want {
				t.Errorf("Resolve(%s) = %s, %v", want[:n], got, err)
			}
		}
	}
	for _, bad := range []string{"", "abc", "xyzw", "....", tip + "0", "main"} {
		if _, err := db.Resolve(bad); err == nil {
			t.Errorf("Resolve(%q) accepts it", bad)
		}
	}
	all, err := db.All()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, h := range all {
		p := h.String()[:4]
		if seen[p] {
			if _, err := db.Resolve(p); !errors.Is(err, ErrAmbiguous) {
				t.Errorf("Resolve(%s), which is ambiguous: %v", p, err)
			}
			return
		}
		seen[p] = true
	}
	t.Error("no two objects begin alike: nothing was tested")
}

func TestAlternatesAreRefused(t *testing.T) {
	dir := gitstoretest.Bare(t)
	if err := os.WriteFile(filepath.Join(dir, "objects/info/alternates"), []byte("/somewhere/objects\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(disk.OS{}, dir, nil); err == nil || !strings.Contains(err.Error(), "repack") {
		t.Errorf("Open = %v; want a refusal with the next step", err)
	}
}

// TestDamagedPack: a pack that is cut, or whose bytes are changed anywhere,
// gives errors; what is elsewhere is still served.
func TestDamagedPack(t *testing.T) {
	dir := gitstoretest.Bare(t)
	e := newEditor(t, open(t, dir), 40)
	sound := hashObject(t, dir, "sound")
	files, err := filepath.Glob(filepath.Join(dir, "objects/pack/pack-*"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		whole, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < 200; i++ {
			bad := bytes.Clone(whole)
			if at := len(bad) * i / 200; i%2 == 0 {
				bad = bad[:at]
			} else {
				bad[at] ^= byte(1 << (i % 8))
			}
			replaceFile(t, file, bad)
			db, err := Open(disk.OS{}, dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := db.Get(sound); err != nil {
				t.Fatalf("a sound object beside a damaged pack: %v", err)
			}
			if _, _, err := db.Get(e.head); err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, plumbing.ErrObjectNotFound) {
				t.Errorf("%s damaged at %d: %v", filepath.Ext(file), i, err)
			}
			if db.Damage() != nil && !errors.Is(db.Damage(), ErrDamaged) {
				t.Errorf("Damage = %v", db.Damage())
			}
		}
		replaceFile(t, file, whole)
	}
	sameAsGit(t, open(t, dir), dir)
}

func replaceFile(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o444); err != nil {
		t.Fatal(err)
	}
}

// TestFileCutUnderAReader: a pack that is cut while it is mapped gives an
// error; without care the process would end.
func TestFileCutUnderAReader(t *testing.T) {
	dir := gitstoretest.Copy(t, gitstoretest.Repo(t, 1000, 1000))
	db, err := Open(disk.OS{}, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := db.packs.Load().packs[0]
	if err := os.Chmod(p.path+".pack", 0o644); err != nil {
		t.Fatal(err)
	}
	list := pages(t, dir)
	if err := os.Truncate(p.path+".pack", 0); err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.Get(list[0]); !errors.Is(err, ErrDamaged) {
		t.Errorf("Get = %v", err)
	}
	if _, _, err := db.Header(list[0]); !errors.Is(err, ErrDamaged) {
		t.Errorf("Header = %v", err)
	}
}
