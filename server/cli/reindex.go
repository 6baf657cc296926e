package cli

import (
	"context"
	"fmt"

	"wikibot/server"
	"wikibot/wiki"
)

const reindexSynopsis = `Usage: wikibot reindex [--data DIR] SLUG

Makes the search index of the wiki SLUG anew from its pages. It is never needed, since
an index follows every change by itself and is made anew where its file is damaged;
it is for those who want to be sure. Searches go on meanwhile.`

func reindex(ctx context.Context, c *call) error {
	cfg, args, done, err := c.load(reindexSynopsis, nil)
	switch {
	case done || err != nil:
		return err
	case len(args) != 1:
		return usage("reindex needs a slug\n\n%s", reindexSynopsis)
	}
	slug, err := wiki.ParseSlug(args[0])
	if err != nil {
		return err
	}
	bar := newBar(c.stderr)
	answer, err := c.do(ctx, cfg, server.Command{Do: "reindex", Wiki: slug}, bar.show)
	bar.end()
	if err != nil {
		return err
	}
	fmt.Fprintln(c.stdout, answer.Line)
	return nil
}
