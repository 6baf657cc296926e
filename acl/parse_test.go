package acl

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"wikibot/wiki"
)

// example is the file in the package's documentation.
const example = `schema = 1
wiki   = "3f0c5a1e9b7d42c8a6e1f0d35b7c9a24"

[access]
read    = "registered"
write   = "granted"
propose = "registered"

[grants]
alice = "owner"
bob   = "editor"
"did:plc:ewvi7nxzyoun6zhxrhs64oiz" = "viewer"
`

func mustParse(t *testing.T, data string) Policy {
	t.Helper()
	p, faults := Parse("acl.toml", []byte(data))
	if faults != nil {
		t.Fatal(faults)
	}
	return p
}

func TestParse(t *testing.T) {
	want := Policy{Schema: 1, Wiki: thisID, Read: Registered, Write: Granted, Propose: Registered,
		Grants: map[string]wiki.Role{"alice": wiki.Owner, "bob": wiki.Editor, someDID: wiki.Viewer}}
	if got := mustParse(t, example); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if got := mustParse(t, string(Format(want))); !reflect.DeepEqual(got, want) {
		t.Errorf("Format does not come back: %+v", got)
	}
	// The example says what each of its people may do.
	for who, letters := range map[string]string{"alice": everything, "bob": "rpw", "carol": "rp", "": "-"} {
		checkAll(t, &want, wiki.Caller{User: wiki.Username(who)}, at(Active), letters, who)
	}
	checkAll(t, &want, wiki.Caller{DID: someDID}, at(Active), "rp", someDID)
	if got := mustParse(t, "schema=1\nwiki='"+thisID+"'\ngrants.alice='owner'"); got.Read != Granted || got.Grants["alice"] != wiki.Owner {
		t.Errorf("got %+v", got)
	}
}

func TestFaults(t *testing.T) {
	const head = "schema = 1\nwiki = \"" + thisID + "\"\n"
	for _, c := range []struct {
		name, file string
		want       []string
	}{
		{"empty", "", []string{"acl.toml:1: the file does not say its schema: begin it with the line schema = 1"}},
		{"newer", "schema = 2\n", []string{"acl.toml:1:10: schema 2 is newer than this server, which reads 1"}},
		{"older", "schema = 0\n", []string{"acl.toml:1:10: schema 0 is not known"}},
		{"schema kind", "schema = \"1\"\n", []string{"acl.toml:1:10: schema must be an integer, not a string"}},
		{"no id", "schema = 1\n[grants]\na1 = \"owner\"\n", []string{"the line wiki = \"…\" with the wiki's id is missing"}},
		{"bad id", "schema = 1\nwiki = \"3F0C\"\n[grants]\na1 = \"owner\"\n", []string{"acl.toml:2:8: wiki must be the wiki's id, 32 digits"}},
		{"no owner", head + "[grants]\nalice = \"editor\"\n", []string{"acl.toml:3:2: the policy has no owner"}},
		{"no grants", head, []string{"acl.toml:1: the policy has no owner"}},
		{"role", head + "[grants]\nalice = \"owner\"\nbob = \"edtor\"\ncarol = 3\n", []string{`acl.toml:5:7: "edtor" is not a role (did you mean "editor"?): use owner, editor or viewer`, `acl.toml:6:9: the role of carol must be a string, not an integer`}},
		{"name", head + "[grants]\nalice = \"owner\"\nBob = \"editor\"\n\"did:key:x\" = \"viewer\"\neveryone = \"viewer\"\n", []string{`acl.toml:5:1: "Bob" is not a user name`, `acl.toml:6:1: "did:key:x" is not a DID`, `acl.toml:7:1: the user name "everyone" is reserved`}},
		{"level", head + "[access]\nread = \"anonymus\"\n[grants]\nalice = \"owner\"\n", []string{`acl.toml:4:8: read: "anonymus" is not a level of access (did you mean "anonymous"?): use anonymous, registered or granted`}},
		{"unknown", head + "[acces]\nread = \"granted\"\n[grants]\nalice = \"owner\"\n", []string{`acl.toml:3:2: unknown key acces at the top of the file (did you mean "access"?); known keys there: schema, wiki, access, grants`}},
		{"unknown in access", head + "[access]\nreed = \"granted\"\n[grants]\nalice = \"owner\"\n", []string{`acl.toml:4:1: unknown key reed in [access] (did you mean "read"?); known keys there: read, write, propose`}},
		{"wider", head + "[access]\nread = \"registered\"\nwrite = \"anonymous\"\npropose = \"anonymous\"\n[grants]\nalice = \"owner\"\n", []string{`acl.toml:5:9: write = "anonymous" is wider than read = "registered"`, `acl.toml:6:11: propose = "anonymous" is wider`}},
		{"wider than the default", head + "access.write = \"registered\"\n[grants]\nalice = \"owner\"\n", []string{`acl.toml:3:16: write = "registered" is wider than read = "granted"`}},
		{"protect", head + "[grants]\nalice = \"owner\"\n[[protect]]\npath = \"Meta/**\"\nwrite = \"owner\"\n[groups]\nx = []\n", []string{"acl.toml:5:3: [[protect]] is reserved for a later schema", "acl.toml:8:2: [groups] is reserved for a later schema"}},
		{"twice", head + "[grants]\nalice = \"owner\"\nalice = \"viewer\"\n", []string{"acl.toml:5:1: the key alice is defined already on line 4"}},
		{"table twice", head + "[grants]\nalice = \"owner\"\n[grants]\nbob = \"owner\"\n", []string{"acl.toml:5:2: the key grants is defined already on line 3"}},
		{"kinds", head + "access = \"granted\"\ngrants = [1]\n", []string{"acl.toml:3:10: access must be a table, not a string", "acl.toml:4:10: grants must be a table, not an array"}},
		{"syntax", head + "[grants]\nalice = owner\n", []string{`acl.toml:4:9: "owner" is not a value`}},
	} {
		p, faults := Parse("acl.toml", []byte(c.file))
		if !reflect.DeepEqual(p, Policy{}) {
			t.Errorf("%s: a policy comes with the faults: %+v", c.name, p)
		}
		if len(faults) != len(c.want) {
			t.Errorf("%s: got %d faults, want %d:\n%v", c.name, len(faults), len(c.want), faults)
			continue
		}
		for i, want := range c.want {
			if !strings.HasPrefix(faults[i].String(), want) && !(faults[i].Line == 1 && strings.Contains(faults[i].Text, want)) {
				t.Errorf("%s:\n got %s\nwant %s", c.name, faults[i], want)
			}
		}
	}
}

