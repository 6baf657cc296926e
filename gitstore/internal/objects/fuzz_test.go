package objects

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/gitstore/gitstoretest"
	"wikibot/gitstore/internal/disk"
)

// sample is a small pack and its index, with deltas.
func sample(tb testing.TB) (pack, idx []byte) {
	tb.Helper()
	dir := gitstoretest.Bare(tb)
	e := newEditor(tb, open(tb, dir), 30)
	b := open(tb, gitstoretest.Bare(tb)).NewBatch()
	e.db = b.db
	for range 3 {
		e.edit(b)
	}
	e.write(b)
	files, err := filepath.Glob(filepath.Join(b.db.packDir, "pack-*.pack"))
	if err != nil || len(files) != 1 {
		tb.Fatal(files, err)
	}
	pack, err = os.ReadFile(files[0])
	if err != nil {
		tb.Fatal(err)
	}
	idx, err = os.ReadFile(files[0][:len(files[0])-4] + "idx")
	if err != nil {
		tb.Fatal(err)
	}
	return pack, idx
}

// readAll reads everything that a pair of files claims to hold.
func readAll(t *testing.T, pack, idx []byte) {
	p, err := newPack("fuzz", disk.Memory(idx), disk.Memory(pack))
	if err != nil {
		allowed(t, err)
		return
	}
	db := &DB{}
	for i := range min(p.idx.n, 1000) {
		t1, data, err := p.read(db, p.idx.offset(i))
		allowed(t, err)
		t2, size, herr := p.header(p.idx.offset(i))
		allowed(t, herr)
		if err == nil && (herr != nil || t1 != t2 || size != int64(len(data))) {
			t.Errorf("read %v, %d bytes; header %v, %d, %v", t1, len(data), t2, size, herr)
		}
		name := p.idx.name(i)
		p.idx.find(&name)
	}
	var hi plumbing.Hash
	hi[0] = 0xff
	p.idx.between(plumbing.Hash{}, hi, map[plumbing.Hash]bool{})
	if _, err := entriesOf(p); !errors.Is(err, errNotFoldable) {
		allowed(t, err)
	}
}

func allowed(t *testing.T, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrTooLarge) {
		t.Errorf("an error of another kind: %v", err)
	}
}

func FuzzPack(f *testing.F) {
	pack, idx := sample(f)
	f.Add(pack, idx)
	f.Fuzz(func(t *testing.T, pack, idx []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		readAll(t, pack, idx)
		runtime.ReadMemStats(&after)
		if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(256<<20+2000*len(pack)); got > limit {
			t.Errorf("took %d bytes for a pack of %d", got, len(pack))
		}
	})
}

// FuzzPackBody changes a pack whose frame stays right, so that what is inside
// is reached more often.
func FuzzPackBody(f *testing.F) {
	pack, idx := sample(f)
	f.Add(uint16(100), []byte{0xff})
	f.Add(uint16(len(pack)/2), []byte{0x7f, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, at uint16, change []byte) {
		bad := bytes.Clone(pack)
		if i := packHeader + int(at); i < len(bad)-packTrailer {
			copy(bad[i:len(bad)-packTrailer], change)
		}
		readAll(t, bad, idx)
		badIdx := bytes.Clone(idx)
		if i := idxHeader + idxFanout + int(at); i < len(badIdx)-idxTrailer {
			copy(badIdx[i:len(badIdx)-idxTrailer], change)
		}
		readAll(t, pack, badIdx)
	})
}

// FuzzDelta: a delta gives what it says it gives, or an error.
func FuzzDelta(f *testing.F) {
	base := []byte("the quick brown fox jumps over the lazy dog")
	f.Add(base, makeDelta(nil, base, []byte("the quick red fox jumps over the lazy dog")))
	f.Fuzz(func(t *testing.T, base, delta []byte) {
		got, err := applyDelta(base, delta)
		allowed(t, err)
		if err != nil {
			return
		}
		_, n := deltaVarint(delta)
		if want, _ := deltaVarint(delta[n:]); want != int64(len(got)) {
			t.Errorf("it made %d bytes and says %d", len(got), want)
		}
	})
}

func FuzzMakeDelta(f *testing.F) {
	f.Add([]byte("abc"), []byte("abd"))
	f.Fuzz(func(t *testing.T, base, target []byte) {
		got, err := applyDelta(base, makeDelta(nil, base, target))
		if err != nil || !bytes.Equal(got, target) {
			t.Errorf("got %q, %v; want %q", got, err, target)
		}
	})
}

func FuzzLoose(f *testing.F) {
	for _, text := range []string{"blob 3\x00abc", "commit 0\x00", "blob 4\x00abc", "blob -1\x00", "blob 99999999999999999999\x00", "tree 03\x00abc", "blob 3"} {
		var z bytes.Buffer
		if err := deflate(&z, []byte(text)); err != nil {
			f.Fatal(err)
		}
		f.Add(z.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		kind, data, err := parseLoose(b)
		allowed(t, err)
		if err != nil {
			return
		}
		if k, size, _, err := looseHeader(b); err != nil || k != kind || size != int64(len(data)) {
			t.Errorf("the header says %v, %d, %v; the object is %v, %d", k, size, err, kind, len(data))
		}
	})
}

