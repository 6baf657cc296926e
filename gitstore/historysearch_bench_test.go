package gitstore_test

import (
	"context"
	"testing"
	"time"

	"wikibot/gitstore"
)

// BenchmarkSearchHistory goes through a whole history for a rare word.
func BenchmarkSearchHistory(b *testing.B) {
	for _, data := range []string{"foam-docs", "tldr-pages"} {
		s := given(b, data)
		ctx := context.Background()
		v := dataView(b, s)
		for name, q := range map[string]gitstore.HistoryQuery{
			"rare": {Text: "subtitle"}, "case": {Text: "subtitle", Case: true}, "none": {Text: "xyzzyplugh"}, "regexp": {Text: `sub-?titles?\b`, Regexp: true},
			"prefix": {Text: "install", Prefix: "common/apt"},
		} {
			b.Run(data+"/"+name, func(b *testing.B) {
				calls, hits, longest := 0, 0, time.Duration(0)
				for b.Loop() {
					q.After = ""
					for {
						began := time.Now()
						r, err := v.SearchHistory(ctx, q, nil)
						must(b, err)
						longest = max(longest, time.Since(began))
						calls++
						hits += len(r.Found)
						if q.After = r.Next; r.Ended {
							break
						}
					}
				}
				b.ReportMetric(float64(calls)/float64(b.N), "calls")
				b.ReportMetric(float64(hits)/float64(b.N), "hits")
				b.ReportMetric(float64(longest.Milliseconds()), "ms/longest-call")
			})
		}
		s.Close()
	}
}
