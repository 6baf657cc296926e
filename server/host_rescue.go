package server

import (
	"context"
	"strings"

	"wikibot/gitstore"
	"wikibot/wiki"
)

func rescueOperations() []Operation {
	commit := Argument{Name: "COMMIT", put: func(c *Command, s string) { c.Commit = s }}
	return []Operation{
		{Name: "rescue", Args: []Argument{commit}, Optional: 1, Flags: []string{"add-admin", "rewind"}, run: (*Host).rescue,
			Help: "puts admin.git right with a new commit: --add-admin NAME makes an administrator, --rewind goes back to the last that was in force, or to COMMIT"},
	}
}

func (h *Host) rescue(ctx context.Context, cmd Command) (string, error) {
	ask := gitstore.Rescue{Rewind: cmd.Rewind}
	var err error
	if cmd.AddAdmin != "" {
		if ask.AddAdmin, err = wiki.ParseUsername(cmd.AddAdmin); err != nil {
			return "", err
		}
	}
	if cmd.Commit != "" {
		if !cmd.Rewind {
			return "", wiki.Invalid("rescue", "a COMMIT goes with --rewind: wikibot admin rescue --rewind %s", cmd.Commit)
		}
		if ask.To, err = wiki.ParseRevision(cmd.Commit); err != nil {
			return "", err
		}
	}
	done, err := h.Store.Rescue(ctx, h.caller(), ask)
	return strings.Join(done, "\n"), err
}
