package gitstore

import (
	"bytes"
	"context"
	"sort"
	"strings"
	"unicode/utf8"

	"wikibot/markdown"
	"wikibot/wiki"
)

// scored is a hit with its rank: names first, then titles, then texts.
type scored struct {
	Hit
	score int
}

// scan looks for the words in every page.
func (v *View) scan(ctx context.Context, words []string, limit int) ([]Hit, error) {
	var found []scored
	_, err := v.root.walk("", func(path string, e *entry) bool {
		p, ok := wiki.PageOfFile(path)
		if !ok {
			return ctx.Err() == nil
		}
		text, err := v.repo.blob(e.oid)
		if err != nil {
			return ctx.Err() == nil
		}
		if h, ok := match(p, text, words); ok {
			found = append(found, h)
		}
		return ctx.Err() == nil
	})
	if err != nil {
		return nil, err
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].score > found[j].score })
	if limit > 0 && len(found) > limit {
		found = found[:limit]
	}
	hits := make([]Hit, len(found))
	for i, f := range found {
		hits[i] = f.Hit
	}
	return hits, nil
}

// match reports whether all words stand in a page's path or text.
func match(p wiki.PagePath, text []byte, words []string) (scored, bool) {
	name := strings.ToLower(string(p))
	lower := bytes.ToLower(text)
	score, first := 0, -1
	for _, w := range words {
		inName := strings.Contains(name, w)
		n := bytes.Count(lower, []byte(w))
		switch {
		case inName:
			score += 1000
		case n == 0:
			return scored{}, false
		}
		score += min(n, 50)
		if at := bytes.Index(lower, []byte(w)); at >= 0 && (first < 0 || at < first) {
			first = at
		}
	}
	title := markdown.Title(text, p)
	if strings.Contains(strings.ToLower(title), strings.Join(words, " ")) {
		score += 500
	}
	h := Hit{Page: p, Title: title}
	if first >= 0 && len(lower) == len(text) {
		h.Line, h.Snippet = bytes.Count(text[:first], []byte("\n"))+1, snippet(text, first)
	}
	return scored{h, score}, true
}

// snippet is the line around a byte, at most 200 bytes of it, cut at characters.
func snippet(text []byte, at int) string {
	const around = 100
	from := bytes.LastIndexByte(text[:at], '\n') + 1
	to := len(text)
	if i := bytes.IndexByte(text[at:], '\n'); i >= 0 {
		to = at + i
	}
	head, tail := "", ""
	if at-from > around {
		from, head = at-around, "…"
		for from < at && !utf8.RuneStart(text[from]) {
			from++
		}
	}
	if to-at > around {
		to, tail = at+around, "…"
		for to > at && !utf8.RuneStart(text[to]) {
			to--
		}
	}
	return head + strings.TrimSpace(string(text[from:to])) + tail
}