func TestEdit(t *testing.T) {
	const file = "# who may what\r\nschema = 1\r\nwiki = \"" + thisID + "\"\r\n\r\n[grants] # people\r\nalice = \"owner\"   # founder\r\nbob   = \"editor\"\r\n"
	edited := func(data []byte, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	for _, c := range []struct{ name, got, old, new string }{
		{"add", edited(Grant([]byte(file), "eve", wiki.Viewer)), "bob   = \"editor\"\r\n", "bob   = \"editor\"\r\neve   = \"viewer\"\r\n"},
		{"add a DID", edited(Grant([]byte(file), someDID, wiki.Editor)), "bob   = \"editor\"\r\n", "bob   = \"editor\"\r\n\"" + someDID + "\" = \"editor\"\r\n"},
		{"change", edited(Grant([]byte(file), "bob", wiki.Owner)), "bob   = \"editor\"", "bob   = \"owner\""},
		{"same", edited(Grant([]byte(file), "bob", wiki.Editor)), "", ""},
		{"revoke", edited(Revoke([]byte(file), "bob")), "bob   = \"editor\"\r\n", ""},
		{"by role none", edited(Grant([]byte(file), "bob", wiki.NoRole)), "bob   = \"editor\"\r\n", ""},
		{"access", edited(SetAccess([]byte(file), Anonymous, Granted, Granted)), "\"editor\"\r\n", "\"editor\"\r\n\r\n[access]\r\nread = \"anonymous\"\r\n"},
	} {
		if want := strings.Replace(file, c.old, c.new, 1); c.got != want {
			t.Errorf("%s:\n got %q\nwant %q", c.name, c.got, want)
		}
	}
	both := edited(SetAccess([]byte(example), Anonymous, Registered, Registered))
	if p := mustParse(t, both); p.Read != Anonymous || p.Write != Registered || p.Propose != Registered || !strings.Contains(both, "read    = \"anonymous\"") {
		t.Errorf("got %s", both)
	}
}

func TestEditRefused(t *testing.T) {
	file := []byte(example)
	for _, c := range []struct {
		name string
		f    func() ([]byte, error)
		want error
		text string
	}{
		{"last owner removed", func() ([]byte, error) { return Revoke(file, "alice") }, wiki.ErrForbidden, "make somebody else an owner first"},
		{"last owner lowered", func() ([]byte, error) { return Grant(file, "alice", wiki.Editor) }, wiki.ErrForbidden, "alice is the last owner"},
		{"nobody", func() ([]byte, error) { return Revoke(file, "alise") }, wiki.ErrNotFound, `did you mean "alice"?`},
		{"no name", func() ([]byte, error) { return Grant(file, "Not A Name", wiki.Editor) }, wiki.ErrInvalid, "is not a user name"},
		{"no role", func() ([]byte, error) { return Grant(file, "bob", 9) }, wiki.ErrInvalid, "is not a role"},
		{"wider", func() ([]byte, error) { return SetAccess(file, Registered, Anonymous, Granted) }, wiki.ErrInvalid, "wider than read"},
		{"faulty file", func() ([]byte, error) { return Grant([]byte("schema = 1\nx = 1"), "bob", wiki.Editor) }, wiki.ErrInvalid, ".wikibot/acl.toml:2:1: unknown key x"},
		{"inline array", func() ([]byte, error) { return Grant([]byte("schema = 9"), "bob", wiki.Editor) }, wiki.ErrInvalid, "newer"},
	} {
		data, err := c.f()
		if data != nil || !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %v (%q)", c.name, err, data)
		}
	}
}

