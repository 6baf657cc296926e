package vectors

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"runtime"
	"testing"

	"wikibot/wiki"
)

// sealed is a body with the checksum that makes it look whole.
func sealed(body []byte) []byte {
	return binary.LittleEndian.AppendUint32(body, crc32.Checksum(body, castagnoli()))
}

// claim is a file that says it is large and is not.
func claim(dim, n uint64, more ...byte) []byte {
	b := binary.AppendUvarint([]byte(magic), dim)
	return sealed(append(binary.AppendUvarint(b, n), more...))
}

func TestHostileFiles(t *testing.T) {
	one := binary.LittleEndian.AppendUint32([]byte{1}, math.Float32bits(1))
	if _, _, err := Read(claim(1, 1, one...)); err != nil {
		t.Fatalf("got %v: the test makes wrong files", err)
	}
	for name, b := range map[string][]byte{
		"nothing":           nil,
		"another version":   []byte("wbvec\x02\x01\x00"),
		"name alone":        []byte(magic),
		"no dimension":      claim(0, 1, 1),
		"many ids":          claim(384, 1<<40),
		"most ids":          claim(384, math.MaxUint64),
		"many dimensions":   claim(math.MaxUint64, 8, 0xff),
		"vectors not there": claim(MaxDim, 64, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"an endless number": append([]byte(magic), bytes.Repeat([]byte{0xff}, 20)...),
		"ids not there":     claim(384, 1<<20, make([]byte, 1<<17)...),
		"bits past the end": claim(1, 3, 0x0f),
		"NaN":               claim(1, 1, 1, 0, 0, 0xc0, 0x7f),
		"an infinity":       claim(1, 1, 1, 0, 0, 0x80, 0x7f),
		"zero":              claim(1, 1, 1, 0, 0, 0, 0),
		"length 2":          claim(1, 1, 1, 0, 0, 0, 0x40),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _, err := Read(b)
		runtime.ReadMemStats(&after)
		allocated := after.TotalAlloc - before.TotalAlloc
		if !errors.Is(err, wiki.ErrInvalid) {
			t.Errorf("%s: got %v, want ErrInvalid", name, err)
		}
		if allocated > 64<<10 {
			t.Errorf("%s: %d bytes were allocated for %d", name, allocated, len(b))
		}
	}
}

// One vector under a large id costs a bit a smaller id in the file and four bytes
// in memory, not a vector.
func TestSparseIDs(t *testing.T) {
	s := New(1024)
	if err := s.Put(1<<20, append(make([]float32, 1023), 1)); err != nil {
		t.Fatal(err)
	}
	b := s.Append(nil)
	back, _, err := Read(b)
	if err != nil || !back.Has(1<<20) || back.Len() != 1 {
		t.Fatal(err)
	}
	if len(b) > 1<<17+5000 || back.Bytes() > 5<<20 || s.Bytes() > 5<<20 {
		t.Errorf("got %d bytes saved, %d and %d in memory", len(b), s.Bytes(), back.Bytes())
	}
}

// Every flipped bit and every cut is noticed.
func TestDamagedFiles(t *testing.T) {
	s := New(3)
	for _, id := range []uint32{0, 5, 6, 19} {
		if err := s.Put(id, []float32{float32(id), 1, 2}); err != nil {
			t.Fatal(err)
		}
	}
	good := s.Append(nil)
	for i := range good {
		if _, _, err := Read(good[:i]); !errors.Is(err, wiki.ErrInvalid) {
			t.Fatalf("cut to %d bytes: got %v", i, err)
		}
		bad := bytes.Clone(good)
		bad[i] ^= 1 << (i % 8)
		if _, _, err := Read(bad); !errors.Is(err, wiki.ErrInvalid) {
			t.Fatalf("byte %d: got %v", i, err)
		}
	}
}

// The checksum is mended, so that what lies behind it is reached.
func FuzzRead(f *testing.F) {
	s := New(2)
	for _, id := range []uint32{0, 5, 11} {
		if err := s.Put(id, []float32{1, float32(id)}); err != nil {
			f.Fatal(err)
		}
	}
	f.Add(s.Append(nil))
	f.Add(New(9).Append(nil))
	f.Add(claim(384, 1<<40))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4 {
			b = sealed(b[: len(b)-4 : len(b)-4])
		}
		s, rest, err := Read(b)
		if err != nil {
			if !errors.Is(err, wiki.ErrInvalid) {
				t.Fatalf("got %v", err)
			}
			return
		}
		if back, left, err := Read(append(s.Append(nil), rest...)); err != nil || !bytes.Equal(left, rest) || !bytes.Equal(back.Append(nil), s.Append(nil)) {
			t.Fatal("what was read is saved as something else")
		}
		q := make([]float32, s.Dim())
		q[0] = 1
		if top, err := s.Top(context.Background(), q, 3, nil); err != nil || len(top) != min(3, s.Len()) {
			t.Fatalf("got %v, %v", top, err)
		}
		s.Delete(5)
		if err := s.Put(7, q); err != nil {
			t.Fatal(err)
		}
	})
}
