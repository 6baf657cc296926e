package gitstore

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"

	"wikibot/acl"
	"wikibot/record"
	"wikibot/wiki"
)

// maxConfigFiles bounds the look for files that do not belong into a wiki's
// configuration, which has three.
const maxConfigFiles = 1000

// checkConfiguration reads the tree of refs/wikibot/config as a whole. was is the
// configuration in force, by which what is added and who remains is judged. The
// error names everything that is wrong, as wiki.Faults; the configuration is then
// what could be read, and of use only to look further.
func (r *repo) checkConfiguration(src objectSource, was *configuration, root *folder) (*configuration, error) {
	faults, err := configFiles(root)
	if err != nil {
		return nil, err
	}
	settings, more, err := r.checkSettings(src, root)
	if err != nil {
		return nil, err
	}
	faults = append(faults, more...)
	policy, more, err := r.checkPolicy(src, was, root)
	if err != nil {
		return nil, err
	}
	faults = append(faults, more...)
	webhooks, more, err := r.checkWebhooks(src, was, root)
	if err != nil {
		return nil, err
	}
	cfg := &configuration{policy: &policy, settings: settings, webhooks: webhooks}
	before := &acl.Policy{}
	if was != nil {
		before = was.policy
	}
	over := r.checkAuthors(before, &policy)
	if faults = append(faults, more...); len(faults) > 0 {
		if told := (*wiki.Error)(nil); errors.As(over, &told) {
			faults = append(faults, wiki.Fault{File: fileACL, Text: told.Text})
		}
		return cfg, faults
	}
	return cfg, over
}

// pushedConfiguration is checkConfiguration of a push, which may have to be
// confirmed.
func (r *repo) pushedConfiguration(src objectSource, was *configuration, root *folder, options []string) (*configuration, error) {
	cfg, err := r.checkConfiguration(src, was, root)
	var faults wiki.Faults
	limited := errors.Is(err, wiki.ErrLimit)
	if cfg == nil || err != nil && !limited && !errors.As(err, &faults) || was == nil || cfg.policy.Schema == 0 {
		return cfg, err
	}
	st, aerr := r.store.admin.current()
	if aerr != nil {
		return nil, aerr
	}
	asked := st.site.guardGrants(was.policy, cfg.policy, options)
	if limited && len(asked) == 0 {
		return cfg, err
	}
	if limited {
		faults = wiki.Faults{{File: fileACL, Text: err.Error()}}
	}
	return cfg, append(faults, asked...).OrNil()
}

// configFiles names what is in a wiki's configuration and does not belong there.
func configFiles(root *folder) (wiki.Faults, error) {
	changes, err := diffUpTo(emptyFolder(), root, maxConfigFiles)
	if err == errManyChanges {
		return wiki.Faults{{Text: fmt.Sprintf("the configuration has more than %d files; only %s, %s and %s belong there, pages are on main", maxConfigFiles, fileWiki, fileACL, fileWebhooks)}}, nil
	}
	if err != nil {
		return nil, err
	}
	var faults wiki.Faults
	for _, c := range changes {
		if len(faults) == maxFaults {
			break
		}
		if c.path != fileACL && c.path != fileWiki && c.path != fileWebhooks {
			faults = append(faults, wiki.Fault{File: c.path, Text: fmt.Sprintf("only %s, %s and %s belong here; pages and files are on main", fileWiki, fileACL, fileWebhooks)})
		}
	}
	return faults, nil
}

func (r *repo) checkSettings(src objectSource, root *folder) (Settings, wiki.Faults, error) {
	text, faults, err := configText(src, root, fileWiki, maxRecord)
	if err != nil || faults != nil {
		return Settings{}, faults, err
	}
	set, faults := parseSettings(r.name, text)
	return set, faults, nil
}

