package record

import (
	"strconv"
	"strings"
	"testing"
)

// seeds are files of every shape that the scanner knows.
var seeds = []string{
	"",
	"\ufeffa = 1\r\nb = 2",
	"schema = 1\nwiki = \"3f\"\n[access]\nread = \"granted\" # who\n[grants]\nalice = \"owner\"\n\"did:plc:x\" = 'viewer'\n",
	"a.b.c = 1\na.b.d = 2\n[x.y.z]\nk = 1\n[x]\nq = [1, 2, [3]]\n",
	"[[p]]\nname = 1\n[p.sub]\nx = 1\n[[p]]\n[[p.list]]\ny = 2\n",
	"t = {a = 1, b.c = 2, d = {}, } # c\nu = {\n  # note\n  x = 1, # one\n  y = 2 # two\n}\n",
	"s = \"\"\"\nmulti \\\n   line \"\" \\\" end\"\"\"\"\"\nr = '''\nraw''' \nv = \"\\u00e9\\t\\x41\\U0001F600\\e\"\n",
	"i = [0, -1, +1, 0x_f, 0xdead_beef, 0o17, 0b11, 1_000]\n",
	"f = [1.5, -0.0, 1e10, 1_0.5e-3, inf, -nan, +inf]\nx = 9223372036854775807",
	"d = [1979-05-27, 07:32:00, 07:32, 1979-05-27T07:32:00.999999Z, 1979-05-27 07:32:00-07:00, 1979-05-27t07:32]\n",
	"  [ a . \"b c\" ]   # header\n\tkey = true\n\n\n# end",
	"a = 1\na = 2\n[b]\n[b]\n",
	"a = {x = 1}\n[a]\nb = 1\n[a.c]\n",
	"[a]\nb.c = 1\n[a.b]\n[a.b.d]\nx = 1\n",
	"[a.b]\nx = 1\n[a]\nb.y = 2\n",
	"'' = 1\n\"a\\nb\" = 2\n3.14 = 5\n\"\" . x = 2",
	"a = [ # one\n 1, # two\n\n 2,\n]\n",
	"k = 01\n", "k = 1.\n", "k = 2026-13-01\n", "k = tru\n", "k = \"\\q\"\n", "k = \"open\n", "[a", "a", "= 1", "a = {b = 1\n", "a = [1 2]",
	"k = \"\"\"\"\"\"\"\n", "k = \"\"\"a\"\"\"\"\"\"", "k = 'x\\'\n", "a = [[[[[[]]]]]]",
}

// goValue is what toml would decode an entry to, read by our own scanner.
func goValue(t *testing.T, e Entry) any {
	switch e.Kind() {
	case Table:
		m := map[string]any{}
		for c := range e.Children() {
			m[c.Name()] = goValue(t, c)
		}
		return m
	case Array:
		list := []any{}
		for c := range e.Children() {
			list = append(list, goValue(t, c))
		}
		return list
	case String:
		text, _ := e.Text()
		return text
	case Integer:
		n, ok := e.Int()
		if !ok {
			t.Fatalf("no integer at %q", e.Path())
		}
		return n
	case Float:
		f, err := strconv.ParseFloat(strings.ReplaceAll(e.Raw(), "_", ""), 64)
		if err != nil && strings.HasSuffix(e.Raw(), "nan") {
			f, err = strconv.ParseFloat("nan", 64)
		}
		if err != nil {
			t.Fatal(err)
		}
		return f
	case Bool:
		return e.Raw() == "true"
	}
	m, err := tree([]byte("v = " + e.Raw()))
	if err != nil {
		t.Fatalf("%q: %v", e.Raw(), err)
	}
	return m["v"]
}

