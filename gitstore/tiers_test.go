package gitstore

import (
	"reflect"
	"strings"
	"testing"

	"wikibot/wiki"
)

func readSite(text string) (tiers, wiki.Faults) {
	var rec siteRecord
	if faults := decode(fileSite, []byte(text), &rec, func(x *siteRecord) int { return x.Schema }); len(faults) > 0 {
		return tiers{}, faults
	}
	return parseTiers([]byte(text), rec)
}

func TestFirstSite(t *testing.T) {
	ts, faults := readSite(firstSite)
	if faults != nil {
		t.Fatal(faults)
	}
	free := Tier{Name: "free", Wikis: 1, Authors: 1, Pages: 500, Bytes: 50_000_000}
	premium := Tier{Name: "premium", Wikis: 12, Authors: 25, Pages: NoLimit, Bytes: NoLimit, GitPush: true}
	if want := (tiers{named: map[string]Tier{"free": free, "premium": premium}, usual: tierSelf}); !reflect.DeepEqual(ts, want) {
		t.Errorf("got %+v, want %+v", ts, want)
	}
	if got, ok := ts.find(""); !ok || got != selfTier() {
		t.Errorf("a wiki without a tier has %+v", got)
	}
}

// TestOldSite: a data folder from before there were tiers goes on without limits.
func TestOldSite(t *testing.T) {
	ts, faults := readSite("schema = 1\nname = \"wikibot\"\n")
	if got, ok := ts.find(""); faults != nil || !ok || got != selfTier() || !reflect.DeepEqual(ts.names(), []string{"self"}) {
		t.Errorf("got %+v, %v", ts, faults)
	}
	if _, ok := (tiers{}).find(""); ok {
		t.Error("without a site.toml a wiki that names no tier has one")
	}
}

func TestTierFaults(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"self", "[tiers.self]\npages = 1\n", `site.toml:2:8: the tier self is built in and has no limits; give your own tier another name`},
		{"name", "[tiers.\"Big one\"]\n", `site.toml:2:8: "Big one" is no name of a tier: use 1 to 30 characters a-z`},
		{"key", "[tiers.free]\npage = 1\n", `site.toml:3:1: unknown key page in [tiers.free] (did you mean "pages"?); known keys there: wikis, authors, pages, bytes, git_push`},
		{"top", "default_teir = \"self\"\n", `site.toml:2:1: unknown key default_teir at the top of the file (did you mean "default_tier"?)`},
		{"negative", "[tiers.free]\nwikis = -1\n", `site.toml:3:1: wikis = -1 must be 0 or more; leave the line out for no limit`},
		{"no author", "[tiers.free]\nauthors = 0\n", `site.toml:3:1: authors = 0 must be 1 or more`},
		{"kind", "[tiers.free]\nwikis = \"one\"\n", `site.toml:3:9: tiers.free.wikis must be an integer, not a string`},
		{"size", "[tiers.free]\nbytes = \"50 XB\"\n", `site.toml:3:9: tiers.free.bytes: "50 XB" is not a size`},
		{"negative size", "[tiers.free]\nbytes = -1\n", `site.toml:3:9: tiers.free.bytes: "-1" is not a size`},
		{"default", "default_tier = \"fre\"\n[tiers.free]\n", `site.toml:2:1: default_tier: "fre" is no tier of this site (did you mean "free"?): use free, self`},
	} {
		_, faults := readSite("schema = 1\n" + c.text)
		if len(faults) != 1 || !strings.HasPrefix(faults[0].String(), c.want) {
			t.Errorf("%s:\n got %v\nwant %s", c.name, faults, c.want)
		}
	}
}

func TestTierSizes(t *testing.T) {
	for text, want := range map[string]int64{`"50MB"`: 50e6, `50`: 50, `1_000`: 1000, `"1.5 GiB"`: 3 << 29, `0`: 0} {
		ts, faults := readSite("schema = 1\n[tiers.t]\nbytes = " + text + "\n")
		if got := ts.named["t"].Bytes; faults != nil || got != want {
			t.Errorf("bytes = %s: got %d, %v, want %d", text, got, faults, want)
		}
	}
}

// FuzzTiers: no panic; what is accepted has a tier for a wiki that names none, and
// no limit below nothing.
func FuzzTiers(f *testing.F) {
	f.Add(firstSite)
	f.Add("schema = 1\ndefault_tier = 'x'\ntiers.x.bytes = 3\n")
	f.Add("schema = 1\n[tiers]\nself = {}\n")
	f.Fuzz(func(t *testing.T, text string) {
		ts, faults := readSite(text)
		if len(faults) > 0 {
			return
		}
		if _, ok := ts.find(""); !ok {
			t.Errorf("%q: there is no tier %q", text, ts.usual)
		}
		for name, tier := range ts.with() {
			if got, ok := ts.find(name); !ok || got != tier || tier.Name != name || min(tier.Wikis, tier.Authors, tier.Pages) < NoLimit || tier.Bytes < NoLimit {
				t.Errorf("%q: %s is %+v", text, name, tier)
			}
		}
		if got, _ := ts.find(tierSelf); got != selfTier() {
			t.Errorf("%q: self is %+v", text, got)
		}
	})
}

// TestTiersGone: of the wikis that keep a tier, ten are named; deleted ones keep
// none, and those that name no tier keep the usual one.
func TestTiersGone(t *testing.T) {
	was := &site{tiers: tiers{named: map[string]Tier{"big": {Name: "big"}, "small": {Name: "small"}}, usual: "small"}, wikis: map[wiki.Slug]*registered{}}
	for _, slug := range strings.Fields("b12 b11 b10 b09 b08 b07 b06 b05 b04 b03 b02 b01") {
		was.wikis[wiki.Slug(slug)] = &registered{registryRecord{Tier: "big"}}
	}
	was.wikis["gone"] = &registered{registryRecord{Tier: "big", Deleted: true}}
	was.wikis["none"] = &registered{registryRecord{}}
	now := was.copy()
	now.tiers = tiers{usual: tierSelf}
	got := tiersGone(was, now)
	if want := `site.toml: the tier "big" cannot go while wikis are of it: b01, b02, b03, b04, b05, b06, b07, b08, b09, b10 and 2 more; move them first, with a push of wikis/ or ` + "`wikibot admin tier set SLUG TIER`"; len(got) != 1 || got[0].String() != want {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	now.tiers = tiers{named: map[string]Tier{"big": {Name: "big"}}, usual: "small"}
	if got := tiersGone(was, now); len(got) != 1 || !strings.Contains(got[0].Text, `the tier "small" cannot go while wikis are of it: none;`) {
		t.Errorf("got %v", got)
	}
}
