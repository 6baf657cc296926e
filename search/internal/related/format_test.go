package related

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
func claim(dim, terms uint64, more ...byte) []byte {
	b := binary.AppendUvarint([]byte(magic), dim)
	return sealed(append(binary.AppendUvarint(b, terms), more...))
}

func TestHostileFiles(t *testing.T) {
	for name, b := range map[string][]byte{
		"nothing":             nil,
		"another version":     []byte("wbrel\x02\x00\x00"),
		"name alone":          []byte(magic),
		"many terms":          claim(200, 1<<40),
		"most terms":          claim(200, math.MaxUint64),
		"many dimensions":     claim(math.MaxUint64, 8, 0xff),
		"vectors not there":   claim(maxDim, 64, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff),
		"an endless number":   append([]byte(magic), bytes.Repeat([]byte{0xff}, 20)...),
		"bits past the end":   claim(0, 3, 0xff),
		"NaN":                 claim(1, 1, 1, 0, 0, 0xc0, 0x7f),
		"an infinity":         claim(1, 1, 1, 0, 0, 0x80, 0x7f),
		"checksum of nothing": claim(200, 0)[:len(magic)+3],
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

// Every flipped bit and every cut is noticed.
func TestDamagedFiles(t *testing.T) {
	m, err := Fit(context.Background(), topics(2, 6, 20, 10), Options{Dim: 2})
	if err != nil {
		t.Fatal(err)
	}
	good := m.Append(nil)
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
	m, err := Fit(context.Background(), topics(2, 6, 20, 10), Options{Dim: 2})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Append(nil))
	f.Add(claim(200, 1<<40))
	f.Add(claim(0, 9, 0xff, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 4 {
			b = sealed(b[: len(b)-4 : len(b)-4])
		}
		m, rest, err := Read(b)
		if err != nil {
			if !errors.Is(err, wiki.ErrInvalid) {
				t.Fatalf("got %v", err)
			}
			return
		}
		if back, left, err := Read(append(m.Append(nil), rest...)); err != nil || !bytes.Equal(left, rest) || !bytes.Equal(back.Append(nil), m.Append(nil)) {
			t.Fatal("what was read is saved as something else")
		}
		m.Embed([]uint32{0, 1, 2, 7, math.MaxUint32})
		m.Near(0, 3)
		m.Bytes()
	})
}
