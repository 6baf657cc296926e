package server

import (
	"context"
	"fmt"

	"wikibot/wiki"
)

func wikiOperations() []Operation {
	return []Operation{
		{Name: "wiki create", Args: []Argument{argWiki}, Flags: []string{"name", "purpose", "user", "tier"}, run: (*Host).createWiki,
			Help: "a wiki; it begins with a few pages and belongs to the account operator, or to --user NAME"},
		{Name: "grant", Args: []Argument{argWiki, argUser, argRole}, run: (*Host).grant,
			Help: "a person's role in a wiki: owner, editor, viewer, or none"},
	}
}

func (h *Host) createWiki(ctx context.Context, cmd Command) (string, error) {
	slug, err := wiki.ParseSlug(string(cmd.Wiki))
	if err != nil {
		return "", err
	}
	owner := Operator
	if cmd.User != "" {
		if owner, err = wiki.ParseUsername(cmd.User); err != nil {
			return "", err
		}
	}
	fresh, err := bootstrapWiki(slug, cmd.Name, cmd.Purpose, owner)
	if err != nil {
		return "", err
	}
	fresh.Tier = cmd.Tier
	if err := h.Store.CreateWiki(ctx, h.caller(), fresh); err != nil {
		return "", err
	}
	return h.Addresses.Absolute(slug) + "/", nil
}

func (h *Host) grant(ctx context.Context, cmd Command) (string, error) {
	role := wiki.NoRole
	if cmd.Role != "none" {
		var err error
		if role, err = wiki.ParseRole(cmd.Role); err != nil {
			return "", wiki.Invalid("role", "%q is not a role: use owner, editor, viewer, or none to take it away", cmd.Role)
		}
	}
	if err := h.Store.SetGrant(ctx, h.caller(), cmd.Wiki, cmd.User, role); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s is %s on %s", cmd.User, role, cmd.Wiki), nil
}
