package server

import (
	"context"
	"fmt"
)

// keepOperations are those about the repositories themselves.
func keepOperations() []Operation {
	return []Operation{
		{Name: "wiki maintain", Args: []Argument{argWiki}, run: (*Host).maintainWiki,
			Help: "tidies a wiki's repository up now, as the server does by itself in the background; admin is the site's own"},
	}
}

func (h *Host) maintainWiki(ctx context.Context, cmd Command) (string, error) {
	if err := h.Store.Maintain(ctx, h.caller(), cmd.Wiki); err != nil {
		return "", err
	}
	return fmt.Sprintf("tidied up %s", cmd.Wiki), nil
}
