package acl

import (
	"fmt"
	"slices"
	"strings"

	"wikibot/record"
	"wikibot/wiki"
)

// fileName is how faults name the file that is edited.
const fileName = ".wikibot/acl.toml"

// Grant returns the file with a role given to a user name or DID, every other
// byte as it was. NoRole is Revoke. Lowering the last owner is an ErrForbidden;
// a name that is none, and a file that has faults already, are an ErrInvalid.
func Grant(data []byte, who string, role wiki.Role) ([]byte, error) {
	if role == wiki.NoRole {
		return Revoke(data, who)
	}
	p, faults := Parse(fileName, data)
	if faults != nil {
		return nil, faults
	}
	if err := checkName(who); err != nil {
		return nil, err
	}
	if role > wiki.Owner {
		return nil, wiki.Invalid("role", "%s is not a role: use owner, editor or viewer", role)
	}
	if err := p.keepOwner(who, role); err != nil {
		return nil, err
	}
	if p.Grants[who] == role {
		return data, nil
	}
	out, err := record.Set(data, []string{"grants", who}, role.String())
	if err != nil {
		return nil, fmt.Errorf("granting %s to %s: %w", role, who, err)
	}
	return parsed(out)
}

// Revoke returns the file without the grant of a user name or DID, every other
// byte as it was. Removing the last owner is an ErrForbidden, a name that has
// no grant an ErrNotFound.
func Revoke(data []byte, who string) ([]byte, error) {
	p, faults := Parse(fileName, data)
	if faults != nil {
		return nil, faults
	}
	if _, ok := p.Grants[who]; !ok {
		return nil, wiki.NotFound("%s has no role here%s", who, didYouMean(who, p.Grants))
	}
	if err := p.keepOwner(who, wiki.NoRole); err != nil {
		return nil, err
	}
	out, err := record.Delete(data, []string{"grants", who})
	if err != nil {
		return nil, fmt.Errorf("removing the grant of %s: %w", who, err)
	}
	return parsed(out)
}

// SetAccess returns the file with other levels of access, every other byte as
// it was. A write or propose that is wider than read is an ErrInvalid.
func SetAccess(data []byte, read, write, propose Level) ([]byte, error) {
	p, faults := Parse(fileName, data)
	if faults != nil {
		return nil, faults
	}
	for _, l := range []struct {
		key      string
		old, new Level
	}{{"read", p.Read, read}, {"write", p.Write, write}, {"propose", p.Propose, propose}} {
		if l.old == l.new {
			continue
		}
		out, err := record.Set(data, []string{"access", l.key}, l.new.String())
		if err != nil {
			return nil, fmt.Errorf("setting the access to %s: %w", l.key, err)
		}
		data = out
	}
	return parsed(data)
}

// keepOwner refuses to take the role of owner from the last one.
func (p *Policy) keepOwner(who string, role wiki.Role) error {
	if owners := p.Owners(); role != wiki.Owner && len(owners) == 1 && owners[0] == who {
		return wiki.Forbidden("%s is the last owner of the wiki: make somebody else an owner first", who)
	}
	return nil
}

func parsed(data []byte) ([]byte, error) {
	if _, faults := Parse(fileName, data); faults != nil {
		return nil, faults
	}
	return data, nil
}

func didYouMean(who string, grants map[string]wiki.Role) string {
	names := make([]string, 0, len(grants))
	for name := range grants {
		names = append(names, name)
	}
	slices.Sort(names)
	return record.DidYouMean(who, names)
}

// Difference says in words what changes from old to new, one change a line:
// "alice: viewer → editor on research", "research becomes public". People come
// first, sorted. Equal policies give none.
func Difference(old, new Policy, slug wiki.Slug) []string {
	var words []string
	people := map[string]bool{}
	for who := range old.Grants {
		people[who] = true
	}
	for who := range new.Grants {
		people[who] = true
	}
	for who := range people {
		if a, b := old.Grants[who], new.Grants[who]; a != b {
			words = append(words, fmt.Sprintf("%s: %s → %s on %s", who, a, b, slug))
		}
	}
	slices.SortFunc(words, strings.Compare)
	if old.Read != new.Read {
		words = append(words, fmt.Sprintf("%s becomes %s", slug, readers[min(new.Read, Anonymous)]))
	}
	for _, l := range []struct {
		verb     string
		old, new Level
	}{{"write to", old.Write, new.Write}, {"propose changes to", old.Propose, new.Propose}} {
		if l.old != l.new {
			words = append(words, fmt.Sprintf("who may %s %s: %s → %s", l.verb, slug, standings[min(l.old, Anonymous)], standings[min(l.new, Anonymous)]))
		}
	}
	if old.Wiki != new.Wiki {
		words = append(words, fmt.Sprintf("%s gets another id, which ends every token and session that is bound to it", slug))
	}
	return words
}

var (
	readers = [...]string{
		Granted:    "private: only those with a role read it",
		Registered: "readable by everyone who is signed in",
		Anonymous:  "public",
	}
	standings = [...]string{
		Granted:    "only those with the role",
		Registered: "everyone who is signed in",
		Anonymous:  "everyone",
	}
)
