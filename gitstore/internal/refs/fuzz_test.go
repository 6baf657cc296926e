package refs

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// FuzzPacked: whatever is in the file, names stay inside the repository, and
// what is written back reads the same.
func FuzzPacked(f *testing.F) {
	h := strings.Repeat("12", 20)
	f.Add([]byte(packedHeader + h + " refs/heads/main\n" + h + " refs/tags/v1\n^" + h + "\n"))
	f.Add([]byte(h + " refs/heads/b\n" + h + " refs/heads/a\n"))
	f.Add([]byte(h + " refs/../../etc/passwd\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, peeled, err := parsePacked(data)
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		for _, r := range list {
			if CheckName(r.name) != nil || strings.Contains(r.name, "..") {
				t.Errorf("the name %q", r.name)
			}
		}
		again, same, err := parsePacked(encodePacked(list, peeled))
		if err != nil || !slices.Equal(again, list) || same != peeled {
			t.Errorf("%v, %v, %v; want %v, %v", again, same, err, list, peeled)
		}
	})
}

func FuzzLoose(f *testing.F) {
	f.Add([]byte(strings.Repeat("12", 20) + "\n"))
	f.Add([]byte("ref: refs/heads/main\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, target, err := parseLoose(data)
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("an error of another kind: %v", err)
		}
		if target != "" && (CheckName(target) != nil || !bytes.HasPrefix(data, []byte("ref:"))) {
			t.Errorf("the target %q", target)
		}
	})
}
