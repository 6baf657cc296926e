package cli

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"

	"wikibot/search/eval"
	"wikibot/wiki"
)

const evalSynopsis = `Usage: wikibot eval [--floor ARM=NDCG,RECALL]… DIR

Measures search on a collection with relevance judgements and prints nDCG@10 and
recall@100 for each arm. DIR holds the collection, in the layout of XQuAD-R (*.json) or
of BEIR (corpus.jsonl, queries.jsonl, qrels.tsv), or folders of collections. With
--floor it fails where an arm stays below.`

// floors are what arms must reach, "lexical=0.84,0.97".
type floors map[string]eval.Floor

func (f floors) String() string { return "" }

func (f floors) Set(s string) error {
	arm, both, ok := strings.Cut(s, "=")
	first, second, both2 := strings.Cut(both, ",")
	ndcg, err := strconv.ParseFloat(first, 64)
	recall, err2 := strconv.ParseFloat(second, 64)
	if !ok || !both2 || err != nil || err2 != nil {
		return fmt.Errorf("%q is no floor: write lexical=0.84,0.97", s)
	}
	f[arm] = eval.Floor{NDCG: ndcg, Recall: recall}
	return nil
}

func evaluate(ctx context.Context, c *call) error {
	least := floors{}
	own := flag.NewFlagSet("eval", flag.ContinueOnError)
	own.Var(least, "floor", "what an arm must reach: lexical=0.84,0.97; again for more")
	cfg, args, done, err := c.load(evalSynopsis, own)
	switch {
	case done || err != nil:
		return err
	case len(args) != 1:
		return usage("eval needs a folder with a collection\n\n%s", evalSynopsis)
	}
	_, err = eval.Run(ctx, args[0], c.stdout, eval.Options{Language: cfg.Search.Language, Floors: least})
	if err != nil {
		return &wiki.Error{Kind: wiki.ErrInvalid, Text: err.Error()}
	}
	return nil
}