func TestDifference(t *testing.T) {
	old := mustParse(t, example)
	for _, c := range []struct {
		name string
		edit func(*Policy)
		want []string
	}{
		{"nothing", func(*Policy) {}, nil},
		{"role", func(p *Policy) {
			p.Grants["bob"] = wiki.Viewer
			p.Grants["eve"] = wiki.Owner
			delete(p.Grants, someDID)
		},
			[]string{"bob: editor → viewer on research", someDID + ": viewer → none on research", "eve: none → owner on research"}},
		{"public", func(p *Policy) { p.Read = Anonymous }, []string{"research becomes public"}},
		{"private", func(p *Policy) { p.Read, p.Propose = Granted, Granted }, []string{"research becomes private: only those with a role read it", "who may propose changes to research: everyone who is signed in → only those with the role"}},
		{"id", func(p *Policy) { p.Wiki = otherID }, []string{"research gets another id, which ends every token and session that is bound to it"}},
	} {
		p := mustParse(t, example)
		c.edit(&p)
		if got := Difference(old, p, "research"); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

// FuzzParse: no panic; what is accepted is what toml decodes; edits of an
// accepted file give exactly the expected policy.
func FuzzParse(f *testing.F) {
	f.Add([]byte(example), "carol", byte(2))
	f.Add(tenGrants, "bob", byte(0))
	f.Add([]byte("schema=1\r\nwiki='"+thisID+"'\r\naccess={read='anonymous',}\r\ngrants.alice='owner'"), "dave", byte(1))
	f.Add([]byte("grants={\"alice\"='owner'}\nschema=1\nwiki=\"\"\""+thisID+"\"\"\""), "alice", byte(3))
	f.Fuzz(func(t *testing.T, data []byte, who string, role byte) {
		p, faults := Parse("acl.toml", data)
		if faults != nil {
			return
		}
		var decoded struct {
			Schema int
			Wiki   string
			Access struct{ Read, Write, Propose string }
			Grants map[string]string
		}
		if _, err := toml.Decode(string(data), &decoded); err != nil {
			t.Fatalf("%q: accepted, toml says %v", data, err)
		}
		if decoded.Schema != p.Schema || decoded.Wiki != p.Wiki || len(decoded.Grants) != len(p.Grants) {
			t.Fatalf("%q: got %+v, toml says %+v", data, p, decoded)
		}
		for name, r := range decoded.Grants {
			if p.Grants[name].String() != r {
				t.Fatalf("%q: %s is %s, toml says %s", data, name, p.Grants[name], r)
			}
		}
		if r := decoded.Access.Read; r != "" && r != p.Read.String() || r == "" && p.Read != Granted {
			t.Fatalf("%q: read is %s, toml says %q", data, p.Read, r)
		}
		if again, faults := Parse("acl.toml", Format(p)); faults != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("Format does not come back: %+v %v", again, faults)
		}
		out, err := Grant(data, who, wiki.Role(role%4))
		if err != nil {
			if checkName(who) == nil && role%4 == byte(wiki.Owner) {
				t.Fatalf("%q: making %q an owner: %v", data, who, err)
			}
			return
		}
		got, faults := Parse("acl.toml", out)
		if faults != nil {
			t.Fatalf("%q: Grant makes %q: %v", data, out, faults)
		}
		if p.Grants[who] = wiki.Role(role % 4); role%4 == 0 {
			delete(p.Grants, who)
		}
		if !reflect.DeepEqual(got, p) {
			t.Fatalf("%q: got %+v, want %+v", out, got, p)
		}
		if bytes.Count(out, []byte("#")) < bytes.Count(data, []byte("#"))-1 {
			t.Fatalf("comments are lost: %q → %q", data, out)
		}
	})
}
