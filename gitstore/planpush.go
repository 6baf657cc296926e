package gitstore

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"wikibot/record"
	"wikibot/wiki"
)

// checkPlans names what is wrong with the plans of the wikis that a push to
// admin.git changes: tiers that there are not, owners whom nobody knows, more
// wikis than somebody may own, and tiers that go while wikis use them.
func checkPlans(was, now *site, changes []change, src objectSource) wiki.Faults {
	var faults wiki.Faults
	var owned map[string]int
	for _, c := range changes {
		if c.path == fileSite {
			faults = append(faults, tiersGone(was, now)...)
			continue
		}
		kind, rest, _ := strings.Cut(c.path, "/")
		name, isRecord := strings.CutSuffix(lastOf(rest), ".toml")
		rec := now.wikis[wiki.Slug(name)]
		if kind != "wikis" || !isRecord || c.new == nil || rec == nil || rec.Deleted {
			continue
		}
		at := func(key, text string) {
			f := wiki.Fault{File: c.path, Text: text}
			if _, data, err := src.Get(c.new.oid); err == nil {
				f.Line, f.Column, _ = record.Position(data, []string{key})
			}
			faults = append(faults, f)
		}
		old := was.wikis[wiki.Slug(name)]
		if old == nil {
			old = &registered{registryRecord{Deleted: true}}
		}
		if _, ok := now.tiers.find(rec.Tier); !ok {
			at("tier", "tier: "+now.tiers.unknown(rec.Tier))
			continue
		}
		if rec.Owner != old.Owner && rec.Owner != "" && !now.users.has(wiki.Username(rec.Owner)) {
			at("owner", fmt.Sprintf("owner: there is no user %q; name somebody who has a file in users/", rec.Owner))
		}
		if changesHands(was, old, now, rec) {
			if owned == nil {
				owned = now.owned()
			}
			if err := now.fits(rec, owned[rec.Owner]); err != nil {
				at("owner", err.Error())
			}
		}
	}
	return faults
}

// tiersGone refuses a site.toml without a tier that wikis still use: they could
// not be changed any more.
func tiersGone(was, now *site) wiki.Faults {
	const most = 10
	using := map[string][]string{}
	for slug, rec := range now.wikis {
		if rec.Deleted {
			continue
		}
		if _, ok := now.tiers.find(rec.Tier); ok {
			continue
		}
		if t, ok := was.tiers.find(rec.Tier); ok {
			using[t.Name] = append(using[t.Name], string(slug))
		}
	}
	var faults wiki.Faults
	for _, tier := range slices.Sorted(maps.Keys(using)) {
		names := using[tier]
		slices.Sort(names)
		more := ""
		if n := len(names); n > most {
			names, more = names[:most], fmt.Sprintf(" and %d more", n-most)
		}
		faults = append(faults, wiki.Fault{File: fileSite, Text: fmt.Sprintf("the tier %q cannot go while wikis are of it: %s%s; move them first, with a push of wikis/ or `wikibot admin tier set SLUG TIER`", tier, strings.Join(names, ", "), more)})
	}
	return faults
}
