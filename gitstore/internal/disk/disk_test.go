package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// save writes a file as the store does; each step can be left out.
func save(t *testing.T, fsys FS, dir, name, text string, sync, syncDir bool) {
	t.Helper()
	f, err := fsys.OpenFile(filepath.Join(dir, name+".tmp"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o444)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if sync {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close(), fsys.Rename(f.Name(), filepath.Join(dir, name))); err != nil {
		t.Fatal(err)
	}
	if syncDir {
		if err := fsys.SyncDir(dir); err != nil {
			t.Fatal(err)
		}
	}
}

// worst replays a recording and lists what states show in place of an
// acknowledged file, and how many states there were.
func worst(t *testing.T, r *Recorder, name string) (states int, bad map[string]bool) {
	t.Helper()
	bad = map[string]bool{}
	for c, err := range r.Crashes(t.TempDir()) {
		if err != nil {
			t.Fatal(err)
		}
		states++
		if len(c.Marks) == 0 {
			continue
		}
		got, err := os.ReadFile(filepath.Join(c.Dir, name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			bad["missing"] = true
		case string(got) != c.Marks[len(c.Marks)-1]:
			bad[strings.ReplaceAll(string(got), "\x00", "0")] = true
		}
	}
	return states, bad
}

// TestRecorderFindsMissingSyncs: the right order survives every crash, and the
// recorder shows what each missing step would cost.
func TestRecorderFindsMissingSyncs(t *testing.T) {
	for _, c := range []struct {
		sync, syncDir bool
		want          []string
	}{
		{true, true, nil},
		{false, true, []string{"", "ne", "0000"}},
		{true, false, []string{"old!"}},
		{false, false, []string{"old!", "", "ne", "0000"}},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte("old!"), 0o666); err != nil {
			t.Fatal(err)
		}
		r, err := NewRecorder(dir)
		if err != nil {
			t.Fatal(err)
		}
		save(t, r, dir, "file", "new!", c.sync, c.syncDir)
		r.Mark("new!")
		states, bad := worst(t, r, "file")
		if len(bad) != len(c.want) || states < 4 {
			t.Errorf("sync %v, syncDir %v: %d states show %v, want %q", c.sync, c.syncDir, states, bad, c.want)
		}
		for _, w := range c.want {
			if !bad[w] {
				t.Errorf("sync %v, syncDir %v: no state shows %q", c.sync, c.syncDir, w)
			}
		}
	}
}

// TestRecorderLosesFolders: a file in a new folder needs the folder's own name
// synced as well.
func TestRecorderLosesFolders(t *testing.T) {
	for _, synced := range []bool{false, true} {
		dir := t.TempDir()
		r, err := NewRecorder(dir)
		if err != nil {
			t.Fatal(err)
		}
		sub := filepath.Join(dir, "a/b")
		if synced {
			err = MakeDirs(r, sub, 0o777)
		} else {
			err = r.MkdirAll(sub, 0o777)
		}
		if err != nil {
			t.Fatal(err)
		}
		save(t, r, sub, "file", "new", true, true)
		r.Mark("new")
		if _, bad := worst(t, r, "a/b/file"); bad["missing"] == synced {
			t.Errorf("folders synced %v: states show %v", synced, bad)
		}
	}
}

func TestFaulty(t *testing.T) {
	dir := t.TempDir()
	f := NewFaulty(OS{}, Fault{Op: OpWrite, N: 2, Err: syscall.ENOSPC, Stays: true})
	file, err := f.OpenFile(filepath.Join(dir, "x"), os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for i, want := range []error{nil, syscall.ENOSPC, syscall.ENOSPC} {
		if _, err := file.Write([]byte("1234")); !errors.Is(err, want) {
			t.Errorf("write %d: %v, want %v", i, err, want)
		}
	}
	if got, err := os.ReadFile(file.Name()); err != nil || string(got) != "12341212" {
		t.Errorf("the file has %q, %v", got, err)
	}
}

// TestMapping: a mapping outlives its file's name, and collecting garbage.
func TestMapping(t *testing.T) {
	for _, size := range []int{0, 10, smallFile, smallFile + 1, 1 << 20} {
		name := filepath.Join(t.TempDir(), "x")
		want := strings.Repeat("x", size)
		if err := os.WriteFile(name, []byte(want), 0o444); err != nil {
			t.Fatal(err)
		}
		m, err := Map(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		if string(m.Bytes()) != want {
			t.Errorf("%d bytes: other content", size)
		}
		runtime.KeepAlive(m)
	}
	if _, err := Map(t.TempDir()); err == nil {
		t.Error("a folder can be mapped")
	}
}

func TestStamp(t *testing.T) {
	name := filepath.Join(t.TempDir(), "x")
	if s, err := StampOf(name); err != nil || s.Exists {
		t.Errorf("a missing file: %+v, %v", s, err)
	}
	if err := os.WriteFile(name, []byte("1"), 0o666); err != nil {
		t.Fatal(err)
	}
	a, err := StampOf(name)
	if err != nil || !a.Exists {
		t.Fatal(a, err)
	}
	if err := os.WriteFile(name, []byte("12"), 0o666); err != nil {
		t.Fatal(err)
	}
	if b, err := StampOf(name); err != nil || a == b {
		t.Errorf("another size, the same stamp (%v)", err)
	}
}
