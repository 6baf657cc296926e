package lexical

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"wikibot/wiki"
)

// small is an index with compounds, holes, two languages and dead words.
func small(t testing.TB) *Index {
	x := New(Options{})
	x.Apply(nil, []Entry{
		{0, x.Prepare(Text{Head: "Doors", Body: "The GitStore is the one door"})},
		{3, x.Prepare(Text{Language: "fr", Body: "l’amour des portes"})},
		{5, x.Prepare(Text{Body: "gone"})},
		{6, Prepared{}},
		{9, x.Prepare(Text{Body: "gone as well"})},
	})
	x.Apply([]uint32{5, 9, 77}, nil)
	return x
}

func TestFormat(t *testing.T) {
	x := small(t)
	saved := x.Append([]byte("before"))
	if !bytes.HasPrefix(saved, []byte("beforewblex\x01")) {
		t.Fatalf("%q", saved)
	}
	y, rest, err := Read(append(saved[6:], "after"...))
	if err != nil || string(rest) != "after" {
		t.Fatalf("%q, %v", rest, err)
	}
	if !bytes.Equal(y.Append(nil), saved[6:]) {
		t.Error("read and saved again, the bytes differ")
	}
	check(t, y)
	for _, q := range []string{"door", "gitstore", "amour", "porte", "gone", "-door"} {
		if got, want := fmt.Sprint(match(t, y, q)), fmt.Sprint(match(t, x, q)); got != want {
			t.Errorf("%s: %s, before %s", q, got, want)
		}
	}
	if y.Len() != 3 || !y.Has(6) || y.Has(5) || y.Tokens(5) != nil || len(y.Tokens(6)) != 0 {
		t.Errorf("%d documents", y.Len())
	}
	var terms []string
	for _, n := range y.Tokens(0) {
		terms = append(terms, y.Term(n))
	}
	if fmt.Sprint(terms) != "[the git store is the one door]" {
		t.Errorf("tokens: %v", terms)
	}
	y.Apply([]uint32{0}, []Entry{{5, y.Prepare(Text{Body: "a new door"})}})
	check(t, y)
	if got := match(t, y, "doors"); !slices.Equal(got.IDs, []uint32{5}) {
		t.Errorf("door: %v", got.IDs)
	}
}

// An index is read with the options that it was made with.
func TestFormatKeepsOptions(t *testing.T) {
	o := Options{Language: "de", K1: 2, B: .5, Head: 7}
	x, _, err := Read(New(o).Append(nil))
	if err != nil || x.o != o {
		t.Errorf("%+v, %v", x.o, err)
	}
}

// Each cut and each changed bit is noticed.
func TestDamage(t *testing.T) {
	saved := small(t).Append(nil)
	for n := range saved {
		if _, _, err := Read(saved[:n]); !errors.Is(err, wiki.ErrInvalid) {
			t.Fatalf("cut at %d: %v", n, err)
		}
		for bit := range 8 {
			damaged := bytes.Clone(saved)
			damaged[n] ^= 1 << bit
			if _, rest, err := Read(damaged); !errors.Is(err, wiki.ErrInvalid) || len(rest) != len(damaged) {
				t.Fatalf("bit %d of byte %d: %v", bit, n, err)
			}
		}
	}
}

// sealed gives bytes the checksum that they would need.
func sealed(b []byte) []byte {
	return binary.LittleEndian.AppendUint32(bytes.Clone(b), crc32.Checksum(b, castagnoli()))
}

// Numbers that promise much take no memory before there is something behind them.
func TestReadIsFrugal(t *testing.T) {
	saved := New(Options{}).Append(nil)
	head := saved[:len(saved)-6] // without the two counts and the checksum
	huge := binary.AppendUvarint(nil, 1<<40)
	room := bytes.Repeat([]byte{0}, 1<<16)
	cases := [][]byte{
		append(bytes.Clone(head), huge...),
		append(append(bytes.Clone(head), 0), huge...),
		append(append(bytes.Clone(head), 0, 1, 1), huge...),
		append(append(append(bytes.Clone(head), 0), binary.AppendUvarint(nil, 1<<16)...), room...),
		append(append(bytes.Clone(head), binary.AppendUvarint(nil, 1<<14)...), room...),
	}
	for i, b := range cases {
		for _, b := range [][]byte{b, sealed(b)} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := Read(b)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 100*uint64(len(b))+1<<20 {
				t.Errorf("case %d: %d bytes for %d (%v)", i, took, len(b), err)
			}
		}
	}
}

// Whatever the bytes, Read gives an error or an index that works. The checksum is put
// right, so that what lies behind it is reached.
func FuzzRead(f *testing.F) {
	saved := small(f).Append(nil)
	f.Add(saved[:len(saved)-4])
	r := rand.New(rand.NewPCG(1, 1))
	x := New(Options{Language: "none"})
	x.Apply(nil, []Entry{{1, x.Prepare(Text{Body: sentence(r, 30)})}, {2, x.Prepare(Text{Body: "信息检索"})}})
	saved = x.Append(nil)
	f.Add(saved[:len(saved)-4])
	f.Fuzz(func(t *testing.T, b []byte) {
		Read(b)
		x, rest, err := Read(sealed(b))
		if err != nil {
			return
		}
		if len(rest) != 0 {
			x, _, err = Read(sealed(b[:len(b)-len(rest)]))
			if err != nil {
				return
			}
		}
		for _, q := range []string{"the door", `"the git store"`, "g*", "-the", "信", "GitStore OR l'amour"} {
			match(t, x, q)
		}
		x.Spellings("dor", 3)
		x.Words("g", 3)
		for id := range uint32(12) {
			x.Tokens(id)
		}
		y, err := x.Compact()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x.Append(nil), y.Append(nil)) {
			t.Error("read and saved again, the bytes differ")
		}
		y.Apply([]uint32{0, 1, 2, 3}, []Entry{{1, y.Prepare(Text{Body: "the door"})}})
	})
}
