package acl

import (
	"testing"

	"wikibot/wiki"
)

var tenGrants = func() []byte {
	p := Policy{Wiki: "3f0c5a1e9b7d42c8a6e1f0d35b7c9a24", Grants: map[string]wiki.Role{
		"alice": wiki.Owner, "bob": wiki.Editor, "carol": wiki.Viewer, "dave": wiki.Editor, "erin": wiki.Editor,
		"frank": wiki.Viewer, "grace": wiki.Viewer, "heidi": wiki.Editor,
		"did:plc:ewvi7nxzyoun6zhxrhs64oiz": wiki.Viewer, "did:web:example.org": wiki.Viewer,
	}}
	return Format(p)
}()

// BenchmarkParse: a policy of ten grants in less than 20 µs.
func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, faults := Parse("acl.toml", tenGrants); faults != nil {
			b.Fatal(faults)
		}
	}
}

func BenchmarkAllow(b *testing.B) {
	p, _ := Parse("acl.toml", tenGrants)
	c := wiki.Caller{User: "heidi", DID: "did:web:example.org", Narrowed: wiki.Editor, Only: "notes", OnlyID: p.Wiki}
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Allow(c, Write, at(Active)); err != nil {
			b.Fatal(err)
		}
	}
}