// FuzzScan: what the scanner accepts, toml accepts with the same values. The
// other way round holds but for what TOML forbids and toml lets through.
func FuzzScan(f *testing.F) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d, faults := Scan("f.toml", data)
		want, err := tree(data)
		if faults != nil {
			for _, fault := range faults {
				if fault.Line < 1 || fault.Column < 1 || fault.Text == "" || fault.File != "f.toml" {
					t.Fatalf("fault without a place: %+v", fault)
				}
			}
			if err == nil && !laxer(faults[0].Text, string(data)) {
				t.Fatalf("toml accepts %q, the scanner says %v", data, faults)
			}
			return
		}
		if err != nil {
			t.Fatalf("the scanner accepts %q, toml says %v", data, err)
		}
		if got := goValue(t, d.Root()); !same(want, got) {
			t.Fatalf("%q:\n got %v\nwant %v", data, got, want)
		}
		for i := 1; i < len(d.nodes); i++ {
			e := Entry{d, i}
			if found, ok := d.Lookup(e.Path()...); !ok || found != e {
				t.Fatalf("%q: entry %q does not find itself", data, e.Path())
			}
		}
	})
}

// laxer knows what toml accepts against the specification: tables extended by
// dotted keys or defined twice in corners, UTF-16 marks.
func laxer(text, data string) bool {
	return strings.Contains(text, "is defined already") ||
		strings.Contains(text, "is not UTF-8") ||
		strings.Contains(text, "nested more than")
}

// FuzzEdit: after Set and Delete the file decodes to exactly the expected
// value, and no line but the edited one changed. Set and Delete prove the
// first themselves (check.go); here no refusal of theirs may be seen.
func FuzzEdit(f *testing.F) {
	for _, s := range seeds {
		for pick := range byte(12) {
			f.Add([]byte(s), pick, "new key", "some\ntext")
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, pick byte, name, value string) {
		name, value = strings.ToValidUTF8(name, "?"), strings.ToValidUTF8(value, "?")
		d, faults := Scan("f.toml", data)
		if faults != nil {
			if _, err := Set(data, []string{"a"}, 1); err == nil {
				t.Fatal("Set edits a broken file")
			}
			return
		}
		if len(d.nodes) > 200 {
			return
		}
		e := Entry{d, int(pick/4) % len(d.nodes)}
		path := e.Path()
		switch pick % 4 {
		case 0: // replace
			out, err := Set(data, path, value)
			if editable(e) {
				mustEdit(t, data, out, path, err)
			} else if err == nil {
				t.Fatalf("%q: Set replaces the table %q", data, path)
			}
		case 1, 2: // add, one or two deep
			path = append(path, name)
			if pick%4 == 2 {
				path = append(path, "x.y")
			}
			if _, found := d.Lookup(path...); found || e.Kind() != Table {
				return
			}
			if _, found := d.Lookup(path[:len(path)-1]...); found && pick%4 == 2 {
				return
			}
			out, err := Set(data, path, value)
			mustEdit(t, data, out, path, err)
			mustKeep(t, data, out)
			back, err := Delete(out, path)
			mustEdit(t, out, back, path, err)
		case 3: // delete
			out, err := Delete(data, path)
			if d.nodes[e.id].origin == written {
				mustEdit(t, data, out, path, err)
				mustKeep(t, out, data)
			} else if err == nil {
				t.Fatalf("%q: Delete takes out %q", data, path)
			}
		}
	})
}

func editable(e Entry) bool {
	o := e.node().origin
	return (o == written || o == element) && e.Kind() != Table
}

func mustEdit(t *testing.T, data, out []byte, path []string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%q: editing %q: %v\nwould be %q", data, path, err, out)
	}
	if _, faults := Scan("f.toml", out); faults != nil {
		t.Fatalf("%q: editing %q makes %q: %v", data, path, out, faults)
	}
}

// mustKeep demands that every byte of small is in big, in order: an edit adds or
// takes out, it never rewrites. (A last line without an end may get one.)
func mustKeep(t *testing.T, small, big []byte) {
	t.Helper()
	rest := string(big)
	for i, c := range []byte(strings.TrimRight(string(small), "\r\n")) {
		n := strings.IndexByte(rest, c)
		if n < 0 {
			t.Fatalf("byte %d of %q is lost in %q", i, small, big)
		}
		rest = rest[n+1:]
	}
}
