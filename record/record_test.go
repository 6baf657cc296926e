package record

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"wikibot/wiki"
)

func path(s string) []string { return strings.Split(s, "/") }

// TestSet and TestDelete: what changes, byte by byte. Each case names the file,
// the path (with slashes) and the whole result.
func TestSet(t *testing.T) {
	for _, c := range []struct {
		name, file, path string
		value            any
		want             string
	}{
		{"replace", "a = 1 # one\nb = 2\n", "a", 7, "a = 7 # one\nb = 2\n"},
		{"replace many lines", "a = [\n  1, # one\n  2\n] # end\nb = 1\n", "a", []string{"x", "y"}, "a = [\"x\", \"y\"] # end\nb = 1\n"},
		{"replace inline", "t = { a = 1, b = 2 }\n", "t/b", "x", "t = { a = 1, b = \"x\" }\n"},
		{"replace an element", "t = [1, 2, 3]\n", "t/1", 9, "t = [1, 9, 3]\n"},
		{"replace dotted", "t.a.b = 1\n", "t/a/b", true, "t.a.b = true\n"},
		{"empty file", "", "a", 1, "a = 1\n"},
		{"empty file, table", "", "t/a", 1, "[t]\na = 1\n"},
		{"after the last of the root", "a = 1\n\n# people\n[t]\nx = 1\n", "b", 2, "a = 1\nb = 2\n\n# people\n[t]\nx = 1\n"},
		{"root without keys", "# head\n\n# about t\n[t]\nx = 1\n", "b", 2, "# head\n\nb = 2\n\n# about t\n[t]\nx = 1\n"},
		{"after the last of a table", "[t]\nx = 1 # c\n\n# next\n[u]\ny = 1\n", "t/z", 2, "[t]\nx = 1 # c\nz = 2\n\n# next\n[u]\ny = 1\n"},
		{"table without keys", "[t] # c\n# body\n[u]\n", "t/z", 2, "[t] # c\nz = 2\n# body\n[u]\n"},
		{"indentation", "[t]\n\t  x = 1\n", "t/z", 2, "[t]\n\t  x = 1\n\t  z = 2\n"},
		{"aligned", "[t]\nalice = 1\nbob   = 2\n", "t/eve", 3, "[t]\nalice = 1\nbob   = 2\neve   = 3\n"},
		{"aligned, longer", "[t]\nalice = 1\nbob   = 2\n", "t/charles", 3, "[t]\nalice = 1\nbob   = 2\ncharles = 3\n"},
		{"not aligned", "[t]\nalice = 1\nbob = 2\n", "t/eve", 3, "[t]\nalice = 1\nbob = 2\neve = 3\n"},
		{"CRLF", "[t]\r\nx = 1\r\n", "t/z", 2, "[t]\r\nx = 1\r\nz = 2\r\n"},
		{"no end of line", "[t]\nx = 1", "t/z", 2, "[t]\nx = 1\nz = 2\n"},
		{"quoted", "[t]\n", "t/did:plc:x", "a\"b", "[t]\n\"did:plc:x\" = \"a\\\"b\"\n"},
		{"new table", "a = 1\n", "t u/x", 2, "a = 1\n\n[\"t u\"]\nx = 2\n"},
		{"new sub-table", "[t]\nx = 1\n[u]\n", "t/s/y", 2, "[t]\nx = 1\n[u]\n\n[t.s]\ny = 2\n"},
		{"implied table", "[t.s]\nx = 1\n", "t/y", 2, "[t.s]\nx = 1\n\n[t]\ny = 2\n"},
		{"dotted table", "t.x = 1\nb = 2\n", "t/y", 2, "t.x = 1\nt.y = 2\nb = 2\n"},
		{"inline table", "t = {x = 1} # c\n", "t/y", 2, "t = {x = 1, y = 2} # c\n"},
		{"empty inline table", "t = {}\n", "t/y", 2, "t = { y = 2 }\n"},
		{"inline, final comma", "t = {\n  x = 1, # one\n}\n", "t/y", 2, "t = {\n  x = 1, y = 2, # one\n}\n"},
		{"element of a list of tables", "[[p]]\nx = 1\n[[p]]\nx = 2\n", "p/0/y", 3, "[[p]]\nx = 1\ny = 3\n[[p]]\nx = 2\n"},
		{"multi-line string before", "[t]\nx = \"\"\"\n[u]\ny = 1\"\"\"\n[v]\n", "t/z", 2, "[t]\nx = \"\"\"\n[u]\ny = 1\"\"\"\nz = 2\n[v]\n"},
		{"byte order mark", "\ufeff[t]\n", "a", 1, "\ufeffa = 1\n\n[t]\n"},
	} {
		got, err := Set([]byte(c.file), path(c.path), c.value)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n got %q\nwant %q", c.name, err, got, c.want)
		}
	}
}

