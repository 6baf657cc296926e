package record

import (
	"errors"
	"testing"

	"wikibot/wiki"
)

func TestDeleteTable(t *testing.T) {
	for _, c := range []struct{ name, in, path, want string }{
		{"the last one", "s = 1\n\n[a.x]\nb = 1\n", "a/x", "s = 1\n\n"},
		{"with its comments, and not the next one's", "s = 1\n\n# of a\n[a]\nb = 1 # c\n# in a\nd = 2\n\n# of e\n[e]\n", "a", "s = 1\n\n# of e\n[e]\n"},
		{"the only one", "[a]\n", "a", ""},
		{"before a list of tables", "[a]\nb = [\n1,\n]\n[[c]]\nx = 1\n", "a", "[[c]]\nx = 1\n"},
		{"between its siblings", "[a.x]\nk = 1\n[a.y]\nk = 2\n[a.z]\nk = 3", "a/y", "[a.x]\nk = 1\n[a.z]\nk = 3"},
		{"with inline tables in it", "[a]\nb = {c = 1}\nd.e = 2\n[f]\n", "a", "[f]\n"},
		{"with CRLF", "[a]\r\nb = 1\r\n\r\n[c]\r\n", "a", "[c]\r\n"},
	} {
		if got, err := DeleteTable([]byte(c.in), path(c.path)); err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v, want %q", c.name, got, err, c.want)
		}
	}
	for _, c := range []struct {
		in, path string
		want     error
	}{
		{"[a]\n", "b", wiki.ErrNotFound}, {"[a]\n", "a/b", wiki.ErrNotFound}, {"a = {b = 1}\n", "a", wiki.ErrInvalid},
		{"a.b = 1\n", "a", wiki.ErrInvalid}, {"[a.b]\n", "a", wiki.ErrInvalid}, {"[a]\n[a.b]\n", "a", wiki.ErrInvalid},
		{"[[a]]\n", "a", wiki.ErrInvalid}, {"[[a]]\n", "a/0", wiki.ErrInvalid}, {"[[a]]\n[a.b]\n", "a/0/b", wiki.ErrInvalid},
		{"a = 1\n", "a", wiki.ErrInvalid}, {"[a\n", "a", wiki.ErrInvalid},
	} {
		if got, err := DeleteTable([]byte(c.in), path(c.path)); !errors.Is(err, c.want) {
			t.Errorf("%q without %s: %q, %v, want %v", c.in, c.path, got, err, c.want)
		}
	}
	// What looks like a comment above a header and is a text is no reason to break the file.
	if got, err := DeleteTable([]byte("[a]\nt = \"\"\"\n# x\"\"\"\n[b]\n"), path("b")); err == nil {
		t.Errorf("a text was cut: %q", got)
	}
}

// FuzzDeleteTable: whatever is deleted, the rest decodes to what it was (DeleteTable
// proves that itself), and every line of the result was one before.
func FuzzDeleteTable(f *testing.F) {
	for _, s := range seeds {
		for pick := range byte(4) {
			f.Add([]byte(s), pick)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, pick byte) {
		d, faults := Scan("f.toml", data)
		if faults != nil || len(d.nodes) > 200 {
			return
		}
		e := Entry{d, int(pick) % len(d.nodes)}
		out, err := DeleteTable(data, e.Path())
		if err != nil {
			return
		}
		if e.Kind() != Table {
			t.Fatalf("%q: %q is no table and was deleted", data, e.Path())
		}
		if _, faults := Scan("f.toml", out); faults != nil {
			t.Fatalf("%q without %q is %q: %v", data, e.Path(), out, faults)
		}
		mustKeep(t, out, data)
	})
}
