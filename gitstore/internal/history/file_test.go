package history

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-git/go-git/v5/plumbing"
	"wikibot/wiki"
)

func TestSaveAndLoad(t *testing.T) {
	r := randomHistory(t, 500, 120, true)
	dir := t.TempDir()
	x := r.build(r.all[60])
	if _, err := Load(dir, r.options()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("loading nothing: %v", err)
	}
	if _, err := x.Save(dir); err != nil {
		t.Fatal(err)
	}
	if err := x.Advance(r.head); err != nil {
		t.Fatal(err)
	}
	x.SetPushed(plumbing.ZeroHash, r.all[70], "bob", wiki.ViaSSH)
	file, err := x.Save(dir)
	if err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 || filepath.Join(dir, left[0].Name()) != file {
		t.Errorf("the folder has %v, want %s alone", left, file)
	}
	y, err := Load(dir, r.options())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := dump(y), dump(x); got != want {
		t.Fatalf("loaded and saved differ, %s", differ(got, want))
	}
	for _, oid := range []plumbing.Hash{r.all[30], r.head} { // it goes on as if it had never been away
		if err := y.Advance(oid); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Load(dir, Options{ServerEmail: "other@example.org"}); !errors.Is(err, ErrDamaged) {
		t.Errorf("loading an index of another server: %v", err)
	}
	damage(t, file, r.options())
}

func damage(t *testing.T, file string, o Options) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(data); i += 97 {
		bad := append([]byte(nil), data...)
		bad[i] ^= 0x10
		if _, err := decodeFile(bad, o); !errors.Is(err, ErrDamaged) {
			t.Errorf("with byte %d changed: %v", i, err)
		}
		if _, err := decodeFile(data[:i], o); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut off at %d: %v", i, err)
		}
	}
}

// FuzzLoad gives the tables any content under a right checksum: what is taken
// must answer every question without a panic.
func FuzzLoad(f *testing.F) {
	r := randomHistory(f, 1, 20, true)
	_, data := r.build(r.head).encode()
	f.Add(data)
	_, data = New(Options{ServerEmail: serverEmail}).encode()
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 4 {
			return
		}
		body := append([]byte(nil), data[:len(data)-4]...)
		x, err := decodeFile(binary.LittleEndian.AppendUint32(body, castagnoli(body)), Options{ServerEmail: serverEmail})
		if err != nil {
			return
		}
		for _, l := range x.LastAll() {
			_, _, _ = x.Log(l.Revision, l.File, plumbing.ZeroHash, 10)
		}
		_, _, _ = x.Changes(Filter{})
		_ = dump(x)
	})
}

// FuzzParse reads anything as the output of git log.
func FuzzParse(f *testing.F) {
	r := randomHistory(f, 2, 12, true)
	out, err := r.git(logArgs(r.head)...).Output()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(out)
	f.Add(out[:len(out)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		var entries []*entry
		p := newParser(bytes.NewReader(data))
		e, err := p.next()
		for ; err == nil; e, err = p.next() {
			entries = append(entries, e)
		}
		if err != io.EOF || len(entries) == 0 {
			return
		}
		x := New(Options{ServerEmail: serverEmail})
		set := map[plumbing.Hash]*entry{}
		for _, e := range entries {
			set[e.OID] = e
		}
		order(entries[0].OID, set, x.append)
		_, _, _ = x.Changes(Filter{})
	})
}