func TestDelete(t *testing.T) {
	for _, c := range []struct{ name, file, path, want string }{
		{"line", "a = 1\nb = 2 # two\nc = 3\n", "b", "a = 1\nc = 3\n"},
		{"many lines", "a = [\n 1,\n 2] # c\nb = 1\n", "a", "b = 1\n"},
		{"last", "a = 1\nb = 2", "b", "a = 1\n"},
		{"comments above stay", "# about a\na = 1\n\nb = 2\r\n", "a", "# about a\n\nb = 2\r\n"},
		{"quoted", "[t]\n\"did:x\" = 1\n", "t/did:x", "[t]\n"},
		{"dotted", "t.a = 1\nt.b = 2\n", "t/a", "t.b = 2\n"},
		{"the only dotted", "t.a = 1\n", "t/a", ""},
		{"first inline", "t = {a = 1, b = 2}\n", "t/a", "t = {b = 2}\n"},
		{"last inline", "t = {a = 1, b = 2}\n", "t/b", "t = {a = 1}\n"},
		{"only inline", "t = {a = 1}\n", "t/a", "t = {}\n"},
		{"inline with comments", "t = {\n  a = 1, # one\n  b = 2 # two\n}\n", "t/b", "t = {\n  a = 1 # one\n # two\n}\n"},
		{"whole inline table", "t = {a = 1}\nb = 1\n", "t", "b = 1\n"},
	} {
		got, err := Delete([]byte(c.file), path(c.path))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %v\n got %q\nwant %q", c.name, err, got, c.want)
		}
	}
}

func TestEditRefused(t *testing.T) {
	const file = "a = 1\n[t]\nx = [1]\n[[p]]\n"
	for _, c := range []struct {
		name string
		f    func() ([]byte, error)
		kind error
	}{
		{"set a table", func() ([]byte, error) { return Set([]byte(file), path("t"), 1) }, wiki.ErrInvalid},
		{"set a list of tables", func() ([]byte, error) { return Set([]byte(file), path("p"), 1) }, wiki.ErrInvalid},
		{"set an element of it", func() ([]byte, error) { return Set([]byte(file), path("p/1/x"), 1) }, wiki.ErrInvalid},
		{"set below a value", func() ([]byte, error) { return Set([]byte(file), path("a/b"), 1) }, wiki.ErrInvalid},
		{"set below an array", func() ([]byte, error) { return Set([]byte(file), path("t/x/7"), 1) }, wiki.ErrInvalid},
		{"set nothing", func() ([]byte, error) { return Set([]byte(file), nil, 1) }, wiki.ErrInvalid},
		{"set a struct", func() ([]byte, error) { return Set([]byte(file), path("a"), struct{}{}) }, wiki.ErrInvalid},
		{"set bytes", func() ([]byte, error) { return Set([]byte(file), path("a"), "\xff") }, wiki.ErrInvalid},
		{"set in a broken file", func() ([]byte, error) { return Set([]byte("a = "), path("a"), 1) }, wiki.ErrInvalid},
		{"delete a table", func() ([]byte, error) { return Delete([]byte(file), path("t")) }, wiki.ErrInvalid},
		{"delete an element", func() ([]byte, error) { return Delete([]byte(file), path("t/x/0")) }, wiki.ErrInvalid},
		{"delete nothing", func() ([]byte, error) { return Delete([]byte(file), path("t/y")) }, wiki.ErrNotFound},
	} {
		if got, err := c.f(); !errors.Is(err, c.kind) {
			t.Errorf("%s: got %v (%q), want %v", c.name, err, got, c.kind)
		}
	}
}

// TestProof: the check after an edit refuses whatever changes more than the key.
func TestProof(t *testing.T) {
	before := []byte("a = 1\n[t]\nb = 2\n")
	for after, ok := range map[string]bool{
		"a = 5\n[t]\nb = 2\n":        true,
		"a = 5\nb = 2\n":             false, // b left its table
		"a = 5\n[t]\nb = 3\n":        false,
		"a = 5\n[t]\nb = 2\nc = 1\n": false,
		"a = 5\n":                    false,
		"a = \"5\"\n[t]\nb = 2\n":    false,
		"a = 5\n[t\nb = 2\n":         false,
	} {
		if err := checkSet(before, []byte(after), []string{"a"}, "5"); (err == nil) != ok {
			t.Errorf("%q: got %v", after, err)
		}
	}
	if err := checkDelete(before, []byte("[t]\n"), []string{"a"}); err == nil {
		t.Error("a second key may be lost")
	}
	if err := checkDelete(before, []byte("a = 1\n"), []string{"t", "b"}); err != nil {
		t.Errorf("an empty table may go: %v", err)
	}
}

