package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"wikibot/gitstore"
	"wikibot/wiki"
)

func tokenOperations() []Operation {
	return []Operation{
		{Name: "token create", Flags: []string{"wiki", "user", "role", "name", "days"}, run: (*Host).createToken,
			Help: "a token for git, programs and agents, printed alone: --wiki SLUG --role ROLE, or --user NAME"},
		{Name: "token list", Flags: []string{"wiki", "user"}, run: (*Host).listTokens,
			Help: "the tokens of a wiki, of a person, or all: id, role, whose, when made, until when, last four characters, name"},
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

// listTokens prints a table, newest first; no secret is in it.
func (h *Host) listTokens(ctx context.Context, cmd Command) (string, error) {
	var list []gitstore.Token
	var err error
	switch {
	case cmd.Wiki != "" && cmd.User != "":
		return "", wiki.Invalid("token", "say --wiki SLUG or --user NAME, not both")
	case cmd.Wiki != "":
		list, err = h.Store.Tokens(ctx, h.caller(), cmd.Wiki)
	case cmd.User != "":
		user, wrong := wiki.ParseUsername(cmd.User)
		if wrong != nil {
			return "", wrong
		}
		list, err = h.Store.TokensOf(ctx, h.caller(), user)
	default:
		list, err = h.allTokens(ctx)
	}
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return "there are no tokens; make one with: wikibot admin token create", nil
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tROLE\tOF\tMADE\tEXPIRES\tENDS IN\tNAME")
	for _, t := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", t.ID, tokenRole(t), cmp.Or(string(t.User), "the site"),
			t.Created.Format(time.DateOnly), tokenEnd(t), cmp.Or(t.Last4, "-"), t.Name)
	}
	err = w.Flush()
	return strings.TrimSuffix(b.String(), "\n"), err
}

// allTokens are people's tokens, then those of one wiki after another.
func (h *Host) allTokens(ctx context.Context) ([]gitstore.Token, error) {
	list, err := h.Store.Tokens(ctx, h.caller(), "")
	if err != nil {
		return nil, err
	}
	wikis, err := h.Store.Wikis(ctx, h.caller())
	for _, info := range wikis {
		more, failed := h.Store.Tokens(ctx, h.caller(), info.Slug)
		list, err = append(list, more...), errors.Join(err, failed)
	}
	return list, err
}

func tokenRole(t gitstore.Token) string {
	if t.Role == wiki.NoRole {
		return "all"
	}
	return t.Role.String()
}

func tokenEnd(t gitstore.Token) string {
	switch {
	case t.Expires.IsZero():
		return "never"
	case t.Expires.Before(time.Now()):
		return "is over"
	}
	return t.Expires.Format(time.DateOnly)
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
