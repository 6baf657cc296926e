package scan

import (
	"bytes"
	"context"
	"strings"
	"unicode"
	"unicode/utf8"

	"wikibot/search/internal/query"
)

// group is the terms of a query.Group as bytes to look for.
type group struct {
	terms     []term
	not, must bool
}

// term is the words of a phrase, or one word.
type term struct {
	parts  [][]byte
	prefix bool
}

// maxGap is the most bytes between two words of a phrase.
const maxGap = 16

// groupsOf leaves out what is no word at all. It is nil where nothing is left.
func groupsOf(in []query.Group) (groups []group, refused bool) {
	refused = true
	for _, g := range in {
		out := group{not: g.Not, must: g.Must}
		for _, t := range g.Terms {
			w := term{prefix: t.Kind == query.Prefix}
			for part := range strings.FieldsSeq(t.Text) {
				if part = strings.Trim(part, "()[]{}<>,;:!?\"'."); part != "" {
					w.parts = append(w.parts, []byte(part))
				}
			}
			if w.parts != nil {
				out.terms = append(out.terms, w)
			}
		}
		if out.terms != nil {
			groups = append(groups, out)
			refused = refused && out.not
		}
	}
	return groups, refused
}

// words looks for the groups in a text.
func (s *Scanner) words(ctx context.Context, src []byte) (matches [][2]int, ok bool, err error) {
	some := s.refused
	for _, g := range s.groups {
		held := false
		for _, t := range g.terms {
			if err := s.pass(ctx, src); err != nil {
				return nil, false, err
			}
			found, err := t.find(ctx, src)
			if err != nil {
				return nil, false, err
			}
			held = held || len(found) > 0
			if !g.not {
				matches = append(matches, found...)
			}
		}
		if held && g.not || !held && g.must {
			return nil, false, nil
		}
		some = some || held && !g.not
	}
	return matches, some, nil
}

// find gives the places of a term as whole words. Its cost is the text's length
// times the number of its words.
func (t term) find(ctx context.Context, src []byte) (found [][2]int, err error) {
	for at, tries := 0, 0; len(found) < MaxMatches; tries++ {
		if tries%stride == stride-1 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		i := bytes.Index(src[at:], t.parts[0])
		if i < 0 {
			break
		}
		start := at + i
		_, size := utf8.DecodeRune(src[start:])
		at = start + size
		if end := t.at(src, start); end > 0 && between(src, start) {
			found = append(found, [2]int{start, end})
			at = end
		}
	}
	return found, nil
}

// at is where the term ends that begins at a place, with its first word; 0 where
// it is another text.
func (t term) at(src []byte, start int) (end int) {
	end = start + len(t.parts[0])
	for _, part := range t.parts[1:] {
		next := end
		for next < len(src) && next-end <= maxGap && !bytes.HasPrefix(src[next:], part) {
			r, n := utf8.DecodeRune(src[next:])
			if letter(r) {
				return 0
			}
			next += n
		}
		if next == end || next-end > maxGap || !bytes.HasPrefix(src[next:], part) {
			return 0
		}
		end = next + len(part)
	}
	if !t.prefix && !between(src, end) {
		return 0
	}
	return end
}

// between reports whether a word may begin or end at a place: not between letters
// or digits, except before a capital ("gitStore") and in scripts without spaces.
func between(src []byte, at int) bool {
	before, _ := utf8.DecodeLastRune(src[:at])
	after, n := utf8.DecodeRune(src[at:])
	if at == 0 || n == 0 || !letter(before) || !letter(after) {
		return true
	}
	return unicode.IsUpper(after) && !unicode.IsUpper(before) || unicode.In(after, spaceless...) || unicode.In(before, spaceless...)
}

var spaceless = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

func letter(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}
