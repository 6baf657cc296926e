package server

import (
	"context"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"wikibot/gitstore"
	"wikibot/record"
	"wikibot/wiki"
)

// keepOperations are those about the repositories themselves.
func keepOperations() []Operation {
	return []Operation{
		{Name: "wiki list", run: (*Host).listWikis,
			Help: "all wikis with their owners, plans, sizes and last changes"},
		{Name: "wiki delete", Args: []Argument{argWiki}, run: (*Host).deleteWiki,
			Help:    "ends a wiki; its history is kept in a bundle, its slug is never given out again",
			Confirm: "The wiki and all of its pages will be gone for everybody."},
		{Name: "wiki maintain", Args: []Argument{argWiki}, run: (*Host).maintainWiki,
			Help: "tidies a wiki's repository up now, as the server does by itself in the background; admin is the site's own"},
		{Name: "revoke", Args: []Argument{argWiki, argUser}, run: (*Host).revokeGrant,
			Help: "takes a person's role in a wiki away"},
	}
}

func (h *Host) maintainWiki(ctx context.Context, cmd Command) (string, error) {
	if err := h.Store.Maintain(ctx, h.caller(), cmd.Wiki); err != nil {
		return "", err
	}
	return fmt.Sprintf("tidied up %s", cmd.Wiki), nil
}

func (h *Host) deleteWiki(ctx context.Context, cmd Command) (string, error) {
	bundle, err := h.Store.DeleteWiki(ctx, h.caller(), cmd.Wiki, wiki.Slug(cmd.Confirm))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("deleted the wiki %s; all of it is in %s\nIt comes back under another slug with: wikibot import %s NEWSLUG", cmd.Wiki, bundle, bundle), nil
}

func (h *Host) revokeGrant(ctx context.Context, cmd Command) (string, error) {
	if err := h.Store.SetGrant(ctx, h.caller(), cmd.Wiki, cmd.User, wiki.NoRole); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s has no role on %s any more", cmd.User, cmd.Wiki), nil
}

func (h *Host) listWikis(ctx context.Context, _ Command) (string, error) {
	list, err := h.Store.WikiStats(ctx, h.caller())
	if err != nil {
		return "", err
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "WIKI\tOWNERS\tTIER\tSTATUS\tPAGES\tSIZE\tLAST CHANGE")
	for _, i := range list {
		changed := "-"
		if !i.Changed.IsZero() {
			changed = i.Changed.UTC().Format(time.DateTime)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", i.Slug, strings.Join(i.Owners, ","), i.Plan.Tier, wikiStatus(i), i.Pages, record.Size(i.Bytes), changed)
	}
	if err := w.Flush(); err != nil {
		return "", err
	}
	return strings.TrimSuffix(b.String(), "\n"), nil
}

// wikiStatus is what there is to know of a wiki beside its tier.
func wikiStatus(i gitstore.WikiStats) string {
	switch {
	case i.Broken:
		return "cannot be read"
	case i.Plan.Archived:
		return "archived"
	}
	return i.Plan.Payment.String()
}
