package server

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"wikibot/acl"
	"wikibot/gitstore"
	"wikibot/record"
	"wikibot/wiki"
)

func planOperations() []Operation {
	return []Operation{
		{Name: "tier list", run: (*Host).listTiers,
			Help: "the site's tiers with their limits, and the plan of each wiki"},
		{Name: "tier set", Args: []Argument{argWiki, argTier}, Flags: []string{"status", "owner"}, run: (*Host).setPlan,
			Help: "the tier of a wiki; --status free|active|lapsed says whether it is paid for, --owner NAME who pays"},
		{Name: "wiki archive", Args: []Argument{argWiki}, run: (*Host).archive,
			Help: "a wiki that is read and fetched, and that nobody changes"},
		{Name: "wiki unarchive", Args: []Argument{argWiki}, run: (*Host).unarchive,
			Help: "takes a wiki out of the archive"},
	}
}

var argTier = Argument{Name: "TIER", put: func(c *Command, s string) { c.Tier = s }}

func (h *Host) setPlan(ctx context.Context, cmd Command) (string, error) {
	change := gitstore.PlanChange{Tier: cmd.Tier}
	if cmd.Status != "" {
		status, err := acl.ParsePayment(cmd.Status)
		if err != nil {
			return "", err
		}
		change.Payment = &status
	}
	if cmd.Owner != "" {
		owner, err := wiki.ParseUsername(cmd.Owner)
		if err != nil {
			return "", err
		}
		change.Owner = owner
	}
	if err := h.Store.SetPlan(ctx, h.caller(), cmd.Wiki, change); err != nil {
		return "", err
	}
	return h.planLine(ctx, cmd.Wiki)
}

func (h *Host) planLine(ctx context.Context, slug wiki.Slug) (string, error) {
	plan, err := h.Store.WikiPlan(ctx, h.caller(), slug)
	if err != nil {
		return "", err
	}
	line := fmt.Sprintf("%s is of the tier %s, payment %s", slug, plan.Tier, plan.Payment)
	if plan.Owner != "" {
		line += ", billing owner " + string(plan.Owner)
	}
	return line, nil
}

func (h *Host) archive(ctx context.Context, cmd Command) (string, error) {
	if err := h.Store.SetArchived(ctx, h.caller(), cmd.Wiki, true); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s is in the archive; take it out with: wikibot admin wiki unarchive %s", cmd.Wiki, cmd.Wiki), nil
}

func (h *Host) unarchive(ctx context.Context, cmd Command) (string, error) {
	if err := h.Store.SetArchived(ctx, h.caller(), cmd.Wiki, false); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s is out of the archive", cmd.Wiki), nil
}

// listTiers is two tables: the tiers, and the wikis with their plans.
func (h *Host) listTiers(ctx context.Context, _ Command) (string, error) {
	list, err := h.Store.Tiers(ctx, h.caller())
	if err != nil {
		return "", err
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "TIER\tWIKIS\tAUTHORS\tPAGES\tBYTES\tGIT PUSH\tIN USE BY")
	for _, t := range list {
		name, size := t.Name, atMost(int(t.Bytes))
		if t.Usual {
			name += " (default)"
		}
		if t.Bytes != gitstore.NoLimit {
			size = record.Size(t.Bytes).String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%d\n", name, atMost(t.Wikis), atMost(t.Authors), atMost(t.Pages), size, yesNo(t.GitPush), len(t.InUse))
	}
	fmt.Fprintln(w, "\nWIKI\tTIER\tPAYMENT\tOWNER\tARCHIVED")
	plans, err := h.Store.WikiPlans(ctx, h.caller())
	if err != nil {
		return "", err
	}
	for _, p := range plans {
		owner := string(p.Owner)
		if owner == "" {
			owner = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", p.Wiki, p.Tier, p.Payment, owner, yesNo(p.Archived))
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

func atMost(n int) string {
	if n == gitstore.NoLimit {
		return "-"
	}
	return strconv.Itoa(n)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