// checkPolicy reads a policy, and keeps a wiki from locking everybody out and
// from changing its identity.
func (r *repo) checkPolicy(src objectSource, was *configuration, root *folder) (acl.Policy, wiki.Faults, error) {
	text, faults, err := configText(src, root, fileACL, maxPolicy)
	if err != nil || faults != nil {
		return acl.Policy{}, faults, err
	}
	st, err := r.store.admin.current()
	if err != nil {
		return acl.Policy{}, nil, err
	}
	policy, faults := acl.Parse(fileACL, text)
	doc, broken := record.Scan(fileACL, text)
	if broken != nil {
		return policy, faults, nil
	}
	faults = append(faults, r.checkID(doc, st.site, was)...)
	faults = append(faults, checkGrants(doc, st.site, was)...)
	if len(faults) == 0 && was != nil && st.site.anyOwner(was.policy) && !st.site.anyOwner(&policy) {
		f := wiki.Fault{File: fileACL, Line: 1, Text: "none of the owners has an account that is in force, so nobody could manage the wiki; keep an owner who can sign in"}
		if e, ok := doc.Lookup("grants"); ok {
			f = e.Fault("%s", f.Text)
		}
		faults = append(faults, f)
	}
	return policy, faults, nil
}

// checkID refuses another wiki's id: tokens are bound to it.
func (r *repo) checkID(doc *record.Doc, st *site, was *configuration) wiki.Faults {
	want := ""
	if rec := st.wikis[r.name]; rec != nil {
		want = rec.ID
	} else if was != nil {
		want = was.policy.Wiki
	}
	e, _ := doc.Lookup("wiki")
	if id, ok := e.Text(); ok && want != "" && id != want {
		return wiki.Faults{e.FaultAtValue("wiki = %q must stay %q: tokens are bound to it", id, want)}
	}
	return nil
}

// checkGrants refuses grants that are added to people whom nobody knows. One that
// was there already, with that role, is left alone: it grants nothing.
func checkGrants(doc *record.Doc, st *site, was *configuration) (faults wiki.Faults) {
	grants, ok := doc.Lookup("grants")
	if !ok || grants.Kind() != record.Table {
		return nil
	}
	for e := range grants.Children() {
		name, err := wiki.ParseUsername(e.Name())
		if err != nil || st.users.has(name) {
			continue // a DID, or acl names it as no user name
		}
		if was != nil {
			if role, had := was.policy.Grants[e.Name()]; had {
				if text, _ := e.Text(); text == role.String() {
					continue
				}
			}
		}
		if st.deleted.has(name) {
			faults = append(faults, e.Fault("%q was deleted from this site and can be granted nothing; take the line out", name))
			continue
		}
		faults = append(faults, e.Fault("%q is granted a role but is no user here; grant it to a DID if the person has not signed up yet", name))
	}
	return faults
}

// anyOwner reports whether an owner can sign in, or, by DID, may come to.
func (st *site) anyOwner(p *acl.Policy) bool {
	for who, role := range p.Grants {
		if role != wiki.Owner {
			continue
		}
		if strings.HasPrefix(who, "did:") {
			return true
		}
		if u := st.users.get(wiki.Username(who)); u != nil && !u.Suspended {
			return true
		}
	}
	return false
}

// configText is a file of a configuration; faults say why it cannot be read as one.
func configText(src objectSource, root *folder, path string, limit int64) ([]byte, wiki.Faults, error) {
	e, ok, err := root.file(path)
	if err != nil {
		return nil, nil, err
	}
	if !ok {
		return nil, wiki.Faults{{File: path, Text: "is missing; it belongs to the configuration"}}, nil
	}
	if text := kindFault(e.mode); text != "" {
		return nil, wiki.Faults{{File: path, Text: text}}, nil
	}
	size, err := sizeOf(src, e.oid)
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if text := tooLarge(size, limit); text != "" {
		return nil, wiki.Faults{{File: path, Text: text}}, nil
	}
	typ, data, err := src.Get(e.oid)
	if err == nil && typ != plumbing.BlobObject {
		err = fmt.Errorf("%s is a %s, not a blob", path, typ)
	}
	return data, nil, err
}

// fileText is a record of admin.git.
func fileText(src objectSource, root *folder, path string) ([]byte, error) {
	text, faults, err := configText(src, root, path, maxRecord)
	return text, errors.Join(err, faults.OrNil())
}
