package search

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"wikibot/gitstore"
	"wikibot/search/internal/chunks"
	"wikibot/search/internal/index"
	"wikibot/search/internal/scan"
	"wikibot/wiki"
)

// Bounds of a search that reads pages.
const (
	scanTime  = 2 * time.Second
	scanBytes = 256 << 20
	scanWait  = 2 * time.Second // for a place among those that scan
)

// verified answers a query that the index alone cannot, by reading the pages that it
// leaves, best first: those that must match a regular expression, or the words in their
// very case. It ends after scanTime and says so.
func (e *Engine) verified(ctx context.Context, v *gitstore.View, x *index.Index, ask index.Question, r Request, a *Answer) error {
	select {
	case e.scans <- struct{}{}:
		defer func() { <-e.scans }()
	case <-time.After(scanWait):
		return wiki.Unavailable("too many searches read pages now; try again in a moment")
	case <-ctx.Done():
		return ctx.Err()
	}
	found, err := x.Pages(ctx, ask, 0, -1)
	if err != nil {
		return err
	}
	a.Arms = armNames(found.Arms)
	a.notice(found)
	dated := v.HistoryAtHand(ctx)
	look := scan.New(ask.Query, scan.Budget{Pages: len(found.Pages), Bytes: scanBytes})
	bounded, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	for i, p := range found.Pages {
		page, err := v.ReadPage(p.Path)
		if errors.Is(err, wiki.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		src := indexed(page.Content)
		at, ok, err := look.Page(bounded, src)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			a.Partial = fmt.Sprintf("Only the %d best of %d pages were read; narrow the query with a word or path:.", i, len(found.Pages))
			break
		}
		if !ok {
			continue
		}
		a.Total++
		if p.Every {
			a.All++
		}
		if a.Total <= r.Offset || len(a.Results) == r.Limit {
			continue
		}
		a.Results = append(a.Results, matched(p, src, at))
		if dated {
			date(ctx, v, &a.Results[len(a.Results)-1])
		}
	}
	return nil
}

// matched is the result for a page whose text was read: the chunk of the first match,
// with the matches marked.
func matched(p index.Ranked, src []byte, at [][2]int) Result {
	all := chunks.Split(src, p.Path).Chunks
	c := all[0]
	if len(at) > 0 {
		for _, other := range all {
			if other.Start <= at[0][0] {
				c = other
			}
		}
	}
	texts := make([]string, 0, len(at))
	for _, m := range at {
		texts = append(texts, string(src[m[0]:m[1]]))
	}
	marks := func(text string) [][2]int { return places(text, texts) }
	return Result{
		Page: p.Path, Title: spans(chunks.Mark(p.Title, marks(p.Title))), Score: p.Score,
		Section: c.Section, Anchor: c.Anchor, Line: c.Line, Snippet: spans(chunks.Snippet(src, c, marks, snippetChars)),
		Category: p.Category, Tags: p.Tags, Words: p.Words, Every: p.Every, Arms: armNames(p.Arms),
	}
}

// maxPlaces is how many places of a text are looked for; a snippet has room for fewer.
const maxPlaces = 1000

// places are where some of the texts stand in a text, in order and apart: the longest
// of those that begin at one place, and the first maxPlaces. Each text is looked for
// from one end to the other once.
func places(text string, wanted []string) (out [][2]int) {
	slices.Sort(wanted)
	wanted = slices.DeleteFunc(slices.Compact(wanted), func(w string) bool { return w == "" })
	next := make([]int, len(wanted)) // where each text stands next, len(text) or more: nowhere
	for at := 0; len(out) < maxPlaces; {
		best, size := len(text), 0
		for i, w := range wanted {
			if next[i] < at || at == 0 {
				if n := strings.Index(text[at:], w); n >= 0 {
					next[i] = at + n
				} else {
					next[i] = len(text)
				}
			}
			if next[i] < best || next[i] == best && len(w) > size {
				best, size = next[i], len(w)
			}
		}
		if best == len(text) {
			break
		}
		at = best + size
		out = append(out, [2]int{best, at})
	}
	return out
}
