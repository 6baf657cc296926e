package gitstore

import (
	"fmt"

	"wikibot/acl"
	"wikibot/record"
	"wikibot/wiki"
)

// The limits of a tier are checked where a wiki grows, and nowhere else: what is
// over a limit stays, can be edited, and can be made less. They bind everybody, the
// operator too, who can give the wiki another tier.

// overLimit refuses what would go over a limit of a tier: what there would be,
// what is allowed, and the next step. It is an ErrForbidden.
func overLimit(t Tier, would, allowed, step string) error {
	return &wiki.Error{Kind: wiki.ErrLimit, Text: fmt.Sprintf("%s; the tier %q allows %s: %s, or ask the site's administrators for another tier", would, t.Name, allowed, step)}
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func tooManyPages(t Tier, slug wiki.Slug, n int) error {
	return overLimit(t, fmt.Sprintf("the wiki %q would have %s", slug, counted(n, "page", "pages")), fmt.Sprint(t.Pages), "delete pages first")
}

func tooManyBytes(t Tier, slug wiki.Slug, n int64) error {
	return overLimit(t, fmt.Sprintf("the wiki %q would take %s with its history", slug, bytesText(n)), record.Size(t.Bytes).String(),
		"edit the pages that are there, which still works, and leave out new pages and files")
}

// bytesText is a size as people read it, such as "50.3 MB".
func bytesText(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.2f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f kB", float64(n)/1e3)
}

// tier is the wiki's at this moment. One that the site does not have limits
// nothing: the policy lets nobody change such a wiki.
func (r *repo) tier() (Tier, error) {
	st, err := r.store.admin.current()
	if err != nil {
		return Tier{}, err
	}
	if t, ok := st.site.tierOf(r.name); ok {
		return t, nil
	}
	return selfTier(), nil
}

// checkAuthors refuses a policy that lets more people edit than the tier allows,
// if it lets more than the one before it. A person by name and by DID is one.
func (r *repo) checkAuthors(was, now *acl.Policy) error {
	t, err := r.tier()
	if err != nil || t.Authors == NoLimit {
		return err
	}
	if now.Write > acl.Granted && now.Write > was.Write {
		who := map[acl.Level]string{acl.Registered: "everybody who is signed in", acl.Anonymous: "everybody"}[now.Write]
		return overLimit(t, fmt.Sprintf("%s could edit the wiki %q", who, r.name), counted(t.Authors, "author", "authors"), "leave write = \"granted\"")
	}
	st, err := r.store.admin.current()
	if err != nil {
		return err
	}
	if n := st.site.authors(now); n > t.Authors && n > st.site.authors(was) {
		return overLimit(t, fmt.Sprintf("the wiki %q would have %s, as its editors and owners are called", r.name, counted(n, "author", "authors")), fmt.Sprint(t.Authors), "make somebody else a viewer first")
	}
	return nil
}

// authors counts the people who may edit by grant.
func (st *site) authors(p *acl.Policy) int {
	people := map[string]bool{}
	for who, role := range p.Grants {
		if role < wiki.Editor {
			continue
		}
		if name := st.byDID.get(wiki.DID(who)); name != "" {
			who = string(name)
		}
		people[who] = true
	}
	return len(people)
}

// checkIncoming refuses a new wiki that begins beyond the limits of its tier.
func (s *Store) checkIncoming(in *Incoming, n NewWiki) error {
	st, err := s.admin.current()
	if err != nil {
		return err
	}
	rec, err := st.site.newRecord(n)
	if err != nil {
		return err
	}
	t, _ := st.site.tiers.find(rec.Tier)
	if t.Pages != NoLimit {
		head, _, err := in.repo.refs.Read(refMain)
		if err != nil {
			return err
		}
		root, err := in.repo.rootOf(head)
		if err != nil {
			return err
		}
		count, _, err := countPages(root)
		if err != nil {
			return err
		}
		if count > t.Pages {
			return tooManyPages(t, n.Slug, count)
		}
	}
	if t.Bytes != NoLimit {
		size, err := in.repo.overBytes(t, 0)
		if err != nil {
			return err
		}
		if size > 0 {
			return tooManyBytes(t, n.Slug, size)
		}
	}
	return nil
}
