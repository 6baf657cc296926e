package acl

import (
	"strings"

	"wikibot/record"
	"wikibot/wiki"
)

var (
	topKeys    = []string{"schema", "wiki", "access", "grants"}
	accessKeys = []string{"read", "write", "propose"}
	roleNames  = []string{"owner", "editor", "viewer"}
)

// Parse reads an acl.toml; file is its path for the faults. Everything wrong is
// named at once; with faults the Policy is zero and lets nobody in.
func Parse(file string, data []byte) (Policy, wiki.Faults) {
	doc, faults := record.Scan(file, data)
	if faults != nil {
		return Policy{}, faults
	}
	r := reader{file: file}
	r.policy.Grants = make(map[string]wiki.Role, 8)
	if !r.schema(doc) {
		return Policy{}, r.faults
	}
	for e := range doc.Root().Children() {
		switch e.Name() {
		case "schema":
		case "wiki":
			r.wiki(e)
		case "access":
			r.access(e)
		case "grants":
			r.grants(e)
		default:
			r.unknown(e)
		}
	}
	r.complete(doc)
	if r.faults != nil {
		return Policy{}, r.faults
	}
	return r.policy, nil
}

type reader struct {
	file   string
	policy Policy
	faults wiki.Faults
}

func (r *reader) fault(f wiki.Fault) { r.faults = append(r.faults, f) }

// schema is read first: what the other keys mean depends on it.
func (r *reader) schema(doc *record.Doc) bool {
	e, ok := doc.Lookup("schema")
	if !ok {
		r.fault(wiki.Fault{File: r.file, Line: 1, Text: "the file does not say its schema: begin it with the line schema = 1"})
		return false
	}
	n, ok := e.Int()
	switch {
	case !ok:
		r.fault(e.FaultAtValue("schema must be an integer, not %s: write schema = %d", e.Kind(), Schema))
	case n > Schema:
		r.fault(e.FaultAtValue("schema %d is newer than this server, which reads %d: upgrade wikibot, or write the policy in schema %d", n, Schema, Schema))
	case n < oldest:
		r.fault(e.FaultAtValue("schema %d is not known: write schema = %d", n, Schema))
	}
	r.policy.Schema = int(n)
	return r.faults == nil
}

func (r *reader) unknown(e record.Entry) {
	switch e.Name() {
	case "protect":
		r.fault(e.Fault("[[protect]] is reserved for a later schema and does nothing in schema %d: remove it; writing cannot differ by page yet", r.policy.Schema))
	case "groups":
		r.fault(e.Fault("[groups] is reserved for a later schema and does nothing in schema %d: remove it and list the people in [grants]", r.policy.Schema))
	default:
		r.fault(record.Unknown(e, topKeys))
	}
}

func (r *reader) wiki(e record.Entry) {
	id, ok := e.Text()
	if !ok || !validID(id) {
		r.fault(e.FaultAtValue("wiki must be the wiki's id, 32 digits 0-9 and a-f in quotes: put back the line that the server wrote"))
		return
	}
	r.policy.Wiki = id
}

func validID(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(s) == 32
}

func (r *reader) table(e record.Entry) bool {
	if e.Kind() != record.Table {
		r.fault(e.FaultAtValue("%s must be a table, not %s: write its keys below a line [%s]", e.Name(), e.Kind(), e.Name()))
		return false
	}
	return true
}

func (r *reader) access(e record.Entry) {
	if !r.table(e) {
		return
	}
	for c := range e.Children() {
		switch c.Name() {
		case "read":
			r.level(c, &r.policy.Read)
		case "write":
			r.level(c, &r.policy.Write)
		case "propose":
			r.level(c, &r.policy.Propose)
		default:
			r.fault(record.Unknown(c, accessKeys))
		}
	}
}

func (r *reader) level(e record.Entry, into *Level) {
	s, ok := e.Text()
	if !ok {
		r.fault(e.FaultAtValue("%s must be a string, not %s: use \"anonymous\", \"registered\" or \"granted\"", e.Name(), e.Kind()))
		return
	}
	l, err := ParseLevel(s)
	if err != nil {
		r.fault(e.FaultAtValue("%s: %s", e.Name(), err))
	}
	*into = l
}

func (r *reader) grants(e record.Entry) {
	if !r.table(e) {
		return
	}
	for c := range e.Children() {
		name := c.Name()
		if err := checkName(name); err != nil {
			r.fault(c.Fault("%s", err))
		}
		s, ok := c.Text()
		if !ok {
			r.fault(c.FaultAtValue("the role of %s must be a string, not %s: use \"owner\", \"editor\" or \"viewer\"", name, c.Kind()))
			continue
		}
		role, err := wiki.ParseRole(s)
		if err != nil {
			r.fault(c.FaultAtValue("%q is not a role%s: use owner, editor or viewer", s, record.DidYouMean(s, roleNames)))
			continue
		}
		r.policy.Grants[name] = role
	}
}

// checkName demands a user name or a DID.
func checkName(who string) error {
	var err error
	if strings.HasPrefix(who, "did:") {
		_, err = wiki.ParseDID(who)
	} else {
		_, err = wiki.ParseUsername(who)
	}
	return err
}

// complete checks what concerns more than one key.
func (r *reader) complete(doc *record.Doc) {
	if _, ok := doc.Lookup("wiki"); !ok {
		r.fault(wiki.Fault{File: r.file, Line: 1, Text: "the line wiki = \"…\" with the wiki's id is missing: put back the line that the server wrote"})
	}
	for _, l := range []struct {
		name  string
		level Level
	}{{"write", r.policy.Write}, {"propose", r.policy.Propose}} {
		if e, ok := doc.Lookup("access", l.name); ok && l.level > r.policy.Read {
			r.fault(e.FaultAtValue("%s = %q is wider than read = %q: nobody may %s who may not read; widen read, or narrow %s", l.name, l.level, r.policy.Read, l.name, l.name))
		}
	}
	for _, role := range r.policy.Grants {
		if role == wiki.Owner {
			return
		}
	}
	if len(r.faults) > 0 {
		return // the owner's line may be the one at fault
	}
	f := wiki.Fault{File: r.file, Line: 1, Text: "the policy has no owner, so nobody could ever change it: add a line such as alice = \"owner\" to [grants]"}
	if e, ok := doc.Lookup("grants"); ok {
		f.Line, f.Column = e.Position()
	}
	r.fault(f)
}
