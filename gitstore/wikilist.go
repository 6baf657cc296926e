package gitstore

import (
	"context"
	"slices"
	"strings"
	"time"

	"wikibot/acl"
	"wikibot/wiki"
)

// WikiStats is a wiki as the operator's list shows it.
type WikiStats struct {
	Slug    wiki.Slug
	Owners  []string // user names and DIDs with the role owner, sorted
	Plan    acl.Plan
	Pages   int
	Bytes   int64     // on the disk, history included
	Changed time.Time // the last commit on main; zero where there is none
	Broken  bool      // it cannot be read; the log says why
}

// WikiStats lists all wikis, by slug, for administrators of the site. It opens each
// of them; the cost grows with their number and size.
func (s *Store) WikiStats(ctx context.Context, c wiki.Caller) ([]WikiStats, error) {
	if err := s.allowAdminPush(c); err != nil {
		return nil, err
	}
	st, err := s.admin.current()
	if err != nil {
		return nil, err
	}
	var out []WikiStats
	for slug, rec := range st.site.wikis {
		if rec.Deleted {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		info := WikiStats{Slug: slug, Plan: st.site.plan(slug)}
		if err := s.fillStats(&info); err != nil {
			s.log.Error("a wiki cannot be read", "wiki", slug, "error", err)
			info.Broken = true
		}
		out = append(out, info)
	}
	slices.SortFunc(out, func(a, b WikiStats) int { return strings.Compare(string(a.Slug), string(b.Slug)) })
	return out, nil
}

func (s *Store) fillStats(info *WikiStats) error {
	r, err := s.wiki(info.Slug)
	if err != nil {
		return err
	}
	st, err := r.current()
	if err != nil {
		return err
	}
	info.Owners = st.config.policy.Owners()
	slices.Sort(info.Owners)
	main := st.main()
	if main.commit.IsZero() {
		return nil
	}
	commit, err := r.commit(main.commit)
	if err != nil {
		return err
	}
	info.Changed = commit.Committer.When
	if info.Pages, _, err = r.count(main.root); err != nil {
		return err
	}
	info.Bytes, err = r.objects.Usage()
	return err
}