func FuzzTree(f *testing.F) {
	f.Add([]byte("100644 a\x0012345678901234567890"))
	f.Add([]byte("40000 a\x0012345678901234567890100644 b\x0012345678901234567890"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var back []byte
		for e, err := range ParseTree(data) {
			allowed(t, err)
			if err != nil {
				return
			}
			if e.Name == "" || len(e.Name) > len(data) {
				t.Errorf("the name %q", e.Name)
			}
			back = append(append(append(back, e.Name...), 0), e.Hash[:]...)
		}
		if len(back) > len(data) {
			t.Errorf("%d bytes parsed of %d", len(back), len(data))
		}
	})
}

// FuzzCommit: what was parsed and encoded again parses to the same.
func FuzzCommit(f *testing.F) {
	f.Add([]byte("tree 1212121212121212121212121212121212121212\nparent 1212121212121212121212121212121212121212\nauthor A <a@b> 1 +0100\ncommitter A <a@b> 1 -0330\ngpgsig one\n two\n\nm\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseCommit(data)
		allowed(t, err)
		if err != nil {
			return
		}
		once, err := c.Encode()
		if err != nil {
			return // it was parsed leniently
		}
		again, err := ParseCommit(once)
		if err != nil {
			t.Fatalf("ours: %v\n%q", err, once)
		}
		twice, err := again.Encode()
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%q\n%q (%v)", once, twice, err)
		}
	})
}

// FuzzInflate compares our reader of zlib streams with the standard library's.
func FuzzInflate(f *testing.F) {
	for _, level := range []int{0, 1, 6, 9} {
		for _, text := range []string{"", "a", "abcabcabcabcabc", gitstoretest.Page(1, 1)} {
			var z bytes.Buffer
			w, err := zlib.NewWriterLevel(&z, level)
			if err != nil {
				f.Fatal(err)
			}
			_, err = w.Write([]byte(text))
			if err := errors.Join(err, w.Close()); err != nil {
				f.Fatal(err)
			}
			f.Add(z.Bytes(), uint16(len(text)))
		}
	}
	f.Fuzz(func(t *testing.T, z []byte, size uint16) {
		want, wantErr := standard(z)
		if wantErr == nil {
			size = uint16(len(want))
		}
		got := make([]byte, size)
		_, err := inflateZlib(got, z)
		if wantErr == nil && len(want) < 1<<16 {
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("ours: %v; %d bytes wanted", err, len(want))
			}
		} else if err == nil {
			t.Errorf("accepted, where the standard library says %v", wantErr)
		}
		allowed(t, inflatePrefix(make([]byte, size/2), z))
	})
}

func standard(z []byte) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(z))
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(r, 1<<16))
	if err == nil && len(data) == 1<<16 {
		return data, errors.New("longer than the test wants")
	}
	return data, err
}

// TestCircleOfDeltas: two deltas by name that are each other's base.
func TestCircleOfDeltas(t *testing.T) {
	a, b := plumbing.Hash{1}, plumbing.Hash{2}
	var pack []byte
	pack = appendPackHeader(pack, 2)
	var list []indexed
	for _, e := range []struct{ oid, base plumbing.Hash }{{a, b}, {b, a}} {
		list = append(list, indexed{oid: e.oid, off: int64(len(pack))})
		delta := []byte{1, 1, 1, 'x'}
		pack = append(appendEntry(pack, refDelta, len(delta)), e.base[:]...)
		var z bytes.Buffer
		if err := deflate(&z, delta); err != nil {
			t.Fatal(err)
		}
		pack = append(pack, z.Bytes()...)
	}
	pack = append(pack, make([]byte, packTrailer)...)
	p, err := newPack("circle", disk.Memory(encodeIndex(list, make([]byte, 20))), disk.Memory(pack))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.read(&DB{}, packHeader); !errors.Is(err, ErrDamaged) {
		t.Errorf("read = %v", err)
	}
	if _, _, err := p.header(packHeader); !errors.Is(err, ErrDamaged) {
		t.Errorf("header = %v", err)
	}
}

// TestLargeOffsets: an index with offsets above 2 GiB.
func TestLargeOffsets(t *testing.T) {
	list := []indexed{{plumbing.Hash{1}, 0, 12}, {plumbing.Hash{2}, 0, 1<<31 + 5}, {plumbing.Hash{3}, 0, 1 << 40}}
	x, err := parseIndex(encodeIndex(list, make([]byte, 20)))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if got := x.offset(x.find(&e.oid)); got != e.off {
			t.Errorf("offset %d, want %d", got, e.off)
		}
	}
	binary.BigEndian.PutUint32(x.offsets[4:], 1<<31|9)
	if got := x.offset(1); got != -1 {
		t.Errorf("a large offset outside its table: %d", got)
	}
}
