package notes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"wikibot/gitstore"
	"wikibot/markdown"
	"wikibot/wiki"
)

// Cut says that a note's content ends early.
type Cut struct {
	Chars int      // of the whole page
	Rest  []string // full paths of the sections that are not shown to their end; at most 50
}

// Left is a page that ReadMany did not read.
type Left struct {
	Path   wiki.PagePath
	Reason LeftReason
	Chars  int    // of the page, where it exists
	Text   string // why, and the next step
}

// LeftReason says why a page was left out.
type LeftReason string

// The reasons.
const (
	Missing    LeftReason = "missing"
	OverBudget LeftReason = "over_budget"
)

// Bounds of ReadMany.
const (
	MaxMany     = 100       // pages
	MaxBudget   = 1_000_000 // characters
	UsualBudget = 100_000
	mostRest    = 50 // sections that a Cut names
	fewMisses   = 5  // pages that are not there and for which near names are looked up
)

// ReadMany reads several pages, in the order in which they are asked for, whole
// pages as long as their characters fit into a budget (0: 100,000; at most
// 1,000,000). A page that does not fit is left out and smaller ones behind it are
// still read. Where nothing would fit, the first page is cut at the end of a section,
// or else of a line, and says so. A page that is named twice is read once.
func (s *Service) ReadMany(ctx context.Context, v *gitstore.View, paths []wiki.PagePath, budget int) (notes []*Note, left []Left, err error) {
	switch {
	case len(paths) > MaxMany:
		return nil, nil, wiki.Invalid("paths", "%d pages are too many for one call; at most %d are possible", len(paths), MaxMany)
	case budget < 0 || budget > MaxBudget:
		return nil, nil, wiki.Invalid("budget", "the budget must be between 1 and %d characters", MaxBudget)
	case budget == 0:
		budget = UsualBudget
	}
	var first *Note // that was too large
	rest, misses := budget, 0
	seen := map[wiki.PagePath]bool{}
	for _, p := range paths {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if seen[p] {
			continue
		}
		seen[p] = true
		n, err := locate(v, p)
		if errors.Is(err, wiki.ErrNotFound) {
			if misses++; misses <= fewMisses { // near names take a look at the index
				err = s.missing(ctx, v, p)
			}
			left = append(left, Left{Path: p, Reason: Missing, Text: err.Error()})
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if n.Path != p && seen[n.Path] {
			continue
		}
		seen[n.Path] = true
		chars := utf8.RuneCount(n.Content)
		if chars > rest {
			if first == nil {
				first = n
			}
			left = append(left, overBudget(n.Path, chars))
			continue
		}
		rest -= chars
		notes = append(notes, n)
	}
	if len(notes) == 0 && first != nil {
		notes, left = []*Note{first}, without(left, first.Path)
	}
	for _, n := range notes {
		if err := s.complete(ctx, v, n); err != nil {
			return nil, nil, err
		}
		n.shorten(budget)
	}
	return notes, left, nil
}

// complete fills in what Read tells of a page beside its text.
func (s *Service) complete(ctx context.Context, v *gitstore.View, n *Note) (err error) {
	if err := n.describe(ctx, v); err != nil {
		return err
	}
	n.LinksTo, n.LinkedFrom, err = s.Links(ctx, v, n.Path)
	return err
}

func overBudget(p wiki.PagePath, chars int) Left {
	return Left{Path: p, Reason: OverBudget, Chars: chars,
		Text: fmt.Sprintf("%d characters do not fit into what is left of the budget: read it by itself, or by its sections", chars)}
}

func without(left []Left, p wiki.PagePath) []Left {
	out := left[:0]
	for _, l := range left {
		if l.Path != p {
			out = append(out, l)
		}
	}
	return out
}

// shorten cuts a note that is longer than so many characters.
func (n *Note) shorten(most int) {
	chars := utf8.RuneCount(n.Content)
	if chars <= most {
		return
	}
	end := prefix(n.Content, most)
	cut, all := 0, markdown.Sections(n.Content)
	for _, sec := range all {
		if sec.Start <= end && sec.Start > cut {
			cut = sec.Start
		}
	}
	if cut == 0 {
		cut = bytes.LastIndexByte(n.Content[:end], '\n') + 1
	}
	if cut == 0 {
		cut = end
	}
	n.Cut = &Cut{Chars: chars}
	for _, sec := range all {
		if sec.BodyEnd > cut && len(n.Cut.Rest) < mostRest {
			n.Cut.Rest = append(n.Cut.Rest, sec.Name())
		}
	}
	n.Content = n.Content[:cut]
}

// prefix is where so many characters end.
func prefix(text []byte, chars int) int {
	at := 0
	for ; chars > 0 && at < len(text); chars-- {
		_, size := utf8.DecodeRune(text[at:])
		at += size
	}
	return at
}