func TestFormatValue(t *testing.T) {
	at := time.Date(2026, 1, 31, 12, 0, 0, 500, time.FixedZone("", 3600))
	for _, c := range []struct {
		value any
		want  string
	}{
		{"a\"b\\\n\t\r\x00\x7fé", `"a\"b\\\n\t\r\u0000\u007Fé"`},
		{true, "true"}, {7, "7"}, {int64(-7), "-7"}, {1.0, "1.0"}, {1e300, "1e+300"},
		{at, "2026-01-31T12:00:00.0000005+01:00"},
		{[]string{"a", "b"}, `["a", "b"]`}, {[]any{1, "x", []any{}}, `[1, "x", []]`}, {wiki.Owner, `"owner"`},
	} {
		got, err := FormatValue(c.value)
		if err != nil || got != c.want {
			t.Errorf("%v: got %s, %v, want %s", c.value, got, err, c.want)
		}
		back, err := Set(nil, []string{"v"}, c.value)
		if err != nil {
			t.Errorf("%v: %v", c.value, err)
		} else if m, err := tree(back); err != nil || m["v"] == nil {
			t.Errorf("%v: %q is read as %v, %v", c.value, back, m, err)
		}
	}
}

type settings struct {
	Name   string
	Level  level `toml:"how_far"`
	Count  int8
	Part   float64
	On     bool
	When   time.Time
	Tags   []string
	People map[string]level
	Inner  struct{ Size int }
	List   []struct{ Path string }
	Hidden string `toml:"-"`
}

type level string

func (l *level) UnmarshalText(text []byte) error {
	if *l = level(text); *l != "near" && *l != "far" {
		return errors.New(`use "near" or "far"`)
	}
	return nil
}

func TestDecode(t *testing.T) {
	v := settings{Name: "kept", Count: 3}
	faults := Decode("s.toml", []byte("how_far = \"far\"\npart = 1\non = true\nwhen = 2026-01-31T12:00:00Z\ntags = [\"a\"]\n[people]\nx = \"near\"\n[inner]\nsize = 9\n[[list]]\npath = \"p\"\n"), &v)
	if faults != nil || v.Name != "kept" || v.Count != 3 || v.Level != "far" || v.Part != 1 || !v.On || v.When.IsZero() || len(v.Tags) != 1 || v.People["x"] != "near" || v.Inner.Size != 9 || v.List[0].Path != "p" {
		t.Errorf("got %+v, %v", v, faults)
	}
}

func TestDecodeFaults(t *testing.T) {
	for _, c := range []struct {
		file string
		want []string
	}{
		{"nmae = \"x\"\nhidden = \"x\"\nName = \"x\"\n[inner]\nsise = 1\nz.q = 1\n", []string{
			`s.toml:1:1: unknown key nmae at the top of the file (did you mean "name"?); known keys there: name, how_far, count, part, on, when, tags, people, inner, list`,
			`s.toml:2:1: unknown key hidden at the top of the file; known`,
			`s.toml:3:1: unknown key Name at the top of the file (did you mean "name"?)`,
			`s.toml:5:1: unknown key sise in [inner] (did you mean "size"?); known keys there: size`,
			`s.toml:6:1: unknown key z in [inner]; known keys there: size`,
		}},
		{"name = 1\nhow_far = \"off\"\ncount = 300\npart = \"1\"\non = \"true\"\nwhen = \"now\"\ntags = \"a\"\npeople = 1\n", []string{
			`s.toml:1:8: name must be a string, not an integer: put it in quotes`,
			`s.toml:2:11: how_far: use "near" or "far"`,
			`s.toml:3:9: count is out of range: 300`,
			`s.toml:4:8: part must be a float, not a string`,
			`s.toml:5:6: on must be a boolean, not a string: write true or false, without quotes`,
			`s.toml:6:8: when must be a time, not a string`,
			`s.toml:7:8: tags must be an array, not a string: put it in [ ]`,
			`s.toml:8:10: people must be a table, not an integer`,
		}},
		{"[people]\na = \"near\"\nb = \"of\"\n[[list]]\n[[list]]\npaht = 1\n", []string{
			`s.toml:3:5: people.b: use "near" or "far"`,
			`s.toml:6:1: unknown key paht in [list.1] (did you mean "path"?)`,
		}},
		{"name = \"a\"\nname = \"b\"\n[inner]\n[inner]\n", []string{
			`s.toml:2:1: the key name is defined already on line 1: remove one of the two`,
			`s.toml:4:2: the key inner is defined already on line 3: remove one of the two`,
		}},
		{"name = \"a\n", []string{`s.toml:1:8: the string is not closed: it lacks its final "`}},
		{"name = a\n", []string{`s.toml:1:8: "a" is not a value: text stands in quotes`}},
		{"name \"a\"\n", []string{`s.toml:1:6: expected "=" after the key, found '"'`}},
		{"name = \"a\" on = true\n", []string{`s.toml:1:12: expected the end of the line, found 'o': one key stands on each line`}},
		{"tags = [\"a\" \"b\"]\n", []string{`s.toml:1:13: expected "," or "]" in the array, found '"'`}},
		{"name = \"a\\q\"\n", []string{`s.toml:1:10: \q is no escape`}},
		{"name = \"\"\"x\n\\u12 \"\"\"\n", []string{`s.toml:2:1: \u needs 4 hexadecimal digits`}},
		{"name = \"\xff\"\n", []string{`s.toml:1:9: the byte 0xff is not UTF-8`}},
		{"name = \"\x01\"\n", []string{`s.toml:1:9: the control character U+0001`}},
		{"tags = " + strings.Repeat("[", 200), []string{"s.toml:1:108: arrays and tables are nested more than 100 deep"}},
	} {
		var v settings
		faults := Decode("s.toml", []byte(c.file), &v)
		if len(faults) != len(c.want) {
			t.Errorf("%q: got %d faults, want %d:\n%v", c.file, len(faults), len(c.want), faults)
			continue
		}
		for i, want := range c.want {
			if !strings.HasPrefix(faults[i].String(), want) {
				t.Errorf("%q:\n got %s\nwant %s", c.file, faults[i], want)
			}
		}
	}
}

