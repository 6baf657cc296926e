package gitstore

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"wikibot/acl"
	"wikibot/record"
	"wikibot/wiki"
)

// Tier is what the wikis of one kind may have, as site.toml says. NoLimit stands
// for a limit that there is not.
type Tier struct {
	Name    string
	Wikis   int   // that one person may own
	Authors int   // editors and owners of one wiki
	Pages   int   // of one wiki
	Bytes   int64 // that one wiki's objects take on the disk, history included
	GitPush bool
}

// NoLimit is the value of a limit that is not there.
const NoLimit = -1

// tierSelf is the tier without limits. It is built in: what somebody hosts for
// themselves cannot be limited by a file.
const tierSelf = "self"

func selfTier() Tier {
	return Tier{Name: tierSelf, Wikis: NoLimit, Authors: NoLimit, Pages: NoLimit, Bytes: NoLimit, GitPush: true}
}

// tierRecord is a table [tiers.NAME] of site.toml.
type tierRecord struct {
	Wikis   *int         `toml:"wikis"`
	Authors *int         `toml:"authors"`
	Pages   *int         `toml:"pages"`
	Bytes   *record.Size `toml:"bytes"`
	GitPush *bool        `toml:"git_push"`
}

func (t tierRecord) tier(name string) Tier {
	out := selfTier()
	out.Name = name
	for _, l := range []struct {
		from *int
		to   *int
	}{{t.Wikis, &out.Wikis}, {t.Authors, &out.Authors}, {t.Pages, &out.Pages}} {
		if l.from != nil {
			*l.to = *l.from
		}
	}
	if t.Bytes != nil {
		out.Bytes = int64(*t.Bytes)
	}
	if t.GitPush != nil {
		out.GitPush = *t.GitPush
	}
	return out
}

// tiers are what a site.toml says of tiers. The zero value knows no tier but
// self, and none for wikis that name none.
type tiers struct {
	named map[string]Tier // without self
	usual string          // of wikis whose record names none
}

var tierForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,29}$`)

// parseTiers reads the tiers of a site.toml that has been decoded.
func parseTiers(data []byte, rec siteRecord) (tiers, wiki.Faults) {
	var faults wiki.Faults
	at := func(format string, args []any, path ...string) {
		line, column, _ := record.Position(data, path)
		faults = append(faults, wiki.Fault{File: fileSite, Line: line, Column: column, Text: fmt.Sprintf(format, args...)})
	}
	out := tiers{named: map[string]Tier{}, usual: tierSelf}
	for _, name := range slices.Sorted(maps.Keys(rec.Tiers)) {
		t := rec.Tiers[name]
		switch {
		case name == tierSelf:
			at("the tier self is built in and has no limits; give your own tier another name", nil, "tiers", name)
		case !tierForm.MatchString(name):
			at("%q is no name of a tier: use 1 to 30 characters a-z, 0-9 and \"-\", beginning with a letter", []any{name}, "tiers", name)
		}
		for _, l := range []struct {
			key   string
			value *int
			least int
		}{{"wikis", t.Wikis, 0}, {"authors", t.Authors, 1}, {"pages", t.Pages, 0}} {
			if l.value != nil && *l.value < l.least {
				at("%s = %d must be %d or more; leave the line out for no limit", []any{l.key, *l.value, l.least}, "tiers", name, l.key)
			}
		}
		out.named[name] = t.tier(name)
	}
	if rec.DefaultTier != "" {
		out.usual = rec.DefaultTier
		if _, ok := out.find(rec.DefaultTier); !ok {
			at("default_tier: %s", []any{out.unknown(rec.DefaultTier)}, "default_tier")
		}
	}
	return out, faults
}

// find is a tier by its name; "" is the one of wikis that name none.
func (ts tiers) find(name string) (Tier, bool) {
	if name == "" {
		name = ts.usual
	}
	if name == tierSelf {
		return selfTier(), true
	}
	t, ok := ts.named[name]
	return t, ok
}

// names are all tiers, sorted.
func (ts tiers) names() []string {
	return slices.Sorted(maps.Keys(ts.with()))
}

// with are all tiers, self among them.
func (ts tiers) with() map[string]Tier {
	all := maps.Clone(ts.named)
	if all == nil {
		all = map[string]Tier{}
	}
	all[tierSelf] = selfTier()
	return all
}

// unknown says that there is no such tier, and which there are.
func (ts tiers) unknown(name string) string {
	return fmt.Sprintf("%q is no tier of this site%s: use %s", name, record.DidYouMean(name, ts.names()), strings.Join(ts.names(), ", "))
}

// tierOf is the tier of a wiki; false where the site does not have the one that
// its record names, or knows nothing of the wiki.
func (st *site) tierOf(slug wiki.Slug) (Tier, bool) {
	rec := st.wikis[slug]
	if rec == nil {
		return Tier{}, false
	}
	return st.tiers.find(rec.Tier)
}

// plan is what the site says of a wiki, for the policy to decide with.
func (st *site) plan(slug wiki.Slug) acl.Plan {
	rec := st.wikis[slug]
	if rec == nil {
		return acl.Plan{}
	}
	t, known := st.tiers.find(rec.Tier)
	name := t.Name
	if !known {
		if name = rec.Tier; name == "" {
			name = st.tiers.usual
		}
	}
	return acl.Plan{Tier: name, Known: known, Push: t.GitPush, Payment: rec.Payment, Archived: rec.Archived, Owner: wiki.Username(rec.Owner)}
}

// unknownTiers tells the log of wikis whose tier the site does not have; nobody
// can change them. Only what has changed is looked at.
func (st *site) unknownTiers(changes []change, r *repo) {
	var look []wiki.Slug
	for _, c := range changes {
		kind, rest, _ := strings.Cut(c.path, "/")
		slug, isRecord := strings.CutSuffix(lastOf(rest), ".toml")
		if c.path == fileSite {
			look = slices.Collect(maps.Keys(st.wikis))
			break
		}
		if kind == "wikis" && isRecord {
			look = append(look, wiki.Slug(slug))
		}
	}
	for _, slug := range look {
		if rec := st.wikis[slug]; rec != nil && !rec.Deleted {
			if _, ok := st.tiers.find(rec.Tier); !ok {
				r.store.log.Error("a wiki's tier is not known, so it can only be read; mend it with: wikibot admin tier set SLUG TIER",
					"wiki", slug, "tier", rec.Tier, "tiers", strings.Join(st.tiers.names(), ", "))
			}
		}
	}
}
