package gitstore

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"wikibot/acl"
	"wikibot/record"
	"wikibot/wiki"
)

// PlanChange says what of a wiki's plan is to be another; what is zero stays.
type PlanChange struct {
	Tier    string
	Payment *acl.Payment
	Owner   wiki.Username // who pays
}

// SetPlan changes a wiki's tier, whether it is paid for, and who pays, for
// administrators of the site. It acts on the next request of every face. What a
// wiki has above the limits of its new tier stays; it cannot grow.
func (s *Store) SetPlan(ctx context.Context, c wiki.Caller, slug wiki.Slug, p PlanChange) error {
	var said []string
	return s.editWiki(ctx, c, slug, func(st *site, rec *registered) ([]setting, string, error) {
		var set []setting
		said = said[:0]
		if p.Tier != "" {
			if _, ok := st.tiers.find(p.Tier); !ok {
				return nil, "", wiki.Invalid("tier", "%s", st.tiers.unknown(p.Tier))
			}
			set, said = append(set, setting{"tier", p.Tier}), append(said, "tier "+p.Tier)
		}
		if p.Owner != "" {
			if !st.users.has(p.Owner) {
				return nil, "", wiki.Invalid("owner", "there is no user %q to pay for the wiki; add the user first", p.Owner)
			}
			set, said = append(set, setting{"owner", string(p.Owner)}), append(said, "owner "+string(p.Owner))
		}
		if p.Payment != nil {
			set, said = append(set, setting{"payment_status", p.Payment.String()}), append(said, "payment "+p.Payment.String())
		}
		next := *rec
		setText(&next.Tier, p.Tier)
		setText(&next.Owner, string(p.Owner))
		if changesHands(st, rec, st, &next) {
			if err := st.room(slug, &next); err != nil {
				return nil, "", err
			}
		}
		return set, "Plan of " + string(slug) + ": " + strings.Join(said, ", "), nil
	})
}

func setText(into *string, text string) {
	if text != "" {
		*into = text
	}
}

// SetArchived puts a wiki into the archive, where nobody but the operator on the
// machine changes it, or takes it out. Administrators of the site may.
func (s *Store) SetArchived(ctx context.Context, c wiki.Caller, slug wiki.Slug, archived bool) error {
	return s.editWiki(ctx, c, slug, func(*site, *registered) ([]setting, string, error) {
		what := "Archive "
		if !archived {
			what = "Take from the archive: "
		}
		return []setting{{"archived", archived}}, what + string(slug), nil
	})
}

// setting is a key of a record with its new value.
type setting struct {
	key   string
	value any
}

// editWiki changes a wiki's record in admin.git in place. change gets the site as
// it is at that moment and says what to set, and the message.
func (s *Store) editWiki(ctx context.Context, c wiki.Caller, slug wiki.Slug, change func(*site, *registered) ([]setting, string, error)) error {
	if err := s.allowAdminPush(c); err != nil {
		return wiki.Forbidden("only administrators of the site change a wiki's plan; ask one of them")
	}
	return s.admin.do(&job{ctx: ctx, caller: c, run: func(b *batch) error {
		if err := s.allowAdminPush(c); err != nil {
			return wiki.Forbidden("only administrators of the site change a wiki's plan; ask one of them")
		}
		st := b.site()
		rec := st.wikis[slug]
		if rec == nil || rec.Deleted {
			return wiki.NotFound("there is no wiki %q", slug)
		}
		set, what, err := change(st, rec)
		if err != nil {
			return err
		}
		head, err := b.head(refMain)
		if err != nil {
			return err
		}
		text, err := fileText(b, head.root, wikiFile(slug))
		if err != nil {
			return err
		}
		next := text
		for _, kv := range set {
			if next, err = record.Set(next, []string{kv.key}, kv.value); err != nil {
				return err
			}
		}
		if string(next) == string(text) {
			return nil
		}
		return b.writeRecord(c, wikiFile(slug), next, what)
	}})
}

