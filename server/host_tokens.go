package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

func tokenOperations() []Operation {
	return []Operation{
		{Name: "token create", Flags: []string{"wiki", "user", "role", "name", "days"}, run: (*Host).createToken,
			Help: "a token for git, programs and agents, printed alone: --wiki SLUG --role ROLE, or --user NAME"},
		{Name: "token revoke", Args: []Argument{{Name: "ID", put: func(c *Command, s string) { c.Name = s }}}, run: (*Host).revokeToken,
			Help: "ends a token; ID is what stands between wbt_ and the next _"},
	}
}

func (h *Host) createToken(ctx context.Context, cmd Command) (string, error) {
	ask := gitstore.NewToken{Name: cmd.Name}
	if cmd.Days > 0 {
		ask.Expires = time.Now().AddDate(0, 0, cmd.Days)
	}
	switch {
	case (cmd.Wiki == "") == (cmd.User == ""):
		return "", wiki.Invalid("token", "say either --wiki SLUG --role viewer|editor|owner, or --user NAME")
	case cmd.Wiki != "":
		role, err := wiki.ParseRole(cmd.Role)
		if err != nil {
			return "", err
		}
		ask.Wiki, ask.Role = cmd.Wiki, role
	default:
		user, err := wiki.ParseUsername(cmd.User)
		if err != nil {
			return "", err
		}
		ask.User = user
		if cmd.Role != "" {
			if ask.Role, err = wiki.ParseRole(cmd.Role); err != nil {
				return "", err
			}
		}
	}
	secret, _, err := h.Store.CreateToken(ctx, h.caller(), ask)
	return secret, err
}

// revokeToken takes a token by its id or, as it was printed, whole.
func (h *Host) revokeToken(ctx context.Context, cmd Command) (string, error) {
	id := strings.TrimPrefix(cmd.Name, gitstore.TokenPrefix)
	id, _, _ = strings.Cut(id, "_")
	if err := h.Store.RevokeToken(ctx, h.caller(), id); err != nil {
		return "", err
	}
	return fmt.Sprintf("revoked the token %s; nobody can use it any more", id), nil
}
