package gitstore

import (
	"fmt"

	"wikibot/wiki"
)

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