// changesHands reports whether a wiki comes to another owner or another tier.
func changesHands(was *site, old *registered, now *site, new *registered) bool {
	before, _ := was.tiers.find(old.Tier)
	after, _ := now.tiers.find(new.Tier)
	return old.Owner != new.Owner || before.Name != after.Name || old.Deleted && !new.Deleted
}

// room refuses a wiki that would be one too many for who pays for it, by the tier
// of that wiki. All of a person's wikis count, those in the archive too. A wiki
// without an owner is nobody's.
func (st *site) room(slug wiki.Slug, rec *registered) error {
	count := 1
	for other, r := range st.wikis {
		if other != slug && r.Owner == rec.Owner && !r.Deleted {
			count++
		}
	}
	return st.fits(rec, count)
}

// fits is room where it is known how many wikis the person would have.
func (st *site) fits(rec *registered, count int) error {
	t, ok := st.tiers.find(rec.Tier)
	if !ok || t.Wikis == NoLimit || rec.Owner == "" || count <= t.Wikis {
		return nil
	}
	return overLimit(t, fmt.Sprintf("%s would have %s", rec.Owner, counted(count, "wiki", "wikis")), fmt.Sprint(t.Wikis), "delete a wiki or give it to somebody else first")
}

// owned counts each person's wikis.
func (st *site) owned() map[string]int {
	count := map[string]int{}
	for _, rec := range st.wikis {
		if !rec.Deleted {
			count[rec.Owner]++
		}
	}
	return count
}

// Tiers lists the site's tiers for administrators, by name.
func (s *Store) Tiers(_ context.Context, c wiki.Caller) ([]TierInfo, error) {
	if err := s.allowAdminPush(c); err != nil {
		return nil, err
	}
	st, err := s.admin.current()
	if err != nil {
		return nil, err
	}
	var out []TierInfo
	for _, name := range st.site.tiers.names() {
		t, _ := st.site.tiers.find(name)
		out = append(out, TierInfo{Tier: t, Usual: name == st.site.tiers.usual, InUse: st.site.using(name)})
	}
	return out, nil
}

// WikiPlan is what the site says of one wiki, for its administrators.
func (s *Store) WikiPlan(_ context.Context, c wiki.Caller, slug wiki.Slug) (acl.Plan, error) {
	if err := s.allowAdminPush(c); err != nil {
		return acl.Plan{}, err
	}
	st, err := s.admin.current()
	if err != nil {
		return acl.Plan{}, err
	}
	if rec := st.site.wikis[slug]; rec == nil || rec.Deleted {
		return acl.Plan{}, wiki.NotFound("there is no wiki %q", slug)
	}
	return st.site.plan(slug), nil
}

// PlanInfo is a wiki's plan as a list shows it.
type PlanInfo struct {
	Wiki wiki.Slug
	acl.Plan
}

// WikiPlans are the plans of all wikis, sorted, for administrators.
func (s *Store) WikiPlans(_ context.Context, c wiki.Caller) ([]PlanInfo, error) {
	if err := s.allowAdminPush(c); err != nil {
		return nil, err
	}
	st, err := s.admin.current()
	if err != nil {
		return nil, err
	}
	var out []PlanInfo
	for slug, rec := range st.site.wikis {
		if !rec.Deleted {
			out = append(out, PlanInfo{slug, st.site.plan(slug)})
		}
	}
	slices.SortFunc(out, func(a, b PlanInfo) int { return strings.Compare(string(a.Wiki), string(b.Wiki)) })
	return out, nil
}

// TierInfo is a tier as a list shows it.
type TierInfo struct {
	Tier
	Usual bool        // of new wikis, and of those that name none
	InUse []wiki.Slug // sorted
}

// using lists the wikis of a tier, sorted.
func (st *site) using(name string) []wiki.Slug {
	var out []wiki.Slug
	for slug, rec := range st.wikis {
		if t, _ := st.tiers.find(rec.Tier); t.Name == name && !rec.Deleted {
			out = append(out, slug)
		}
	}
	slices.Sort(out)
	return out
}
