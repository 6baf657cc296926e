package notes

import (
	"bytes"
	"context"

	"wikibot/gitstore"
	"wikibot/markdown"
	"wikibot/wiki"
)

// Outline is a page without its text.
type Outline struct {
	Path      wiki.PagePath
	Name      string
	Revision  wiki.Revision // the last commit that touched the page
	Words     int
	Size      int // bytes of the whole page, frontmatter included
	Sections  []SectionInfo
	MovedFrom wiki.PagePath
}

// SectionInfo is one section of an Outline.
type SectionInfo struct {
	Path   string // "Design > Storage": good as ReadRequest.Section and Op.Section where it is the only one
	Level  int    // 1–6
	Line   int    // of the heading, from 1
	Words  int    // of the section with its sub-sections, its heading included
	Anchor string // without "#"
}

// Outline lists the sections of a page, in the order of the text. Cost: the page's
// text twice.
func (s *Service) Outline(ctx context.Context, v *gitstore.View, p wiki.PagePath) (*Outline, error) {
	n, err := s.find(ctx, v, p)
	if err != nil {
		return nil, err
	}
	if err := n.describe(ctx, v); err != nil {
		return nil, err
	}
	o := &Outline{Path: n.Path, Name: n.Name, Revision: n.Revision, Words: n.Words, Size: len(n.Content), MovedFrom: n.MovedFrom}
	all := markdown.SectionsIn(n.Content, v.Settings().LinkStyle)
	o.Sections = make([]SectionInfo, len(all))
	var open []int // sections whose words are still being counted
	line, at := 1, 0
	for i, sec := range all {
		words := countWords(n.Content[at:sec.Start])
		line += bytes.Count(n.Content[at:sec.Start], []byte("\n"))
		at = sec.Start
		for _, j := range open {
			o.Sections[j].Words += words
		}
		for len(open) > 0 && all[open[len(open)-1]].End <= sec.Start {
			open = open[:len(open)-1]
		}
		open = append(open, i)
		o.Sections[i] = SectionInfo{Path: sec.Name(), Level: sec.Level, Line: line, Anchor: sec.ID}
	}
	words := countWords(n.Content[at:])
	for _, j := range open {
		o.Sections[j].Words += words
	}
	return o, nil
}
