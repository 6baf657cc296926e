// Package eval measures search against collections with relevance judgements:
// documents, queries, and which documents answer which query, as people judged.
//
// Each document becomes a page of an index, which is asked as a wiki is. For each arm
// of search it gives two means over the queries that have a relevant
// document:
//
//	nDCG@10     whether the best ten are the right ones in the right order, 0 to 1:
//	            the sum of gain ÷ log2(1+rank), divided by the largest possible sum
//	            (Järvelin and Kekäläinen, 2002; linear gain, as trec_eval has it)
//	recall@100  which part of the relevant documents is among the best hundred
//
// A collection is a folder in one of two layouts, or a folder of such folders:
//
//	*.json         XQuAD-R: articles with paragraphs, sentence_breaks and questions; each
//	               sentence is a document, and the one where the answer begins is relevant
//	corpus.jsonl   {"_id": "d1", "title": "…", "text": "…"}, one document a line
//	queries.jsonl  {"_id": "q1", "text": "…"}
//	qrels.tsv      query, document and grade, separated by tabs, under a line of titles;
//	               as in BEIR, it may also be qrels/test.tsv
package eval

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"wikibot/wiki"
)

// Options of a Run.
type Options struct {
	// Language of the documents, as BCP 47 has it; the default is "en".
	Language string
	// Floors are what an arm must reach, by its name. An arm that is named here and
	// not measured is a miss as well.
	Floors map[string]Floor
}

// Floor is the least that an arm must reach, as a mean over all collections.
type Floor struct{ NDCG, Recall float64 }

// Report is what was measured.
type Report struct {
	Collections []Result
	Mean        []Score // of each arm, over the collections
}

// Result is what was measured on one collection.
type Result struct {
	Name               string
	Documents, Queries int // queries with a relevant document
	Scores             []Score
}

// Score is what one arm reached.
type Score struct {
	Arm          string
	NDCG, Recall float64
}

// Run measures every arm on the collections in dir, writes a table to w as it goes,
// and reports the figures. Besides unreadable collections (ErrInvalid, with file and
// line) it is an error that names every miss when an arm stays under its floor; the
// Report is whole then. The texts of one collection are in memory at a time.
func Run(ctx context.Context, dir string, w io.Writer, o Options) (Report, error) {
	var r Report
	sources, err := find(dir)
	if err != nil {
		return r, err
	}
	fmt.Fprintf(w, "%-24s %9s %8s  %-8s %8s %11s\n", "collection", "documents", "queries", "arm", "nDCG@10", "recall@100")
	for _, s := range sources {
		c, err := s.read()
		if err != nil {
			return r, err
		}
		res, err := measure(ctx, c, o)
		if err != nil {
			return r, fmt.Errorf("measuring %s: %w", c.name, err)
		}
		r.Collections = append(r.Collections, res)
		for _, sc := range res.Scores {
			fmt.Fprintf(w, "%-24s %9d %8d  %-8s %8.4f %11.4f\n", res.Name, res.Documents, res.Queries, sc.Arm, sc.NDCG, sc.Recall)
		}
	}
	r.Mean = mean(r.Collections)
	if len(r.Collections) > 1 {
		for _, sc := range r.Mean {
			fmt.Fprintf(w, "%-24s %9s %8s  %-8s %8.4f %11.4f\n", "mean", "", "", sc.Arm, sc.NDCG, sc.Recall)
		}
	}
	return r, r.misses(o.Floors)
}

// measure runs the arms on one collection.
func measure(ctx context.Context, c collection, o Options) (Result, error) {
	res := Result{Name: c.name, Documents: len(c.documents)}
	arms, err := build(ctx, c.documents, o)
	if err != nil {
		return res, err
	}
	for _, a := range arms {
		s := Score{Arm: a.name}
		n := 0
		for _, q := range c.queries {
			if len(q.relevant) == 0 {
				continue
			}
			found, err := a.search(ctx, q.text, depth)
			if err != nil {
				return res, fmt.Errorf("%s, query %q: %w", a.name, q.text, err)
			}
			s.NDCG += ndcg(found, q.relevant)
			s.Recall += recall(found, q.relevant)
			n++
		}
		if n == 0 {
			return res, wiki.Invalid("dir", "no query of %s has a relevant document", c.name)
		}
		s.NDCG, s.Recall, res.Queries = s.NDCG/float64(n), s.Recall/float64(n), n
		res.Scores = append(res.Scores, s)
	}
	return res, nil
}

// mean averages each arm over the collections that have it.
func mean(results []Result) (out []Score) {
	count := map[string]float64{}
	for _, r := range results {
		for _, s := range r.Scores {
			i := slices.IndexFunc(out, func(o Score) bool { return o.Arm == s.Arm })
			if i < 0 {
				i, out = len(out), append(out, Score{Arm: s.Arm})
			}
			out[i].NDCG += s.NDCG
			out[i].Recall += s.Recall
			count[s.Arm]++
		}
	}
	for i := range out {
		out[i].NDCG /= count[out[i].Arm]
		out[i].Recall /= count[out[i].Arm]
	}
	return out
}

// misses is an error that names each arm under its floor, or nil.
func (r Report) misses(floors map[string]Floor) error {
	var all []string
	for arm, f := range floors {
		i := slices.IndexFunc(r.Mean, func(s Score) bool { return s.Arm == arm })
		if i < 0 {
			all = append(all, fmt.Sprintf("%s was not measured", arm))
			continue
		}
		if got := r.Mean[i].NDCG; !(got >= f.NDCG) {
			all = append(all, fmt.Sprintf("%s: nDCG@10 is %.4f, under its floor of %.4f", arm, got, f.NDCG))
		}
		if got := r.Mean[i].Recall; !(got >= f.Recall) {
			all = append(all, fmt.Sprintf("%s: recall@100 is %.4f, under its floor of %.4f", arm, got, f.Recall))
		}
	}
	if all == nil {
		return nil
	}
	slices.Sort(all)
	return fmt.Errorf("search has become worse than it must be: %s", strings.Join(all, "; "))
}