func TestPosition(t *testing.T) {
	data := []byte("a = 1\n[t]\n  b.\"c d\" = 2\n[[p]]\nx = {y = [3, 4]}\n")
	for p, want := range map[string][2]int{"a": {1, 1}, "t": {2, 2}, "t/b": {3, 3}, "t/b/c d": {3, 5}, "p/0/x/y": {5, 6}, "p/0/x/y/1": {5, 14}} {
		line, column, ok := Position(data, path(p))
		if !ok || [2]int{line, column} != want {
			t.Errorf("%s: got %d:%d %v, want %v", p, line, column, ok, want)
		}
	}
	if _, _, ok := Position(data, path("t/z")); ok {
		t.Error("a key that is not there has a place")
	}
}

func TestNearest(t *testing.T) {
	roles := []string{"owner", "editor", "viewer"}
	for word, want := range map[string]string{
		"onwer": "owner", "Owner": "owner", "OWNER": "owner", "edtor": "editor", "editors": "editor", "veiwer": "viewer",
		"admin": "", "": "", "x": "", "reader": "", "own": "",
	} {
		if got := Nearest(word, roles); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
	if got := Nearest("a", nil); got != "" {
		t.Errorf("got %q from nothing", got)
	}
}

func TestChildren(t *testing.T) {
	d, faults := Scan("", []byte("[t.s]\nx = 1\n[t]\ny = 2\nz.a = 3\n"))
	if faults != nil {
		t.Fatal(faults)
	}
	e, _ := d.Lookup("t")
	var names []string
	for c := range e.Children() {
		names = append(names, c.Name())
	}
	if !reflect.DeepEqual(names, []string{"s", "y", "z"}) {
		t.Errorf("got %q", names)
	}
}

// TestHostile: a file that is nothing but faults, or nothing but tables, is
// judged in a time that grows with its size and not with its square.
func TestHostile(t *testing.T) {
	start := time.Now()
	const n = 50_000
	twice := []byte(strings.Repeat("name = 1\n", n))
	if faults := Decode("s.toml", twice, &settings{}); len(faults) != n-1 || faults[n-2].Line != n {
		t.Errorf("got %d faults", len(faults))
	}
	tables := []byte(strings.Repeat("[[list]]\npath = 1\n", n))
	if faults := Decode("s.toml", tables, &settings{}); len(faults) != n || faults[n-1].Line != 2*n {
		t.Errorf("got %d faults", len(faults))
	}
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}

func BenchmarkScan(b *testing.B) {
	data := []byte(strings.Repeat("# a comment of some length, as people write them\nkey = \"value\" # why\n", 1))
	for i := range 500 {
		data = append(data, "[section"+strings.Repeat("x", i%7)+time.Duration(i).String()+"]\nname = \"some text\" # a comment\nlist = [1, 2, 3]\n"...)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, faults := Scan("", data); faults != nil {
			b.Fatal(faults)
		}
	}
}
